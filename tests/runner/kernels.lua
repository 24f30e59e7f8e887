-- Emits kernels, compiles many of them together, and has tests/harness.c check them.
-- SPDX-License-Identifier: MIT-0
--
-- A build is { name =, layers = list of problems, isa =, layout =, options = more options of emit,
-- accuracy = 'exact' if not given, cc =, flags =, kernel_flags =, finite =, run = } and becomes one
-- program. kernel_flags are for the kernels alone; `finite`: NaN and infinities are not looked at. `run`
-- is what runs programs of another processor; they are linked statically and do without cmocka.
-- Conformance tests have besides
--   emit = what emits the list, if not 'convgen emit --layers'
--   conformance = the name of the header in tests/conformance/ that checks a kernel
--   defines =, libraries =, environment = of that header and its program
-- Optional: `lines`, in place of layers, with options of each kernel's own (see tests/random/emit.lua);
-- `sized`: its registry is the program. A build that failed has `failed`. What the processor lacks is
-- emulated where it can be, which takes several times as long: 'make test' does a thirteenth of it,
-- and nothing of a build that is `native`.

local compiler = require "runner.compiler"
local files = require "files"
local problems = require "runner.problems"
local tally = require "runner.tally"

local kernels = {}

-- A translation unit includes kernels up to so many bytes: more in one need less compiling of
-- headers, but several are needed to keep all processors busy.
local UNIT = 800000

local WARNINGS = "-Wall -Wextra -Wpedantic -Werror"

local EMULATED = 13

--- The command that emits a build's kernels and their registry into `directory`.
function kernels.emit_command(build, directory)
  if build.emit then
    return ("rm -rf %s && %s %s.txt %s %s %s"):format(directory, build.emit, directory, build.isa,
      build.layout, directory)
  end
  if build.lines then return ("rm -rf %s && lua5.4 -E tests/random/emit.lua %s"):format(directory, directory) end
  return ("rm -rf %s && gen/convgen emit --quiet --layers %s.txt --isa %s --layout %s"
    .. " --accuracy %s %s --registry kernels -o %s"):format(directory, directory, build.isa, build.layout,
    build.accuracy or "exact", build.options or "", directory)
end

