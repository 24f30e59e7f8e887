-- A filter that covers all of an image of planes: a dense layer, of one pixel whose channels are all numbers of the
-- image, in the order in which they and the weights lie in memory.
-- SPDX-License-Identifier: MIT-0

--- The layer of that pixel, which is `whole`, or nil where the filter does not cover the image, or weights lie in
-- another order.
return function(layer)
  local taps = layer.KH * layer.KW
  if layer.layout ~= "nchw" or layer.groups > 1 or layer.OH * layer.OW > 1 or layer.pad_top > 0 or layer.pad_left > 0
    or layer.KH ~= layer.IH or layer.KW ~= layer.IW
    or taps > 1 and (layer.weights ~= "oihw" or layer.dilation_h > 1 or layer.dilation_w > 1) then return nil end
  return setmetatable({
    layout = "nhwc", IC = layer.IC * taps, KH = 1, KW = 1, IH = 1, IW = 1, stride_h = 1, stride_w = 1, whole = layer,
  }, { __index = layer })
end
