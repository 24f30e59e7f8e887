-- Builds the benchmark program for some sets of layers (see build.lua), runs it, reads its results.
-- SPDX-License-Identifier: MIT-0

local build = require "bench.build"
local profiles = require "profile"
local results = require "bench.results"
local shell = require "bench.shell"

local measure = {}

--- The compilers and their number, from the environment and the machine, and the profile of its processor, if any;
-- or one that 'convgen emit' would take, or "none".
function measure.tools(root, profile)
  local native = not profile and profiles.native()
  return { root = root, cc = os.getenv("CC") or "cc", cxx = os.getenv("CXX") or "c++",
    flags = { "-O2" }, jobs = shell.processors(),
    profile = native and native:name() or profile ~= "none" and profile or nil }
end

--- Runs a program with these arguments; its results go to `out`/results.json, what it says of its progress
-- to the file `log` if that is given. Gives what results.read gives, and whether every kernel was right; or
-- nil and a message.
function measure.run(program, out, arguments, log)
  local json = out .. "/results.json"
  os.remove(json)
  local right, how = os.execute(("%s >%s%s"):format(
    shell.line({ program, "--benchmark_out=" .. json, table.unpack(arguments) }),
    shell.line({ out .. "/program/output.txt" }), log and " 2>" .. shell.line({ log }) or ""))
  if how == "signal" then return nil, "interrupted" end
  local all, why = results.read(json)
  if not all then return nil, why end
  return all, right == true
end

--- Builds, then runs; with `portions`, lists of LIST/LAYER, once for each, for a program holds in memory
-- all that it measures.
function measure.sets(sets, out, tools, arguments, portions)
  local program, why = build.program(sets, out, tools)
  if not program then return nil, why end
  if not portions then return measure.run(program, out, arguments) end
  local all, right
  for i, names in ipairs(portions) do
    io.stderr:write(("portion %d of %d\n"):format(i, #portions))
    local part, fine = measure.run(program, out, { "--only", ("^(%s)/"):format(table.concat(names, "|")),
      table.unpack(arguments) })
    if not part then return nil, fine end
    right = fine and right ~= false
    if not all then
      all = part
    else
      table.move(part.kernels, 1, #part.kernels, #all.kernels + 1, all.kernels)
      for isa, peak in pairs(part.peak) do all.peak[isa] = math.max(all.peak[isa] or 0, peak) end
    end
  end
  return all, right
end

--- What a kernel is called in the results.
function measure.key(kernel)
  return table.concat({ kernel.list, kernel.layer, kernel.layout, kernel.isa, kernel.algorithm }, "/")
end

--- Measures some kernels of earlier results once more, three times as long, and keeps the better
-- figures; others disturb now and then. `arguments`: more of them. Gives true, or nil and a message.
function measure.again(out, kernels, arguments)
  local names, by_name = {}, {}
  for i, k in ipairs(kernels) do
    names[i] = measure.key(k)
    by_name[names[i]] = k
  end
  local now, why = measure.run(out .. "/program/bench", out, { "--repetitions", "24",
    "--only", ("^(%s)$"):format(table.concat(names, "|")), table.unpack(arguments or {}) })
  if not now then return nil, why end
  for _, k in ipairs(now.kernels) do
    local before = by_name[measure.key(k)]
    local percent = math.max(before.percent or 0, k.percent or 0)
    if k.us and k.us < (before.us or math.huge) then
      for field, value in pairs(k) do before[field] = value end
    end
    before.percent = percent
  end
  return true
end

return measure
