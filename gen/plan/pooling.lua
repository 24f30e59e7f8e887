-- Pooling: the maximum or the average of windows of each channel. Tiles, panels and tasks are those of
-- depthwise convolution (planes.lua), with neither weights nor bias.
-- SPDX-License-Identifier: MIT-0
--
-- Windows of the same size that have much to read, and no pixels in common worth a tile, are taken one
-- at a time:
--   mapping 'channels'   (NHWC) lanes are channels
--   mapping 'taps'       (NCHW) lanes are neighbouring taps, and their results are combined at the end

local axis = require "plan.axis"
local cost = require "plan.cost"
local planes = require "plan.planes"
local rules = require "pooling"

local pooling = {}

pooling.name = "pooling"
pooling.summary = "maxima and averages of windows; each input loaded once for all windows of a tile"
pooling.pools = true

--- Pooling layers.
function pooling.fits(layer) return layer.pool ~= nil end

-- The axes, which know how many taps of an output an average counts.
local function axes(layer)
  local rows, columns = axis.of(layer)
  for a, pad in pairs({ [rows] = "pad_bottom", [columns] = "pad_right" }) do
    if layer.include_pad then a.count_end = a.size + layer[pad] end
    if layer.pool == "average" then
      function a.counted(o) return rules.counted(a, o, axis.taps_of(a, o)) end
    end
  end
  return rows, columns
end

-- Cycles of the vector operations for one tap, and for what follows the last.
local function operations(layer, isa)
  if layer.pool == "average" then return 1 / cost.fma, cost.latency end
  return (isa.lanes == 1 and 1 or 3) / cost.fma, 0
end

local function candidates(layer, isa, options)
  local per_tap, per_output = operations(layer, isa)
  local shared = layer.stride_h <= (layer.KH - 1) * layer.dilation_h -- rows of input
  return planes.candidates(layer, isa, options, planes.most_rows, 1, function(rows, units, pixels)
    local registers = rows * units + (rows > 1 and units or 0) + 3
    if rows * units > 1 and registers > isa.registers or rows > 1 and not shared then return nil end
    local function cycles(r, c)
      local in_rows = math.min((r - 1) * layer.stride_h + (layer.KH - 1) * layer.dilation_h + 1, r * layer.KH)
      local in_columns = pixels and c * layer.KW
        or math.min((c - 1) * layer.stride_w + (layer.KW - 1) * layer.dilation_w + 1, c * layer.KW)
      local load = pixels and (layer.stride_w > 2 and isa.lanes or layer.stride_w == 2 and 3 or 1.5) / cost.load
        or 1 / cost.load
      -- Of channels that fill many vectors, pixels are streams, and caches like few of them.
      local streams = not pixels and layer.IC > isa.lanes and in_rows * in_columns or 0
      local combining = r > 1 and in_rows * c * (layer.KW - 1) + r * c * (layer.KH - 1) or r * c * layer.KH * layer.KW
      return math.max(combining * per_tap + r * c * per_output, in_rows * in_columns * load, r * c / cost.store)
        + (pixels and 4 or 2) + streams * math.max(0, streams - 8) / 32
    end
    return { registers = registers, cycles = cycles }
  end)
end

-- The one-at-a-time plan where it is possible, that is where all windows hold equally many pixels:
-- `runs` of neighbouring `taps`.
local function windows(layer, isa, rows, columns)
  local single = layer.OH == 1 and layer.OW == 1
  if not single and (axis.clips(rows) or axis.clips(columns)) then return nil end
  local top, bottom = axis.taps_of(rows, 0)
  local left, right = axis.taps_of(columns, 0)
  local nchw = layer.layout == "nchw"
  if top == bottom or left == right or nchw and layer.dilation_w > 1 then return nil end

  local plan = planes.base(layer, nchw and "taps" or "channels", {})
  local input, output = plan.input, plan.output
  local w = {
    runs = bottom - top, run_step = layer.dilation_h * input.row,
    taps = right - left, tap_step = layer.dilation_w * input.pixel,
    origin = (top * layer.dilation_h - layer.pad_top) * input.row
      + (left * layer.dilation_w - layer.pad_left) * input.pixel,
    count = layer.pool == "average" and rows.counted(0) * columns.counted(0) or nil,
  }
  if w.taps == layer.IW and layer.dilation_w == 1 and layer.dilation_h == 1 then
    w.runs, w.taps = 1, w.runs * w.taps
  end
  plan.windows, plan.run = w, "pooling_window"

  -- Channels of a window that are taken at the same time.
  local L = isa.lanes
  local vectors = axis.balanced(axis.ceil_div(layer.IC, L), isa.registers * 3 // 4)[1].size
  local channels = math.min(nchw and math.max(L, 4) or vectors * L, layer.IC)
  local full, rest = layer.IC // channels, layer.IC % channels
  plan.panels = { { lanes = channels, suffix = "" } }
  if rest > 0 then plan.panels[2] = { lanes = rest, suffix = "_last" } end
  plan.outer = { count = full + (rest > 0 and 1 or 0), noun = "panel",
    input = channels * input.channel, output = channels * output.channel }
  plan.row_tiles = layer.OH
  planes.share(plan, layer)

  local per_tap, per_output = operations(layer, isa)
  local per_window
  if nchw then
    per_window = layer.IC * (w.runs * axis.ceil_div(w.taps, L) * math.max(per_tap, 1 / cost.load) + 8)
  else
    per_window = axis.ceil_div(layer.IC, L) * w.runs * w.taps * math.max(per_tap, 1 / cost.load)
      + plan.outer.count * cost.call
  end
  plan.accumulators = nchw and channels or vectors
  plan.registers = plan.accumulators + 2
  plan.tile_name = ("w%d"):format(plan.accumulators)
  plan.cycles = layer.N * layer.OH * layer.OW * (per_window + per_output)
  plan.candidates = { { mapping = plan.mapping, tile = plan.tile_name, cycles = plan.cycles } }
  return plan
end

-- Of tiles: where averages have numbers of taps that are known at run time only.
local function set_counts(plan, layer, rows, columns)
  if not (layer.include_pad and layer.ceil) then return end
  local function varies(a) return a.counted(a.out - 1) < a.taps end
  plan.counted_rows = plan.looped and varies(rows)
  local rolled = false
  for _, variant in ipairs(plan.column_variants) do rolled = rolled or variant.rolled end
  plan.counted_columns = rolled and varies(columns)
end

--- The plan of a layer, or nil and why not. options.by_row: a row of windows is a tile's height.
function pooling.plan(layer, isa, options)
  local rows, columns = axes(layer)
  local wanted = options.tile and options.tile.tile
  local one = not options.by_row and windows(layer, isa, rows, columns) or nil
  local tiles
  local choice = candidates(layer, isa, options)
  if choice[1] then
    tiles = planes.plan(layer, isa, choice, rows, columns, options)
    if tiles.looped then tiles.registers = tiles.accumulators + 3 end
    set_counts(tiles, layer, rows, columns)
  end
  if one and wanted and one.tile_name ~= wanted then one = nil end
  local plan = tiles or one
  if not plan then return nil, "no register tile of that shape" end
  if tiles and one then
    local single = layer.OH == 1 and layer.OW == 1
    local less = layer.layout == "nchw" and one.cycles < tiles.cycles
    if single or tiles.looped or less then
      plan = one
      if not single and not tiles.looped then table.move(tiles.candidates, 1, 4, 2, plan.candidates) end
    end
  end
  plan.algorithm = "pooling"
  return plan
end

return pooling
