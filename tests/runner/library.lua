-- Suites of kernels with run-time sizes, and of the committed library that is made of them.
-- SPDX-License-Identifier: MIT-0

local compiler = require "runner.compiler"
local isa = require "isa"
local jobs = require "runner.jobs"
local tally = require "runner.tally"

local library = {}

-- What the command line says of a filter, and what tests/runtime.h does.
local FILTERS = {
  { "--filters OC --kernel 3 --pad same --activation relu",
    "{ 3, 3, 1, 1, 1, 1, SAME, 0, 0, 0, 0, $nchw, 1, 0, 0 }" },
  { "--filters OC --kernel 5 --pad same-lower --stride 2",
    "{ 5, 5, 2, 2, 1, 1, SAME_LOWER, 0, 0, 0, 0, $nchw, 0, 0, 0 }" },
  { "--filters OC --kernel 3x2 --pad 1,2,0,3 --dilation 2 --stride 1x3 --activation clamp:LOW,HIGH",
    "{ 3, 2, 1, 3, 2, 2, EXPLICIT, 1, 2, 0, 3, $nchw, 0, 1, 0 }" },
  { "--filters OC --kernel 1 --activation relu", "{ 1, 1, 1, 1, 1, 1, VALID, 0, 0, 0, 0, $nchw, 1, 0, 0 }" },
  { "--filters OC --kernel 1 --stride 2 --weights oihw",
    "{ 1, 1, 2, 2, 1, 1, VALID, 0, 0, 0, 0, $nchw, 0, 0, 0 }" },
  { "--filters OC --kernel 5x4", "{ 5, 4, 1, 1, 1, 1, VALID, 0, 0, 0, 0, $nchw, 0, 0, 0 }" },
  { "--filters OC --kernel 2x3 --dilation 1x2 --pad 3,0,6,1 --activation relu",
    "{ 2, 3, 1, 1, 1, 2, EXPLICIT, 3, 0, 6, 1, $nchw, 1, 0, 0 }" },
  { "--filters OC --kernel 2x5 --pad same", "{ 2, 5, 1, 1, 1, 1, SAME, 0, 0, 0, 0, $nchw, 0, 0, 0 }" },
  { "--groups depthwise --kernel 3 --pad same --activation clamp:LOW,HIGH",
    "{ 3, 3, 1, 1, 1, 1, SAME, 0, 0, 0, 0, $nchw, 0, 1, 1 }" },
  { "--groups depthwise --kernel 5 --pad same --stride 2 --activation relu",
    "{ 5, 5, 2, 2, 1, 1, SAME, 0, 0, 0, 0, $nchw, 1, 0, 1 }" },
  { "--groups depthwise --kernel 2x3 --pad 2,0,1,4 --stride 2x3 --dilation 3x2",
    "{ 2, 3, 2, 3, 3, 2, EXPLICIT, 2, 0, 1, 4, $nchw, 0, 0, 1 }" },
}

--- Kernels with run-time sizes: each instruction set and layout, over sizes good and bad.
function library.runtime(t)
  local tests, skipped = {}, 0
  for _, set in ipairs(compiler.sets()) do
    for layout, nchw in pairs { nhwc = "0", nchw = "1" } do
      for i, filter in ipairs(FILTERS) do
        if compiler.runs(set) then
          tests[#tests + 1] = { ("%s %s filter %d"):format(set, layout, i), jobs.expand(
            "gen/convgen emit --quiet --input HxWxC $options --isa $set --layout $layout --name layer"
            .. " -o $dir && $cc -std=c99 -O1 -Wall -Wextra -Wpedantic -Werror $flags -c $dir/layer.c -o $dir/layer.o"
            .. " && $cc -std=c11 -O1 -Wall -Wextra -Wpedantic -Werror -DNAME=layer -DHEADER='\"layer.h\"'"
            .. " -DFILTER='$filter' -I$dir tests/runtime.c $dir/layer.o -o $dir/layer && $dir/layer", {
              options = filter[1], set = set, layout = layout, cc = compiler.cc, flags = compiler.flags(set),
              filter = filter[2]:gsub("$nchw", nchw),
              dir = ("%s/runtime/%s_%s_%d"):format(t.directory, set, layout, i),
            }) }
        else
          skipped = skipped + 1
        end
      end
    end
  end
  table.sort(tests, function(a, b) return a[1] < b[1] end)
  local result = tally.run(t, tests)
  if skipped > 0 then result:skip(skipped) end
  return result
end

--- generated/: it is what the generator makes; copied, it builds with one command and is right.
function library.generated(t)
  local dir = jobs.output(("mkdir -p %s && cd %s && pwd"):format(t.directory, t.directory)) .. "/library"
  jobs.output(("rm -rf %s && mkdir -p %s && cp -r generated %s/copy"):format(dir, dir, dir))
  local again = "here=$PWD && cd / && LC_ALL=%s LUA_INIT='error()' TZ=Asia/Tokyo $here/gen/convgen library --quiet"
    .. " -o %s/%s && cd $here && diff -r -x README.md generated %s/%s"
  local tests = {
    { "regenerated", jobs.as_test("regenerating gives the committed files",
      again:format("C", dir, "again", dir, "again")) },
    { "regenerated", jobs.as_test("also under another locale",
      again:format("de_DE.UTF-8", dir, "locale", dir, "locale")) },
    { "regenerated", jobs.as_test("at most 250 files of 6 MB in all", "test $(ls generated | wc -l) -le 250"
      .. " && test $(cat generated/* | wc -c) -le 6000000") },
    { "generated in C++", jobs.as_test("one kernel in C++", ("c++ -Igenerated tests/consumers/one_kernel.cc -x c"
      .. " generated/conv_f32_nhwc_3x3s1_same_via_direct_scalar.c -o %s/one && %s/one"):format(dir, dir)) },
  }
  -- Of the kernels a part; of the scalar ones, slow and without -O, which an old processor must get, a smaller one.
  local part = t.all and "" or (" %d %d"):format(t.seed % t.parts, t.parts)
  local less = t.all and "" or (" %d %d"):format(t.seed % (3 * t.parts), 3 * t.parts)
  local build = ("r=$PWD && cd %s/copy && %%s *.c $r/tests/consumers/library.c -I$r/tests -I. -o ../%%s"
    .. " && cd .."):format(dir)
  local best = "scalar"
  for _, set in ipairs(isa.runnable()) do
    if set ~= "sse2" then best = set end
  end
  tests[#tests + 1] = { "generated here", build:format(compiler.cc, "native") .. " && ./native " .. best .. part }
  local way = compiler.ways("neon")[1]
  if not way.missing and way.run then
    tests[#tests + 1] = { "generated on AArch64", build:format(way.cc .. " -static -O1", "arm")
      .. (" && %s ./arm neon%s"):format(way.run, part) }
  end
  local result = tally.run(t, tests)
  if way.missing then result:skip() end
  if jobs.have("qemu-x86_64") and compiler.cc and compiler.runs("sse2") then
    result:add(tally.run(t, { { "generated on an old processor",
      ("cd %s && qemu-x86_64 -cpu Nehalem ./native scalar%s"):format(dir, less) } }))
  else
    result:skip()
  end
  return result
end

return library
