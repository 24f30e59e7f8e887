-- Are the direct and the depthwise kernels as fast as promised? What 'make bench-floors' does.
-- SPDX-License-Identifier: MIT-0

local root = (arg[0]:match("^(.*)/[^/]*$") or ".") .. "/.."
package.path = ("%s/?.lua;%s/gen/?.lua;%s/gen/?/init.lua;%s"):format(root, root, root, package.path)

local lists = require "bench.lists"
local measure = require "bench.measure"
local results = require "bench.results"

local function one_or_three(layer)
  return layer.KH == layer.KW and (layer.KH == 1 or layer.KH == 3)
end
local function depthwise(layer)
  return layer.groups == layer.IC and layer.IC <= 128 and layer.KH == 3 and layer.stride_h == 1
end

-- Percent of the multiply-add peak of the same instruction set, 2 FLOP per tap with padded ones.
local FLOORS = {
  { list = "resnet50", which = one_or_three, layout = "nhwc", isa = "avx512", algorithm = "direct",
    percent = 90 },
  { list = "resnet50", which = one_or_three, layout = "nhwc", isa = "avx2", algorithm = "direct",
    percent = 85 },
  { list = "resnet50", which = one_or_three, layout = "nchw", isa = "avx512", algorithm = "direct",
    percent = 85 },
  { list = "mobilenet_v1", which = depthwise, layout = "nhwc", isa = "avx512",
    algorithm = "depthwise", percent = 80 },
}
local AGAIN = 2 -- times that the layers below their floor are measured again: others disturb

local out = root == "bench/.." and "build/bench/floors" or root .. "/build/bench/floors"

local function fail(message, status)
  io.stderr:write("bench-floors: ", message, "\n")
  os.exit(status or 1)
end

-- Writes the layers of a list that a floor is about as a list of their own.
local function choose(floor)
  local entries, why = lists.read(root, floor.list)
  if not entries then fail(why, 2) end
  local chosen = {}
  for _, entry in ipairs(entries) do
    if floor.which(entry.fields) then chosen[#chosen + 1] = entry end
  end
  local path = ("%s/layers/%s_%s_%s.txt"):format(out, floor.layout, floor.isa, floor.list)
  local ok
  ok, why = lists.write(path, chosen)
  if not ok then fail(why, 4) end
  return path
end

local function floor_of(kernel)
  return results.where(FLOORS, { list = kernel.list, layout = kernel.layout, isa = kernel.isa })[1]
end

-- ---- measure ---------------------------------------------------------------------------------

local sets = {}
for i, floor in ipairs(FLOORS) do
  sets[i] = { list = floor.list, file = choose(floor), layout = floor.layout, isa = floor.isa,
    algorithm = floor.algorithm }
end
local all, right = measure.sets(sets, out, measure.tools(root), { "--repetitions", "8" })
if not all then fail(right) end
if not right then fail("some kernels are wrong, see above") end

local function below(k) return not (k.percent and k.percent >= floor_of(k).percent) end

for _ = 1, AGAIN do
  local again = {}
  for _, k in ipairs(all.kernels) do again[#again + 1] = below(k) and k or nil end
  if #again == 0 then break end
  io.stderr:write(("%d below their floor: measured again\n"):format(#again))
  local ok, why = measure.again(out, again)
  if not ok then fail(why) end
end

-- ---- report ------------------------------------------------------------------------------------

-- What bounds a layer that is below its floor: often the memory that its arrays lie in.
local function bound(k)
  local copy = results.where(all.bandwidth, { kind = "copy", level = "L3" })[1]
  return copy and k.gbytes and (": %.0f GB/s in and out; memcpy in L3 reaches %.0f")
    :format(k.gbytes, copy.gbytes) or ""
end

local c, misses = all.context, 0
print(("%s; one thread; %s %s; pages: %s"):format(c.cpu, c.compiler, c.flags, c.pages))
for _, floor in ipairs(FLOORS) do
  print(("\n%s, %s, %s, %s: at least %d%% of the peak"):format(floor.list, floor.algorithm,
    floor.layout, floor.isa, floor.percent))
  local kernels = results.where(all.kernels, { list = floor.list, layout = floor.layout,
    isa = floor.isa })
  if #kernels == 0 then print("  skipped: this processor lacks " .. floor.isa) end
  for _, k in ipairs(kernels) do
    misses = misses + (below(k) and 1 or 0)
    print(("  %-14s %-24s %6.1f%%  %s"):format(k.layer, k.shape or "", k.percent or 0,
      below(k) and "MISS" .. bound(k) or "pass"))
  end
end
print(("\n%d of %d layers below their floor on %s"):format(misses, #all.kernels, c.cpu))
os.exit(misses == 0)
