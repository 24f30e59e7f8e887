-- Portable C99: a vector is one float.
-- SPDX-License-Identifier: MIT-0

local text = require "isa.text"

local function call(format)
  return function(...) return (format:format(...)) end
end

return {
  name = "scalar", title = "portable C",
  lanes = 1, registers = 16, fused = false,
  vector = "float", headers = {}, guard = "", target = "",
  cpu_check = "1", cpu_flags = {}, accumulate = "", constraint = "",

  zero = call("0.0f"),
  splat = call("%s"),
  load = call("*(%s)"),
  load_range = call("*(%s)"),
  load_even = call("*(%s)"),
  load_at = function(p, offsets) return offsets[1] and text.index(p, offsets[1]) or "0.0f" end,
  permute = call("*(%s)"),
  store = call("*(%s) = %s;"),
  store_range = call("*(%s) = %s;"),
  fma = call("(%s * %s + %s)"),
  add = call("(%s + %s)"), sub = call("(%s - %s)"),
  mul = call("(%s * %s)"), div = call("(%s / %s)"),
  max = function(a, b) return ("(%s < %s ? %s : %s)"):format(b, a, a, b) end,
  maximum = function(a, b) return ("(%s > %s || %s != %s ? %s : %s)"):format(a, b, a, a, a, b) end,
  min = function(a, b) return ("(%s > %s ? %s : %s)"):format(b, a, a, b) end,
  exp2i = call("ldexpf(%s, (int)(%s))"),
  transpose = function(names) return {}, { { name = names[1], at = 0 } } end,
}
