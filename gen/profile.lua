-- Profiles: what 'convgen tune' found out about one processor, and 'emit --profile' goes by.
-- SPDX-License-Identifier: MIT-0
--
-- A text file; '#' begins a comment. The first words of its lines:
--
--   convgen 0.1.0                  the version that wrote it
--   cpu AMD EPYC (family 26 model 2)       family and model count; may be there again, with another
--   cost l2_bytes 1048576          a number of the cost model (plan/cost.lua)
--   cost fma 2 avx512              the same for one instruction set
--   layer ISA LAYOUT ACCURACY DESCRIPTOR [pool=KIND] [then=POOLING] [ceil] [include-pad] :
--     ALGORITHM MAPPING TILE [block=N] [us=TIME] [rule=ALGORITHM/TILE] [rule_us=TIME]
--
-- The last one, in one line, is a layer and the way to compute it that was the fastest: of Winograd's
-- algorithms `block` is the most tiles in a block. Times are for people: that of the way, and that of
-- what the planner takes by its own rule.
--
-- processors/ has some for processors whose costs are far from those of the cost model.

local behind = require "behind"
local benchdnn = require "import.benchdnn"
local files = require "files"
local isa = require "isa"
local layers = require "layer"
local lfs = require "lfs"
local machine = require "machine"
local message = require "message"
local plan = require "plan"
local version = require "version"

local Profile = {}
Profile.__index = Profile

local profile = {}

