-- Depthwise convolution: every output channel reads one input channel, so nothing is summed over
-- channels, and vectors of input meet the weights of a tap directly: vectors of weights where lanes are
-- channels, splats of weights where they are pixels. Tiles, panels and tasks: see planes.lua.
-- SPDX-License-Identifier: MIT-0

local axis = require "plan.axis"
local cost = require "plan.cost"
local planes = require "plan.planes"
local transposed = require "plan.transposed"
local views = require "plan.views"

local depthwise = {}

depthwise.name = "depthwise"
depthwise.summary = "one input channel for each output channel; each input loaded once for all taps"

--- Layers whose groups hold a single input channel.
function depthwise.fits(layer)
  if layer.runtime then return layer.depthwise end
  return layer.IC == layer.groups and layer.groups > 1
end

-- The most rows of a tile whose sums all live until its end; and of one that rolls down: each row is stored when it
-- is complete.
local MOST_ROWS, MOST_ROLLING = planes.most_rows, 14

-- Rows of a tile whose sums live at a time: where it rolls, those that one input row takes part in.
local function alive(layer, rows)
  if rows <= MOST_ROWS then return rows end
  return math.min(rows, axis.ceil_div((layer.KH - 1) * layer.dilation_h + 1, layer.stride_h))
end

-- The most inputs of a row that live at a time where a tap of all columns follows the other.
local function inputs_alive(layer, units, pixels)
  if pixels then return units end
  local last, most = {}, 0
  local function place(i, kw) return i * layer.stride_w + kw * layer.dilation_w end
  for kw = 0, layer.KW - 1 do
    for i = 0, units - 1 do last[place(i, kw)] = kw end
  end
  local live = {}
  for kw = 0, layer.KW - 1 do
    for i = 0, units - 1 do live[place(i, kw)] = true end
    local count = 0
    for at in pairs(live) do
      count = count + 1
      if last[at] == kw then live[at] = nil end
    end
    most = math.max(most, count)
  end
  return most
end

-- The registers of a tile; which weights live at a time: all ("all"), or, where those are too many, the taps of the
-- rows that one input row takes part in ("row"), each beside one input; or one at a time, beside the inputs that it
-- meets ("one"). What activations compare sums with is beside them where rows are stored early.
local function register_use(layer, isa, rows, units, pixels, vectors)
  local taps = layer.KH * layer.KW
  local rolling = rows > MOST_ROWS
  local sums = alive(layer, rows) * units * vectors + (rolling and 1 or 0)
  local room = isa.registers - 1 - (isa.fused and 0 or 1) - sums
  if taps * vectors <= room then return taps * vectors + sums + 1, "all" end
  local of_row = math.min(rows, layer.KH) * layer.KW + sums + 1
  if of_row > isa.registers and vectors > 1 then
    return sums + inputs_alive(layer, units, pixels) + 1 + (isa.fused and 0 or 1), "one"
  end
  return of_row, "row"
end

-- Outputs in a row whose filter's rows are a loop: as many sums as hide the latency of a multiply-add, twice
-- where there are registers. The others hold the weights of some taps at a time; two are left for what
-- compilers load ahead of its turn.
local function looped_units(isa) return isa.registers >= 32 and 16 or 8 end

local function taps_at_a_time(layer, isa, units)
  local room = math.max(1, isa.registers - 3 - (isa.fused and 0 or 1) - units)
  return axis.ceil_div(layer.KW, axis.ceil_div(layer.KW, room))
end

