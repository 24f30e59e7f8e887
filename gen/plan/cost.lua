-- The cost model: cycles of a register tile and of what surrounds it. Its numbers are ratios that
-- hold for the x86 cores of the last ten years (as many multiply-adds as loads in a cycle, one store,
-- a latency of four); a profile of one processor may replace some of them (see replaced()).
-- SPDX-License-Identifier: MIT-0

local cost = {
  fma = 2, load = 2, store = 1, shuffle = 2, -- per cycle
  arithmetic = 3,                -- multiply-adds and permutations, in all
  latency = 4,                   -- of a multiply-add: each accumulator takes one at a time
  window = 64,                   -- multiply-adds among which those are found that need not wait
  call = 12,                     -- cycles to enter, set up and leave a micro-kernel
  tail_cycles = 20, tail_stores = 0, -- cycles from a register tile to the next, and stores that take no longer
  l2_bytes = 1024 * 1024,
  l1_ways = 12, l1_way_bytes = 4096, line_bytes = 64,
  l3_bytes = 20 * 1024 * 1024, -- what one core may hope for
  -- Bytes a cycle of data that lies there; from the last two levels in order, and fetched ahead.
  l1_stream = 64, l2_stream = 32, l3_stream = 20, memory_stream = 8,
  -- Percent of l2_bytes: what is passed over in order is still there the next time if that is all that there is.
  l2_kept = 75,
  -- Percent of the cycles of the operations of Winograd's transforms in NHWC that these take: each line that they
  -- read or write comes from the second level.
  transform = 100,
  -- Percent of what neighbouring tiles of a depthwise layer share that is still in the first level for the second one.
  l1_kept = 100,
  streams = 28, -- so many places are read on from side by side without being late
  late_line = 0, -- cycles that each line is late from the last level where there are twice as many (measured)
  -- Cycles to store to a line that lies in the memory, in a run of lines; of those apart others come along (measured).
  stored_line = 0,
  -- Bytes: of planes that are less apart, prefetchers bring all lines, also those between what is read of each.
  between = 0,
  -- Whether (1) several runs side by side come faster from the memory than one does.
  runs = 0,
}

--- Cycles of one reduction step of a tile: so many multiply-adds, so many loads, and so many bytes of
-- weights out of `resident` bytes that are passed over again and again. Loads that find a port free
-- are not quite free: of tiles that are otherwise equal, the one with fewer wins.
function cost.step(fmas, loads, bytes, resident)
  local stream = resident <= 16 * 1024 and cost.l1_stream
    or resident <= cost.l2_bytes * 7 // 8 and cost.l2_stream or cost.l3_reuse()
  return math.max(fmas / cost.fma, loads / cost.load, cost.latency, bytes / stream) + loads / 64
end

--- The least cycles of a step that adds so many products to each sum in turn: each waits for the one before, and time
-- that is lost is not made up for (measured).
function cost.chain(products)
  return products > 1 and products * (cost.latency + 0.6) or cost.latency
end

--- The same where each loaded vector is permuted before it is multiplied, which some of the units of
-- multiply-adds do.
function cost.spread_step(fmas, spreads, loads)
  return math.max(cost.step(fmas, spreads + loads, 0, 0), (fmas + spreads) / cost.arithmetic)
end

--- The size of the first-level cache.
function cost.l1_bytes() return cost.l1_ways * cost.l1_way_bytes end

--- Bytes of an image of a layer: its input, its output, and both. (Of a layer that is one of several groups, their
-- part.)
function cost.input_bytes(layer) return 4 * layer.IH * layer.IW * layer.IC end
function cost.output_bytes(layer) return 4 * layer.OH * layer.OW * layer.OC end
function cost.image_bytes(layer) return cost.input_bytes(layer) + cost.output_bytes(layer) end

--- Whether so many bytes of weights do not stay in the second-level cache beside what passes; and the bytes of those
-- that are kept there while an image passes.
function cost.heavy(bytes) return bytes > cost.l2_bytes // 2 end
function cost.kept() return cost.l2_bytes // 8 end