-- The numbers of the cost model that may be replaced, and what they may be.
local COSTS = {
  fma = { 1, 8 }, load = { 1, 8 }, shuffle = { 1, 8 }, arithmetic = { 1, 8 },
  l1_ways = { 1, 64 }, l1_way_bytes = { 1 << 9, 1 << 20 }, line_bytes = { 16, 1 << 12 },
  l2_bytes = { 1 << 14, 1 << 30 }, l3_bytes = { 1 << 16, 1 << 36 },
  l2_stream = { 1, 64 }, l3_stream = { 1, 64 }, memory_stream = { 1, 64 },
  transform = { 1, 1000 }, l1_kept = { 0, 100 }, l2_kept = { 0, 1000 }, streams = { 1, 1000 },
  between = { 0, 1 << 12 }, tail_cycles = { 0, 64 }, call = { 0, 64 }, tail_stores = { 0, 64 },
  stored_line = { 0, 1000 }, late_line = { 0, 1000 }, runs = { 0, 1 },
}
local COST_NAMES = {}
for name in pairs(COSTS) do COST_NAMES[#COST_NAMES + 1] = name end
table.sort(COST_NAMES)

local ACCURACIES = require("options").words.accuracy
local ALGORITHMS = {}
for i, entry in ipairs(plan.list()) do ALGORITHMS[i] = entry.name end

--- A profile of this version with nothing in it.
function profile.new(cpu)
  return setmetatable({ version = version, cpus = { cpu }, costs = {}, ways = {} }, Profile)
end

-- The words that stand for a layer, computed by an instruction set with an accuracy.
local function key_of(set, l, accuracy)
  local words = { set, l.layout, accuracy, benchdnn.format(l) }
  local pool = l.after or l
  if l.pool then words[#words + 1] = "pool=" .. l.pool end
  if l.after then words[#words + 1] = "then=" .. behind.text(l.after) end
  if pool.ceil then words[#words + 1] = "ceil" end
  if pool.include_pad then words[#words + 1] = "include-pad" end
  return table.concat(words, " ")
end

-- ---- reading -----------------------------------------------------------------------------------

-- Every function gives nil and what is wrong with a line.

local function one_of(list, what, word)
  for _, known in ipairs(list) do
    if word == known then return word end
  end
  return nil, ("%s must be %s, got %s%s"):format(what, message.choices(list), message.quote(word or ""),
    message.did_you_mean(word or "", list))
end

local function integer(text, low, high)
  local value = text and #text < 13 and text:find("^%d+$") and math.tointeger(tonumber(text))
  return value and value >= low and value <= high and value or nil
end

local function read_cost(self, words)
  local name, why = one_of(COST_NAMES, "a cost", words[2])
  if not name then return nil, why end
  local low, high = table.unpack(COSTS[name])
  local value = integer(words[3], low, high)
  if not value then
    return nil, ("cost %s must be an integer from %d to %d, got %s"):format(name, low, high,
      message.quote(words[3] or ""))
  end
  local set = words[4] or "all"
  if words[4] and not isa.get(set) then return nil, select(2, one_of(isa.names, "an instruction set", set)) end
  if words[5] then return nil, "unexpected " .. message.quote(words[5]) end
  self.costs[set] = self.costs[set] or {}
  if self.costs[set][name] then return nil, ("cost %s is there twice"):format(name) end
  self.costs[set][name] = value
  return true
end

-- The layer of the words between 'layer' and ':'; whatever is unusual makes another key.
local function layer_of(words, options)
  local pool = options.pool and { kind = options.pool, ceil = options.ceil }
  local entry, why = benchdnn.parse(words[5] or "", pool)
  if not entry then return nil, why end
  local fields = entry.fields
  fields.layout, fields.pool = words[3], options.pool
  if options["then"] then
    fields.after, why = behind.parse(options["then"])
    if not fields.after then return nil, why end
  end
  local last = fields.after or fields
  last.ceil, last.include_pad = options.ceil, options["include-pad"]
  return layers.new(fields)
end

-- 'a=b' and 'a' among `words` from `first` on, as a table; `known` are the fields there may be.
local function options_of(words, first, last, known)
  local options = {}
  for i = first, last do
    local name, value = words[i]:match("^([%a_-]+)=(.*)$")
    name = name or words[i]
    if not known[name] then
      local names = {}
      for other in pairs(known) do names[#names + 1] = other end
      table.sort(names)
      return nil, ("unknown field %s%s"):format(message.quote(name), message.did_you_mean(name, names))
    elseif (value ~= nil) ~= (known[name] ~= true) then
      return nil, ("field '%s' %s"):format(name, known[name] == true and "takes no value" or "needs a value")
    elseif value and not value:find(known[name]) then
      return nil, ("bad value %s of field '%s'"):format(message.quote(value), name)
    elseif options[name] then
      return nil, ("field '%s' is there twice"):format(name)
    end
    options[name] = value or true
  end
  return options
end

local ABOUT_LAYER = { pool = "^%l+$", ["then"] = ".", ceil = true, ["include-pad"] = true }
local TIME = "^%d+%.?%d*$"
local ABOUT_WAY = { block = "^%d+$", us = TIME, rule = "^%l+/%w+$", rule_us = TIME }

local function read_layer(self, words, line)
  local colon = 1
  while words[colon] ~= ":" do
    colon = colon + 1
    if colon > #words then return nil, "a layer needs a ':' before the way to compute it" end
  end
  local set, accuracy, algorithm, about, options, l, why
  set, why = one_of(isa.names, "an instruction set", words[2])
  if set then accuracy, why = one_of(ACCURACIES, "an accuracy", words[4]) end
  if accuracy then about, why = options_of(words, 6, colon - 1, ABOUT_LAYER) end
  if about then l, why = layer_of(words, about) end
  if l then algorithm, why = one_of(ALGORITHMS, "an algorithm", words[colon + 1]) end
  local mapping = words[colon + 2] or ""
  if algorithm and not mapping:find("^%l+$") then
    return nil, ("a mapping is a word like channels, got %s"):format(message.quote(mapping))
  end
  if algorithm then options, why = options_of(words, colon + 4, #words, ABOUT_WAY) end
  if not options then return nil, why end

  local key = key_of(set, l, accuracy)
  if key ~= table.concat(words, " ", 2, colon - 1) then return nil, "the layer is spelt in another way: " .. key end
  local tile = words[colon + 3]
  if not tile or not tile:find("^%l?%d[%l%d]*$") then
    return nil, ("a tile is like 6x4, got %s"):format(message.quote(tile or ""))
  end
  local block = options.block and integer(options.block, 1, 0x7fffffff)
  if options.block and not block then
    return nil, ("bad value %s of field 'block'"):format(message.quote(options.block))
  end
  if self.ways[key] then return nil, ("the layer is in line %d, too"):format(self.ways[key].line) end
  self.ways[key] = { algorithm = algorithm, tile = { mapping = mapping, tile = tile }, block = block,
    us = tonumber(options.us), rule = options.rule, rule_us = tonumber(options.rule_us), line = line }
  return true
end

local function read_version(self, words)
  if self.version then return nil, "'convgen' is there twice" end
  self.version = words[2] and table.concat(words, " ", 2)
  return self.version, "'convgen' says nothing"
end

local function read_cpu(self, words)
  self.cpus[#self.cpus + 1] = words[2] and table.concat(words, " ", 2)
  return words[2], "'cpu' says nothing"
end

local READERS = { convgen = read_version, cpu = read_cpu, cost = read_cost, layer = read_layer }

--- Reads a profile; nil, a message and the exit status where that is not possible.
function profile.read(path)
  local text, why = files.read(path)
  if not text then return nil, why, 4 end
  local self, number = setmetatable({ path = path, cpus = {}, costs = {}, ways = {} }, Profile), 0
  local function wrong(what) return nil, ("%s:%d: %s"):format(path, number, what), 2 end
  for line in (text .. "\n"):gmatch("(.-)\r?\n") do
    number = number + 1
    local words = {}
    for word in line:gsub("#.*", ""):gmatch("%S+") do words[#words + 1] = word end
    local read, ok = READERS[words[1]], true
    if read then
      ok, why = read(self, words, number)
    elseif words[1] then
      ok, why = one_of({ "convgen", "cpu", "cost", "layer" }, "the first word", words[1])
    end
    if not ok then return wrong(why) end
    if words[1] and not self.version then return wrong("want 'convgen' and a version first: is it a profile?") end
  end
  if not self.version then return nil, path .. ": there is no line 'convgen': is it a profile?", 2 end
  return self
end

-- Whether two processors are alike: of the same family and model, where those are known.
local function alike(a, b)
  local model = a:match("%(family .*%)$")
  return a == b or model ~= nil and b:sub(-#model) == model
end

-- Whether it is of a processor.
local function is_of(self, cpu)
  for _, own in ipairs(self.cpus) do
    if alike(own, cpu) then return true end
  end
  return false
end

local PROCESSORS = (debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or ".") .. "/processors"

--- The names of the profiles in processors/.
function profile.processors()
  local names = {}
  for file in lfs.dir(PROCESSORS) do names[#names + 1] = file:match("^([%w_]+)%.profile$") end
  table.sort(names)
  return names
end

local function of_processor(name) return profile.read(("%s/%s.profile"):format(PROCESSORS, name)) end

--- The profile in processors/ of the processor at hand: false where there is none. nil, a message and the exit status
-- where it cannot be read.
function profile.native()
  local cpu = machine.cpu()
  for _, name in ipairs(cpu and profile.processors() or {}) do
    local self, why, status = of_processor(name)
    if not self then return nil, why, status end
    if is_of(self, cpu) then return self end
  end
  return false
end

--- The profile that `word` means: a file, the name of one in processors/, 'native', or 'none', which is false.
function profile.open(word)
  if lfs.attributes(word) then return profile.read(word) end
  for _, name in ipairs(profile.processors()) do
    if word == name then return of_processor(name) end
  end
  if word == "none" then return false end
  if word == "native" then return profile.native() end
  return profile.read(word)
end

-- ---- using -------------------------------------------------------------------------------------

--- What a kernel's file calls it: its name in processors/, or that of the file without folders, where that can stand
-- in a command.
function Profile:name()
  local folder, base = self.path:match("^(.-)/?([^/]*)$")
  if folder == PROCESSORS then return (base:gsub("%.profile$", "")) end
  return base:find("^[%w_][%w_.-]*$") and base or "PROFILE"
end

--- What who uses it for kernels for `cpu` should know: a list of lines.
function Profile:warnings(cpu)
  local list = {}
  if not self:is_current() then
    list[1] = ("%s is of convgen %s, this is %s: its costs are used, its layers are not"):format(self.path,
      message.quote(self.version), version)
  end
  if self.cpus[1] and cpu and not is_of(self, cpu) then
    list[#list + 1] = ("%s is of another processor: %s, this is %s"):format(self.path, table.concat(self.cpus, ", "),
      cpu)
  end
  return list
end

--- Whether this version of convgen wrote it.
function Profile:is_current() return self.version == version end

--- The numbers that replace those of the cost model.
function Profile:costs_of(set)
  local out = {}
  for _, group in ipairs { "all", set } do
    for name, value in pairs(self.costs[group] or {}) do out[name] = value end
  end
  return out
end

--- How to compute a layer: { algorithm =, tile =, block =, us =, rule =, rule_us =, line = }, or nil where
-- the planner shall choose.
function Profile:way(set, l, accuracy)
  if l.runtime or not self:is_current() then return nil end
  return self.ways[key_of(set, l, accuracy)]
end

--- Says how, from now on.
function Profile:set_way(set, l, accuracy, way)
  self.ways[key_of(set, l, accuracy)] = way
end

--- Sets a number of the cost model, for one instruction set or ("all") for all; one that it may not be is
-- left out.
function Profile:set_cost(name, value, set)
  if value < COSTS[name][1] or value > COSTS[name][2] then return end
  self.costs[set] = self.costs[set] or {}
  self.costs[set][name] = value
end

-- ---- writing -----------------------------------------------------------------------------------

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function way_text(way)
  local words = { way.algorithm, way.tile.mapping, way.tile.tile }
  if way.block then words[#words + 1] = ("block=%d"):format(way.block) end
  if way.us then words[#words + 1] = ("us=%.5g"):format(way.us) end
  if way.rule then words[#words + 1] = "rule=" .. way.rule end
  if way.rule_us then words[#words + 1] = ("rule_us=%.5g"):format(way.rule_us) end
  return table.concat(words, " ")
end

--- The text of its file: the same for the same content.
function Profile:text()
  local lines = { "# The fastest ways to compute some layers, as 'convgen tune' measured them: emit --profile.",
    "convgen " .. self.version }
  local function add(...) lines[#lines + 1] = (...):format(select(2, ...)) end
  for _, cpu in ipairs(self.cpus) do add("cpu %s", cpu) end
  for _, set in ipairs(sorted_keys(self.costs)) do
    for _, name in ipairs(sorted_keys(self.costs[set])) do
      add("cost %s %d%s", name, self.costs[set][name], set == "all" and "" or " " .. set)
    end
  end
  for _, key in ipairs(sorted_keys(self.ways)) do add("layer %s : %s", key, way_text(self.ways[key])) end
  return table.concat(lines, "\n") .. "\n"
end

--- Writes it to a file.
function Profile:write(path) return files.write(path, self:text()) end

return profile
