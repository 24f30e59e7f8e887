-- What the specs share. Run them from the project's root: busted --lua=/usr/bin/lua5.4 tests/spec
-- SPDX-License-Identifier: MIT-0

local lfs = require "lfs"
local luassert = require "luassert"

local support = {}

local root = debug.getinfo(1, "S").source:match("^@(.*)tests/spec/support.lua$")
if not root:find("^/") then root = lfs.currentdir() .. "/" .. root end
support.root = root
support.convgen = root .. "gen/convgen"
if not package.path:find(root .. "gen/?.lua;", 1, true) then
  package.path = ("%sgen/?.lua;%sgen/?/init.lua;%s"):format(root, root, package.path)
end

function support.quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

function support.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

function support.write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

--- A new directory, which becomes the current one. support.leave() goes back and removes it.
function support.enter()
  local pipe = io.popen("mktemp -d")
  support.directory = pipe:read("l")
  pipe:close()
  support.before = lfs.currentdir()
  assert(lfs.chdir(support.directory))
  return support.directory
end

function support.leave()
  assert(lfs.chdir(support.before))
  os.execute("rm -rf " .. support.quoted(support.directory))
end

--- The names in a directory, sorted.
function support.list(directory)
  local names = {}
  for name in lfs.dir(directory or ".") do
    if name ~= "." and name ~= ".." then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

--- A shell command's status and standard output.
function support.shell(command)
  local pipe = io.popen("{ " .. command .. "\n}")
  local text = pipe:read("a")
  local _, _, status = pipe:close()
  return status, text
end

--- Runs convgen as a process: status, standard output, standard error. `environment` comes before
-- the command, as in the shell.
function support.spawn(arguments, environment)
  local words = { environment or "", support.quoted(support.convgen) }
  for _, argument in ipairs(arguments) do words[#words + 1] = support.quoted(argument) end
  local errors = os.tmpname()
  local status, out = support.shell(table.concat(words, " ") .. " 2>" .. errors .. " </dev/null")
  local err = support.read(errors)
  os.remove(errors)
  return status, out, err
end

--- The same in this process.
function support.run(arguments)
  local cli = require "cli"
  local function stream()
    local parts = {}
    return {
      write = function(self, ...)
        for _, text in ipairs({ ... }) do parts[#parts + 1] = text end
        return self
      end,
      flush = function() return true end,
      text = function() return table.concat(parts) end,
    }
  end
  local out, err = stream(), stream()
  local status = cli.main(arguments, out, err)
  return status, out.text(), err.text()
end

--- A text as a list of arguments, split at spaces.
function support.words(text)
  local list = {}
  for word in text:gmatch("%S+") do list[#list + 1] = word end
  return list
end

--- Runs 'convgen emit' with a text of arguments; it must have nothing to say.
function support.emit(text)
  local status, _, err = support.run(support.words("emit --quiet " .. text))
  luassert.are.equal("", err)
  luassert.are.equal(0, status)
end

--- Fields of a layer that is right, with some of them replaced.
function support.fields(changes)
  local fields = { IH = 8, IW = 8, IC = 4, OC = 6, KH = 3, KW = 3 }
  for key, value in next, changes or {} do fields[key] = value end
  return fields
end

return support
