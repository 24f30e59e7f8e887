-- The suite 'random': layers drawn at random, first one for each cell of the table of coverage (see
-- tests/random/cells.lua), then any; what fails is made smaller.
-- SPDX-License-Identifier: MIT-0

local cells = require "random.cells"
local compiler = require "runner.compiler"
local draw = require "random.draw"
local isa = require "isa"
local jobs = require "runner.jobs"
local kernels = require "runner.kernels"
local shrink = require "random.shrink"

local random = {}

-- So many layers besides those of the cells ('make test', 'make test-all'); how many share a program.
local FREE, FREE_ALL, TOGETHER = 200, 4000, 60

-- Emulated processors are slow.
local MOST_EMULATED = 40000

-- How many failing layers are made smaller, and how often that is tried.
local SHRUNK, ROUNDS = 2, 12

-- The instruction sets that can be built and run here, and how.
local function ways_here()
  local sets, ways = {}, {}
  for _, set in ipairs(isa.names) do
    local way = compiler.ways(set)[1]
    if not way.missing then
      sets[#sets + 1], ways[set] = set, way
    end
  end
  return sets, ways
end

local function kind_of(cell) return cell.algorithm end

-- Where a 1x1 filter is what makes a kernel with run-time sizes one of the cell: in NHWC others hold both
-- mappings, in NCHW it reads its pixels in place.
local ONE_MAPPING = { ["nhwc direct channels"] = true, ["nchw direct pixels"] = true }

-- A layer of a cell, or nil.
local function layer_of(cell, way)
  for _ = 1, 40 do
    local s = draw.layer {
      isa = cell.isa, layout = cell.layout, kind = kind_of(cell), pool = cell.way:match("^pooling (%l+)"),
      activation = cell.activation, runtime = cell.sizes == "run-time", most = way.run and MOST_EMULATED,
      mapping = (cell.sizes == "fixed" and cell.way ~= "direct channels" or cell.way == "direct inputs")
        and cell.way:match("^direct (%l+)") or cell.way:match(" (transposed)$"),
      pointwise = cell.sizes == "run-time" and ONE_MAPPING[cell.layout .. " " .. cell.way] and cell.isa ~= "scalar",
    }
    if s and cells.of(s) == cell.key then return s end
  end
end

local function any_layer(sets, ways)
  local set = sets[math.random(#sets)]
  local runtime = math.random(6) == 1
  local kinds = runtime and { "direct", "depthwise" } or { "direct", "direct", "direct", "depthwise", "pooling" }
  return draw.layer {
    isa = set, layout = math.random(2) == 1 and "nhwc" or "nchw", kind = kinds[math.random(#kinds)],
    activation = draw.activations[math.random(#draw.activations)], runtime = runtime,
    most = ways[set].run and MOST_EMULATED,
  }
end

local function build_of(name, lines, set, way, sized)
  return { name = name, lines = lines, isa = set, sized = sized, cc = way.cc, run = way.run }
end

-- Layers of one instruction set, with fixed or run-time sizes, share programs.
local function builds_of(layers, ways)
  local builds, open = {}, {}
  for i, s in ipairs(layers) do
    local key = s.isa .. (s.shapes and "_sized" or "")
    local build = open[key]
    if not build or #build.lines >= (s.shapes and TOGETHER // 4 or TOGETHER) then
      build = build_of(("%s_%d"):format(key, i), {}, s.isa, ways[s.isa], s.shapes ~= nil)
      builds[#builds + 1], open[key] = build, build
    end
    build.lines[#build.lines + 1] = ("--name r%d %s"):format(i, draw.text(s))
  end
  return builds
end

-- What a user types to see a layer fail.
local function command_of(s, t)
  local check = "gen/convgen check " .. draw.text(s)
  if not s.tile and not s.shapes and jobs.output(check .. " --quiet >/dev/null; test $? = 1") then
    return check
  end
  return ("SEED=%d lua5.4 tests/random/again.lua %s"):format(t.seed, draw.text(s))
end

local function smallest(t, s, ways)
  local function failing(list)
    local builds = {}
    for i, step in ipairs(list) do
      builds[i] = build_of(("step%d"):format(i), { "--name smaller " .. draw.text(step) }, step.isa,
        ways[step.isa], step.shapes ~= nil)
    end
    kernels.check(t, "random/shrink", builds)
    local fails = {}
    for i, build in ipairs(builds) do fails[i] = build.failed or false end
    return fails
  end
  return shrink.down(s, failing, ROUNDS)
end

--- Checks some layers; the smallest of those that fail, and how to repeat it, are in the messages.
function random.check(t, layers, ways)
  local result = kernels.check(t, "random", builds_of(layers, ways))
  local seen, shrunk = {}, 0
  for i, message in ipairs(result.messages) do
    for number in message:gmatch("%f[%w]r(%d+)%f[^%w]") do
      local s = layers[tonumber(number)]
      if s and not seen[s] and shrunk < SHRUNK and result.failed > 0 then
        seen[s], shrunk = true, shrunk + 1
        result.messages[i] = ("%s\n    layer: %s\n    smallest: %s"):format(result.messages[i], draw.text(s),
          command_of(smallest(t, s, ways), t))
      end
    end
  end
  return result
end

--- One layer for each cell, then any.
function random.suite(t)
  math.randomseed(t.seed)
  local sets, ways = ways_here()
  local all, layers, empty = cells.all(sets), {}, {}
  for _, cell in ipairs(all) do
    if not cell.reason then layers[#layers + 1] = layer_of(cell, ways[cell.isa]) end
  end
  for _ = 1, t.all and FREE_ALL or FREE do layers[#layers + 1] = any_layer(sets, ways) end
  for _, s in ipairs(layers) do
    local cell = all[cells.of(s)]
    if cell then
      cell.count = cell.count + 1
      if cell.reason then empty[#empty + 1] = ("a cell that cannot be (%s) is: %s"):format(cell.reason, cell.key) end
    end
  end
  local result = random.check(t, layers, ways)
  print(cells.text(all, sets))
  for _, cell in ipairs(all) do
    if not cell.reason and cell.count == 0 then empty[#empty + 1] = "an empty cell: " .. cell.key end
  end
  for _, text in ipairs(empty) do result:fail("%s", text:gsub("\t", ", ")) end
  if #empty == 0 then result:pass() end
  return result
end

return random
