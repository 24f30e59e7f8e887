-- Counts of tests, and what is to be said of those that failed. They come from TAP, as cmocka,
-- busted and the loops in suites.lua print it.
-- SPDX-License-Identifier: MIT-0

local tally = {}
tally.__index = tally

function tally.new()
  return setmetatable({ passed = 0, failed = 0, skipped = 0, messages = {} }, tally)
end

function tally:pass() self.passed = self.passed + 1 end

function tally:skip(count) self.skipped = self.skipped + (count or 1) end

function tally:fail(text, ...)
  self.failed = self.failed + 1
  self.messages[#self.messages + 1] = select("#", ...) > 0 and text:format(...) or text
end

--- A test by its outcome.
function tally:note(ok, text)
  if ok then self:pass() else self:fail(text) end
end

function tally:add(other)
  self.passed = self.passed + other.passed
  self.failed = self.failed + other.failed
  self.skipped = self.skipped + other.skipped
  table.move(other.messages, 1, #other.messages, #self.messages + 1, self.messages)
end

local function useful(comment) return not comment:find("error: Failure!", 1, true) end

--- Reads TAP. Comments before a failure belong to it, or, if there are none, those after it. A
-- program that ran nothing, or not as many tests as it announced, died: one more failure.
function tally:tap(text, status, title)
  local seen, announced, failures = 0, nil, 0
  local comments = {} -- since the last test
  local explain = 0   -- how many more belong to the last test
  for line in text:gmatch("[^\n]+") do
    local count, comment = line:match("^1%.%.(%d+)"), line:match("^#%s*(.*)")
    if count then
      announced = tonumber(count)
    elseif comment and useful(comment) then
      if explain > 0 then
        self.messages[#self.messages] = self.messages[#self.messages] .. "\n    " .. comment
        explain = explain - 1
      elseif #comments < 5 then
        comments[#comments + 1] = comment
      end
    elseif line:find("^ok%f[%W]") or line:find("^not ok%f[%W]") then
      seen, explain = seen + 1, 0
      if line:find("#%s*SKIP") then
        self:skip()
      elseif line:find("^ok") then
        self:pass()
      else
        failures = failures + 1
        explain = #comments > 0 and 0 or 4
        table.insert(comments, 1, line:match("^not ok%s*%d*%s*-?%s*(.*)"))
        self:fail(title .. ": " .. table.concat(comments, "\n    "))
      end
      comments = {}
    end
  end
  if seen == 0 or announced and seen ~= announced then
    self:fail("%s: it ended with status %d after %d of %s tests\n%s", title, status, seen,
      announced or "no", text:sub(-400))
  elseif failures == 0 and status ~= 0 then
    self:fail("%s: status %d though no test failed\n%s", title, status, text:sub(-400))
  end
end

--- Runs a list of { title, command that prints TAP }, of which `t` wants all or some; gives the tally.
function tally.run(t, tests, result)
  result = result or tally.new()
  local commands, titles = {}, {}
  for _, test in ipairs(tests) do
    if t:wants_build(test[1]) then
      commands[#commands + 1], titles[#titles + 1] = test[2], test[1]
    end
  end
  for i, r in ipairs(t:run(commands)) do result:tap(r.output, r.status, titles[i]) end
  return result
end

return tally
