-- What is a convolution with pooling behind it worth in one kernel? Measures it, and both in turn.
-- SPDX-License-Identifier: MIT-0
--
--   make bench-fused ARGS="--isa avx2 --layout nchw"

local root = (arg[0]:match("^(.*)/[^/]*$") or ".") .. "/.."
package.path = ("%s/?.lua;%s/gen/?.lua;%s/gen/?/init.lua;%s"):format(root, root, root, package.path)

local argparse = require "argparse"
local batch = require "import.batch"
local benchdnn = require "import.benchdnn"
local files = require "files"
local isa = require "isa"
local layer = require "layer"
local measure = require "bench.measure"
local results = require "bench.results"

local out = root == "bench/.." and "build/bench/fused" or root .. "/build/bench/fused"
local best = isa.runnable()
local parser = argparse("bench/fused.lua", "Measures convolutions with pooling behind them, in one kernel and in turn.")
parser:option("--layers", "A layer list, with 'then'.", root .. "/bench/layers/fused.txt"):argname("FILE")
parser:option("--isa", "Default: the best two of this machine."):argname("SET,...")
parser:option("--layout", "Default: both.", "nhwc,nchw"):argname("nhwc|nchw")
parser:option("--algorithm", "Of the convolution alone.", "auto"):argname("NAME")
parser:option("--repetitions", "Of each measurement, spread over the run.", "8"):argname("N")
parser:option("--milliseconds", "Of one repetition, about.", "20"):argname("N")
local options = parser:parse()
local list = options.layers

local function fail(message)
  io.stderr:write("bench/fused: ", message, "\n")
  os.exit(1)
end

-- The lists of the two halves, written beside the program: that of the convolutions, and one for each
-- kind of pooling.
local function halves()
  local lines = { convolution = {}, max = {}, average = {} }
  local entries, why = batch.read(list)
  if not entries then fail(why) end
  for _, entry in ipairs(entries) do
    local l = assert(layer.new(entry.fields))
    if not l.after then fail(("layer '%s' has no pooling behind it"):format(entry.name)) end
    table.insert(lines.convolution, ('%sn"%s"\n'):format(benchdnn.format(l), entry.name))
    table.insert(lines[l.after.pool], ('%sn"%s"\n'):format(benchdnn.format(l.after), entry.name))
  end
  for name, text in pairs(lines) do
    assert(files.write(("%s/layers/%s.txt"):format(out, name), table.concat(text)))
  end
  return lines
end

local lines, sets = halves(), {}
for set in (options.isa or table.concat(best, ",", math.max(1, #best - 1))):gmatch("[^,]+") do
  for layout in options.layout:gmatch("[^,]+") do
    local function add(name, file, more, algorithm)
      sets[#sets + 1] = { list = name, file = file, layout = layout, isa = set, options = more,
        algorithm = algorithm }
    end
    add("fused", list)
    add("convolution", out .. "/layers/convolution.txt", nil, options.algorithm)
    for _, pool in ipairs({ "max", "average" }) do
      if #lines[pool] > 0 then add(pool, ("%s/layers/%s.txt"):format(out, pool), { "--pool", pool }) end
    end
  end
end
local all, right = measure.sets(sets, out, measure.tools(root), { "--repetitions", options.repetitions,
  "--milliseconds", options.milliseconds })
if not all then fail(right) end
if not right then fail("some kernels are wrong, see above") end

local function measured(kernel, name)
  return results.where(all.kernels, { list = name, layer = kernel.layer, layout = kernel.layout,
    isa = kernel.isa })[1]
end

local ROW = "%-15s %-6s %-7s %-9s %11s %9s %9s %9s %8s %7s"
local c = all.context
print(("%s; one thread; %s %s; pages: %s; ReLU; us"):format(c.cpu, c.compiler, c.flags, c.pages))
print(ROW:format("layer", "layout", "isa", "algorithm", "convolution",
  "pooling", "in turn", "fused", "faster", "% peak"))
for _, k in ipairs(results.where(all.kernels, { list = "fused" })) do
  local alone = measured(k, "convolution")
  local convolution, pooling = alone.us, (measured(k, "max") or measured(k, "average")).us
  local function us(x) return (x < 100 and "%.2f" or "%.0f"):format(x) end
  print(ROW:format(k.layer, k.layout, k.isa, alone.algorithm, us(convolution), us(pooling),
    us(convolution + pooling), us(k.us), ("%.1f%%"):format(100 * ((convolution + pooling) / k.us - 1)),
    k.percent and ("%.1f"):format(k.percent) or "-"))
end
