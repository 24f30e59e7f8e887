-- Whether convgen did with a case what it must do with any.
-- SPDX-License-Identifier: MIT-0
--
-- It ends with a status from 0 to 4, soon; a failure says why in one line that is no traceback, and leaves
-- the directory as it was; what is written is whole; and the command that a file names writes it again.

local lfs = require "lfs"
local support = require "tests.spec.support"

local oracle = {}

-- Of the processor's time, and of memory; what takes more hangs.
local SECONDS, KILOBYTES = 10, 1 << 20

-- What a case may have besides its arguments.
local FILES = { "list", "profile" }

-- Everything below the current directory, as a table of path and content.
local function tree(path, found)
  found = found or {}
  for name in lfs.dir(path or ".") do
    if name ~= "." and name ~= ".." then
      local full = path and path .. "/" .. name or name
      if lfs.symlinkattributes(full, "mode") == "directory" then
        found[full] = ""
        tree(full, found)
      else
        found[full] = support.read(full)
      end
    end
  end
  return found
end

local function difference(before, after)
  for path, content in pairs(after) do
    if before[path] ~= content then return path .. (before[path] and " was changed" or " was made") end
  end
  for path in pairs(before) do
    if after[path] == nil then return path .. " is gone" end
  end
end

--- Makes the current directory what the case starts from.
function oracle.prepare(case)
  os.execute("rm -rf ./* ./.??*")
  for _, name in ipairs(FILES) do
    if case[name] then support.write(name, case[name]) end
  end
end

-- Runs a case in this process, with limits; status, standard output, standard error.
local function run(args)
  local start = os.clock()
  local function watch()
    if os.clock() - start > SECONDS then error("FUZZ it hangs", 0) end
    if collectgarbage("count") > KILOBYTES then error("FUZZ it takes too much memory", 0) end
  end
  debug.sethook(watch, "", 1000000)
  local ok, status, out, err = pcall(support.run, args)
  debug.sethook()
  if not ok then return nil, tostring(status) end
  return status, out, err
end
oracle.run = run

local function one_line(text)
  return text:find("^convgen: [^%c]+\n$") and #text < 1000 and not text:find("%.lua:%d") and not text:find("traceback")
    and utf8.len(text) and not text:find("\u{202e}", 1, true)
end

-- What is wrong with the files that an accepted case wrote.
local function complaint_of_files(before, after)
  local header
  for path, content in pairs(after) do
    if path:find("%.tmp$") then return "it leaves a temporary file" end
    if content ~= "" and before[path] == nil then
      if not content:find("^/%*") or not content:find("\n$") then return "half a file: " .. path end
      if content:find("[^\n -~]") then return "strange characters in " .. path end
      if content:find("\nvoid [%w_]+_run%(") or content:find(" convgen [%d.]+, do not edit: convgen emit ") then
        header = path:find("%.h$") and path or header
      end
    end
  end
  if not header then return end
  local again = after[header]:match("convgen (emit [^\n]*)"):gsub("%s*%*/$", "")
  lfs.mkdir("again")
  local status, _, err = run(support.words(again .. " --quiet -o again"))
  if status ~= 0 then return "the command in the header fails: " .. tostring(err) end
  for _, ending in ipairs { ".h", ".c" } do
    local base = header:gsub("%.h$", ending)
    local file = io.open("again/" .. base:match("[^/]*$"))
    if not file or file:read("a") ~= after[base] then return "the command in the header makes another file" end
    file:close()
  end
end

--- Runs a case in the current directory. What is wrong, or nil; status, output, error.
function oracle.judge(case)
  oracle.prepare(case)
  local before = tree()
  local status, out, err = run(case.args)
  if not status then return "it raises an error: " .. out, status, out, err end
  local after = tree()
  local function result(complaint) return complaint, status, out, err end
  if math.type(status) ~= "integer" or status < 0 or status > 4 then return result("status " .. tostring(status)) end
  if status ~= 0 then
    if err:find("FUZZ", 1, true) then return result(err:match("FUZZ ([^\n]*)")) end
    if out ~= "" then return result("it fails and prints") end
    if not one_line(err) then return result("the message is not one plain line: " .. err:sub(1, 300)) end
    if status == 1 then return result("a check failed, without a check") end
    if status == 4 and not err:find("^convgen: cannot ") then return result("an error of its own: " .. err) end
    local changes = difference(before, after)
    return result(changes and "it fails and " .. changes)
  end
  for line in err:gmatch("[^\n]+") do
    if not one_line(line .. "\n") then return result("progress is not plain: " .. line) end
  end
  if out ~= "" then
    local changes = difference(before, after)
    return result(changes and "it prints and " .. changes)
  end
  return result(complaint_of_files(before, after))
end

--- The case as a command for the shell.
function oracle.text(case)
  local function quoted(text)
    if text:find("^[%w%-_.,:/=]+$") then return text end
    if not text:find("[^ -~]") then return support.quoted(text) end
    return "$'" .. text:gsub("[\\']", "\\%0"):gsub("[^ -~]", function(c) return ("\\x%02x"):format(c:byte()) end) .. "'"
  end
  local words = { "convgen" }
  for _, argument in ipairs(case.args) do words[#words + 1] = quoted(argument) end
  local text = table.concat(words, " ")
  for _, name in ipairs(FILES) do
    if case[name] then text = ("printf %%s %s >%s; %s"):format(quoted(case[name]), name, text) end
  end
  return #text > 2000 and text:sub(1, 2000) .. " ..." or text
end

-- Smaller cases, one change each.
local function smaller(case)
  local list = {}
  local function add(changes) list[#list + 1] = setmetatable(changes, { __index = case }) end
  for count = 2, 1, -1 do
    for at = 2, #case.args - count + 1 do
      local args = {}
      for i, argument in ipairs(case.args) do
        if i < at or i >= at + count then args[#args + 1] = argument end
      end
      add { args = args }
    end
  end
  for _, name in ipairs(FILES) do
    local lines = {}
    for line in (case[name] or ""):gmatch("[^\n]*\n?") do lines[#lines + 1] = line end
    for at = 1, #lines do
      if lines[at] ~= "" then
        add { [name] = table.concat(lines, "", 1, at - 1) .. table.concat(lines, "", at + 1) }
      end
    end
  end
  for at, argument in ipairs(case.args) do
    if #argument > 20 then
      local args = table.move(case.args, 1, #case.args, 1, {})
      args[at] = argument:sub(1, #argument // 2)
      add { args = args }
    end
  end
  return list
end

--- The smallest case that is found to have the same complaint, up to its first colon.
function oracle.minimise(case, complaint)
  local kind, start = complaint:match("^[^:]*"), os.clock()
  local function in_time() return os.clock() - start < SECONDS end
  local function same(other)
    local found = oracle.judge(other)
    return found and found:match("^[^:]*") == kind
  end
  local again = true
  while again and in_time() do
    again = false
    for _, other in ipairs(smaller(case)) do
      if in_time() and same(other) then
        case, again = other, true
        break
      end
    end
  end
  return case
end

return oracle
