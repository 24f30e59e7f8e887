-- The tables of instruction sets: what /proc/cpuinfo says of a machine. Their operations are
-- checked in C, see tests/operations/.
-- SPDX-License-Identifier: MIT-0

require "tests.spec.support"
local isa = require "isa"

describe("instruction sets", function()
  it("are complete", function()
    for _, name in ipairs(isa.names) do assert.are.equal(name, isa.get(name).name) end
    assert.is_nil(isa.get("mmx"))
  end)

  local machines = {
    ["avx512"] = "processor\t: 0\nflags\t\t: fpu sse2 fma avx2 avx512f avx512dq\nbugs\t\t: a\n",
    ["avx2"] = "flags\t\t: fpu sse2 fma avx2\nvmx flags\t: avx512f\n",
    ["sse2"] = "flags\t\t: fpu sse sse2 avx2 fma4\n",
    ["neon"] = "BogoMIPS\t: 243.75\nFeatures\t: fp asimd evtstrm aes\nCPU part\t: 0xd0c\n",
    ["scalar"] = "Features\t: half thumb vfpv4 neon\n",
  }
  for best, cpuinfo in pairs(machines) do
    it("are detected: " .. best, function() assert.are.equal(best, isa.detect(cpuinfo)) end)
  end

  it("are scalar where nothing is known", function()
    assert.are.same({ "scalar" }, isa.runnable(""))
  end)

  it("of a machine are all up to the best", function()
    assert.are.same({ "scalar", "sse2", "avx2" }, isa.runnable(machines.avx2))
    assert.are.same({ "scalar", "neon" }, isa.runnable(machines.neon))
  end)
end)
