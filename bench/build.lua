-- Builds the benchmark program: emits the kernels of some layer lists, compiles and links them.
-- SPDX-License-Identifier: MIT-0
--
-- A set is { list = name of the layer list, file = its path, layout =, isa =, algorithm =,
-- pool = "max", "average" or nil, options = of emit besides: by default that pool, or ReLU;
-- accuracy = as in 'convgen emit' or nil, runtime = true: kernels with run-time sizes, of the set before
-- it that is the same otherwise }. Or { list =, layout =, isa =, emit = a function of a directory and the
-- set's name, that writes a registry of that name there and gives the base names of its C files }.

local files = require "files"
local lfs = require "lfs"
local runtime_set = require "bench.runtime_set"
local shell = require "bench.shell"
local show_progress = require "bench.progress"

local build = {}

local PROGRAM = { "main", "measure", "machine", "verify", "work", "peak", "bandwidth", "memory",
  "team", "progress", "clock", "peers" }

local function time_of(path)
  return lfs.attributes(path, "modification") or math.huge
end

local function newest(directory, pattern)
  local time = 0
  for name in lfs.dir(directory) do
    if name:find(pattern) then time = math.max(time, time_of(directory .. "/" .. name)) end
  end
  return time
end

local function fixed_name(set)
  return ("%s_%s_%s"):format(set.layout, set.isa, set.list)
end

local function name_of(set)
  return fixed_name(set) .. (set.runtime and "_runtime" or "")
end

-- Emits one set, with a profile or nil; gives its directory and the base names of its C files.
local function emit(root, out, set, profile)
  local name = name_of(set)
  local directory = ("%s/kernels/%s"):format(out, name)
  if set.runtime then return runtime_set.emit(root, directory, set, name, fixed_name(set)) end
  if set.emit then
    local bases, why = set.emit(directory, name)
    return bases and directory, bases or why
  end
  local line = shell.line({ root .. "/gen/convgen", "emit", "--quiet", "--layers", set.file,
    "--isa", set.isa, "--layout", set.layout, "--algorithm", set.algorithm or "auto",
    "--accuracy", set.accuracy or "fast", "--profile", profile or "none",
    "--prefix", name .. "_", "--registry", name, "-o", directory,
    table.unpack(set.options or set.pool and { "--pool", set.pool } or { "--activation", "relu" }) })
  if not os.execute(line) then return nil, "failed: " .. line end
  local bases = { name }
  for base in files.read(directory .. "/" .. name .. ".c"):gmatch('#include "([^"]*)%.h"') do
    if base ~= name then bases[#bases + 1] = base end
  end
  return directory, bases
end

-- The list of registries as C, see sets.h.
local function sets_text(sets, version, flags, profile)
  local lines = { "/* Written by bench/build.lua. */", '#include "sets.h"' }
  local function add(...) lines[#lines + 1] = (...):format(select(2, ...)) end
  for _, set in ipairs(sets) do add('#include "%s.h"', name_of(set)) end
  add("const struct bench_set bench_sets[] = {")
  for _, set in ipairs(sets) do
    add('    { "%s", %s, &%s_count, %s },', set.list, name_of(set), name_of(set),
      set.runtime and name_of(set) .. "_prepare" or "0")
  end
  add("};")
  add("const int bench_set_count = %d;", #sets)
  add('const char bench_version[] = "%s";', version)
  add('const char bench_flags[] = "%s";', flags)
  add('const char bench_profile[] = "%s";', profile:gsub('["\\]', "\\%0"))
  return table.concat(lines, "\n") .. "\n"
end

--- Builds the program for `sets` under the directory `out`. options: root (of the project), cc, cxx
-- (as a shell reads them), flags (for the kernels), jobs (how many compilers at a time), profile (of emit, or nil),
-- progress (in place of bench.progress). What is up to date is left alone. Gives the program's path, or nil and
-- a message.
function build.program(sets, out, options)
  local root, compile, objects = options.root, {}, {}
  local progress = options.progress or show_progress
  -- An object is made again when it is not newer than its source, `time` or its command line.
  local function object(source, path, compiler, words, time)
    local line = ("%s %s"):format(compiler, shell.line({ "-c", source, "-o", path,
      table.unpack(words) }))
    files.write(path .. ".cmd", line .. "\n")
    time = math.max(time, time_of(source), time_of(path .. ".cmd"))
    if not lfs.attributes(path) or time_of(path) <= time then compile[#compile + 1] = line end
    objects[#objects + 1] = ('"%s"\n'):format(path:gsub('["\\]', "\\%0"))
  end

  local includes = {}
  for i, set in ipairs(sets) do
    progress("generate", i, #sets)
    local directory, bases = emit(root, out, set, options.profile)
    if not directory then return nil, bases end
    includes[i] = "-I" .. directory
    local headers = newest(directory, "%.h$")
    for _, base in ipairs(bases) do
      object(directory .. "/" .. base .. ".c", directory .. "/" .. base .. ".o", options.cc,
        set.runtime and base == bases[1] and { "-O2", table.unpack(includes) } or options.flags,
        headers)
    end
  end

  local version = shell.output(shell.line({ root .. "/gen/convgen", "--version" }))
  files.write(out .. "/program/sets.c",
    sets_text(sets, version:match("%S+$"), table.concat(options.flags, " "),
      options.profile or "none"))
  local headers = 0
  for _, place in ipairs({ "bench", "tests", "templates" }) do
    headers = math.max(headers, newest(root .. "/" .. place, "%.h$"))
    includes[#includes + 1] = ("-I%s/%s"):format(root, place)
  end
  local function program_object(source, compiler, ...)
    object(source, ("%s/program/%s.o"):format(out, source:match("([^/]*)%.%w+$")), compiler,
      { "-O2", "-Wall", "-Wextra", ... }, headers)
  end
  for _, base in ipairs(PROGRAM) do
    program_object(("%s/bench/%s.c"):format(root, base), options.cc, "-std=c11",
      table.unpack(includes, #sets + 1))
  end
  program_object(out .. "/program/sets.c", options.cc, "-std=c11", table.unpack(includes))
  program_object(root .. "/bench/bench.cc", options.cxx, "-std=c++17")

  local ok, why = shell.parallel(compile, options.jobs, function(done)
    progress("compile", done, #compile)
  end)
  if not ok then return nil, why end
  local program = out .. "/program/bench"
  files.write(program .. ".objects", table.concat(objects)) -- too many for a command line
  local link = shell.line({ "@" .. program .. ".objects", "-lbenchmark", "-lpthread", "-ldl", "-lm", "-o",
    program })
  ok, why = shell.parallel({ options.cxx .. " " .. link }, 1, function() end)
  if not ok then return nil, why end
  return program
end

return build
