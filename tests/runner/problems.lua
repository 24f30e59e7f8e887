-- Lists of layers: benchdnn descriptors, one a line, or a table of their fields.
-- SPDX-License-Identifier: MIT-0

local files = require "files"

local problems = {}

-- A table: the first line names the columns as descriptors do, end padding p*_r, which follows.
local function read_table(text)
  local lines = text:gmatch("[^\n]+")
  local columns, list = {}, {}
  for name in lines():gmatch("%S+") do columns[#columns + 1] = name end
  for line in lines do
    local at, fields = 0, { g = true, mb = true, ic = true, oc = true }
    for _, f in ipairs { "i", "o", "k", "s", "p", "d" } do
      fields[f .. "h"], fields[f .. "w"] = true, true
    end
    local words = {}
    for value in line:gmatch("%S+") do
      at = at + 1
      local name = columns[at]
      if name and fields[name] then words[#words + 1] = name .. value end
    end
    local name = ("row_%d"):format(#list + 1)
    list[#list + 1] = { name = name, text = ('%sn"%s"'):format(table.concat(words), name) }
  end
  return list
end

--- The problems of a file: a list of { name =, text = }. A file '*.tsv' is a table.
function problems.read(path)
  local text = assert(files.read(path))
  if path:find("%.tsv$") then return read_table(text) end
  local list = {}
  for line in text:gmatch("[^\n]+") do
    if not line:find("^#") then
      list[#list + 1] = { name = line:match('n"([%w_]+)'), text = line }
    end
  end
  return list
end

--- One of `parts` parts of a list, another for each seed.
function problems.part(list, parts, seed)
  local out = {}
  for i, problem in ipairs(list) do
    if (i + seed) % parts == 0 then out[#out + 1] = problem end
  end
  return out
end

--- Those with the given names, in their order.
function problems.named(list, names)
  local known, out = {}, {}
  for _, problem in ipairs(list) do known[problem.name] = problem end
  for i, name in ipairs(names) do out[i] = assert(known[name], "no problem " .. name) end
  return out
end

function problems.write(path, list)
  local lines = {}
  for i, problem in ipairs(list) do lines[i] = problem.text .. "\n" end
  assert(files.write(path, table.concat(lines)))
end

return problems
