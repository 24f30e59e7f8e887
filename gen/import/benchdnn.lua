-- Reads and writes oneDNN benchdnn's problem descriptors; batch.lua reads lists of them.
-- SPDX-License-Identifier: MIT-0
--
--   gXmbX_icXihXiwX_ocXohXowX_khXkwX_shXswX_phXpwX_dhXdwX_nNAME, for example
--   mb1_ic64ih56oc64oh56kh3ph1n"res2a_branch2b*3"
--
-- Tokens come in any order, each once; a '_' may follow a token. ic and oc count all groups.
-- Missing tokens: mb 2, g 1, strides 1, dilation 0 (which is dense). Without oh, ph is 0 and oh
-- the largest output; with oh and without ph, the padding is halved and the smaller half comes
-- first. Padding at the end always follows from the rest and may be negative: trailing input is
-- not read. Without iw and its like, width copies height; iw alone is one-dimensional (H = KH =
-- 1). n takes the rest; quotes around the name are dropped, and so is *3, which says how often the
-- layer occurs. Pooling layers have neither g nor oc.

local layer = require "layer"
local message = require "message"

local benchdnn = {}

local TOKENS = { "g", "mb", "ic", "oc" }
for _, axis in ipairs({ "d", "h", "w" }) do
  for _, what in ipairs({ "i", "o", "k", "s", "p", "d" }) do TOKENS[#TOKENS + 1] = what .. axis end
end
local KNOWN = {}
for _, token in ipairs(TOKENS) do KNOWN[token] = true end

-- The tokens' values by name, and the text after n.
local function tokenize(text)
  local values, at, rest = {}, 1, nil
  while at <= #text do
    if text:sub(at, at) == "n" then
      rest = text:sub(at + 1)
      break
    end
    local token = text:match("^[a-z]+", at)
    if not (token and KNOWN[token]) then
      return nil, ("unknown field %s"):format(message.quote(token or text:sub(at)))
    end
    local digits = text:match("^%d+", at + #token)
    if not digits then
      return nil, ("field '%s' needs a non-negative decimal integer, got %s")
        :format(token, message.quote(text:sub(at + #token)))
    end
    if values[token] then return nil, ("field '%s' is given twice"):format(token) end
    local value = #digits:gsub("^0+", "") <= 10 and tonumber(digits)
    if not value or value > layer.LIMIT then
      return nil, ("field '%s' is at most %d, got %s")
        :format(token, layer.LIMIT, message.quote(digits))
    end
    values[token] = value
    at = at + #token + #digits
    if text:sub(at, at) == "_" then at = at + 1 end
  end
  return values, rest
end

-- The name and how often it occurs, from the text after n.
local function split_name(text)
  local quoted = text:match('^"(.*)"$')
  local whole = quoted or text
  local base, times = whole:match("^(.-)%*(%d+)$")
  return base or whole, times and #times < 10 and tonumber(times) or 1
end

-- i, o, k, s, p, d of one axis with output and padding worked out; false when the axis is absent.
-- `ceil`: an output that is missing is rounded up, by layer.new, and the padding the same on both ends.
local function axis_of(values, axis, ceil)
  local function value(what, default) return values[what .. axis] or default end
  local i, o, k, d = value("i", 0), value("o", 0), value("k", 0), value("d", 0)
  local s, p = value("s", 1), value("p")
  if i == 0 and o == 0 and k == 0 and d == 0 and s == 1 and (p or 0) == 0 then return false end
  if s == 0 then return nil, ("field 's%s' (stride) must be at least 1, got 0"):format(axis) end
  for _, needed in ipairs({ { "i", i, "input" }, { "k", k, "kernel" } }) do
    if needed[2] == 0 then
      return nil, ("field '%s%s' (%s size) must be at least 1, got %s")
        :format(needed[1], axis, needed[3], values[needed[1] .. axis] or "none")
    end
  end
  local reach = (k - 1) * (d + 1) + 1
  if o == 0 then
    p = p or 0
    if ceil then return { i = i, k = k, s = s, p = p, d = d, e = p } end
    o = (i - reach + 2 * p) // s + 1
    if o < 1 then
      return nil, ("output size 'o%s' would be %d: the kernel reaches over %d pixels, the input"
        .. " with its padding has %d (i%s%d k%s%d s%s%d p%s%d d%s%d)"):format(axis, o, reach,
        i + 2 * p, axis, i, axis, k, axis, s, axis, p, axis, d)
    end
  elseif not p then
    local total = (o - 1) * s - i + reach
    p = total < 0 and -(-total // 2) or total // 2 -- below 0 the first pixels are not read
  end
  return { i = i, o = o, k = k, s = s, p = p, d = d, e = (o - 1) * s - i + reach - p }
end

--- What a descriptor says: { fields = for layer.new, name = string or nil, count = how often };
-- or nil, a message and the exit status: 2 for a wrong descriptor, 3 for one that is right but
-- cannot be done. `pool`: of pooling, { ceil = true or false }.
function benchdnn.parse(text, pool)
  local function wrong(why, status)
    return nil, ("descriptor %s: %s"):format(message.quote(text), why), status or 2
  end
  if text == "" then return nil, "the descriptor is empty", 2 end
  local values, rest = tokenize(text)
  if not values then return wrong(rest) end
  for _, token in ipairs(pool and { "g", "oc" } or {}) do
    if values[token] then return wrong(("field '%s' is not for pooling"):format(token)) end
  end
  for _, token in ipairs(pool and { "mb", "ic" } or { "g", "mb", "ic", "oc" }) do
    if (values[token] or (token == "g" or token == "mb") and 1 or 0) < 1 then
      return wrong(("field '%s' must be at least 1, got %s")
        :format(token, values[token] or "none"))
    end
  end

  local axes = {}
  for _, axis in ipairs({ "d", "h", "w" }) do
    local why
    axes[axis], why = axis_of(values, axis, pool and pool.ceil)
    if axes[axis] == nil then return wrong(why) end
  end
  local d, h, w = axes.d, axes.h, axes.w
  if not (d or h or w) then return wrong("no spatial size: want ih or iw") end
  if d then
    if w and not h then return wrong("field 'ih' is missing beside 'id' and 'iw'") end
    return wrong("three-dimensional convolutions are not supported (field 'id')", 3)
  end
  w = w or h
  h = h or { i = 1, o = 1, k = 1, s = 1, p = 0, d = 0, e = 0 }

  local entry = { count = 1, fields = {
    N = values.mb or 2, groups = not pool and (values.g or 1) or nil, IC = values.ic, OC = values.oc,
    IH = h.i, OH = h.o, KH = h.k, stride_h = h.s, dilation_h = h.d + 1,
    IW = w.i, OW = w.o, KW = w.k, stride_w = w.s, dilation_w = w.d + 1,
    pad_top = h.p, pad_bottom = h.e, pad_left = w.p, pad_right = w.e,
  } }
  if rest then entry.name, entry.count = split_name(rest) end
  return entry
end

--- The canonical descriptor of a layer; parse gives the layer back.
function benchdnn.format(l)
  local out = {}
  local function put(token, value) out[#out + 1] = token .. value end
  if l.groups ~= 1 and not l.pool then put("g", l.groups) end
  put("mb", l.N .. "_")
  local square = l.IH == l.IW and l.OH == l.OW and l.KH == l.KW and l.stride_h == l.stride_w
    and l.pad_top == l.pad_left and l.dilation_h == l.dilation_w
  local function both(what, h, w, default)
    if h ~= default or not square and w ~= default then
      put(what .. "h", h)
      if not square then put(what .. "w", w) end
    end
  end
  put("ic", l.IC)
  both("i", l.IH, l.IW)
  if not l.pool then put("oc", l.OC) end
  if not (l.ceil and l.pad_bottom == l.pad_top and l.pad_right == l.pad_left) then
    both("o", l.OH, l.OW)
  end
  both("k", l.KH, l.KW)
  both("s", l.stride_h, l.stride_w, 1)
  -- A padding below 0 has no token: it is what is derived where there is none.
  if l.pad_top >= 0 and l.pad_left >= 0 then
    both("p", l.pad_top, l.pad_left)
  else
    if l.pad_top >= 0 then put("ph", l.pad_top) end
    if l.pad_left >= 0 then put("pw", l.pad_left) end
  end
  both("d", l.dilation_h - 1, l.dilation_w - 1, 0)
  return table.concat(out)
end

return benchdnn
