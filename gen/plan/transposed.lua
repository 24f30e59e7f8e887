-- Small maps in planes: rows that fill no vector of pixels. A vector of channels is copied to where they are
-- neighbours, computed there as in NHWC, and copied back.
-- SPDX-License-Identifier: MIT-0

local axis = require "plan.axis"
local cost = require "plan.cost"

local transposed = {}

local function pixels(layer) return layer.IH * layer.IW, layer.OH * layer.OW end

--- The layer of the channels of one vector, whose `source` is the layer itself; nil where it is in that order, has
-- several outputs of a channel, or both copies do not stay in the second-level cache.
function transposed.layer(layer, isa)
  local L = isa.lanes
  local read, written = pixels(layer)
  if layer.layout ~= "nchw" or not isa.load_parts or layer.OC ~= layer.IC or read < 4
    or 4 * L * (read + written) > cost.l2_bytes // 2 then
    return nil
  end
  return setmetatable({ layout = "nhwc", IC = L, OC = L, groups = L, source = layer }, { __index = layer })
end

--- Of how many vectors the channels are.
function transposed.vectors(layer, isa) return axis.ceil_div(layer.source.OC, isa.lanes) end

--- Cycles to copy a vector of channels: four pixels take 4 + L loads and shuffles; and its outputs back, of which a
-- line takes eight (measured), as planes hardly begin where lines do.
function transposed.cycles(layer, isa)
  local L, read, written = isa.lanes, pixels(layer)
  return read * (4 + L) / 6 + written * L / 2 + 2 * cost.call
end

--- Where the copies of a task lie in the workspace, in floats: its outputs at the begin, its inputs from `pixels` on,
-- so that a tile of so many rows writes where what the tiles before it have read was; and how many floats in all.
function transposed.copies(layer, isa, rows)
  local read, written = pixels(layer)
  local ahead = layer.stride_h * layer.IW < layer.OW and written
    or math.min(written, math.max(0, layer.pad_top * layer.IW + rows * layer.OW))
  return { pixels = ahead * isa.lanes, floats = math.max(written, ahead + read) * isa.lanes }
end

return transposed
