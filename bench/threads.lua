-- What are some threads worth? Measures each layer on one thread and, with its tasks in equal ranges, on some.
-- SPDX-License-Identifier: MIT-0
--
--   make bench-threads ARGS="--lists resnet50 --layout nchw"

local root = (arg[0]:match("^(.*)/[^/]*$") or ".") .. "/.."
package.path = ("%s/?.lua;%s/gen/?.lua;%s/gen/?/init.lua;%s"):format(root, root, root, package.path)

local arguments = require "bench.arguments"
local lists = require "bench.lists"
local measure = require "bench.measure"

local LEAST = { direct = 1.95, winograd = 1.85 } -- of two threads

local function fail(message, status)
  io.stderr:write("bench-threads: ", message, "\n")
  os.exit(status or 1)
end

local parser, option = arguments.parser("bench/threads.lua",
  "Measures how much faster layers are on some threads than on one. Layers that take less time are left out.", fail)
option("--lists", "LIST,...", "resnet50,vgg16,mobilenet_v1,small", "Of bench/layers.",
  arguments.some_of(lists.names(root)))
option("--isa", "SET", arguments.isas()[1], "The instruction set.", arguments.some_of(arguments.isas()))
option("--layout", "nhwc|nchw", "nhwc", "Of the images.", arguments.some_of({ "nhwc", "nchw" }))
option("--algorithm", "NAME", "auto", "As in 'convgen emit'.")
option("--threads", "N", "2", "Threads per kernel.", arguments.at_least(2))
option("--from", "US", "100", "Layers that take as long, at least.", arguments.at_least(0))
option("--rounds", "N", "5", "Of both measurements in turn; the least time of each counts.", arguments.at_least(1))
option("--milliseconds", "N", "20", "Of one repetition, about.", arguments.at_least(1))
local options = parser:parse()

local out = root == "bench/.." and "build/bench/threads" or root .. "/build/bench/threads"
local sets = {}
for _, list in ipairs(options.lists) do
  sets[#sets + 1] = { list = list, file = lists.path(root, list), layout = options.layout[1], isa = options.isa[1],
    algorithm = options.algorithm }
end

-- The rounds follow each other closely, so that both see the same disturbances.
local kernels, by_name, context = {}, {}, nil
for round = 1, options.rounds do
  for _, threads in ipairs { 1, options.threads } do
    local program = { "--threads", threads, "--whole", "--repetitions", 1, "--milliseconds", options.milliseconds }
    local all, right
    if round == 1 and threads == 1 then
      all, right = measure.sets(sets, out, measure.tools(root), program)
    else
      all, right = measure.run(out .. "/program/bench", out, program)
    end
    if not all then fail(right) end
    if not right then fail("some kernels are wrong, see above") end
    context = all.context
    for _, k in ipairs(all.kernels) do
      local name = measure.key(k)
      if not by_name[name] then
        kernels[#kernels + 1], by_name[name] = k, {}
      end
      by_name[name][threads] = math.min(by_name[name][threads] or math.huge, k.us)
    end
  end
end

local ROW = "%-13s %-14s %-22s %-9s %-13s %9s %9s %7s  %s"
print(("%s; %d threads; %s %s; pages: %s; us"):format(context.cpu, options.threads, context.compiler, context.flags,
  context.pages))
print(ROW:format("list", "layer", "", "algorithm", "tile", "one", "threads", "faster", ""))
local misses, count = 0, 0
for _, k in ipairs(kernels) do
  local us = by_name[measure.key(k)]
  local one, several = us[1], us[options.threads]
  if one >= options.from then
    local miss = options.threads == 2 and one / several < (LEAST[k.algorithm] or 0)
    misses, count = misses + (miss and 1 or 0), count + 1
    print(ROW:format(k.list, k.layer, k.shape or "", k.algorithm, k.tile or "", ("%.1f"):format(one),
      ("%.1f"):format(several), ("%.3f"):format(one / several), miss and "MISS" or ""))
  end
end
print(("\n%d of %d layers gain less than is wanted of two threads"):format(misses, count))
os.exit(misses == 0)
