-- Winograd convolution: 3 x 3 filters of stride 1 by bilinear algorithms F(m, 3) along both axes.
-- SPDX-License-Identifier: MIT-0
--
-- The output is cut into tiles of m x m pixels, each computed from a window of n x n, n = m + 2, input
-- pixels. Windows are transformed (BT), which makes n x n elements of each, a vector of input channels;
-- for each element all tiles of a block are multiplied with its transformed weights, by the register tile
-- of direct convolution, tiles in the place of pixels; the products are transformed back (AT).
--
-- Along an axis tiles may have two sizes, so that they cover it exactly: first the large ones, then the
-- small ones, which have only the first elements of the large ones, and share their weights.
--
-- A block of tiles, rows x columns of them, is as large as lets its elements stay in the second-level
-- cache. Weights are transformed when they are packed. Windows of a pooling layer behind it that tiles hold
-- as a whole are pooled in registers, before tiles are stored.

local axis = require "plan.axis"
local bilinear = require "bilinear"
local cost = require "plan.cost"
local direct = require "plan.direct"
local layer_pooling = require "pooling"
local linear = require "linear"
local views = require "plan.views"

local winograd = {}

winograd.name = "winograd"
winograd.summary = "3x3 filters, stride 1, by fewer multiplications; rounds differently"

local ceil_div = axis.ceil_div

-- It is chosen where it is predicted to be faster than direct convolution by as much.
winograd.handicap = 1.1

-- Which outputs of a tile's axis each accuracy allows: 'high' is an error of at most twice that of
-- direct convolution, 'fast' all that are within the bounds of the tests (see README.md).
local LARGEST = { exact = 0, high = 4, fast = 6 }

-- Why not, or nil.
local function refuses(layer, options)
  if layer.runtime then return "sizes at run time are not supported" end
  if layer.KH ~= 3 or layer.KW ~= 3 then return ("the filter must be 3x3, got %dx%d"):format(layer.KH, layer.KW) end
  if layer.stride_h ~= 1 or layer.stride_w ~= 1 then return "the stride must be 1" end
  if layer.dilation_h ~= 1 or layer.dilation_w ~= 1 then return "the dilation must be 1" end
  if layer.groups ~= 1 then return ("groups must be 1, got %d"):format(layer.groups) end
  if LARGEST[options.accuracy or "fast"] == 0 then return "--accuracy exact excludes it" end
  if layer.after and not layer_pooling.is_cut(layer.after, layer.OH, layer.OW) then
    return "pooling behind it must be of whole windows side by side"
  end
end

-- Whether tiles of all the sizes of `f` hold whole windows of the pooling behind.
local function holds_windows(f, after)
  for _, size in ipairs(after and f or {}) do
    if size.m % after.KH ~= 0 or size.m % after.KW ~= 0 then return false end
  end
  return true
end

-- How tiles of the sizes of `f` cover `out` outputs with the fewest elements: { large =, small =, count = }
-- of them; the last may reach beyond the end.
local function cover(f, out)
  local large, small = f[1], f[2]
  local best
  for a = 0, ceil_div(out, large.m) do
    local b = math.max(0, small and ceil_div(out - a * large.m, small.m) or 0)
    local elements = a * large.points + b * (small and small.points or 0)
    if (small or a * large.m >= out) and (not best or elements < best.elements) then
      best = { large = a, small = b, count = a + b, elements = elements }
    end
  end
  return best
end

-- Where the tile number `at` begins, and how many of `count` tiles from there on are large.
local function begin_of(f, tiles, at)
  local large = math.min(at, tiles.large)
  return large * f[1].m + (at - large) * (f[2] and f[2].m or 0)
end
local function large_of(tiles, at, count)
  return math.max(0, math.min(count, tiles.large - at))
end

