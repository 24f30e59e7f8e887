-- Operands of the depthwise skeleton as C expressions.
-- SPDX-License-Identifier: MIT-0

local isa_of = require "isa"

local depthwise = {}

--- The functions that templates/depthwise.c calls, for a plan and an instruction set.
function depthwise.names(plan, isa, layer)
  local L = isa.lanes
  local pixels = plan.mapping == "pixels"
  local names = {}

  function names.acc(r, i) return ("acc_r%d_p%d"):format(r, i) end

  --- The weight of a tap in a block, or its bias (tap -1).
  function names.weight(tap)
    local at = (1 + tap) * plan.width
    return pixels and isa.splat(("wb[%d]"):format(at)) or isa.load(isa_of.at("wb", at))
  end

  local function lanes_from(at, lanes)
    local offsets = {}
    for l = 1, L do
      offsets[l] = l <= lanes and at + (plan.multiplier <= L and (l - 1) // plan.multiplier or 0)
    end
    return offsets
  end

  --- What a tile reads of one input row, each vector once: a list of { load, uses = { { i, kw } } },
  -- in the order of their place in the row. `variant` is that of the columns.
  function names.column_operands(variant, panel)
    local list, by_place = {}, {}
    local function use(key, offsets, i, kw)
      if not by_place[key] then
        by_place[key] = { load = isa_of.load_lanes(isa, "row", offsets), uses = {}, order = #list }
        list[#list + 1] = by_place[key]
      end
      local uses = by_place[key].uses
      uses[#uses + 1] = { i = i, kw = kw }
    end
    for i = 0, variant.units - 1 do
      for kw = 0, (variant.rolled and 1 or layer.KW) - 1 do
        if pixels then
          local offsets, any = {}, false
          for l = 1, L do
            local pixel = i * L + l - 1
            local at = pixel < variant.pixels
              and (variant.rolled and pixel * layer.stride_w or not variant.rolled and variant.reads[kw + 1][pixel + 1])
            offsets[l] = at or false
            any = any or offsets[l] ~= false
          end
          if any then
            local key = {}
            for l = 1, L do key[l] = tostring(offsets[l]) end
            use(table.concat(key, " "), offsets, i, kw)
          end
        else
          local at = variant.rolled and i * layer.stride_w or not variant.rolled and variant.reads[kw + 1][i + 1]
          if at then use(at, lanes_from(at * plan.input.pixel, panel.lanes), i, kw) end
        end
      end
    end
    return list
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

  --- The input rows of a row variant, in order: { at, taps = { { r, kh } } }, `at` in rows from the origin.
  function names.input_rows(variant)
    local by_row, rows = {}, {}
    for kh = 0, layer.KH - 1 do
      for r = 0, variant.pixels - 1 do
        local at = variant.reads[kh + 1][r + 1]
        if at then
          if not by_row[at] then
            by_row[at] = { at = at, taps = {} }
            rows[#rows + 1] = by_row[at]
          end
          table.insert(by_row[at].taps, { r = r, kh = kh })
        end
      end
    end
    table.sort(rows, function(a, b) return a.at < b.at end)
    return rows
  end

  --- How many lanes of unit i are stored.
  function names.stored(variant, i, panel)
    if not pixels then return panel.lanes end
    return math.min(L, variant.pixels - i * L)
  end

  names.unit_step = pixels and L or plan.output.pixel

  names.method = {
    pixels and ("Lanes are neighbouring pixels of one channel; a tile is %s (rows x vectors of %d).")
        :format(plan.tile_name, L)
      or ("Lanes are neighbouring channels; a tile is %s pixels (rows x columns)."):format(plan.tile_name),
    plan.looped and "The rows of the filter are a loop; each input vector is loaded once for all taps of a row."
      or "Each input vector is loaded once, and multiplied with the weights of all the taps that read it.",
  }
  return names
end

return depthwise
