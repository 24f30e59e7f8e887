-- Renders a template: text lines, lines of Lua and $(expressions).
-- SPDX-License-Identifier: MIT-0
--
--   @ for k = 0, plan.vectors - 1 do          a line of Lua: '@ ' after any white space
--       acc_$(k) = $(isa.zero());             $(...) is replaced by the value of a Lua expression
--   @ end
--       $(lines)                              alone on its line, a value of many lines (or a list of
--                                             lines) keeps the indentation; an empty value drops the line
--
-- A name that is not in the environment is an error, and so is a float: Lua prints 6/2 as 3.0,
-- which would end up in an index. Errors name the template and its line.

local template = {}

local function render_value(value, where)
  local kind = math.type(value)
  if kind == "integer" then return tostring(value) end
  if type(value) == "string" then return value end
  if type(value) == "table" then
    local lines = {}
    for i, line in ipairs(value) do lines[i] = render_value(line, where) end
    return table.concat(lines, "\n")
  end
  error(("%s: $(...) gave %s, want a string, an integer or a list of them")
    :format(where, kind or type(value)), 0)
end

local function indented(text, indent)
  if text == "" then return "" end
  local lines = {}
  for line in (text .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = line == "" and "\n" or indent .. line .. "\n"
  end
  return table.concat(lines)
end

-- Turns template text into a Lua function with the same line numbers.
local function compile(text, name)
  local out, number = {}, 0
  local function quoted(s) return ("%q"):format(s):gsub("\\\n", "\\n") end
  for line in (text:gsub("\n$", "") .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    local code = line:match("^%s*@ (.*)$") or line:match("^%s*@()$")
    local indent, alone = line:match("^(%s*)%$(%b())%s*$")
    if code then
      out[#out + 1] = tostring(code):match("^%d+$") and "" or code
    elseif alone then
      out[#out + 1] = ("_put(_indented(_value(%s, %d), %s))"):format(alone, number, quoted(indent))
    else
      local parts, from = {}, 1
      while true do
        local start, stop = line:find("%$%b()", from)
        if not start then break end
        if start > from then parts[#parts + 1] = quoted(line:sub(from, start - 1)) end
        parts[#parts + 1] = ("_value(%s, %d)"):format(line:sub(start + 1, stop), number)
        from = stop + 1
      end
      parts[#parts + 1] = quoted(line:sub(from) .. "\n")
      out[#out + 1] = ("_put(%s)"):format(table.concat(parts, ", "))
    end
  end
  local code, message = load("local _ENV = ...; " .. table.concat(out, "\n"), "@" .. name, "t")
  if not code then error(message, 0) end
  return code
end

local compiled = {} -- by text

local library = { ipairs = ipairs, math = math, string = string, table = table, tostring = tostring }

--- Renders `text` (called `name` in errors) with the fields of `values` as global names.
-- Functions of `values` may be called from it; it sees no other global than a few of Lua's own.
-- Raises an error that starts with 'name:line:'.
function template.render(text, name, values)
  local output = {}
  local env = {
    _put = function(...) for _, s in ipairs({ ... }) do output[#output + 1] = s end end,
    _value = function(value, line) return render_value(value, ("%s:%d"):format(name, line)) end,
    _indented = indented,
  }
  setmetatable(env, { __index = function(_, key)
    local value = values[key]
    if value == nil then value = library[key] end
    if value == nil then error(("undefined name '%s'"):format(key), 2) end
    return value
  end })
  compiled[text] = compiled[text] or compile(text, name)
  compiled[text](env)
  return table.concat(output)
end

return template
