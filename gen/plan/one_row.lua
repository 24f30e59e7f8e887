-- A small map seen as one row, so that a tile holds pixels of several rows: narrow maps would else have small tiles,
-- and pass over the weights once a row. All taps of the filter are taps of that row; where each of them reads is told
-- pixel by pixel.
-- SPDX-License-Identifier: MIT-0

local axis = require "plan.axis"

local MOST = 64 -- pixels: each tile is code of its own

--- The layer whose only row is the map of `layer`, or nil where it has too many pixels, or one row already.
return function(layer)
  if layer.OH == 1 or layer.OH * layer.OW > MOST then return nil end
  local rows, columns = axis.of(layer)
  return setmetatable({
    KH = 1, KW = layer.KH * layer.KW, IH = 1, IW = layer.IH * layer.IW, OH = 1, OW = layer.OH * layer.OW,
    stride_h = 1, stride_w = 1, pad_top = 0, pad_left = 0, dilation_h = 1, dilation_w = 1,
    -- Which pixel of the image, row by row, output o reads for tap k of the filter; false in the padding.
    place = function(o, k)
      local y = axis.place(rows, o // layer.OW, k // layer.KW)
      local x = axis.place(columns, o % layer.OW, k % layer.KW)
      return y and x and y * layer.IW + x
    end,
    map = layer,
  }, { __index = layer })
end
