-- Small maps in planes: rows that fill no vector of pixels. A vector of channels is copied to where they are
-- neighbours, computed there as in NHWC, and copied back.
-- SPDX-License-Identifier: MIT-0

local axis = require "plan.axis"
local cost = require "plan.cost"

local transposed = {}

local function pixels(layer) return layer.IH * layer.IW, layer.OH * layer.OW end

-- Bytes of both copies.
local function bytes(layer, isa)
  local read, written = pixels(layer)
  return 4 * isa.lanes * (read + written)
end

--- The layer of the channels of one vector, whose `source` is the layer itself; nil where it is in that order, has
-- several outputs of a channel, or both copies do not stay in the second-level cache.
function transposed.layer(layer, isa)
  local L, read = isa.lanes, pixels(layer)
  if layer.layout ~= "nchw" or not isa.load_parts or layer.OC ~= layer.IC or read < 4
    or bytes(layer, isa) > cost.l2_bytes // 2 then
    return nil
  end
  return setmetatable({ layout = "nhwc", IC = L, OC = L, groups = L, source = layer }, { __index = layer })
end

--- Of how many vectors the channels are.
function transposed.vectors(layer, isa) return axis.ceil_div(layer.source.OC, isa.lanes) end

--- Cycles to copy a vector of channels: four pixels take 4 + L loads and shuffles; and its outputs back: squares of
-- L x L, a shuffle for each vector at each halving. Where the copies do not fit the first-level cache, they pass
-- through the second.
function transposed.cycles(layer, isa)
  local L, read, written = isa.lanes, pixels(layer)
  local halvings = L > 8 and 4 or L > 4 and 3 or 2
  local both = bytes(layer, isa)
  local passed = both > cost.l1_bytes() and both / cost.l2_stream or 0
  return read * (4 + L) / 6 + written * (halvings + 1 / 2) + 2 * cost.call + passed
end

--- Where the copies of a task lie in the workspace, in floats: its outputs at the begin, its inputs from `pixels` on,
-- so that a tile of so many rows writes where what the tiles before it have read was; how many floats in all; and of
-- how many channels they are: all but the last one, the last one, or all.
function transposed.copies(layer, isa, rows)
  local read, written = pixels(layer)
  local ahead = layer.stride_h * layer.IW < layer.OW and written
    or math.min(written, math.max(0, layer.pad_top * layer.IW + rows * layer.OW))
  local OC, L = layer.source.OC, isa.lanes
  local last = (OC - 1) % L + 1
  return { pixels = ahead * L, floats = math.max(written, ahead + read) * L,
    channels = (OC <= L or last == L) and { last } or { L, last } }
end

return transposed
