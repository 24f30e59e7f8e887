-- The commands: what convgen does with a command line.
-- SPDX-License-Identifier: MIT-0
--
-- Exit status: 0 ok, 1 a check failed, 2 a wrong command line or layer, 3 a layer that is right
-- but unsupported, 4 a file cannot be read or written. What was asked for goes to standard output;
-- progress, and one line on what is wrong, go to standard error.
--
-- A command is a function of the option values and of `say`, which reports progress. It returns
-- what belongs on standard output and the status; or nil, a message and the status. values.remarks is a list
-- of what else to say, where all goes well.

local catalog = require "catalog"
local check = require "check"
local emit = require "emit"
local files = require "files"
local isa = require "isa"
local message = require "message"
local name = require "name"
local options = require "options"
local plan = require "plan"
local request = require "request"
local sizes = require "sizes"
local version = require "version"

local cli = {}
local commands = {}

-- The files of an emit command: a list of { path =, text = }. `with_text` false: only the paths.
local function outputs_of(jobs, values, directory, with_text)
  local list = {}
  local function add(base, extensions, make, ...)
    local texts = with_text and { make(...) } or {}
    for i, extension in ipairs(extensions) do
      list[#list + 1] = { path = files.join(directory, base .. extension), text = texts[i] }
    end
  end
  for _, job in ipairs(jobs) do
    add(job.name, { ".h", ".c" }, emit.kernel, job)
    if values["--test"] then add(job.name, { "_test.c" }, emit.test, { job }) end
  end
  if values["--registry"] then
    add(values["--registry"], { ".h", ".c" }, emit.registry, jobs, values["--registry"])
    add("registry", { ".h" }, emit.registry_types)
  end
  return list
end

-- Two files of one run must differ, also where file names have no case.
local function find_clash(outputs)
  local seen = {}
  for _, output in ipairs(outputs) do
    local key = output.path:lower()
    if seen[key] then
      return ("two files of this run would be %s and %s"):format(seen[key], output.path)
    end
    seen[key] = output.path
  end
end

-- The jobs of a command line; remarks which layers are left out.
local function jobs_of(values)
  local jobs, why, status = request.jobs(values)
  if not jobs then return nil, why, status end
  local left = jobs.left_out
  if #left > 0 then
    table.insert(values.remarks, ("%d unsupported layers left out; the first is %s"):format(#left, left[1]))
  end
  table.move(jobs.warnings, 1, #jobs.warnings, #values.remarks + 1, values.remarks)
  return jobs
end

-- Test programs and registries hold kernels for one layer: nil, a message and the status for others.
local function of_fixed_size(jobs, option)
  for _, job in ipairs(jobs) do
    if job.layer.runtime then
      return nil, ("%s: '%s' has run-time sizes; it is for kernels with fixed sizes"):format(option, job.name), 3
    end
  end
  return true
end

-- Everything that an emit command writes, rendered; or nil, a message and the status.
local function render(jobs, values, directory)
  if directory == "" or directory == "-" then
    return nil, ("bad value '%s' for -o: want a directory"):format(directory), 2
  end
  local clash = find_clash(outputs_of(jobs, values, directory, false))
  if clash then return nil, clash, 2 end
  return outputs_of(jobs, values, directory, not values["--list-outputs"])
end

function commands.emit(values, say)
  local directory = values["-o"] or "."
  local registry = values["--registry"]
  if registry then
    local ok, text = name.check(registry)
    if not ok then
      return nil, ("bad value %s for --registry: %s"):format(message.quote(registry), text), 2
    end
  end
  local jobs, why, status = jobs_of(values)
  if not jobs then return nil, why, status end
  for _, option in ipairs({ "--test", "--registry" }) do
    local ok
    if values[option] then ok, why, status = of_fixed_size(jobs, option) else ok = true end
    if not ok then return nil, why, status end
  end
  local outputs
  outputs, why, status = render(jobs, values, directory)
  if not outputs then return nil, why, status end

  if values["--list-outputs"] then
    local lines = {}
    for i, output in ipairs(outputs) do lines[i] = output.path .. "\n" end
    return table.concat(lines), 0
  elseif values["--dry-run"] then
    for _, output in ipairs(outputs) do
      say("would write %s (%d bytes)", output.path, #output.text)
    end
    return "", 0
  end
  local written, other = files.write_all(outputs)
  if not written then return nil, other, 4 end
  if #jobs == 1 then
    say("%s: %s, %s", jobs[1].name, jobs[1].plan.algorithm, jobs[1].isa.name)
  end
  say("%d files written to %s, %d unchanged", written, directory, other)
  return "", 0
end

function commands.library(values, say)
  local outputs = catalog.files()
  for _, output in ipairs(outputs) do output.path = files.join(values["-o"] or ".", output.name) end
  local written, other = files.write_all(outputs)
  if not written then return nil, other, 4 end
  say("%d files written to %s, %d unchanged", written, values["-o"] or ".", other)
  return "", 0
end

function commands.check(values, say)
  local jobs, why, status = jobs_of(values)
  if not jobs then return nil, why, status end
  local junit, ok = values["--junit"]
  ok, why, status = of_fixed_size(jobs, "check")
  if not ok then return nil, why, status end
  if junit then ok, why = files.may_write(junit) end -- rather now than after an hour
  if not ok then return nil, why, 4 end
  if values["-o"] then
    local outputs
    outputs, why, status = render(jobs, { ["--test"] = true }, values["-o"])
    if not outputs then return nil, why, status end
    ok, why = files.write_all(outputs)
    if not ok then return nil, why, 4 end
  end
  local results
  results, why = check.run(jobs, say)
  if results and junit then ok, why = files.write(junit, check.junit(results)) end
  if not results or not ok then return nil, why, 4 end
  local lines, counts = {}, { pass = 0, fail = 0, skip = 0 }
  for i, result in ipairs(results) do
    counts[result.status] = counts[result.status] + 1
    lines[i] = ("%s %s%s\n"):format(result.status, result.name,
      result.detail and ": " .. message.one_line(result.detail) or "")
  end
  say("%d passed, %d failed, %d skipped", counts.pass, counts.fail, counts.skip)
  return table.concat(lines), counts.fail > 0 and 1 or 0
end

function commands.explain(values)
  local jobs, why, status = jobs_of(values)
  if not jobs then return nil, why, status end
  local texts = {}
  for i, job in ipairs(jobs) do
    texts[i] = ("%s\n%s\n"):format(job.name, (plan.explain(job.plan):gsub("\n+$", "")))
  end
  return table.concat(texts, "\n"), 0
end

-- What needs the benchmark is loaded only where it is wanted: it and its libraries may not be there.
local function load_tune()
  local ok, result = pcall(require, "tune")
  if ok then return result end
  if message.interrupted(result) then error(result, 0) end
  return nil, "cannot measure: " .. (result:find("cjson", 1, true) and "lua-cjson is missing"
    or "the folder bench is not beside that of convgen")
end

function commands.tune(values)
  local settings = { quiet = values["--quiet"] }
  for option, default in pairs({ ["--candidates"] = "8", ["--seconds"] = "2" }) do
    local number = sizes.integer(values[option] or default)
    if math.type(number) ~= "integer" or number < 1 or number > 1000 then
      return nil, ("bad value %s for %s: want a decimal integer from 1 to 1000"):format(
        message.quote(values[option]), option), 2
    end
    settings[option:sub(3)] = number
  end
  local path = values["--profile"]
  if not path then return nil, "option '--profile' is missing: the file to write", 2 end
  values["--profile"] = "none" -- jobs by rule
  local jobs, why, status = jobs_of(values)
  if not jobs then return nil, why, status end
  local ok
  ok, why, status = of_fixed_size(jobs, "tune")
  if not ok then return nil, why, status end
  local tune
  tune, why = load_tune()
  if not tune then return nil, why, 4 end
  local report
  report, why, status = tune.run(jobs, path, settings)
  if not report then return nil, why, status end
  return report, 0
end

function commands.list()
  local lines = { "algorithms" }
  for _, entry in ipairs(plan.list()) do
    lines[#lines + 1] = ("  %-10s %s"):format(entry.name, entry.summary)
  end
  lines[#lines + 1] = "instruction sets"
  local best = isa.detect()
  for _, set in ipairs(isa.names) do
    lines[#lines + 1] = ("  %-10s %s%s"):format(set, isa.get(set).title,
      set == best and ", the best of this machine" or "")
  end
  return table.concat(lines, "\n") .. "\n", 0
end

-- What a command line gives: text for standard output and status, or nil, a message and status.
local function run(arguments, say)
  local parsed, why = options.parse(arguments)
  if not parsed then
    return nil, why, 2
  elseif parsed.help then
    return parsed.help, 0
  elseif parsed.version then
    return ("convgen %s\n"):format(version), 0
  end
  local values = parsed.values
  values.remarks = {}
  if values["--quiet"] then say = function() end end
  local text, status, failure = commands[parsed.command](values, say)
  for _, remark in ipairs(text and values.remarks or {}) do say("%s", remark) end
  return text, status, failure
end

--- Runs a command line on two streams and returns the exit status.
function cli.main(arguments, stdout, stderr)
  local function say(text, ...)
    stderr:write("convgen: ", message.one_line(text:format(...)), "\n")
  end
  local locale = os.setlocale()
  os.setlocale("C") -- letters and numbers are those of C, also in a program that has set another locale
  local ok, text, why, status = pcall(run, arguments, say)
  os.setlocale(locale)
  if not ok then -- SIGINT, a template with an error, or an error of ours
    say("%s", message.interrupted(text) and "interrupted" or tostring(text))
    return 4
  elseif not text then
    say("%s", why)
    return status
  end
  status = why
  local written
  written, why = stdout:write(text)
  if written then written, why = stdout:flush() end
  if not written then
    say("cannot write standard output: %s", why)
    return 4
  end
  return status
end

return cli
