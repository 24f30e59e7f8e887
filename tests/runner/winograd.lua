-- The suite of Winograd kernels: all tiles, on those of the hard problems that they can do.
-- SPDX-License-Identifier: MIT-0

local behind = require "behind"
local benchdnn = require "import.benchdnn"
local compiler = require "runner.compiler"
local isa = require "isa"
local kernels = require "runner.kernels"
local layer = require "layer"
local plan = require "plan"
local problems = require "runner.problems"
local tally = require "runner.tally"

-- Of both axes, or of the one that has any; then pairs, '1' of which is no algorithm along that axis; then some where
-- the phases of a stride are channels. How many there are is no multiple of three, see below.
local TILES = {
  "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f32", "f42", "f43", "f54", "f64", "f86",
  "f1x4", "f1x32", "f3x1", "f42x1", "f2x5", "f43x2", "f6x3", "s3", "s54", "s1x4",
}
-- And with pooling behind them, in registers.
local POOLED = {
  "f2 max:2x2", "f3 average:3x3", "f4 max:2x2", "f6 max:3x2", "f42 average:2x2", "f64 max:2x2", "f1x4 max:1x2",
  "f3x2 average:3x2",
}
local LAYOUTS = { "nhwc", "nchw" }

-- The problems of a list that can be done with a tile, perhaps with pooling behind it.
local function fitting(list, text)
  local out = {}
  local tile, pooling = text:match("^(%S+) ?(.*)$")
  for _, problem in ipairs(list) do
    local fields = assert(benchdnn.parse(problem.text)).fields
    if pooling ~= "" then fields.after = behind.parse(pooling) end
    local made = layer.new(fields)
    local options = { algorithm = "winograd", tile = { tile = tile } }
    if made and plan.make(made, isa.get("scalar"), options) then out[#out + 1] = problem end
  end
  return out
end

-- A build for each instruction set, layout and tile, of one of `parts` parts of the problems; not of all
-- tiles, unless builds are chosen by name: of some others for each seed.
local function builds_of(lists, sets, parts, t)
  local builds, turn = {}, t.seed
  for _, set in ipairs(sets) do
    for _, layout in ipairs(LAYOUTS) do
      turn = turn + 1
      local function add(tiles, some)
        for i, text in ipairs(tiles) do
          local layers = problems.part(lists[text], parts, turn + i)
          if #layers > 0 and (t.all or #t.builds > 0 or (turn * 7 + i * 3) % #tiles < some) then
            builds[#builds + 1] = {
              name = ("%s_%s_%s"):format(set, layout, (text:gsub("[ :]", "_"))), layers = layers, isa = set,
              layout = layout, accuracy = "fast",
              options = "--algorithm winograd --tile " .. text:gsub(" ", " --then "),
            }
          end
        end
      end
      add(TILES, 3)
      add(POOLED, 2)
    end
  end
  return builds
end

local function has(list, name)
  for _, item in ipairs(list) do
    if item == name then return true end
  end
end

return function(t)
  local result, lists, sets = tally.new(), {}, compiler.sets()
  local all = problems.read("tests/problems.txt")
  local parts = t.all and 3 or #t.layers > 0 and 1 or 12
  for _, tiles in ipairs { TILES, POOLED } do
    for _, text in ipairs(tiles) do lists[text] = fitting(all, text) end
  end
  local builds = builds_of(lists, sets, parts, t)
  -- Other architectures by an emulator: a sample.
  for set in pairs(compiler.cross) do
    local way = compiler.ways(set)[1]
    for _, build in ipairs(has(sets, set) and {} or builds_of(lists, { set }, parts * 8, t)) do
      build.cc, build.run, build.flags = way.cc, way.run, "-O2"
      if way.missing then result:skip(#build.layers) else builds[#builds + 1] = build end
    end
  end
  result:add(kernels.check(t, "winograd", builds))
  return result
end
