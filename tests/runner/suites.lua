-- What the suites of tests/run.lua are made of: functions of the run `t` that give a tally.
-- SPDX-License-Identifier: MIT-0

local compiler = require "runner.compiler"
local isa = require "isa"
local jobs = require "runner.jobs"
local kernels = require "runner.kernels"
local problems = require "runner.problems"
local profile = require "profile"
local tally = require "runner.tally"

local run_tap, as_test = tally.run, jobs.as_test

local suites = {}

local LAYOUTS = { "nhwc", "nchw" }
local WARNINGS = "-Wall -Wextra -Wpedantic -Werror"

-- One or two of every kind, by their names in problems.txt.
local FEW = {
  "same_15_33", "point_oc17", "width_13", "asym_k3s2_end", "unread_k3s3", "dil_mixed", "pad_k3_5",
  "large_7_s2", "batch_7", "single_16", "line_k5_s2", "group_3_15_51", "dw_33", "dw_16x3",
}
local FEWER = { "same_15_33", "width_13", "dw_33", "dw_5x3", "group_3_15_51", "stem_c3k3s2" }

local FEW_POOLS = {
  "half_c5", "row_17", "row_s2_18", "global_13x6", "pad_2_of_3", "dil_w", "bands_windows",
  "large_clipped", "ceil_3_pad",
}

-- Of those that Winograd's algorithms can do: borders, tails, batches.
local FEW_TILES = { "unread_mixed", "axes_p1x3", "stem_c3k3s1", "batch_3", "tiles_k1x7", "tiles_k7x1", "tiles_s2" }

-- Pooling behind a convolution: half maps, overlapping windows, groups, rows that are kept.
local FEW_FUSED = { "half_5", "width_17", "stem", "alex", "global", "group_3", "dw_17", "bands_kept" }

local function named(names) return problems.named(problems.read("tests/problems.txt"), names) end

