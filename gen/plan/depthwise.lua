-- Depthwise convolution: every output channel reads one input channel, so nothing is summed over
-- channels, and vectors of input meet the weights of a tap directly.
--
--   mapping 'channels'   (NHWC) lanes are output channels: vectors of input times vectors of weights
--   mapping 'pixels'     (NCHW) lanes are output pixels: vectors of input times splats of weights
--
-- A tile spans rows as well as columns, and loads each input once for all the taps that use it.
-- Where all that unrolled is too much code, one row at a time, its taps kh in a loop.

local axis = require "plan.axis"
local cost = require "plan.cost"
local views = require "plan.views"

local depthwise = {}

depthwise.name = "depthwise"
depthwise.summary = "one input channel for each output channel; each input loaded once for all taps"

--- Layers whose groups hold a single input channel.
function depthwise.fits(layer)
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

local function candidates(layer, isa, wanted)
  local list = {}
  local pixels = layer.layout == "nchw"
  local unit = pixels and isa.lanes or 1
  local taps = layer.KH * layer.KW
  local vectors = pixels and layer.OC or axis.ceil_div(layer.OC, isa.lanes)
  for rows = 1, math.min(4, layer.OH) do
    for units = 1, math.min(8, axis.ceil_div(layer.OW, unit)) do
      local registers, resident = register_use(layer, isa, rows, units)
      if registers <= isa.registers or rows * units == 1 then
        local function tile(r, c)
          local in_rows = math.min((r - 1) * layer.stride_h + (layer.KH - 1) * layer.dilation_h + 1, r * layer.KH)
          local in_columns = pixels and c * layer.KW
            or math.min((c - 1) * layer.stride_w + (layer.KW - 1) * layer.dilation_w + 1, c * layer.KW)
          local per_load = pixels and (layer.stride_w > 2 and isa.lanes or layer.stride_w == 2 and 3 or 1.5) or 1
          local weights = resident and (pixels and 0 or taps) or in_rows * math.min(r, layer.KH) * layer.KW
          local loads = in_rows * in_columns * per_load + weights
          -- Rows that tiles share are fetched again for each of them: more rows in a tile, fewer fetches.
          local fetched = in_rows * c * (pixels and 1 or layer.stride_w)
          return math.max(r * c * taps / cost.fma, loads / cost.load, r * c / cost.store, taps * cost.latency / 2)
            + 4 + 0.6 * fetched
        end
        local cycles = 0
        for _, rr in ipairs(axis.balanced(layer.OH, rows)) do
          for _, cc in ipairs(axis.balanced(axis.ceil_div(layer.OW, unit), units)) do
            cycles = cycles + rr.count * cc.count * tile(rr.size, cc.size)
          end
        end
        local name = ("%dx%d"):format(rows, units)
        if not wanted or wanted.tile == name then
          list[#list + 1] = { rows = rows, units = units, unit = unit, tile = name, resident = resident,
            mapping = pixels and "pixels" or "channels", registers = registers,
            cycles = cycles * vectors * layer.N }
        end
      end
    end
  end
  table.sort(list, function(a, b)
    if a.cycles ~= b.cycles then return a.cycles < b.cycles end
    if a.rows ~= b.rows then return a.rows < b.rows end
    return a.units < b.units
  end)
  return list
end

