-- Makes a layer that fails smaller while it still fails.
-- SPDX-License-Identifier: MIT-0

local draw = require "random.draw"

local shrink = {}

local DROPPED = { "tile", "unroll", "algorithm", "crop_h", "crop_w", "ceil", "include", "global" }
local DEFAULTS = {
  batch = 1, activation = "none", weights = "oihw", biased = true, groups = 1, pad = "valid",
}
local NUMBERS = { "h", "w", "c", "filters", "kh", "kw", "sh", "sw", "dh", "dw", "top", "left", "bottom", "right" }
local ZERO = { top = true, left = true, bottom = true, right = true }

local function with(s, field, value)
  local new = {}
  for key, old in pairs(s) do new[key] = old end
  new[field] = value
  return new
end

local function numbers(out, s, keep)
  for _, field in ipairs(NUMBERS) do
    local value, least = s[field], ZERO[field] and 0 or 1
    if math.type(value) == "integer" and value > least then
      out[#out + 1] = keep(field, least)
      if (value + least) // 2 > least then out[#out + 1] = keep(field, (value + least) // 2) end
      if value - 1 > (value + least) // 2 then out[#out + 1] = keep(field, value - 1) end
    end
  end
end

--- The next smaller layers, the smallest steps last.
function shrink.steps(s)
  local list = {}
  for _, field in ipairs(DROPPED) do
    if s[field] and s[field] ~= 0 then list[#list + 1] = with(s, field, nil) end
  end
  for field, value in pairs(DEFAULTS) do
    local known = not (s.pool and field ~= "batch" and field ~= "pad")
    if known and s[field] ~= value and (field ~= "pad" or s.pad) then list[#list + 1] = with(s, field, value) end
  end
  if s.shapes then
    for _, shape in ipairs(#s.shapes > 1 and s.shapes or {}) do list[#list + 1] = with(s, "shapes", { shape }) end
    if #s.shapes == 1 then
      numbers(list, s.shapes[1], function(field, value)
        local shape = with(s.shapes[1], field, value)
        if s.groups == "depthwise" and field == "c" then shape.filters = value end
        return with(s, "shapes", { shape })
      end)
      if s.shapes[1].batch > 1 then list[#list + 1] = with(s, "shapes", { with(s.shapes[1], "batch", 1) }) end
    end
  end
  numbers(list, s, function(field, value)
    local new = with(s, field, value)
    if field == "c" and s.groups == "depthwise" and s.filters then -- keeps the multiplier
      new.filters = s.filters // s.c * value
    end
    return new
  end)
  local good = {}
  for _, step in ipairs(list) do
    local fine = step.shapes == nil or draw.job(draw.fixed(step, step.shapes[1]))
    if fine and draw.job(step) then good[#good + 1] = step end
  end
  return good
end

--- The smallest layer found for which failing(list of layers) still is true; that gives a list of
-- booleans. At most `rounds` times it is asked.
function shrink.down(s, failing, rounds)
  for _ = 1, rounds do
    local steps = shrink.steps(s)
    local fails, smaller = failing(steps), nil
    for i, step in ipairs(steps) do
      if fails[i] then
        smaller = smaller or step
        -- Steps that fail on their own are tried together, too, as far as that is a layer.
        local merged = {}
        for key, value in pairs(smaller) do merged[key] = value end
        for key in pairs(s) do
          if step[key] ~= s[key] and merged[key] == s[key] then merged[key] = step[key] end
        end
        if merged ~= smaller and draw.job(merged) and failing({ merged })[1] then smaller = merged end
      end
    end
    if not smaller then return s end
    s = smaller
  end
  return s
end

return shrink
