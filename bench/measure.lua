-- Builds the benchmark program for some sets of layers (see build.lua), runs it, reads its results.
-- SPDX-License-Identifier: MIT-0

local build = require "bench.build"
local results = require "bench.results"
local shell = require "bench.shell"

local measure = {}

--- The compilers and their number, from the environment and the machine.
function measure.tools(root)
  return { root = root, cc = os.getenv("CC") or "cc", cxx = os.getenv("CXX") or "c++",
    flags = { "-O2" }, jobs = shell.processors() }
end

--- Runs a program with these arguments; its results go to `out`/results.json. Gives what
-- results.read gives, and whether every kernel was right; or nil and a message.
function measure.run(program, out, arguments)
  local json = out .. "/results.json"
  os.remove(json)
  local right = os.execute(("%s >%s"):format(
    shell.line({ program, "--benchmark_out=" .. json, table.unpack(arguments) }),
    shell.line({ out .. "/program/output.txt" })))
  local all, why = results.read(json)
  if not all then return nil, why end
  return all, right == true
end

--- Builds, then runs.
function measure.sets(sets, out, tools, arguments)
  local program, why = build.program(sets, out, tools)
  if not program then return nil, why end
  return measure.run(program, out, arguments)
end

return measure
