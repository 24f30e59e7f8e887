-- The suite 'compilers': what users may compile kernels with. Whatever it is, they are right.
-- SPDX-License-Identifier: MIT-0

local isa = require "isa"
local jobs = require "runner.jobs"
local kernels = require "runner.kernels"
local suites = require "runner.suites"
local tally = require "runner.tally"

local flags = {}

local COMPILERS = { "gcc", "clang-14", "clang-19" }

-- With -ffast-math nothing is promised of NaN and infinities. Not in ISO C, gcc may make a multiply-add
-- of a product and a sum.
local FLAGS = {
  { "O0", "-O0" }, { "O2", "-O2" }, { "O3", "-O3" }, { "Os", "-Os" },
  { "fast_math", "-O2 -ffast-math", finite = true },
  { "native", "-std=gnu11 -O3 -march=native" },
  { "native_fast_math", "-std=gnu11 -O3 -march=native -ffast-math", finite = true },
}

-- Of each algorithm a few layers; those that count on rounding where it may be taken away.
local OPTIONS = { "--activation relu", "--activation silu", "--activation clamp:-2,3.5",
  "--activation hardswish", "--max-unroll 40", "" }
local ROUNDING = { "--activation silu", "--activation tanh", "--activation sigmoid" }
local POOLS = { "--pool max", "--pool average --ceil --include-pad", "--pool average" }

-- One of `list`, another for each number.
local function turn(list, number) return list[number % #list + 1] end

-- The builds of one compiler with some flags: on all instruction sets and layouts, or one of each, which
-- `number` chooses.
local function builds_of(t, cc, set, number)
  local make, all = suites.builds, {}
  local few = t.all and make.FEW or make.FEWER
  local fields = { cc = cc, flags = "", kernel_flags = set[2], finite = set.finite }
  local sets = isa.runnable()
  local layouts = { "nhwc", "nchw" }
  if not t.all then sets, layouts = { turn(sets, number) }, { turn(layouts, number // #sets) } end
  local function add(list)
    for _, build in ipairs(list) do
      build.name = ("%s_%s_%s"):format(cc, set[1], build.name)
      all[#all + 1] = build
    end
  end
  local options = set.finite and ROUNDING or OPTIONS
  for i = 1, t.all and #options or 1 do
    add(make.each_option(make.named(few), { turn(options, number + i) }, fields, layouts, sets))
  end
  add(make.each_option(make.pools(), { turn(POOLS, number) }, fields, layouts, sets))
  return all
end

--- Kernels compiled by each compiler with each set of flags.
function flags.compilers(t)
  local result, builds, number = tally.new(), {}, t.seed
  for _, cc in ipairs(COMPILERS) do
    for _, set in ipairs(FLAGS) do
      number = number + 1
      local mine = builds_of(t, cc, set, number)
      if jobs.have(cc) then
        table.move(mine, 1, #mine, #builds + 1, builds)
      else
        for _, build in ipairs(mine) do result:skip(#build.layers) end
      end
    end
  end
  result:add(kernels.check(t, "compilers", builds))
  return result
end

return flags
