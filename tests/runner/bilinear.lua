-- The suite of bilinear kernels, Winograd's and Strassen's: all tiles, on those of the hard problems that they can do.
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
-- With caches as they are, and so small that a layer's pairs make several blocks.
local STRASSEN = { "strassen", "strassen small" }
local LAYOUTS = { "nhwc", "nchw" }

-- What a build's name says: an algorithm, the options that choose it, perhaps pooling behind it, and an instruction
-- set; what can be done by that can be done by all.
local function way_of(text)
  local first, second = text:match("^(%S+) ?(.*)$")
  if first == "strassen" then
    local costs = second == "small" and " --profile tests/small_caches.profile" or ""
    return { algorithm = first, isa = "avx512", options = "--algorithm strassen" .. costs }
  end
  return { algorithm = "winograd", isa = "scalar", tile = { tile = first },
    after = second ~= "" and behind.parse(second) or nil,
    options = "--algorithm winograd --tile " .. text:gsub(" ", " --then ") }
end

-- A function of a layout and a build's name: the problems of a list that can be done so.
local function fitting(list)
  local known = {}
  return function(layout, text)
    local way = way_of(text)
    -- Winograd's algorithms are for both layouts.
    local key = (way.tile and "" or layout) .. text
    if not known[key] then
      known[key] = {}
      for _, problem in ipairs(list) do
        local fields = assert(benchdnn.parse(problem.text)).fields
        fields.after, fields.layout = way.after, layout
        local made = layer.new(fields)
        local options = { algorithm = way.algorithm, tile = way.tile }
        if made and plan.make(made, isa.get(way.isa), options) then table.insert(known[key], problem) end
      end
    end
    return known[key]
  end
end

-- A build for each instruction set, layout and tile, of one of `parts` parts of the problems; not of all
-- tiles, unless builds are chosen by name: of some others for each seed.
local function builds_of(fits, sets, parts, t)
  local builds, turn = {}, t.seed
  for _, set in ipairs(sets) do
    for _, layout in ipairs(LAYOUTS) do
      turn = turn + 1
      local function add(tiles, some)
        for i, text in ipairs(tiles) do
          local name = ("%s_%s_%s"):format(set, layout, (text:gsub("[ :]", "_")))
          local chosen = t.all or (turn * 7 + i * 3) % #tiles < some
          if #t.builds > 0 then chosen = t:wants_build(name) end
          local layers = chosen and problems.part(fits(layout, text), parts, turn + i) or {}
          if #layers > 0 then
            builds[#builds + 1] = { name = name, layers = layers, isa = set, layout = layout, accuracy = "fast",
              options = way_of(text).options }
          end
        end
      end
      add(TILES, 3)
      add(POOLED, 2)
      add(STRASSEN, 1)
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
  local result, sets = tally.new(), compiler.sets()
  local fits = fitting(problems.read("tests/problems.txt"))
  local parts = t.all and 3 or #t.layers > 0 and 1 or 12
  local builds = builds_of(fits, sets, parts, t)
  -- Other architectures by an emulator: a sample.
  for set in pairs(compiler.cross) do
    local way = compiler.ways(set)[1]
    for _, build in ipairs(has(sets, set) and {} or builds_of(fits, { set }, parts * 8, t)) do
      build.cc, build.run, build.flags = way.cc, way.run, "-O2"
      if way.missing then result:skip(#build.layers) else builds[#builds + 1] = build end
    end
  end
  result:add(kernels.check(t, "bilinear", builds))
  return result
end
