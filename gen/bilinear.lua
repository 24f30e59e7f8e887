-- Bilinear algorithms for short filters: F(m, r) gives m neighbouring outputs of a filter of r taps
-- with m + r - 1 multiplications in place of m r (Toom and Cook, Winograd).
-- SPDX-License-Identifier: MIT-0
--
-- An algorithm is three matrices of exact fractions. With inputs d, filter g and * of components,
--
--   y = AT ((G g) * (BT d))
--
-- In two dimensions each matrix is applied along both axes. Inputs and filters are seen as polynomials
-- whose values at some points are multiplied; the last point is infinity.

local rational = require "rational"

local bilinear = {}

local function fraction(text)
  local n, d = text:match("^(-?%d+)/?(%d*)$")
  return rational.new(math.tointeger(n), math.tointeger(d))
end

-- The finite points of m + r - 2, chosen for small rounding errors: pairs of opposite numbers share
-- work, and of those of the same cost these amplify least.
local POINTS = {
  [1] = "0",
  [2] = "0 1",
  [3] = "0 1 -1",
  [4] = "3/8 -3/8 5/4 -5/4",
  [5] = "0 2/3 -2/3 3/2 -3/2",
  [6] = "2/7 -2/7 6/7 -6/7 7/4 -7/4",
  [7] = "0 1/2 -1/2 1 -1 2 -2",
}

-- The same for two numbers of finite points, of which the second one's come first.
local NESTED = {
  ["4 3"] = "0 2/3 -2/3 3/2",
  ["5 3"] = "0 2/3 -2/3 3/2 -3/2",
  ["5 4"] = "2/3 -2/3 3/2 -3/2 0",
  ["6 5"] = "2/7 -2/7 6/7 -6/7 7/4 -7/4",
  ["7 5"] = "0 1/2 -1/2 2 -2 1 -1",
}

--- The most points that there is an algorithm for, infinity included.
bilinear.most_points = #POINTS + 1

-- Coefficients of the product of (x - p) over all points but number `without`, the constant first.
local function product_of_roots(points, without)
  local q = { rational.new(1) }
  for i, p in ipairs(points) do
    if i ~= without then
      local longer = {}
      for k = 1, #q + 1 do
        longer[k] = (q[k - 1] or rational.new(0)) - p * (q[k] or rational.new(0))
      end
      q = longer
    end
  end
  return q
end

-- The algorithm F(m, r) of some finite points: { m, r, points, AT, G, BT }, where points counts infinity, too.
local function toom_cook(m, r, points)
  local n = m + r - 1
  local zero, one = rational.new(0), rational.new(1)
  local AT, G, BT = {}, {}, {}
  for k = 1, m do AT[k] = {} end
  for i, p in ipairs(points) do
    local scale, power = one, one
    for j, other in ipairs(points) do
      if j ~= i then scale = scale * (p - other) end
    end
    BT[i], G[i] = product_of_roots(points, i), {}
    BT[i][n] = zero
    for k = 1, math.max(m, r) do
      if k <= m then AT[k][i] = power end
      if k <= r then G[i][k] = power / scale end
      power = power * p
    end
  end
  BT[n], G[n] = product_of_roots(points), {}
  for k = 1, r do G[n][k] = k == r and one or zero end
  for k = 1, m do AT[k][n] = k == m and one or zero end
  return { m = m, r = r, points = n, AT = AT, G = G, BT = BT }
end

--- F(m, r) from its m + r - 2 finite points, a list of fractions (or integers).
function bilinear.from_points(m, r, list)
  assert(#list == m + r - 2, "F(m, r) needs m + r - 2 finite points")
  local points = {}
  for i, p in ipairs(list) do points[i] = rational.of(p) end
  return toom_cook(m, r, points)
end

local function parsed(text)
  local points = {}
  for word in text:gmatch("%S+") do points[#points + 1] = fraction(word) end
  return points
end

--- F(m, r) with the points of the table; nil where that has too few.
function bilinear.new(m, r)
  local text = POINTS[m + r - 2]
  return text and bilinear.from_points(m, r, parsed(text))
end

-- `list` with what is at `from` moved to `to`.
local function moved(list, from, to)
  table.insert(list, to, table.remove(list, from))
end

--- Two algorithms, F(large, r) and F(small, r), that have their points in common: transformed filters of
-- the large one are those of the small one, too, which uses its first `small + r - 1` elements. In both
-- infinity comes there. nil where no points are known.
function bilinear.nested(large, small, r)
  local text = NESTED[("%d %d"):format(large + r - 2, small + r - 2)]
  if not text then return nil end
  local points = parsed(text)
  local a = bilinear.from_points(large, r, points)
  local b = bilinear.from_points(small, r, { table.unpack(points, 1, small + r - 2) })
  for i = 1, b.points - 1 do
    -- The same filter: what its scale differs by goes to the input.
    local k = a.G[i][1].n ~= 0 and 1 or 2
    local ratio = b.G[i][k] / a.G[i][k]
    for j = 1, b.points do b.BT[i][j] = b.BT[i][j] * ratio end
  end
  moved(a.G, a.points, b.points)
  moved(a.BT, a.points, b.points)
  for k = 1, large do moved(a.AT[k], a.points, b.points) end
  b.G = { table.unpack(a.G, 1, b.points) }
  return a, b
end

--- Whether it is an algorithm for its filter: sum over e of AT[i][e] G[e][k] BT[e][j] must be 1 where
-- output i meets input j at tap k = j - i, and else 0.
function bilinear.holds(a)
  for i = 1, a.m do
    for k = 1, a.r do
      for j = 1, a.m + a.r - 1 do
        local sum = rational.new(0)
        for e = 1, a.points do sum = sum + a.AT[i][e] * a.G[e][k] * a.BT[e][j] end
        if sum ~= rational.new(j - i == k - 1 and 1 or 0) then return false end
      end
    end
  end
  return true
end

return bilinear
