-- The syntax of a pooling layer behind a convolution: what --then takes, and layer lists after 'then'.
-- SPDX-License-Identifier: MIT-0
--
--   max:2x2            windows of 2 x 2; the stride is the window
--   average:3/2        windows of 3 x 3, stride 2
--   max:3x3/2+1        the same with padding 1; all that --pad takes may stand there
--   average:global     the whole map

local message = require "message"
local pooling = require "pooling"
local sizes = require "sizes"

local behind = {}

behind.syntax = table.concat(pooling.kinds, "|") .. ":K[/S][+P]|global"

local WANT = "want a window behind ':', as in max:2x2, max:3x3/2, max:3x3/2+1 or average:global"

--- The fields of the pooling layer for layer.new, without its input; or nil and a message.
function behind.parse(text)
  local kind, rest = text:match("^([^:]*):(.*)$")
  kind = kind or text
  local fields
  for _, known in ipairs(pooling.kinds) do
    if kind == known then fields = { pool = kind } end
  end
  if not fields then
    return nil, ("want %s, got %s%s"):format(message.choices(pooling.kinds), message.quote(kind),
      message.did_you_mean(kind, pooling.kinds))
  end
  if rest == "global" then
    fields.global = true
    return fields
  end
  local kernel, stride, pad = (rest or ""):match("^([%dx]+)(/?[^+]*)(%+?.*)$")
  local list = kernel and sizes.list(kernel, "x", sizes.pair)
  if not list then return nil, WANT end
  fields.KH, fields.KW = list[1], list[2] or list[1]
  if stride ~= "" then
    list = stride:find("^/") and sizes.list(stride:sub(2), "x", sizes.pair)
    if not list then return nil, "want a stride behind '/', as in max:3x3/2 or max:3x2/2x1" end
    fields.stride_h, fields.stride_w = list[1], list[2] or list[1]
  end
  if pad ~= "" and not sizes.set_padding(fields, pad:sub(2)) then
    return nil, "want a padding behind '+', as in max:3x3/2+1, max:3x3/2+0,0,1,1 or max:3x3/2+same"
  end
  return fields
end

--- The text of a pooling layer; its options --ceil and --include-pad are not in it.
function behind.text(l)
  local pad = sizes.padding_text(l)
  local stride = l.stride_h ~= l.KH or l.stride_w ~= l.KW
  return ("%s:%dx%d%s%s"):format(l.pool, l.KH, l.KW,
    stride and "/" .. sizes.text(l.stride_h, l.stride_w) or "", pad ~= "0" and "+" .. pad or "")
end

return behind
