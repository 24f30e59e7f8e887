-- Which ways to compute a layer are worth measuring: those that the planner expects to be fast, and not
-- too many that are alike.
-- SPDX-License-Identifier: MIT-0

local plan = require "plan"

-- Each further one of a kind counts as so much slower than it is predicted to be.
local SAMENESS = 0.03
-- What is predicted to take so many times as long as the best is not tried.
local HOPELESS = 2

local function way_of(made, candidate)
  return { algorithm = made.algorithm, tile = { mapping = candidate.mapping, tile = candidate.tile },
    block = candidate.block }
end

local function sooner(a, b)
  if a.cycles ~= b.cycles then return a.cycles < b.cycles end
  if a.kind ~= b.kind then return a.kind < b.kind end
  if a.way.tile.tile ~= b.way.tile.tile then return a.way.tile.tile < b.way.tile.tile end
  return (a.way.block or 0) < (b.way.block or 0)
end

-- All candidates of some plans, in the order in which to try them.
local function in_order(plans)
  local list, kinds = {}, {}
  for _, made in ipairs(plans) do
    for _, c in ipairs(made.candidates) do
      list[#list + 1] = { way = way_of(made, c), cycles = c.cycles,
        kind = made.algorithm .. c.mapping .. (c.tile:match("^(%a[%dx]+)t") or "") } -- of Winograd its sizes
    end
  end
  table.sort(list, sooner)
  for _, one in ipairs(list) do
    local before = kinds[one.kind] or 0
    one.cycles, kinds[one.kind] = one.cycles * (1 + SAMENESS * before), before + 1
  end
  table.sort(list, sooner)
  return list
end

-- What tells plans of a layer apart.
local function name_of(made)
  return table.concat({ made.algorithm, made.mapping, made.tile_name, made.candidates[1].block }, " ")
end

--- Up to `most` plans of a layer, each with the `way` that makes it again: options for plan.make(). The
-- first is what the planner takes by itself. options: as for plan.make(). Or nil and why there is none.
return function(layer, isa, options, most)
  local rule, why = plan.make(layer, isa, options)
  if not rule then return nil, why end
  rule.way = way_of(rule, rule.candidates[1])
  local list, seen = { rule }, { [name_of(rule)] = true }
  local function try(way)
    local made = plan.make(layer, isa, setmetatable(way, { __index = options }))
    if made and #list < most and not seen[name_of(made)] then
      seen[name_of(made)] = true
      list[#list + 1], made.way = made, way
    end
  end
  local rivals = rule.rivals or { rule }
  for _, rival in ipairs(rivals) do -- of each algorithm one, at least
    if rival.cycles < HOPELESS * rule.cycles then try(way_of(rival, rival.candidates[1])) end
  end
  for _, one in ipairs(in_order(rivals)) do
    if #list == most or one.cycles > HOPELESS * rule.cycles then break end
    try(one.way)
  end
  return list
end
