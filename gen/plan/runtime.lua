-- Direct convolution with batch, height, width and channels given at run time: register tiles for each
-- width and number of channel vectors that may be left over, of one body of code.
-- SPDX-License-Identifier: MIT-0
--
-- With channels in the lanes, tiles read the input in place, and taps in the padding are left out. In NCHW
-- each row of outputs is transposed; where a 1x1 filter's channels come in parts (parts.lua), their sums wait in it.
--
-- Both layouts have a second mapping (runtime_direct_split.c chooses): pixels in the lanes, in NCHW for few
-- input channels and long rows, in NHWC for few output channels, where a tile's sums are transposed into
-- pixels. It reads planes: those of the image, where rows have no padding, or some rows of it that a ring in the
-- workspace holds, with their padding beside them. A 1x1 filter of stride 1 sees its pixels as one line, and so does
-- one of another stride in NCHW: those that it reads are gathered in the workspace, for either mapping.
--
-- NHWC has a third one, input channels in the lanes, for up to four output channels and whole vectors of input
-- channels.

local cost = require "plan.cost"
local parts = require "plan.parts"

local runtime = {}

-- The tile with the most multiply-adds for its loads; and its least pixels: of fewer, its sums wait for the
-- multiply-add before, or weights pass at more than half a line a cycle.
local function tile_of(isa)
  local best
  for vectors = 1, 4 do
    local pixels = cost.accumulators(isa, vectors) // vectors
    if pixels > 0 then
      local rate = pixels * vectors / cost.step(pixels * vectors, pixels + vectors, 0, 0)
      if not best or rate > best.rate then
        best = { vectors = vectors, pixels = pixels, rate = rate,
          least = math.max(isa.lanes // 4, (cost.fma * cost.latency + vectors - 1) // vectors) }
      end
    end
  end
  return best
end

-- The tile with pixels in the lanes, the most of output channels times vectors of pixels; and of how many
-- channels there are smaller ones: a block of packed weights is a whole number of the largest, and one,
-- five or seven of eight channels take the tile of one more.
local function pixels_of(layer, isa, line, flat)
  local best
  for _, outputs in ipairs { 3, 4, 8 } do
    for units = 1, 4 do
      local sums = outputs * units
      if sums <= cost.accumulators(isa, units) then
        local rate = sums / cost.step(sums, outputs + units, 0, 0)
        if not best or rate > best.rate then best = { outputs = outputs, units = units, rate = rate } end
      end
    end
  end
  -- What a vector's multiply-add costs in tiles of 1, 2 ... vectors of pixels (which straddle lines), and
  -- in those of the other mapping; what an output vector's transposition does.
  local function cost_of(sums, loads) return math.floor(200 * cost.step(sums, loads, 0, 0) / sums + 0.5) end
  best.single = 11
  best.cost, best.transposed = {}, isa.lanes // 3
  best.other_cost = { line and cost_of(line.pixels * layer.KW, line.columns + layer.KW)
    or cost_of(best.single, best.single + 1), 100 }
  for units = 1, best.units do best.cost[units] = cost_of(best.outputs * units, best.outputs + 2 * units) end
  best.sizes = {}
  for outputs = 2, best.outputs do
    if outputs < 5 or outputs % 2 == 0 then table.insert(best.sizes, outputs) end
  end
  -- Tiles of two vectors may hold more channels: of numbers that would make two tiles of little work each.
  local wide = not flat and cost.accumulators(isa, 2) // 2 or 0
  if best.outputs == 4 and wide >= 6 then
    best.wide = { units = 2, multiple = 1 }
    best.sizes[#best.sizes + 1], best.sizes[#best.sizes + 2] = 5, 6
  elseif best.outputs == 8 and wide >= 10 then
    best.wide = { units = 2, multiple = 10 }
    best.sizes[#best.sizes + 1] = 10
  end
  -- Tiles of few channels are longer: each weight serves more pixels.
  best.kept = isa.registers < 32 and 4 or 2 -- vectors of pixels whose sums stay in registers until they are transposed
  best.longest, best.most, best.least, best.most_sums = 0, {}, {}, 0
  for i, outputs in ipairs(best.sizes) do
    local units = outputs > best.outputs and best.wide.units or best.units
    while units < 4 and outputs * (units + 1) <= math.min(16, cost.accumulators(isa, units + 1)) do
      units = units + 1
    end
    best.most[i], best.longest = units, math.max(best.longest, units)
    -- Of fewer vectors than so many, all sums of four channels still wait for the multiply-add before: they serve.
    best.least[i] = outputs > best.outputs and units
      or outputs < 4 and best.outputs >= 4 and cost.fma * cost.latency // 4 + 1 or 1
    best.most_sums = math.max(best.most_sums, units * math.min((outputs + 3) // 4 * 4, best.sizes[#best.sizes]))
  end
  return best
end

-- A kernel must not be larger than 64 KB: instructions are long where a vector is a line, and loops where rows have
-- many taps.
local function long_code(isa) return 4 * isa.lanes >= cost.line_bytes end
local function many_taps(layer) return layer.KW > 3 end

-- With one vector of channels, all taps of a row are summed at once: each pixel is loaded once for them. Up to
-- so many pixels of the output, and columns of the input for them; or nil, if these are too few or too many. `tiles`
-- are the sizes that there are.
local function line_of(layer, isa, padded)
  if isa.lanes == 1 or layer.KW == 1 or layer.stride_w > 1 then return nil end
  local reach = (layer.KW - 1) * layer.dilation_w + 1
  local pixels = math.min(16, isa.registers - layer.KW - 2 - (isa.fused and 0 or 1), 27 - reach + 1)
  if pixels < 8 then return nil end
  -- Fewer sums than wait for the multiply-add before all take about the same time, and only narrow maps have tiles of
  -- so few: where there is much code, some sizes do the work of smaller ones, too.
  local waiting = cost.fma * cost.latency
  local shared = padded and isa.fused and long_code(isa) and waiting <= pixels
  local tiles = not shared and {} or many_taps(layer) and { waiting // 2, waiting } or { waiting // 4, waiting // 2 }
  for p = shared and tiles[#tiles] + 1 or 1, pixels do tiles[#tiles + 1] = p end
  return { pixels = pixels, columns = pixels + reach - 1, tiles = tiles, shared = shared }
end

-- With input channels in the lanes: tiles of up to four output channels, and of how many pixels each. The taps of a
-- row are one run of memory.
local function inputs_of(layer, isa)
  if isa.lanes < 8 or layer.layout ~= "nhwc" or layer.dilation_w > 1 and layer.KW > 1 then return nil end
  local inputs = { outputs = 4, pixels = {}, longest = 0, most_sums = 0 }
  for outputs = 1, inputs.outputs do
    local pixels = math.min(8, cost.accumulators(isa, outputs) // outputs, 16 // outputs)
    inputs.pixels[outputs], inputs.longest = pixels, math.max(inputs.longest, pixels)
    inputs.most_sums = math.max(inputs.most_sums, (pixels * outputs + 3) // 4 * 4)
  end
  return inputs
end

--- The plan of a layer with run-time sizes, or nil and why not.
function runtime.plan(layer, isa, options)
  if layer.groups ~= 1 then
    return nil, ("groups %d: kernels with run-time sizes have 1 group"):format(layer.groups)
  end
  local tile = tile_of(isa)
  local nhwc = layer.layout == "nhwc"
  local padded = layer.pad_mode ~= nil or layer.pad_top ~= 0 or layer.pad_bottom ~= 0
    or layer.pad_left ~= 0 or layer.pad_right ~= 0
  if layer.KH == 1 and layer.KW == 1 and layer.pad_mode then padded = false end
  local gathered = not nhwc and layer.stride_h * layer.stride_w > 1
  local flat = layer.KH == 1 and layer.KW == 1 and not padded
    and (gathered or layer.stride_h * layer.stride_w == 1)
  local plan = {
    algorithm = "direct", mapping = "channels", runtime = true, exact = true, tasks = 1,
    tile_name = ("%dx%d"):format(tile.pixels, tile.vectors), tile = tile,
    rows_clipped = padded, flat = flat, planes = not nhwc, -- planes: of the input, for channels in the lanes
    gathered = flat and gathered, parts = flat and not gathered and not nhwc and parts.fit(isa) and parts.some,
    starts = padded and long_code(isa),
    accumulators = tile.pixels * tile.vectors, registers = tile.pixels * tile.vectors + tile.vectors + 1,
    classes = {}, max_unroll = options.max_unroll,
    -- Tiles fetch the next block's weights; those of narrower vectors take so long that they need not. With more taps
    -- than one, tiles of so many vectors do: there are few of the others, or very many to a block.
    fetch_blocks = 2 * 4 * isa.lanes >= cost.line_bytes and { tiles = cost.fetching_tiles, bytes = cost.fetched_block(),
      line = cost.line_bytes, vectors = tile.vectors > 3 and 2 or tile.vectors },
  }
  plan.line, plan.inputs = line_of(layer, isa, padded), inputs_of(layer, isa)
  -- Large tiles have no loop of their own where all taps are in the image.
  plan.few_loops = plan.line and plan.line.shared and many_taps(layer)
  -- With one vector each sum waits for itself: a tile's time hardly depends on its pixels.
  for _, vectors in ipairs(tile.vectors == 4 and { 4, 2, 1 } or tile.vectors == 3 and { 3, 2, 1 } or { 2, 1 }) do
    local most = vectors > 1 and isa.registers < 32 and 8 or vectors == 2 and (layer.KH * layer.KW > 1 and 7 or 10)
      or vectors == 1 and 11 or 8
    local pixels = math.min(most, cost.accumulators(isa, vectors) // vectors)
    local tiles = {}
    for p = 1, pixels do tiles[p] = p end
    if vectors == 1 and plan.line then pixels, tiles = plan.line.pixels, plan.line.tiles end
    plan.classes[#plan.classes + 1] = { vectors = vectors, pixels = pixels, tiles = tiles }
    if not (vectors == 1 and plan.line) then plan.most_pixels = math.max(plan.most_pixels or 0, pixels) end
  end
  if isa.lanes > 1 and not (nhwc and flat) then
    plan.pixels = pixels_of(layer, isa, plan.line, flat)
    plan.staged = not flat
  end
  return plan
end

return runtime
