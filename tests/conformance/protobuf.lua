-- Reads protocol buffers' wire format: fields by their numbers, whatever the message is.
-- SPDX-License-Identifier: MIT-0

local protobuf = {}

-- An unsigned number of seven bits a byte, the lowest first, as a 64-bit integer; and what follows it.
local function varint(text, at)
  local value, shift = 0, 0
  repeat
    local byte = text:byte(at)
    if not byte or shift > 63 then error("a number does not end", 0) end
    value = value | (byte & 0x7f) << shift
    at, shift = at + 1, shift + 7
  until byte < 0x80
  return value, at
end

local function bytes(text, at, count)
  if count < 0 or at + count - 1 > #text then error("a field is longer than its message", 0) end
  return text:sub(at, at + count - 1), at + count
end

-- One value, by its wire type.
local READ = {
  [0] = varint,
  [1] = function(text, at) return bytes(text, at, 8) end,
  [2] = function(text, at)
    local count
    count, at = varint(text, at)
    return bytes(text, at, count)
  end,
  [5] = function(text, at) return bytes(text, at, 4) end,
}

--- The fields of a message: lists of their values, by number. A value is an integer or, for
-- everything else, a string: text, a message within, packed numbers, the bytes of a fixed one.
function protobuf.message(text)
  local fields, at = {}, 1
  while at <= #text do
    local key, value
    key, at = varint(text, at)
    local read = READ[key & 7] or error(("wire type %d"):format(key & 7), 0)
    value, at = read(text, at)
    local number = key >> 3
    fields[number] = fields[number] or {}
    table.insert(fields[number], value)
  end
  return fields
end

--- The integers of a repeated field, packed or not.
function protobuf.integers(values)
  local list = {}
  for _, value in ipairs(values or {}) do
    if math.type(value) == "integer" then
      list[#list + 1] = value
    else
      local at = 1
      while at <= #value do list[#list + 1], at = varint(value, at) end
    end
  end
  return list
end

return protobuf
