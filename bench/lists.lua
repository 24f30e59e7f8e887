-- The layer lists in bench/layers.
-- SPDX-License-Identifier: MIT-0

local batch = require "import.batch"
local benchdnn = require "import.benchdnn"
local files = require "files"
local lfs = require "lfs"

local lists = {}

-- The order of the report; lists that are not named here follow.
local ORDER = { "textbook", "lenet", "resnet50", "mobilenet_v1", "vgg16", "sweep", "channels" }

-- So many layers that it takes a wish of its own to measure them.
local LONG = { networks = true }

--- Those of some lists that are measured unless others are asked for.
function lists.usual(names)
  local out = {}
  for _, name in ipairs(names) do out[#out + 1] = not LONG[name] and name or nil end
  return out
end

--- What the layers of a list are: "max" or "average" where its name begins with that and "_pool",
-- else nil, for convolutions.
function lists.pool(list)
  return list:match("^(max)_pool") or list:match("^(average)_pool")
end

--- The names of all lists of the project at `root`.
function lists.names(root)
  local there, out = {}, {}
  for file in lfs.dir(root .. "/bench/layers") do
    local name = file:match("^([%a_][%w_]*)%.txt$")
    if name then there[name] = true end
  end
  for _, name in ipairs(ORDER) do
    if there[name] then out[#out + 1], there[name] = name, nil end
  end
  local others = {}
  for name in pairs(there) do others[#others + 1] = name end
  table.sort(others)
  return table.move(others, 1, #others, #out + 1, out)
end

--- The names of the lists of convolutions alone, without pooling behind them.
function lists.convolutions(root)
  local out = {}
  for _, name in ipairs(lists.names(root)) do
    local alone = not lists.pool(name)
    for _, entry in ipairs(alone and lists.read(root, name) or {}) do
      alone = alone and not entry.fields.after
    end
    out[#out + 1] = alone and name or nil
  end
  return out
end

function lists.path(root, list)
  return ("%s/bench/layers/%s.txt"):format(root, list)
end

--- What batch.read gives for a list.
function lists.read(root, list)
  local pool = lists.pool(list)
  return batch.read(lists.path(root, list), pool and { kind = pool, ceil = false })
end

--- What a layer is, without its name: equal for equal layers.
function lists.descriptor(entry)
  return benchdnn.format(entry.fields)
end

--- Writes entries as a list of its own to `path`; true, or nil and why not.
function lists.write(path, entries)
  local lines = {}
  for i, entry in ipairs(entries) do
    lines[i] = ('%sn"%s"\n'):format(lists.descriptor(entry), entry.name)
  end
  return files.write(path, table.concat(lines))
end

return lists
