-- The suite 'tune': two small layers are measured, the profile is what it should be, an interrupted run
-- leaves nothing behind and goes on, and kernels are made by it.
-- SPDX-License-Identifier: MIT-0

local files = require "files"
local jobs = require "runner.jobs"
local tally = require "runner.tally"

local LIST = 'mb1_ic8ih12oc16kh3ph1n"first"\nmb1_ic16ih14oc32kh1n"second"\n'

return function(t)
  local root = jobs.output("pwd")
  local directory = (t.directory:find("^/") and t.directory or root .. "/" .. t.directory) .. "/tune"
  os.execute(("rm -rf '%s' && mkdir -p '%s/tmp'"):format(directory, directory))
  assert(files.write(directory .. "/list", LIST))
  local path, result = directory .. "/p.profile", tally.new()

  -- Runs convgen with the list and the profile; gives status, standard output and error.
  local function run(command, before)
    local line = ("cd '%s' && TMPDIR='%s/tmp' %s '%s/gen/convgen' %s --layers list --profile p.profile >out 2>err")
      :format(directory, directory, before or "", root, command)
    local status = t:run({ line })[1].status
    return status, files.read(directory .. "/out"), files.read(directory .. "/err")
  end
  local function expect(ok, title, status, out, err)
    result:note(ok and jobs.output(("ls '%s/tmp'"):format(directory)) == "",
      ("%s: status %d\n%s%s"):format(title, status, out, err))
  end
  local function layers()
    local list = {}
    for line in (files.read(path) or ""):gmatch("[^\n]+") do list[#list + 1] = line:match("^layer .*") end
    return list
  end
  local function same(a, b) return table.concat(a, "\n") == table.concat(b, "\n") end
  local TUNE = "tune --seconds 1 --candidates 3"

  local status, out, err = run(TUNE)
  local measured = layers()
  expect(status == 0 and #measured == 2 and out:find("\nfirst ") and out:find("\nsecond ") and err:find("tune +2/2"),
    "two layers", status, out, err)
  if status ~= 0 then return result end

  local text = files.read(path)
  status, out, err = run(TUNE, "CC=/nowhere/cc")
  expect(status == 0 and text == files.read(path), "what is known is not measured again", status, out, err)

  assert(files.write(path, (text:gsub("layer [^\n]*kh3[^\n]*\n", ""))))
  local kept = layers()
  status, out, err = run(TUNE .. " --quiet", "CC=/nowhere/cc")
  expect(status == 4 and err:find("^convgen: first: cannot [^\n]+\n$") and same(kept, layers()),
    "without a compiler", status, out, err)
  -- In the foreground it sends the signal once: a second SIGINT ends Lua at once.
  status, out, err = run(TUNE .. " --quiet", "timeout --foreground -s INT 0.7")
  expect(status == 124 and err:find("interrupted") and same(kept, layers()), "interrupted", status, out, err)
  status, out, err = run(TUNE)
  local now = layers()
  expect(status == 0 and #now == 2 and #kept == 1 and (now[1] == kept[1] or now[2] == kept[1]),
    "what lacked is measured", status, out, err)

  status, out, err = run("explain")
  expect(status == 0 and select(2, out:gsub("\nwhy         measured to be the fastest: p.profile:", "")) == 2,
    "explain tells", status, out, err)
  status, out, err = run("check")
  expect(status == 0 and select(2, out:gsub("pass ", "")) == 2, "kernels by it are right", status, out, err)
  return result
end
