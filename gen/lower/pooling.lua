-- Operands of the pooling skeletons as C expressions.
-- SPDX-License-Identifier: MIT-0

local isa_of = require "isa"
local planes = require "lower.planes"

local pooling = {}

-- A value by a number of taps, of which a power of two divides exactly when multiplied with its inverse.
local function divided(isa, value, count)
  if count == 1 then return value end
  if math.type(count) == "integer" and count & (count - 1) == 0 then
    return isa.mul(value, isa.splat(("1.0f / %d.0f"):format(count)))
  end
  return isa.div(value, isa.splat(math.type(count) == "integer" and count .. ".0f" or "(float)" .. count))
end

-- What a vector becomes with one more: the larger, or the sum.
local function combining(isa, layer)
  if layer.pool == "max" then
    return function(value, so_far) return isa.maximum(value, so_far) end
  end
  return function(value, so_far) return isa.add(so_far, value) end
end

--- Sets the functions of what pools whole windows in registers: combine(value, so_far), and finish(value)
-- for what a window has become.
function pooling.set_whole(names, isa, layer)
  names.combine = combining(isa, layer)
  function names.finish(value)
    return layer.pool == "max" and value or divided(isa, value, layer.KH * layer.KW)
  end
end

-- Lines of C that combine named vectors in pairs, and pairs of pairs, and the name of the result.
local function combined(isa, combine, names, prefix)
  local lines = {}
  while #names > 1 do
    local pairs_ = {}
    for i = 1, #names, 2 do
      if names[i + 1] then
        pairs_[#pairs_ + 1] = ("%s%d"):format(prefix, #lines)
        lines[#lines + 1] = ("const %s %s = %s;"):format(isa.vector, pairs_[#pairs_], combine(names[i], names[i + 1]))
      else
        pairs_[#pairs_ + 1] = names[i]
      end
    end
    names = pairs_
  end
  return lines, names[1]
end

-- One window at a time: templates/pooling_window.c.
local function window_names(plan, isa, layer)
  local L, w, max = isa.lanes, plan.windows, layer.pool == "max"
  local names = { combine = combining(isa, layer) }

  function names.acc(i) return "acc_k" .. i end

  function names.finish(value) return max and value or divided(isa, value, w.count) end

  function names.combined(list, prefix) return combined(isa, names.combine, list, prefix) end

  names.whole = w.taps // L -- vectors of a run
  names.rest = w.taps % L

  --- The taps of a run that fill no vector; of a maximum, some of them again, or those before.
  function names.last_taps(base)
    if not max then return isa.load_range(isa_of.at(base, names.whole * L), 0, names.rest) end
    local offsets = {}
    for l = 1, L do
      offsets[l] = w.taps >= L and w.taps - L + l - 1 or math.min(l, w.taps) - 1
    end
    return isa_of.load_lanes(isa, base, offsets)
  end

  --- The last vector of lanes may hold fewer.
  function names.lanes_of(panel, v) return math.min(L, panel.lanes - v * L) end

  names.method = {
    plan.mapping == "channels"
      and ("Lanes are neighbouring channels, %d vectors of which pass over a window at the same time.")
        :format(plan.accumulators)
      or ("Lanes are neighbouring taps of a window, of %d channels at the same time; at its end the "
        .. "lanes are combined.")
        :format(plan.accumulators),
  }
  return names
end

-- Tiles of windows: templates/pooling.c.
local function tile_names(plan, isa, layer)
  local L, max = isa.lanes, layer.pool == "max"
  local pixels = plan.mapping == "pixels"
  local names = planes.names(plan, isa, layer, max)

  names.weights_parameter, names.weights_argument = "", ""
  names.combine = combining(isa, layer)
  if plan.counted_rows then names.row_arguments = { "kh_begin", "kh_end", "tall" } end
  if plan.counted_columns then names.column_arguments = { "kw_begin", "kw_end", "wide" } end
  names.counted_height = layer.IH + layer.pad_bottom
  names.counted_width = layer.IW + layer.pad_right

  -- How many taps count along an axis, a number or a C expression.
  local function rows_of(rows, r)
    if rows.counts then return rows.counts[r + 1] end
    if plan.counted_rows then return "tall" end
    return not layer.include_pad and plan.rows_clipped and "(kh_end - kh_begin)" or layer.KH
  end
  local function columns_of(columns, pixel)
    if not columns.rolled then return columns.counts[pixel + 1] end
    if plan.counted_columns then return "wide" end
    return layer.include_pad and layer.KW or "(kw_end - kw_begin)"
  end
  local function product(a, b)
    if a == 1 or b == 1 then return a == 1 and b or a end
    return math.type(a) and math.type(b) and a * b or ("(%s * %s)"):format(a, b)
  end

  --- The result of accumulator (r, i): lines of C that it needs before, and its expression.
  function names.finish(rows, columns, r, i)
    local value = names.acc(r, i)
    if max then return {}, value end
    local tall, wide, same = rows_of(rows, r), {}, true
    for l = 1, pixels and L or 1 do
      local pixel = pixels and i * L + l - 1 or i
      wide[l] = columns.rolled and columns_of(columns) or pixel < columns.pixels and columns_of(columns, pixel)
        or wide[1]
      same = same and wide[l] == wide[1]
    end
    if same then return {}, divided(isa, value, product(tall, wide[1])) end
    -- Lanes that count differently.
    local counts = ("count_r%d_p%d"):format(r, i)
    for l = 1, L do wide[l] = (math.type(tall) and tall * wide[l] or wide[l]) .. ".0f" end
    local line = ("const float %s[%d] = { %s };"):format(counts, L, table.concat(wide, ", "))
    local count = isa.load(counts)
    if not math.type(tall) then count = isa.mul(count, isa.splat("(float)" .. tall)) end
    return { line }, isa.div(value, count)
  end

  names.method = {
    pixels and ("Lanes are neighbouring outputs of one channel; a tile is %s (rows x vectors of %d)."):format(
      plan.tile_name, L)
      or ("Lanes are neighbouring channels; a tile is %s windows (rows x columns)."):format(plan.tile_name),
    plan.looped and "The rows of a window are a loop; each input vector is loaded once for all windows that share it "
        .. "in a row."
      or "Each input vector is loaded once for all windows of the tile that share it.",
  }
  return names
end

--- The functions that the templates call, for a plan and an instruction set.
function pooling.names(plan, isa, layer)
  return (plan.windows and window_names or tile_names)(plan, isa, layer)
end

return pooling
