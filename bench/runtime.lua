-- How near kernels with run-time sizes come to those with fixed ones: 'make bench-runtime'.
-- SPDX-License-Identifier: MIT-0

local root = (arg[0]:match("^(.*)/[^/]*$") or ".") .. "/.."
package.path = ("%s/?.lua;%s/gen/?.lua;%s/gen/?/init.lua;%s"):format(root, root, root, package.path)

local arguments = require "bench.arguments"
local lists = require "bench.lists"
local measure = require "bench.measure"
local results = require "bench.results"
local runtime_set = require "bench.runtime_set"

local AGAIN = 2 -- times that the layers below the bar are measured again: others disturb

local function fail(message, status)
  io.stderr:write("bench-runtime: ", message, "\n")
  os.exit(status or 1)
end

local LISTS, ISAS = lists.convolutions(root), arguments.isas()

local function parse()
  local parser, option = arguments.parser("bench/runtime.lua",
    "Measures kernels with run-time sizes beside direct and depthwise ones with fixed sizes.", fail)
  option("--lists", "LIST,...", "resnet50,mobilenet_v1", "Of " .. table.concat(LISTS, ", ") .. ".",
    arguments.some_of(LISTS))
  option("--layers", "PATTERN", "", "Only layers whose names contain this Lua pattern.")
  option("--isa", "SET,...", ISAS[1], ("Of %s."):format(table.concat(ISAS, ", ")),
    arguments.some_of(ISAS))
  option("--layout", "nhwc|nchw", "nhwc", "Of the images; 'nhwc,nchw' is both.",
    arguments.some_of({ "nhwc", "nchw" }))
  option("--repetitions", "N", "8", "Of each measurement, spread over the run.",
    arguments.at_least(1))
  option("--least", "PERCENT", "95", "Of the fixed sizes' figure; exit status 1 below it.",
    arguments.at_least(0))
  option("-o --out", "DIR", (root == "bench/.." and "" or root .. "/") .. "build/bench/runtime",
    "Where everything goes.")
  return parser:parse()
end

local options = parse()

-- ---- measure ---------------------------------------------------------------------------------

local sets, left_out = {}, 0
for _, list in ipairs(options.lists) do
  local entries, why = lists.read(root, list)
  if not entries then fail(why, 2) end
  local chosen = {}
  for _, entry in ipairs(entries) do
    if not runtime_set.supported(entry.fields) then
      left_out = left_out + 1
    elseif entry.name:find(options.layers) then
      chosen[#chosen + 1] = entry
    end
  end
  local file = ("%s/layers/%s.txt"):format(options.out, list)
  if #chosen > 0 then
    local ok
    ok, why = lists.write(file, chosen)
    if not ok then fail(why, 4) end
    for _, isa in ipairs(options.isa) do
      for _, layout in ipairs(options.layout) do
        for _, runtime in ipairs({ false, true }) do
          sets[#sets + 1] = { list = list, file = file, layout = layout, isa = isa,
            algorithm = "auto", accuracy = "exact", runtime = runtime }
        end
      end
    end
  end
end
if #sets == 0 then fail("no layer is called so", 2) end

local all, right = measure.sets(sets, options.out, measure.tools(root),
  { "--repetitions", options.repetitions })
if not all then fail(right) end

local pairs_of = {} -- of kernels: fixed, run-time
for _, k in ipairs(all.kernels) do
  if k.algorithm:find("^run%-time ") then
    local fixed
    for _, other in ipairs(results.where(all.kernels, { list = k.list, layer = k.layer,
      layout = k.layout, isa = k.isa })) do
      fixed = other ~= k and other or fixed
    end
    pairs_of[#pairs_of + 1] = { fixed = fixed, runtime = k }
  end
end

local function ratio(pair)
  return pair.fixed.us and pair.runtime.us and 100 * pair.fixed.us / pair.runtime.us or 0
end
local function below(pair) return ratio(pair) < options.least end

for _ = 1, AGAIN do
  local again = {}
  for _, pair in ipairs(pairs_of) do
    if below(pair) and right then
      again[#again + 1], again[#again + 2] = pair.fixed, pair.runtime
    end
  end
  if #again == 0 then break end
  io.stderr:write(("%d below the bar: measured again\n"):format(#again // 2))
  local ok, why = measure.again(options.out, again)
  if not ok then fail(why) end
end

-- ---- report ------------------------------------------------------------------------------------

local ROW = "%-14s %-22s %-4s %-7s %-10s %9s %7s %9s %7s %7s  %s"
local c, misses, ratios = all.context, 0, {}
print(("%s; one thread; %s %s; pages: %s"):format(c.cpu, c.compiler, c.flags, c.pages))
print((ROW:format("layer", "shape", "", "isa", "algorithm", "fixed us", "% peak", "any us",
  "% peak", "ratio %", ""):gsub("%s+$", "")))
for _, pair in ipairs(pairs_of) do
  local f, r = pair.fixed, pair.runtime
  misses = misses + (below(pair) and 1 or 0)
  ratios[#ratios + 1] = ratio(pair)
  print((ROW:format(f.layer, f.shape or "", f.layout, f.isa, f.algorithm,
    ("%.2f"):format(f.us or 0), ("%.1f"):format(f.percent or 0), ("%.2f"):format(r.us or 0),
    ("%.1f"):format(r.percent or 0), ("%.1f"):format(ratio(pair)),
    (f.wrong or r.wrong) and "WRONG" or below(pair) and "below" or ""):gsub("%s+$", "")))
end
print(("\nany: one kernel for all sizes. %d of %d layers below %d %%; geometric mean %.1f %%%s")
  :format(misses, #pairs_of, options.least, results.mean(ratios),
    left_out > 0 and ("; %d grouped layers left out"):format(left_out) or ""))
if not right then fail("some kernels are wrong, see above") end
os.exit(misses == 0)
