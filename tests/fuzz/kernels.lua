-- Accepted implies that it compiles and passes: for some of the accepted cases.
-- SPDX-License-Identifier: MIT-0

local emit = require "emit"
local files = require "files"
local isa = require "isa"
local jobs = require "runner.jobs"
local options = require "options"
local request = require "request"

local kernels = {}

local MOST = 1e6 -- multiply-adds, and bytes of a source

local WARNINGS = "-std=c99 -O1 -Wall -Wextra -Wpedantic -Werror"

--- The kernels of an accepted case which this machine can run, with names of their own: NAME_1, ...
function kernels.of(case, name)
  local found, runs = {}, {}
  for _, set in ipairs(isa.runnable()) do runs[set] = true end
  local parsed = options.parse(case.args)
  for _, job in ipairs(parsed and parsed.values and request.jobs(parsed.values) or {}) do
    if runs[job.isa.name] and not job.layer.runtime and emit.macs(job.layer) <= MOST and #found < 2 then
      job.name = ("%s_%d"):format(name, #found + 1)
      job.layer_name = job.name
      found[#found + 1] = job
    end
  end
  return found
end

-- Compiles a kernel, alone, with its test, and runs that; nil, or what was wrong.
local function check_one(directory, job)
  local base = directory .. "/" .. job.name
  assert(files.write(base .. "_test.c", emit.test { job }))
  local ok, _, status = os.execute(("cc %s %s.c %s_test.c -lm -o %s >%s.log 2>&1 && %s >>%s.log 2>&1"):format(WARNINGS,
    base, base, base, base, base, base))
  if ok then return nil end
  return ("status %d: %s"):format(status, (files.read(base .. ".log") or ""):sub(1, 400))
end

--- Checks jobs together; those that fail also alone. Calls report(job, nil or what is wrong).
function kernels.check(directory, list, report)
  local sources = {}
  for i, job in ipairs(list) do
    local base = directory .. "/" .. job.name
    local header, source = emit.kernel(job)
    assert(files.write_all { { path = base .. ".h", text = header }, { path = base .. ".c", text = source } })
    sources[i] = ('#include "%s.c"\n'):format(job.name)
  end
  local all = directory .. "/all"
  assert(files.write(all .. ".c", table.concat(sources)))
  assert(files.write(all .. "_test.c", emit.test(list)))
  local output = jobs.output(("cc %s %s.c %s_test.c -lm -o %s >%s.log 2>&1 && %s"):format(WARNINGS, all, all, all,
    all, all))
  local passed = {}
  for name in (output or ""):gmatch("passed (%S+):") do passed[name] = true end
  local blamed = false
  for _, job in ipairs(list) do
    local wrong = not passed[job.name] and check_one(directory, job) or nil
    blamed = blamed or wrong
    report(job, wrong)
  end
  if not output and not blamed then report(list[1], "each passes alone, but not together") end
end

return kernels
