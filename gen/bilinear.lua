-- Bilinear algorithms for short filters: F(m, r) gives m neighbouring outputs of a filter of r taps
-- with m + r - 1 multiplications in place of m r (Toom and Cook, Winograd).
-- SPDX-License-Identifier: MIT-0
--
-- An algorithm is three matrices of exact fractions. With inputs d, filter g and * of components,
--
--   y = AT ((G g) * (BT d))
--
-- In two dimensions each axis has an algorithm of its own. Inputs and filters are seen as polynomials
-- whose values at some points are multiplied; the last point is infinity.
--
-- With a stride s, y[i] = sum over k of g[k] d[s i + k] falls into s sums of stride 1, of every s-th tap
-- and input each: their points side by side are one algorithm, whose outputs are the sums' sums.
--
-- Fields: m, r, stride, points (rows of BT and G, columns of AT), window (columns of BT: the inputs),
-- order (the most points of one of its parts), AT, G, BT. Of a product of matrices m is how many outputs there are, and
-- r how many terms each has.

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
  [8] = "1/4 -1/4 2/3 -2/3 8/7 -8/7 7/3 -7/3",
  [9] = "0 3/7 -3/7 4/5 -4/5 5/4 -5/4 7/3 -7/3",
  [10] = "1/4 -1/4 1/2 -1/2 1 -1 3/2 -3/2 5/2 -5/2", -- with small enough denominators for exact sums
}

