-- A convolution and the pooling behind it in one kernel.
-- SPDX-License-Identifier: MIT-0
--
-- Either in registers: a tile of the direct algorithm holds whole windows, and stores what they become.
-- For that windows must neither overlap nor reach over an edge, and lanes must be channels.
--
-- Or a task computes the map of the convolution a few rows at a time into a band (the workspace), which
-- stays in a near cache, and pools it from there.
-- Both halves are plans of their own, made for a band in place of an image: `map` writes it, `pool`
-- reads it, each row by row. A task is a band of pooled rows of some channels: an `outer` coordinate
-- counts chunks of blocks, groups, or input channels, whatever the convolution's own tasks are made of.

local axis = require "plan.axis"
local depthwise = require "plan.depthwise"
local direct = require "plan.direct"
local layer_pooling = require "pooling"
local pooling = require "plan.pooling"
local tasks = require "plan.tasks"
local views = require "plan.views"

local fused = {}

fused.name = "fused"
fused.summary = "a convolution and the pooling behind it, a few rows at a time"

local BAND_BYTES = 32 * 1024 -- of the map at a time, where that is more than one row of windows

--- Convolutions with pooling behind them.
function fused.fits(layer) return layer.after ~= nil end

-- How far a window reaches.
local function reach(taps, dilation) return (taps - 1) * dilation + 1 end

-- The convolution without the rows and columns behind the last window.
local function map_of(layer)
  local after, map = layer.after, {}
  for key, value in pairs(layer) do map[key] = value end
  map.after = nil
  map.OH = math.min(layer.OH, (after.OH - 1) * after.stride_h - after.pad_top + reach(after.KH, after.dilation_h))
  map.OW = math.min(layer.OW, (after.OW - 1) * after.stride_w - after.pad_left + reach(after.KW, after.dilation_w))
  map.OH, map.OW = math.max(map.OH, 1), math.max(map.OW, 1) -- where all windows lie in the padding
  return map
end

-- The pooling of `channels` channels.
local function pool_of(after, channels)
  local pool = {}
  for key, value in pairs(after) do pool[key] = value end
  pool.IC, pool.OC, pool.groups = channels, channels, channels
  return pool
end

-- Rows of windows at a time, `most` of them, and the rows of the map that they span.
local function step_of(after, map, channels, most)
  local tall = reach(after.KH, after.dilation_h)
  local function rows(step) return math.min(map.OH, (step - 1) * after.stride_h + tall) end
  local step = 1
  while after.stride_h <= tall and step < most
    and rows(step + 1) * map.OW * channels * 4 <= BAND_BYTES do
    step = step + 1
  end
  return step, rows(step)
end

-- What the tasks of a direct plan are made of, and the plan for one of them. Chunks of blocks must be
-- alike, as one pooling plan is for all.
local function direct_outer(conv, output)
  local g, class = conv.geometry, conv.classes[1]
  conv.geometry = { N = 1, IH = g.IH, IW = g.IW, OH = g.OH, OW = g.OW }
  if conv.group_count > 1 then
    return { count = conv.group_count, noun = "group", input = conv.ICg * conv.input.channel,
      output = conv.OCg * output.channel, weights = conv.group_floats }, conv.OCg
  end
  local alike = #conv.classes == 1 and class.ragged == "never" and conv.pack_outputs == class.count * class.step
  local chunk = alike and conv.chunks.most or conv.blocks
  while conv.blocks % chunk > 0 do chunk = chunk - 1 end
  local channels = conv.pack_outputs // (conv.blocks // chunk)
  local outer = { count = conv.blocks // chunk, noun = "chunk", input = chunk * (class.inputs or 0),
    output = channels * output.channel, weights = chunk * class.block_floats }
  if outer.count > 1 then
    local one = {}
    for key, value in pairs(class) do one[key] = value end
    one.count = chunk
    conv.classes, conv.blocks = { one }, chunk
  end
  return outer, channels
end

local function depthwise_outer(conv, output, layer)
  local channels = layer.OC // conv.outer.count
  return { count = conv.outer.count, input = conv.outer.input, output = channels * output.channel,
    weights = conv.outer.weights }, channels
end

-- The convolution's algorithm, or nil and why there is none.
local function algorithm_of(layer, isa, options)
  local wanted = options.algorithm or "auto"
  if wanted == "auto" or wanted == fused.name then
    return depthwise.fits(layer, isa) and depthwise or direct
  end
  for _, algorithm in ipairs({ direct, depthwise }) do
    if wanted == algorithm.name then return algorithm end
  end
  return nil, ("algorithm %s: no pooling can follow it in the same kernel"):format(wanted)
