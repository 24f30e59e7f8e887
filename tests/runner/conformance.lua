-- Suites against what others say is right: ONNX's backend tests, oneDNN.
-- SPDX-License-Identifier: MIT-0

local compiler = require "runner.compiler"
local files = require "files"
local jobs = require "runner.jobs"
local kernels = require "runner.kernels"
local onnx = require "conformance.onnx"
local problems = require "runner.problems"
local random = require "conformance.random"
local tally = require "runner.tally"

local conformance = {}

local ONNX = "/usr/share/libonnx-testdata/data" -- the package libonnx-testdata of Debian

-- A build for each instruction set and layout, with the given fields.
local function each(layers, fields)
  local builds = {}
  for _, set in ipairs(compiler.sets()) do
    for _, layout in ipairs { "nhwc", "nchw" } do
      local build = { name = set .. "_" .. layout, layers = layers, isa = set, layout = layout }
      for key, value in pairs(fields) do build[key] = value end
      builds[#builds + 1] = build
    end
  end
  return builds
end

-- Why cases are out of scope, by their names.
local function out_of_scope()
  local reasons = {}
  for line in assert(files.read("tests/conformance/onnx.txt")):gmatch("[^\n]+") do
    local name, reason = line:match("^([%w_]+) (.+)")
    if name then reasons[name] = reason end
  end
  return reasons
end

-- The layers of all cases, whose data are written to `data`. A case that is neither a layer nor known
-- to be out of scope, for the reason that is found, is a failure.
local function onnx_layers(data, result)
  local known, layers = out_of_scope(), {}
  for path in jobs.output(("ls -d %s/*/*/"):format(ONNX)):gmatch("[^\n]+") do
    local name, directory = path:match("([^/]+)/$"), path:gsub("/$", "")
    local case, reason
    if onnx.concerns(directory) then case, reason = onnx.case(directory) end
    if reason ~= known[name] then
      result:fail("%s: %s, tests/conformance/onnx.txt says %s", name, reason or "fits", known[name] or "nothing")
    elseif reason then
      result:skip()
    elseif case then
      layers[#layers + 1] = { text = ("%s --name %s"):format(table.concat(case.options, " "), name) }
      assert(files.write(("%s/%s.bin"):format(data, name), case.data))
    end
  end
  return layers
end

--- The cases of ONNX's backend tests that are layers of convgen.
function conformance.onnx(t)
  local result = tally.new()
  if not jobs.output("test -d " .. ONNX) then
    result:skip()
    return result, "libonnx-testdata is missing"
  end
  local data = t.directory .. "/onnx/data"
  result:add(kernels.check(t, "onnx", each(onnx_layers(data, result), {
    emit = "lua5.4 -E tests/conformance/emit.lua", conformance = "onnx",
    defines = ([[-DDATA='"%s"']]):format(data),
  })))
  return result
end

local CONVOLUTIONS = { "", "--activation relu" }
local POOLS = {
  "--pool max", "--pool average", "--pool average --include-pad", "--pool max --ceil", "--pool average --ceil",
}

-- Builds of a list of layers, with one of some options for each of them, another for each seed.
local function with_options(t, name, layers, options)
  local builds = each(layers, {
    conformance = "onednn", libraries = "-ldnnl", environment = "OMP_NUM_THREADS=1",
  })
  for i, build in ipairs(builds) do
    local option, list = options[(i + t.seed) % #options + 1], {}
    for _, layer in ipairs(layers) do
      -- see suites.pooling
      local void = layer.name and layer.name:find("^void_") and not option:find("include")
      if not void and not (option:find("ceil") and layer.text:find("oh%d")) then list[#list + 1] = layer end
    end
    build.name, build.options, build.layers = name .. "_" .. build.name, option, list
  end
  return builds
end

--- Layers of all kinds against oneDNN.
function conformance.onednn(t)
  if not jobs.output(("echo '#include <dnnl.h>\n#if DNNL_VERSION_MAJOR != 2\n#error\n#endif' | %s -E -")
      :format(t.cc)) then
    local result = tally.new()
    result:skip()
    return result, "oneDNN 2 is missing (libdnnl-dev)"
  end
  local result, parts = tally.new(), t.all and 2 or 16
  local function check(name, list, options)
    local some = problems.part(list, parts, t.seed)
    result:add(kernels.check(t, "onednn", with_options(t, name, some, options)))
  end
  check("problems", problems.read("tests/problems.txt"), CONVOLUTIONS)
  check("random", random.layers(400, t.seed), CONVOLUTIONS)
  check("pooling", problems.read("tests/pooling.txt"), POOLS)
  if t.problems then check("given", problems.read(t.problems), CONVOLUTIONS) end
  return result
end

return conformance
