-- Strassen's algorithm for 1x1 filters: pixels times channels is a product of matrices.
-- SPDX-License-Identifier: MIT-0
--
-- Pixels in pairs, and halves of the channels of input and output, are matrices of 2 x 2 numbers, which seven products
-- multiply in place of eight (bilinear.strassen). A pair is a tile of seven elements, each one of its numbers or a sum
-- of two, for half of the input channels; of each element all tiles of a block are multiplied with its own sum of
-- weights, and outputs are sums of products: as Winograd's algorithms do it, with the same products, blocks and tasks.

local axis = require "plan.axis"
local bilinear = require "bilinear"
local cost = require "plan.cost"
local products = require "plan.products"
local tasks = require "plan.tasks"
local views = require "plan.views"

local strassen = {}

strassen.name = "strassen"
strassen.summary = "1x1 filters of many channels, by seven products in place of eight; rounds differently"

local ceil_div = axis.ceil_div

-- It is chosen where it is predicted to be faster than direct convolution by as much.
strassen.handicap = 1.005

local ALGORITHM = bilinear.strassen()
local ELEMENTS = ALGORITHM.points
local AMPLIFIES = bilinear.amplification(ALGORITHM)

-- Fewer input channels in each half are not worth it; of more in all errors are beyond the bound of the tests.
local LEAST, MOST = 64, 4096

-- Why not, or nil.
local function refuses(layer, isa, options)
  if layer.runtime then return "sizes at run time are not supported" end
  if layer.KH * layer.KW > 1 then return "the filter must be 1x1" end
  if layer.groups > 1 then return "groups are not supported" end
  if layer.IC % 2 > 0 then return "input channels must be even" end
  if layer.OC == 1 then return "there must be two output channels" end
  if layer.pad_top ~= 0 or layer.pad_bottom ~= 0 or layer.pad_left ~= 0 or layer.pad_right ~= 0 then
    return "padding is not supported"
  end
  if layer.layout == "nchw" and layer.stride_h * layer.stride_w > 1 then return "in NCHW the stride must be 1" end
  local least = layer.layout == "nchw" and isa.lanes or 2
  if layer.OH * layer.OW < math.max(2, least) then return ("there must be %d pixels"):format(math.max(2, least)) end
  if AMPLIFIES > products.amplifies(layer, options.accuracy) then
    return ("--accuracy %s excludes it"):format(options.accuracy)
  end
  if layer.IC > MOST then return ("of more than %d input channels errors are large"):format(MOST) end
  if layer.after then return "pooling behind it is not supported" end
end

--- Layers that it can do, and may be worth it.
function strassen.fits(layer, isa, options)
  return refuses(layer, isa, options) == nil and layer.IC >= 2 * LEAST and layer.OC >= 2 * isa.lanes
end

