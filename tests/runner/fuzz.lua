-- The suite 'fuzz': command lines and layer lists at random, right ones and broken ones (tests/fuzz/).
-- SPDX-License-Identifier: MIT-0

local tally = require "runner.tally"

local fuzz = {}

-- How many, all processors together.
local CASES, ALL = 4000, 60000

function fuzz.fuzz(t)
  local tests = {}
  local share = (t.all and ALL or CASES) // t.width
  for i = 1, t.width do
    tests[i] = { "fuzz " .. i, ("timeout 3000 lua5.4 -E tests/fuzz/run.lua %d %d %s/fuzz/%d"):format(
      t.seed * 1000 + i, share, t.directory, i) }
  end
  return tally.run(t, tests)
end

return fuzz
