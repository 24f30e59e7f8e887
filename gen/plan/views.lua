-- Operand views: an image is addressed by strides, in elements, whatever its layout.
-- SPDX-License-Identifier: MIT-0

local views = {}

--- Strides of a batch of C x H x W images: { image, row, pixel, channel, count }.
function views.image(layout, channels, height, width)
  if layout == "nhwc" then
    return { image = height * width * channels, row = width * channels, pixel = channels, channel = 1 }
  end
  return { image = channels * height * width, row = width, pixel = 1, channel = height * width }
end

--- Strides of weights [OC][IC/groups][KH][KW] in one of their three orders: { o, i, kh, kw }.
function views.weights(order, layer)
  local O, I, KH, KW = layer.OC, layer.IC // layer.groups, layer.KH, layer.KW
  if order == "oihw" then return { o = I * KH * KW, i = KH * KW, kh = KW, kw = 1 } end
  if order == "ohwi" then return { o = KH * KW * I, i = 1, kh = KW * I, kw = I } end
  return { o = 1, i = O, kh = KW * I * O, kw = I * O }
end

return views