-- Cycles to make the elements of all tiles, and outputs of their products: a fifth more than their operations take, and
-- for what comes from beyond the second level, or goes there, twice the time of a stream (measured). Of NCHW vectors
-- are transposed, too.
local function transforms(layer, isa)
  local tiles = ceil_div(layer.OH * layer.OW, 2)
  local vectors_in, vectors_out = ceil_div(layer.IC // 2, isa.lanes), ceil_div(ceil_div(layer.OC, 2), isa.lanes)
  local input, output = 1.2 * ELEMENTS / cost.store, 1.2 * (8 / cost.load + 4 / cost.store)
  local far = 2 * math.max(0, cost.image_bytes(layer) - cost.l2_bytes) / cost.l3_stream
  if layer.layout == "nchw" then return far + tiles * (vectors_in * (input + 8) + vectors_out * (output + 8)) end
  return far + tiles * (vectors_in * input + vectors_out * output) * cost.transform / 100
end

-- One way to do it: blocks of at most `most` tiles, a register tile of as many as there is room for.
local function candidate(layer, isa, vectors, most)
  local L, tiles = isa.lanes, ceil_div(layer.OH * layer.OW, 2)
  local channels, vectors_out = layer.IC // 2, ceil_div(ceil_div(layer.OC, 2), L)
  local c = { vectors = vectors, pixels = cost.accumulators(isa, vectors) // vectors, mapping = "channels" }
  local count = ceil_div(tiles, most)
  if count > 1 then count = count + count % 2 end -- halves for two threads
  -- Of planes vectors of pixels are transposed; an odd last pixel makes a pair with the one before.
  local least = layer.layout == "nchw" and ceil_div(L + 1, 2) or 2
  c.cut = tasks.parts(tiles, math.max(1, math.min(count, tiles // least)))
  c.block, c.tile = c.cut.most, ("%dx%d"):format(c.pixels, vectors)
  c.classes = axis.balanced(vectors_out, vectors)
  local weights = 4 * ELEMENTS * channels * vectors_out * L
  local product = products.cycles(c, channels, isa, weights > cost.l2_bytes)
  local elements_in = 4 * ELEMENTS * c.block * products.tile_floats(channels, isa)
  local elements_out = 4 * ELEMENTS * c.block * c.classes[1].size * L
  local spilt = products.spilt(elements_in, elements_out, ceil_div(vectors_out, vectors))
  -- Weights pass once a block of tiles: fetched ahead while there are products, or late where they would stay in the
  -- second level but for the elements.
  local ahead, late = cost.pass(weights), 0
  if not cost.fetch_ahead(weights) then
    local stay = weights + elements_in + elements_out <= cost.l2_bytes * cost.l2_kept // 100
    ahead, late = 0, stay and 0 or weights / cost.l3_stream / 3
  end
  local cycles, places = 0, {}
  for i, size in ipairs(tasks.sizes(c.cut)) do
    local sums = ELEMENTS * product(size)
    places[i] = math.max(sums, ahead) + math.min(sums, ahead) / 16 + late + spilt
    cycles = cycles + places[i]
  end
  local around = transforms(layer, isa)
  products.share(c, layer, isa, places, around)
  c.cycles = layer.N * (cycles + around) // 1
  return c
end

local function candidates(layer, isa, options)
  local list, wanted = {}, options.tile and options.tile.tile
  for vectors = 1, math.min(4, ceil_div(ceil_div(layer.OC, 2), isa.lanes)) do
    local last
    for _, portion in ipairs(cost.accumulators(isa, vectors) >= vectors and { 0.3, 0.6, 1, 2, 4 } or {}) do
      local bytes = 4 * ELEMENTS * (products.tile_floats(layer.IC // 2, isa) + vectors * isa.lanes)
      local c = candidate(layer, isa, vectors, options.block or math.max(1, cost.l2_bytes * portion // bytes // 1 | 0))
      if (not last or last.block ~= c.block) and (not wanted or wanted == c.tile) then list[#list + 1] = c end
      last = c
    end
  end
  return products.order(list)
end

--- The plan of a layer, or nil and why not.
function strassen.plan(layer, isa, options)
  local why = refuses(layer, isa, options)
  if why then return nil, "algorithm strassen: " .. why end
  local choice = candidates(layer, isa, options)
  local c = choice[1]
  if not c then return nil, "no register tile of that shape" end
  local L, channels, outputs = isa.lanes, layer.IC // 2, ceil_div(layer.OC, 2)
  -- Channels of the last vector of both halves, where these are not all lanes; the second may have one less.
  local last = (outputs - 1) % L + 1
  last = (last < L or layer.OC % 2 > 0) and { last, last - layer.OC % 2 } or nil
  local plan = {
    algorithm = "strassen", mapping = "channels", exact = false, points = 2,
    run = "winograd", pack = "strassen_pack.c",
    bilinear = ALGORITHM, elements = ELEMENTS, h = {}, w = {}, tile_name = c.tile,
    candidates = choice, cycles = c.cycles,
    accumulators = c.pixels * c.vectors, registers = c.pixels * c.vectors + c.vectors + 1 + (isa.fused and 0 or 1),
    geometry = { N = layer.N, IH = layer.IH, IW = layer.IW, OH = layer.OH, OW = layer.OW },
    ICg = channels, OCg = outputs, group_count = 1, in_tail = channels % L,
    last = last, out_tail = last and last[1] or 0,
    input = views.image(layer.layout, layer.IC, layer.IH, layer.IW),
    output = views.image(layer.layout, layer.OC, layer.OH, layer.OW),
    weights = views.weights(layer.weights, layer), classes = c.classes, chunks = c.chunks,
    alternate = c.alternate, row_cut = tasks.parts(1, 1), column_cut = c.cut,
    product_sizes = products.sizes(tasks.sizes(c.cut)), tasks = layer.N * c.cut.count * c.chunks.count,
  }
  plan.tile_in, plan.tile_out = products.tile_floats(channels, isa), c.classes[1].size * L
  plan.element_in = products.element_floats(c.block, plan.tile_in)
  plan.element_out = products.element_floats(c.block, plan.tile_out)
  plan.blocks, plan.packed_floats = products.lay_out(plan.classes, isa, 2 + ELEMENTS * channels)
  -- Scratch: of NCHW, both halves of a vector of channels of a block.
  plan.gathers = layer.layout == "nchw"
  plan.scratch_half = plan.gathers and 2 * c.block * L or 0
  plan.scratch_floats = 2 * plan.scratch_half
  plan.products_at = ELEMENTS * plan.element_in
  plan.scratch_at = plan.products_at + ELEMENTS * plan.element_out
  plan.workspace_floats = plan.scratch_at + plan.scratch_floats
  plan.fetch_weights = cost.fetch_ahead(4 * plan.packed_floats)
  plan.fetch_planes = plan.gathers
  plan.products = products.plan(plan, channels, isa, c)
  return plan
end

return strassen
