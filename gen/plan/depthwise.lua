-- Depthwise convolution: every output channel reads one input channel, so nothing is summed over
-- channels, and vectors of input meet the weights of a tap directly: vectors of weights where lanes are
-- channels, splats of weights where they are pixels. Tiles, panels and tasks: see planes.lua.
-- SPDX-License-Identifier: MIT-0

local cost = require "plan.cost"
local planes = require "plan.planes"
local views = require "plan.views"

local depthwise = {}

depthwise.name = "depthwise"
depthwise.summary = "one input channel for each output channel; each input loaded once for all taps"

--- Layers whose groups hold a single input channel.
function depthwise.fits(layer)
  if layer.runtime then return layer.depthwise end
  return layer.IC == layer.groups and layer.groups > 1
end

-- Registers beside the accumulators: one input, and the weights that live at the same time: all taps,
-- or, where those are too many, the taps of the rows that one input row takes part in.
local function register_use(layer, isa, rows, units)
  local taps = layer.KH * layer.KW
  local sums = rows * units
  local room = isa.registers - 1 - (isa.fused and 0 or 1) - sums
  if taps <= room then return taps + sums + 1, true end
  return math.min(rows, layer.KH) * layer.KW + sums + 1, false
end

local function candidates(layer, isa, options)
  local taps = layer.KH * layer.KW
  -- As measured.
  local crowd = math.min(0.08, math.max(0, 2.2 / cost.l1_lines(4 * layer.IC) - 0.012))
  return planes.candidates(layer, isa, options, function(rows, units, pixels)
    local registers, resident = register_use(layer, isa, rows, units)
    if registers > isa.registers and rows * units > 1 then return nil end
    local function cycles(r, c)
      local in_rows = math.min((r - 1) * layer.stride_h + (layer.KH - 1) * layer.dilation_h + 1, r * layer.KH)
      local in_columns = pixels and c * layer.KW
        or math.min((c - 1) * layer.stride_w + (layer.KW - 1) * layer.dilation_w + 1, c * layer.KW)
      local per_load = pixels and (layer.stride_w > 2 and isa.lanes or layer.stride_w == 2 and 3 or 1.5) or 1
      local weights = resident and (pixels and 0 or taps) or in_rows * math.min(r, layer.KH) * layer.KW
      local loads = in_rows * in_columns * per_load + weights
      -- Rows that tiles share are fetched again for each of them: more rows in a tile, fewer fetches.
      local fetched = in_rows * c * (pixels and 1 or layer.stride_w)
      local work = math.max(r * c * taps / cost.fma, loads / cost.load, r * c / cost.store)
      if pixels then return math.max(work, taps * cost.latency) + 4 + 0.6 * fetched end
      -- Each pixel is a stream of channels. Prefetchers follow only so many, and what they fetch ahead
      -- must still be there a vector later, which it is not where the pixels share few sets.
      local streams = in_rows * in_columns
      return work + 6 + 0.6 * fetched + math.max(0, streams - 28) + crowd * streams * streams
    end
    return { registers = registers, resident = resident, cycles = cycles }
  end)
end

-- Packed weights: for each outer channel its blocks, each the bias and then the taps of a vector of
-- outputs (of one output where lanes are pixels).
local function pack(plan, layer, isa)
  local outer, pixels = plan.outer, plan.mapping == "pixels"
  plan.weights = views.weights(layer.weights, layer)
  plan.width = pixels and 1 or isa.lanes
  plan.block_floats = plan.width * (1 + layer.KH * layer.KW)
  plan.pack_groups, plan.pack_outputs = outer.count, layer.OC // outer.count
  outer.weights = outer.count > 1 and outer.blocks * plan.block_floats or 0
  plan.classes = { { count = outer.blocks, width = plan.width, step = plan.block_outputs, first_output = 0 } }
  plan.packed_floats = plan.pack_groups * outer.blocks * plan.block_floats
end

-- With run-time sizes: a tile for where its windows are in the image, and one for the edges, which goes
-- from lane to lane. (Sizes are notional here: large enough for every tile.)
local function runtime_plan(layer, isa, options)
  local pixels, L = layer.layout == "nchw", isa.lanes
  local taps = layer.KH * layer.KW
  local notional = setmetatable({
    OH = 60, OW = pixels and 60 * L or 60, OC = 4 * L, IC = 4 * L, N = 1,
  }, { __index = layer })
  local best
  for _, c in ipairs(candidates(notional, isa, options)) do
    -- Of pixels one vector: whether it is at an edge is asked of each tile.
    local sums = c.rows * c.units
    if not best and sums <= 12 and (c.units == 1 or not pixels)
      and sums * taps <= (options.max_unroll or 4096) // 16 then
      best = c
    end
  end
  if not best then
    return nil, ("kernel %dx%d: too large for a depthwise kernel with run-time sizes"):format(layer.KH, layer.KW)
  end
  local unit, width = pixels and L or 1, pixels and 1 or L
  local rows = { pixels = best.rows, reads = {} }
  for kh = 1, layer.KH do
    rows.reads[kh] = {}
    for r = 1, best.rows do rows.reads[kh][r] = (r - 1) * layer.stride_h + (kh - 1) * layer.dilation_h end
  end
  return {
    algorithm = "depthwise", mapping = best.mapping, runtime = true, exact = true, tasks = 1,
    tile_name = best.tile, accumulators = best.rows * best.units, registers = best.registers,
    resident = best.resident, multiplier = 1, width = width, block_floats = width * (1 + taps),
    input = { row = "in_row", pixel = pixels and 1 or "in_pixel" },
    output = { row = "out_row", pixel = pixels and 1 or "out_pixel" },
    panels = { { count = "blocks", first = 0, lanes = width,
      input = pixels and "in_channel" or L, output = pixels and "out_channel" or L } },
    rows = rows, columns = { units = best.units, pixels = best.units * unit },
    edge_columns = { units = 1, pixels = unit, edge = true },
  }
end

--- The plan of a layer, or nil and why not.
function depthwise.plan(layer, isa, options)
  if layer.runtime and layer.depthwise then return runtime_plan(layer, isa, options) end
  if layer.IC ~= layer.groups then
    return nil, ("algorithm depthwise: groups must be IC %s, got %d"):format(layer.IC, layer.groups)
  end
  local choice = candidates(layer, isa, options)
  if not choice[1] then return nil, "no register tile of that shape" end
  local rows, columns = planes.axes(layer)
  local plan = planes.plan(layer, isa, choice, rows, columns, options)
  plan.algorithm, plan.resident = "depthwise", choice[1].resident
  if plan.looped then plan.resident, plan.registers = false, choice[1].units + 1 + layer.KW end
  pack(plan, layer, isa)
  return plan
end

return depthwise
