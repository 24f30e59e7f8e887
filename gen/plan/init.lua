-- From a layer to a plan: which algorithm, and every number that the templates print. Plain data.
-- SPDX-License-Identifier: MIT-0

local cost = require "plan.cost"
local direct = require "plan.direct"
local depthwise = require "plan.depthwise"
local explain = require "plan.explain"
local fused = require "plan.fused"
local pooling = require "plan.pooling"
local strassen = require "plan.strassen"
local winograd = require "plan.winograd"

local plan = {}

-- In the order in which 'auto' asks them; each may decline a layer. The first that does not is taken,
-- but one that has a `handicap` competes with the next ones: its predicted cycles, times that, must be fewer.
local algorithms = { pooling, depthwise, winograd, strassen, direct, fused }

-- Those that a layer chooses from: with pooling behind it, Winograd's, which can do it, and fused, which
-- chooses one for the convolution.
local function choice(layer, wanted)
  if not layer.after then return algorithms, wanted end
  if wanted == "auto" then return { winograd, fused }, wanted end
  if wanted == winograd.name then return { winograd }, wanted end
  return { fused }, "auto"
end

--- The plan of a layer for an instruction set, or nil and why there is none.
-- options: algorithm ('auto' or a name), accuracy, max_unroll, tile, block (the most tiles in a block of
-- Winograd's), costs (numbers that replace those of the cost model).
function plan.make(layer, isa, options)
  local _ <close> = cost.replaced(options.costs)
  local reason, best, cycles
  local rivals = {}
  local list, wanted = choice(layer, options.algorithm or "auto")
  for _, algorithm in ipairs(list) do
    if wanted == algorithm.name and (layer.pool ~= nil) ~= (algorithm.pools or false) then
      reason = ("algorithm %s: %s"):format(wanted, layer.pool and "the layer is a pooling layer"
        or "the layer is no pooling layer")
    elseif wanted == algorithm.name or wanted == "auto" and algorithm.fits(layer, isa, options) then
      local made, message = algorithm.plan(layer, isa, options)
      if not made then
        reason = message
      elseif made.tasks > 0x7fffffff then
        reason = ("the layer makes %d tasks, at most 2147483647 are supported"):format(made.tasks)
      else
        made.layer, made.isa, made.costs = layer, isa, options.costs
        made.l1_bytes, made.l2_bytes = cost.l1_bytes(), cost.l2_bytes
        rivals[#rivals + 1] = made
        local handicapped = (made.cycles or 0) * (algorithm.handicap or 1)
        if not best or handicapped < cycles then best, cycles = made, handicapped end
        if wanted == algorithm.name or not algorithm.handicap then break end
      end
    end
  end
  if not best then return nil, reason or ("unknown algorithm '%s'"):format(wanted) end
  if #rivals > 1 then best.rivals = rivals end
  return best
end

--- How many floats a processor with these costs can multiply and add in a cycle.
function plan.rate(isa, costs)
  local _ <close> = cost.replaced(costs)
  return isa.lanes * cost.fma
end

--- A plan in words, several lines.
function plan.explain(made)
  local _ <close> = cost.replaced(made.costs)
  return explain(made, made.layer, made.isa)
end

--- The algorithms, for people: { name, summary }.
function plan.list()
  local list = {}
  for i, algorithm in ipairs(algorithms) do
    list[i] = { name = algorithm.name, summary = algorithm.summary }
  end
  return list
end

return plan
