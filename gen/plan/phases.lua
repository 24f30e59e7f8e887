-- The phases of a stride as channels.
-- SPDX-License-Identifier: MIT-0
--
-- y[i] = sum of g[k] x[s i + k] is the sum of s filters of stride 1, each of every s-th tap, over as many images,
-- each of every s-th pixel. As channels they are one image, of stride 1. A part of the algorithm for each phase needs
-- a little fewer multiplications (filters get zeros where they have a tap too few), but here sums over s x s
-- times as many channels are transformed back, and there are as many in the lanes.

local axis = require "plan.axis"
local cost = require "plan.cost"

local phases = {}

--- The layer of stride 1 that computes the same, or nil. It begins where the padding of the layer does, and its field
-- `phases` tells where channel c of a phase is: { h, w: how many, step_h, step_w: channels from one to the next, IC }.
function phases.folded(layer)
  local s_h, s_w = math.min(layer.stride_h, layer.KH), math.min(layer.stride_w, layer.KW) -- those that have taps
  -- The image is copied: channels of a group are not side by side, and of many of them the copy would be large.
  if s_h * s_w == 1 or layer.groups > 1 or layer.dilation_h * layer.dilation_w > 1
    or 4 * layer.IC * s_h * s_w > cost.l1_bytes() // 64 then return nil end
  local one = {}
  for key, value in pairs(layer) do one[key] = value end
  one.stride_h, one.stride_w, one.pad_top, one.pad_left = 1, 1, 0, 0
  one.IC = layer.IC * s_h * s_w
  one.KH, one.KW = axis.ceil_div(layer.KH, layer.stride_h), axis.ceil_div(layer.KW, layer.stride_w)
  one.IH, one.IW = layer.OH + one.KH - 1, layer.OW + one.KW - 1
  -- As they lie side by side in memory: a row's pixels in NHWC; of NCHW the planes are transposed.
  local rows_last = layer.layout == "nchw"
  one.phases = { h = s_h, w = s_w, IC = layer.IC, step_h = rows_last and layer.IC or layer.IC * s_w,
    step_w = rows_last and layer.IC * s_h or layer.IC }
  return one
end

--- Cycles to copy one pixel of the folded layer: its vectors go to the second-level cache; of NHWC each is made of runs
-- of neighbours, in NCHW it is transposed.
function phases.copied(one, isa)
  local p, L = one.phases, isa.lanes
  local stores = 3 * axis.ceil_div(one.IC, L)
  if one.layout == "nchw" then return stores + 7 * one.IC / L end
  local run = p.w * p.IC
  return stores + 2 * (p.h + axis.ceil_div(one.IC, L) - 1 + p.h * (run // L))
end

return phases
