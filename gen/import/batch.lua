-- Reads layer lists: descriptors, as benchdnn.lua reads them, and options, as in oneDNN's batch files.
-- SPDX-License-Identifier: MIT-0
--
-- Words stand between white space. '#' at the begin of a word starts a comment; a '\' at the end of a
-- word joins the next one to it. An option holds for the descriptors behind it, those of the file that
-- has included this one too. With several values, separated by commas, each descriptor is taken once
-- for each of them. Behind a descriptor 'then' and a pooling layer may stand (see behind.lua).
--
-- Options are honoured, or need not be, or are refused: see settings.lua. In a list with options names
-- are repeated: a layer that was there already is left out, another one gets a number behind its name.
-- Names that are no C identifiers, as resnet_50:conv1, are labels, from which names are made:
-- resnet_50_conv1.

local behind = require "behind"
local benchdnn = require "import.benchdnn"
local files = require "files"
local message = require "message"
local name = require "name"
local settings = require "import.settings"

local batch = {}

batch.MOST_LAYERS = 10000 -- in one list
local DEEPEST = 16        -- files that include each other
local MOST_FILES = 1000   -- read for one list, each as often as it is included
local MOST_STEPS = 100000 -- values of options tried

-- ---- words -------------------------------------------------------------------------------------

-- Calls on_word(word, line) for each word of a text until it gives nil, which is given on.
local function each_word(text, on_word)
  local at, line, parts, first, joins = 1, 1, {}, 1, false
  local function flush()
    if #parts == 0 then return true end
    local word = table.concat(parts)
    parts = {}
    return on_word(word, first)
  end
  while true do
    local from, to = text:find("%S+", at)
    local _, lines = text:sub(at, (from or #text + 1) - 1):gsub("\n", "")
    line = line + lines
    if not from then return flush() end
    local word = text:sub(from, to)
    at = to + 1
    if word:find("^#") then
      at = text:find("\n", from, true) or #text + 1
    else
      if not joins and word ~= "\\" then -- a '\' that stands alone joins, too
        local ok, why, status = flush()
        if not ok then return nil, why, status end
      end
      if #parts == 0 then first = line end
      joins = word:find("\\$") ~= nil
      parts[#parts + 1] = joins and word:sub(1, -2) or word
    end
  end
end

-- Calls on_item(word, line, pooling) for each word; pooling is nil but for 'word then pooling'.
local function each_item(text, on_item)
  local held, line, wants -- a word; whether a pooling layer must come behind it
  local function flush(pooling)
    local word = held
    held, wants = nil, false
    if not word then return true end
    return on_item(word, line, pooling)
  end
  local ok, why, status = each_word(text, function(word, at)
    if wants then return flush(word) end
    if word == "then" and held and not held:find("^%-%-") then
      wants = true
      return true
    end
    local good, text_of, status_of = flush()
    held, line = word, at
    return good, text_of, status_of
  end)
  if not ok then return nil, why, status end
  return flush(wants and "" or nil)
end

-- ---- lists -------------------------------------------------------------------------------------

local function merged(one, other)
  local all = {}
  for key, value in pairs(one) do all[key] = value end
  for key, value in pairs(other) do all[key] = value end
  return all
end

-- All fields of an entry as one text.
local function key_of(entry)
  local words = {}
  for field, value in pairs(entry.fields) do
    words[#words + 1] = field .. "=" .. (field == "after" and entry.pooling or tostring(value))
  end
  table.sort(words)
  return table.concat(words, " ") .. " " .. (entry.name or "")
end

-- What labels may hold besides what C's names do.
local LABEL = "^[%w_!%%()*+,./:=&-]*$"

-- The name that is made of a label, or nil where none can be.
local function from_label(label)
  local text = label:gsub("[^%w_]+", "_"):gsub("_+", "_"):gsub("^_", ""):gsub("_$", "")
  if text:find("^%d") then text = "layer_" .. text end
  return name.check(text) and text or nil
end

local Reader = {}
Reader.__index = Reader

function Reader:where(line) return ("%s:%d: "):format(self.path, line) end

-- A layer that is right but cannot be done ends the reading, or is told to who skips such layers.
function Reader:refuse(line, why)
  if not self.skip then return nil, self:where(line) .. why, 3 end
  self.skip(self:where(line) .. why)
  return true
end

-- Sees to it that the entry's name is fit and free; false where the layer was there already.
function Reader:settle_name(entry)
  local key = key_of(entry)
  local lax = self.options_seen
  if entry.name and not entry.name:find("^%a[%w_]*$") and entry.name:find(LABEL) then
    entry.name, lax = from_label(entry.name), true
  elseif entry.name then
    local ok, why = name.check(entry.name)
    if not ok then return nil, why end
  end
  if lax then
    if self.keys[key] then return false end
    self.keys[key] = true
  end
  if not entry.name then return true end
  local base, number = entry.name, 1
  while lax and self.names[entry.name:lower()] do
    number = number + 1
    entry.name = ("%s_%d"):format(base, number)
  end
  local other = self.names[entry.name:lower()]
  if other then
    return nil, ("name '%s' is %s of line %d"):format(entry.name, other.name == entry.name
      and "also the name" or ("equal but for case to '%s'"):format(other.name), other.line)
  end
  if #entry.name > name.LONGEST then entry.name = nil else self.names[entry.name:lower()] = entry end
  return true
end

function Reader:add(entry, line)
  entry.line, entry.path = line, self.path
  local ok, why = self:settle_name(entry)
  if ok == nil then return nil, self:where(line) .. why, 2 end
  if not ok then return true end
  if #self.list == batch.MOST_LAYERS then
    return nil, ("%smore than %d layers in a list"):format(self:where(line), #self.list), 2
  end
  table.insert(self.list, entry)
  return true
end

-- How many values of options expand() tries.
function Reader:tries()
  local count = 0
  for at = #self.order, 1, -1 do
    local sum = 0
    for _, value in ipairs(self.options[self.order[at]]) do
      sum = sum + 1 + ((value.unsupported or value.other) and 0 or count)
    end
    count = math.min(sum, MOST_STEPS + 1)
  end
  return count
end

-- An entry once for each combination of the options' values, from the `at`th option on; `fields` are
-- what the others say.
function Reader:expand(word, line, entry, fields, at)
  local option = self.order[at]
  if not option then
    local one = merged(entry, { fields = merged(entry.fields, fields) })
    if entry.pooling then one.fields.after = behind.parse(entry.pooling) end
    return self:add(one, line)
  end
  for _, value in ipairs(self.options[option]) do
    local ok, why, status = true, nil, nil
    if value.unsupported then
      ok, why, status = self:refuse(line, ("descriptor %s: %s is not supported"):format(message.quote(word),
        value.unsupported))
    elseif not value.other then
      ok, why, status = self:expand(word, line, entry, merged(fields, value), at + 1)
    end
    if not ok then return nil, why, status end
  end
  return true
end

function Reader:descriptor(word, line, pooling)
  local entry, why, status = benchdnn.parse(word, self.pool)
  if not entry and status == 3 then return self:refuse(line, why) end
  if not entry then return nil, self:where(line) .. why, status end
  if pooling then
    local ok
    ok, why = behind.parse(pooling)
    if self.pool then ok, why = nil, "there is none behind a pooling layer" end
    if not ok then return nil, ("%sthen %s: %s"):format(self:where(line), message.quote(pooling), why), 2 end
    entry.pooling = pooling
  end
  self.steps = self.steps + self:tries()
  if self.steps > MOST_STEPS then
    return nil, ("%stoo many combinations of options"):format(self:where(line)), 2
  end
  return self:expand(word, line, entry, {}, 1)
end

function Reader:option(word, line)
  local option, text = word:match("^(%-%-[^=]*)=?(.*)$")
  self.options_seen = true
  if option == "--reset" then
    self.options, self.order = {}, {}
  elseif option == "--batch" then
    return self:file(text:find("^/") and text or files.join(self.path:match("^(.*)/[^/]*$") or
      (self.path:find("^/") and "/" or "."), text), self:where(line))
  else
    local values, why = settings.parse(option, text, self.pool)
    if values == nil then return nil, self:where(line) .. why, 2 end
    if values and not self.options[option] then table.insert(self.order, option) end
    self.options[option] = values or nil
  end
  return true
end

-- Reads a file, which `where` includes.
function Reader:file(path, where)
  if self.depth == DEEPEST then
    return nil, ("%smore than %d files include each other"):format(where, DEEPEST), 2
  end
  self.files = self.files + 1
  if self.files > MOST_FILES then return nil, ("%smore than %d files in a list"):format(where, MOST_FILES), 2 end
  local content, why = files.read(path)
  if not content then return nil, where .. why, 4 end
  local outer = self.path
  self.path, self.depth = path, self.depth + 1
  local ok, text, status = each_item(content:gsub("^\xef\xbb\xbf", ""), function(word, line, pooling)
    if word:find("^%-%-") then return self:option(word, line) end
    return self:descriptor(word, line, pooling)
  end)
  self.path, self.depth = outer, self.depth - 1
  return ok, text, status
end

--- Reads a layer list. Gives a list of what benchdnn.parse gives, each with its `path` and `line`; or
-- nil, a message with file and line, and the exit status. Names are checked and differ, also without
-- regard to case; an entry without a name has name = nil. `pool`: of pooling, { kind =, ceil =,
-- include_pad = }. `skip`, if given, is called with a message for each layer that is right but
-- unsupported; without it the first one ends the reading.
function batch.read(path, pool, skip)
  local reader = setmetatable({
    list = {}, pool = pool, skip = skip, depth = 0, options = {}, order = {}, names = {}, keys = {},
    steps = 0, files = 0,
  }, Reader)
  local skipped = false
  if skip then
    reader.skip = function(why)
      skipped = true
      skip(why)
    end
  end
  local ok, why, status = reader:file(path, "")
  if not ok then return nil, why, status end
  if #reader.list == 0 then
    return nil, ("%s: holds no layer%s"):format(path, skipped and " that is supported" or ""), skipped and 3 or 2
  end
  return reader.list
end

return batch
