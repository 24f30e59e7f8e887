-- Winograd convolution: bilinear algorithms F(m, r) along one axis of the filter, or both.
-- SPDX-License-Identifier: MIT-0
--
-- The output is cut into tiles, each computed from a window of the input. Windows are transformed (BT),
-- which makes some elements of each, a vector of input channels; for each element all tiles of a block are
-- multiplied with its transformed weights, by the register tile of direct convolution, tiles in the place
-- of pixels; the products are transformed back (AT).
--
-- Each axis has an algorithm of its own (plan/tiles.lua), so filters need not be square, and with a stride a
-- window has more inputs than its tile has outputs, and elements that use the same weights. Along an axis
-- tiles may have two sizes, so that they cover it exactly: first the large ones, then the small ones, which
-- have only the first elements of the large ones, and share their weights.
--
-- A block of tiles, rows x columns of them, is as large as lets its elements stay in the second-level
-- cache. Weights are transformed when they are packed. Windows of a pooling layer behind it that tiles hold
-- as a whole are pooled in registers, before tiles are stored.
--
-- Each group is a layer of its own, in a view of both images. With a dilation tiles are made of outputs that
-- lie as far apart as the taps. The phases of a stride are parts of the algorithm, or channels (plan/phases.lua).

local axis = require "plan.axis"
local cost = require "plan.cost"
local layer_pooling = require "pooling"
local phases = require "plan.phases"
local products = require "plan.products"
local tasks = require "plan.tasks"
local tiles_of = require "plan.tiles"
local views = require "plan.views"

local winograd = {}

winograd.name = "winograd"
winograd.summary = "filters of 2 to 9 taps along an axis, by fewer multiplications; rounds differently"

local ceil_div = axis.ceil_div

-- It is chosen where it is predicted to be faster than direct convolution by as much.
winograd.handicap = 1.1

-- So many pairs of algorithms are looked at closely.
local CLOSELY = 8

-- The dilation of both axes: one tap has none.
local function dilation_of(layer)
  return layer.KH == 1 and 1 or layer.dilation_h, layer.KW == 1 and 1 or layer.dilation_w
end

-- One group of a layer: its channels; `groups` is how many there are.
local function group_of(layer)
  local one = {}
  for key, value in pairs(layer) do one[key] = value end
  one.IC, one.OC = layer.IC // layer.groups, layer.OC // layer.groups
  one.dilation_h, one.dilation_w = dilation_of(layer)
  return one
end

-- Whether there are algorithms for both axes of which one saves something.
local function saves(layer)
  local h, w = tiles_of.algorithms(layer.KH, layer.stride_h), tiles_of.algorithms(layer.KW, layer.stride_w)
  return #h > 0 and #w > 0 and not (h[#h].trivial and w[#w].trivial)
end

-- Why not, or nil.
local function refuses(layer, options)
  if layer.runtime then return "sizes at run time are not supported" end
  local step_h, step_w = dilation_of(layer)
  if step_h > 1 and layer.stride_h > 1 or step_w > 1 and layer.stride_w > 1 then
    return "along an axis with a stride the dilation must be 1"
  end
  local folded = phases.folded(layer)
  if not (saves(layer) or folded and saves(folded)) then
    return ("it saves nothing of a %dx%d filter of stride %dx%d"):format(layer.KH, layer.KW, layer.stride_h,
      layer.stride_w)
  end
  if (options.accuracy or "fast") == "exact" then return "--accuracy exact excludes it" end
  if layer.after and (step_h > 1 or step_w > 1) then
    return "with pooling behind it the dilation must be 1"
  end
  if layer.after and not layer_pooling.is_cut(layer.after, layer.OH, layer.OW) then
    return "pooling behind it must be of whole windows side by side"
  end
end

-- Whether tiles of all the sizes of `f` hold whole windows of the pooling behind, `taps` outputs long.
local function holds_windows(f, taps)
  for _, size in ipairs(f) do
    if size.m % taps ~= 0 then return false end
  end
  return true
end