-- The same for two numbers of finite points, of which the second one's come first.
local NESTED = {
  ["3 2"] = "0 1 -1",
  ["4 2"] = "1/2 -1/2 4/3 -4/3",
  ["4 3"] = "0 2/3 -2/3 3/2",
  ["5 3"] = "0 2/3 -2/3 3/2 -3/2",
  ["5 4"] = "2/3 -2/3 3/2 -3/2 0",
  ["6 5"] = "2/7 -2/7 6/7 -6/7 7/4 -7/4",
  ["7 5"] = "0 1/2 -1/2 2 -2 1 -1",
  ["7 6"] = "1/2 -1/2 1 -1 2 -2 0",
  ["8 6"] = "2/7 -2/7 5/7 -5/7 2 -2 7/6 -7/6",
  ["8 7"] = "1/4 -1/4 5/7 -5/7 5/4 -5/4 5/2 -5/2",
  ["9 7"] = "0 2/5 -2/5 7/6 -7/6 2 -2 4/5 -4/5",
  ["9 8"] = "2/5 -2/5 3/4 -3/4 7/6 -7/6 7/3 -7/3 0",
  ["10 8"] = "1/4 -1/4 1/2 -1/2 1 -1 5/2 -5/2 3/2 -3/2",
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

-- The algorithm F(m, r) of some finite points; field `points` counts infinity, too.
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
  return { m = m, r = r, stride = 1, points = n, window = n, order = n, AT = AT, G = G, BT = BT }
end

local function zeros(rows, columns)
  local out = {}
  for i = 1, rows do
    out[i] = {}
    for j = 1, columns do out[i][j] = rational.new(0) end
  end
  return out
end

--- Nothing saved: m outputs of one tap, which have the same filter, if `r` is 1; or one output of r taps.
function bilinear.plain(m, r)
  assert(m == 1 or r == 1, "several outputs of several taps")
  local n = m * r
  local a = { m = m, r = r, stride = 1, points = n, window = n, order = 1,
    AT = zeros(m, n), G = zeros(n, r), BT = zeros(n, n) }
  for e = 1, n do
    a.BT[e][e], a.G[e][m == 1 and e or 1], a.AT[m == 1 and 1 or e][e] =
      rational.new(1), rational.new(1), rational.new(1)
  end
  return a
end

--- The algorithm with a stride whose parts, one for each phase, are algorithms of as many outputs. First
-- come the first `common[i]` points of each part (all, if not given), then what each has more.
function bilinear.strided(parts, common)
  local stride, r, points, order = #parts, 0, 0, 0
  for _, part in ipairs(parts) do
    r, points, order = r + part.r, points + part.points, math.max(order, part.order)
  end
  local m = parts[1].m
  local window = (m - 1) * stride + r
  local a = { m = m, r = r, stride = stride, points = points, window = window, order = order,
    AT = zeros(m, points), G = zeros(points, r), BT = zeros(points, window) }
  local e = 0
  local function add(phase, from, to)
    local part = parts[phase]
    for point = from, to do
      e = e + 1
      for j = 1, part.window do a.BT[e][(j - 1) * stride + phase] = part.BT[point][j] end
      for k = 1, part.r do a.G[e][(k - 1) * stride + phase] = part.G[point][k] end
      for i = 1, m do a.AT[i][e] = part.AT[i][point] end
    end
  end
  for phase, part in ipairs(parts) do add(phase, 1, common and common[phase] or part.points) end
  for phase, part in ipairs(parts) do add(phase, (common and common[phase] or part.points) + 1, part.points) end
  return a
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

-- Of the `phase`-th of `stride` phases of r taps: how many taps it has.
local function taps_of(r, stride, phase) return (r - phase) // stride + 1 end

--- As new(), with a stride; nil where there is none, or nothing to save.
function bilinear.with_stride(m, r, stride)
  local parts = {}
  if r <= stride then return nil end
  for phase = 1, stride do
    local taps = taps_of(r, stride, phase)
    parts[phase] = taps == 1 and bilinear.plain(m, 1) or bilinear.new(m, taps)
    if not parts[phase] then return nil end
  end
  return bilinear.strided(parts)
end

--- The most outputs for which with_stride() has an algorithm of at most `points` points; 1: none.
function bilinear.most_outputs(r, stride, points)
  if r <= stride then return 1 end
  local most = bilinear.most_points + 1 - taps_of(r, stride, 1) -- of the phase with the most taps
  return math.max(1, math.min(most, (points - r) // stride + 1))
end

--- As nested(), with a stride.
function bilinear.nested_with_stride(large, small, r, stride)
  local a, b, common = {}, {}, {}
  if r <= stride then return nil end
  for phase = 1, stride do
    local taps = taps_of(r, stride, phase)
    if taps == 1 then
      a[phase], b[phase] = bilinear.plain(large, 1), bilinear.plain(small, 1)
    else
      a[phase], b[phase] = bilinear.nested(large, small, taps)
    end
    if not a[phase] then return nil end
    common[phase] = b[phase].points
  end
  return bilinear.strided(a, common), bilinear.strided(b)
end

local function matrix(rows)
  local out = {}
  for i, row in ipairs(rows) do
    out[i] = {}
    for j, c in ipairs(row) do out[i][j] = rational.new(c) end
  end
  return out
end

--- Strassen's algorithm for the product of two matrices of 2 x 2 numbers (Gaussian elimination is not optimal, 1969):
-- of d = (d11 d12 d21 d22) and g = (g11 g12 g21 g22) alike, y is d g. His own form has 18 additions, where Winograd's
-- of it has 15, but errors that are a third larger.
function bilinear.strassen()
  return {
    m = 4, r = 2, points = 7, window = 4,
    BT = matrix { { 1, 0, 0, 1 }, { 0, 0, 1, 1 }, { 1, 0, 0, 0 }, { 0, 0, 0, 1 }, { 1, 1, 0, 0 }, { -1, 0, 1, 0 },
      { 0, 1, 0, -1 } },
    G = matrix { { 1, 0, 0, 1 }, { 1, 0, 0, 0 }, { 0, 1, 0, -1 }, { -1, 0, 1, 0 }, { 0, 0, 0, 1 }, { 1, 1, 0, 0 },
      { 0, 0, 1, 1 } },
    AT = matrix { { 1, 0, 0, 1, -1, 0, 1 }, { 0, 0, 1, 0, 1, 0, 0 }, { 0, 1, 0, 1, 0, 0, 0 },
      { 1, -1, 1, 0, 0, 1, 0 } },
  }
end

--- Whether it multiplies matrices of 2 x 2 numbers, in rows.
function bilinear.multiplies(a)
  for i = 0, 3 do
    for j = 0, 3 do
      for k = 0, 3 do
        local sum = rational.new(0)
        for e = 1, a.points do sum = sum + a.AT[i + 1][e] * a.BT[e][j + 1] * a.G[e][k + 1] end
        local there = i // 2 == j // 2 and j % 2 == k // 2 and k % 2 == i % 2
        if sum ~= rational.new(there and 1 or 0) then return false end
      end
    end
  end
  return true
end

local function squares(list)
  local sum = 0
  for _, c in ipairs(list) do sum = sum + c:float() ^ 2 end
  return sum
end

--- How much larger than those of single products the rounding errors of outputs are, in the root mean
-- square: for independent data the products of all points round alike. That of two axes is the product of
-- both.
function bilinear.amplification(a)
  local sum = 0
  for e = 1, a.points do
    local column = {}
    for i = 1, a.m do column[i] = a.AT[i][e] end
    sum = sum + squares(a.BT[e]) * squares(a.G[e]) * squares(column)
  end
  return math.sqrt(sum / (a.m * a.r))
end

--- Whether it is an algorithm for its filter: sum over e of AT[i][e] G[e][k] BT[e][j] must be 1 where
-- output i meets input j at tap k, and else 0.
function bilinear.holds(a)
  for i = 1, a.m do
    for k = 1, a.r do
      for j = 1, a.window do
        local sum = rational.new(0)
        for e = 1, a.points do
          local x, y, z = a.AT[i][e], a.G[e][k], a.BT[e][j]
          if x.n ~= 0 and y.n ~= 0 and z.n ~= 0 then sum = sum + x * y * z end
        end
        if sum ~= rational.new(j - 1 == (i - 1) * a.stride + k - 1 and 1 or 0) then return false end
      end
    end
  end
  return true
end

return bilinear