end

-- Tasks: images x outer x bands of rows of windows, each worth some microseconds.
local function share(layer, map, outer)
  local after = layer.after
  local work = 2 * layer.KH * layer.KW * (layer.IC // layer.groups) * map.OW * layer.OC // outer.count
    * after.stride_h
  local images = layer.N * outer.count
  local band = math.min(after.OH, math.max(1, 200000 // work, axis.ceil_div(after.OH, math.max(1, 16 // images))))
  if images * axis.ceil_div(after.OH, band) > 1 << 20 then band = after.OH end
  local bands = tasks.parts(after.OH, axis.ceil_div(after.OH, band))
  return bands, images * bands.count
end

-- What a fused plan takes from that of its convolution.
local function taken(conv)
  local plan = { algorithm = "fused", run = "fused", exact = true, map = conv }
  for _, field in ipairs({ "mapping", "tile_name", "accumulators", "registers", "candidates", "input", "classes",
    "weights", "packed_floats", "packed_inputs", "input_step", "pack_groups", "pack_outputs" }) do
    plan[field] = conv[field]
  end
  return plan
end

-- The plan that pools in registers, or nil where that is not possible.
local function in_registers(layer, map, algorithm, isa, options, output)
  local after = layer.after
  if algorithm ~= direct or not layer_pooling.is_cut(after, map.OH, map.OW) then return nil end
  local conv = direct.plan(map, isa, { tile = options.tile, max_unroll = options.max_unroll, by_row = true,
    pooled = after, output = output })
  for _, class in ipairs(conv and conv.classes or {}) do
    for _, variant in ipairs(class.variants) do
      if variant.rolled then return nil end
    end
  end
  if not conv then return nil end
  conv.layer = map
  local plan = taken(conv)
  plan.output, plan.geometry = output, conv.geometry
  plan.workspace_floats, plan.tasks, plan.cycles = conv.workspace_floats, conv.tasks, conv.cycles
  return plan
end

-- The plan that pools from a band, or nil and why there is none.
local function by_band(layer, map, algorithm, isa, options, output)
  local after = layer.after
  local whole = views.image(layer.layout, layer.OC, layer.OH, layer.OW)
  local outer_of = algorithm == direct and direct_outer or depthwise_outer

  -- How many channels a task has is up to the convolution; then the band is known, and both are planned
  -- for it.
  local function convolution(band)
    return algorithm.plan(map, isa,
      { tile = options.tile, max_unroll = options.max_unroll, by_row = true, output = band })
  end
  local probe, why = convolution(whole)
  if not probe then return nil, why end
  local outer, channels = outer_of(probe, output, layer)
  local bands, count = share(layer, map, outer)
  local step, rows = step_of(after, map, channels, bands.most)
  local band = views.image(layer.layout, channels, rows, map.OW)
  local conv = convolution(band)
  local plan = taken(conv)
  plan.output, plan.geometry, plan.row_tiles = output, { N = layer.N }, after.OH
  plan.step, plan.rows, plan.band_view, plan.channels = step, rows, band, channels
  plan.kept = math.max(0, reach(after.KH, after.dilation_h) - after.stride_h)
  plan.workspace_floats = band.image
  plan.outer = outer_of(conv, output, layer)
  plan.bands, plan.tasks = bands, count
  conv.layer, conv.suffix, conv.band_rows = map, "_map", true
  local pool = pool_of(after, channels)
  plan.pool = pooling.plan(pool, isa,
    { max_unroll = options.max_unroll, by_row = true, input = band, output = output })
  plan.pool.layer, plan.pool.suffix = pool, "_pool"
  plan.cycles = conv.cycles + plan.pool.cycles * plan.outer.count
  return plan
end

--- The plan of a layer, or nil and why not.
function fused.plan(layer, isa, options)
  if not layer.after then return nil, "algorithm fused: no pooling layer follows" end
  local algorithm, reason = algorithm_of(layer, isa, options)
  if not algorithm then return nil, reason end
  local after, map = layer.after, map_of(layer)
  local output = views.image(layer.layout, layer.OC, after.OH, after.OW)
  local registers = in_registers(layer, map, algorithm, isa, options, output)
  local band, why = by_band(layer, map, algorithm, isa, options, output)
  if registers and (not band or registers.cycles <= band.cycles) then return registers end
  return band, why
end

return fused
