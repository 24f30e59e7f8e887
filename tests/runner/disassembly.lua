-- Reads what objdump -d prints: functions, their innermost loops, and the stack accesses in these.
-- SPDX-License-Identifier: MIT-0
--
-- A loop is what lies between a jump backwards and its target; several jumps to one target are one
-- loop. It is innermost if no other begins in it.

local disassembly = {}

-- Multiply-adds, or products where there are none: a loop without is no part of a tile.
local WORKS = { "^vfn?madd", "^fmla", "^fmadd", "^v?mulps", "^v?mulss" }

local function works(operation)
  for _, pattern in ipairs(WORKS) do
    if operation:find(pattern) then return true end
  end
  return false
end

-- Functions: a list of { name =, code = list of { at =, operation =, operands = } }.
local function functions_of(text)
  local list, current = {}, nil
  for line in text:gmatch("[^\n]+") do
    local name = line:match("^%x+ <(.+)>:$")
    local at, operation, operands = line:match("^%s+(%x+):%s+(%S+)%s*(.*)$")
    if operands then operands = operands:gsub("%s*//.*$", "") end
    if name then
      current = { name = name, code = {} }
      list[#list + 1] = current
    elseif at and current then
      current.code[#current.code + 1] = { at = tonumber(at, 16), operation = operation, operands = operands }
    end
  end
  return list
end

-- Where a jump within the function goes, or nil.
local function target_of(instruction, name)
  local operation = instruction.operation
  if not (operation:find("^j") or operation:find("^b") or operation:find("^[ct]bn?z")) then return nil end
  local to, symbol = instruction.operands:match("(%x+) <([^>+]+)[^>]*>$")
  if symbol == name then return tonumber(to, 16) end
end

local function innermost_loops(code, name)
  local ends = {} -- by the begin
  for _, instruction in ipairs(code) do
    local to = target_of(instruction, name)
    if to and to <= instruction.at then ends[to] = math.max(ends[to] or 0, instruction.at) end
  end
  local loops = {}
  for first, last in pairs(ends) do
    local innermost = true
    for other in pairs(ends) do innermost = innermost and not (other > first and other <= last) end
    if innermost then loops[#loops + 1] = { first = first, last = last } end
  end
  table.sort(loops, function(a, b) return a.first < b.first end)
  return loops
end

-- A pattern for each register that points into the stack.
local function stack_registers(code)
  local list = { "[(,]%%[er]sp[,)]", "%[sp[],]" }
  for _, instruction in ipairs(code) do
    local operands = instruction.operands
    if operands == "%rsp,%rbp" then list[#list + 1] = "[(]%%rbp[,)]" end
    if operands:find("^x29, sp") then list[#list + 1] = "%[x29[],]" end
  end
  return list
end

-- What a run of a function's instructions computes, and which of them access the stack.
local function looked_at(one, first, last, registers)
  local result = { name = one.name, at = first, length = 0, operations = 0, accesses = {} }
  for _, instruction in ipairs(one.code) do
    if instruction.at >= first and instruction.at <= last then
      result.length = result.length + 1
      if works(instruction.operation) then result.operations = result.operations + 1 end
      for _, register in ipairs(registers) do
        if instruction.operands:find(register) and instruction.operation ~= "lea" then
          result.accesses[#result.accesses + 1] = instruction.operation .. " " .. instruction.operands
        end
      end
    end
  end
  return result
end

--- The innermost loops that compute: a list of { name = of the function, at = offset, length =,
-- operations = how many of them compute, accesses = list of instructions that access the stack }.
function disassembly.loops(text)
  local found = {}
  for _, one in ipairs(functions_of(text)) do
    local registers = stack_registers(one.code)
    for _, loop in ipairs(innermost_loops(one.code, one.name)) do
      local result = looked_at(one, loop.first, loop.last, registers)
      if result.operations > 0 then found[#found + 1] = result end
    end
  end
  return found
end

--- The same of functions that compute, as a whole: of tiles that are unrolled altogether.
function disassembly.functions(text)
  local found = {}
  for _, one in ipairs(functions_of(text)) do
    local result = looked_at(one, 0, math.huge, stack_registers(one.code))
    if result.operations > 0 then found[#found + 1] = result end
  end
  return found
end

return disassembly
