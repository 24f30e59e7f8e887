-- Direct convolution with batch, height, width and channels given at run time: one register tile for
-- each width and number of channel vectors that may be left over, from the skeleton of direct.lua.
-- SPDX-License-Identifier: MIT-0
--
-- Where the input needs padding, or is NCHW, a band of it is staged: copied, as NHWC with its padding
-- around it, into the workspace. Tiles then know no borders; rows of the filter that fall into the
-- padding are left out.

local cost = require "plan.cost"

local runtime = {}

-- The tile with the most multiply-adds for its loads.
local function tile_of(isa)
  local best
  for vectors = 1, 4 do
    local most = isa.registers >= 32 and 24 or 12
    local pixels = math.min(most, cost.accumulators(isa, vectors)) // vectors
    if pixels > 0 then
      local rate = pixels * vectors / cost.step(pixels * vectors, pixels + vectors, 0, 0)
      if not best or rate > best.rate then
        best = { vectors = vectors, pixels = pixels, rate = rate }
      end
    end
  end
  return best
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
  local plan = {
    algorithm = "direct", mapping = "channels", runtime = true, exact = true, tasks = 1,
    tile_name = ("%dx%d"):format(tile.pixels, tile.vectors), tile = tile,
    staged = padded or not nhwc, rows_clipped = padded,
    ICg = "view->channels", flat = layer.KH == 1 and layer.KW == 1 and not padded
      and layer.stride_h == 1 and layer.stride_w == 1 and nhwc,
    input = { row = "view->in_row", pixel = "view->in_pixel", channel = 1 },
    output = { pixel = "view->out_pixel", channel = 1 }, -- of NCHW, a row is computed as NHWC first
    accumulators = tile.pixels * tile.vectors, registers = tile.pixels * tile.vectors + tile.vectors + 1,
    classes = {}, max_unroll = options.max_unroll,
  }
  local merged = layer.dilation_w == 1
  for _, vectors in ipairs(tile.vectors == 4 and { 4, 2, 1 } or tile.vectors == 3 and { 3, 2, 1 } or { 2, 1 }) do
    local class = { width = vectors * isa.lanes, vectors = vectors, ragged = "runtime", variants = {} }
    local room = math.min(isa.registers >= 32 and 24 or 12, cost.accumulators(isa, vectors)) // vectors
    for _, pixels in ipairs { 1, 2, 3, 4, 6 } do
      if pixels <= room then
        class.pixels = pixels -- the most
        class.variants[#class.variants + 1] = {
          index = pixels, pixels = pixels, merged = merged, rolled = not merged,
          steps = { unroll = 1, rest = 0, count = merged and layer.KW > 1 and layer.KW .. " * view->channels"
            or "view->channels" },
        }
      end
    end
    plan.classes[#plan.classes + 1] = class
  end
  return plan
end

return runtime
