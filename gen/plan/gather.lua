-- The pixels that a 1x1 filter reads of planes, gathered before they are used: neighbours then, whatever the stride,
-- in planes whose lines lie in different sets of a cache and on few pages.
-- SPDX-License-Identifier: MIT-0

local axis = require "plan.axis"
local cost = require "plan.cost"
local tasks = require "plan.tasks"

local gather = {}

local LINE = cost.line_bytes // 4
local ROW = 96 -- pixels
local FEW = 8 -- channels: their planes are in nobody's way

--- What a mapping is called where its pixels are gathered.
gather.mappings = { channels = "gathered", pixels = "planar" }

--- The layer of the gathered pixels, whose `source` is the layer itself; nil where nothing is to be gained.
function gather.layer(layer, isa)
  if layer.layout ~= "nchw" or layer.KH > 1 or layer.KW > 1 or layer.pad_top > 0 or layer.pad_left > 0
    or (layer.OH - 1) * layer.stride_h >= layer.IH or (layer.OW - 1) * layer.stride_w >= layer.IW
    or isa.lanes == 1 or layer.stride_w > 4 or layer.IC < FEW * layer.groups then return nil end
  return setmetatable({
    IH = layer.OH, IW = layer.OW, stride_h = 1, stride_w = 1, source = layer,
  }, { __index = layer })
end

-- The rows of the map that are gathered one by one: where neighbours in it are neighbours in the image, it is one row.
local function pieces(layer)
  local source = layer.source
  if source.stride_w == 1 and source.OW == source.IW and (source.stride_h == 1 or layer.OH == 1) then
    return 1, layer.OH * layer.OW
  end
  return layer.OH, layer.OW
end

--- Whether the map can be gathered in so many rows, which are no shorter than some lines.
function gather.folds(layer, rows)
  local count, length = pieces(layer)
  local long = rows == 1 or layer.OH * layer.OW >= 4 * LINE * rows or rows == count and length >= 2 * LINE
  return long and (count % rows == 0 or count == 1 and length % rows == 0)
end

--- How a row of gathered pixels lies, where the map is folded into `rows` rows. As planar.new(), and: pieces: so many
-- runs of `length` pixels, `step` floats of the image apart; source_row: floats from row to row of the image.
function gather.copy(layer, isa, rows)
  local source, count, length = layer.source, pieces(layer)
  local step = source.stride_h * source.IW
  if count == 1 then length, step = length // rows, length // rows else count = count // rows end
  local span = axis.ceil_div((count - 1) * length + axis.ceil_div(length, isa.lanes) * isa.lanes, LINE)
  span = (span + 1 - span % 2) * LINE -- an odd number of lines
  local ICg = layer.IC // layer.groups
  return { places = { 0 }, channel = span, row = span * ICg, reach = 1,
    pieces = count, length = length, step = step, stride = source.stride_w, source_row = count * step }
end

--- Whether the second-level cache has room for a row.
function gather.fits(copy) return 4 * copy.row <= cost.l2_bytes * 3 // 4 end

--- How many rows of a copy are held while all weights, of so many bytes, pass, and in how many chunks at least for
-- `outer` images and groups: the fewer times the better where weights do not stay in the second-level cache.
function gather.shared(copy, weights, rows, outer)
  local heavy = cost.heavy(weights)
  local fitting = math.max(1, cost.l2_bytes // (heavy and 2 or 4) // (4 * copy.row))
  return fitting, heavy and axis.ceil_div(tasks.some, outer * axis.ceil_div(rows, fitting)) or 1
end

-- Cycles until the lines that a gathered image lies in are there.
local function fetched(layer)
  local source, count, length = layer.source, pieces(layer)
  local lines = layer.IC * count * (1 + length * source.stride_w * 4 / cost.line_bytes)
  local bytes = cost.input_bytes(source)
  if bytes <= cost.l2_bytes then return lines * cost.line_bytes / cost.l2_stream end
  return lines * cost.line_bytes / bytes * cost.pass(bytes)
end

--- Cycles that pixels are waited for where they are not gathered: where they pass once for each chunk of heavy weights,
-- or the second-level cache has no room for those of two rows beside all weights (measured).
function gather.passes(layer)
  local channels, image = layer.IC // layer.groups, cost.input_bytes(layer)
  local weights = 4 * layer.OC * channels
  if image <= cost.l2_bytes then return 0 end
  if not cost.heavy(weights) then
    return weights + 2 * 4 * ROW * channels > cost.l2_bytes and image / cost.l3_reuse() or 0
  end
  return axis.ceil_div(weights, cost.kept()) * image / cost.l3_stream
end

--- Cycles to gather an image, and those that a strided one is waited for where it is not.
function gather.cycles(layer, isa)
  local count, length = pieces(layer)
  local s = layer.source.stride_w
  local waits = fetched(layer)
  local vectors = layer.IC * count * axis.ceil_div(length, isa.lanes)
  return math.max(vectors * (s == 1 and 2 or s == 2 and 4 or isa.lanes // 2), waits), waits
end

return gather
