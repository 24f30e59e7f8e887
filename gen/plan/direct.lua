-- Direct convolution: a register tile of accumulators, one vector operand, one splat operand.
-- SPDX-License-Identifier: MIT-0
--
--   mapping 'channels'   lanes are output channels: vectors of weights times splats of input pixels
--   mapping 'groups'     (NHWC) so are they, of several groups: a channel of each group is spread over the
--                        lanes of its outputs in place of a splat; or a group has a vector, and a splat, of its own
--   mapping 'interleaved' (NHWC) the same, of a copy in which these channels are neighbours (plan/interleaved.lua)
--   mapping 'inputs'     (NHWC) lanes are input channels: vectors of weights times vectors of input, whose lanes are
--                        summed in the end; for few outputs
--   mapping 'pixels'     lanes are output pixels: vectors of input times splats of weights
--   mapping 'planar'     the same, of a planar copy of some rows of the input (plan/planar.lua, plan/gather.lua)
--   mapping 'gathered'   (NCHW) lanes are output channels, pixels those of such a copy
--
-- With channels in the lanes, some taps of a row may be summed together, so that a pixel is loaded once for
-- all of them; of small planes, input channels may come in parts (plan/parts.lua). All are the same skeleton
-- (templates/direct.c); they differ in which operand is which, and in how the lanes lie in the output.

local axis = require "plan.axis"
local cost = require "plan.cost"
local dense = require "plan.dense"
local fetches = require "plan.fetches"
local gather = require "plan.gather"
local interleaved = require "plan.interleaved"
local one_row = require "plan.one_row"
local parts = require "plan.parts"
local planar = require "plan.planar"
local runtime = require "plan.runtime"
local tasks = require "plan.tasks"
local views = require "plan.views"

local direct = {}

direct.name = "direct"
direct.summary = "sums over all taps in registers; any layer"
direct.exact = true

local LINE = cost.line_bytes // 4

