-- What is special about pooling layers: their fields, ceil mode, empty windows, divisors.
-- SPDX-License-Identifier: MIT-0
--
-- A pooling layer is a depthwise layer without weights, bias and activation. It has besides
--   pool = "max" | "average"
--   ceil = true | false          the output's size is rounded up
--   include_pad = true | false   of averages: padding counts, as zeros
-- Padding never is a maximum, and unless include_pad no part of an average. A stride that is missing
-- is the kernel's size. On the way in, global = true stands for a window as large as the input.

local message = require "message"

local pooling = {}

pooling.kinds = { "max", "average" }

-- fields of other layers only, and of pooling layers only
local FOREIGN = { "OC", "groups", "weights", "bias", "activation", "after" }
local FLAGS = { "ceil", "include_pad", "global" }
local GLOBAL = { "KH", "KW", "stride_h", "stride_w", "dilation_h", "dilation_w", "pad", "pad_top",
  "pad_left", "pad_bottom", "pad_right", "ceil" }

local function fault(field, text, ...) return nil, text:format(...), field end

--- Fields for layer.new with all that pooling implies filled in; those of other layers as they are.
-- nil, a message and the field to blame when they do not go together. Reads `fields` raw.
function pooling.complete(fields)
  local pool, f = rawget(fields, "pool"), {}
  for key, value in next, fields do f[key] = value end
  for _, field in ipairs(FLAGS) do
    if f[field] ~= nil and type(f[field]) ~= "boolean" then
      return fault(field, "%s must be true or false, got %s", field, message.quote(f[field]))
    elseif f[field] and pool == nil then
      return fault(field, "%s is for pooling layers: field pool is missing", field)
    end
  end
  if pool == nil then return f end
  if not rawequal(pool, "max") and not rawequal(pool, "average") then
    return fault("pool", "pool must be %s, got %s%s", message.choices(pooling.kinds),
      message.quote(pool), type(pool) == "string" and message.did_you_mean(pool, pooling.kinds) or "")
  end
  for _, field in ipairs(FOREIGN) do
    if f[field] ~= nil then return fault(field, "%s is not for pooling layers", field) end
  end
  if f.include_pad and pool == "max" then
    return fault("include_pad", "include_pad is for averages: padding never is a maximum")
  end
  if f.global then
    for _, field in ipairs(GLOBAL) do
      if f[field] ~= nil and f[field] ~= false then
        return fault(field, "global pooling takes the whole input: %s contradicts it", field)
      end
    end
    f.KH, f.KW = f.IH, f.IW
  end
  if f.stride_h == nil then f.stride_h = f.KH end
  if f.stride_w == nil then f.stride_w = f.KW end
  f.groups, f.OC, f.bias = f.IC, f.IC, false
  f.ceil, f.include_pad = f.ceil or false, f.include_pad or false
  return f
end

--- Output size in ceil mode from the padded size and how far a window reaches; but the last window
-- must start in the input or in the padding before it.
function pooling.ceil_size(padded, reach, stride, input, pad)
  local output = -((reach - padded) // stride) + 1
  return (output - 1) * stride >= input + pad and output - 1 or output
end

--- The number of an output along an axis whose window holds no pixel, or nil where there is none.
-- a: out, size (of the input), taps, stride, pad (at the begin), dilation.
function pooling.empty_window(a)
  local last = (a.out - 1) * a.stride - a.pad
  if last >= a.size then return a.out - 1 end
  -- Windows that begin in the padding before: of those that skip equally many taps, the last one's
  -- first tap lies farthest in. What that tap hits repeats after `dilation` outputs.
  local o = 0
  for _ = 1, a.dilation do
    local start = o * a.stride - a.pad
    if o >= a.out or start >= 0 then return nil end
    local skipped = -(start // a.dilation) -- taps before the input
    o = math.max(o, math.min(a.out - 1, (a.pad - 1 - (skipped - 1) * a.dilation) // a.stride))
    if skipped >= a.taps or o * a.stride - a.pad + skipped * a.dilation >= a.size then return o end
    o = o + 1
  end
end

--- How many taps of output o count for an average along an axis; a: as above, and count_end: where
-- the padding that counts ends, or nil when none counts. `first` and `last`: the taps in the input.
function pooling.counted(a, o, first, last)
  if not a.count_end then return last - first end
  return math.min(a.taps, -((o * a.stride - a.pad - a.count_end) // a.dilation))
end

--- Whether the windows of a pooling layer lie side by side and are all of a map of height x width.
function pooling.is_cut(l, height, width)
  return l.stride_h == l.KH and l.stride_w == l.KW and l.dilation_h == 1 and l.dilation_w == 1
    and l.pad_top == 0 and l.pad_left == 0 and height == l.OH * l.KH and width == l.OW * l.KW
end

return pooling
