-- Writing files so that nobody ever sees half of one.
-- SPDX-License-Identifier: MIT-0
--
-- A file that has its content already is left alone, with its time. Otherwise the new content goes
-- to a temporary name in the same directory, which is then renamed: readers see the old file or
-- the new one, also when two writers meet. A file that is there must be a regular file: a
-- directory, a device and a symbolic link are refused, neither followed nor replaced. Directories
-- may be links.
--
-- Every function returns nil and a message with the system's reason when it fails.

local lfs = require "lfs"

local files = {}

-- The system's words alone, of what Lua and lfs report with the path before them.
local function reason(path, text)
  if text:sub(1, #path + 2) == path .. ": " then return text:sub(#path + 3) end
  return (text:gsub("^cannot obtain information from file '.*': ", ""))
end

--- The content of a regular file; waits for nothing and reads no device.
function files.read(path)
  local kind, text = lfs.attributes(path, "mode")
  if kind and kind ~= "file" then
    return nil, ("cannot read %s: it is a %s, not a regular file"):format(path, kind)
  end
  local file, content
  if kind then file, text = io.open(path, "rb") end
  if file then
    content, text = file:read("a")
    file:close()
  end
  if content then return content end
  return nil, ("cannot read %s: %s"):format(path, reason(path, text))
end

-- Makes a directory and those above it where they are missing; adds those that it made to a list.
local function make(path, made)
  local kind = lfs.attributes(path, "mode")
  if kind == "directory" then return true end
  if kind then
    return nil, ("cannot make the directory %s: it is a %s"):format(path, kind)
  end
  local parent = path:match("^(.*[^/])/+[^/]*/*$")
  if parent then
    local ok, text = make(parent, made)
    if not ok then return nil, text end
  end
  local ok, text = lfs.mkdir(path)
  if ok then made[#made + 1] = path end
  -- another process may have been quicker
  if ok or lfs.attributes(path, "mode") == "directory" then return true end
  return nil, ("cannot make the directory %s: %s"):format(path, reason(path, text))
end

-- Removes those directories that nothing is in, the last ones first.
local function remove_empty(made)
  for i = #made, 1, -1 do lfs.rmdir(made[i]) end
end

--- Makes a directory and those above it where they are missing: all or none.
function files.make_directory(path)
  local made = {}
  local ok, text = make(path, made)
  if not ok then remove_empty(made) end
  return ok, text
end

--- The path of a file in a directory, "." being left out.
function files.join(directory, name)
  directory = directory:gsub("(.)/+$", "%1")
  if directory == "." then return name end
  return (directory == "/" and "" or directory) .. "/" .. name
end

-- Writes `text` to a new temporary file beside `path`; tells its name before it is there.
local function write_beside(path, text, tell)
  local directory, base = path:match("^(.*/)([^/]*)$")
  local temporary = ("%s.%s.%08x%08x.tmp"):format(directory or "", base or path,
    math.random(0) & 0xffffffff, math.random(0) & 0xffffffff)
  tell(temporary)
  local file, message = io.open(temporary, "wb")
  if not file then
    return nil, ("cannot write %s: %s"):format(path, reason(temporary, message))
  end
  local ok
  ok, message = file:write(text)
  local closed, close_message = file:close() -- a full disk may show only here
  if ok and closed then return true end
  return nil, ("cannot write %s: %s"):format(path, ok and close_message or message)
end

--- Whether there is nothing at a path, or a regular file.
function files.may_write(path)
  local kind = lfs.symlinkattributes(path, "mode")
  if not kind or kind == "file" then return true end
  return nil, ("cannot write %s: it is a %s, not a regular file"):format(path,
    kind == "link" and "symbolic link" or kind)
end

--- Writes a list of { path =, text = }, all or none as far as the system lets: every file is
-- complete under its temporary name before the first is renamed. Missing directories are made; they stay if files do.
-- Returns how many were written and how many had their content already.
function files.write_all(list)
  local fresh, unchanged = {}, 0
  for _, entry in ipairs(list) do
    local ok, why = files.may_write(entry.path)
    if not ok then return nil, why end
    if files.read(entry.path) == entry.text then
      unchanged = unchanged + 1
    else
      fresh[#fresh + 1] = entry
    end
  end

  -- Whatever happens, an interrupt included, no temporary file stays, and no directory for nothing.
  local directories <close> = setmetatable({}, { __close = remove_empty })
  local temporaries <close> = setmetatable({}, { __close = function(list_of_names)
    for _, temporary in pairs(list_of_names) do os.remove(temporary) end
  end })
  for i, entry in ipairs(fresh) do
    local ok, message = make(entry.path:match("^(.*[^/])/+[^/]*$") or ".", directories)
    if not ok then return nil, message end
    ok, message = write_beside(entry.path, entry.text, function(name) temporaries[i] = name end)
    if not ok then return nil, message end
  end
  for i, entry in ipairs(fresh) do
    local ok, message = os.rename(temporaries[i], entry.path)
    if not ok then
      return nil, ("cannot write %s: %s"):format(entry.path, reason(entry.path, message))
    end
    temporaries[i] = nil
  end
  return #fresh, unchanged
end

--- Writes one file.
function files.write(path, text)
  local written, other = files.write_all({ { path = path, text = text } })
  if not written then return nil, other end
  return true
end

--- A word as a shell reads it back.
function files.quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

--- A new directory of our own, which is removed with all that is in it when what is given back is closed:
-- local directory <close> = files.temporary_directory(). tostring() of it is the path.
function files.temporary_directory()
  local pipe = io.popen('mktemp -d "${TMPDIR:-/tmp}/convgen-XXXXXXXX" 2>&1')
  local path = pipe:read("a"):gsub("\n.*", "")
  if not pipe:close() then return nil, "cannot make a temporary directory: " .. path end
  return setmetatable({}, {
    __tostring = function() return path end,
    __close = function() -- after an interrupt a compiler may still be writing there
      local rm = "rm -rf " .. files.quoted(path)
      os.execute(("%s 2>/dev/null || { sleep 1; %s; }"):format(rm, rm))
    end,
  })
end

return files