-- How channels are cut into panels of vectors. `outer` is a coordinate of the tasks; inside a tile,
-- each panel is a loop over `count` blocks with the steps given, of `lanes` outputs each.
local function panels(plan, layer, isa, multiplier)
  local L, taps = isa.lanes, layer.KH * layer.KW
  local input, output = plan.input, plan.output
  local function block(width) return width * (1 + taps) end
  if plan.mapping == "pixels" then
    plan.outer = { count = layer.IC, input = input.channel, output = multiplier * output.channel,
      weights = multiplier * block(1) }
    plan.panels = { { count = multiplier, first = 0, lanes = L, input = 0, output = output.channel } }
    plan.width, plan.pack_groups, plan.pack_outputs = 1, layer.IC, multiplier
    plan.classes = { { count = multiplier, width = 1, step = 1, first_output = 0 } }
  else
    local step, total -- outputs of a block, and of the loop over blocks
    if multiplier <= L then
      step, total = L // multiplier * multiplier, layer.OC
      plan.outer = { count = 1, input = 0, output = 0, weights = 0 }
      plan.pack_groups = 1
    else
      step, total = L, multiplier
      plan.outer = { count = layer.IC, input = 1, output = multiplier,
        weights = axis.ceil_div(multiplier, L) * block(L) }
      plan.pack_groups = layer.IC
    end
    local inputs = multiplier <= L and step // multiplier or 0
    local full, rest = total // step, total % step
    plan.panels = {}
    if full > 0 then
      plan.panels[1] = { count = full, first = 0, lanes = step, input = inputs, output = step }
    end
    if rest > 0 then
      plan.panels[#plan.panels + 1] = { count = 1, first = full, lanes = rest, input = inputs, output = step }
    end
    plan.width, plan.pack_outputs = L, total
    plan.classes = { { count = axis.ceil_div(total, step), width = L, step = step, first_output = 0 } }
  end
  plan.block_floats = block(plan.width)
  plan.packed_floats = plan.pack_groups * plan.classes[1].count * plan.block_floats
end

--- The plan of a layer, or nil and why not.
function depthwise.plan(layer, isa, options)
  if layer.IC ~= layer.groups then
    return nil, ("algorithm depthwise: groups must be IC %d, got %d"):format(layer.IC, layer.groups)
  end
  local choice = candidates(layer, isa, options.tile)
  local best = choice[1]
  if not best then return nil, "no register tile of that shape" end
  local multiplier = layer.OC // layer.IC
  local plan = {
    algorithm = "depthwise", mapping = best.mapping, tile_name = best.tile, candidates = choice,
    cycles = best.cycles, exact = true, workspace_floats = 0, multiplier = multiplier,
    resident = best.resident, accumulators = best.rows * best.units, registers = best.registers,
    geometry = { N = layer.N, IH = layer.IH, IW = layer.IW, OH = layer.OH, OW = layer.OW },
    input = views.image(layer.layout, layer.IC, layer.IH, layer.IW),
    output = views.image(layer.layout, layer.OC, layer.OH, layer.OW),
    weights = views.weights(layer.weights, layer),
  }
  panels(plan, layer, isa, multiplier)

  local rows = axis.new { out = layer.OH, size = layer.IH, taps = layer.KH, stride = layer.stride_h,
    pad = layer.pad_top, dilation = layer.dilation_h }
  local columns = axis.new { out = layer.OW, size = layer.IW, taps = layer.KW, stride = layer.stride_w,
    pad = layer.pad_left, dilation = layer.dilation_w }
  plan.rows_clipped, plan.rows_empty = axis.clips(rows)
  local budget = (options.max_unroll or 4096) // #plan.panels
  plan.row_segments, plan.row_variants = axis.cut(rows, 1, best.rows, budget)
  plan.column_segments, plan.column_variants = axis.cut(columns, best.unit, best.units, budget)
  local row_weight, column_weight, rolled = 0, 0, false
  for _, v in ipairs(plan.row_variants) do row_weight, rolled = row_weight + v.weight, rolled or v.rolled end
  for _, v in ipairs(plan.column_variants) do
    column_weight, rolled = column_weight + v.weight, rolled or v.rolled
  end
  plan.looped = rolled or row_weight * column_weight > budget or #plan.row_segments > 16
  if plan.looped then
    -- One row at a time; its columns unrolled as far as the budget goes.
    plan.row_segments = { { x = 0, count = layer.OH, pixels = 1 } }
    plan.row_variants = { { index = 0, pixels = 1, looped = true } }
    plan.column_segments, plan.column_variants = axis.cut(columns, best.unit, best.units, budget)
    plan.tile_name = ("1x%d"):format(best.units)
    plan.accumulators, plan.resident = best.units, false
    plan.registers = best.units + 1 + layer.KW
  end

  local tiles = 0
  for _, segment in ipairs(plan.row_segments) do tiles = tiles + segment.count end
  plan.row_tiles = tiles
  local images = layer.N * plan.outer.count
  local work = 2 * layer.KH * layer.KW * layer.OW * layer.OC // plan.outer.count
  local least = math.max(1, 50000 // work)
  plan.band = math.min(tiles, math.max(least, axis.ceil_div(tiles, plan.outer.count > 1 and 1 or 16)))
  if images * axis.ceil_div(tiles, plan.band) > 1 << 20 then plan.band = tiles end
  plan.bands = axis.ceil_div(tiles, plan.band)
  plan.tasks = images * plan.bands
  return plan
end

return depthwise
