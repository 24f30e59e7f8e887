-- How work is cut into tasks, and how evenly some threads would share them.
-- SPDX-License-Identifier: MIT-0

local axis = require "plan.axis"

local tasks = {}

tasks.some = 16 -- to share among a few threads
local MANY = 4 * tasks.some -- so many that a short one matters little
local BLOCKS = 4096 -- of so many nobody asks which are narrow
-- Of layers of so many cycles an even way may be so many times as slow as the fastest, where each percent that it is
-- slower makes it so many percent more even.
local LONG, LITTLE, PRICE = 250000, 1.02, 1.5
-- So many threads are to be as much faster.
local FASTER = { [2] = 1.96, [4] = 3.8 }

--- `total` things in `count` parts, of which no two differ by more than one, large and small ones in turn, so that
-- halves of the parts are halves of the things: { total, count, most }, and `size` where all are equal.
function tasks.parts(total, count)
  count = math.min(total, count)
  local most = axis.ceil_div(total, count)
  return { total = total, count = count, most = most, size = total % count == 0 and most or nil }
end

--- The same in parts of `size`, the last of which may be short.
function tasks.pieces(total, size)
  return { total = total, count = axis.ceil_div(total, size), most = size, size = size }
end

--- Where part number i begins, from 0 on.
function tasks.begin(parts, i)
  if parts.size then return math.min(parts.total, i * parts.size) end
  return (i * parts.total + parts.count // 2) // parts.count
end

--- The sizes of all parts, or, with the things' weights, the sums of these.
function tasks.sizes(parts, weights)
  local list = {}
  for i = 0, parts.count - 1 do
    local first, stop = tasks.begin(parts, i), tasks.begin(parts, i + 1)
    list[i + 1] = stop - first
    if weights then
      list[i + 1] = 0
      for k = first + 1, stop do list[i + 1] = list[i + 1] + weights[k] end
    end
  end
  return list
end

--- The weights of tasks that are pairs of parts, of `inner` ones first, of which there are these.
function tasks.pairs(outer, inner)
  local list = {}
  for _, a in ipairs(outer) do
    for _, b in ipairs(inner) do list[#list + 1] = a * b end
  end
  return list
end

--- How many times as fast threads are that have equally many tasks of these weights, as neighbours. With `places`
-- each place is so many tasks, for the first of which a thread does as much more.
function tasks.gain(weights, threads, places)
  local count, longest = #weights, 0
  local function time(first, stop)
    local sum = 0
    for task = first, stop - 1 do
      sum = sum + weights[task + 1]
      if places and (task == first or task % places.tasks == 0) then
        sum = sum + places[task // places.tasks + 1]
      end
    end
    return sum
  end
  for i = 0, threads - 1 do
    longest = math.max(longest, time(count * i // threads, count * (i + 1) // threads))
  end
  return time(0, count) / longest
end

--- How near a cut into tasks is to what is wanted of two and four threads: 1 is enough.
function tasks.evenness(weights, places)
  local least = 1
  for threads, wanted in pairs(FASTER) do
    least = math.min(least, tasks.gain(weights, threads, places) / wanted)
  end
  return least
end

--- Whether blocks of two classes { width, count } take turns, so that chunks of them are even: in the place of every
-- how many-th block is one of the second class.
function tasks.alternate(classes)
  local second = #classes == 2 and classes[2].count or 0
  return second > 1 and second * (classes[1].count + second) < 1 << 30
end

--- The widths of the blocks of some classes, which take turns or follow each other; nil where they are very many.
function tasks.widths(classes, alternate)
  local list, count = {}, 0
  for _, class in ipairs(classes) do count = count + class.count end
  if count > BLOCKS then return nil end
  for _, class in ipairs(classes) do
    for _ = 1, class.count do list[#list + 1] = class.width end
  end
  if alternate then
    local second = classes[2].count
    for b = 1, #list do
      list[b] = classes[b * second // #list > (b - 1) * second // #list and 2 or 1].width
    end
  end
  return list
end

--- Cuts `rows` rows into bands of at most `fitting`, and `blocks` blocks of these widths into `fewest` chunks or, where
-- that is more even, up to `most`: their parts, and how even they are. There are `outer` times as many tasks, of at
-- least `least` rows of one block each, of which a chunk's bands follow each other, or with `chunks_first` a band's
-- chunks.
function tasks.cut(work)
  local rows, blocks, outer = work.rows, work.blocks, work.outer
  local best
  for n = work.fewest, math.max(work.fewest, math.min(work.most, blocks)) do
    local most = math.min(rows, rows * blocks // (n * work.least)) -- bands
    local fewest = math.max(axis.ceil_div(rows, work.fitting), axis.ceil_div(tasks.some, outer * n))
    fewest = math.max(1, math.min(most, fewest))
    if best and (most == 0 or outer * n * fewest > MANY) then break end
    if outer * n * fewest > 1 << 20 then fewest = 1 end
    for b = fewest, math.max(fewest, math.min(most, MANY // (outer * n))) do
      local cut = { chunks = tasks.parts(blocks, n), bands = tasks.parts(rows, b), evenness = 1 }
      if outer * n * b <= MANY and work.widths then
        local chunks, bands = tasks.sizes(cut.chunks, work.widths), tasks.sizes(cut.bands)
        local weights = work.chunks_first and tasks.pairs(bands, chunks) or tasks.pairs(chunks, bands)
        local images = {}
        for i = 1, outer do images[i] = 1 end
        cut.evenness = tasks.evenness(tasks.pairs(images, weights))
      end
      if not best or cut.evenness > best.evenness + 0.005 then best = cut end
      if best.evenness == 1 then return best.chunks, best.bands, 1 end
    end
  end
  return best.chunks, best.bands, best.evenness
end

--- Moves to the begin of a list of candidates, the fastest first, one that is nearly as fast, but more even, where
-- there are so many cycles that threads pay. evenness(candidate): its evenness, or nil where it cannot be. Gives
-- whether any can.
function tasks.prefer_even(list, evenness)
  local chosen, best
  for i, c in ipairs(list) do
    local slower = c.cycles / list[1].cycles
    if best and (best == 1 or c.cycles < LONG or slower > LITTLE) then break end
    local even = evenness(c)
    local worth = even and even / slower ^ PRICE
    if worth and (not best or worth > best + 0.005) then chosen, best = i, worth end
  end
  if chosen then table.insert(list, 1, table.remove(list, chosen)) end
  return chosen ~= nil
end

return tasks
