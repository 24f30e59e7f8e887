-- Names of kernels: what may be one, and the canonical name that says what a kernel is.
-- SPDX-License-Identifier: MIT-0
--
-- The canonical name is read back by name.parse:
--
--   conv_<dtype>_<layout>_<filter>_<shape>[_<weights>][_nobias][_<activation>][_<window>]
--       _via_<algorithm>_<isa>[_<tile>]
--     filter      <KH>x<KW> s<S> p<P> [d<D>] [g<G> | dw]
--     S, D        one number, or <h>x<w>; D is left out when 1
--     P           one number, or <h>x<w>, or <top>x<left>x<bottom>x<right>; m13 is -13
--     g<G>, dw    groups, left out when 1; dw: as many groups as input channels
--     shape       <H>x<W> c<IC> [k<OC>] [n<N>]   of the input; k is left out when OC is IC and dw,
--                 n when 1
--     weights     ohwi or hwio; left out when oihw
--     activation  left out when none; numbers follow the word: leaky0p1 is leaky:0.1 and
--                 clampm1p5x2 is clamp:-1.5,2 (m: minus, p: point)
--     window      of the pooling behind it, as below
--   for example conv_f32_nhwc_3x3s1p1_56x56c64k64_relu_via_direct_avx2_6x16
--   or conv_f32_nhwc_3x3s1p1_56x56c64k64_relu_max2x2s2p0_via_fused_avx2_6x2
--
--   pool_<dtype>_<layout>_<window>_<shape>_via_<algorithm>_<isa>[_<tile>]
--     window      max | avg | avgpad, then as the filter, then [ceil]; avgpad: padding counts
--   for example pool_f32_nhwc_max3x3s2p1_112x112c64_via_pooling_avx2_2x4
--
-- Kernels with the same text before _via_ are interchangeable. A name has at most 63 characters:
-- when it would have more, first the tile is left out; then everything between the layout and
-- _via_ becomes x and 16 hexadecimal digits, a hash of that text:
-- conv_f32_nhwc_x0123456789abcdef_via_direct_avx2.

local activation = require "activation"
local message = require "message"
local reserved = require "reserved"

local name = {}

name.LONGEST = 63 -- characters that C promises to tell apart

