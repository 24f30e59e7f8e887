-- Operands of the skeletons in which each output reads one input channel, as C expressions.
-- SPDX-License-Identifier: MIT-0

local isa_of = require "isa"

local planes = {}

--- The functions that depthwise and pooling share, for a plan and an instruction set. Where `spare`,
-- lanes whose tap lies in the padding repeat another tap of theirs (and then, lanes without an output
-- anything, so that a permutation does it); otherwise they read 0.
function planes.names(plan, isa, layer, spare)
  local L = isa.lanes
  local pixels = plan.mapping == "pixels"
  local names = {}

  function names.acc(r, i) return ("acc_r%d_p%d"):format(r, i) end

  -- Where an output of a variant reads for tap kw, in pixels from the origin; false in the padding.
  local function read(variant, kw, pixel)
    if variant.rolled then return pixel * layer.stride_w end
    return variant.reads[kw + 1][pixel + 1]
  end

  -- The tap nearest to kw of those that an output has.
  local function nearest(variant, kw, pixel)
    for distance = 1, layer.KW do
      local at = variant.reads[kw - distance + 1] and read(variant, kw - distance, pixel)
        or variant.reads[kw + distance + 1] and read(variant, kw + distance, pixel)
      if at then return at end
    end
    return false
  end

  -- Offsets of the pixels of unit i, lane by lane; nil where all lie in the padding.
  local function pixel_offsets(variant, kw, i)
    local offsets, any = {}, false
    for l = 1, L do
      local pixel = i * L + l - 1
      offsets[l] = pixel < variant.pixels and read(variant, kw, pixel)
      any = any or offsets[l] ~= false
    end
    if not any then return nil end
    local irregular = false
    for l = 1, spare and L or 0 do
      local pixel = i * L + l - 1
      if not offsets[l] and (pixel < variant.pixels or irregular) then
        offsets[l] = pixel < variant.pixels and nearest(variant, kw, pixel) or offsets[l - 1]
        irregular = true
      end
    end
    return offsets
  end

  -- Offsets of the channels of a pixel from `first` on; nil in the padding.
  local function channel_offsets(variant, kw, i, lanes, first)
    local at, offsets = read(variant, kw, i), {}
    if not at then return nil end
    for l = 1, L do
      offsets[l] = l <= lanes
        and at * plan.input.pixel + first + (plan.multiplier <= L and (l - 1) // plan.multiplier or 0)
    end
    return offsets
  end

  --- What a tile reads of one input row, each vector once: a list of { index, load, uses = { { i, kw } } },
  -- in the order of their place in the row. `variant` is that of the columns; `vector`: which of those side by side.
  function names.column_operands(variant, panel, vector)
    local list, by_place = {}, {}
    for i = 0, variant.units - 1 do
      for kw = 0, (variant.rolled and 1 or layer.KW) - 1 do
        local offsets
        if pixels then
          offsets = pixel_offsets(variant, kw, i)
        else
          offsets = channel_offsets(variant, kw, i, math.min(L, panel.lanes), (vector or 0) * L)
        end
        if offsets then
          local key = {}
          for l = 1, L do key[l] = tostring(offsets[l]) end
          key = table.concat(key, " ")
          if not by_place[key] then
            by_place[key] = { index = #list, load = isa_of.load_lanes(isa, "row", offsets), uses = {} }
            list[#list + 1] = by_place[key]
          end
          table.insert(by_place[key].uses, { i = i, kw = kw })
        end
      end
    end
    return list
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
    if not pixels then return math.min(L, panel.lanes) end
    return math.min(L, variant.pixels - i * L)
  end

  names.unit_step = pixels and L or plan.output.pixel

  --- What a row of tiles is told besides its place: which taps of the column meet the image.
  names.row_arguments = plan.looped and plan.rows_clipped and { "kh_begin", "kh_end" } or {}
  --- And a tile whose taps are in a loop.
  names.column_arguments = { "kw_begin", "kw_end" }

  --- ", int a, int b"
  function names.parameters(list)
    local out = {}
    for i, argument in ipairs(list) do out[i] = ", int " .. argument end
    return table.concat(out)
  end

  --- ", a, b"
  function names.arguments(list)
    return #list > 0 and ", " .. table.concat(list, ", ") or ""
  end

  return names
end

return planes
