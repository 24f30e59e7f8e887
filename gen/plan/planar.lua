-- A planar copy of some rows of the input, from which vectors of pixels are loaded whatever the layout and the
-- stride: a plane of each channel, and of it one for each phase of the stride, that is, for every how many-th
-- pixel; with zeros in the padding of a row. Rows of the padding are left out.
-- SPDX-License-Identifier: MIT-0

local axis = require "plan.axis"
local cost = require "plan.cost"

local planar = {}

local LINE = cost.line_bytes // 4

-- A phase as runs of vectors alike.
local function runs_of(phase, L)
  local runs, run = {}, nil
  for at = 0, phase.used - 1, L do
    local first, last = math.max(phase.first - at, 0), math.min(phase.last - at, L)
    if first >= last then first, last = 0, 0 end
    if not (run and run.first == first and run.last == last) then
      run = { at = at, first = first, last = last, count = 0 }
      runs[#runs + 1] = run
    end
    run.count = run.count + 1
  end
  return runs
end

local function lines(floats) return axis.ceil_div(floats, LINE) * LINE end

--- How the copy of a row lies, or nil where it would not do. { places: of each tap, in floats from the plane's
-- begin for pixel 0; phases: { at, from, runs }, of which float j is the pixel from + j * stride; its runs of
-- `count` vectors from float `at` on have pixels of the image in the lanes first to last - 1; channel, row:
-- floats from one to the next; cycles: to make one }.
function planar.new(layer, isa)
  local L, s = isa.lanes, layer.stride_w
  local reach = (layer.KH - 1) * layer.dilation_h + 1
  if L == 1 or layer.KH == 1 and layer.KW == 1 or layer.stride_h > reach or s > 4 then return nil end
  local width = axis.ceil_div(layer.OW, L) * L
  local places, phases, by_phase, longest = {}, {}, {}, 0
  for k = 0, layer.KW - 1 do
    local at = k * layer.dilation_w
    local r, shift = at % s, at // s
    if not by_phase[r] then
      local from = r - layer.pad_left
      by_phase[r] = { from = from, used = 0, first = math.max(0, axis.ceil_div(-from, s)),
        last = (layer.IW - 1 - from) // s + 1 }
      phases[#phases + 1] = by_phase[r]
    end
    by_phase[r].used, longest = math.max(by_phase[r].used, width + shift), math.max(longest, shift)
    places[k + 1] = { phase = by_phase[r], shift = shift }
  end
  local floats = lines(axis.ceil_div(width + longest, L) * L)
  for i, phase in ipairs(phases) do
    phase.at, phase.runs = (i - 1) * floats, runs_of(phase, L)
  end
  for k, place in ipairs(places) do places[k] = place.phase.at + place.shift end
  local ICg = layer.IC // layer.groups
  local channel = #phases * floats
  if channel // LINE % 2 == 0 then channel = channel + LINE end -- lines of channels lie in different sets of a cache
  local copy = { places = places, phases = phases, channel = channel, row = channel * ICg, reach = reach }
  if 4 * copy.row * reach > cost.l2_bytes * 3 // 4 then return nil end

  local vectors = #phases * axis.ceil_div(axis.ceil_div(layer.IW, s), L)
  if layer.layout == "nchw" or layer.IC == 1 then
    copy.cycles = ICg * vectors * (s == 1 and 2 or s == 2 and 4 or 2 * L)
  else -- loads, shuffles and stores of a transposition
    local transposed = ICg // L * 3 * L + (ICg % L > 0 and L + 2 * (ICg % L) or 0)
    copy.cycles = vectors * transposed
  end
  -- Where the rows of a window do not fit the first-level cache, all is written to the second.
  if 4 * copy.row * reach > cost.l1_bytes() * 2 // 3 then copy.cycles = copy.cycles * 1.8 end
  copy.cycles = copy.cycles + cost.call + 2 * ICg
  return copy
end

--- Rows that the copy holds, so that a task of `band` rows has room, and is not often moved.
function planar.rows(copy, layer, band)
  local least = math.min(layer.IH, (band - 1) * layer.stride_h + copy.reach)
  return math.max(least, math.min(layer.IH, cost.l2_bytes // 4 // (4 * copy.row)))
end

return planar
