-- Text that the tables share.
-- SPDX-License-Identifier: MIT-0

local text = {}

--- "1, 2, 3": the values of f(1) ... f(count).
function text.list(count, f)
  local out = {}
  for i = 1, count do out[i] = tostring(f(i)) end
  return table.concat(out, ", ")
end

--- C for p + offset, a number or the text of a non-negative term.
function text.at(p, offset)
  if offset == 0 then return p end
  if math.type(offset) == "integer" and offset < 0 then return ("%s - %d"):format(p, -offset) end
  return ("%s + %s"):format(p, offset)
end

--- C for the element at p + offset.
function text.index(p, offset)
  return (p:find("^[%w_]+$") and "%s[%s]" or "(%s)[%s]"):format(p, offset)
end

--- Whether each of `lanes` lanes of a permutation comes from its own four and all four move alike: an
-- immediate operand, as x86 spells it; else nil.
function text.in_parts(index, lanes)
  local operand = 0
  for l = 0, lanes - 1 do
    local place = index[l + 1] and index[l + 1] - l // 4 * 4
    if not place or place < 0 or place > 3 or l > 3 and place ~= operand >> 2 * (l % 4) & 3 then return nil end
    if l < 4 then operand = operand | place << 2 * l end
  end
  return ("0x%02X"):format(operand)
end

--- The steps { name =, expression = } that rows 1 ... count rest upon, as lines of C, of some declarations each.
function text.needed(steps, rows, count, vector)
  local used, needed, lines = {}, {}, {}
  for l = 1, count do used[rows[l].name] = true end
  for i = #steps, 1, -1 do
    local step = steps[i]
    if used[step.name] then
      for word in step.expression:gmatch("[%w_]+") do used[word] = true end
      table.insert(needed, 1, ("%s = %s"):format(step.name, step.expression))
    end
  end
  for _, one in ipairs(needed) do
    local last = lines[#lines]
    if last and #last + #one < 140 then
      lines[#lines] = ("%s, %s;"):format(last:sub(1, -2), one)
    else
      lines[#lines + 1] = ("const %s %s;"):format(vector, one)
    end
  end
  return lines
end

return text
