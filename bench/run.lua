-- Generates, checks, measures and plots the kernels of the layer lists: what 'make' does.
-- SPDX-License-Identifier: MIT-0

local root = (arg[0]:match("^(.*)/[^/]*$") or ".") .. "/.."
package.path = ("%s/?.lua;%s/gen/?.lua;%s/gen/?/init.lua;%s"):format(root, root, root, package.path)

local arguments = require "bench.arguments"
local files = require "files"
local lists_of = require "bench.lists"
local measure = require "bench.measure"
local plots = require "bench.plots"
local report = require "bench.report"
local shell = require "bench.shell"

-- What is measured by default on the instruction sets that are not the machine's best.
local SUBSET = { textbook = true, lenet = true, resnet50 = true, mobilenet_v1 = true }

local function fail(message, status)
  io.stderr:write("bench: ", message, "\n")
  os.exit(status or 1)
end

local LISTS, ISAS = lists_of.names(root), arguments.isas()
local USUAL = lists_of.usual(LISTS)

local function parse()
  local some_of, at_least = arguments.some_of, arguments.at_least
  local parser, option = arguments.parser("bench/run.lua",
    "Generates, checks, measures and plots the kernels of the layer lists in bench/layers.", fail)
  option("--lists", "LIST,...", nil, ("Of %s; default: %s."):format(table.concat(LISTS, ", "),
    table.concat(USUAL, ", ")), some_of(LISTS))
  option("--isa", "SET,...", nil, ("Of %s; default: all lists on %s, %s on the others.")
    :format(table.concat(ISAS, ", "), ISAS[1], "a subset"), some_of(ISAS))
  parser:flag("--all", "All lists on all instruction sets.")
  option("--layout", "nhwc|nchw", "nhwc", "Of the images; 'nhwc,nchw' is both.",
    some_of({ "nhwc", "nchw" }))
  option("--algorithm", "NAME", "auto", "As in 'convgen emit'.")
  option("--profile", "FILE|NAME|none", nil, "As in 'convgen emit'; default: native.")
  option("--threads", "N", "1", "Threads per kernel.", at_least(1))
  option("--repetitions", "N", "8", "Of each measurement, spread over the run.", at_least(1))
  option("--milliseconds", "N", "20", "Of one repetition, about.", at_least(1))
  option("--pages", "POLICY", "small", "small, huge or default.",
    some_of({ "small", "huge", "default" }))
  option("--offset", "BYTES", "2112", "From input to output, modulo 4096.", at_least(0))
  option("--jobs", "N", tostring(shell.processors()), "Compilers at a time.", at_least(1))
  option("-o --out", "DIR", root == "bench/.." and "build/bench" or root .. "/build/bench",
    "Where everything goes.")
  return parser:parse()
end

local options = parse()
local lists = options.lists or options.all and LISTS or USUAL
local isas = options.isa or ISAS
local everything = options.all or options.isa or options.lists

-- ---- what to measure -------------------------------------------------------------------------

local sets, counts, layers, left_out = {}, {}, 0, {}
for _, list in ipairs(lists) do
  local file, pool = lists_of.path(root, list), lists_of.pool(list)
  local entries, why = lists_of.read(root, list)
  if not entries then fail(why, 2) end
  counts[list] = {}
  for _, entry in ipairs(entries) do
    if entry.count > 1 then counts[list][entry.name] = entry.count end
  end
  for i, name in ipairs(isas) do
    if everything or i == 1 or SUBSET[list] then
      for _, layout in ipairs(options.layout) do
        sets[#sets + 1] = { list = list, file = file, layout = layout, isa = name, pool = pool,
          algorithm = pool and "auto" or options.algorithm }
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

local tools = measure.tools(root, options.profile)
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
