-- A progress bar on a terminal, a line now and then elsewhere; on stderr, like progress.c.
-- SPDX-License-Identifier: MIT-0

local WIDTH, LINES = 40, 4
local terminal

return function(what, done, of)
  if terminal == nil then terminal = os.execute("test -t 2") == true end
  if terminal then
    local filled = WIDTH * done // of
    io.stderr:write(("\r%-12s [%s%s] %d/%d%s"):format(what, ("#"):rep(filled),
      ("."):rep(WIDTH - filled), done, of, done == of and "\n" or " "))
  elseif done * LINES // of ~= (done - 1) * LINES // of then
    io.stderr:write(("%-12s %d/%d\n"):format(what, done, of))
  end
end
