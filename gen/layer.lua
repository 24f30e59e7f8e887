-- What a layer is: checks the fields of a description, fills in defaults and computes the output.
-- SPDX-License-Identifier: MIT-0
--
-- A layer is a plain table:
--   N IH IW IC OH OW OC KH KW stride_h stride_w dilation_h dilation_w groups
--   pad_top pad_left pad_bottom pad_right       integers; OC and IC count all groups
--   activation = { kind =, a =, b = }           see activation.lua
--   bias = true | false, layout = "nhwc" | "nchw", weights = "oihw" | "ohwi" | "hwio"
--   dtype = "f32", name = string or nil
--   pool, ceil, include_pad                     of pooling layers: see pooling.lua
--   after                                       a pooling layer whose input is this one's output
--
-- layer.new takes the same fields. Dilation 1 is dense. Padding is given as four numbers, those
-- that are missing being 0, or as pad = "same" (odd pixel at the end, as TensorFlow and ONNX
-- SAME_UPPER), "same-lower" (odd pixel at the beginning) or "valid". At the end it may be
-- negative: trailing input is not read. groups = "depthwise" means groups = IC, and OC = IC unless
-- given. OH and OW may be given; then they must be right. after: the fields of that layer without
-- its input.
--
-- This is the only place that knows padding rules.

local activation = require "activation"
local message = require "message"
local name = require "name"
local pooling = require "pooling"

local layer = {}

-- Every size and every array's element count is at most this, so that an int indexes them.
layer.LIMIT = 0x7fffffff
local LIMIT = layer.LIMIT

-- integers: name, least, default
local INTEGERS = {
  { "N", 1, 1 }, { "IH", 1 }, { "IW", 1 }, { "IC", 1 }, { "OC", 1 }, { "KH", 1 }, { "KW", 1 },
  { "stride_h", 1, 1 }, { "stride_w", 1, 1 }, { "dilation_h", 1, 1 }, { "dilation_w", 1, 1 },
  { "groups", 1, 1 },
}
local PADDING = {
  { "pad_top", -LIMIT, 0 }, { "pad_left", -LIMIT, 0 },
  { "pad_bottom", -LIMIT, 0 }, { "pad_right", -LIMIT, 0 },
}

-- words: name, allowed values; the first is the default
local WORDS = {
  { "layout", { "nhwc", "nchw" } },
  { "weights", { "oihw", "ohwi", "hwio" } },
  { "dtype", { "f32" } },
}
local PAD_MODES = { "same", "same-lower", "valid" }

--- Allowed values of layout, weights and dtype, by field; the first of each is the default.
layer.words = { pad = PAD_MODES }
for _, entry in ipairs(WORDS) do layer.words[entry[1]] = entry[2] end

