-- The suite 'semantics': what kernels do with NaN, infinities, zeros, subnormal numbers, and dirt
-- (tests/conformance/semantics.h), on every instruction set that runs here or is emulated.
-- SPDX-License-Identifier: MIT-0

local compiler = require "runner.compiler"
local isa = require "isa"
local kernels = require "runner.kernels"
local tally = require "runner.tally"

local semantics = {}

local GEOMETRY = {
  "--input 6x7x5 --filters 19 --kernel 3 --pad 1",
  "--input 5x18x8 --filters 3 --kernel 1",
  "--input 7x9x17 --groups depthwise --kernel 3 --stride 2 --pad same",
}
local ACTIVATIONS = { "none", "relu", "relu6", "clamp:-2,3.5", "leaky:0.1", "sigmoid", "tanh", "silu",
  "hardswish" }
local POOLS = {
  "--pool max --input 6x9x17 --kernel 3 --stride 2 --pad 1", "--pool average --input 6x9x17 --kernel 3 --pad 1",
  "--pool max --input 5x5x9 --global", "--pool average --input 5x5x9 --global",
}

local function lines_for(set, layout)
  local lines = {}
  local function add(text)
    lines[#lines + 1] = ("--name s%d --isa %s --layout %s --accuracy exact %s"):format(#lines + 1, set, layout, text)
  end
  for _, geometry in ipairs(GEOMETRY) do
    for _, activation in ipairs(ACTIVATIONS) do add(geometry .. " --activation " .. activation) end
  end
  for _, pool in ipairs(POOLS) do add(pool) end
  return lines
end

function semantics.suite(t)
  local builds, result = {}, tally.new()
  for _, set in ipairs(isa.names) do
    local way = compiler.ways(set)[1]
    for _, layout in ipairs { "nhwc", "nchw" } do
      local lines = lines_for(set, layout)
      if way.missing then
        result:skip(#lines)
      else
        builds[#builds + 1] = { name = set .. "_" .. layout, lines = lines, isa = set, cc = way.cc,
          run = way.run, conformance = "semantics", libraries = way.run and "-static" }
      end
    end
  end
  result:add(kernels.check(t, "semantics", builds))
  return result
end

return semantics
