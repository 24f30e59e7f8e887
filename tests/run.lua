-- Runs all tests: what 'make test' and 'make test-all' do.
--
--   lua5.4 tests/run.lua [--all] [--seed N] [--problems FILE] [--only SUITE,...] [--also SUITE,...]
--     [--builds GLOB,...] [--layers GLOB,...] [--out DIR] [--jobs N]
--   lua5.4 tests/run.lua --list
--
-- or with SEED, PROBLEMS, ONLY, ALSO, BUILDS and LAYERS in the environment. CC is the compiler. Run it
-- in the project's root; what it makes is under DIR, by default build/tests. Ends with 'N passed, N
-- failed, N skipped'; the exit status is 1 if anything failed.
--
-- ONLY names the suites to run, ALSO those to run besides the ones that always run. BUILDS and LAYERS
-- leave of each suite the tests and the layers with such a name: BUILDS=avx2_nhwc LAYERS='width_*'.
-- SPDX-License-Identifier: MIT-0

package.path = "gen/?.lua;gen/?/init.lua;tests/?.lua;" .. package.path

local assembly = require "runner.assembly"
local compiler = require "runner.compiler"
local conformance = require "runner.conformance"
local determinism = require "runner.determinism"
local flags = require "runner.flags"
local fuzz = require "runner.fuzz"
local jobs = require "runner.jobs"
local library = require "runner.library"
local metamorphic = require "runner.metamorphic"
local mutants = require "mutants.suite"
local random = require "runner.random"
local semantics = require "runner.semantics"
local suites = require "runner.suites"
local tune = require "runner.tune"
local bilinear = require "runner.bilinear"

-- name, minutes on two cores ('make test', 'make test-all'; '-' where it runs only if named), what it is
-- about, function
local SUITES = {
  { "specs", 0.5, 0.5, "the Lua modules", suites.specs },
  { "fuzz", 0.5, 6, "command lines and lists at random", fuzz.fuzz },
  { "determinism", 0.3, 0.3, "the same bytes in any surrounding", determinism.determinism },
  { "lint", 0.5, 0.5, "luacheck", suites.lint },
  { "documents", 0.5, 0.5, "what README.md and the examples say to type", suites.documents },
  { "textbook", 0.5, 0.5, "the textbook's layer, by hand", suites.textbook },
  { "standalone", 0.5, 0.5, "test programs for users", suites.standalone },
  { "cplusplus", 0.5, 0.5, "headers in C++", suites.cplusplus },
  { "warnings", 1, 2, "each file alone, three compilers, C99 and C11", suites.warnings },
  { "compilers", 1, 6, "three compilers, -O0 to -O3, -Os, -ffast-math, -march=native", flags.compilers },
  { "assembly", 0.7, 0.7, "no stack accesses in the loops of register tiles", assembly.assembly },
  { "budget", 0.5, 4, "how long compilers take over kernels, and how large these are", assembly.budget },
  { "operations", 0.5, 0.5, "each operation of each instruction set", suites.operations },
  { "symbols", 0.5, 0.5, "no variables, no foreign functions", suites.symbols },
  { "activations", 1, 1, "each activation", suites.activations },
  { "options", 0.5, 0.5, "orders of weights, no bias", suites.options },
  { "profiles", 0.5, 0.5, "the costs of gen/processors", suites.profiles },
  { "sanitizers", 1.5, 6, "address and undefined behaviour", suites.sanitizers },
  { "pooling", 0.5, 3, "tests/pooling.txt", suites.pooling },
  { "fused", 1, 4, "pooling behind a convolution: tests/fused.txt", suites.fused },
  { "runtime", 0.5, 0.5, "kernels with run-time sizes", library.runtime },
  { "generated", 1, 3, "the committed library, copied", library.generated },
  { "problems", 1, 8, "tests/problems.txt", suites.problems },
  { "onnx", 0.5, 0.5, "cases of ONNX's backend tests", conformance.onnx },
  { "onednn", 1, 4, "layers of all kinds against oneDNN", conformance.onednn },
  { "bilinear", 1, 8, "tests/problems.txt by Winograd's and Strassen's algorithms", bilinear },
  { "random", 0.7, 8, "random layers; a table of what they cover", random.suite },
  { "semantics", 0.5, 0.5, "NaN, infinities, zeros, subnormals, dirt", semantics.suite },
  { "metamorphic", 0.5, 0.5, "what holds between runs, without a reference", metamorphic.suite },
  { "tune", 0.5, 0.5, "convgen tune", tune },
  { "neon", 1, 4, "AArch64, cross-compiled and emulated", suites.neon },
  { "given", 2, 30, "PROBLEMS=file", suites.given },
  { "mutants", "-", 50, "faults planted in the generator are seen", mutants.suite },
}

local function usage(text)
  io.stderr:write("tests/run.lua: ", text, "\n")
  os.exit(2)
end

local VALUES = { "seed", "problems", "only", "also", "builds", "layers", "out", "jobs" }

