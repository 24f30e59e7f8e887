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

--- The lines of a transform of d0, d1 ...
function winograd.transform(program, isa) return linear.lines(program, isa, number) end

--- What winograd_products.c sees besides: direct.c's plan.
function winograd.products(plan, isa)
  local own = { layer = POINT, plan = plan.products, winograd = plan }
  for key, value in pairs(direct.names(plan.products, isa, POINT)) do own[key] = value end
  return own
end

--- How many channels vectors of so many hold: all lanes, and the rest.
function winograd.counts(channels, tail, isa)
  local list = {}
  if channels >= isa.lanes then list[1] = { lanes = isa.lanes, suffix = "" } end
  if tail > 0 then list[#list + 1] = { lanes = tail, suffix = "_last" } end
  return list
end

--- The functions that templates/winograd*.c call, for a plan and an instruction set.
function winograd.names(plan, isa, layer)
  local L, H, W = isa.lanes, plan.h, plan.w
  local names = { H = H, W = W }

  if layer.after then pooling.set_whole(names, isa, layer.after) end

  function names.transform(program) return winograd.transform(program, isa) end

  -- Of an axis's cover: whether it has tiles of two sizes.
  local function mixed(tiles) return tiles.large > 0 and tiles.small > 0 end
  names.mixed = mixed

  --- The sizes of tiles: all pairs { h, w, name, condition }, where large_h and large_w tell them apart.
  names.pairs = {}
  for i, h in ipairs(H) do
    for j, w in ipairs(W) do
      local there = (i == 1 and plan.tiles_h.large or plan.tiles_h.small) > 0
        and (j == 1 and plan.tiles_w.large or plan.tiles_w.small) > 0
      if there then
        local condition = {}
        if mixed(plan.tiles_h) then condition[1] = i == 1 and "large_h" or "!large_h" end
        if mixed(plan.tiles_w) then condition[#condition + 1] = j == 1 and "large_w" or "!large_w" end
        names.pairs[#names.pairs + 1] = { h = h, w = w, name = ("%dx%d"):format(h.m, w.m),
          condition = table.concat(condition, " && ") }
      end
    end
  end

  --- Of few channels: floats of the elements of a column of a tile.
  function names.few_row(pair) return (pair.h.points * plan.ICg + L - 1) // L * L end

  --- C for where tile `at` of an axis begins, in outputs, or in inputs with a factor: the stride.
  function names.begin(tiles, at, factor)
    local step = tiles.step * (factor or 1)
    local a, b = tiles.f[1].m, tiles.f[2] and tiles.f[2].m
    local index = tiles.step > 1 and ("%s / %d"):format(at, tiles.step) or at
    local text = ("%s * %d"):format(index, (tiles.small == 0 and a or b) * step)
    if mixed(tiles) then
      text = ("(%s < %d ? %s * %d : %s + %d)"):format(at, tiles.large, index, a * step, text,
        tiles.large // tiles.step * (a - b) * step)
    end
    return tiles.step > 1 and ("(%s + %s %% %d)"):format(text, at, tiles.step) or text
  end

  --- C for how many of `size` pixels from `at` on, the tiles' step apart, lie before `limit`.
  function names.inside(tiles, at, size, limit)
    if tiles.step == 1 then return ("%s + %s <= %d ? %s : %d - %s"):format(at, size, limit, size, limit, at) end
    return ("%s + (%s - 1) * %d < %d ? %s : (%d - %s) / %d"):format(at, size, tiles.step, limit, size,
      limit + tiles.step - 1, at, tiles.step)
  end

  --- C for how many of `count` tiles from tile `at` on are large.
  function names.large(tiles, at, count)
    if tiles.small == 0 then return count end
    if tiles.large == 0 then return "0" end
    return ("(%s + %s <= %d ? %s : %s < %d ? %d - %s : 0)"):format(at, count, tiles.large, count, at,
      tiles.large, tiles.large, at)
  end

  --- C for a number that both sizes of a tile have, which large_`which` tells apart.
  function names.of_size(which, field)
    local tiles = plan["tiles_" .. which]
    local large, small = tiles.f[1][field], tiles.f[2] and tiles.f[2][field]
    if mixed(tiles) then return ("(large_%s ? %d : %d)"):format(which, large, small) end
    return tostring(tiles.large > 0 and large or small)
  end

  --- The same as a declaration of large_`which`, of tile number `index` where the first `count` are large.
  function names.size_of(which, index, count)
    return mixed(plan["tiles_" .. which]) and { ("const int large_%s = %s < %s;"):format(which, index, count) } or {}
  end

  function names.products() return winograd.products(plan, isa) end

  --- A row of G as an initialiser of doubles.
  function names.filter_row(row)
    local out = {}
    for k, c in ipairs(row) do
      out[k] = c.d == 1 and ("%d.0"):format(c.n) or ("%d.0 / %d.0"):format(c.n, c.d)
    end
    return "{ " .. table.concat(out, ", ") .. " }"
  end

  names.input_counts = winograd.counts(plan.ICg, plan.in_tail, isa)
  names.output_counts = winograd.counts(plan.OCg, plan.out_tail, isa)

  local sizes = {}
  for i, pair in ipairs(names.pairs) do sizes[i] = pair.name:gsub("x", " x ") end
  local steps = { plan.tiles_h.step, plan.tiles_w.step }
  local apart = ""
  if math.max(steps[1], steps[2]) > 1 then apart = (", %d x %d apart as the taps are"):format(steps[1], steps[2]) end
  local phases = plan.phases and plan.phases.h * plan.phases.w or 1
  names.method = {
    ("Winograd's algorithm: the output is cut into tiles of %s pixels%s. One of %d x %d needs %d products for each"
      .. " pair of channels, in place of %d."):format(table.concat(sizes, ", "), apart, H[1].m, W[1].m,
      plan.elements * phases, layer.KH * layer.KW * H[1].m * W[1].m),
    phases > 1 and ("%d x %d pixels are one, of %d channels, in a copy of the input."):format(plan.phases.h,
      plan.phases.w, plan.ICg) or "",
    (plan.few and "Windows of the input are transformed, in a block of up to %d tiles; their elements are summed over"
      .. " the few input channels, a tile at a time, and transformed back in registers."
      or "Windows of the input are transformed, a vector of channels at a time; each of their elements is summed"
      .. " over the input channels, in a block of up to %d tiles; the sums are transformed back.")
      :format(plan.row_cut.most * plan.column_cut.most),
  }
  return names
end

return winograd
