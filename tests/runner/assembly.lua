-- The suites 'assembly' and 'budget': what compilers make of kernels. One of their versions can halve the
-- speed of a tile without any other test noticing.
-- SPDX-License-Identifier: MIT-0

local compiler = require "runner.compiler"
local disassembly = require "runner.disassembly"
local emit = require "emit"
local files = require "files"
local isa = require "isa"
local jobs = require "runner.jobs"
local options = require "options"
local plan = require "plan"
local problems = require "runner.problems"
local request = require "request"
local tally = require "runner.tally"

local assembly = {}

-- name, options of emit
local LAYERS = {
  { "conv_3x3_64_56", "--input 56x56x64 --filters 64 --kernel 3 --pad same --activation relu" },
  { "conv_3x3_64_56_nchw", "--input 56x56x64 --filters 64 --kernel 3 --pad same --layout nchw" },
  { "conv_3x3_512_7", "--input 7x7x512 --filters 512 --kernel 3 --pad same" },
  { "conv_3x3_s2_128_56", "--input 56x56x128 --filters 128 --kernel 3 --stride 2 --pad same" },
  { "conv_3x3_s2_48_14_nchw", "--input 14x14x48 --filters 64 --kernel 3 --stride 2 --pad 1 --layout nchw" },
  { "conv_3x3_17_33", "--input 13x13x17 --filters 33 --kernel 3 --pad same" },
  { "conv_3x3_d2_24", "--input 28x28x24 --filters 80 --kernel 3 --dilation 2 --pad same" },
  { "conv_1x1_256_64", "--input 56x56x256 --filters 64 --kernel 1 --activation relu" },
  { "conv_1x1_256_64_nchw", "--input 56x56x256 --filters 64 --kernel 1 --layout nchw" },
  { "conv_1x1_1024_256", "--input 14x14x1024 --filters 256 --kernel 1" },
  { "conv_1x1_1024_7_nchw", "--input 7x7x1024 --filters 1024 --kernel 1 --layout nchw" },
  { "conv_7x7_s2_3_64", "--input 224x224x3 --filters 64 --kernel 7 --stride 2 --pad 3" },
  { "conv_5x5_3_10", "--input 32x32x3 --filters 10 --kernel 5 --pad same --activation relu" },
  { "conv_3x3_g32_128", "--input 28x28x128 --filters 128 --kernel 3 --pad same --groups 32" },
  { "conv_1x7_128", "--input 17x17x128 --filters 192 --kernel 1x7 --pad same" },
  { "conv_3x3_run_time_nchw", "--input HxWxC --filters OC --kernel 3 --pad same --activation relu --layout nchw" },
  { "dw_3x3_512_14", "--input 14x14x512 --groups depthwise --kernel 3 --pad same --activation relu" },
  { "dw_7x7_96_28", "--input 28x28x96 --groups depthwise --kernel 7 --pad same --activation relu" },
  { "dw_31x31_30", "--input 20x20x30 --groups depthwise --kernel 31 --pad same --activation relu" },
  { "conv_3x3_run_time", "--input HxWxC --filters OC --kernel 3 --pad same --activation relu" },
}

-- What is known and not the kernel's fault, by title: these may fail, and count as skipped.
local KNOWN = {
  ["conv_3x3_g32_128 neon clang-19"] = "pixels take the way through general registers",
  ["conv_7x7_s2_3_64 neon clang-19"] = "an address is kept on the stack",
}

-- Compilers of an instruction set, and what reads their objects.
local function tools(set)
  if compiler.cross[set] then return compiler.cross[set].cc, "aarch64-linux-gnu-objdump", "aarch64-linux-gnu-size" end
  return { "gcc", "clang-14", "clang-19" }, "objdump", "size"
end

