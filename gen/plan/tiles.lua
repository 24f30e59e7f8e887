-- How tiles of a bilinear algorithm cover an axis of the output: first large ones, then small ones.
-- SPDX-License-Identifier: MIT-0
--
-- An algorithm of an axis is a list of its sizes, { large } or { large, small }, bilinear algorithms of which
-- the small one has the first points of the large one, with
--   name            the outputs of both, '43'; '1' where nothing is saved
--   stride, points, common, window       of the large one; common: the points of all sizes
--   filters, filter_of, shared           the rows of G that differ; of each point which; whether some are used twice
--   amplification                        of rounding errors, of the size with the most
-- and its sizes have `input` and `output`, the programs of their transforms.

local axis = require "plan.axis"
local bilinear = require "bilinear"
local linear = require "linear"
local tasks = require "plan.tasks"

local tiles = {}

local LONGEST = 9  -- taps of an axis along which nothing is saved
local MOST = 16    -- points: transforms keep a row of them in registers
local LARGEST = 8  -- outputs: errors grow, and little more is saved

local function same(a, b)
  for k = 1, #a do
    if a[k] ~= b[k] then return false end
  end
  return true
end

-- The rows of G that differ, and for each row which of them it is (from 1 on).
local function distinct(rows)
  local list, index = {}, {}
  for e, row in ipairs(rows) do
    for i, known in ipairs(list) do
      if same(row, known) then index[e] = i end
    end
    if not index[e] then
      list[#list + 1] = row
      index[e] = #list
    end
  end
  return list, index
end

local function described(large, small)
  local f = { large, small, name = large.m .. (small and tostring(small.m) or ""), stride = large.stride,
    points = large.points, common = (small or large).points, window = large.window, amplification = 0,
    trivial = large.m == 1, nested = small ~= nil }
  f.filters, f.filter_of = distinct(large.G)
  f.shared = #f.filters < large.points
  for _, size in ipairs(f) do
    size.input, size.output = linear.program(size.BT), linear.program(size.AT)
    f.amplification = math.max(f.amplification, bilinear.amplification(size))
  end
  return f
end

local known = {}

--- All algorithms for so many taps at a stride.
function tiles.algorithms(taps, stride)
  local key = taps .. "/" .. stride
  if known[key] then return known[key] end
  local list = {}
  if taps <= LONGEST then
    local plain = bilinear.plain(1, taps)
    plain.stride = stride
    list[1] = described(plain)
  end
  for m = 2, math.min(LARGEST, bilinear.most_outputs(taps, stride, MOST)) do
    list[#list + 1] = described(bilinear.with_stride(m, taps, stride))
    for small = 2, m - 1 do
      local a, b = bilinear.nested_with_stride(m, small, taps, stride)
      if a then list[#list + 1] = described(a, b) end
    end
  end
  known[key] = list
  return list
end

-- The cover with the fewest points of one phase of a dilated axis, or of an axis.
local function cover_of_phase(f, out)
  local large, small = f[1], f[2]
  local best
  for a = small and 0 or axis.ceil_div(out, large.m), axis.ceil_div(out, large.m) do
    local b = math.max(0, small and axis.ceil_div(out - a * large.m, small.m) or 0)
    local points = a * large.points + b * (small and small.points or 0)
    if not best or points < best.points then
      best = { f = f, large = a, small = b, count = a + b, points = points }
    end
  end
  return best
end

--- The cover of `out` outputs with the fewest points: { f =, large =, small =, count =, points =, step = },
-- numbers of tiles; the last may reach beyond the end. With a dilation, `step`, the outputs of a tile lie
-- that far apart, as the taps do: the first tiles of all phases come first, then the second ones ...
function tiles.cover(f, out, step)
  step = step or 1
  local cover = cover_of_phase(f, axis.ceil_div(out, step))
  local last = cover.small > 0 and "small" or "large"
  local before = tiles.begin({ f = f, large = cover.large, step = 1 }, cover.count - 1)
  cover.large, cover.small, cover.step = cover.large * step, cover.small * step, step
  -- Of the phases that are an output shorter the last tile may be empty.
  if out % step > 0 and before >= out // step then cover[last] = cover[last] - (step - out % step) end
  cover.count = cover.large + cover.small
  cover.points = cover.large * f[1].points + cover.small * (f[2] and f[2].points or 0)
  return cover
end

--- The output at which tile number `at` begins.
function tiles.begin(cover, at)
  local index, phase = at // cover.step, at % cover.step
  local large = math.min(index, axis.ceil_div(cover.large, cover.step))
  return (large * cover.f[1].m + (index - large) * (cover.f[2] and cover.f[2].m or 0)) * cover.step + phase
end

--- The output behind the last one of tile number `at`; no tile before ends later.
function tiles.stop(cover, at)
  local size = at < cover.large and cover.f[1] or cover.f[2]
  return tiles.begin(cover, at) + (size.m - 1) * cover.step + 1
end

-- How many of `count` tiles from `at` on are large.
local function large_of(cover, at, count)
  return math.max(0, math.min(count, cover.large - at))
end

--- The parts of a cut of the tiles (plan/tasks.lua): { begin, count, large, outputs }.
function tiles.parts(cover, cut)
  local list, at = {}, 0
  for i, count in ipairs(tasks.sizes(cut)) do
    local begin = tiles.begin(cover, at)
    list[i] = { begin = begin, count = count, large = large_of(cover, at, count),
      outputs = tiles.stop(cover, at + count - 1) - begin }
    at = at + count
  end
  return list
end

--- How many inputs so many neighbouring outputs read.
function tiles.reach(cover, outputs)
  return (outputs - 1) * cover.f.stride + (cover.f[1].r - 1) * cover.step + 1
end

--- The numbers of tiles that have a point of both axes, by the point's groups: a list of { tiles, elements }.
-- The first group is the points of small tiles (or all), the second the others.
function tiles.groups(h, w, rows, columns)
  local list = {}
  for _, y in ipairs { { rows.count, h.common }, { rows.large, h.points - h.common } } do
    for _, x in ipairs { { columns.count, w.common }, { columns.large, w.points - w.common } } do
      if y[1] * x[1] * y[2] * x[2] > 0 then
        list[#list + 1] = { tiles = y[1] * x[1], elements = y[2] * x[2] }
      end
    end
  end
  return list
end

return tiles