-- The blocks of rows x columns of tiles that `most` tiles allow: whole rows of tiles, or parts of one.
local function blocks_of(tiles_h, tiles_w, most)
  if tiles_w <= most then
    local rows = math.min(tiles_h, most // tiles_w)
    return ceil_div(tiles_h, ceil_div(tiles_h, rows)), tiles_w
  end
  return 1, ceil_div(tiles_w, ceil_div(tiles_w, most))
end

-- The parts of an axis of which each but the last has `size` tiles: { begin, count, large, pixels }.
local function parts_of(f, tiles, size)
  local list = {}
  for at = 0, tiles.count - 1, size do
    local count = math.min(size, tiles.count - at)
    local begin = begin_of(f, tiles, at)
    list[#list + 1] = { begin = begin, count = count, large = large_of(tiles, at, count),
      pixels = begin_of(f, tiles, at + count) - begin }
  end
  return list
end

-- NCHW is transposed a vector of pixels at a time, which must lie within a row: wide enough parts of it,
-- or all of it. Whether all parts, `more` pixels larger, overlap [0, width) by no less than `least`.
local function wide_enough(parts, more, pad, width, least)
  for _, part in ipairs(parts) do
    local first = math.max(part.begin - pad, 0)
    local last = math.min(part.begin - pad + part.pixels + more, width)
    if last > first and last - first < least then return false end
  end
  return true
end

-- The numbers of tiles that have an element, by the element's groups along both axes: a list of
-- { tiles, elements }. The first group is the elements of small tiles (or all), the second the others.
local function groups_of(f, rows, columns)
  local all, some = f[1].points, f[2] and f[2].points or f[1].points
  local list = {}
  for _, h in ipairs { { rows.count, some }, { rows.large, all - some } } do
    for _, w in ipairs { { columns.count, some }, { columns.large, all - some } } do
      if h[1] * w[1] * h[2] * w[2] > 0 then
        list[#list + 1] = { tiles = h[1] * w[1], elements = h[2] * w[2] }
      end
    end
  end
  return list
end

-- Floats from one tile to the next of an element.
local function in_stride(layer, isa) return ceil_div(layer.IC, isa.lanes) * isa.lanes + 16 end

-- One way to do it: tiles of the sizes of `f`, a register tile of `pixels` tiles x `vectors`, blocks of at
-- most `most`. nil where one size would do.
local function candidate(layer, isa, f, vectors, pixels, most)
  local L = isa.lanes
  local c = { f = f, vectors = vectors, pixels = pixels, elements = f[1].points ^ 2 // 1 | 0 }
  c.tiles_h, c.tiles_w = cover(f, layer.OH), cover(f, layer.OW)
  if f[2] and (c.tiles_h.small + c.tiles_w.small == 0 or c.tiles_h.large + c.tiles_w.large == 0) then return nil end
  c.rows, c.columns = blocks_of(c.tiles_h.count, c.tiles_w.count, most)
  c.in_h = math.min(layer.IH, layer.OH + 2 - layer.pad_top) -- what lies behind is not read
  c.in_w = math.min(layer.IW, layer.OW + 2 - layer.pad_left)
  c.row_parts, c.column_parts = parts_of(f, c.tiles_h, c.rows), parts_of(f, c.tiles_w, c.columns)
  if layer.layout == "nchw" and not (wide_enough(c.column_parts, 2, layer.pad_left, c.in_w, L)
      and wide_enough(c.column_parts, 0, 0, layer.OW, layer.after and L * layer.after.KW or L)) then
    c.columns = c.tiles_w.count
    c.column_parts = parts_of(f, c.tiles_w, c.columns)
  end
  local vectors_in, vectors_out = ceil_div(layer.IC, L), ceil_div(layer.OC, L)
  c.classes = axis.balanced(vectors_out, vectors)

  -- Cycles of all elements of some tiles: each once.
  local known = {}
  local function product(tiles)
    if not known[tiles] then
      local sum = 0
      for _, class in ipairs(c.classes) do
        local bytes = 4 * L * class.size
        for _, run in ipairs(axis.balanced(tiles, pixels)) do
          sum = sum + class.count * run.count * (cost.call
            + layer.IC * cost.step(run.size * class.size, run.size + class.size, bytes, layer.IC * bytes)
            + run.size * class.size / cost.store)
        end
      end
      known[tiles] = sum
    end
    return known[tiles]
  end
  -- What streams by in a block: all weights, while there are products; and so much as is too large for the
  -- second-level cache of elements, once for each block of outputs, and of products, written and read.
  local weights = 4 * c.elements * layer.IC * vectors_out * L
  local stream, spilt = cost.pass(weights), 0
  local tiles = c.rows * c.columns
  local elements_in = 4 * c.elements * tiles * in_stride(layer, isa)
  local elements_out = 4 * c.elements * tiles * c.classes[1].size * L
  if elements_in + elements_out > cost.l2_bytes then
    spilt = (1 - cost.l2_bytes / (elements_in + elements_out)) * (elements_in + 2 * elements_out)
      * ceil_div(vectors_out, vectors) / cost.l3_stream
  end
  local cycles = 0
  for _, rows in ipairs(c.row_parts) do
    for _, columns in ipairs(c.column_parts) do
      local products = 0
      for _, group in ipairs(groups_of(f, rows, columns)) do
        products = products + group.elements * product(group.tiles)
      end
      cycles = cycles + math.max(products, stream) + math.min(products, stream) / 16 + spilt
    end
  end

  -- Transforms: along one axis for the rows of a tile, along the other for the columns.
  local spill = isa.registers < 32 and f[1].points > 6 and 1.3 or 1
  local function pass(program, count, stores)
    return spill * math.max(count * (program.operations + (isa.fused and 0 or 4)) / cost.fma, stores / cost.store)
  end
  for h, size_h in ipairs(f) do
    for w, size_w in ipairs(f) do
      local count = (h == 1 and c.tiles_h.large or c.tiles_h.small) * (w == 1 and c.tiles_w.large or c.tiles_w.small)
      local nh, nw, mh, mw = size_h.points, size_w.points, size_h.m, size_w.m
      local input = pass(size_h.input, nw, nw * nh) + pass(size_w.input, nh, nw * nh) + cost.call
      local output = pass(size_h.output, nw, nw * mh) + pass(size_w.output, mh, mw * mh) + cost.call
      if layer.layout == "nchw" then input, output = input + 5 * mh * mw, output + 5 * mh * mw end
      cycles = cycles + count * (vectors_in * input + vectors_out * output)
    end
  end
  c.cycles = layer.N * cycles // 1
  c.tile, c.mapping = ("%st%dx%d"):format(f.name, pixels, c.classes[1].size), "channels"
  c.block = c.rows * c.columns
  return c
end

-- Floats from one tile to the next, and from one element to the next: an odd number of cache lines, so
-- that the elements of a tile lie in different sets of the caches.
local function strides(tiles, channels)
  local lines = ceil_div(tiles * channels, 16)
  return 16 * (lines + (lines + 1) % 2)
end

-- Every choice of sizes: { large, small or nil, name = }, each with the programs of its transforms.
local algorithms = {}
local function add(large, small)
  local f = { large, small, name = "f" .. large.m .. (small and small.m or "") }
  for _, size in ipairs(f) do
    size.input, size.output = linear.program(size.BT), linear.program(size.AT)
  end
  algorithms[#algorithms + 1] = f
end
for m = 2, 6 do
  add(bilinear.new(m, 3))
  for small = 2, m - 1 do
    local a, b = bilinear.nested(m, small, 3)
    if a then add(a, b) end
  end
end

local function candidates(layer, isa, options)
  local list = {}
  local wanted = options.tile and options.tile.tile
  for _, f in ipairs(algorithms) do
    local allowed = f[1].m <= LARGEST[options.accuracy or "fast"] and holds_windows(f, layer.after)
    for vectors = 1, allowed and math.min(4, ceil_div(layer.OC, isa.lanes)) or 0 do
      local room = cost.accumulators(isa, vectors) // vectors
      local bytes = 4 * f[1].points ^ 2 * (in_stride(layer, isa) + vectors * isa.lanes)
      local last
      for _, share in ipairs { 0.6, 1, 2, 4, 8 } do
        local most = math.max(1, cost.l2_bytes * share // bytes // 1 | 0)
        local c = room > 0 and candidate(layer, isa, f, vectors, room, options.block or most)
        if last and c and c.rows * c.columns == last.rows * last.columns then c = nil end -- the same
        last = c or last
        if c and (not wanted or c.tile == wanted or wanted == f.name) then list[#list + 1] = c end
      end
    end
  end
  table.sort(list, function(a, b)
    if a.cycles ~= b.cycles then return a.cycles < b.cycles end
    if a.tile ~= b.tile then return a.tile < b.tile end
    return a.rows * a.columns < b.rows * b.columns
  end)
  return list
end

--- Layers that it can do; whether it is the better choice is for plan/init.lua to say.
function winograd.fits(layer, _, options)
  return refuses(layer, options) == nil
end

-- For how many tiles at a time there are products, the most first.
local function product_sizes(c)
  local sizes, list = {}, {}
  for _, rows in ipairs(c.row_parts) do
    for _, columns in ipairs(c.column_parts) do
      for _, group in ipairs(groups_of(c.f, rows, columns)) do sizes[group.tiles] = true end
    end
  end
  for size in pairs(sizes) do list[#list + 1] = size end
  table.sort(list, function(a, b) return a > b end)
  return list
end

-- The most pixels of a part of an axis.
local function widest(parts)
  local most = 0
  for _, part in ipairs(parts) do most = math.max(most, part.pixels) end
  return most
end

-- What direct.c is told: tiles are the pixels of a row, nothing is known of borders.
local function products(plan, layer, isa, c)
  local variants, by_pixels = {}, {}
  plan.runs = {} -- of each number of tiles: the segments of register tiles
  for _, size in ipairs(plan.product_sizes) do
    local segments, x = {}, 0
    for _, run in ipairs(axis.balanced(size, c.pixels)) do
      if not by_pixels[run.size] then
        local reads = {}
        for i = 1, run.size do reads[i] = i - 1 end
        by_pixels[run.size] = { index = run.size, units = run.size, pixels = run.size, reads = { reads },
          merged = false, steps = direct.unrolled(layer.IC) }
        variants[#variants + 1] = by_pixels[run.size]
      end
      segments[#segments + 1] = { variant = by_pixels[run.size], x = x, count = run.count,
        pixels = run.size, origin = x }
      x = x + run.size * run.count
    end
    plan.runs[size] = segments
  end
  local classes = {}
  for i, class in ipairs(plan.classes) do
    classes[i] = { width = class.width, vectors = class.vectors, ragged = "never", tail = isa.lanes,
      variants = variants }
  end
  return {
    algorithm = "direct", mapping = "channels", no_bias = true, tiles_only = true, pixel_noun = "tile",
    tile_name = ("%dx%d"):format(c.pixels, c.vectors), ICg = layer.IC, classes = classes,
    input = { row = 0, pixel = plan.tile_in, channel = 1 }, output = { row = 0, pixel = plan.tile_out, channel = 1 },
  }
end

--- The plan of a layer, or nil and why not.
function winograd.plan(layer, isa, options)
  local why = refuses(layer, options)
  if why then return nil, "algorithm winograd: " .. why end
  local choice = candidates(layer, isa, options)
  local c = choice[1]
  if not c then return nil, "no register tile of that shape" end
  local last = layer.after or layer
  local L, f = isa.lanes, c.f
  local plan = {
    algorithm = "winograd", mapping = "channels", exact = false, points = f[1].points, pack = "winograd_pack.c",
    tile_name = c.tile, candidates = choice, cycles = c.cycles, sizes = f, elements = c.elements,
    accumulators = c.pixels * c.vectors, registers = c.pixels * c.vectors + c.vectors + 1 + (isa.fused and 0 or 1),
    geometry = { N = layer.N, IH = c.in_h, IW = c.in_w, OH = layer.OH, OW = layer.OW },
    input = views.image(layer.layout, layer.IC, layer.IH, layer.IW),
    output = views.image(layer.layout, layer.OC, last.OH, last.OW), pooled = layer.after,
    weights = views.weights(layer.weights, layer), classes = c.classes,
    tiles_h = c.tiles_h, tiles_w = c.tiles_w, block_rows = c.rows, block_columns = c.columns,
    row_blocks = #c.row_parts, column_blocks = #c.column_parts, product_sizes = product_sizes(c),
    common = f[2] and f[2].points or f[1].points, -- elements along an axis that all tiles have
  }
  local tiles = c.rows * c.columns
  plan.tile_in, plan.tile_out = in_stride(layer, isa), c.classes[1].size * L
  plan.element_in, plan.element_out = strides(tiles, plan.tile_in), strides(tiles, plan.tile_out)

  local floats, blocks = 0, 0
  for _, class in ipairs(plan.classes) do
    class.vectors, class.width, class.base, class.first = class.size, class.size * L, floats, blocks
    class.first_output = plan.classes[1].size * L * blocks
    class.block_floats = class.width * (1 + c.elements * layer.IC)
    floats, blocks = floats + class.count * class.block_floats, blocks + class.count
  end
  if plan.classes[2] then
    plan.classes[2].first_output = plan.classes[1].count * plan.classes[1].width
  end
  plan.blocks, plan.packed_floats = blocks, floats
  plan.in_tail, plan.out_tail = layer.IC % L, layer.OC % L -- channels of a last vector that is not full

  -- Do windows reach beyond the image, and tiles beyond the output, above or below, left or right?
  local function covered(cut) return begin_of(f, cut, cut.count) end
  plan.rows_cut, plan.columns_cut = covered(c.tiles_h) > layer.OH, covered(c.tiles_w) > layer.OW
  plan.rows_padded = layer.pad_top > 0 or covered(c.tiles_h) + 2 - layer.pad_top > c.in_h
  plan.columns_padded = layer.pad_left > 0 or covered(c.tiles_w) + 2 - layer.pad_left > c.in_w

  -- Scratch: in NHWC zeros in the place of a row of a window that lies in the padding; in NCHW the input
  -- or the output of a block, of one vector of channels.
  if layer.layout == "nchw" then
    plan.result_w = widest(c.column_parts) // (layer.after and layer.after.KW or 1)
    plan.region_h, plan.region_w = widest(c.row_parts) + 2, widest(c.column_parts) + 2
    plan.scratch_floats = L * plan.region_h * plan.region_w
  else
    plan.scratch_floats = (plan.rows_padded or plan.columns_padded)
      and (f[1].points - 1) * layer.IC + ceil_div(layer.IC, L) * L or 0
  end
  plan.fetch_input = 4 * layer.IC * layer.IH * layer.IW > cost.l2_bytes
  plan.fetch_output = not layer.after and 4 * layer.OC * layer.OH * layer.OW > cost.l2_bytes
  plan.products_at = c.elements * plan.element_in
  plan.scratch_at = plan.products_at + c.elements * plan.element_out
  plan.workspace_floats = plan.scratch_at + plan.scratch_floats
  plan.products = products(plan, layer, isa, c)

  -- Tasks: blocks of tiles x chunks of output channels, so many as to share among some threads. A block's
  -- elements are kept from one of its chunks to the next, so the tasks of a block follow each other; where
  -- they do not, windows are transformed again, so a chunk is to be much more work than that.
  local places = layer.N * plan.row_blocks * plan.column_blocks
  local chunks = math.min(blocks, ceil_div(8, places), math.max(1, layer.OC // 128))
  plan.chunk = ceil_div(blocks, chunks)
  plan.chunks = ceil_div(blocks, plan.chunk)
  plan.tasks = places * plan.chunks
  return plan
end

return winograd
