-- What the programs' command lines have in common.
-- SPDX-License-Identifier: MIT-0

local argparse = require "argparse"
local isa = require "isa"

local arguments = {}

--- "a,b" as a list of words, each of which must be one of `choices`.
function arguments.some_of(choices)
  local known = {}
  for _, choice in ipairs(choices) do known[choice] = true end
  return function(text)
    local words = {}
    for word in text:gmatch("[^,]+") do
      if not known[word] then
        return nil, ("'%s' is none of %s"):format(word, table.concat(choices, ", "))
      end
      words[#words + 1] = word
    end
    return words
  end
end

function arguments.at_least(low)
  return function(text)
    local value = text:find("^%d+$") and math.tointeger(tonumber(text))
    if value and value >= low then return value end
    return nil, ("'%s' is not a number of at least %d"):format(text, low)
  end
end

--- The instruction sets of this machine, best first.
function arguments.isas()
  local out = {}
  for _, name in ipairs(isa.runnable()) do table.insert(out, 1, name) end
  return out
end

--- A parser, and a function that adds an option to it: option(name, argname, default, description,
-- convert). Of a wrong command line the parser tells fail(message, 2).
function arguments.parser(name, description, fail)
  local parser = argparse(name, description)
  parser:usage_max_width(98):help_max_width(98):help_description_margin(26)
  parser:epilog("$CC and $CXX name the compilers (cc and c++).")
  function parser.error(_, message) fail(message, 2) end
  return parser, function(option, argname, default, text, convert)
    parser:option(option):argname(argname):default(default):convert(convert or tostring)
      :description(text)
  end
end

return arguments
