-- Shell commands, several at a time.
-- SPDX-License-Identifier: MIT-0

local files = require "files"

local jobs = {}

--- What a command prints, without the newline at the end; nil if it fails.
function jobs.output(command)
  local pipe = io.popen(command .. " 2>/dev/null")
  local text = pipe:read("a")
  return pipe:close() and text:gsub("\n$", "") or nil
end

function jobs.have(program)
  return jobs.output("command -v " .. program) ~= nil
end

--- A command with values in the place of $name; other words with $ are the shell's.
function jobs.expand(text, values)
  return (text:gsub("%$(%l+)", values))
end

--- A shell command as a test in TAP: what it prints goes before, as comments, if it fails.
function jobs.as_test(title, command)
  return jobs.expand("if out=$( { $command; } 2>&1 ); then echo ok - $title; else"
    .. " echo \"$out\" | head -n 5 | sed 's/^/# /'; echo not ok - $title; fi",
    { command = command, title = title })
end

--- Runs all `commands`, `width` at a time, whether or not some fail; calls done(how many) as they
-- end. Gives a list of { status =, output = }. Their files go to `directory`.
function jobs.run(commands, width, directory, done)
  local script = { "case $1 in" }
  for i, command in ipairs(commands) do script[#script + 1] = ("%d)\n%s\n;;"):format(i, command) end
  script[#script + 1] = "esac\n"
  local base = directory .. "/job"
  assert(files.write(base .. ".sh", table.concat(script, "\n")))
  local pipe = io.popen(("seq %d | xargs -P %d -I{} sh -c 'sh %s.sh {} >%s.{}.out 2>&1;"
    .. " echo $? >%s.{}.status; echo {}'"):format(#commands, width, base, base, base))
  local count = 0
  for _ in pipe:lines() do
    count = count + 1
    done(count)
  end
  pipe:close()
  local results = {}
  for i = 1, #commands do
    local output, status = ("%s.%d.out"):format(base, i), ("%s.%d.status"):format(base, i)
    results[i] = {
      output = files.read(output) or "",
      status = tonumber(files.read(status) or "") or -1,
    }
    os.remove(output)
    os.remove(status)
  end
  return results
end

return jobs