-- A pointwise layer sees its pixels as one line; it is folded into rows as long as a tile of some units likes,
-- so that hardly a unit is short (at most so many of 64), nor hardly a tile, and there are rows to share among tasks.
-- Where vectors are pixels that whole lines hold, rows begin with one.
local function fold(layer, pixels, unit, units, short)
  local best
  local function count(rows, size) return rows * axis.ceil_div(pixels // rows, size) end
  local line = unit > 1 and not layer.source and pixels % LINE == 0 and LINE or 1
  for rows = 1, math.min(pixels, layer.source and math.max(layer.OH, 32) or 32) do
    if pixels % (rows * line) == 0 and (not layer.source or gather.folds(layer, rows))
      and count(rows, unit) * 64 <= count(1, unit) * (64 + short)
      and count(rows, unit * units) * 64 <= count(1, unit * units) * (unit > 1 and 80 or 65) then
      best = rows
    end
  end
  return best or 1
end

local function pointwise(layer)
  return layer.KH == 1 and layer.KW == 1 and layer.stride_h == 1 and layer.stride_w == 1
    and layer.pad_top == 0 and layer.pad_left == 0
    and layer.IH == layer.OH and layer.IW == layer.OW
end

-- How many (tap, unit) pairs of a row the tiles of a class may unroll, some steps for each of the ICg channels: so many
-- at most, and of a small map up to 13 where compilers unroll the loop over its channels altogether.
local function unrolled_pairs(isa, options, layer, ICg, classes, class)
  local steps = layer.place and ICg <= 13 and ICg or math.min(ICg, 4)
  return cost.unrolled(isa, options) // (#classes * steps * class.size)
end

-- The cost of a row of pixels: f(pixels of the tile) summed over the tiles of the row. `long`: the axis, where its
-- borders may be too much to unroll, `budget` pairs: they are single pixels then.
local function row_cycles(width, unit, units, f, long, budget)
  local sum = 0
  if long then
    for _, segment in ipairs((axis.cut(long, unit, units, budget))) do
      sum = sum + segment.count * f(axis.ceil_div(segment.pixels, unit))
    end
    return sum
  end
  for _, run in ipairs(axis.balanced(axis.ceil_div(width, unit), units)) do
    sum = sum + run.count * f(run.size)
  end
  return sum
end

-- How many cache lines of a row the pixels lie in that so many outputs read at some taps, on average.
local function lines_of(layer, pixels, taps)
  local map = layer.map
  if map then return (1 + (pixels - 1) / map.OW) * lines_of(map, math.min(pixels, map.OW), 1) end
  return 1 + ((pixels - 1) * layer.stride_w + (taps - 1) * layer.dilation_w) * 4 / cost.line_bytes
end

-- Stores, and shuffles as if they were stores, to transpose `count` vectors and store each of their lanes.
local function transposed(count, lanes)
  local sum = 0
  for first = 0, count - 1, lanes do
    local n = math.min(count - first, lanes)
    sum = sum + lanes + (n > lanes // 2 and 2 or n > 4 and 1 or 0.5) * lanes
  end
  return sum
end

-- How many taps of a row may be summed together: one, half of them, all.
local function taps_together(taps)
  local list = { 1 }
  for _, count in ipairs { axis.ceil_div(taps, 2), taps } do
    if count > list[#list] and count <= 8 then list[#list + 1] = count end
  end
  return list
end

--- How many groups a vector holds, of their inputs as well as of their outputs.
function direct.groups_of(layer, isa)
  if layer.layout ~= "nhwc" then return 1 end
  local most = isa.lanes // math.max(layer.IC // layer.groups, layer.OC // layer.groups)
  return math.max(1, math.min(layer.groups, most))
end

-- The blocks of classes with several groups in a vector: what they read, and a last block that is not full
-- as a class of its own.
local function classes_of_groups(classes, layer, isa, sets)
  local ICg, OCg, list = layer.IC // layer.groups, layer.OC // layer.groups, {}
  local left, first = layer.groups, 0
  local function add(size, count, held)
    local class = { size = size, count = count, width = size * isa.lanes, first = first, groups = {},
      step = held * OCg, inputs = held * ICg, first_input = (layer.groups - left) * ICg, ragged = "always" }
    for v = 1, size do class.groups[v] = math.min(sets, held - (v - 1) * sets) end
    class.tail = class.groups[size] * OCg
    list[#list + 1] = class
    left, first = left - count * held, first + count
  end
  for _, class in ipairs(classes) do
    local whole = math.min(class.count, left // (class.size * sets))
    if whole > 0 then add(class.size, whole, class.size * sets) end
    if whole < class.count then add(class.size, 1, left) end
  end
  return list
end

-- The mappings of candidates that read a copy.
local MAPPINGS = { planar = "pixels", gathered = "channels", interleaved = "groups" }

local function mapping_of(name) return MAPPINGS[name] or name end

-- Every register tile worth a thought: { mapping, units, classes, cycles, ... }. `flat`: rows are one.
-- With options.pooled a tile holds whole windows, and lanes are channels.
local function candidates(layer, isa, options, flat)
  local wanted, pooled = options.tile, options.pooled
  local ICg, OCg = layer.IC // layer.groups, layer.OC // layer.groups
  local steps = layer.KH * layer.KW * ICg
  local width = flat and layer.OH * layer.OW or layer.OW
  local rows = (flat and 1 or layer.OH) * layer.N
  local list = {}
  local far = not options.by_row and cost.fetch_ahead(4 * steps * layer.OC)
  local along_h, along_w = axis.of(layer)
  local clipped = axis.clips(along_w)
  local cut = flat and not pooled and not layer.source and parts.count(layer, isa) or nil
  local small = cut and width <= parts.most() -- planes, of which a part is held

  local function add(mapping, units, unit, outputs, lanes_of_output, tile_cycles, together, copy)
    -- outputs: how many output vectors (or outputs) there are, and how many a tile holds at most
    local classes, cycles, first, waits = axis.balanced(outputs.total, outputs.most), 0, 0, 0
    local tiles = rows * axis.ceil_div(width, units * unit)
    if classes[1].size < outputs.most then return end -- the same as a smaller tile
    if axis.balanced(axis.ceil_div(width, unit), units)[1].size < units then return end
    for _, class in ipairs(classes) do
      local budget = unrolled_pairs(isa, options, layer, ICg, classes, class)
      local long = mapping ~= "planar" and clipped and 4 * layer.KW * units > budget and along_w or nil
      cycles = cycles + class.count * row_cycles(width, unit, units,
        function(size) return tile_cycles(size, class.size) end, long, budget)
      class.first, first = first, first + class.count
      class.width = class.size * lanes_of_output
      local bytes = 4 * class.width * steps
      -- The first tile of a block waits for its weights.
      if far and mapping == "channels" and tiles > 1 and not fetches.next_block(tiles, bytes) then
        waits = waits + class.count * math.max(0, bytes / cost.l3_stream - tile_cycles(units, class.size))
      end
    end
    list[#list + 1] = {
      layer = layer, mapping = layer.source and gather.mappings[mapping] or mapping,
      units = units, unit = unit, classes = classes, flat = flat,
      cycles = (cycles * rows + waits + (copy and copy.cycles * layer.IH * layer.N or 0))
        * (mapping_of(mapping) == "groups" and 1 or layer.groups),
      copy = copy, together = together, parts = mapping == "channels" and width > units and cut or nil,
      tile = ("%dx%d"):format(lanes_of_output == 1 and units or units * unit, classes[1].size),
      held = mapping ~= "inputs" and lanes_of_output == 1 and units or classes[1].size * together,
      splats = lanes_of_output == 1 and units or units * unit,
    }
    return list[#list]
  end

  local channel_vectors = axis.ceil_div(OCg, isa.lanes)
  local planes, plane = layer.layout == "nchw", layer.source and cost.line_bytes or 4 * layer.IH * layer.IW
  local single = layer.KH == 1 and layer.KW == 1 -- what a tap reads no other one does
  local apart = single and layer.stride_w > 1 and plane or nil
  -- What is loaded for the channels of a pixel, or for the pixels of a tile, shares few sets of the first cache.
  local alias = not planes and layer.stride_w * layer.IC * 4 % 4096 == 0
    or planes and ICg > cost.l1_lines(plane) and cost.l1_lines(plane) < 100
  local inside = axis.inside(along_h) * axis.inside(along_w)
  local group = pooled and pooled.KW or 1 -- pixels that are inseparable

  local waiting = cost.tail_stores -- stores that are not done meanwhile, for lines of many planes are waited for

  -- Cycles to write so many channels of so many pixels in NHWC.
  local function written(pixels, outputs)
    local pixel, run = 4 * layer.OC, math.min(4 * outputs, 4 * layer.OC)
    return cost.written(pixels * axis.ceil_div(run, cost.line_bytes), run == pixel and 1 or pixels, pixel,
      layer.N * cost.output_bytes(layer))
  end

  -- And to read their inputs once more, for each block of channels, where images come from the memory (measured).
  local function passed(pixels)
    local streams = single and layer.N * cost.image_bytes(layer) > cost.l3_bytes
    return streams and 4 * pixels * ICg / cost.l3_stream or 0
  end

  -- And until the lines of planes are there that so many outputs of some pixels read: the first block of several waits.
  local late_line = planes and flat and not layer.source and not small
    and cost.late(ICg, plane, cost.input_bytes(layer)) or 0
  local function late(pixels, outputs)
    local part = outputs / OCg
    return part < 1 and late_line * ICg * pixels / LINE * part * (1 - part) or 0
  end

  local sets = direct.groups_of(layer, isa)

  -- Tiles whose lanes are channels, `total` vectors of them.
  local function add_channels(mapping, total, more, vectors, together, copy)
    -- Compilers want some to spare.
    if together > 1 then more = more + 2 * math.min(vectors, 2) end
    if layer.place then more = more + 2 end
    local room = cost.accumulators(isa, vectors * together + more) // vectors
    for units = 1, math.min(room, width) // group do
      add(mapping, units, group, { total = total, most = vectors }, isa.lanes,
        function(size, v)
          local p = size * group
          local stores = p * v
          if planes and isa.lanes > 1 then stores = v * transposed(p, isa.lanes) end
          local bytes, sum = 4 * isa.lanes * v, 0
          local count = p < width and cut -- parts: a tile alone uses weights and pixels once
          for _, run in ipairs(axis.balanced(layer.KW, together)) do
            local taps = run.size
            local pixels = #axis.reads(p, taps, layer.stride_w, layer.dilation_w)
            if mapping_of(mapping) == "groups" then pixels = pixels * v end
            local step = mapping == "groups" and sets > 1 and cost.spread_step(p * v * taps, pixels, v * taps)
              or cost.step(p * v * taps, pixels + v * taps, bytes * taps, count and 0 or steps * bytes)
            step = math.max(step, cost.chain(taps))
            if planes then
              local lines = lines_of(layer, p, taps)
              if plane < cost.between then lines = math.max(lines, plane / cost.line_bytes) end
              local missed = count and parts.step(step, pixels + v * taps, ICg // count, plane, bytes)
                or cost.plane_step(step, single and lines or lines * 32 / cost.l2_stream, ICg, bytes * taps, apart)
              if single and not count then missed = cost.far_planes(missed, ICg, plane) end
              if missed > step then missed = missed + 2 * (taps - 1) end -- misses are closer together
              if not single then missed = missed + cost.deep_planes(layer.KH * lines, ICg) end
              step = missed + (alias and 1.5 * (v - 1) + (flat and 3 or 0) or 0)
            end
            sum = sum + run.count * (step + (taps - 1) / 8) -- sums wait for each other
          end
          if alias and not planes and p > 8 then sum = sum * 1.35 end
          if pooled then stores = stores / (group * pooled.KH) + p * v + 2 * size * v end
          local work = inside * layer.KH * ICg * sum + cost.tail(p * v, stores + (planes and waiting or 0))
          if count then work = work + (count - 1) * cost.tail(p * v, 2 * p * v) end -- stored and loaded again
          -- Of pixels one by one half as long (measured).
          if planes and not count then work = work + late(p, v * isa.lanes) / 2 end
          if planes or pooled then return work end
          return math.max(work, written(p, v * isa.lanes) + work / 16) + passed(p)
        end, together, copy)
    end
  end
  local function add_vectors(vectors)
    for _, together in ipairs((vectors > 2 or layer.place) and { 1 } or taps_together(layer.KW)) do
      add_channels("channels", channel_vectors, 0, vectors, together)
    end
  end
  for vectors = 1, math.min(4, channel_vectors) do add_vectors(vectors) end
  -- More only where pixels are whole then, and are written in order.
  if channel_vectors > 4 and channel_vectors <= 8 and not planes
    and layer.N * cost.output_bytes(layer) > cost.l2_bytes then
    add_vectors(channel_vectors)
  end
  if sets > 1 or layer.groups > 1 and isa.lanes > 1 and OCg == isa.lanes and not planes then
    local total = axis.ceil_div(layer.groups, sets)
    local in_parts = sets == 1 or ICg == OCg and 4 % OCg == 0
    local more = in_parts and 0 or 2 -- registers of a mask and of a permutation
    local beside = sets > 1 and not flat and not pooled and not options.by_row and not layer.place
      and interleaved.new(layer, isa, sets)
    for vectors = sets > 1 and 1 or 2, sets * OCg == isa.lanes and math.min(2, total) or 1 do
      for _, together in ipairs(layer.place and { 1 } or taps_together(layer.KW)) do
        add_channels("groups", total, more, vectors, together)
        if beside then add_channels("interleaved", total, 0, vectors, together, beside) end
      end
    end
  end

  -- Tiles whose lanes are pixels; a vector costs `load` loads.
  local function add_pixels(mapping, load, copy)
    local vectors = axis.ceil_div(width, isa.lanes)
    for units = 1, math.min(4, vectors) do
      local room = cost.accumulators(isa, units) // units
      for outputs = 1, math.min(room, OCg) do
        add(mapping, units, isa.lanes, { total = OCg, most = outputs }, 1, function(v, o)
          local stores = v * o
          if layer.layout == "nhwc" and layer.OC > 1 then
            stores = v * transposed(o, isa.lanes)
          end
          local step = cost.step(o * v, o + v * load, 4 * o, 4 * o * steps)
          if layer.KW == 1 and v * isa.lanes % LINE > 0 then step = step * 1.07 end -- parts of lines (measured)
          if not copy and planes then
            local lines = lines_of(layer, v * isa.lanes, 1)
            if layer.KW == 1 and plane % cost.line_bytes == 0 then lines = lines // 1 end
            step = cost.plane_step(step, lines, ICg, 4 * o)
            if single then step = cost.far_planes(step, ICg, plane) end
            if alias and not flat then step = step + 0.9 * lines end
            -- Vectors across lines of many planes, which drive each other out (measured).
            if cut and not small and plane % cost.line_bytes > 0 then step = step * 1.3 end
          end
          local work = steps * step + cost.tail(o * v, stores + (planes and single and waiting or 0))
          if planes and not copy then work = work + late(v * isa.lanes, o) end
          return planes and work or math.max(work, written(v * isa.lanes, o) + work / 16)
        end, 1, copy)
      end
    end
  end
  if isa.lanes > 1 and not pooled and not layer.place then
    -- Vectors that start anywhere cross cache lines; strided ones are two loads and a shuffle.
    local load = layer.KW == 1 and 1.2 or 2
    if layer.layout == "nchw" or layer.IC == 1 then
      add_pixels("pixels", layer.stride_w == 1 and load or layer.stride_w == 2 and 6 or 2 * isa.lanes)
    end
    local copy = not options.by_row and not flat
      and not cost.heavy(4 * layer.KH * layer.KW * ICg * OCg) and planar.new(layer, isa)
    if copy then add_pixels("planar", load, copy) end
  end

  if isa.lanes > 1 and not pooled and layer.layout == "nhwc" and layer.groups == 1 then
    local blocks = layer.KH * layer.KW * axis.ceil_div(ICg, isa.lanes)
    for outputs = 1, math.min(8, OCg) do
      for units = 1, math.min(cost.accumulators(isa, outputs) // outputs, width) do
        add("inputs", units, 1, { total = OCg, most = outputs }, 1, function(p, o)
          local bytes = 4 * isa.lanes * o
          local sums = axis.ceil_div(p * o, isa.lanes) -- vectors of them, by a transposition
          return cost.call + blocks * cost.step(p * o, p + o, bytes, blocks * bytes)
            + sums * (4 * isa.lanes / cost.shuffle + 4) + (OCg > o and p * o or sums) / cost.store
        end, 1)
      end
    end
  end

  if not pooled and not options.by_row and not layer.place and not layer.source then
    -- The layer as another one, which costs so many cycles more.
    local function add_seen(other, as_flat, cycles)
      for _, c in ipairs(other and candidates(other, isa, options, as_flat) or {}) do
        list[#list + 1], c.cycles = c, c.cycles + cycles
      end
    end
    add_seen(not flat and one_row(layer), false, 0)
    add_seen(dense(layer), true, 0)
    local gathered = not small and gather.layer(layer, isa)
    if gathered then
      local cycles, waits = gather.cycles(gathered, isa)
      if flat then waits = gather.passes(layer) end
      for _, c in ipairs(list) do
        if not c.parts then c.cycles = c.cycles + layer.N * waits end
      end
      if not cut then add_seen(gathered, true, layer.N * cycles) end
    end
  end
  local kept = {}
  for _, c in ipairs(list) do
    if not wanted or c.tile == wanted.tile and c.mapping == (wanted.mapping or c.mapping) then
      kept[#kept + 1] = c
    end
  end
  table.sort(kept, function(a, b)
    if a.cycles ~= b.cycles then return a.cycles < b.cycles end
    if a.mapping ~= b.mapping then return a.mapping < b.mapping end
    if a.held ~= b.held then return a.held < b.held end -- vectors, which take longer to load than splats
    if a.tile ~= b.tile then return a.tile < b.tile end
    return a.together < b.together
  end)
  local seen, unique = {}, {}
  for _, c in ipairs(kept) do -- of a tile the best number of taps
    local key = c.mapping .. c.tile
    if not seen[key] then unique[#unique + 1] = c end
    seen[key] = true
  end
  return unique
end

local SHORT = 512 -- bytes: pieces of rows that are not fetched ahead

-- How the work is cut into tasks: images x groups x chunks of blocks x bands of rows. Weights that
-- fit the second-level cache are passed over once a band, and a band's pixels stay in it, so its chunks, if there are
-- several, follow each other; `whole`: there is one. Larger ones are kept, a chunk of blocks at a time, while the image
-- passes. But a band at a time is held of pixels that are `gathered`, and of an image that would pass once for each
-- block, from beyond that cache, in short pieces that no other window reads: weights come in order.
local function share(plan, layer, blocks, whole, gathered)
  local g = plan.geometry
  local block_bytes = plan.packed_floats // (plan.group_count * blocks) * 4
  local bytes, outer = block_bytes * blocks, g.N * plan.group_count
  local strewn = layer.KH > 1 and layer.stride_h >= layer.KH and layer.layout == "nhwc"
    and 4 * layer.KW * layer.IC < SHORT and block_bytes > cost.kept()
    and cost.input_bytes(layer) > cost.l2_bytes * 3 // 4
  local heavy = cost.heavy(bytes) and not gathered and not strewn
  local fewest = heavy and axis.ceil_div(blocks, math.max(1, cost.kept() // block_bytes)) or 1
  local tall = plan.pooled and plan.pooled.KH or 1 -- rows of the map for one of the output
  local row_bytes = 4 * (g.IW * layer.IC * layer.stride_h * tall + g.OW * layer.OC)
  local fitting = heavy and g.OH or math.max(1, cost.l2_bytes // 4 // row_bytes)
  if gathered then fitting, fewest = gather.shared(gathered, bytes, g.OH, outer) end
  -- Enough tasks for some threads, but each worth some microseconds.
  local row_work = tall * 2 * layer.KH * layer.KW * (layer.IC // layer.groups) * g.OW * layer.OC // plan.group_count
  plan.chunks_first, plan.alternate = not heavy, not plan.vector_inputs and tasks.alternate(plan.classes)
  plan.chunks, plan.bands, plan.evenness = tasks.cut {
    outer = outer, rows = g.OH, fitting = fitting, least = axis.ceil_div(200000 * blocks, row_work),
    blocks = blocks, widths = tasks.widths(plan.classes, plan.alternate), fewest = fewest,
    most = heavy and 2 * fewest or whole and 1 or fewest > 1 and 4 * tasks.some or 8, chunks_first = plan.chunks_first,
  }
  plan.alternate = plan.alternate and plan.chunks.count > 1
  plan.tasks = outer * plan.chunks.count * plan.bands.count
  -- Groups of a pixel are neighbours: while they follow each other, pages and lines are still at hand.
  plan.groups_first = plan.group_count > 1 and layer.layout == "nhwc" and not plan.planar
    and not cost.heavy(4 * plan.packed_floats)
end

--- How `count` reduction steps become a loop: `loops` times `unroll` of them, 3 to `most` (6), and a `rest`.
function direct.unrolled(count, most)
  if count <= 4 then return { unroll = count, loops = 1, rest = 0 } end
  for unroll = most or 6, 3, -1 do
    if count % unroll == 0 then return { unroll = unroll, loops = count // unroll, rest = 0 } end
  end
  return { unroll = 4, loops = count // 4, rest = count % 4 }
end

local function all_valid(variant, taps)
  if variant.rolled then return false end
  for k = 1, taps do
    for i = 1, variant.pixels do
      if not variant.reads[k][i] then return false end
    end
  end
  return true
end

--- Any layer.
function direct.fits() return true end

-- A row that is as long as several, `before` pixels in all and the last one: the segments of one of them, all of whose
-- tiles are alike, and those of the last; nil where smaller tiles come before that.
local function last_apart(segments, pixels, before)
  local last = {}
  for i, s in ipairs(segments) do
    local skipped = i == 1 and before // s.pixels or 0
    if s.count < skipped then return nil end
    local by = skipped * s.pixels - before
    if s.count > skipped then
      last[#last + 1] = setmetatable({ count = s.count - skipped, x = s.x + by, origin = s.origin + by },
        { __index = s })
    end
  end
  return { setmetatable({ count = pixels // segments[1].pixels }, { __index = segments[1] }) }, last
end

-- The plan that a candidate makes, or nil where it would be too much code.
local function of_candidate(best, original, isa, options)
  local layer, copy = best.layer, best.copy
  local ICg, OCg = layer.IC // layer.groups, layer.OC // layer.groups
  local mapping = mapping_of(best.mapping)
  local channels, in_groups = mapping ~= "pixels", mapping == "groups"
  local inputs = best.mapping == "inputs"
  local plan = {
    algorithm = "direct", mapping = mapping,
    tile_name = best.tile, together = best.together,
    cycles = best.cycles, exact = true, workspace_floats = 0,
    ICg = ICg, OCg = OCg, accumulators = best.splats * best.classes[1].size,
    registers = best.splats * best.classes[1].size + best.held + 1 + (isa.fused and 0 or 1),
  }

  local g = { N = layer.N, IH = layer.IH, IW = layer.IW, OH = layer.OH, OW = layer.OW }
  local width -- pixels of all rows together, where the last one is shorter
  plan.folded = best.flat
  if plan.folded then
    local images = layer.layout == "nhwc" and layer.N or 1
    local pixels = images * layer.OH * layer.OW
    local rows, long
    if best.parts then
      rows, long = parts.rows(pixels, best.units) -- a part's weights serve a row
    else
      rows = fold(layer, pixels, best.unit, best.units, 1)
    end
    if layer.source then
      copy = gather.copy(layer, isa, rows)
      if not gather.fits(copy) then
        rows = fold(layer, pixels, best.unit, best.units, 6)
        copy = gather.copy(layer, isa, rows)
      end
      if not gather.fits(copy) then return nil end
    end
    width = long and pixels
    long = long or pixels // rows
    g = { N = layer.N // images, OH = rows, IH = rows, OW = long, IW = long }
  end
  if options.pooled then
    plan.pooled, g.OH = options.pooled, options.pooled.OH
    plan.workspace_floats = plan.pooled.KH > 1
      and best.units * best.classes[1].size * isa.lanes or 0 -- what is held of a tile
  end
  plan.geometry = g
  plan.input = views.image(layer.layout, layer.IC, g.IH, g.IW)
  plan.output = options.output or views.image(layer.layout, layer.OC, g.OH, g.OW)
  if width then
    plan.input, plan.output = views.image("nchw", layer.IC, 1, width), views.image("nchw", layer.OC, 1, width)
    plan.input.row, plan.output.row, plan.last_row = g.OW, g.OW, width - (g.OH - 1) * g.OW
  end
  plan.seen, plan.planar = layer ~= original and layer or nil, copy
  plan.weights = views.weights(layer.weights, layer.map or layer)
  plan.source = plan.input
  if copy then
    local source = layer.source or layer
    plan.source = views.image(layer.layout, layer.IC, source.IH, source.IW)
    plan.source.row = copy.source_row or plan.source.row
    plan.input = { row = copy.row, pixel = copy.pixel or 1, channel = copy.channel }
  end

  plan.rows, plan.columns = axis.of(layer)
  if plan.folded then
    plan.rows.out, plan.rows.size, plan.columns.out, plan.columns.size = g.OH, g.IH, width or g.OW, width or g.IW
  end
  plan.rows_clipped, plan.rows_empty = axis.clips(plan.rows)
  if copy and not channels then -- all lanes may be read; those that are an output are counted
    local out = axis.ceil_div(g.OW, isa.lanes) * isa.lanes
    plan.columns = axis.new { out = out, size = out + layer.KW, taps = layer.KW, stride = 1, pad = 0, dilation = 1,
      counted = function(o) return o < g.OW and 1 or 0 end }
  end

  -- Where taps of a row lie side by side with their channels, a row of the filter is one long sum.
  local mergeable = channels and layer.layout == "nhwc" and layer.dilation_w == 1 and layer.groups == 1 and layer.KW > 1
    and not layer.place and best.together == 1 and (not inputs or ICg % isa.lanes == 0)
  plan.input_step = inputs and isa.lanes or 1 -- input channels of a reduction step
  plan.packed_inputs = axis.ceil_div(ICg, plan.input_step) * plan.input_step
  if in_groups then
    local sets = direct.groups_of(layer, isa)
    plan.vector_inputs = sets * ICg
    best.classes = classes_of_groups(best.classes, layer, isa, sets)
    for _, class in ipairs(copy and best.classes or {}) do
      class.inputs, class.first_input = class.inputs * layer.IW, class.first_input * layer.IW
    end
  end
  plan.group_count = in_groups and 1 or layer.groups
  local blocks, floats = 0, 0
  for i, class in ipairs(best.classes) do
    class.index, class.step = i - 1, class.step or class.width
    class.vectors = inputs and class.width or channels and class.width // isa.lanes or nil
    class.biases = inputs and axis.ceil_div(best.units * class.width, isa.lanes) * isa.lanes or class.width
    class.segments, class.variants = axis.cut(plan.columns, best.unit, best.units,
      unrolled_pairs(isa, options, layer, ICg, best.classes, class))
    -- Where there is too much to unroll, tiles are not told apart by what they store.
    local uneven = plan.columns.counted and plan.columns.out > g.OW
    if uneven and class.segments[#class.segments].count > 1 then return nil end
    if width then
      class.segments, class.last_segments = last_apart(class.segments, g.OW, width - plan.last_row)
      if not class.segments then return nil end
    end
    for _, variant in ipairs(class.variants) do
      if (copy or layer.place) and variant.rolled then return nil end -- taps are anywhere
      if plan.columns.counted then
        variant.stored = 0
        for _, count in ipairs(variant.counts) do variant.stored = variant.stored + count end
      end
      variant.merged = mergeable and all_valid(variant, layer.KW)
      variant.steps = in_groups and ICg < isa.lanes and { unroll = ICg, loops = 1, rest = 0 }
        or direct.unrolled((variant.merged and layer.KW * ICg or ICg) // plan.input_step // (best.parts or 1),
          layer.place and 4)
    end
    class.base = floats
    class.block_floats = class.biases + class.width * layer.KH * layer.KW * plan.packed_inputs
    floats = floats + class.count * class.block_floats
    blocks = blocks + class.count
    -- Lanes of the last vector that stand for no output channel.
    local spare = i == #best.classes and channels and not inputs and (isa.lanes - OCg % isa.lanes) % isa.lanes or 0
    class.tail = class.tail or isa.lanes - spare
    class.ragged = class.ragged or spare == 0 and "never" or class.count == 1 and "always" or "last"
  end
  -- Outputs before each class, in outputs (widths differ between classes).
  local first_output = 0
  for _, class in ipairs(best.classes) do
    class.first_output = first_output
    first_output = first_output + class.count * class.step
  end
  plan.classes, plan.blocks, plan.group_floats = best.classes, blocks, floats
  plan.packed_floats = floats * plan.group_count
  plan.pack_groups, plan.pack_outputs = plan.group_count, layer.OC // plan.group_count
  if best.parts then
    plan.parts = { count = best.parts, channels = ICg // best.parts, floats = plan.accumulators * isa.lanes }
    for _, class in ipairs(plan.classes) do
      for _, segments in ipairs { class.segments, class.last_segments } do
        plan.workspace_floats = math.max(plan.workspace_floats, fetches.tiles_of(segments) * plan.parts.floats)
      end
    end
  end
  -- A row's pixels stay in the second-level cache while all weights pass, as gathered ones do.
  share(plan, layer, blocks, best.copy or options.by_row, layer.source and copy or width and { row = ICg * g.OW })
  if not options.by_row then fetches.add(plan, layer, isa) end -- there a pass is a few rows
  if copy then
    if best.copy and plan.chunks.count > 1 then return nil end
    copy.rows = layer.source and plan.bands.most or planar.rows(copy, layer, plan.bands.most)
    copy.planes = g.N * plan.group_count
    plan.workspace_floats = copy.rows * copy.row
  end
  return plan
end

--- The plan of a layer, or nil and why not. options: max_unroll, tile, and for what is computed row by
-- row into a band (fused.lua): by_row, and output, a view of the band. pooled: the layer behind, whose
-- windows neither overlap nor reach over an edge, is computed in the tiles; output: a view of its output.
function direct.plan(layer, isa, options)
  if layer.runtime then return runtime.plan(layer, isa, options) end
  local flat = pointwise(layer) and not options.by_row
  local choice = candidates(layer, isa, options, flat)
  local plans = {}
  local function evenness(candidate)
    plans[candidate] = of_candidate(candidate, layer, isa, options)
    return plans[candidate] and plans[candidate].evenness
  end
  if not tasks.prefer_even(choice, evenness) then return nil, "no register tile of that shape" end
  local plan = plans[choice[1]]
  plan.candidates = choice
  return plan
end

return direct
