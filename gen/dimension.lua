-- A dimension is a number or a C expression: sums and products of both, folded as far as they go.
-- SPDX-License-Identifier: MIT-0

local dimension = {}

local function wrapped(text)
  return text:find("[ ]") and "(" .. text .. ")" or text
end

function dimension.times(a, b)
  if math.type(a) == "integer" and math.type(b) == "integer" then return a * b end
  if a == 0 or b == 0 then return 0 end
  if a == 1 then return b end
  if b == 1 then return a end
  if type(a) == "string" then a = wrapped(a) end
  if type(b) == "string" then b = wrapped(b) end
  return ("%s * %s"):format(a, b)
end

function dimension.plus(a, b)
  if math.type(a) == "integer" and math.type(b) == "integer" then return a + b end
  if a == 0 then return b end
  if b == 0 then return a end
  return ("%s + %s"):format(a, b)
end

return dimension
