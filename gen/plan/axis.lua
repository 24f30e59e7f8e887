-- One spatial axis: which taps of the filter meet the image, and how its outputs are cut into tiles.
-- SPDX-License-Identifier: MIT-0
--
-- Output o reads input o * stride - pad + k * dilation for each tap k; those outside [0, size) are
-- padding. The valid taps of one output are always a range, so borders are regions: a tile is keyed
-- by the taps that each of its pixels may use, and tiles with the same key share one micro-kernel.

local axis = {}

-- Axes longer than this are not looked at output by output: only their interior is unrolled.
axis.long = 4096

local function ceil_div(a, b) return -(-a // b) end
axis.ceil_div = ceil_div

--- An axis: out, size (of the input), taps, stride, pad (at the begin), dilation. `counted`, a function
-- of an output, is a number that tells its outputs apart even where they read alike. `map`, a function like place():
-- taps are anywhere (and no range, so that there is no interior).
function axis.new(fields)
  return fields
end

--- The two axes of a layer.
function axis.of(layer)
  return axis.new { out = layer.OH, size = layer.IH, taps = layer.KH, stride = layer.stride_h,
    pad = layer.pad_top, dilation = layer.dilation_h },
    axis.new { out = layer.OW, size = layer.IW, taps = layer.KW, stride = layer.stride_w,
    pad = layer.pad_left, dilation = layer.dilation_w, map = layer.place }
end

--- Where output o reads for tap k; false in the padding.
function axis.place(a, o, k)
  if a.map then return a.map(o, k) end
  local at = o * a.stride - a.pad + k * a.dilation
  return at >= 0 and at < a.size and at
end

--- The range [first, last) of valid taps of output o; 0, 0 where the window lies in the padding.
function axis.taps_of(a, o)
  local start = o * a.stride - a.pad
  local first = math.max(0, ceil_div(-start, a.dilation))
  local last = math.min(a.taps, ceil_div(a.size - start, a.dilation))
  if first >= last then return 0, 0 end
  return first, last
end

--- Where `outputs` neighbouring outputs of an axis read: places from that of the first one's first tap on, each
-- once, in order; and how many of them the next as many outputs do not read.
function axis.reads(outputs, taps, stride, dilation)
  local seen, places, new = {}, {}, 0
  for o = 0, outputs - 1 do
    for k = 0, taps - 1 do
      local at = o * stride + k * dilation
      if not seen[at] then places[#places + 1] = at end
      seen[at] = true
    end
  end
  table.sort(places)
  for _, at in ipairs(places) do
    if not seen[at + outputs * stride] then new = new + 1 end
  end
  return places, new
end

--- How many of all taps meet the image, of all.
function axis.inside(a)
  local sum, out = 0, math.min(a.out, axis.long)
  for o = 0, out - 1 do
    for k = 0, a.taps - 1 do sum = sum + (axis.place(a, o, k) and 1 or 0) end
  end
  return sum / (out * a.taps)
end

--- Whether some output cannot use every tap; and whether some window lies wholly in the padding
-- (answered with 'perhaps' for very long borders).
function axis.clips(a)
  if a.map then return true, false end
  local first, last = axis.interior(a)
  if first == 0 and last == a.out then return false, false end
  if a.out > axis.long then return true, true end
  for o = 0, a.out - 1 do
    local begin, stop = axis.taps_of(a, o)
    if begin == stop then return true, true end
  end
  return true, false
end

--- The range [first, last) of outputs that use every tap (empty: first = last = 0).
function axis.interior(a)
  if a.map then return 0, 0 end
  local reach = (a.taps - 1) * a.dilation
  local first = math.max(0, ceil_div(a.pad, a.stride))
  local last = math.min(a.out, (a.size - 1 - reach + a.pad) // a.stride + 1)
  if first >= last then return 0, 0 end
  return first, last
end

--- `total` in the fewest parts of at most `most`, or in so many parts, as equal as can be: a list of runs of equal
-- parts { size, count }, the larger first.
function axis.balanced(total, most, parts)
  parts = parts or ceil_div(total, most)
  local size, larger = total // parts, total % parts
  if larger == 0 then return { { size = size, count = parts } } end
  return { { size = size + 1, count = larger }, { size = size, count = parts - larger } }
end

-- What a tile that starts at output x and holds `pixels` of them may read, per tap and pixel:
-- reads[tap + 1][pixel + 1] = offset from the tile's origin, in input pixels, or false for padding.
-- The origin is the first pixel that the tile reads at all, so that no pointer leaves the image.
local function reads_of(a, x, pixels)
  local reads, origin = {}, nil
  for k = 0, a.taps - 1 do
    reads[k + 1] = {}
    for i = 0, pixels - 1 do
      local at = axis.place(a, x + i, k)
      reads[k + 1][i + 1] = at
      if at and (not origin or at < origin) then origin = at end
    end
  end
  origin = origin or 0
  local key, counts = { pixels }, {}
  for i = 1, a.counted and pixels or 0 do
    counts[i] = a.counted(x + i - 1)
    key[#key + 1] = counts[i]
  end
  for k = 1, a.taps do
    for i = 1, pixels do
      local at = reads[k][i]
      reads[k][i] = at and at - origin
      key[#key + 1] = at and at - origin or "-"
    end
  end
  return reads, origin, table.concat(key, " "), counts
end

-- Appends tiles to the segments, merging them with the last where both run the same variant.
local function append(segments, new, stride)
  local last = segments[#segments]
  local step = last and last.count * last.pixels
  if last and last.variant == new.variant and last.x + step == new.x
    and (last.border or last.origin + step * stride == new.origin) then
    last.count = last.count + new.count
  else
    segments[#segments + 1] = new
  end
end

--- Cuts the axis into tiles of at most `units` units of `unit` outputs (a unit is a pixel, or a
-- vector of pixels). Returns segments, in order: { variant, x, count, pixels, origin }: `count` tiles
-- of `pixels` outputs from output x on; the first reads from input `origin` on, each next one
-- pixels * stride further. A variant is { index, units, pixels, reads, counts, rolled, weight }.
-- Where the exact cut would need code for more than `budget` (tap, unit) pairs, the taps of the
-- border are looped over at run time, a pixel at a time (rolled), and if need be those of the
-- interior too (rolled, every tap valid).
function axis.cut(a, unit, units, budget)
  local segments, variants, by_key, weight = {}, {}, {}, 0
  local function variant_of(key, make)
    if not by_key[key] then
      local v = make()
      v.index, v.weight = #variants, 0
      v.units = ceil_div(v.pixels, unit)
      for k = 1, v.rolled and 1 or a.taps do
        for i = 1, v.pixels, unit do
          local used = v.rolled
          for l = i, math.min(i + unit - 1, v.pixels) do used = used or v.reads[k][l] end
          v.weight = v.weight + (used and 1 or 0)
        end
      end
      weight = weight + v.weight
      variants[#variants + 1], by_key[key] = v, v
    end
    return by_key[key]
  end
  -- `count` equal tiles from output x on; all of the interior when there is more than one.
  local function add(x, pixels, count, rolled)
    local reads, origin, key, counts
    if rolled then
      origin, key = x * a.stride - a.pad, "rolled " .. pixels
    else
      reads, origin, key, counts = reads_of(a, x, pixels)
    end
    local variant = variant_of(key, function()
      return { pixels = pixels, rolled = rolled, reads = reads, counts = counts }
    end)
    append(segments, { variant = variant, x = x, count = count, pixels = pixels, origin = origin }, a.stride)
  end
  local function tiles(from, to, rolled, interior)
    local x = from
    for _, run in ipairs(axis.balanced(ceil_div(to - from, unit), units)) do
      local pixels = run.size * unit
      local whole = math.min(run.count, (to - x) // pixels)
      if interior and whole > 0 then
        add(x, pixels, whole, rolled)
        x = x + whole * pixels
      else
        for _ = 1, whole do
          add(x, pixels, 1, rolled)
          x = x + pixels
          if weight > budget then return end
        end
      end
      if whole < run.count then
        add(x, to - x, 1, rolled)
        x = to
      end
    end
  end
  local function singles(from, to)
    if from >= to then return end
    segments[#segments + 1] = {
      variant = variant_of("rolled 1", function() return { pixels = 1, rolled = true } end),
      x = from, count = to - from, pixels = 1, border = true,
    }
  end

  if a.out <= axis.long then tiles(0, a.out, false) else weight = budget + 1 end
  for _, rolled in ipairs({ false, true }) do
    if weight > budget then
      segments, variants, by_key, weight = {}, {}, {}, 0
      local first, last = axis.interior(a)
      singles(0, first)
      if first < last then tiles(first, last, rolled, true) end
      singles(last, a.out)
    end
  end
  return segments, variants
end

return axis