-- The blocks that `most` tiles allow, of whole rows of tiles, or of parts of one: how both axes are cut. In NCHW, where
-- a block is a part of the image without gaps, it has the tiles of all phases of a dilation.
local function blocks_of(pair, most)
  local function cut(tiles, count)
    if pair.layer.layout ~= "nchw" or tiles.step == 1 then return tasks.parts(tiles.count, count) end
    local size = math.min(tiles.count, ceil_div(ceil_div(tiles.count, count), tiles.step) * tiles.step)
    return tasks.pieces(tiles.count, size)
  end
  local rows = math.min(pair.h.count, most // pair.w.count)
  if rows == 0 then return cut(pair.h, pair.h.count), cut(pair.w, ceil_div(pair.w.count, most)) end
  return cut(pair.h, ceil_div(pair.h.count, rows)), cut(pair.w, 1)
end

-- NCHW is transposed a vector of pixels at a time, which must lie within a row: wide enough parts of it,
-- or all of it. Whether all parts of `cover` overlap [0, width) by no less than `least`: those of the input,
-- padded by `pad`, or of the output.
local function wide_enough(parts, cover, pad, width, least)
  for _, part in ipairs(parts) do
    local begin = pad and part.begin * cover.f.stride - pad or part.begin
    local first = math.max(begin, 0)
    local last = math.min(begin + (pad and tiles_of.reach(cover, part.outputs) or part.outputs), width)
    if last > first and last - first < least then return false end
  end
  return true
end

-- Calls f with the parts of the algorithms along both axes, and how many tiles of a pair they make.
local function each_size(pair, f)
  for i, h in ipairs(pair.h.f) do
    for j, w in ipairs(pair.w.f) do
      f(h, w, (i == 1 and pair.h.large or pair.h.small) * (j == 1 and pair.w.large or pair.w.small))
    end
  end
end

-- Cycles of the transforms of all tiles: along one axis for the rows of a tile, along the other for the
-- columns; where a tile has one row or column there is one pass. `few`: of channels that share vectors.
local function transforms(layer, isa, pair, few)
  local vectors_in, vectors_out = ceil_div(layer.IC, isa.lanes), ceil_div(layer.OC, isa.lanes)
  local cycles = 0
  local function pass(program, count, loads, stores, points)
    local spill = points > (isa.registers < 32 and 6 or 14) and 1.3 or 1
    return spill * math.max(count * (program.operations + (isa.fused and 0 or 4)) / cost.fma,
      count * loads / cost.load, count * stores / cost.store)
  end
  each_size(pair, function(h, w, count)
    local input, output = cost.call, cost.call
    if h.window > 1 then
      input = input + pass(h.input, w.window, h.window, h.points, h.points)
      output = output + pass(h.output, w.points, h.points, h.m, h.points)
    end
    if w.window > 1 then
      local rows = few and ceil_div(h.points * layer.IC, isa.lanes) or h.points
      input = input + pass(w.input, rows, w.window, w.points, w.points)
      output = output + pass(w.output, h.m, w.points, w.m, w.points)
    end
    if few then input = 1.5 * input end -- vectors are loaded of what was just stored in parts
    if layer.phases then
      -- Neighbouring blocks, of a few rows of tiles, copy the same rows.
      input = input + (h.m + (h.r - 1) / 2) * w.m * phases.copied(layer, isa) / vectors_in
    elseif layer.layout == "nchw" then
      input = input + 5 * h.m * h.stride * w.m * w.stride
    end
    if layer.layout == "nchw" then output = output + 5 * h.m * w.m end
    cycles = cycles + count * (vectors_in * input + vectors_out * output)
  end)
  -- Few channels, and those of NCHW, which are transposed first, are in the first level.
  if few or layer.layout == "nchw" then return cycles end
  return cycles * cost.transform / 100
end

-- 'f', or 's' where phases are channels, and the names of the algorithms along both axes, or of the only one.
local function pair_name(layer, h, w)
  local kind = layer.phases and "s" or "f"
  if layer.KH == 1 or w.name == h.name then return kind .. w.name end
  return kind .. h.name .. (layer.KW == 1 and "" or "x" .. w.name)
end

-- The pairs of algorithms along both axes, each with its cover of the axis, by which the layer has the
-- fewest cycles, roughly: { name, layer, h, w } where h and w are covers.
local function pairs_of(layer, isa, accuracy, wanted)
  local most = products.amplifies(layer, accuracy)
  local weights = 4 * layer.IC * ceil_div(layer.OC, isa.lanes) * isa.lanes
  local function covers(taps, stride, out, step, pooled)
    local list = {}
    for _, f in ipairs(tiles_of.algorithms(taps, stride)) do
      local cover = tiles_of.cover(f, out, step)
      -- Two sizes of which one is not needed are as good as one.
      local needed = wanted or not f[2] or cover.large * cover.small > 0
      if needed and (not pooled or holds_windows(f, pooled)) then list[#list + 1] = cover end
    end
    return list
  end
  local rows = covers(layer.KH, layer.stride_h, layer.OH, layer.dilation_h, layer.after and layer.after.KH)
  local columns = covers(layer.KW, layer.stride_w, layer.OW, layer.dilation_w, layer.after and layer.after.KW)
  local list = {}
  for _, h in ipairs(rows) do
    for _, w in ipairs(columns) do
      local name = pair_name(layer, h.f, w.f)
      if not (h.f.trivial and w.f.trivial) and h.f.amplification * w.f.amplification <= most
        and (not wanted or wanted == name or wanted:find("^" .. name .. "t")) then
        local sums = h.points * w.points * weights / 4 / isa.lanes / cost.fma
        local pair = { name = name, layer = layer, h = h, w = w, transforms = transforms(layer, isa, { h = h, w = w }) }
        local filters = #h.f.filters * #w.f.filters
        local first = sums * filters / (h.f.points * w.f.points)
        local images = layer.groups * cost.image_bytes(layer)
        local stream = cost.pass(weights * filters * layer.groups, images) / layer.groups
        pair.rough = math.max(first, stream) + sums - first + pair.transforms
        list[#list + 1] = pair
      end
    end
  end
  table.sort(list, function(a, b)
    if a.rough ~= b.rough then return a.rough < b.rough end
    return a.name < b.name
  end)
  return { table.unpack(list, 1, CLOSELY) }
end

-- Blocks of at most `most` tiles of a pair.
local function shape(pair, most, isa)
  local layer, L = pair.layer, isa.lanes
  local h, w = pair.h.f, pair.w.f
  local c = { pair = pair, elements = h.points * w.points, filters = #h.filters * #w.filters, lanes = L }
  c.row_cut, c.column_cut = blocks_of(pair, most)
  -- What lies behind is not read.
  c.in_h = math.min(layer.IH, tiles_of.reach(pair.h, layer.OH) - layer.pad_top)
  c.in_w = math.min(layer.IW, tiles_of.reach(pair.w, layer.OW) - layer.pad_left)
  c.row_parts, c.column_parts = tiles_of.parts(pair.h, c.row_cut), tiles_of.parts(pair.w, c.column_cut)
  if layer.layout == "nchw" and not ((layer.phases or wide_enough(c.column_parts, pair.w, layer.pad_left, c.in_w, L))
      and wide_enough(c.column_parts, pair.w, nil, layer.OW, layer.after and L * layer.after.KW or L)) then
    c.column_cut = tasks.parts(pair.w.count, 1)
    c.column_parts = tiles_of.parts(pair.w, c.column_cut)
  end
  c.rows, c.columns = c.row_cut.most, c.column_cut.most
  c.block = c.rows * c.columns
  return c
end

-- Cycles to write an image that the second level does not hold, beyond those that transforms hide, which write it
-- all along.
local function writes(layer)
  local bytes = layer.groups * cost.output_bytes(layer)
  return bytes > cost.l2_bytes and bytes * math.max(0, 1 / cost.l3_stream - 4 / cost.line_bytes) or 0
end

-- Cycles that lines of a group are waited for in NHWC.
local function strewn(layer)
  if layer.groups == 1 or layer.layout == "nchw" then return 0 end
  local function lines(pixels, channels) return pixels * ceil_div(4 * channels, cost.line_bytes) end
  return layer.N * layer.groups * cost.strewn(layer.groups * cost.image_bytes(layer))
    * (lines(layer.IH * layer.IW, layer.IC) + lines(layer.OH * layer.OW, layer.OC))
end

-- Cycles that images beyond the last-level cache take: a burst of lines behind each block, which nothing hides.
local function bursts(layer)
  local images = layer.N * layer.groups
  local written, all = images * cost.output_bytes(layer), images * cost.image_bytes(layer)
  return (written > cost.l3_bytes and 12 * written or all > cost.l3_bytes // 2 and 3 * all or 0) / cost.line_bytes
end

-- One way to do it: tiles of a pair, a register tile of `pixels` tiles x `vectors`, blocks of at most `most`; perhaps
-- more blocks of channels than there need be.
local function candidate(isa, pair, vectors, pixels, most, channel_blocks)
  local layer, L = pair.layer, isa.lanes
  local h, w = pair.h.f, pair.w.f
  local c = shape(pair, most, isa)
  c.vectors, c.pixels = vectors, pixels
  local vectors_out = ceil_div(layer.OC, L)
  c.classes = axis.balanced(vectors_out, vectors, channel_blocks)

  local weights = 4 * c.filters * layer.IC * vectors_out * L
  local far = weights * layer.groups > cost.l2_bytes

  local product = products.cycles(c, layer.IC, isa, far)
  -- What streams by in a block: all weights, while there are products; and so much as is too large for the
  -- second-level cache of elements, once for each block of outputs, and of products, written and read.
  local tiles = c.rows * c.columns
  local elements_in = 4 * c.elements * tiles * products.tile_floats(layer.IC, isa)
  local elements_out = 4 * c.elements * tiles * c.classes[1].size * L
  local beside = layer.groups * cost.image_bytes(layer) + elements_in + elements_out
  local stream = cost.pass(weights * layer.groups, beside) / layer.groups
  local spilt = products.spilt(elements_in, elements_out, ceil_div(vectors_out, vectors))
  local cycles, places = 0, {}
  for _, rows in ipairs(c.row_parts) do
    for _, columns in ipairs(c.column_parts) do
      local sums = 0
      for _, group in ipairs(tiles_of.groups(h, w, rows, columns)) do
        sums = sums + group.elements * product(group.tiles)
      end
      local first = sums * c.filters / c.elements -- of the elements that are the first to use their weights
      places[#places + 1] = math.max(first, stream) + math.min(first, stream) / 16 + sums - first + spilt
      cycles = cycles + places[#places]
    end
  end
  products.share(c, layer, isa, places, pair.transforms)

  c.cycles = (layer.N * layer.groups * (cycles + pair.transforms) + layer.N * writes(layer) + bursts(layer)
    + strewn(layer)) // 1
  c.tile, c.mapping = ("%st%dx%d"):format(pair.name, pixels, c.classes[1].size), "channels"
  return c
end

-- Whether sums over few input channels may be transformed in registers at once, a tile and a vector of output
-- channels at a time: two loads for each product take less time than to store its sum, and to load it again.
local function is_few(layer, isa, pair)
  local h, w = pair.h, pair.w
  return layer.IC <= math.min(products.few, isa.lanes) and h.step * w.step == 1 and not (h.f.trivial or w.f.trivial)
    and not (h.f.shared or w.f.shared) and h.f.points + 4 <= isa.registers
end

-- Floats of the elements of a tile: those of a column side by side.
local function few_floats(layer, isa, pair)
  return pair.w.f.points * ceil_div(pair.h.f.points * layer.IC, isa.lanes) * isa.lanes
end

-- One way to do it where there are few channels.
local function candidate_of_few(isa, pair)
  local layer, L = pair.layer, isa.lanes
  local c = shape(pair, math.max(1, cost.l1_bytes() // 3 // (4 * few_floats(layer, isa, pair))), isa)
  c.few, c.vectors, c.pixels = true, 1, 1
  c.classes = axis.balanced(ceil_div(layer.OC, L), 1)
  local cycles, places = 0, {}
  for _, rows in ipairs(c.row_parts) do
    for _, columns in ipairs(c.column_parts) do
      local sums = 0
      for _, group in ipairs(tiles_of.groups(pair.h.f, pair.w.f, rows, columns)) do
        sums = sums + group.elements * group.tiles
      end
      places[#places + 1] = sums * ceil_div(layer.OC, L) * layer.IC * math.max(1 / cost.fma, 2 / cost.load)
      cycles = cycles + places[#places]
    end
  end
  products.share(c, layer, isa, places, pair.transforms)
  c.cycles = (layer.N * (cycles + transforms(layer, isa, pair, true) + writes(layer)) + bursts(layer)) // 1
  c.tile, c.mapping = pair.name .. "t1x1", "channels"
  return c
end

local function candidates(layer, isa, options)
  local list = {}
  local wanted = options.tile and options.tile.tile
  local all = pairs_of(layer, isa, options.accuracy, wanted)
  local folded = phases.folded(layer)
  if folded then table.move(pairs_of(folded, isa, options.accuracy, wanted), 1, CLOSELY, #all + 1, all) end
  for _, pair in ipairs(all) do
    local few = layer.groups == 1 and is_few(pair.layer, isa, pair) and candidate_of_few(isa, pair)
    if few and (not wanted or few.tile == wanted or wanted == pair.name) then list[#list + 1] = few end
    for vectors = 1, math.min(4, ceil_div(layer.OC, isa.lanes)) do
      local room = cost.accumulators(isa, vectors) // vectors
      local bytes = 4 * pair.h.f.points * pair.w.f.points
        * (products.tile_floats(pair.layer.IC, isa) + vectors * isa.lanes)
      local function try(most, channel_blocks)
        return candidate(isa, pair, vectors, room, most, channel_blocks)
      end
      local function add(c)
        if not wanted or c.tile == wanted or wanted == pair.name then list[#list + 1] = c end
      end
      local last
      for _, portion in ipairs(room > 0 and { 0.6, 1, 2, 4, 8, 16 } or {}) do
        local most = options.block or math.max(1, cost.l2_bytes * portion // bytes // 1 | 0)
        local c = try(most)
        local before = last
        if not before or c.block ~= before.block then
          last = c
          add(c)
          -- One block of channels more may be even, and, where blocks of tiles are few, somewhat smaller ones.
          local vectors_out = ceil_div(layer.OC, isa.lanes)
          local more = ceil_div(vectors_out, vectors) + 1
          if c.evenness < 1 and ceil_div(vectors_out, more) == vectors then add(try(most, more)) end
          local whole_rows = not before and not options.block and c.columns == pair.w.count
          for rows = whole_rows and c.rows - 1 or 0, 1, -1 do
            if c.evenness == 1 or ceil_div(pair.h.count, rows) > 7 then break end
            c = try(rows * pair.w.count)
            add(c)
          end
        end
      end
    end
  end
  return products.order(list)
end

--- Layers that it can do; whether it is the better choice is for plan/init.lua to say.
function winograd.fits(layer, _, options)
  return refuses(layer, options) == nil
end

-- For how many tiles at a time there are products, the most first.
local function product_sizes(c)
  local list = {}
  for _, rows in ipairs(c.row_parts) do
    for _, columns in ipairs(c.column_parts) do
      for _, group in ipairs(tiles_of.groups(c.pair.h.f, c.pair.w.f, rows, columns)) do
        list[#list + 1] = group.tiles
      end
    end
  end
  return products.sizes(list)
end

-- The most outputs of a part of an axis.
local function widest(parts)
  local most = 0
  for _, part in ipairs(parts) do most = math.max(most, part.outputs) end
  return most
end

--- The plan of a layer, or nil and why not.
function winograd.plan(layer, isa, options)
  local why = refuses(layer, options)
  if why then return nil, "algorithm winograd: " .. why end
  local choice = candidates(group_of(layer), isa, options)
  local c = choice[1]
  if not c then return nil, "no register tile of that shape" end
  local one, last = c.pair.layer, layer.after or layer
  local L, h, w = isa.lanes, c.pair.h.f, c.pair.w.f
  local plan = {
    algorithm = "winograd", mapping = "channels", exact = false, points = math.max(h[1].order, w[1].order),
    pack = "winograd_pack.c", h = h, w = w, elements = c.elements, filters = c.filters,
    tile_name = c.tile, candidates = choice, cycles = c.cycles,
    ICg = one.IC, OCg = one.OC, group_count = layer.groups,
    accumulators = c.few and h.points or c.pixels * c.vectors,
    registers = (c.few and h.points or c.pixels * c.vectors) + c.vectors + 1 + (isa.fused and 0 or 1),
    geometry = { N = layer.N, IH = c.in_h, IW = c.in_w, OH = layer.OH, OW = layer.OW }, phases = one.phases,
    input = views.image(layer.layout, layer.IC, layer.IH, layer.IW),
    output = views.image(layer.layout, layer.OC, last.OH, last.OW), pooled = layer.after,
    weights = views.weights(layer.weights, layer), classes = c.classes,
    few = c.few, tiles_h = c.pair.h, tiles_w = c.pair.w, row_cut = c.row_cut, column_cut = c.column_cut,
    chunks = c.chunks, alternate = c.alternate, product_sizes = product_sizes(c),
    tasks = layer.groups * layer.N * c.row_cut.count * c.column_cut.count * c.chunks.count,
  }
  local tiles = c.rows * c.columns
  plan.tile_in, plan.tile_out = products.tile_floats(one.IC, isa), c.classes[1].size * L
  plan.element_in = products.element_floats(tiles, plan.tile_in)
  plan.element_out = products.element_floats(tiles, plan.tile_out)
  if c.few then plan.tile_in = few_floats(one, isa, c.pair) end

  local blocks, floats = products.lay_out(plan.classes, isa, 1 + c.filters * one.IC)
  plan.blocks, plan.group_floats, plan.packed_floats = blocks, floats, layer.groups * floats
  plan.in_tail, plan.out_tail = one.IC % L, one.OC % L -- channels of a last vector that is not full

  -- Do windows reach beyond the image, and tiles beyond the output, above or below, left or right?
  local covered_h = tiles_of.stop(c.pair.h, c.pair.h.count - 1)
  local covered_w = tiles_of.stop(c.pair.w, c.pair.w.count - 1)
  plan.rows_cut, plan.columns_cut = covered_h > layer.OH, covered_w > layer.OW
  plan.rows_padded = layer.pad_top > 0 or tiles_of.reach(c.pair.h, covered_h) - layer.pad_top > c.in_h
  plan.columns_padded = layer.pad_left > 0 or tiles_of.reach(c.pair.w, covered_w) - layer.pad_left > c.in_w

  -- Scratch: in NHWC zeros in the place of a row of a window that lies in the padding; in NCHW, of one vector of
  -- channels, the input of a block or the output of a row of its tiles; where phases are channels, a block's input, of
  -- all of them.
  local planes = layer.layout == "nchw"
  plan.gathers = planes or one.phases ~= nil
  plan.fetch_planes = planes
  if planes then plan.result_w = widest(c.column_parts) // (layer.after and layer.after.KW or 1) end
  if plan.gathers then
    plan.region_h = tiles_of.reach(c.pair.h, widest(c.row_parts))
    plan.region_w = tiles_of.reach(c.pair.w, widest(c.column_parts))
    plan.region_pixel = one.phases and ceil_div(one.IC, L) * L or L
    plan.scratch_floats = plan.region_pixel * plan.region_h * plan.region_w
  else
    plan.scratch_floats = (plan.rows_padded or plan.columns_padded)
      and math.min((w.window - 1) * c.pair.w.step, layer.IW - 1) * plan.input.pixel + ceil_div(one.IC, L) * L or 0
  end
  plan.fetch_input = not plan.gathers and not c.few and cost.input_bytes(layer) > cost.l2_bytes
  -- Lines that come from afar, or two for a store.
  plan.fetch_output = not planes and not layer.after
    and (cost.output_bytes(layer) > cost.l2_bytes or 4 * layer.OC % cost.line_bytes ~= 0)
  if c.few then
    plan.products_at = tiles * plan.tile_in
    plan.scratch_at = plan.products_at
  else
    plan.products_at = c.elements * plan.element_in
    plan.scratch_at = plan.products_at + c.elements * plan.element_out
    plan.fetch_weights = cost.fetch_ahead(4 * plan.packed_floats)
    plan.products = products.plan(plan, one.IC, isa, c)
  end
  plan.workspace_floats = plan.scratch_at + plan.scratch_floats
  if one.phases then
    -- What lies behind is not read, though zeros of the filters are for it.
    plan.geometry.IH = math.min(layer.IH, (layer.OH - 1) * layer.stride_h + layer.KH - layer.pad_top)
    plan.geometry.IW = math.min(layer.IW, (layer.OW - 1) * layer.stride_w + layer.KW - layer.pad_left)
  end
  return plan
end

return winograd
