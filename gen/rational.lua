-- Exact fractions in 64-bit integers: { n, d } with d > 0 in lowest terms.
-- SPDX-License-Identifier: MIT-0

local rational = {}
rational.__index = rational

local function gcd(a, b)
  while b ~= 0 do a, b = b, a % b end
  return a
end

-- Integers wrap around silently; a product that might is refused.
local function product(a, b)
  assert(math.abs(a * 1.0 * b) < 2.0 ^ 62, "rational: too large")
  return a * b
end

--- The fraction n / d of integers; d is 1 when left out.
function rational.new(n, d)
  d = d or 1
  assert(math.type(n) == "integer" and math.type(d) == "integer" and d ~= 0, "rational: want integers")
  local common = gcd(math.abs(n), math.abs(d))
  if d < 0 then common = -common end
  return setmetatable({ n = n // common, d = d // common }, rational)
end

local function of(x) return getmetatable(x) == rational and x or rational.new(x) end
rational.of = of

function rational.__mul(a, b)
  a, b = of(a), of(b)
  -- Crosswise reduced first, so that what fits does not overflow on the way.
  local p, q = rational.new(a.n, b.d), rational.new(b.n, a.d)
  return rational.new(product(p.n, q.n), product(p.d, q.d))
end

function rational.__div(a, b)
  b = of(b)
  return a * rational.new(b.d, b.n)
end

function rational.__add(a, b)
  a, b = of(a), of(b)
  local common = gcd(a.d, b.d)
  return rational.new(product(a.n, b.d // common) + product(b.n, a.d // common), product(a.d, b.d // common))
end

function rational.__unm(a) return rational.new(-a.n, a.d) end
function rational.__sub(a, b) return a + -of(b) end
function rational.__eq(a, b) return a.n == b.n and a.d == b.d end

function rational:abs() return self.n < 0 and -self or self end

--- As a float: rounded once.
function rational:float() return self.n / self.d end

function rational:__tostring()
  return self.d == 1 and tostring(self.n) or ("%d/%d"):format(self.n, self.d)
end

return rational
