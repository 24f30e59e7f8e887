-- Mutation testing: whether the tests see faults planted in the generator (list.lua), one at a time.
-- SPDX-License-Identifier: MIT-0
--
-- Each fault goes into a copy of gen/ and templates/ under the run's directory, where tests/run.lua then
-- runs a few cheap checks until one fails. It is caught when a test failed: by a wrong number, a fault, a
-- broken promise. That the generator or a compiler refuses is not enough. Before that the same checks
-- run on a copy without a fault, where they must pass.

local compiler = require "runner.compiler"
local files = require "files"
local jobs = require "runner.jobs"
local list = require "mutants.list"
local tally = require "runner.tally"

local mutants = {}

local SECONDS = 600 -- more than any check takes

-- Puts e.replace in the place of e.find in e.file under a directory. It must be there e.times, so that
-- no edit goes stale unseen: else nil and why not.
local function edit(directory, e)
  local path = directory .. "/" .. e.file
  local text, parts, at = assert(files.read(path)), {}, 1
  local first, last = text:find(e.find, 1, true)
  while first do
    parts[#parts + 1] = text:sub(at, first - 1)
    at = last + 1
    first, last = text:find(e.find, at, true)
  end
  if #parts ~= e.times then
    return nil, ("stale: '%s' is %d times in %s, want %d"):format(e.find, #parts, e.file, e.times)
  end
  parts[#parts + 1] = text:sub(at)
  return files.write(path, table.concat(parts, e.replace))
end

-- A copy of the project that shares its tests, made ready for some checks.
local function copy(directory, checks)
  local command = "rm -rf $dir && mkdir -p $dir && cp -r gen templates $dir && ln -s $PWD/tests $PWD/bench $dir"
  assert(os.execute(jobs.expand(command, { dir = directory })))
  for _, name in ipairs(checks) do
    local change = list.checks[name].edit
    if change then assert(edit(directory, change)) end
  end
end

-- The command of a check (an entry of list.checks) in a copy; what it makes is under `out` there.
local function command(check, directory, out)
  local words = { "cd " .. directory }
  if check.prepare then words[#words + 1] = check.prepare end
  words[#words + 1] = ("env -u ONLY -u ALSO -u BUILDS -u LAYERS -u PROBLEMS timeout %d lua5.4 -E tests/run.lua"
    .. " --seed 1 --jobs 1 --out %s --only %s --builds '%s' --layers '%s'"):format(SECONDS, out, check.suite,
    check.builds or "", check.layers or "")
  return "( " .. table.concat(words, " && ") .. " )"
end

-- What tests/run.lua said of a suite: { passed, failed, skipped, seconds, messages }.
local function parsed(output)
  local run = { messages = {}, seconds = 0, passed = 0, failed = 0, skipped = 0 }
  for line in output:gmatch("[^\n]+") do
    local passed, failed, skipped, seconds = line:match(
      "^%l+%s+(%d+) passed, (%d+) failed, (%d+) skipped %((%d+) s%)")
    if passed then
      run.passed, run.failed, run.skipped = tonumber(passed), tonumber(failed), tonumber(skipped)
      run.seconds = run.seconds + seconds
    elseif line:find("^    ") and #run.messages > 0 then
      if not line:find("^ +seed %d+$") then -- what a harness says first
        table.insert(run.messages[#run.messages], (line:gsub("^%s+", "")))
      end
    elseif line:find("^  ") and not line:find("^  again:") then
      run.messages[#run.messages + 1] = { (line:gsub("^%s+", "")) }
    end
  end
  return run
end

-- How a message of a failed test tells what was seen, and what that is; false where nothing was tested.
-- The first that fits counts.
local REASONS = {
  { "convgen failed", false }, { "compiling failed", false },
  { "ended with status 1[2-5]%d", "fault" }, { "a fault %d+ bytes", "fault" }, { "signal %d", "fault" },
  { "after 0 of no tests", false },
  { "NaN", "NaN" }, { "should be %-?nan", "NaN" },
  { "got .-want", "wrong number" }, { "should be", "wrong number" }, { "lane %d+ is", "wrong number" },
}

-- The first message of a test that failed: what was seen, and the line that says so; nil if there is none.
local function kill(run)
  for _, message in ipairs(run.messages) do
    local why, text = "promise", message[2] or message[1]
    for i = #REASONS, 1, -1 do
      for _, line in ipairs(message) do
        if line:find(REASONS[i][1]) then why, text = REASONS[i][2], line end
      end
    end
    if why then return why, text end
  end
end

local function cut(text, most) return #text <= most and text or text:sub(1, most - 3) .. "..." end

-- The checks that some mutants need, each once, on a copy without a fault: { name = whether it passed }.
local function sound(t, wanted, result)
  local names, commands, state = {}, {}, {}
  for _, mutant in ipairs(wanted) do
    for _, name in ipairs(mutant.checks) do
      if state[name] == nil then
        local set = list.checks[name].native -- what emulation does not see
        state[name] = false
        if not (set and compiler.emulation(set)) then names[#names + 1] = name end
      end
    end
  end
  table.sort(names)
  local directory = t.directory .. "/mutants/none"
  copy(directory, names)
  for i, name in ipairs(names) do commands[i] = command(list.checks[name], directory, "build/" .. name) end
  for i, r in ipairs(t:run(commands)) do
    local run = parsed(r.output)
    state[names[i]] = run.passed > 0 and run.failed == 0
    if run.failed > 0 or run.passed + run.skipped == 0 then
      result:fail("check %s fails without a fault:\n%s", names[i], r.output:sub(-1000))
    end
  end
  return state
end

--- The suite: all faults, or an eighth of them, another one for the next seed.
function mutants.suite(t)
  local result, wanted = tally.new(), {}
  local every = (t.all or #t.builds > 0) and 1 or 8
  for i, mutant in ipairs(list.all()) do
    if (i + t.seed) % every == 0 and t:wants_build(mutant.name) then wanted[#wanted + 1] = mutant end
  end
  local state = sound(t, wanted, result)

  local commands, running = {}, {}
  for _, mutant in ipairs(wanted) do
    local checks = {}
    for _, name in ipairs(mutant.checks) do
      if state[name] then checks[#checks + 1] = name end
    end
    local directory, parts = ("%s/mutants/%s"):format(t.directory, mutant.name), {}
    copy(directory, checks)
    local edited, why = edit(directory, mutant)
    if not edited then
      result:fail("%s: %s", mutant.name, why)
    elseif #checks == 0 then
      result:skip() -- no check for it: this processor lacks what they need
    else
      for i, name in ipairs(checks) do
        parts[i] = ("echo check %s; %s"):format(name, command(list.checks[name], directory, "build"))
      end
      commands[#commands + 1] = table.concat(parts, " && { ") .. (" ;}"):rep(#parts - 1)
        .. ("; status=$?; rm -rf %s; exit $status"):format(directory)
      running[#running + 1] = mutant
    end
  end

  for i, r in ipairs(t:run(commands)) do
    local mutant, run = running[i], parsed(r.output)
    local check
    for name in r.output:gmatch("check (%S+)") do check = name end
    local why, message = kill(run)
    print(("  %-30s %-32s %-17s %-12s %3d s  %s"):format(mutant.name, mutant.file, why and check or "-",
      why or run.failed > 0 and "not tested" or "survived", run.seconds, cut(message or "", 90)))
    if why then
      result:pass()
    elseif run.failed > 0 then
      result:fail("%s (%s): nothing but the generator or a compiler failed: %s", mutant.name, mutant.file,
        table.concat(run.messages[1], "\n    "))
    else
      result:fail("%s (%s) survived %s%s", mutant.name, mutant.file, table.concat(mutant.checks, ", "),
        run.passed == 0 and ":\n" .. r.output:sub(-600) or "")
    end
  end
  return result
end

return mutants
