-- The processor at hand, as far as Linux tells: its name and its caches.
-- SPDX-License-Identifier: MIT-0

local machine = {}

local function read(path)
  local file = io.open(path)
  local text = file and file:read("a")
  if file then file:close() end
  return text or ""
end

--- The processor's name, one line; nil where it is not known. It is spelt as the benchmark spells it.
function machine.cpu(cpuinfo)
  cpuinfo = "\n" .. (cpuinfo or read("/proc/cpuinfo"))
  local function value(key) return cpuinfo:match("\n" .. key .. "%s*:%s*([^\n]+)") end
  local name, family, model = value("model name"), value("cpu family"), value("model")
  if not name and value("CPU implementer") then -- AArch64
    name = ("implementer %s part %s"):format(value("CPU implementer"), value("CPU part"))
  end
  if not name then return nil end
  local text = family and ("%s (family %s model %s)"):format(name, family, model) or name
  return (text:gsub("[^ -~]", "?"):gsub("%s+", " "))
end

local UNITS = { K = 1 << 10, M = 1 << 20, [""] = 1 }

--- What the cost model wants to know of the data caches (see plan/cost.lua), as far as it is known.
function machine.caches(directory)
  directory = directory or "/sys/devices/system/cpu/cpu0/cache"
  local out = {}
  for index = 0, 9 do
    local function fact(name) return read(("%s/index%d/%s"):format(directory, index, name)):match("[^\n]*") end
    local function number(name) return math.tointeger(tonumber(fact(name))) or 0 end
    local digits, unit = fact("size"):match("^(%d+)([KM]?)$")
    local bytes = digits and math.tointeger(tonumber(digits)) * UNITS[unit] or 0
    local level, ways = number("level"), number("ways_of_associativity")
    if bytes > 0 and fact("type") ~= "Instruction" then
      if level == 1 and ways > 0 then out.l1_ways, out.l1_way_bytes = ways, bytes // ways end
      if level == 1 and number("coherency_line_size") > 0 then out.line_bytes = number("coherency_line_size") end
      if level == 2 then out.l2_bytes = bytes end
      if level == 3 then out.l3_bytes = bytes * 5 // 8 end -- others use it, too
    end
  end
  return out
end

return machine