--- How many lines the first-level cache can hold that lie `bytes` apart: those at distances that a way
-- is a multiple of share few sets.
function cost.l1_lines(bytes)
  local a, b = bytes, cost.l1_way_bytes
  while b > 0 do a, b = b, a % b end -- their greatest common divisor
  return cost.l1_ways * (cost.l1_way_bytes // math.max(a, cost.line_bytes))
end

--- The cycles of a step that reads `lines` cache lines of one of `channels` planes, and `weights` bytes: the more of
-- the first-level cache a pass over the planes would fill, the more comes from the second, which gives a line every
-- so many cycles. `apart`: of lines that are used in part, once in a pass, the bytes from plane to plane; they come
-- slower (measured), and lie in some sets of that cache only.
function cost.plane_step(step, lines, channels, weights, apart)
  local room = apart and cost.l1_lines(apart) * cost.line_bytes or cost.l1_bytes()
  local missing = math.min(1, 2 * channels * lines * cost.line_bytes / room - 1)
  if missing <= 0 then return step end
  return step + missing
    * (math.max(0, (apart and 2.9 or 2.3) * (lines + weights / cost.line_bytes) - step) + lines / 16)
end

--- The same where planes are so many bytes apart: of whole pages, all lines at one place of a page find room in some
-- sets only of the second-level cache, too, two thirds of which are sure. A step waits for a line of the last level
-- then, and gets others beside it.
function cost.far_planes(step, channels, plane)
  if plane % 4096 > 0 then return step end
  local missing = math.min(1, 1.5 * channels * 4096 / cost.l2_bytes - 1)
  return step + math.max(0, missing) * cost.line_bytes / cost.l3_stream
end

--- Cycles to wait for each line of an image of so many bytes whose planes are read on side by side, in bursts with much
-- to do between: where vectors cross lines, because planes have parts of one, of planes of whole pages, and from the
-- memory (measured).
function cost.late(channels, plane, bytes)
  local memory = bytes > cost.l3_bytes
  local whole = plane % cost.line_bytes == 0 and plane % 4096 > 0
  if bytes <= cost.l2_bytes or whole and not memory then return 0 end
  return math.max(0, math.min(1, channels / cost.streams - 1)) * cost.late_line * (memory and 2 or 1)
end

--- Cycles more of a step that reads some of so many lines of each plane, which neighbouring tiles read again, where
-- those of all planes do not stay in the second level.
function cost.deep_planes(lines, channels)
  local missing = math.min(1, channels * lines * cost.line_bytes / cost.l2_bytes - 1 / 2)
  return math.max(0, missing) * lines * cost.line_bytes / cost.l3_reuse()
end

--- How many lines fall on the fullest set of the first-level cache, of runs of `bytes` bytes at these
-- places (in bytes).
function cost.l1_crowd(places, bytes)
  local line, sets, most = cost.line_bytes, cost.l1_way_bytes // cost.line_bytes, 0
  local lines = math.min(sets, math.max(1, bytes // line))
  local count = {}
  for _, place in ipairs(places) do
    for i = 0, lines - 1 do
      local set = (place // line + i) % sets
      count[set] = (count[set] or 0) + 1
      most = math.max(most, count[set])
    end
  end
  return most
end

--- Bytes a cycle of what is used again and again out of the last level, and out of the memory: runs too short for
-- all of it to be fetched ahead.
function cost.l3_reuse() return cost.l3_stream * 3 / 5 end
function cost.memory_reuse() return cost.memory_stream / 2 end

--- Cycles to pass once over so many bytes, in order, where nothing is left of the last pass but what the
-- caches hold: all of it, or less and less. `beside`: bytes of all else that is in use.
function cost.pass(bytes, beside)
  if bytes <= cost.l2_bytes * 3 // 4 or beside and bytes + beside <= cost.l2_bytes * cost.l2_kept // 100 then
    return bytes / cost.l2_stream
  end
  local beyond = math.max(0, math.min(1, bytes / cost.l3_bytes - 1))
  return bytes / (cost.l3_stream + beyond * (cost.memory_stream - cost.l3_stream))
end

--- The largest block of weights, in bytes, that is fetched while another is in use, and the most tiles that do so.
function cost.fetched_block() return cost.l2_bytes * 9 // 16 end
cost.fetching_tiles = 64

--- How many floats ahead to fetch packed weights of so many bytes, or nil: what streams by from beyond the second
-- level arrives too late where it is fetched by itself, which begins anew on each page (measured).
function cost.fetch_ahead(bytes)
  return bytes > cost.l2_bytes and 4096 or nil
end

--- The bound on the multiply-adds that are unrolled, so that a kernel's code stays within 64 KB: where one is two
-- instructions, half as many, and fewer where compilers make vectors of what is written without.
function cost.unrolled(isa, options)
  return options.max_unroll or (isa.fused and 4096 or isa.lanes > 1 and 2048 or 1536)
end

--- Accumulators of a tile beside `held` vector operands and a splat: what registers are left, and no more
-- than hide the latency of a multiply-add some three times.
function cost.accumulators(isa, held)
  return math.min(isa.registers >= 32 and 24 or 12, isa.registers - held - 1 - (isa.fused and 0 or 1))
end

--- Cycles from the last step of a tile to the first of the next: `stores`, but those that are done meanwhile, or what
-- is left of a pipeline that does not look as far ahead as the sums of many accumulators reach (measured).
function cost.tail(accumulators, stores)
  return cost.tail_cycles + math.max((stores - cost.tail_stores) / cost.store, 3 * (accumulators - 8))
end

--- Cycles to write `lines` cache lines in so many runs of neighbours, beside which a tile is computed; `step`: bytes
-- from pixel to pixel, of `bytes` in all. What the caches do not hold is written fast where it is in order.
function cost.written(lines, runs, step, bytes)
  if bytes > cost.l3_bytes then
    local waits = lines * cost.stored_line * (lines > runs and 1 or 5 / 9)
    return math.max(waits, runs == 1 and 24 + 8 * lines or 12 * lines)
  end
  if bytes <= cost.l2_bytes then return 0 end
  local stream = lines * cost.line_bytes / cost.l3_stream
  return runs == 1 and stream or math.max(9 / 8 * stream, step >= 1024 and 24 * runs or 0)
end

--- Cycles to wait for each line of a group's channels, where these are a part of a pixel: lines of images of so many
-- bytes in all, strewn over pages and over few sets of the caches, of which none comes by itself (measured).
function cost.strewn(bytes) return bytes > cost.l2_bytes and 10 or 5 end

--- Replaces some of the numbers above, for as long as what is given back is in scope:
-- local _ <close> = cost.replaced { l2_bytes = 512 * 1024 }
function cost.replaced(numbers)
  local before = {}
  for name, value in pairs(numbers or {}) do
    before[name], cost[name] = cost[name], value
  end
  return setmetatable({}, { __close = function()
    for name, value in pairs(before) do cost[name] = value end
  end })
end

return cost
