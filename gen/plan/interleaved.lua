-- A copy of some rows of the input in NHWC, for several groups in a vector: channel by channel, that of each group
-- beside those of the others. A few floats are repeated over the lanes by a load then, in place of a permutation.
-- Of a row first the first vector of all pixels, then the second one: what a tile reads is in order.
-- SPDX-License-Identifier: MIT-0

local axis = require "plan.axis"
local cost = require "plan.cost"

local interleaved = {}

--- How the copy of a row lies, where a vector holds `sets` groups; nil where they would not do: they must fill a
-- vector with inputs as well as with outputs, of which lane o * sets + g is output o of group g. { pixel, vector,
-- channel, row: floats from one to the next; reach, cycles: as planar.new(); order: where in the image each lane of a
-- vector of the copy is; back: in a vector of sums each lane of the output }.
function interleaved.new(layer, isa, sets)
  local L, ICg, OCg = isa.lanes, layer.IC // layer.groups, layer.OC // layer.groups
  local reach = (layer.KH - 1) * layer.dilation_h + 1
  if not isa.splat_some or not isa.splat_some("p", sets) or ICg ~= OCg or sets * ICg ~= L
    or layer.stride_h > reach then return nil end
  local order, back = {}, {}
  for l = 0, L - 1 do
    order[l + 1] = l % sets * ICg + l // sets
    back[l + 1] = l % OCg * sets + l // OCg
  end
  local vectors = axis.ceil_div(layer.IC, L)
  local row = layer.IW * L * vectors
  if 4 * row * reach > cost.l2_bytes // 2 then return nil end
  -- What comes from beyond the second level is waited for, which tiles would not do.
  local waits = cost.image_bytes(layer) > cost.l2_bytes and 4 * layer.IW * layer.IC / cost.l3_stream or 0
  return { pixel = L, vector = layer.IW * L, channel = 1, row = row, reach = reach, sets = sets, order = order,
    back = back, cycles = cost.call + 2 * layer.IW * vectors + waits }
end

return interleaved
