-- What the tiles of a direct plan fetch ahead, because it comes from beyond the second-level cache, and is not in an
-- order in which it would come by itself.
-- SPDX-License-Identifier: MIT-0

local axis = require "plan.axis"
local cost = require "plan.cost"

local fetches = {}

--- The tiles of a row, in segments.
function fetches.tiles_of(segments)
  local tiles = 0
  for _, segment in ipairs(segments) do tiles = tiles + segment.count end
  return tiles
end

--- Whether of a block of so many bytes of weights, which so many tiles use, each tile fetches a part of the next one.
function fetches.next_block(tiles, bytes)
  return tiles > 1 and tiles <= cost.fetching_tiles and bytes <= cost.fetched_block()
end

-- A tile that is alone uses its weights once. Where they come from the memory and lanes are input channels, those of
-- each output are a run of their own.
local function add_runs(plan)
  if plan.mapping ~= "inputs" or cost.runs == 0 or 4 * plan.packed_floats <= cost.l3_bytes then return end
  plan.apart = plan.bands.most == 1
  for _, class in ipairs(plan.classes) do plan.apart = plan.apart and fetches.tiles_of(class.segments) == 1 end
end

-- The first tile of a block would wait for its weights: each tile fetches a part of the next block of its class,
-- 1 / 2^shift of it, spread over its steps; one that is alone, what it is to read.
local function add_blocks(plan, isa)
  if plan.mapping ~= "channels" or plan.pooled or not cost.fetch_ahead(4 * plan.packed_floats) then return end
  for _, class in ipairs(plan.classes) do
    local tiles, bytes = plan.bands.most * fetches.tiles_of(class.segments), 4 * class.block_floats
    if tiles == 1 then
      plan.fetch_weights = 2048
    elseif fetches.next_block(tiles, bytes) then
      local shift = 0
      while 2 << shift <= tiles do shift = shift + 1 end
      class.fetch = { shift = shift, part = bytes >> shift, line = cost.line_bytes,
        lines = 4 * isa.lanes * class.vectors / (cost.line_bytes << shift) } -- of a step
      plan.fetch_blocks = true
    end
  end
end

-- The pixels of a 1x1 filter are a stream. Where it takes more than a quarter of the time of the multiply-adds, each
-- tile fetches the pixels of the next one, spread over its steps.
local function add_pixels(plan, layer)
  local bytes = layer.N * cost.image_bytes(layer)
  if plan.mapping ~= "channels" or plan.pooled or not plan.folded or layer.layout ~= "nhwc" or layer.groups > 1
    or bytes <= cost.l2_bytes or 16 * cost.fma <= plan.classes[1].vectors * cost.l3_stream then return end
  plan.fetch_pixels = cost.line_bytes
end

-- Of planes they are many streams. While the blocks pass over a band, their tiles fetch the lines of the next one,
-- `count` in each turn of the loop over channels; blocks take turns, of so many groups of channels, parts of a run of
-- pixels, and runs. Not where multiply-adds take no longer than the stream, nor where the lines would drive out what is
-- used, of planes that share sets of the second-level cache.
local function add_bands(plan, layer, isa)
  local source, copy, class = layer.source or layer, plan.planar, plan.classes[1]
  local steps = class.variants[1].steps
  if not plan.folded or layer.layout ~= "nchw" or layer.groups > 1 or plan.bands.count == 1 or plan.fetch_blocks
    or steps.loops == 1 or plan.OCg * cost.l3_stream < 4 * isa.lanes * cost.fma
    or layer.N * cost.image_bytes(source) <= cost.l2_bytes
    or copy and cost.far_planes(0, plan.ICg, 4 * source.IH * source.IW) > 0 then return end
  local tiles = fetches.tiles_of(class.segments)
  local blocks = plan.chunks_first and plan.blocks or plan.blocks // plan.chunks.count -- that pass over a band
  local runs = copy and copy.pieces or 1
  local floats = copy and (copy.length - 1) * copy.stride + 1 or plan.geometry.OW
  local lines = axis.ceil_div(4 * floats, cost.line_bytes) + (runs > 1 and 1 or 0)
  local unroll, count = steps.unroll, 1
  local needed = runs * lines * unroll / (blocks * math.min(tiles, lines))
  while count < unroll and (unroll % count > 0 or count < needed) do count = count + 1 end
  local groups = unroll // count
  plan.fetch_bands = { count = count, line = cost.line_bytes, turns = {
    { count = groups, bytes = 4 * plan.ICg // groups * plan.source.channel },
    { count = axis.ceil_div(lines, tiles), bytes = tiles * cost.line_bytes },
    { count = runs, bytes = copy and 4 * copy.step or 0 },
  } }
end

-- Sums of few taps and channels are no sooner done than stored. Where a tile has but a piece of each pixel, it fetches
-- its lines before it begins.
local function add_output(plan, layer, isa)
  local bytes, class = layer.N * cost.output_bytes(layer), plan.classes[1]
  if plan.mapping ~= "channels" or plan.pooled or layer.layout ~= "nhwc" or class.width >= layer.OC
    or bytes <= cost.l2_bytes or bytes > cost.l3_bytes then return end
  local work = layer.KH * layer.KW * plan.ICg / cost.fma -- of a vector of sums
  plan.fetch_output = work * cost.l3_stream < 5 * isa.lanes
end

--- Adds to a plan what it fetches: fetch_weights, fetch_blocks and each class's fetch, fetch_pixels, fetch_bands,
-- fetch_output; and whether the weights of its outputs lie apart, each in one run.
function fetches.add(plan, layer, isa)
  add_blocks(plan, isa)
  add_runs(plan)
  add_pixels(plan, layer)
  add_bands(plan, layer, isa)
  add_output(plan, layer, isa)
end

return fetches
