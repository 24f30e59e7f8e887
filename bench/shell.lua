-- Commands of the system, several at a time.
-- SPDX-License-Identifier: MIT-0

local shell = {}

--- A command line from its words, each of them quoted where it has to be.
function shell.line(words)
  local out = {}
  for i, word in ipairs(words) do
    word = tostring(word)
    out[i] = word:find("^[%w_./=,:+-]+$") and word or "'" .. word:gsub("'", "'\\''") .. "'"
  end
  return table.concat(out, " ")
end

--- What a command prints, without the newline at the end; nil if it fails.
function shell.output(line)
  local pipe = io.popen(line)
  local text = pipe:read("a")
  if pipe:close() then return (text:gsub("\n$", "")) end
end

function shell.processors()
  return math.tointeger(tonumber(shell.output("nproc 2>/dev/null"))) or 1
end

--- Runs command lines, `width` at a time, in order; calls done(how many) as they end. Gives true,
-- or nil and the first failing command with what it printed.
function shell.parallel(lines, width, done)
  local pipes = {}
  local function start(i)
    if lines[i] then pipes[i] = io.popen(lines[i] .. " 2>&1") end
  end
  for i = 1, width do start(i) end
  for i = 1, #lines do
    local text = pipes[i]:read("a")
    if not pipes[i]:close() then
      for j = i + 1, #pipes do pipes[j]:close() end -- waits for them
      return nil, ("failed: %s\n%s"):format(lines[i], text)
    end
    pipes[i] = nil
    start(i + width)
    done(i)
  end
  return true
end

return shell
