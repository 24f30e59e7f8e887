-- Operands of the depthwise skeleton as C expressions.
-- SPDX-License-Identifier: MIT-0

local dimension = require "dimension"
local isa_of = require "isa"
local planes = require "lower.planes"

local depthwise = {}

-- The operands of a tile with run-time sizes. Those of its edge variant are loaded in part: of pixels
-- the lanes first_AT to last_AT - 1 of the operand AT columns from the origin, of channels all or none.
local function runtime_operands(names, plan, isa, layer, name)
  local pixels, L = plan.mapping == "pixels", isa.lanes

  -- Where columns are few multiples of the distance from one to the next, a row has one pointer (measured with few
  -- registers).
  local farthest = (plan.columns.units - 1) * layer.stride_w + (layer.KW - 1) * layer.dilation_w
  names.by_multiples = isa.scaled_index == true and isa.registers < 32 and not pixels
    and farthest <= #isa_of.multiples

  -- What a tile steps by beside rows.
  names.input_step = pixels and "in_channel" or "in_pixel"
  names.output_step = pixels and "out_channel" or "out_pixel"

  local function operand(variant, at)
    local place = isa_of.at("row", dimension.times(at, plan.input.pixel))
    if variant.edge and pixels then
      return { load = ("%s_load(%s, first_%d, last_%d)"):format(name, place, at, at), condition = "" }
    elseif variant.edge then
      return {
        load = ("%s_load(%s, 0, lanes)"):format(name, place),
        condition = ("if (in_%d) "):format(at),
      }
    elseif names.by_multiples then
      return { load = isa.load(("CONV_AT(row, %s)"):format(isa_of.multiples[at])) }
    elseif not pixels then
      return { load = isa.load(place) }
    end
    local offsets = {}
    for l = 1, L do offsets[l] = at + (l - 1) * layer.stride_w end
    return { load = isa_of.load_lanes(isa, "row", offsets) }
  end

  function names.column_operands(variant)
    local list, by_place = {}, {}
    for i = 0, variant.units - 1 do
      for kw = 0, layer.KW - 1 do
        local at = i * (pixels and L or 1) * layer.stride_w + kw * layer.dilation_w
        if not by_place[at] then
          by_place[at] = operand(variant, at)
          by_place[at].at, by_place[at].uses = at, {}
          list[#list + 1] = by_place[at]
        end
        table.insert(by_place[at].uses, { i = i, kw = kw })
      end
    end
    table.sort(list, function(a, b) return a.at < b.at end)
    return list
  end

  --- The distance s1 of neighbouring columns in bytes, and those of its odd multiples that operands use; nil where
  -- there is but one column.
  function names.distances(operands)
    local text, used = ("s1 = 4 * view->%s"):format(names.input_step), {}
    local last = operands[#operands].at
    if last == 0 then return nil end
    for _, o in ipairs(operands) do used[isa_of.multiples[o.at]:match("s%d+") or ""] = true end
    for n = 3, last, 2 do
      if used["s" .. n] then text = ("%s, s%d = %d * s1"):format(text, n, n) end
    end
    return text
  end

  --- C that says which lanes of each operand are in the image; of channels, whether it is.
  function names.limits(operands)
    local lines = {}
    for i, o in ipairs(operands) do
      lines[i] = pixels and ("const int first_%d = %s_lane(column_begin - %d), last_%d = %s_lane(column_end - %d);")
        :format(o.at, name, o.at, o.at, name, o.at)
        or ("const int in_%d = column_begin <= %d && %d < column_end;"):format(o.at, o.at, o.at)
    end
    return lines
  end
end

--- The functions that templates/depthwise_tile.c calls, for the plan of the kernel `name` and an
-- instruction set.
function depthwise.names(plan, isa, layer, name)
  local pixels = plan.mapping == "pixels"
  local names = planes.names(plan, isa, layer)

  names.weights_parameter, names.weights_argument = ", const float *w", ", w"
  if plan.chunk then
    names.weights_parameter, names.weights_argument = ", const float *w, int blocks", ", w, blocks"
  end

  if plan.runtime then runtime_operands(names, plan, isa, layer, name) end

  --- The weight of a tap in a block, or its bias (tap -1); `vector`: which of those side by side.
  function names.weight(tap, vector)
    local at = (1 + tap) * plan.width + (vector or 0) * isa.lanes
    return pixels and isa.splat(("wb[%d]"):format(at)) or isa.load(isa_of.at("wb", at))
  end

  --- The taps kw that a list of column operands uses, in order.
  function names.used_taps(operands)
    local seen, taps = {}, {}
    for _, operand in ipairs(operands) do
      for _, use in ipairs(operand.uses) do
        if not seen[use.kw] then
          seen[use.kw] = true
          taps[#taps + 1] = use.kw
        end
      end
    end
    table.sort(taps)
    return taps
  end

  --- What a tap kw meets: a list of { i, operand, new }, `new` where no tap before it in `taps` uses that operand.
  function names.met_by(operands, taps, kw)
    local list = {}
    for _, operand in ipairs(operands) do
      local new = true
      for _, before in ipairs(taps) do
        if before == kw then break end
        for _, use in ipairs(operand.uses) do new = new and use.kw ~= before end
      end
      for _, use in ipairs(operand.uses) do
        if use.kw == kw then
          list[#list + 1], new = { i = use.i, operand = operand, new = new }, false
        end
      end
    end
    return list
  end

  --- Where in a tile an output row's sums begin and are stored: lists of rows, by the input row before which they
  -- are the first time read and after which they are complete; of all that live from the begin to the end of the
  -- tile, `first` and `last`.
  function names.lives(variant, reads)
    local begins, ends, from, to = { first = {} }, { last = {} }, {}, {}
    for _, input in ipairs(reads and plan.rolling and names.input_rows(variant) or {}) do
      for _, tap in ipairs(input.taps) do
        from[tap.r], to[tap.r] = from[tap.r] or input.at, input.at
      end
    end
    for r = 0, variant.pixels - 1 do
      local first, last = from[r] or "first", to[r] or "last"
      begins[first], ends[last] = begins[first] or {}, ends[last] or {}
      table.insert(begins[first], r)
      table.insert(ends[last], r)
    end
    return begins, ends
  end

  names.method = {
    pixels and ("Lanes are neighbouring pixels of one channel; a tile is %s (rows x %s)."):format(
      plan.tile_name, isa.lanes > 1 and "vectors of " .. isa.lanes or "columns")
      or ("Lanes are neighbouring channels; a tile is %s pixels (rows x columns%s)."):format(plan.tile_name,
        plan.vectors > 1 and " x vectors of channels" or ""),
    plan.rolling and "Tiles roll down their rows: each is stored when it is complete." or "",
    plan.copies and "Planes are copied to where channels are neighbours, and back." or "",
    plan.runtime and (pixels and (isa.lanes > 1 and "Vectors at the border have fewer lanes." or "")
      or "At the left and right border, and for channels that fill no vector, a tile has one column.")
      or plan.looped and "The rows of the filter are a loop; each input vector is loaded once for all taps of a row."
      or plan.held == "one" and "Each weight is loaded once for a row of inputs, and multiplied with all that it meets."
      or "Each input vector is loaded once, and multiplied with the weights of all the taps that read it.",
  }
  return names
end

return depthwise
