-- Generates, checks, measures and plots the kernels of the layer lists: what 'make' does.
-- SPDX-License-Identifier: MIT-0

local root = (arg[0]:match("^(.*)/[^/]*$") or ".") .. "/.."
package.path = ("%s/?.lua;%s/gen/?.lua;%s/gen/?/init.lua;%s"):format(root, root, root, package.path)

local argparse = require "argparse"
local benchdnn = require "import.benchdnn"
local files = require "files"
local isa = require "isa"
local lfs = require "lfs"
local measure = require "bench.measure"
local plots = require "bench.plots"
local report = require "bench.report"
local shell = require "bench.shell"

-- The order of the report; lists that are not named here follow.
local ORDER = { "textbook", "lenet", "resnet50", "mobilenet_v1", "vgg16", "sweep", "channels" }
-- What is measured by default on the instruction sets that are not the machine's best.
local SUBSET = { textbook = true, lenet = true, resnet50 = true, mobilenet_v1 = true }

local function fail(message, status)
  io.stderr:write("bench: ", message, "\n")
  os.exit(status or 1)
end

local function words(text)
  local out = {}
  for word in text:gmatch("[^,]+") do out[#out + 1] = word end
  return out
end

local function one_of(choices)
  return function(text)
    for _, word in ipairs(words(text)) do
      local known = false
      for _, choice in ipairs(choices) do known = known or word == choice end
      if not known then
        return nil, ("'%s' is none of %s"):format(word, table.concat(choices, ", "))
      end
    end
    return words(text)
  end
end

local function at_least(low)
  return function(text)
    local value = text:find("^%d+$") and math.tointeger(tonumber(text))
    if value and value >= low then return value end
    return nil, ("'%s' is not a number of at least %d"):format(text, low)
  end
end

-- The names of the layer lists in bench/layers.
local function list_names()
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

-- The instruction sets of this machine, best first.
local function isa_names()
  local out = {} -- the best first
  for _, name in ipairs(isa.runnable()) do table.insert(out, 1, name) end
  return out
end

local LISTS, ISAS = list_names(), isa_names()

local function parse()
  local parser = argparse("bench/run.lua",
    "Generates, checks, measures and plots the kernels of the layer lists in bench/layers.")
  parser:usage_max_width(98):help_max_width(98):help_description_margin(26)
  local function option(name, argname, default, description, convert)
    parser:option(name):argname(argname):default(default):convert(convert or tostring)
      :description(description)
  end
  option("--lists", "LIST,...", nil, "Of " .. table.concat(LISTS, ", ") .. "; default all.",
    one_of(LISTS))
  option("--isa", "SET,...", nil, ("Of %s; default: all lists on %s, %s on the others.")
    :format(table.concat(ISAS, ", "), ISAS[1], "a subset"), one_of(ISAS))
  parser:flag("--all", "All lists on all instruction sets.")
  option("--layout", "nhwc|nchw", "nhwc", "Of the images; 'nhwc,nchw' is both.",
    one_of({ "nhwc", "nchw" }))
  option("--algorithm", "NAME", "auto", "As in 'convgen emit'.")
  option("--threads", "N", "1", "Threads per kernel.", at_least(1))
  option("--repetitions", "N", "8", "Of each measurement, spread over the run.", at_least(1))
  option("--milliseconds", "N", "20", "Of one repetition, about.", at_least(1))
  option("--pages", "POLICY", "small", "small, huge or default.",
    one_of({ "small", "huge", "default" }))
  option("--offset", "BYTES", "2112", "From input to output, modulo 4096.", at_least(0))
  option("--jobs", "N", tostring(shell.processors()), "Compilers at a time.", at_least(1))
  option("-o --out", "DIR", root == "bench/.." and "build/bench" or root .. "/build/bench",
    "Where everything goes.")
  parser:epilog("$CC and $CXX name the compilers (cc and c++).")
  function parser.error(_, message) fail(message, 2) end
  return parser:parse()
end

local options = parse()
local lists = options.lists or LISTS
local isas = options.isa or ISAS
local everything = options.all or options.isa or options.lists

-- ---- what to measure -------------------------------------------------------------------------

local sets, counts, layers, left_out = {}, {}, 0, {}
for _, list in ipairs(lists) do
  local file = ("%s/bench/layers/%s.txt"):format(root, list)
  local entries, why = benchdnn.read_list(file)
  if not entries then fail(why, 2) end
  counts[list] = {}
  for _, entry in ipairs(entries) do
    if entry.count > 1 then counts[list][entry.name] = entry.count end
  end
  for i, name in ipairs(isas) do
    if everything or i == 1 or SUBSET[list] then
      for _, layout in ipairs(options.layout) do
        sets[#sets + 1] = { list = list, file = file, layout = layout, isa = name,
          algorithm = options.algorithm }
        layers = layers + #entries
      end
    else
      left_out[list] = true
    end
  end
end

local function say(...) io.stderr:write((...):format(select(2, ...)), "\n") end
say("Measuring %d kernels: %s.", layers, table.concat(lists, ", "))
if next(left_out) then
  local names = {}
  for _, list in ipairs(lists) do names[#names + 1] = left_out[list] and list or nil end
  say("Of them %s only on %s, not on %s; all: make bench-all",
    table.concat(names, ", "), isas[1], table.concat(isas, ", ", 2))
end

-- ---- build, measure, report --------------------------------------------------------------------

local tools = measure.tools(root)
tools.jobs = options.jobs
local all, right = measure.sets(sets, options.out, tools, { "--threads", options.threads,
  "--repetitions", options.repetitions, "--milliseconds", options.milliseconds,
  "--pages", options.pages[1], "--offset", options.offset })
if not all then fail(right) end

local text = report.text(all, counts)
files.write(options.out .. "/results.txt", text)
files.write(options.out .. "/results.tsv", report.tsv(all))
local pictures, why = plots.draw(all, options.out, root .. "/bench/plots")
io.stdout:write(text, "\n")
print("plots   " .. (pictures and table.concat(pictures, "\n        ") or "none: " .. why))
print(("table   %s/results.txt, results.tsv"):format(options.out))
print(("JSON    %s/results.json"):format(options.out))
if not right then fail("some kernels are wrong, see above") end
if not pictures then fail(why) end