-- A kernel as the command line makes it; or one for another instruction set than those there are.
local function render(directory, name, text, set)
  -- Transforms of Winograd kernels use the stack by design; their products are direct tiles.
  local arguments = { "emit", "--accuracy", "exact", "--name", name, "--isa",
    type(set) == "string" and set or set.name }
  for word in text:gmatch("%S+") do arguments[#arguments + 1] = word end
  local made = assert(request.jobs(assert(options.parse(arguments)).values))[1]
  if type(set) == "table" then
    made.isa, made.plan = set, assert(plan.make(made.layer, set, { accuracy = "exact" }))
  end
  local header, source = emit.kernel(made)
  assert(files.write_all {
    { path = ("%s/%s.h"):format(directory, name), text = header },
    { path = ("%s/%s.c"):format(directory, name), text = source },
  })
  return made
end

-- Compiles and disassembles: a command, which prints the processor's seconds, the size, the code.
local COMPILE = "$cc -std=c99 -O2 -c $dir/$name.c -o $base.o && times | tail -n 1 && $size $base.o"
local DISASSEMBLE = COMPILE .. " && $objdump -d --no-show-raw-insn $base.o"

-- What runs of that command gave: { seconds =, bytes = }, or nil.
local function costs(output)
  local m1, s1, m2, s2 = output:match("(%d+)m([%d.]+)s (%d+)m([%d.]+)s")
  local bytes = output:match("\n%s*text[^\n]*\n%s*(%d+)")
  if not bytes then return nil end
  return { seconds = 60 * (m1 + m2) + s1 + s2, bytes = tonumber(bytes) }
end

-- Kernels with each compiler of their instruction set: a list of { title =, output = of the command,
-- status = }, some of them skipped.
local function compile_all(t, list, command, result)
  local commands, entries = {}, {}
  for _, entry in ipairs(list) do
    local compilers, objdump, size = tools(entry.set)
    for _, cc in ipairs(entry.compilers or compilers) do
      local program = cc:match("%S+")
      local title = ("%s %s %s"):format(entry.name, entry.set, program)
      if not t:wants_build(title) then -- luacheck: ignore
      elseif jobs.have(program) and jobs.have(objdump) and (cc == program or compiler.works(cc)) then
        entries[#entries + 1] = { title = title, entry = entry }
        commands[#commands + 1] = jobs.expand(command, {
          cc = cc, dir = entry.directory, name = entry.name, objdump = objdump, size = size,
          base = ("%s/%s_%s"):format(entry.objects or entry.directory, entry.name, program),
        })
      else
        result:skip()
      end
    end
  end
  for i, r in ipairs(t:run(commands)) do entries[i].output, entries[i].status = r.output, r.status end
  return entries
end

-- Loops in which registers did not suffice, as text; and how many loops there are. Where tiles are unrolled altogether
-- their functions, of which the begin and the end may keep something: one instruction in fifty.
local function spills(output)
  local lines, loops, allowed = {}, disassembly.loops(output), 0
  if #loops == 0 then loops, allowed = disassembly.functions(output), 1 / 50 end
  for _, loop in ipairs(loops) do
    if #loop.accesses > allowed * loop.length then
      lines[#lines + 1] = ("%s+0x%x: %d stack accesses in %d instructions (%s)"):format(loop.name, loop.at,
        #loop.accesses, loop.length, loop.accesses[1])
    end
  end
  return lines, #loops
end

-- An instruction set that claims twice the registers that it has: its tiles are too large.
local function boastful()
  local set = {}
  for key, value in pairs(isa.get("avx2")) do set[key] = value end
  set.registers = 32
  return set
end

--- No stack accesses in the innermost loops of register tiles.
function assembly.assembly(t)
  local result, list = tally.new(), {}
  for _, set in ipairs { "avx512", "avx2", "neon" } do
    local directory = ("%s/assembly/%s"):format(t.directory, set)
    for _, entry in ipairs(LAYERS) do
      render(directory, entry[1], entry[2], set)
      list[#list + 1] = { name = entry[1], set = set, directory = directory }
    end
  end
  local directory = t.directory .. "/assembly/too_large"
  local function too_large(name, text)
    render(directory, name, text, boastful())
    list[#list + 1] = { name = name, set = "avx2", directory = directory, seen = true }
  end
  too_large("too_large", LAYERS[1][2])
  too_large("too_large_unrolled", "--input 14x14x512 --groups depthwise --kernel 3 --pad same")

  for _, compiled in ipairs(compile_all(t, list, DISASSEMBLE, result)) do
    local lines, loops = spills(compiled.output)
    if compiled.status ~= 0 then
      result:fail("%s: %s", compiled.title, compiled.output:sub(1, 400))
    elseif loops == 0 then
      result:fail("%s: no loop was found", compiled.title)
    elseif compiled.entry.seen then
      result:note(#lines > 0, compiled.title .. ": spills were not seen")
    elseif #lines > 0 and KNOWN[compiled.title] then
      result:skip()
    else
      result:note(#lines == 0, compiled.title .. ": " .. table.concat(lines, "\n    "))
    end
  end
  return result
end

-- The kernels of the committed library, which are larger than those of one layer: of each instruction set those of the
-- longest text, with each compiler, and of the others a part, or all of them.
local LONGEST = 4
local function library(t)
  local list, count = {}, {}
  for name, set in jobs.output("ls -S generated/"):gmatch("(%S+_via_%a+_(%w+))%.c") do
    local number, compilers = (count[set] or 0) + 1, tools(set)
    count[set] = number
    if t.all or number <= LONGEST then
      compilers = nil
    else
      compilers = (t.seed + number) % t.parts == 0 and { compilers[1 + number // t.parts % #compilers] } or {}
    end
    list[#list + 1] = { name = name, set = set, directory = "generated", compilers = compilers,
      objects = ("%s/budget/%s"):format(t.directory, set) }
  end
  return list
end

-- Of each kernel, unless --max-unroll asks for more.
local MOST_SECONDS, MOST_BYTES = 1, 64 * 1024 -- the median; each

--- How long compilers take over kernels, and how large these are.
function assembly.budget(t)
  local result, list = tally.new(), {}
  local hard = problems.part(problems.read("tests/problems.txt"), 8 * t.parts, t.seed)
  for i, set in ipairs(isa.names) do
    local directory = ("%s/budget/%s"):format(t.directory, set)
    local compilers = tools(set)
    local one = { compilers[1 + (t.seed + i) % #compilers] }
    local function add(name, text)
      render(directory, name, text, set)
      list[#list + 1] = { name = name, set = set, directory = directory, compilers = not t.all and one or nil }
    end
    for _, entry in ipairs(LAYERS) do add(table.unpack(entry)) end
    for j, problem in ipairs(hard) do
      local layout = (i + j + t.seed) % 2 == 0 and "nhwc" or "nchw"
      add(problem.name, ("--problem %s --layout %s"):format(problem.text, layout))
    end
  end
  for _, entry in ipairs(library(t)) do list[#list + 1] = entry end

  local seconds = {}
  for _, compiled in ipairs(compile_all(t, list, COMPILE, result)) do
    local cost = compiled.status == 0 and costs(compiled.output)
    if not cost then
      result:fail("%s: %s", compiled.title, compiled.output:sub(1, 400))
    else
      if not compiled.entry.objects then seconds[#seconds + 1] = cost.seconds end
      result:note(cost.bytes < MOST_BYTES, ("%s: %d bytes, more than %d"):format(compiled.title, cost.bytes,
        MOST_BYTES))
    end
  end
  table.sort(seconds)
  local median = seconds[#seconds // 2 + 1]
  if median then
    result:note(median < MOST_SECONDS, ("compiling takes %.2f s, of half of the kernels more"):format(median))
  end
  return result
end

return assembly