local FIELDS = {}
for _, list in ipairs({ INTEGERS, PADDING, WORDS }) do
  for _, entry in ipairs(list) do FIELDS[#FIELDS + 1] = entry[1] end
end
for _, field in ipairs({ "pad", "OH", "OW", "activation", "bias", "name", "pool", "ceil",
  "include_pad", "global", "after" }) do
  FIELDS[#FIELDS + 1] = field
end
local KNOWN = {}
for _, field in ipairs(FIELDS) do KNOWN[field] = true end

-- what people write for these fields elsewhere, for 'did you mean'
local ELSEWHERE = {
  batch = "N", input_h = "IH", input_w = "IW", input_c = "IC", in_channels = "IC",
  output_h = "OH", output_w = "OW", output_c = "OC", out_channels = "OC", filters = "OC",
  kernel_h = "KH", kernel_w = "KW", padding = "pad", group = "groups", type = "dtype",
}

-- Errors are three values: nil, the message, the field that is to blame.
local function fault(field, text, ...) return nil, text:format(...), field end

local function unknown_field(key)
  if type(key) ~= "string" then return fault(nil, "unknown field %s", message.quote(key)) end
  local words = table.move(FIELDS, 1, #FIELDS, 1, {})
  for word in pairs(ELSEWHERE) do words[#words + 1] = word end
  table.sort(words)
  local best = message.nearest(key, words)
  return fault(key, "unknown field %s%s", message.quote(key), best
    and ("; did you mean '%s'?"):format(ELSEWHERE[best] or best)
    or "; the fields are " .. table.concat(FIELDS, ", "))
end

-- The first unknown key by name, so that the message does not depend on the order of hashing.
local function find_unknown(fields)
  local first
  for key in next, fields do
    if not KNOWN[key] and (first == nil or type(key) == "string"
        and (type(first) ~= "string" or key < first)) then
      first = key
    end
  end
  return first
end

local function check_integer(value, field, least)
  if math.type(value) == "integer" and value >= least and value <= LIMIT then return value end
  if value == nil then return fault(field, "field %s is missing", field) end
  local hint = ""
  if field:find("^dilation") then
    hint = " (1 = dense)"
  elseif field:find("^pad") and math.type(value) == "integer" and value < 0 then
    hint = " (padding must be >= 0)"
  end
  return fault(field, "%s must be an integer from %d to %d%s, got %s", field, least, LIMIT, hint,
    message.quote(value))
end

local function check_word(value, field, allowed)
  for _, word in ipairs(allowed) do
    if rawequal(value, word) then return value end
  end
  return fault(field, "%s must be %s, got %s%s", field, message.choices(allowed),
    message.quote(value),
    type(value) == "string" and message.did_you_mean(value, allowed) or "")
end

-- How far the taps reach along an axis: factors are below 2^31, the product below 2^62.
local function extent(kernel, dilation) return (kernel - 1) * dilation + 1 end

-- Padding of 'same' along one axis: the output has ceil(input / stride) pixels.
local function same_padding(input, kernel, stride, dilation, odd_first)
  local output = (input + stride - 1) // stride
  local total = math.max(0, (output - 1) * stride + extent(kernel, dilation) - input)
  local small, large = total // 2, total - total // 2
  if odd_first then return large, small end
  return small, large
end

local function set_padding(l, fields)
  local mode = rawget(fields, "pad")
  if mode ~= nil then
    local ok, text, field = check_word(mode, "pad", PAD_MODES)
    if not ok then return ok, text, field end
  end
  for _, entry in ipairs(PADDING) do
    local field, least, default = table.unpack(entry)
    local value = rawget(fields, field)
    if value ~= nil and mode ~= nil then
      return fault("pad", "pad = '%s' and %s = %s contradict each other", mode, field,
        message.quote(value))
    end
    if value == nil then value = default end
    local text
    value, text = check_integer(value, field, least)
    if not value then return fault(field, "%s", text) end
    if l.pool and value < 0 and (field == "pad_top" or field == "pad_left") then
      return fault(field, "%s %d: of a pooling layer padding at the begin must be >= 0", field, value)
    end
    l[field] = value
  end
  if mode == "same" or mode == "same-lower" then
    local lower = mode == "same-lower"
    l.pad_top, l.pad_bottom = same_padding(l.IH, l.KH, l.stride_h, l.dilation_h, lower)
    l.pad_left, l.pad_right = same_padding(l.IW, l.KW, l.stride_w, l.dilation_w, lower)
  end
  return true
end

-- Output size along an axis. Lua's // rounds down: C's division would let a kernel that is larger
-- than the padded input pass when the stride is above 1.
local function output_size(l, axis, begin_field, end_field)
  local input, kernel = l["I" .. axis], l["K" .. axis]
  local stride, dilation = l["stride_" .. axis:lower()], l["dilation_" .. axis:lower()]
  local padded = input + l[begin_field] + l[end_field]
  local reach = extent(kernel, dilation)
  if padded > LIMIT then
    return fault(begin_field, "I%s %d with %s %d and %s %d is %d, more than %d", axis, input,
      begin_field, l[begin_field], end_field, l[end_field], padded, LIMIT)
  end
  local output = (padded - reach) // stride + 1
  if l.ceil then output = pooling.ceil_size(padded, reach, stride, input, l[begin_field]) end
  if output >= 1 then return output end
  local to_blame = kernel <= padded and "dilation_" .. axis:lower() or "K" .. axis
  return fault(to_blame, "K%s %d with dilation %d reaches over %d pixels, but the padded input"
    .. " has %d (I%s %d, padding %d and %d): O%s would be %d", axis, kernel, dilation, reach,
    padded, axis, input, l[begin_field], l[end_field], axis, output)
end

--- How many elements the layer's arrays have: { input =, weights =, bias =, output = }; or nil, a
-- message and the field to blame when one is too large.
function layer.counts(l)
  local function count(what, field, ...)
    local product, sizes = 1, { ... }
    for _, size in ipairs(sizes) do
      product = product * size -- both factors below 2^31
      if product > LIMIT then
        return fault(field, "%s of %s elements is too large: the limit is %d", what,
          table.concat(sizes, " x "), LIMIT)
      end
    end
    return product
  end
  local counts = {}
  for _, array in ipairs({
    { "input", "IH", l.N, l.IH, l.IW, l.IC },
    l.pool and { "window", "KH", l.KH, l.KW }
      or { "weights", "KH", l.OC, l.KH, l.KW, l.IC // l.groups },
    { "output", "OC", l.N, (l.after or l).OH, (l.after or l).OW, l.OC },
  }) do
    local product, text, field = count(table.unpack(array))
    if not product then return nil, text, field end
    counts[array[1]] = product
  end
  counts.bias = l.bias and l.OC or 0
  if l.pool then counts.weights, counts.window = 0, nil end
  return counts
end

-- Nothing is the maximum or the average of a window without pixels.
local function check_windows(l)
  if l.include_pad then return true end
  for _, axis in ipairs({ "H", "W" }) do
    local pad = axis == "H" and "pad_top" or "pad_left"
    local stride, dilation = l["stride_" .. axis:lower()], l["dilation_" .. axis:lower()]
    local at = pooling.empty_window({ out = l["O" .. axis], size = l["I" .. axis],
      taps = l["K" .. axis], stride = stride, pad = l[pad], dilation = dilation })
    if at then
      return fault(pad, "the window of output %d along %s lies wholly in the padding, so it has no"
        .. " %s (I%s %d, K%s %d, stride %d, dilation %d, %s %d)", at, axis, l.pool == "max"
        and "maximum" or "average", axis, l["I" .. axis], axis, l["K" .. axis], stride, dilation,
        pad, l[pad])
    end
  end
  return true
end

-- The pooling layer behind a layer, or nil, a message and the field to blame.
local function behind(l, fields)
  if type(fields) ~= "table" then
    return fault("after", "after must be a table of fields, got %s", message.quote(fields))
  end
  local f = { N = l.N, IH = l.OH, IW = l.OW, IC = l.OC, layout = l.layout, dtype = l.dtype }
  for key, value in next, fields do
    if f[key] ~= nil then return fault("after", "after: %s follows from the layer before", key) end
    f[key] = value
  end
  if f.pool == nil then return fault("after", "after: a pooling layer is wanted; field pool is missing") end
  local pool, text = layer.new(f)
  if not pool then return fault("after", "%s", text) end
  return pool
end

--- A layer from its fields; or nil, a message and the field to blame. Reads `fields` raw.
function layer.new(fields, run_time)
  if type(fields) ~= "table" then
    return fault(nil, "a layer must be a table of fields, got %s", message.quote(fields))
  end
  local stranger = find_unknown(fields)
  if stranger ~= nil then return unknown_field(stranger) end
  local text, field
  fields, text, field = pooling.complete(fields)
  if not fields then return nil, text, field end

  local l = { pool = fields.pool, ceil = fields.ceil, include_pad = fields.include_pad }
  local depthwise = rawequal(rawget(fields, "groups"), "depthwise")
  for _, entry in ipairs(INTEGERS) do
    local size, least, default = table.unpack(entry)
    local value = rawget(fields, size)
    if value == nil then value = default end
    if depthwise and (size == "groups" or size == "OC" and value == nil) then value = l.IC end
    local ok
    ok, text = check_integer(value, size, least)
    if not ok then return fault(size, "%s", text) end
    l[size] = value
  end
  for _, channels in ipairs({ "IC", "OC" }) do
    if l[channels] % l.groups ~= 0 then
      return fault("groups", "%s %d is not a multiple of groups %d%s", channels, l[channels],
        l.groups, depthwise and " (depthwise: groups = IC)" or "")
    end
  end

  local ok
  ok, text, field = set_padding(l, fields)
  if not ok then return nil, text, field end
  for _, axis in ipairs({ { "H", "pad_top", "pad_bottom" }, { "W", "pad_left", "pad_right" } }) do
    local output = "O" .. axis[1]
    l[output], text, field = output_size(l, table.unpack(axis))
    if text then return nil, text, field end
    local given = rawget(fields, output)
    if given ~= nil and not rawequal(given, l[output]) then
      return fault(output, "%s is given as %s, but the other fields make it %d", output,
        message.quote(given), l[output])
    end
  end
  if l.pool then
    ok, text, field = check_windows(l)
    if not ok then return nil, text, field end
  end

  for _, entry in ipairs(WORDS) do
    local value = rawget(fields, entry[1])
    if value == nil then value = entry[2][1] end
    ok, text, field = check_word(value, entry[1], entry[2])
    if not ok then return nil, text, field end
    l[entry[1]] = value
  end
  local act = rawget(fields, "activation")
  if act == nil then act = "none" end
  l.activation, text = activation.new(act)
  if not l.activation then return fault("activation", "%s", text) end
  if l.activation.runtime and not run_time then
    return fault("activation", "activation clamp: bounds by name want sizes by name, got %s",
      message.quote(act))
  end
  l.bias = rawget(fields, "bias")
  if l.bias == nil then l.bias = true end
  if type(l.bias) ~= "boolean" then
    return fault("bias", "bias must be true or false, got %s", message.quote(l.bias))
  end
  l.name = rawget(fields, "name")
  if l.name ~= nil then
    ok, text = name.check(l.name)
    if not ok then return fault("name", "%s", text) end
  end

  if rawget(fields, "after") ~= nil then
    l.after, text, field = behind(l, rawget(fields, "after"))
    if not l.after then return nil, text, field end
  end
  ok, text, field = layer.counts(l)
  if not ok then return nil, text, field end
  return l
end

--- A layer whose batch, height, width and channels are given at run time: `sizes` holds a C name for
-- IH, IW, IC and OC; the other fields are those of layer.new. Its `runtime` is true, its sizes are
-- those names, and 'same' padding stays a `pad_mode`, as it depends on the size.
function layer.new_runtime(fields, sizes)
  local probe = {}
  for field, value in next, fields do probe[field] = value end
  -- Sizes that suit every filter check the rest.
  local function reach(kernel, dilation)
    return math.type(kernel) == "integer" and math.type(dilation) == "integer" and kernel > 0
      and dilation > 0 and extent(kernel, dilation) or 1
  end
  local groups = math.type(fields.groups) == "integer" and fields.groups > 0 and fields.groups or 1
  probe.N, probe.IC, probe.OC, probe.OH, probe.OW = 1, groups, groups, nil, nil
  probe.IH = reach(fields.KH, fields.dilation_h or 1)
  probe.IW = reach(fields.KW, fields.dilation_w or 1)
  local l, text, field = layer.new(probe, true)
  if not l then return nil, text, field end
  for _, size in ipairs({ "IH", "IW", "IC", "OC" }) do l[size] = sizes[size] end
  l.runtime, l.N, l.OH, l.OW = true, "N", "OH", "OW"
  l.depthwise = fields.groups == "depthwise"
  if probe.pad == "same" or probe.pad == "same-lower" then l.pad_mode = probe.pad end
  return l
end

return layer