local function options()
  local o, takes_value = {}, {}
  for _, name in ipairs(VALUES) do
    takes_value[name] = true
    if name ~= "out" and name ~= "jobs" then o[name] = os.getenv(name:upper()) end
  end
  local i = 1
  while arg[i] do
    local name = arg[i]:match("^%-%-(%l+)$")
    if name == "all" or name == "list" then
      o[name] = true
    elseif takes_value[name] then
      i = i + 1
      o[name] = arg[i] or usage("--" .. name .. " wants a value")
    else
      usage("unknown argument " .. arg[i])
    end
    i = i + 1
  end
  for _, name in ipairs(VALUES) do
    if o[name] == "" then o[name] = nil end
  end
  o.seed = o.seed and (math.tointeger(tonumber(o.seed)) or usage("bad seed " .. o.seed))
  return o
end

local function words(text)
  local list = {}
  for word in (text or ""):gmatch("[^,%s]+") do list[#list + 1] = word end
  return list
end

-- The suites to run, in their order.
local function chosen(o)
  local named = {}
  for _, word in ipairs(words((o.only or "") .. "," .. (o.also or ""))) do named[word] = true end
  local list = {}
  for _, suite in ipairs(SUITES) do
    local always = not o.only and suite[o.all and 3 or 2] ~= "-"
    if always or named[suite[1]] then list[#list + 1] = suite end
    named[suite[1]] = nil
  end
  local unknown = next(named)
  return unknown and usage("no suite " .. unknown .. "; see --list") or list
end

local MOST = 12 -- messages of a suite that are printed

local function say(messages)
  for i = 1, math.min(#messages, MOST) do print("  " .. messages[i]:gsub("\n%s*", "\n    ")) end
  if #messages > MOST then print(("  ... and %d more"):format(#messages - MOST)) end
end

local function clock() return tonumber(jobs.output("date +%s")) end

local o = options()
if o.list then
  for _, suite in ipairs(SUITES) do
    print(("%-12s %4s min  %4s min  %s"):format(suite[1], suite[2], suite[3], suite[4]))
  end
  os.exit(0)
end

local terminal = os.execute("test -t 1") == true
local LAYOUTS = { "nhwc", "nchw" }
local t = {
  -- A prime, so that all kinds of a list in which they take turns are in each part.
  all = o.all, parts = (o.all or o.layers) and 1 or 13, seed = o.seed or os.time() % 100000, problems = o.problems,
  cc = compiler.cc, builds = words(o.builds), layers = words(o.layers),
  layouts = LAYOUTS, -- of what is checked in one of them, unless everything or a part by its name is wanted
  width = tonumber(o.jobs or jobs.output("nproc")) or 1, directory = o.out or "build/tests",
}

if not o.all and #t.builds == 0 and #t.layers == 0 then t.layouts = { LAYOUTS[1 + t.seed % 2] } end

--- Runs shell commands in parallel; gives a list of { status =, output = }.
function t:run(commands)
  return jobs.run(commands, self.width, self.directory, function(count)
    if not terminal then return end
    io.write(("\r%-12s %d/%d\27[K\r"):format(self.suite, count, #commands)):flush()
  end)
end

-- Whether a name is one of the globs; without any, all are.
local function matches(name, globs)
  for _, glob in ipairs(globs) do
    local pattern = glob:gsub("[%^%$%(%)%%%.%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".")
    if name:find("^" .. pattern .. "$") then return true end
  end
  return #globs == 0
end

--- Whether BUILDS and LAYERS want a test and a layer, by their names; spaces count as '_'.
function t:wants_build(name) return matches(name:gsub(" ", "_"), self.builds) end
function t:wants_layer(name) return matches(name, self.layers) end

print(("seed %d: %s (SEED=%d runs the same)"):format(t.seed,
  o.all and "everything" or o.layers and "some layers"
  or "a thirteenth of the problems, another one for each seed", t.seed))
local list, total, failed = chosen(o), { passed = 0, failed = 0, skipped = 0 }, {}
for _, suite in ipairs(list) do
  t.suite = suite[1]
  local begin = clock()
  local ok, result, why = pcall(suite[5], t)
  if not ok then result = { passed = 0, failed = 1, skipped = 0, messages = { result } } end
  if result.passed + result.failed + result.skipped == 0 and not why then
    if o.builds or o.layers then
      why = "nothing of that name"
    else
      result.failed, result.messages = 1, { "it ran nothing" }
    end
  end
  for key, count in pairs(total) do total[key] = count + result[key] end
  print(("%-12s %s (%d s)"):format(suite[1], why or ("%d passed, %d failed, %d skipped"):format(
    result.passed, result.failed, result.skipped), clock() - begin))
  say(result.messages)
  if result.failed > 0 then failed[#failed + 1] = { suite[1], result.messages } end
  io.stdout:flush()
end
if #list > 1 then -- once more, where a log may be cut to its end
  for _, suite in ipairs(failed) do
    print(("failed: %s (SEED=%d)"):format(suite[1], t.seed))
    say(suite[2])
  end
end
print(("%d passed, %d failed, %d skipped"):format(total.passed, total.failed, total.skipped))
os.exit(total.failed == 0 and total.passed > 0 and 0 or 1)
