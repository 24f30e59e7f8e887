-- What random layers must reach: a cell for each way of computing (algorithm and mapping), layout,
-- instruction set, activation, and fixed or run-time sizes. Ways come from plan.list(): an algorithm
-- that is not described here has one way, and every cell of it is wanted unless REASONS says why not.
-- SPDX-License-Identifier: MIT-0

local draw = require "random.draw"
local isa = require "isa"
local plan = require "plan"

local cells = {}

local WAYS = {
  direct = { "channels", "gathered", "groups", "inputs", "interleaved", "pixels", "planar" },
  depthwise = { "channels", "pixels", "transposed" },
  pooling = { "max, tiles", "max, windows", "average, tiles", "average, windows" },
}

--- The way of a plan.
function cells.way(layer, made)
  if not WAYS[made.algorithm] then return made.algorithm end
  if layer.pool then
    return ("pooling %s, %s"):format(layer.pool, made.windows and "windows" or "tiles")
  end
  -- a kernel with run-time sizes may hold several: the last one is what is special about it
  local copied = made.copies and "transposed" or made.planar and (made.mapping == "pixels" and "planar"
    or made.mapping == "groups" and "interleaved" or "gathered")
  return made.algorithm .. " " .. (copied or made.inputs and "inputs" or made.pixels and "pixels"
    or made.mapping)
end

-- Cells that cannot be, and why: { reason, function of a cell }.
local REASONS = {
  { "pooling layers have no activation",
    function(c) return c.algorithm == "pooling" and c.activation ~= "none" end },
  { "pooling has no kernels with run-time sizes",
    function(c) return c.algorithm == "pooling" and c.sizes == "run-time" end },
  { "in NHWC neighbouring pixels are not neighbours in memory, and only direct kernels transpose them",
    function(c) return c.way == "depthwise pixels" and c.layout == "nhwc" end },
  { "in NCHW kernels with run-time sizes hold both mappings, and count as the other one",
    function(c)
      return c.way == "direct channels" and c.sizes == "run-time" and c.layout == "nchw" and c.isa ~= "scalar"
    end },
  { "a single lane has no mapping",
    function(c) return c.algorithm == "direct" and c.way ~= "direct channels" and c.isa == "scalar" end },
  { "kernels with run-time sizes have no planar copy",
    function(c) return c.way == "direct planar" and c.sizes == "run-time" end },
  { "pixels are gathered of planes, and kernels with run-time sizes that do so count as one of the others",
    function(c) return c.way == "direct gathered" and (c.layout == "nhwc" or c.sizes == "run-time") end },
  { "planes are transposed where there are some, whose sizes are known, and more than one lane",
    function(c)
      return c.way == "depthwise transposed" and (c.layout == "nhwc" or c.sizes == "run-time" or c.isa == "scalar")
    end },
  { "several groups lie side by side in NHWC only, and run-time sizes have none",
    function(c) return c.way == "direct groups" and (c.layout == "nchw" or c.sizes == "run-time") end },
  { "groups are interleaved where several are in a vector, and a load repeats some of its lanes",
    function(c)
      return c.way == "direct interleaved" and (c.layout == "nchw" or c.sizes == "run-time"
        or not isa.get(c.isa).splat_some)
    end },
  { "in NCHW neighbouring channels are not neighbours in memory",
    function(c)
      return (c.way == "depthwise channels" or c.way == "direct inputs") and c.layout == "nchw"
    end },
  { "kernels with run-time sizes sum over eight lanes or more, and in NHWC count as this or the other mapping then",
    function(c)
      if c.sizes ~= "run-time" or c.layout ~= "nhwc" or c.isa == "scalar" then return false end
      local many = c.isa == "avx2" or c.isa == "avx512"
      return c.way == "direct inputs" and not many or c.way == "direct channels" and many
    end },
  { "bilinear and fused kernels have suites of their own, with problems that fit them",
    function(c) return c.algorithm == "winograd" or c.algorithm == "strassen" or c.algorithm == "fused" end },
  { "bounds by name are for run-time sizes",
    function(c) return c.activation == draw.named.words and c.sizes == "fixed" end },
}

local function add(list, c)
  for _, reason in ipairs(REASONS) do
    if reason[2](c) then
      c.reason = reason[1]
      break
    end
  end
  c.key, c.count = cells.key(c), 0
  list[#list + 1], list[c.key] = c, c
end

function cells.key(c)
  return table.concat({ c.way, c.sizes, c.layout, c.isa, c.activation }, "\t")
end

--- All cells for some instruction sets: a list, by key too, of { way =, sizes =, layout =, isa =,
-- activation =, count = 0, reason = why it cannot be }.
function cells.all(sets)
  local list = {}
  for _, algorithm in ipairs(plan.list()) do
    local ways = {}
    for i, mapping in ipairs(WAYS[algorithm.name] or {}) do ways[i] = algorithm.name .. " " .. mapping end
    if #ways == 0 then ways[1] = algorithm.name end
    for _, way in ipairs(ways) do
      for _, sizes in ipairs { "fixed", "run-time" } do
        for _, layout in ipairs { "nhwc", "nchw" } do
          for _, set in ipairs(sets) do
            for _, activation in ipairs(draw.activations) do
              add(list, { way = way, sizes = sizes, layout = layout, isa = set, activation = activation,
                algorithm = algorithm.name })
            end
            add(list, { way = way, sizes = sizes, layout = layout, isa = set,
              activation = draw.named.words, algorithm = algorithm.name })
          end
        end
      end
    end
  end
  return list
end

--- The cell of a layer, by its key.
function cells.of(s)
  local job = draw.job(s)
  return cells.key { way = cells.way(job.layer, job.plan), sizes = s.shapes and "run-time" or "fixed",
    layout = s.layout, isa = s.isa, activation = s.activation or "none" }
end

--- The table as text: rows of ways, columns of instruction sets; in each how many layers there were,
-- and in how many of the activations. And the reasons for what cannot be.
function cells.text(list, sets)
  local rows, order, reasons, unique = {}, {}, {}, {}
  for _, c in ipairs(list) do
    local row = ("%-26s %-8s %s"):format(c.way, c.sizes, c.layout)
    if not rows[row] then
      rows[row] = {}
      order[#order + 1] = row
    end
    local at = rows[row][c.isa] or { count = 0, hit = 0, all = 0 }
    rows[row][c.isa] = at
    if not c.reason then
      at.count, at.all = at.count + c.count, at.all + 1
      at.hit = at.hit + (c.count > 0 and 1 or 0)
    elseif not reasons[c.reason] then
      reasons[c.reason], unique[#unique + 1] = true, c.reason
    end
  end
  local lines = { ("%-40s"):format("layers (activations reached / possible)") }
  for _, set in ipairs(sets) do lines[1] = lines[1] .. ("%13s"):format(set) end
  for _, row in ipairs(order) do
    local line, possible = ("%-40s"):format(row), false
    for _, set in ipairs(sets) do
      local at = rows[row][set]
      possible = possible or at.all > 0
      line = line .. ("%13s"):format(at.all == 0 and "-" or ("%d (%d/%d)"):format(at.count, at.hit, at.all))
    end
    if possible then lines[#lines + 1] = line end
  end
  lines[#lines + 1] = "-: " .. table.concat(unique, "; ")
  return table.concat(lines, "\n")
end

return cells
