-- What templates/fused.c asks a plan for; the operands of its two halves are those of their skeletons.
-- SPDX-License-Identifier: MIT-0

local depthwise = require "lower.depthwise"
local direct = require "lower.direct"
local pooling = require "lower.pooling"

local fused = {}

local lowering = { direct = direct, depthwise = depthwise }

--- What templates/fused.c knows besides its halves, for a plan and an instruction set.
function fused.names(plan, isa)
  local map = lowering[plan.map.algorithm].names(plan.map, isa, plan.map.layer)
  if not plan.pool then
    map.method[#map.method + 1] = ("A tile holds whole windows, whose %d pixel%s in a row become one in "
      .. "registers; the rows of a window follow one another."):format(plan.map.pooled.KW,
      plan.map.pooled.KW == 1 and "" or "s")
    return { copies = false, pins = map.pins, method = map.method }
  end
  local pool = pooling.names(plan.pool, isa, plan.pool.layer)
  return {
    copies = plan.kept > 0 and plan.row_tiles > plan.step, pins = map.pins,
    method = {
      ("The map of the convolution is computed into a band of %d of its rows and pooled from there, %d row%s of "
        .. "windows at a time%s."):format(plan.rows, plan.step, plan.step == 1 and "" or "s",
        plan.kept > 0 and ", and what the next windows need of it is kept" or ""),
      "Convolution: " .. table.concat(map.method, " "),
      "Pooling: " .. table.concat(pool.method, " "),
    },
  }
end

return fused
