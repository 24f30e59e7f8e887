-- Compilers and processors: what is here, and which instruction sets it has.
-- SPDX-License-Identifier: MIT-0

local isa = require "isa"
local jobs = require "runner.jobs"

local compiler = {}

--- The C compiler of the tests: $CC, or cc.
compiler.cc = (os.getenv("CC") or "") ~= "" and os.getenv("CC") or "cc"

--- Other architectures: their compilers, and what runs their programs.
compiler.cross = {
  neon = {
    cc = { "aarch64-linux-gnu-gcc", "clang-19 --target=aarch64-linux-gnu" }, run = "qemu-aarch64",
  },
}

--- What stands for instruction sets that the compiler knows and its processor may lack: a header that their
-- kernels include first, flags for these, and the instruction set that it takes.
compiler.stands_for = {
  avx512 = { header = "tests/emulated_avx512.h", needs = "avx2",
    flags = "-mavx2 -mfma -D'__builtin_cpu_supports(set)=1'" },
}

-- Does the processor itself run an instruction set?
local function runs_natively(set)
  for _, name in ipairs(isa.runnable()) do
    if name == set then return true end
  end
  return false
end

--- Of compiler.stands_for what it takes to run kernels here; nil where the processor runs them itself, or
-- nothing can.
function compiler.emulation(set)
  local emulation = compiler.stands_for[set]
  return emulation and not runs_natively(set) and runs_natively(emulation.needs) and emulation or nil
end

--- What a compiler needs for kernels of a set: nothing where the processor runs it.
function compiler.flags(set)
  local emulation = compiler.emulation(set)
  return emulation and ("%s -include %s"):format(emulation.flags, emulation.header) or ""
end

--- Can programs for an instruction set be run here?
function compiler.runs(set) return runs_natively(set) or compiler.emulation(set) ~= nil end

--- Does a command build a program? (Compilers may lack the libraries of a target.)
function compiler.works(command)
  return jobs.output(("printf '#include <stdio.h>\\nint main(void) { return 0; }\\n' | %s -xc - -lm"
    .. " -o /dev/null"):format(command)) ~= nil
end

--- The names of the instruction sets that compiler.cc knows: those of its architecture.
function compiler.sets()
  local names = {}
  for _, name in ipairs(isa.names) do
    local guard = isa.get(name).guard
    if guard == "" or jobs.output(("printf '#if !(%s)\\n#error\\n#endif\\n' | %s -E -"):format(guard,
      compiler.cc)) then
      names[#names + 1] = name
    end
  end
  return names
end

--- The ways to build and run a program for an instruction set: a list of { cc =, run =, missing = }.
-- `run`, before a program, emulates its processor; nil where none is needed.
function compiler.ways(name)
  for _, native in ipairs(compiler.sets()) do
    if native == name then return { { cc = compiler.cc } } end
  end
  local list, cross = {}, compiler.cross[name]
  if not cross then return { { missing = true } } end
  for i, cc in ipairs(cross.cc) do
    local here = jobs.have(cross.run) and compiler.works(cc .. " -static")
    list[i] = { cc = cc, run = cross.run, missing = not here }
  end
  return list
end

return compiler
