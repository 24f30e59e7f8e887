-- A 1x1 filter of many channels: these in parts, one after the other, of which a part's planes (or a row of their
-- pixels, where they are not small) and a block's weights for it stay in the first-level cache while all tiles of a row
-- pass. Sums wait in the workspace.
-- SPDX-License-Identifier: MIT-0

local axis = require "plan.axis"
local cost = require "plan.cost"

local parts = {}

-- Input channels of a part: more do not fit, fewer cost more than they gain (measured). Wider vectors were not.
local LEAST, BEST, MOST = 80, 128, 140
-- Of planes that are not small as many pixels at most, where these have parts of lines and where they do not, or as
-- many channels at least (measured).
local MOST_PIXELS, MOST_OF_LINES, MANY = 700, 400, 768

-- The most pixels of a plane of which a first-level cache of so many bytes holds a part, beside a block's weights.
local function most_pixels(l1_bytes) return l1_bytes * 7 // 8 // (4 * BEST) end

--- Where sizes are known at run time: so many channels at a time, if there are at least twice as many, and planes of
-- more pixels than a tile has; rows of so few pixels that the smallest first-level caches hold a part; and of which
-- larger planes, as above.
parts.some = { channels = BEST, tile = 8, pixels = most_pixels(32768),
  line = cost.line_bytes // 4, most = MOST_PIXELS, most_of_lines = MOST_OF_LINES, many = MANY }

--- Whether an instruction set has them.
function parts.fit(isa) return isa.lanes > 1 and 4 * isa.lanes < cost.line_bytes end

--- The most pixels of a row.
function parts.most() return most_pixels(cost.l1_bytes()) end

--- So many pixels in rows of whole tiles of `tile` pixels, of which a part stays in the first-level cache, and one that
-- is shorter: how many rows, and their pixels; 1 where there is room for all.
function parts.rows(pixels, tile)
  local most = parts.most()
  if pixels <= most then return 1 end
  local rows = axis.ceil_div(pixels, most // tile * tile)
  local long = axis.ceil_div(axis.ceil_div(pixels, rows), tile) * tile
  return axis.ceil_div(pixels, long), long
end

--- In how many parts the channels of a layer come; nil if they do not.
function parts.count(layer, isa)
  local channels = layer.IC // layer.groups
  local pixels, weights = layer.IH * layer.IW, 4 * channels * layer.OC
  local many = channels >= 2 * BEST and weights > cost.l2_bytes // (pixels > parts.most() and 2 or 1)
  local most = 4 * pixels % cost.line_bytes > 0 and MOST_PIXELS or MOST_OF_LINES
  if layer.layout ~= "nchw" or layer.KH > 1 or layer.KW > 1 or not many or not parts.fit(isa)
    or pixels > most and channels < MANY then return nil end
  local best
  for count = 2, channels // LEAST do
    local size = channels // count
    if channels % count == 0 and size <= MOST
      and (not best or math.abs(size - BEST) < math.abs(channels // best - BEST)) then best = count end
  end
  return best
end

--- Cycles of a step, with so many loads, of a part of so many channels, planes of so many bytes and weights of so many
-- each: those that the first-level cache does not hold come from the second. Of rows of a plane, more than seven
-- loads for twelve multiply-adds are waited for (measured).
function parts.step(step, loads, channels, plane, weights)
  local held = math.min(plane, 4 * parts.most())
  return step * (1 + math.max(0, channels * (held + weights) / cost.l1_bytes() - 1) / 2)
    + (held < plane and 0.4 * math.max(0, loads - 7 / 6 * step) or 0)
end

return parts
