-- Fuzzes the command line: lua5.4 -E tests/fuzz/run.lua SEED CASES DIRECTORY
--
-- In the project's root. Most cases run in this process; some again as processes, which must do the same;
-- and kernels of some of those that were accepted are compiled and checked. Prints TAP; a case that fails
-- is made smaller and printed as a command.
-- SPDX-License-Identifier: MIT-0

package.path = "./?.lua;tests/?.lua;" .. package.path
local support = require "tests.spec.support"
package.path = package.path:gsub("%./%?", support.root .. "?"):gsub("tests/%?", support.root .. "tests/?", 1)

local grammar = require "fuzz.grammar"
local kernels = require "fuzz.kernels"
local lfs = require "lfs"
local oracle = require "fuzz.oracle"

local seed, cases, directory = math.tointeger(arg[1]), math.tointeger(arg[2]), arg[3]
local number = 0

local function report(ok, title, ...)
  number = number + 1
  for _, line in ipairs { ... } do print("# " .. line:gsub("[^ -~]+", " ")) end
  print(("%s %d - %s"):format(ok and "ok" or "not ok", number, title))
  io.stdout:flush()
end

os.execute(("rm -rf '%s' && mkdir -p '%s/here'"):format(directory, directory))
assert(lfs.chdir(directory))
directory = lfs.currentdir()
assert(lfs.chdir("here"))

local r = grammar.random(seed)
local counts, failures, accepted, plain = { [0] = 0, 0, 0, 0, 0 }, 0, {}, { all = 0, good = 0 }
local again = {} -- to be run as processes

for i = 1, cases do
  local broken = not r:chance(4)
  local case = grammar.case(r, broken)
  local complaint, status, out, err = oracle.judge(case)
  if complaint then
    failures = failures + 1
    if failures <= 5 then
      local least = oracle.minimise(case, complaint)
      report(false, ("case %d of seed %d"):format(i, seed), complaint, oracle.text(least))
    end
  else
    counts[status] = counts[status] + 1
    if not broken then
      plain.all = plain.all + 1
      plain.good = plain.good + (status == 0 and 1 or 0)
    end
    if #again < cases // 50 and i % 40 == 0 and not table.concat(case.args):find("\0")
        and #table.concat(case.args) < 50000 then
      again[#again + 1] = { case = case, status = status, out = out, err = err }
    end
    if status == 0 and #accepted < cases // 40 and r:chance(4) then
      for _, job in ipairs(kernels.of(case, "case" .. i)) do
        job.case = case
        accepted[#accepted + 1] = job
      end
    end
  end
end
report(failures == 0, ("%d command lines"):format(cases), ("seed %d: status 0 of %d, 2 of %d, 3 of %d, 4 of %d")
  :format(seed, counts[0], counts[2], counts[3], counts[4]))
report(plain.good * 4 >= plain.all, "most of those that are right are accepted",
  ("%d of %d"):format(plain.good, plain.all))

for _, one in ipairs(again) do
  oracle.prepare(one.case)
  local status, out, err = support.spawn(one.case.args)
  report(status == one.status and out == one.out and err == one.err, "as a process", oracle.text(one.case),
    ("status %s: %s"):format(status, err))
end

if #accepted > 0 then
  os.execute("mkdir -p ../kernels")
  kernels.check(directory .. "/kernels", accepted, function(job, wrong)
    report(not wrong, "accepted, so right", wrong or "", oracle.text(job.case))
  end)
else
  report(false, "no kernel was accepted")
end
print("1.." .. number)
