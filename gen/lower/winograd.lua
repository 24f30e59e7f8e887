-- What the Winograd templates ask a plan for.
-- SPDX-License-Identifier: MIT-0

local activation = require "activation"
local direct = require "lower.direct"
local linear = require "linear"
local pooling = require "lower.pooling"

local winograd = {}

-- The layer that direct.c sees: a filter of one tap on a row of tiles.
local POINT = {
  KH = 1, KW = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1, pad_top = 0, pad_left = 0,
  groups = 1, bias = false, activation = { kind = "none" }, layout = "nhwc",
}

local function number(x)
  local text = activation.number_text(string.unpack("f", string.pack("f", x)))
  return (text:find("[.e]") and text or text .. ".0") .. "f"
end

--- The functions that templates/winograd*.c call, for a plan and an instruction set.
function winograd.names(plan, isa, layer)
  local L, large = isa.lanes, plan.sizes[1]
  local names = { n = large.points }

  if layer.after then pooling.set_whole(names, isa, layer.after) end

  --- The lines of a transform of d0, d1 ...
  function names.transform(program) return linear.lines(program, isa, number) end

  --- The sizes of tiles: all pairs { h, w, name, condition }, where large_h and large_w tell them apart.
  names.pairs = {}
  local function both(tiles) return tiles.large > 0 and tiles.small > 0 end
  for i, h in ipairs(plan.sizes) do
    for j, w in ipairs(plan.sizes) do
      local there = (i == 1 and plan.tiles_h.large or plan.tiles_h.small) > 0
        and (j == 1 and plan.tiles_w.large or plan.tiles_w.small) > 0
      if there then
        local condition = {}
        if both(plan.tiles_h) then condition[1] = i == 1 and "large_h" or "!large_h" end
        if both(plan.tiles_w) then condition[#condition + 1] = j == 1 and "large_w" or "!large_w" end
        names.pairs[#names.pairs + 1] = { h = h, w = w, name = ("%dx%d"):format(h.m, w.m),
          condition = table.concat(condition, " && ") }
      end
    end
  end

  --- C for where tile `at` of an axis begins, and for how many of `count` tiles from there on are large.
  function names.begin(tiles, at)
    local a, b = plan.sizes[1].m, plan.sizes[2] and plan.sizes[2].m
    if tiles.small == 0 then return ("%s * %d"):format(at, a) end
    if tiles.large == 0 then return ("%s * %d"):format(at, b) end
    return ("(%s < %d ? %s * %d : %s * %d + %d)"):format(at, tiles.large, at, a, at, b, tiles.large * (a - b))
  end
  function names.large(tiles, at, count)
    if tiles.small == 0 then return count end
    if tiles.large == 0 then return "0" end
    return ("(%s + %s <= %d ? %s : %s < %d ? %d - %s : 0)"):format(at, count, tiles.large, count, at,
      tiles.large, tiles.large, at)
  end

  --- What winograd_products.c sees besides: direct.c's plan.
  function names.products()
    local own = { layer = POINT, plan = plan.products, winograd = plan }
    for key, value in pairs(direct.names(plan.products, isa, POINT)) do own[key] = value end
    return own
  end

  --- A row of G as an initialiser of doubles.
  function names.filter_row(i)
    local out = {}
    for k, c in ipairs(large.G[i]) do
      out[k] = c.d == 1 and ("%d.0"):format(c.n) or ("%d.0 / %d.0"):format(c.n, c.d)
    end
    return "{ " .. table.concat(out, ", ") .. " }"
  end

  --- How many channels the vectors of input (or output) hold: all lanes, and the rest.
  local function counts(channels, tail)
    local list = {}
    if channels >= L then list[1] = { lanes = L, suffix = "" } end
    if tail > 0 then list[#list + 1] = { lanes = tail, suffix = "_last" } end
    return list
  end
  names.input_counts = counts(layer.IC, plan.in_tail)
  names.output_counts = counts(layer.OC, plan.out_tail)

  local sizes = {}
  for i, pair in ipairs(names.pairs) do sizes[i] = pair.name:gsub("x", " x ") end
  names.method = {
    ("Winograd's algorithm: the output is cut into tiles of %s pixels. One of %d x %d needs %d products for each"
      .. " pair of channels, in place of %d."):format(table.concat(sizes, ", "), large.m, large.m,
      plan.elements, 9 * large.m * large.m),
    ("Windows of the input are transformed, a vector of channels at a time; each of their elements is summed"
      .. " over the input channels, in a block of up to %d tiles; the sums are transformed back.")
      :format(plan.block_rows * plan.block_columns),
  }
  return names
end

return winograd