-- Writes the translation units of an emitted build and gives their paths without '.c'.
local function bundle(directory)
  local units, lines, size = {}, {}, 0
  local function close()
    if #lines == 0 then return end
    units[#units + 1] = ("%s/unit%d"):format(directory, #units + 1)
    assert(files.write(units[#units] .. ".c", table.concat(lines)))
    lines, size = {}, 0
  end
  for name in files.read(directory .. "/kernels.c"):gmatch('#include "([%w_]+)%.h"') do
    if files.read(("%s/%s.c"):format(directory, name)) and name ~= "kernels" then
      lines[#lines + 1] = ('#include "%s.c"\n'):format(name)
      size = size + #files.read(("%s/%s.c"):format(directory, name))
      if size > UNIT then close() end
    end
  end
  close()
  units[#units + 1] = directory .. "/kernels"
  return units
end

-- The object of the harness for some compiler and flags, and the command that makes it.
local function harness(t, build)
  if build.sized then return "" end
  local defines = build.conformance and ("-DCONFORMANCE='\"conformance/%s.h\"' %s"):format(
    build.conformance, build.defines or "") or ""
  local flags = build.flags:gsub("%-O%w", "") .. (build.finite and " -DCHECK_FINITE=1" or "")
  local key = (build.cc .. flags .. (build.conformance or "")):gsub("[^%w]", "_")
  local object = ("%s/harness%s.o"):format(t.directory, key)
  return object, ("%s -std=c11 -O2 %s -Wconversion %s %s -DREGISTRY=kernels -Itemplates -c"
    .. " tests/%s.c -o %s"):format(build.cc, flags, WARNINGS, defines,
    (build.run or build.conformance) and "plain" or "harness", object)
end

-- The headers of intrinsics take longer to compile than most kernels: where some builds have a compiler and flags in
-- common, these are read once, beforehand, by the commands that this gives. Such builds get `include`. Not those that
-- have it, with a header that undefines something: gcc would not keep that.
local FEW = 3
local function precompiled(t, builds)
  local users, commands = {}, {}
  for _, build in ipairs(builds) do
    local compile = ("%s -std=c99 %s %s"):format(build.cc, build.flags, build.kernel_flags or "")
    if not build.include then
      users[compile] = users[compile] or {}
      table.insert(users[compile], build)
    end
  end
  for compile, list in pairs(users) do
    local header = ("%s/intrinsics/%s.h"):format(t.directory, compile:gsub("[^%w]+", "_"))
    if #list > FEW then
      commands[#commands + 1] = ("mkdir -p %s/intrinsics && cp tests/intrinsics.h %s && %s -x c-header %s -o %s.%s")
        :format(t.directory, header, compile, header, header, compile:find("clang") and "pch" or "gch")
      for _, build in ipairs(list) do build.include = "-include " .. header end
    end
  end
  table.sort(commands)
  return commands
end

-- Runs commands that must succeed; those that do not are failures of their builds.
local function run_all(t, commands, builds, what, result)
  local ok = {}
  for i, r in ipairs(t:run(commands)) do
    if r.status ~= 0 then
      local build = builds[i]
      if not build.failed then
        result:fail("%s: %s failed: %s", build.name, what, r.output:sub(1, 600))
      end
      build.failed = true
    end
    ok[i] = r.status == 0
  end
  return ok
end

-- The builds that are wanted, with the layers that are; those of `lines` all, but for the parts of what is emulated.
local function wanted(t, builds, result)
  local list = {}
  for i, build in ipairs(builds) do
    local layers = {}
    for _, layer in ipairs(build.lines or t:wants_build(build.name) and build.layers or {}) do
      if build.lines or t:wants_layer(layer.name) then layers[#layers + 1] = layer end
    end
    build.emulation = not build.run and not build.native and compiler.emulation(build.isa)
    if build.emulation and t.parts > 1 then
      local part = problems.part(layers, EMULATED, t.seed + i)
      result:skip(#layers - #part)
      layers = part
    end
    build[build.lines and "lines" or "layers"] = layers
    if #layers > 0 then list[#list + 1] = build end
  end
  return list
end

--- Checks all kernels of some builds.
function kernels.check(t, suite, builds)
  local result = tally.new()
  builds = wanted(t, builds, result)
  local commands, owners = {}, {}
  local function command(build, line)
    commands[#commands + 1] = line
    owners[#owners + 1] = build
  end
  for _, build in ipairs(builds) do
    build.cc, build.flags = build.cc or t.cc, build.flags or "-O1"
    if build.emulation then
      build.include = "-include " .. build.emulation.header
      build.kernel_flags = build.emulation.flags .. " " .. (build.kernel_flags or "")
    end
    build.directory = ("%s/%s/%s"):format(t.directory, suite, build.name)
    if build.lines then
      assert(files.write(build.directory .. ".txt", table.concat(build.lines, "\n") .. "\n"))
    else
      problems.write(build.directory .. ".txt", build.layers)
    end
    command(build, kernels.emit_command(build, build.directory))
  end
  for _, line in ipairs(precompiled(t, builds)) do command(builds[1], line) end
  run_all(t, commands, owners, "convgen", result)

  commands, owners = {}, {}
  local harnesses = {}
  for _, build in ipairs(builds) do
    if not build.failed then
      local object, line = harness(t, build)
      if line and not harnesses[object] then command(build, line) end
      harnesses[object], build.harness = true, object
      build.units = bundle(build.directory)
      for i, unit in ipairs(build.units) do
        local include = i < #build.units and build.include -- the last one is no kernel
        command(build, ("%s -std=c99 %s %s %s %s %s -c %s.c -o %s.o"):format(build.cc, build.flags,
          build.kernel_flags or "", include or "", WARNINGS, build.sized and "-Itests -Itemplates" or "", unit,
          unit))
      end
    end
  end
  run_all(t, commands, owners, "compiling", result)

  commands, owners = {}, {}
  for _, build in ipairs(builds) do
    if not build.failed then
      local program = build.directory .. "/harness"
      local libraries = build.conformance and (build.libraries or "") or build.run and "-static" or "-lcmocka"
      command(build, ("%s %s %s %s.o -o %s %s -lm && %s CHECK_SEED=%d CMOCKA_MESSAGE_OUTPUT=TAP"
        .. " timeout 3600 %s %s"):format(build.cc, build.flags, build.harness,
        table.concat(build.units, ".o "), program, libraries, build.environment or "", t.seed,
        build.run or "", program))
    end
  end
  for i, r in ipairs(t:run(commands)) do
    local before = result.failed
    result:tap(r.output, r.status, owners[i].name)
    if result.failed > before then
      owners[i].failed = true
      result.messages[#result.messages + 1] = ("again: CHECK_SEED=%d %s%s/harness 'NAME'"):format(
        t.seed, owners[i].run and owners[i].run .. " " or "", owners[i].directory)
    end
  end
  return result
end

return kernels