-- A build for each instruction set (of the compiler's architecture, if not given) and layout.
local function each(layers, fields, layouts, sets)
  local builds = {}
  for _, set in ipairs(sets or compiler.sets()) do
    for _, layout in ipairs(layouts or LAYOUTS) do
      local build = { name = set .. "_" .. layout, layers = layers, isa = set, layout = layout }
      for key, value in pairs(fields or {}) do build[key] = value end
      builds[#builds + 1] = build
    end
  end
  return builds
end

-- A build for each of some options, instruction set and layout.
local function each_option(layers, options, fields, layouts, sets)
  local builds = {}
  for _, option in ipairs(options) do
    for _, build in ipairs(each(layers, fields, layouts, sets)) do
      build.options = option
      build.name = option:gsub("%-%-", ""):gsub("[^%w]+", "_") .. "_" .. build.name
      builds[#builds + 1] = build
    end
  end
  return builds
end

local function few_pools() return problems.named(problems.read("tests/pooling.txt"), FEW_POOLS) end

-- A list of builds with builds of a few layers of other algorithms behind it.
local function with_others(builds, fields, layouts, sets)
  local more = each_option(few_pools(), { "--pool max", "--pool average --ceil --include-pad" }, fields,
    layouts, sets)
  table.move(more, 1, #more, #builds + 1, builds)
  for _, build in ipairs(each(problems.named(problems.read("tests/fused.txt"), FEW_FUSED), fields, layouts,
    sets)) do
    build.name = "fused_" .. build.name
    builds[#builds + 1] = build
  end
  more = each_option(named(FEW_TILES), { "--algorithm winograd --tile f2", "--algorithm winograd --tile f5" },
    fields, layouts, sets)
  for _, build in ipairs(more) do build.accuracy = "fast" end
  return table.move(more, 1, #more, #builds + 1, builds)
end

--- What suites in other files make their builds of.
suites.builds = { each = each, each_option = each_option, named = named, pools = few_pools, FEW = FEW,
  FEWER = FEWER }

--- The project's own hard problems, exactly, on every instruction set and layout.
function suites.problems(t)
  local list = problems.part(problems.read("tests/problems.txt"), t.parts, t.seed)
  return kernels.check(t, "problems", each(list))
end

--- Another list of problems: PROBLEMS=file.
function suites.given(t)
  if not t.problems then return tally.new(), "no PROBLEMS=file given" end
  return kernels.check(t, "given", each(problems.part(problems.read(t.problems), t.parts, t.seed)))
end

local ACTIVATIONS = {
  "--activation relu", "--activation relu6", "--activation clamp:-2,3.5",
  "--activation leaky:0.1", "--activation leaky:-1.5", "--activation sigmoid",
  "--activation tanh", "--activation silu", "--activation hardswish",
}

function suites.activations(t)
  return kernels.check(t, "activations", each_option(named(FEWER), ACTIVATIONS, nil, t.layouts))
end

function suites.options(t)
  return kernels.check(t, "options", each_option(named(FEW), {
    "--weights ohwi", "--weights hwio", "--no-bias", "--no-bias --activation relu",
    "--max-unroll 40",
  }, nil, t.layouts))
end

local STREAMS = {
  "stream_rest", "stream_few", "stream_wide", "stream_batch", "stream_dw", "heavy_point", "stem_c3k3s1",
  "beside_8", "beside_4_s2", "beside_2_d2", "beside_8_bands",
  "roll_dw", "roll_dw_ragged", "roll_dw_s2", "roll_dw_d2", "roll_dw_twice", "roll_dw_k5x3",
  "pair_dw", "pair_dw_batch", "pair_dw_s2", "pair_dw_k5x3",
}
local SMALL = { "runs_fc", "runs_ragged", "runs_k4x5", "parts_rows", "parts_rows_batch", "parts_rows_groups",
  "parts_rows_many" }

--- What the costs of the processors that gen/processors/ knows change, on every instruction set; and those of small
-- caches.
function suites.profiles(t)
  local options = {}
  for i, name in ipairs(profile.processors()) do options[i] = "--profile " .. name end
  local builds = each_option(named(STREAMS), options, nil, t.layouts)
  local small = each_option(named(SMALL), { "--profile tests/small_caches.profile" }, nil, t.layouts)
  return kernels.check(t, "profiles", table.move(small, 1, #small, #builds + 1, builds))
end

--- Address and undefined-behaviour sanitizers, which see inside the arrays, too.
function suites.sanitizers(t)
  local flags = "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"
  local list = named(FEW)
  if not t.all then
    local fields = { flags = flags, native = true } -- emulated, it would take half as long again
    return kernels.check(t, "sanitizers", with_others(each(list, fields, t.layouts), fields, t.layouts))
  end
  local result = tally.new()
  for _, cc in ipairs { "gcc", "clang-14", "clang-19" } do
    if jobs.output(("echo 'int main(void) { return 0; }' | %s %s -xc - -o /dev/null"):format(cc,
      flags)) then
      if cc == "gcc" then -- clang takes too long over so many
        list = problems.part(problems.read("tests/problems.txt"), 8, t.seed)
      else
        list = named(FEW)
      end
      local fields = { flags = flags, cc = cc }
      result:add(kernels.check(t, "sanitizers_" .. cc, with_others(each(list, fields), fields)))
    else
      result:skip(#each(list) * (#list + 2 * #FEW_POOLS + #FEW_FUSED + 2 * #FEW_TILES))
    end
  end
  return result
end

-- Names of compilers that are there; the tests of the others are skipped.
local function compilers(names, tests, result)
  local there = {}
  for _, name in ipairs(names) do
    if jobs.have(name) then there[#there + 1] = name else result:skip(tests) end
  end
  return there
end

-- Every compiler that is there with every standard: calls test({ cc =, std =, ... }, title) for a
-- command and gives what run_tap() wants.
local function with_compilers(t, suite, names, standards, result, test)
  local tests = {}
  for _, cc in ipairs(compilers(names, #standards, result)) do
    for _, standard in ipairs(standards) do
      local title = ("%s -std=%s"):format(cc, standard)
      tests[#tests + 1] = { title, test({
        cc = cc, std = standard, c = t.cc, warnings = WARNINGS,
        dir = ("%s/%s/%s"):format(t.directory, suite, title:gsub("[^%w]+", "_")),
      }, title) }
    end
  end
  return tests
end

local C = { "gcc", "clang-14", "clang-19" }
local CROSS = { "gcc", "clang-14", "clang-19", "aarch64-linux-gnu-gcc" }
local CPLUSPLUS = { "g++", "clang++-14", "clang++-19" }

-- Emits builds into directories under the suite's, and gives these; or nil when that failed.
local function emit(t, suite, builds, result)
  local commands, directories = {}, {}
  for i, build in ipairs(builds) do
    directories[i] = ("%s/%s/%s"):format(t.directory, suite, build.name)
    problems.write(directories[i] .. ".txt", build.layers)
    commands[i] = kernels.emit_command(build, directories[i])
  end
  for i, r in ipairs(t:run(commands)) do
    if r.status ~= 0 then
      result:fail("%s: %s", builds[i].name, r.output)
      return nil
    end
  end
  return directories
end

-- Shell commands that compile the files of $dir: each alone; or all as one, which takes a fraction of the time: the
-- headers of intrinsics take longer than a kernel.
local ALONE = "for f in $dir/*.c; do " .. as_test("$f", "$cc -std=$std $how $warnings $f") .. "; done"
local TOGETHER = as_test("$dir", "for f in $dir/*.c; do echo \"#include \\\"$f\\\"\"; done"
  .. " | $cc -std=$std $how $warnings -I. -xc -")

--- Every emitted file without a warning and without -m flags, for its own architecture and for others: compiled alone
-- by gcc, which sees while it optimises what others do not warn of, and together by the others.
function suites.warnings(t)
  local result, tests = tally.new(), {}
  local directories = emit(t, "warnings", with_others(each(named(FEW),
    { options = "--activation silu" }, t.layouts, isa.names), nil, t.layouts, isa.names), result)
  for _, directory in ipairs(directories or {}) do
    local more = with_compilers(t, "warnings", CROSS, { "c99", "c11" }, result, function(values)
      local gcc = values.cc:find("gcc")
      local alone = gcc and (t.all or values.std == "c99")
      values.dir = directory
      values.how = gcc and (alone and "-O2" or "-O0") .. " -c -o /dev/null" or "-fsyntax-only"
      return jobs.expand(alone and ALONE or TOGETHER, values)
    end)
    table.move(more, 1, #more, #tests + 1, tests)
  end
  return run_tap(t, tests, result)
end

--- A kernel has its two functions, no variables, and calls nothing but copying and mathematics.
function suites.symbols(t)
  local result = tally.new()
  local builds = with_others(each(named(FEWER), { options = "--activation tanh" }, t.layouts), nil, t.layouts)
  local directories = emit(t, "symbols", builds, result) or {}
  local good = " [tr] | T '$n'_(pack|run)$"
    .. "| U ((exp|ldexp|tanh)f|mem(cpy|move|set)|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail)$"
  local loop = "for f in $dir/*.h; do n=$(basename $f .h);"
    .. " case $n in kernels|registry) ;; *) $test;; esac; done"
  local tests = {}
  for i, directory in ipairs(directories) do
    local values = { dir = directory, c = t.cc, good = good }
    values.test = as_test("$n", jobs.expand("$c -O1 -c $dir/$n.c -o $dir/$n.o"
      .. " && ! nm $dir/$n.o | grep -vE '$good'", values))
    tests[i] = { builds[i].name, jobs.expand(loop, values) }
  end
  return run_tap(t, tests, result)
end

--- The test programs that 'emit --test' writes: without warnings, and they pass.
function suites.standalone(t)
  local result = tally.new()
  local script = "gen/convgen emit --quiet --test --input 9x10x5 --filters 7 --kernel 3 --pad same"
    .. " --activation leaky:0.25 --name drop_in -o $dir && cd $dir"
    .. " && $cc -std=$std -O1 $warnings drop_in.c drop_in_test.c -lm -o drop_in"
    .. " && ./drop_in | tail -n 1 | grep -x '1 passed, 0 failed, 0 skipped'"
  return run_tap(t, with_compilers(t, "standalone", C, { "c99", "c11" }, result,
    function(values, title) return as_test(title, jobs.expand(script, values)) end), result)
end

--- The header in C++: it compiles in old and new C++, and links with the C object.
function suites.cplusplus(t)
  local result = tally.new()
  local script = "gen/convgen emit --quiet --input 4x4x1 --filters 1 --kernel 3 --pad same"
    .. " --isa scalar --name blur -o $dir && $c -c $dir/blur.c -o $dir/blur.o"
    .. " && $cc -std=$std $warnings -I$dir tests/consumer.cc $dir/blur.o -o $dir/consumer"
    .. " && $dir/consumer"
  return run_tap(t, with_compilers(t, "cplusplus", CPLUSPLUS, { "c++98", "c++17" }, result,
    function(values, title) return as_test(title, jobs.expand(script, values)) end), result)
end

-- Results worked out by hand, of each instruction set and layout: `script`'s.
local function by_hand(t, directory, script)
  local tests, result = {}, tally.new()
  for _, build in ipairs(each()) do
    if compiler.runs(build.isa) then
      tests[#tests + 1] = { build.name, jobs.expand(script, {
        isa = build.isa, layout = build.layout, nchw = build.layout == "nchw" and 1 or 0,
        c = ("%s -std=c99 -O1 %s %s"):format(t.cc, WARNINGS, compiler.flags(build.isa)),
        dir = ("%s/%s%s"):format(t.directory, directory, build.name),
      }) }
    else
      result:skip()
    end
  end
  return run_tap(t, tests, result)
end

--- The textbook's layer as a user calls it.
function suites.textbook(t)
  return by_hand(t, "textbook/", "gen/convgen emit --quiet --input 32x32x3 --filters 10 --kernel 5x5 --pad same"
    .. " --activation relu --accuracy exact --isa $isa --layout $layout --name edge -o $dir"
    .. " && $c -DNCHW=$nchw -I$dir tests/textbook.c $dir/edge.c -o $dir/edge -lm && $dir/edge")
end

-- The kernels of tests/pooling.c.
local POOLED = [[
max_ceil --pool max --input 4x4x1 --kernel 3 --stride 2 --ceil
average_ceil --pool average --input 4x4x1 --kernel 3 --stride 2 --ceil
max_dilated --pool max --input 4x4x1 --kernel 2 --stride 1 --dilation 2
average_dilated --pool average --input 4x4x1 --kernel 2 --stride 1 --dilation 2
average_padded --pool average --input 3x3x1 --kernel 3 --stride 2 --pad 1
average_counted --pool average --input 3x3x1 --kernel 3 --stride 2 --pad 1 --include-pad
row_counted --pool average --input 1x9x1 --kernel 1x7 --stride 1x3 --pad 0x3 --ceil --include-pad
dilated_counted --pool average --input 1x7x1 --kernel 1x3 --stride 1x3 --dilation 1x2 --ceil --include-pad
ceil_one_less --pool max --input 2x2x1 --kernel 1 --stride 2 --ceil
ceil_on_padding --pool average --input 2x2x1 --kernel 3 --stride 3 --pad 1 --ceil --include-pad
max_global --pool max --input 3x3x1 --global
average_global --pool average --input 3x3x1 --global
max_nan --pool max --input 1x6x1 --kernel 1x2
]]

local function pooled_by_hand(t)
  local script = {}
  for name, options in POOLED:gmatch("(%S+) ([^\n]+)") do
    script[#script + 1] = ("gen/convgen emit --quiet %s --isa $isa --layout $layout --name %s -o $dir")
      :format(options, name)
  end
  script[#script + 1] = "$c -I$dir tests/pooling.c $dir/*.c -o $dir/pooling -lm && $dir/pooling"
  return by_hand(t, "pooling/hand_", table.concat(script, " && "))
end

--- Maximum and average, with and without ceil mode, of the layers of pooling.txt.
function suites.pooling(t)
  local list = problems.part(problems.read("tests/pooling.txt"), t.parts, t.seed)
  local builds = {}
  for _, option in ipairs { "--pool max", "--pool average", "--pool average --include-pad",
    "--pool max --ceil", "--pool average --ceil", "--pool average --ceil --include-pad",
    "--pool max --max-unroll 20", "--pool average --ceil --include-pad --max-unroll 20" } do
    local layers = {}
    for _, problem in ipairs(list) do
      -- a window in the padding has neither a maximum nor, unless that counts, an average
      local void = problem.name:find("^void_") and not option:find("include")
      local given = problem.text:find("oh%d") and option:find("ceil")
      if not void and not given then layers[#layers + 1] = problem end
    end
    for _, build in ipairs(each_option(layers, { option })) do builds[#builds + 1] = build end
  end
  local result = kernels.check(t, "pooling", builds)
  result:add(pooled_by_hand(t))
  return result
end

-- Maps of every size have windows of these.
local BEHIND = { "--then max:3x3/2+1", "--then average:2x2/2+0,0,1,1 --include-pad --activation relu" }

--- Pooling behind a convolution: the layers of fused.txt, and a part of the hard problems.
function suites.fused(t)
  local list = problems.part(problems.read("tests/fused.txt"), t.parts > 1 and 4 or 1, t.seed)
  local builds = each_option(list, { "", "--activation relu --max-unroll 20" })
  local few = each_option(named(FEWER), {
    "--then max:3x3/2+1 --ceil --activation sigmoid", "--then average:3x3/2 --ceil --include-pad",
    "--then average:2x2 --activation leaky:0.1", "--then average:3x3/2+2 --include-pad --no-bias",
    "--then max:2x2 --activation clamp:-2,3.5 --weights hwio",
  })
  local some = each_option(problems.part(problems.read("tests/problems.txt"), 4 * t.parts, t.seed), BEHIND)
  for _, more in ipairs { few, some } do table.move(more, 1, #more, #builds + 1, builds) end
  return kernels.check(t, "fused", builds)
end

--- Every operation of every instruction set against its meaning (tests/operations/).
function suites.operations(t)
  local result, tests = tally.new(), {}
  local script = "lua5.4 -E tests/operations/generate.lua $set $seed $header >$base.c && $cc -std=c99 -O2"
    .. " -ffp-contract=off $warnings -I. $flags $base.c $static -lm -o $base && $run $base"
  os.execute(("mkdir -p %s/operations"):format(t.directory))
  for _, set in ipairs(isa.names) do
    for i, way in ipairs(compiler.ways(set)) do
      if way.missing then
        result:skip()
      else
        local emulation = compiler.emulation(set) or { flags = "", header = "" }
        tests[#tests + 1] = { ("%s with %s"):format(set, way.cc), jobs.expand(script, {
          set = set, seed = tostring(t.seed), cc = way.cc, run = way.run or "", warnings = WARNINGS,
          static = way.run and "-static" or "", flags = emulation.flags, header = emulation.header,
          base = ("%s/operations/%s%d"):format(t.directory, set, i),
        }) }
      end
    end
  end
  return run_tap(t, tests, result)
end

-- What the suite of an instruction set of another architecture checks in one layout: some of the
-- hard problems, and a few with each activation.
local function cross_builds(t, set, layout)
  local list = problems.part(problems.read("tests/problems.txt"), t.parts > 1 and 16 or 1, t.seed)
  local builds = each(list, nil, { layout }, { set })
  for i, option in ipairs(ACTIVATIONS) do
    local build = each(named(FEWER), { options = option }, { layout }, { set })[1]
    build.name = ("%s_%d"):format(build.name, i)
    builds[#builds + 1] = build
  end
  return with_others(builds, nil, { layout }, { set })
end

--- AArch64 on another processor: cross-compiled by one compiler for each layout, and emulated.
function suites.neon(t)
  local result, builds = tally.new(), {}
  for i, way in ipairs(compiler.ways("neon")) do
    if not way.run then return result, "the machine's own: see the other suites" end
    for _, build in ipairs(cross_builds(t, "neon", LAYOUTS[1 + (t.seed + i) % 2])) do
      build.cc, build.run, build.flags = way.cc, way.run, "-O2"
      if way.missing then
        result:skip(#build.layers)
      else
        builds[#builds + 1] = build
      end
    end
  end
  result:add(kernels.check(t, "neon", builds))
  return result
end

--- What README.md and the examples say to type.
function suites.documents(t)
  return run_tap(t, { { "documents", "lua5.4 -E tests/readme.lua" } }, tally.new())
end

--- The Lua modules.
function suites.specs(t)
  local result = tally.new()
  if not jobs.have("busted") then
    result:skip()
    return result, "busted is missing"
  end
  local tests = {}
  for file in jobs.output("ls -S tests/spec/*_spec.lua"):gmatch("%S+") do
    tests[#tests + 1] = { file, "busted --lua=/usr/bin/lua5.4 -o TAP " .. file }
  end
  return run_tap(t, tests, result)
end

function suites.lint(t)
  local result = tally.new()
  if not jobs.have("luacheck") then
    result:skip()
    return result, "luacheck is missing"
  end
  local command = "luacheck --no-color --formatter plain gen tests bench"
  return run_tap(t, { { "lint", as_test("luacheck", command) } }, result)
end

return suites