-- How many vectors of channels are computed for a whole image before the next ones, at most: their
-- weights, which every tile passes over, shall take a quarter of the first-level cache. And at least: what
-- prefetchers fetch too late at the begin of a pixel's channels, or in vain beyond their end, shall be
-- little of all.
local function most_vectors(layer, isa)
  local vector = 4 * isa.lanes
  local weights = vector * (1 + layer.KH * layer.KW)
  return math.max(256 // vector, math.min(1024 // vector, cost.l1_bytes() // 4 // weights))
end

-- The vectors in chunks of at most that many, as equal as can be: vectors of a chunk.
local function chunk_of(layer, isa)
  local vectors = axis.ceil_div(layer.OC, isa.lanes)
  return axis.ceil_div(vectors, axis.ceil_div(vectors, most_vectors(layer, isa)))
end

-- The most vectors of channels side by side in a tile: two of a cache line, where lines of neighbouring pixels are in
-- so few sets of the first-level cache that they are gone when the next vector is computed. (Elsewhere a tile of one
-- vector and more columns is faster; measured.)
local function most_beside(layer, isa)
  local apart = layer.layout == "nhwc" and not layer.runtime and layer.OC == layer.IC and isa.lanes > 1
    and cost.l1_lines(4 * layer.IC) < 32 * layer.stride_w
  return apart and 8 * isa.lanes <= cost.line_bytes and layer.OC % (2 * isa.lanes) == 0 and 2 or 1
end

-- Cycles that lines from the second-level cache and to it take, of a tile where lanes are channels. What
-- tiles have in common with the next ones in their row is still in the first level where it has room; the second
-- result tells how much of it.
local function traffic(layer, isa, r, c, chunk)
  local pixel, bytes = 4 * layer.IC, 4 * isa.lanes * chunk
  local rows = axis.reads(r, layer.KH, layer.stride_h, layer.dilation_h)
  local columns, new = axis.reads(c, layer.KW, layer.stride_w, layer.dilation_w)
  local input, output = {}, {}
  for _, y in ipairs(rows) do
    for _, x in ipairs(columns) do input[#input + 1] = (y * layer.IW + x) * pixel end
  end
  for y = 0, (r > alive(layer, r) and 1 or r) - 1 do
    for x = 0, c - 1 do output[#output + 1] = (y * layer.OW + x) * 4 * layer.OC end
  end
  local apart = most_beside(layer, isa) > 1
  -- Most processors without longer vectors have eight ways.
  local ways = apart and math.min(8, cost.l1_ways) or cost.l1_ways
  ways = ways - (1 + layer.KH * layer.KW) * bytes / cost.l1_way_bytes
  local written = cost.l1_crowd(output, bytes)
  local crowd = cost.l1_crowd(input, bytes) + written
  local room = math.max(0, math.min(1, 2 - crowd / math.max(1, ways)))
  if apart and room < 1 then room = 0 end -- (measured)
  local kept = math.min(cost.l1_kept / 100, room)
  -- Where not all is kept, tiles of few columns with a stride lose more of it (measured).
  if layer.stride_w > 1 then kept = kept * math.max(0, 1 - (1 - cost.l1_kept / 100) * 5 / c) end
  -- Outputs that drive each other out before they are stored cost much more.
  local lines = #rows * (#columns - kept * (#columns - new)) + r * c * (written > cost.l1_ways and 6 or 2)
  -- Some that are fetched early are driven out before their turn.
  local early = math.max(0, math.min(2, crowd / math.max(1, ways) - 1)) / 10
  if not apart then return 1.4 * (1 + early) * lines * 4 * isa.lanes / cost.line_bytes, room end
  -- From the last level, or in the way of others, a line takes longer (measured).
  local cycles = layer.N * cost.image_bytes(layer) > cost.l2_bytes and cost.line_bytes / cost.l3_stream
    or 1.4 + 1.9 * (1 - room)
  return cycles * (1 + early) * lines, room
end

-- Whether a tile fetches its lines of the output before it computes them. A store whose line is not in the first level
-- holds up those behind it: one that lies across two lines, or whose line comes from beyond the second level, for
-- long. Elsewhere lines that are there early are in the way where they drive out what tiles have in common.
local function fetches_output(plan, layer, isa, best)
  if 8 * isa.lanes < cost.line_bytes or plan.rolling and plan.mapping ~= "pixels" then return false end
  if layer.N * cost.image_bytes(layer) > cost.l2_bytes then return true end
  if plan.mapping == "pixels" then return false end
  if 4 * layer.OC % cost.line_bytes ~= 0 then return true end
  local _, room = traffic(layer, isa, best.rows, best.units, best.chunk)
  return room == 0 or room > 9 / 10
end

-- Whether a tile may roll down so many rows: few live at a time, in many registers or where it reads whole lines, and
-- it does not read lines of pixels so far apart of an image that passes through the last level, which come late
-- (measured).
local function rolls(layer, isa, rows, vectors)
  return (isa.registers >= 32 or vectors > 1) and not layer.runtime and alive(layer, rows) < rows
    and (layer.layout == "nchw" or layer.N * cost.image_bytes(layer) <= cost.l3_bytes // 2)
end

-- Vectors of a chunk of those tiles, which read each line once: what is computed next to a vector of channels then
-- are pixels that its lines are still near of, not those of the next vector, whose lines may be in the sets of the
-- first level that the stores before it go to (measured). A second vector where it has a part of the same lines.
-- Of images beyond the second level prefetchers want more, unless they are strided.
local function rolling_chunk(layer, chunk)
  if layer.stride_h == 1 and layer.N * cost.image_bytes(layer) > cost.l2_bytes then return chunk end
  return 4 * layer.IC % cost.line_bytes == 0 and 1 or math.min(2, chunk)
end

local function tiles(layer, isa, options)
  local taps = layer.KH * layer.KW
  local chunk = chunk_of(layer, isa)
  local inside = 1
  if layer.source then -- of a small map much lies at its border
    local rows, columns = axis.of(layer)
    inside = axis.inside(rows) * axis.inside(columns)
  end
  local beside = options.by_row and 1 or most_beside(layer, isa)
  return planes.candidates(layer, isa, options, MOST_ROLLING, beside, function(rows, units, pixels, vectors)
    local rolling = rows > MOST_ROWS
    local registers, held = register_use(layer, isa, rows, units, pixels, vectors)
    if registers > isa.registers and rows * units > 1 then return nil end
    if rolling and not rolls(layer, isa, rows, vectors) then return nil end
    local function cycles(r, c)
      local in_rows = #axis.reads(r, layer.KH, layer.stride_h, layer.dilation_h)
      local in_columns = pixels and c * layer.KW or #axis.reads(c, layer.KW, layer.stride_w, layer.dilation_w)
      -- Of pixels, whose vectors lie across lines; strided ones are two loads and a shuffle.
      local per_load = pixels
        and (layer.stride_w > 2 and isa.lanes or layer.stride_w == 2 and 2 + isa.lanes / 8 or 1.5) or 1
      local weights = held == "all" and (pixels and 0 or taps) or in_rows * math.min(r, layer.KH) * layer.KW
      local loads = in_rows * in_columns * per_load + weights
      local work = vectors * math.max(r * c * taps * inside / cost.fma, loads / cost.load, r * c / cost.store)
      -- Few sums wait for themselves, unless the next block's are within sight.
      work = math.max(work, taps * inside * cost.latency / math.max(1, cost.window / (r * c * vectors * taps)))
      if held == "one" then work = work * 8 / 7 end -- a sum is soon needed again (measured)
      -- So do those of many rows, of which few live at a time.
      if rolling then work = math.max(work, r * taps * inside * cost.latency / alive(layer, r)) end
      -- Rows that tiles share are fetched again for each of them: more rows in a tile, fewer fetches.
      if pixels then return work + 4 + 0.6 * in_rows * c end
      if layer.source then return work + 6 end -- all of it in the first level
      -- Each pixel is a stream of channels. Prefetchers follow only so many, or none where their lines are gone.
      local late = beside > 1 and 0 or math.max(0, in_rows * in_columns - cost.streams)
      return math.max(work + 6, (traffic(layer, isa, r, c, chunk))) + late
    end
    local reads = #axis.reads(rows, layer.KH, layer.stride_h, layer.dilation_h)
      * #axis.reads(units, layer.KW, layer.stride_w, layer.dilation_w)
    return { registers = registers, held = held, cycles = cycles, reads = reads, looped_units = looped_units(isa),
      rolling = rolling, accumulators = alive(layer, rows) * units * vectors,
      chunk = not options.by_row and axis.ceil_div(rolling and rolling_chunk(layer, chunk) or chunk, vectors) or nil }
  end)
end

-- The tiles of a layer, and of the other order of a vector of its channels.
local function candidates(layer, isa, options)
  local list = tiles(layer, isa, options)
  local seen = not options.by_row and transposed.layer(layer, isa)
  if not seen then return list end
  local copies, vectors = layer.N * transposed.cycles(seen, isa), transposed.vectors(seen, isa)
  local share = isa.lanes < 16 and 4 / 5 or 1 -- of what is predicted (measured): all is in the first level
  for _, c in ipairs(tiles(seen, isa, options)) do
    c.cycles = (c.cycles + copies) * vectors * share
    list[#list + 1] = c
  end
  planes.sort(list)
  return list
end

-- Packed weights: for each outer channel its blocks, each the bias and then the taps of a vector of
-- outputs (of one output where lanes are pixels).
local function pack(plan, layer, isa)
  local outer, pixels = plan.outer, plan.mapping == "pixels"
  plan.weights = views.weights(layer.weights, layer)
  plan.width = pixels and 1 or isa.lanes * plan.vectors
  plan.block_floats = plan.width * (1 + layer.KH * layer.KW)
  -- Chunks of blocks are packed as if they were one.
  plan.pack_groups = outer.noun == "chunk" and 1 or outer.count
  plan.pack_outputs = layer.OC // plan.pack_groups
  outer.weights = outer.count > 1 and (outer.chunk or outer.blocks) * plan.block_floats or 0
  plan.classes = { { count = outer.blocks, width = plan.width, step = plan.block_outputs, first_output = 0 } }
  plan.packed_floats = plan.pack_groups * outer.blocks * plan.block_floats
end

-- With run-time sizes: a tile for where its windows are in the image, and one for the edges, which goes
-- from lane to lane. (Sizes are notional here: large enough for every tile.)
local function runtime_plan(layer, isa, options)
  local pixels, L = layer.layout == "nchw", isa.lanes
  local taps = layer.KH * layer.KW
  local notional = setmetatable({
    OH = 60, OW = pixels and 60 * L or 60, IW = 61, OC = 4 * L, IC = 4 * L, N = 1,
  }, { __index = layer })
  local best
  for _, c in ipairs(tiles(notional, isa, options)) do
    -- Of pixels one vector: whether it is at an edge is asked of each tile. A map narrower than a tile would be edges
    -- alone.
    local sums = c.rows * c.units
    if not best and sums <= 12 and c.units <= (pixels and 1 or 5)
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
    fetch_output = not pixels and 8 * L >= cost.line_bytes and cost.line_bytes, -- where stores lie across lines
    held = best.held, vectors = 1, multiplier = 1, width = width, block_floats = width * (1 + taps),
    input = { row = "in_row", pixel = pixels and 1 or "in_pixel" },
    output = { row = "out_row", pixel = pixels and 1 or "out_pixel" },
    panels = { { count = "blocks", first = 0, lanes = width,
      input = pixels and "in_channel" or L, output = pixels and "out_channel" or L } },
    most_vectors = most_vectors(layer, isa), rows = rows, columns = { units = best.units, pixels = best.units * unit },
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
  local rows, columns = axis.of(layer)
  local plan = planes.plan(layer, isa, choice, rows, columns, options)
  if not plan then return nil, "too much to unroll for vectors side by side" end
  plan.algorithm, plan.held = "depthwise", choice[1].held
  plan.rolling = choice[1].rolling and not plan.looped
  if plan.looped then
    plan.taps_at_a_time = taps_at_a_time(layer, isa, plan.accumulators)
    plan.held, plan.registers = "row", plan.accumulators + 1 + plan.taps_at_a_time
  end
  plan.fetch_output = not options.by_row and not plan.copies and fetches_output(plan, layer, isa, choice[1])
  pack(plan, layer, isa)
  return plan
end

return depthwise
