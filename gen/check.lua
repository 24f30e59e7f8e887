-- Builds kernels with their test programs and runs them: what 'convgen check' does.
-- SPDX-License-Identifier: MIT-0
--
-- $CC is the compiler, cc when unset; it may have arguments, separated by spaces. Everything is
-- made in a private temporary directory, which is removed. Lua has no processes: one call of the
-- shell builds and tests as many kernels at once as there are processors.

local emit = require "emit"
local files = require "files"
local message = require "message"

local check = {}

local FLAGS = "-O2 -std=c99"

local quoted = files.quoted

-- The words of $CC, safe for the shell, and the first as it is.
local function compiler()
  local cc, words = os.getenv("CC") or "", {}
  if not cc:find("%S") then cc = "cc" end
  for word in cc:gmatch("%S+") do words[#words + 1] = quoted(word) end
  return table.concat(words, " "), cc:match("%S+")
end

local function output_of(command)
  local pipe = io.popen(command .. " 2>&1")
  local text = pipe:read("a")
  return pipe:close() and text:gsub("\n$", "") or nil, text
end

-- The shell commands that build and test one kernel; they leave NAME.build, NAME.log, NAME.status.
local function commands_of(job, directory, cc)
  local base = quoted(directory .. "/" .. job.name)
  return ("{ if %s %s -o %s_test %s.c %s_test.c -lm >%s.build 2>&1; then %s_test >%s.log 2>&1;"
    .. " echo $? >%s.status; else echo build $? >%s.status; fi; }"):format(cc, FLAGS, base, base,
    base, base, base, base, base, base)
end

-- The result of one kernel from what its commands left.
local function result_of(job, directory, program)
  local result = { name = job.name, algorithm = job.plan.algorithm, isa = job.isa.name }
  local base = directory .. "/" .. job.name
  local status = files.read(base .. ".status") or ""
  local failed_build = status:match("^build (%d+)")
  local log = files.read(base .. (failed_build and ".build" or ".log")) or ""
  if failed_build == "126" or failed_build == "127" then
    return nil, ("cannot run the compiler %s: %s"):format(message.quote(program),
      log:match("[^\n]*"))
  end
  result.output = log
  if failed_build then
    local first = log:match("[^\n]*error[^\n]*") or log:match("[^\n]*")
    result.status, result.detail = "fail", "does not compile: " .. first
    return result
  end
  local word, detail = ("\n" .. log):match("\n(%a+) " .. job.name .. ": ([^\n]*)")
  result.status = ({ passed = "pass", FAILED = "fail", skipped = "skip" })[word]
  result.detail = detail
  if not result.status or (result.status == "fail") ~= (tonumber(status) ~= 0) then
    result.status = "fail"
    result.detail = ("the test ended with status %s%s"):format(status:match("%d+") or "unknown",
      log ~= "" and ": " .. log:match("([^\n]*)\n*$") or "")
  end
  return result
end

local function build_and_run(jobs, directory, say)
  local cc, program = compiler()
  if not output_of("command -v " .. quoted(program)) then
    return nil, ("cannot run the compiler %s: not found (see CC)"):format(message.quote(program))
  end
  local processors = tonumber((output_of("nproc"))) or 1
  local results = {}
  for first = 1, #jobs, processors do
    local last = math.min(first + processors - 1, #jobs)
    local script = { "exec 2>/dev/null" } -- where the shell would report crashes
    for i = first, last do
      local job, base = jobs[i], directory .. "/" .. jobs[i].name
      local header, source = emit.kernel(job)
      local written, why = files.write_all({
        { path = base .. ".h", text = header },
        { path = base .. ".c", text = source },
        { path = base .. "_test.c", text = emit.test({ job }) },
      })
      if not written then return nil, why end
      script[#script + 1] = commands_of(job, directory, cc) .. " &"
    end
    local _, how, number = os.execute(table.concat(script, "\n") .. "\nwait")
    if how == "signal" then return nil, ("interrupted by signal %d"):format(number) end
    for i = first, last do
      local why
      results[i], why = result_of(jobs[i], directory, program)
      if not results[i] then return nil, why end
    end
    if #jobs > processors then say("%d of %d checked", last, #jobs) end
  end
  return results
end

--- Checks every job. Gives a list of { name, algorithm, isa, status = "pass" | "fail" | "skip",
-- detail, output }; or nil and a message when that was not possible at all.
function check.run(jobs, say)
  local directory <close>, why = files.temporary_directory()
  if not directory then return nil, why end
  return build_and_run(jobs, tostring(directory), say)
end

-- Text that XML may hold: no control characters, and no bytes that might not be UTF-8.
local function escaped(text)
  return (text:gsub("[^\n\t -~]", function(c) return ("\\x%02x"):format(c:byte()) end)
    :gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }))
end

--- The results as JUnit XML.
function check.junit(results)
  local counts, cases = { pass = 0, fail = 0, skip = 0 }, {}
  for i, result in ipairs(results) do
    counts[result.status] = counts[result.status] + 1
    local head = ('    <testcase classname="convgen.%s.%s" name="%s"'):format(result.algorithm,
      result.isa, escaped(result.name))
    local detail = escaped(message.one_line(result.detail or ""))
    if result.status == "fail" then
      cases[i] = ('%s>\n      <failure message="%s">%s</failure>\n    </testcase>\n'):format(head,
        detail, escaped(result.output or ""))
    elseif result.status == "skip" then
      cases[i] = ('%s>\n      <skipped message="%s"/>\n    </testcase>\n'):format(head, detail)
    else
      cases[i] = head .. "/>\n"
    end
  end
  return ('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n'
    .. '  <testsuite name="convgen check" tests="%d" failures="%d" errors="0" skipped="%d">\n'
    .. '%s  </testsuite>\n</testsuites>\n'):format(#results, counts.fail, counts.skip,
    table.concat(cases))
end

return check
