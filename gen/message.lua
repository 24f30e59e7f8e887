-- What all error messages share: how a value is shown, and 'did you mean'.
-- SPDX-License-Identifier: MIT-0

local message = {}

local function escaped(byte) return ("\\x%02x"):format(byte:byte()) end

--- The value as it may stand in one line of a message: nothing in it can move the cursor, change
-- the direction of the text or fill the screen. Never calls a metamethod.
function message.quote(value)
  local kind = type(value)
  if kind == "string" then
    local shown = #value > 60 and value:sub(1, 57) or value
    return "'" .. shown:gsub("[^ -~]", escaped) .. "'" .. (#value > 60 and "..." or "")
  elseif kind == "number" or kind == "boolean" or kind == "nil" then
    return tostring(value)
  end
  return "a " .. kind
end

-- Changes of the direction of writing: U+202A to U+202E, U+2066 to U+2069.
local TURNS = { "\xe2\x80[\xaa-\xae]", "\xe2\x81[\xa6-\xa9]" }

--- The whole message in one line, whatever paths it holds: as they are where they are plain text, and
-- without the middle where they would fill the screen.
function message.one_line(text)
  if #text > 900 then text = text:sub(1, 500) .. " ... " .. text:sub(-300) end
  local odd = not utf8.len(text)
  for _, turn in ipairs(TURNS) do odd = odd or text:find(turn) end
  return (text:gsub(odd and "[^ -~]" or "%c", escaped))
end

--- Whether an error is what SIGINT raises in Lua. A library may have put a traceback behind it.
function message.interrupted(failure)
  return tostring(failure):find("interrupted!%f[\0\n]") ~= nil
end

--- "a, b or c"
function message.choices(list)
  if #list < 2 then return list[1] or "" end
  return table.concat(list, ", ", 1, #list - 1) .. " or " .. list[#list]
end

-- Edit distance; a swap of neighbours counts once.
local function distance(a, b)
  local before, above = {}, {}
  for j = 0, #b do above[j] = j end
  for i = 1, #a do
    local row = { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      row[j] = math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], before[j - 2] + 1)
      end
    end
    before, above = above, row
  end
  return above[#b]
end

--- The entry of `list` that `word` was probably meant to be, or nil.
function message.nearest(word, list)
  if #word > 40 then return nil end
  local best, least = nil, math.max(1, #word // 3) + 1
  for _, candidate in ipairs(list) do
    local d = distance(word:lower(), candidate:lower())
    if d < least then best, least = candidate, d end
  end
  return best
end

--- "; did you mean 'x'?", or nothing when no entry is near.
function message.did_you_mean(word, list)
  local best = message.nearest(word, list)
  return best and ("; did you mean '%s'?"):format(best) or ""
end

return message
