-- Sizes as the command line writes them: integers, lists of them, padding.
-- SPDX-License-Identifier: MIT-0

local layer = require "layer"

local sizes = {}

--- A decimal integer: no hexadecimal, no fraction, no exponent, no spaces, as tonumber would take; nil
-- where it is none. One that is too large for Lua's stays the text it is: layer.new quotes it and says
-- what is allowed.
function sizes.integer(text)
  local digits = text:match("^%-?(%d+)$")
  if not digits then return nil end
  return #digits:gsub("^0+", "") > 18 and text or tonumber(text)
end

--- All items of text between separators as integers, or nil when one is none or their number is
-- not allowed: counts[n] is true where n are.
function sizes.list(text, separator, counts)
  local list = {}
  for item in (text .. separator):gmatch("(.-)" .. separator) do
    local value = sizes.integer(item)
    if not value or #list == 4 then return nil end
    list[#list + 1] = value
  end
  return counts[#list] and list or nil
end

--- One integer, or two of them with x between.
sizes.pair = { true, true }

--- Sets the fields that padding is: pad for a word, else the four numbers. False for another text.
function sizes.set_padding(fields, text)
  for _, mode in ipairs(layer.words.pad) do
    if text == mode then
      fields.pad = mode
      return true
    end
  end
  local list = sizes.list(text, "x", sizes.pair)
  if list then
    local h, w = list[1], list[2] or list[1]
    list = { h, w, h, w }
  else
    list = sizes.list(text, ",", { [4] = true })
  end
  if not list then return false end
  for i, field in ipairs({ "pad_top", "pad_left", "pad_bottom", "pad_right" }) do
    fields[field] = list[i]
  end
  return true
end

--- The text of two sizes: "3" or "3x5".
function sizes.text(h, w) return h == w and tostring(h) or h .. "x" .. w end

--- The text of a layer's padding.
function sizes.padding_text(l)
  if l.pad_top == l.pad_bottom and l.pad_left == l.pad_right then
    return sizes.text(l.pad_top, l.pad_left)
  end
  return ("%d,%d,%d,%d"):format(l.pad_top, l.pad_left, l.pad_bottom, l.pad_right)
end

return sizes
