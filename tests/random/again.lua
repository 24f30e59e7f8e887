-- Checks one layer as the suite 'random' did, from the line that it printed:
--   SEED=7 lua5.4 tests/random/again.lua [--tile MAPPING:TILE] [--shapes NxHxWxCxOC,...] OPTIONS
-- SPDX-License-Identifier: MIT-0

package.path = "gen/?.lua;gen/?/init.lua;tests/?.lua;" .. package.path

local compiler = require "runner.compiler"
local jobs = require "runner.jobs"
local kernels = require "runner.kernels"

local line = table.concat(arg, " ")
local way = compiler.ways(line:match("%-%-isa (%w+)") or "scalar")[1]
local t = { seed = tonumber(os.getenv("SEED") or "") or 1, cc = compiler.cc, directory = "build/tests/again" }
function t.run(_, commands) return jobs.run(commands, 1, t.directory, function() end) end
local result = kernels.check(t, "one", { {
  name = "layer", lines = { "--name again " .. line }, cc = way.cc, run = way.run,
  sized = line:find("--shapes", 1, true) ~= nil,
} })
for _, message in ipairs(result.messages) do print(message) end
print(("%d passed, %d failed, %d skipped"):format(result.passed, result.failed, result.skipped))
os.exit(result.failed == 0 and result.passed > 0 and 0 or 1)
