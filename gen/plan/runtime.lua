-- Direct convolution with batch, height, width and channels given at run time: one register tile for
-- each width and number of channel vectors that may be left over, from the skeleton of direct.lua.
-- SPDX-License-Identifier: MIT-0
--
-- Where the input needs padding, or is NCHW, a band of it is staged: copied, as NHWC with its padding
-- around it, into the workspace. Tiles then know no borders; rows of the filter that fall into the
-- padding are left out. A 1x1 filter of stride 1 sees its pixels as one line and stages nothing; in
-- NCHW, long lines are computed with pixels in the lanes, from the same packed weights.

local cost = require "plan.cost"

local runtime = {}

-- The tile with the most multiply-adds for its loads.
local function tile_of(isa)
  local best
  for vectors = 1, 4 do
    local pixels = cost.accumulators(isa, vectors) // vectors
    if pixels > 0 then
      local rate = pixels * vectors / cost.step(pixels * vectors, pixels + vectors, 0, 0)
      if not best or rate > best.rate then
        best = { vectors = vectors, pixels = pixels, rate = rate }
      end
    end
  end
  return best
end

-- The tile with pixels in the lanes that goes with `plan`: some channels, of which a vector holds a whole
-- number, and vectors of pixels.
local function pixels_of(plan, isa)
  local best
  for _, outputs in ipairs { 4, 8 } do
    for units = 1, 4 do
      local sums = outputs * units
      if isa.lanes % outputs == 0 and sums <= cost.accumulators(isa, units) then
        local rate = sums / cost.step(sums, outputs + units, 0, 0)
        if not best or rate > best.rate then best = { outputs = outputs, units = units, rate = rate } end
      end
    end
  end
  local sub = setmetatable({
    mapping = "pixels", prefix = "px", outputs = best.outputs, units = best.units,
    tile_name = ("%dx%d"):format(best.units, best.outputs),
    output = { pixel = 1, channel = "view->out_channel" },
  }, { __index = plan })
  local class = { width = best.outputs, stride = "view->width", ragged = "runtime", variants = {} }
  for units = 1, best.units do
    class.variants[units] = { index = units, units = units, pixels = units * isa.lanes }
  end
  table.insert(class.variants, 1, { index = 0, units = 1, pixels = isa.lanes, ragged = true })
  for _, variant in ipairs(class.variants) do
    variant.steps = { unroll = 1, rest = 0, count = "view->channels" }
  end
  sub.classes = { class }
  return sub
end

--- The plan of a layer with run-time sizes, or nil and why not.
function runtime.plan(layer, isa, options)
  if layer.groups ~= 1 then
    return nil, ("groups %d: kernels with run-time sizes have 1 group"):format(layer.groups)
  end
  local tile = tile_of(isa)
  local nhwc = layer.layout == "nhwc"
  local padded = layer.pad_mode ~= nil or layer.pad_top ~= 0 or layer.pad_bottom ~= 0
    or layer.pad_left ~= 0 or layer.pad_right ~= 0
  if layer.KH == 1 and layer.KW == 1 and layer.pad_mode then padded = false end
  local flat = layer.KH == 1 and layer.KW == 1 and not padded and layer.stride_h == 1 and layer.stride_w == 1
  local in_place = flat and not nhwc
  local plan = {
    algorithm = "direct", mapping = "channels", runtime = true, exact = true, tasks = 1,
    tile_name = ("%dx%d"):format(tile.pixels, tile.vectors), tile = tile,
    staged = padded or not (nhwc or flat), rows_clipped = padded,
    ICg = "view->channels", flat = flat,
    input = { row = "view->in_row", pixel = in_place and 1 or "view->in_pixel",
      channel = in_place and "view->in_channel" or 1 },
    output = { pixel = "view->out_pixel", channel = 1 }, -- of NCHW, a row is computed as NHWC first
    accumulators = tile.pixels * tile.vectors, registers = tile.pixels * tile.vectors + tile.vectors + 1,
    classes = {}, max_unroll = options.max_unroll,
  }
  local merged = layer.dilation_w == 1
  for _, vectors in ipairs(tile.vectors == 4 and { 4, 2, 1 } or tile.vectors == 3 and { 3, 2, 1 } or { 2, 1 }) do
    local class = { width = vectors * isa.lanes, vectors = vectors, ragged = "runtime", variants = {} }
    local room = cost.accumulators(isa, vectors) // vectors
    -- As many pixels as there is room for, four, or up to three; with one vector, where each sum waits
    -- for itself and a tile's time does not depend on its pixels, eight or up to four.
    local sizes = vectors == 1 and { 4, 8 } or vectors == 2 and isa.registers >= 32 and { 3, 4, 7 } or { 3, 4, 6 }
    for i, pixels in ipairs(sizes) do
      if pixels <= room then
        class.pixels = pixels -- the most
        class.variants[#class.variants + 1] = {
          index = pixels, pixels = pixels, merged = merged, rolled = not merged, fewer = i == 1,
          steps = { unroll = 1, rest = 0, count = merged and layer.KW > 1 and layer.KW .. " * view->channels"
            or "view->channels" },
        }
      end
    end
    plan.classes[#plan.classes + 1] = class
  end
  if in_place and isa.lanes > 1 then plan.pixels = pixels_of(plan, isa) end
  return plan
end

return runtime