--- Whether text can name a kernel: true, or nil and a message. `what` is what to call it there.
-- Nothing is repaired: a name that is not fit is refused.
function name.check(text, what)
  what = what or "name"
  local function refuse(why) return nil, ("%s %s %s"):format(what, message.quote(text), why) end
  if type(text) ~= "string" then return refuse("is not a string") end
  if text == "" then return refuse("is empty: want a C identifier") end
  if #text > name.LONGEST then
    return refuse(("has %d characters, at most %d are allowed"):format(#text, name.LONGEST))
  end
  if text:find("[^A-Za-z0-9_]") or text:find("^%d") then
    return refuse("is not a C identifier: want letters a-z A-Z, digits and _, no digit first")
  end
  if text:find("^_") then return refuse("is reserved: it begins with an underscore") end
  if text:find("__") then return refuse("is reserved: it holds a double underscore") end
  if text:find("_$") then
    return refuse("ends with an underscore: with _run behind it, it would hold a double one")
  end
  local reason = reserved[text] or reserved[text:lower()]
  if reason then return refuse(reason) end
  return true
end

-- 64-bit FNV-1a
local function hash(text)
  local h = 0xcbf29ce484222325
  for i = 1, #text do h = (h ~ text:byte(i)) * 0x100000001b3 end
  return ("%016x"):format(h)
end

local function signed(number) return number < 0 and "m" .. -number or tostring(number) end

local function pair(h, w) return h == w and signed(h) or signed(h) .. "x" .. signed(w) end

local function filter_text(l)
  local pad = ("%sx%sx%sx%s"):format(signed(l.pad_top), signed(l.pad_left), signed(l.pad_bottom),
    signed(l.pad_right))
  if l.pad_top == l.pad_bottom and l.pad_left == l.pad_right then
    pad = pair(l.pad_top, l.pad_left)
  end
  local dilation = pair(l.dilation_h, l.dilation_w)
  return ("%dx%ds%sp%s%s"):format(l.KH, l.KW, pair(l.stride_h, l.stride_w), pad,
    dilation == "1" and "" or "d" .. dilation)
end

local function groups_text(l)
  return l.groups == 1 and "" or l.groups == l.IC and "dw" or "g" .. l.groups
end

local function window_text(l)
  return (l.pool == "max" and "max" or l.include_pad and "avgpad" or "avg") .. filter_text(l)
    .. (l.ceil and "ceil" or "")
end

local function shape_text(l)
  local depthwise = l.pool or l.groups ~= 1 and l.groups == l.IC
  return ("%dx%dc%d%s%s"):format(l.IH, l.IW, l.IC, depthwise and l.OC == l.IC and "" or "k" .. l.OC,
    l.N == 1 and "" or "n" .. l.N)
end

local function activation_text(act)
  local text = activation.text(act):gsub(":", ""):gsub("%+", "")
  return (text:gsub("-", "m"):gsub("%.", "p"):gsub(",", "x"))
end

--- The canonical name of a layer computed by { algorithm =, isa =, tile = string or nil }.
function name.compose(l, how)
  local parts = { l.pool and window_text(l) or filter_text(l) .. groups_text(l), shape_text(l) }
  if l.weights ~= "oihw" then parts[#parts + 1] = l.weights end
  if not l.bias and not l.pool then parts[#parts + 1] = "nobias" end
  if l.activation.kind ~= "none" then parts[#parts + 1] = activation_text(l.activation) end
  if l.after then parts[#parts + 1] = window_text(l.after) end
  local what, tail = table.concat(parts, "_"), how.algorithm .. "_" .. how.isa
  local function whole(middle, tile)
    return ("%s_%s_%s_%s_via_%s%s"):format(l.pool and "pool" or "conv", l.dtype, l.layout, middle, tail,
      tile and tile ~= "" and "_" .. tile or "")
  end
  for _, text in ipairs({ whole(what, how.tile), whole(what) }) do
    if #text <= name.LONGEST then return text end
  end
  return whole("x" .. hash(what))
end

local function numbers(text)
  local list = {}
  for item in text:gmatch("[^x]+") do list[#list + 1] = tonumber((item:gsub("^m", "-"))) end
  return table.unpack(list)
end

local function two(text)
  local h, w = numbers(text)
  return h, w or h
end

local function parse_filter(f, text)
  local kernel, stride, pad, rest = text:match("^(%d+x%d+)s([%dx]+)p([%dxm]+)(.*)$")
  if not kernel then return nil end
  f.KH, f.KW = numbers(kernel)
  f.stride_h, f.stride_w = two(stride)
  local top, left, bottom, right = numbers(pad)
  left = left or top
  f.pad_top, f.pad_left, f.pad_bottom, f.pad_right = top, left, bottom or top, right or left
  local dilation, groups = rest:match("^d(%d[%dx]*)(.*)$")
  f.dilation_h, f.dilation_w = two(dilation or "1")
  groups = groups or rest
  f.groups = groups == "" and 1 or groups == "dw" and "depthwise"
    or tonumber(groups:match("^g(%d+)$"))
  return f.groups
end

local function parse_shape(f, text)
  local size, channels, rest = text:match("^(%d+x%d+)c(%d+)(.*)$")
  if not size then return nil end
  f.IH, f.IW = numbers(size)
  f.IC = tonumber(channels)
  local filters, batch = rest:match("^k(%d+)(.*)$")
  batch = batch or rest
  if not f.pool then f.OC = tonumber(filters) or f.IC elseif filters then return nil end
  f.N = batch == "" and 1 or tonumber(batch:match("^n(%d+)$"))
  return f.N
end

local POOLS = { max = { "max" }, avg = { "average", false }, avgpad = { "average", true } }

local function parse_window(f, text)
  local pool, filter = text:match("^(%l+)(%d.-)$")
  if not POOLS[pool] then return nil end
  f.pool, f.include_pad = table.unpack(POOLS[pool])
  local without = filter:match("^(.*)ceil$")
  f.ceil = without ~= nil
  local groups = parse_filter(f, without or filter)
  f.groups = nil
  return groups == 1
end

local function parse_activation(text)
  local word, list = text:match("^(clamp)(.+)$")
  if not word then word, list = text:match("^(leaky)(.+)$") end
  if not word then return text end
  return word .. ":" .. list:gsub("m", "-"):gsub("p", "."):gsub("x", ",")
end

--- What a canonical name says: the fields for layer.new, and { algorithm =, isa =, tile = }.
-- A name with a hash gives { dtype =, layout =, hash = } for the fields. nil and a message when the
-- text is no canonical name.
function name.parse(text)
  local function refuse() return nil, message.quote(text) .. " is not a canonical name" end
  local kind, dtype, layout, what, algorithm, isa, tile =
    text:match("^(%l+)_(%w+)_(%w+)_(.+)_via_(%w+)_(%w+)_?(%w*)$")
  if kind ~= "conv" and kind ~= "pool" then return refuse() end
  local f = { dtype = dtype, layout = layout }
  local how = { algorithm = algorithm, isa = isa, tile = tile ~= "" and tile or nil }
  local digits = what:match("^x(%x+)$")
  if digits then
    f.hash = digits
    return f, how
  end

  local parts = {}
  for part in what:gmatch("[^_]+") do parts[#parts + 1] = part end
  local parse_first = kind == "pool" and parse_window or parse_filter
  if not (#parts >= 2 and parse_first(f, parts[1]) and parse_shape(f, parts[2])) then
    return refuse()
  end
  if kind == "pool" then
    if #parts > 2 then return refuse() end
    return f, how
  end
  local at = 3
  f.weights = "oihw"
  if parts[at] == "ohwi" or parts[at] == "hwio" then f.weights, at = parts[at], at + 1 end
  f.bias = parts[at] ~= "nobias"
  if not f.bias then at = at + 1 end
  local after = {}
  if parts[at] and parse_window(after, parts[#parts]) then f.after, parts[#parts] = after, nil end
  f.activation = parse_activation(parts[at] or "none")
  if #parts > at then return refuse() end
  return f, how
end

return name
