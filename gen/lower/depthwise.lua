-- Operands of the depthwise skeleton as C expressions.
-- SPDX-License-Identifier: MIT-0

local isa_of = require "isa"
local planes = require "lower.planes"

local depthwise = {}

--- The functions that templates/depthwise.c calls, for a plan and an instruction set.
function depthwise.names(plan, isa, layer)
  local pixels = plan.mapping == "pixels"
  local names = planes.names(plan, isa, layer)

  names.weights_parameter, names.weights_argument = ", const float *w", ", w"

  --- The weight of a tap in a block, or its bias (tap -1).
  function names.weight(tap)
    local at = (1 + tap) * plan.width
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

  names.method = {
    pixels and ("Lanes are neighbouring pixels of one channel; a tile is %s (rows x vectors of %d)."):format(
      plan.tile_name, isa.lanes)
      or ("Lanes are neighbouring channels; a tile is %s pixels (rows x columns)."):format(plan.tile_name),
    plan.looped and "The rows of the filter are a loop; each input vector is loaded once for all taps of a row."
      or "Each input vector is loaded once, and multiplied with the weights of all the taps that read it.",
  }
  return names
end

return depthwise
