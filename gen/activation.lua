-- Activations: their syntax, their numbers and their text.
-- SPDX-License-Identifier: MIT-0
--
--   none relu relu6 clamp:LO,HI leaky:A sigmoid tanh silu hardswish
--
-- An activation is { kind =, a =, b = }: clamp has a = LO and b = HI, leaky has a = slope, the
-- others have neither; relu6 is clamp 0,6. Numbers are what the kernel computes with: rounded to
-- float.

local message = require "message"

local activation = {}

activation.syntax = {
  "none", "relu", "relu6", "clamp:LO,HI", "leaky:A", "sigmoid", "tanh", "silu", "hardswish",
}

-- how many numbers each kind has
local NUMBERS = {
  none = 0, relu = 0, clamp = 2, leaky = 1, sigmoid = 0, tanh = 0, silu = 0, hardswish = 0,
}

local function to_float(x)
  return (string.unpack("<f", string.pack("<f", x))) + 0.0
end

-- A finite decimal number; Lua's own reading would also take hexadecimal, nan, spaces.
local function parse_number(text)
  local digits = text:match("^[+-]?(%d*%.?%d*)$") or text:match("^[+-]?(%d*%.?%d*)[eE][+-]?%d+$")
  if digits and digits:find("%d") then return tonumber(text) end
end

local TAKES = { [0] = "no number", "one number: leaky:A", "two numbers: clamp:LO,HI" }

local function check(kind, a, b)
  local values = { a, b }
  for i = 1, 2 do
    local x = values[i]
    if (x ~= nil) ~= (i <= NUMBERS[kind]) then
      return nil, ("activation %s takes %s"):format(kind, TAKES[NUMBERS[kind]])
    end
    if x ~= nil then
      if type(x) ~= "number" or x ~= x or math.abs(to_float(x)) == math.huge then
        return nil, ("activation %s: %s is not a finite float"):format(kind, message.quote(x))
      end
      values[i] = to_float(x)
      if values[i] == 0 then values[i] = 0.0 end -- no negative zero
    end
  end
  if kind == "clamp" and values[1] > values[2] then
    return nil, ("activation clamp: want LO <= HI, got %s,%s")
      :format(activation.number_text(values[1]), activation.number_text(values[2]))
  end
  return { kind = kind, a = values[1], b = values[2] }
end

--- The shortest decimal text that gives the same float, in every locale: 6, 0.1, -1.5, 1e-05.
function activation.number_text(x)
  for precision = 1, 9 do
    local text = (("%%.%dg"):format(precision)):format(x):gsub(",", ".")
    if to_float(tonumber(text)) == x then return text end
  end
end

--- Activation from its syntax; nil and a message when it has none.
function activation.parse(text)
  local kind, list = text:match("^(%a+):(.*)$")
  kind = kind or text
  if text == "relu6" then return check("clamp", 0, 6) end
  if kind == "relu6" or not NUMBERS[kind] then
    local words = {}
    for i, entry in ipairs(activation.syntax) do words[i] = entry:match("^%w+") end
    return nil, ("activation %s is not one of %s%s"):format(message.quote(text),
      message.choices(activation.syntax), message.did_you_mean(kind, words))
  end
  if kind == "clamp" and list and list:find("^%u[%u%d]*,%u[%u%d]*$") then
    return { kind = "clamp", runtime = list } -- bounds by name: given at run time
  end
  local numbers, count = {}, 0
  if list then
    for item in (list .. ","):gmatch("(.-),") do
      count = count + 1
      numbers[count] = parse_number(item)
      if not numbers[count] then
        return nil, ("activation %s: %s is not a finite decimal number")
          :format(message.quote(text), message.quote(item))
      end
    end
  end
  if count ~= NUMBERS[kind] then
    return nil, ("activation %s: %s takes %s"):format(message.quote(text), kind,
      TAKES[NUMBERS[kind]])
  end
  return check(kind, numbers[1], numbers[2])
end

--- Activation from its syntax or from a table of its fields, checked; nil and a message.
function activation.new(value)
  if type(value) == "string" then return activation.parse(value) end
  if type(value) ~= "table" then
    return nil, ("activation must be a string or a table, got %s"):format(message.quote(value))
  end
  for key in next, value do
    if key ~= "kind" and key ~= "a" and key ~= "b" then
      return nil, ("activation has an unknown field %s; it has kind, a and b")
        :format(message.quote(key))
    end
  end
  local kind = rawget(value, "kind")
  if type(kind) ~= "string" or not NUMBERS[kind] then
    return nil, ("activation kind %s is not known"):format(message.quote(kind))
  end
  return check(kind, rawget(value, "a"), rawget(value, "b"))
end

--- The syntax that gives this activation back.
function activation.text(act)
  if act.kind == "clamp" and act.a == 0 and act.b == 6 then return "relu6" end
  local text = act.kind
  if act.runtime then return text .. ":" .. act.runtime end
  if act.a then text = text .. ":" .. activation.number_text(act.a) end
  if act.b then text = text .. "," .. activation.number_text(act.b) end
  return text
end

return activation
