-- Writes a C program that checks every operation of an instruction set against its meaning in
-- gen/isa/init.lua:
--
--   lua5.4 tests/operations/generate.lua SET SEED [HEADER] >operations.c
--   cc -std=c99 -O2 -ffp-contract=off operations.c -lm -o operations && ./operations
--
-- The program prints TAP, one test for each operation; it skips them where the processor cannot run
-- the set. Run it in the project's root. SEED chooses the patterns of loads and permutations. HEADER
-- emulates the set; what is for GNU C is then left out.
-- SPDX-License-Identifier: MIT-0

package.path = "gen/?.lua;gen/?/init.lua;" .. package.path

local files = require "files"
local isa = require "isa"
local template = require "template"

local set = isa.get(arg[1] or "")
  or error("want an instruction set: " .. table.concat(isa.names, ", "))
math.randomseed(math.tointeger(tonumber(arg[2] or "1")) or error("the seed is no integer"))
local L, emulated = set.lanes, arg[3] or false

-- ---- the patterns of lanes that are tried ------------------------------------------------------

local function lanes(f)
  local list = {}
  for l = 1, L do list[l] = f(l - 1) end
  return list
end

local function whole() return { { at = 0, n = L } } end

-- The first n lanes.
local function beginnings()
  local list = {}
  for n = 1, L do list[n] = { at = 0, n = n } end
  return list
end

-- Every way to use n neighbouring lanes from lane `at`.
local function ranges()
  local list = {}
  for at = 0, L - 1 do
    for n = 1, L - at do list[#list + 1] = { at = at, n = n } end
  end
  return list
end

-- Regular and irregular offsets, with holes at the ends and in the middle.
local function offsets()
  local list = {}
  local function add(f, from, to)
    list[#list + 1] = { list = lanes(function(l) return l >= from and l < to and f(l) end) }
  end
  for _, step in ipairs { 0, 1, 2, 3, 5, -1, -2 } do
    local function f(l) return 9 + step * l end
    add(f, 0, L)
    for _ = 1, 4 do
      local from = math.random(0, L - 1)
      add(f, from, math.random(from + 1, L))
    end
  end
  for repeats = 2, L do add(function(l) return l // repeats end, 0, L) end
  for _ = 1, 24 do
    local some = math.random(0, L - 1)
    add(function(l) return (l == some or math.random(4) > 1) and math.random(-9, 30) end, 0, L)
  end
  for _ = 1, 12 do
    add(function() return math.random(0, L - 1) end, 0, L)
  end
  return list
end

-- For each n lists of lanes below n; the first and the last of these are in each.
local function permutations()
  local list = {}
  for n = 1, L do
    local function add(f)
      local index = lanes(f)
      local one = math.random(1, L)
      index[one], index[(one + math.random(0, math.max(L - 2, 0))) % L + 1] = 0, n - 1
      list[#list + 1] = { n = n, list = index }
    end
    add(function(l) return l % n end)
    add(function(l) return n - 1 - l % n end)
    add(function(l) return l * n // L end)
    for _ = 1, 3 do add(function() return math.random(0, n - 1) end) end
  end
  return list
end

local function places()
  local list = {}
  for i = 1, 12 do
    list[i] = { list = lanes(function(l) return l < L // 4 and math.random(-1, 40) end) }
  end
  return list
end

local function runs()
  local list, n = {}, 2
  while set.splat_some and n < L do
    if set.splat_some("p", n) then list[#list + 1] = { n = n } end
    n = 2 * n
  end
  return list
end

local function transposes()
  local list = {}
  for k = 1, L do
    local seen = {}
    for _, count in ipairs { 1, k, L, math.random(1, L) } do
      if not seen[count] then list[#list + 1] = { n = k, count = count } end
      seen[count] = true
    end
  end
  return list
end

local function parts()
  return { { n = 4, count = 4, width = L }, { n = 4, count = math.random(1, 3), width = L } }
end

local PATTERNS = {
  load = whole, load_range = ranges, load_even = ranges, load_at = offsets, load_lanes = offsets,
  load_between = ranges, load_even_between = ranges, store_first = beginnings, store_between = ranges,
  load_parts = places, permute = permutations, splat_some = runs, store = whole, store_range = ranges,
  transpose = transposes, transpose_parts = parts,
}

-- ---- the operations ----------------------------------------------------------------------------

local function values_of(parameters, call)
  local values = {}
  for i, name in ipairs(parameters) do values[i] = call[name] end
  return table.unpack(values, 1, #parameters)
end

-- C for the operation of an entry with the arguments in `call`.
local function calling(entry, call)
  if entry.name == "load_lanes" then return isa.load_lanes(set, call.p, call.list) end
  call.offsets, call.index = call.list, call.list
  call.first, call.last = call.at, call.at and call.at + call.n
  return set[entry.name](values_of(entry.parameters, call))
end

local function entry_of(signature, meanings, name)
  local entry = { name = name or signature:match("^[%w_]+"), parameters = {}, meanings = meanings }
  local has = {}
  for parameter in signature:match("%((.*)%)"):gmatch("[%w_]+") do
    has[parameter] = true
    table.insert(entry.parameters, parameter)
  end
  entry.kind = has.prefix and "transpose" or has.p and (has.v and "store" or "load") or "value"
  entry.cases = PATTERNS[entry.name] and PATTERNS[entry.name]()
  for _, case in ipairs(entry.cases or {}) do
    case.at, case.n, case.list = case.at or 0, case.n or 0, case.list or {}
    case.width = case.width or case.n -- lanes of a transposed vector
  end
  return entry
end

local entries, by_name = {}, {}
local function add(entry)
  entries[#entries + 1], by_name[entry.name] = entry, entry
end
for _, operation in ipairs(isa.operations) do
  local entry = entry_of(operation[1], { table.unpack(operation, 2) })
  if set[entry.name] then add(entry) end
end
add(entry_of("load_at(p, offsets)", by_name.load_at.meanings, "load_lanes"))
if set.accumulate ~= "" and not emulated then
  add(entry_of("accumulate(a, b, c)", by_name.fma.meanings))
end
if set.accumulate_splat and not emulated then
  local meanings = {}
  for i, meaning in ipairs(by_name.fma.meanings) do meanings[i] = meaning:gsub("%f[%w]a%f[%W]", "s") end
  add(entry_of("accumulate_splat(s, b, c)", meanings))
end

-- C initialiser of a list of offsets.
local function braces(list)
  local out = {}
  for l = 1, L do out[l] = list[l] and tostring(list[l]) or "none" end
  return "{ " .. table.concat(out, ", ") .. " }"
end

io.write(template.render(assert(files.read("tests/operations/operations.c")),
  "tests/operations/operations.c", {
    set = set, V = set.vector, L = L, emulated = emulated, entries = entries, calling = calling, braces = braces,
    assert = assert, target = set.target ~= "" and not emulated and "TARGET " or "",
  }))
