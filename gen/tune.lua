-- Measures ways to compute layers on the machine at hand: what 'convgen tune' does.
-- SPDX-License-Identifier: MIT-0
--
-- Layer after layer, the contenders are emitted, built into the benchmark's program (bench/) and measured
-- by it, in turns with the peak of the processor. What is faster than the planner's own choice must be so
-- again in a second, longer measurement. After each layer the profile is written: an interrupted run goes on
-- where it was.

local build = require "bench.build"
local contenders = require "contenders"
local cost = require "plan.cost"
local emit = require "emit"
local files = require "files"
local isa = require "isa"
local lfs = require "lfs"
local machine = require "machine"
local measure = require "bench.measure"
local progress = require "bench.progress"
local profile = require "profile"

local tune = {}

local root = (debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or ".") .. "/.."

-- Another way has to be so much faster than the planner's choice: less may be chance.
local WORTH = 1.02
-- Cycles from a multiply-add to the next one that needs its result, on all x86 processors with such units.
local LATENCY = 4

-- The benchmark's set of some plans of a layer: kernels c1, c2 and so on.
local function set_of(job, plans)
  local set = { list = "tune", layout = job.layer.layout, isa = job.isa.name }
  function set.emit(directory, name)
    local jobs, outputs, bases = {}, {}, { name }
    local function add(base, extension, text)
      outputs[#outputs + 1] = { path = ("%s/%s%s"):format(directory, base, extension), text = text }
    end
    for i, made in ipairs(plans) do
      jobs[i] = { name = ("%s_c%d"):format(name, i), layer_name = "c" .. i, layer = job.layer, plan = made,
        isa = job.isa, command = "tune" }
      local header, source = emit.kernel(jobs[i])
      add(jobs[i].name, ".h", header)
      add(jobs[i].name, ".c", source)
      bases[i + 1] = jobs[i].name
    end
    local header, source = emit.registry(jobs, name)
    add(name, ".h", header)
    add(name, ".c", source)
    add("registry", ".h", emit.registry_types())
    local ok, why = files.write_all(outputs)
    return ok and bases, why
  end
  return set
end

-- What a compiler or the program said is wrong, in one line.
local function in_short(text)
  for line in text:gmatch("[^\n]+") do
    if line:find("error[: ]") or line:find("cannot find") or line:find("not found") then return line end
  end
  return text:match("\n([^\n]+)\n*$") or text
end

-- Runs the program for some of the plans, which get their smallest time, `us`. Gives the results, or nil, a
-- message and the status.
local function run(program, settings, plans, repetitions)
  local names, by_name = {}, {}
  for i, made in ipairs(plans) do
    names[i] = "c" .. made.number
    by_name[names[i]] = made
  end
  local log = settings.out .. "/log"
  local all, right = measure.run(program, settings.out, { "--seconds", settings.seconds, "--repetitions",
    repetitions, "--only", ("^tune/(%s)/"):format(table.concat(names, "|")),
    "--benchmark_filter=^fma/|/.*/" }, log)
  if not all then return nil, right == "interrupted" and right or in_short(files.read(log) or right), 4 end
  for _, kernel in ipairs(all.kernels) do
    local made = by_name[kernel.layer]
    if kernel.wrong then return nil, ("%s %s is wrong: %s"):format(made.algorithm, made.tile_name, kernel.wrong), 1 end
    made.us = kernel.us
  end
  for _, made in ipairs(plans) do
    if not made.us then return nil, ("no result for %s"):format(made.tile_name), 4 end
  end
  return all
end

local function fastest(plans)
  local best = plans[1]
  for _, made in ipairs(plans) do
    if made.us < best.us then best = made end
  end
  return best
end

-- Sets the multiply-adds in a cycle where they are not known; loads keep pace (see plan/cost.lua). Whether
-- that changes what the planner goes by.
local function set_units(self, set, all)
  local units = (all.in_flight[set] or 0) / LATENCY
  local count = math.floor(units + 0.5)
  if self:costs_of(set).fma or count == 0 or math.abs(units - count) > 0.2 then return false end
  self:set_cost("fma", count, set)
  self:set_cost("load", count, set)
  return count ~= cost.fma or count ~= cost.load
end

-- Measures the contenders of a job. Gives the way that is chosen, or nil, a message and the status.
-- settings: profile, candidates, seconds; out, where things are built; tools, of measure.tools().
local function choose(job, settings)
  local options = setmetatable({ costs = settings.profile:costs_of(job.isa.name) }, { __index = job.options })
  local plans, why = contenders(job.layer, job.isa, options, settings.candidates)
  if not plans then return nil, why, 3 end
  for i, made in ipairs(plans) do made.number = i end
  local program
  program, why = build.program({ set_of(job, plans) }, settings.out, settings.tools)
  if not program then return nil, "cannot build the measuring program: " .. in_short(why), 4 end
  local all, status
  all, why, status = run(program, settings, plans, 8)
  if not all then return nil, why, status end
  if set_units(settings.profile, job.isa.name, all) then return choose(job, settings) end

  local rule, best = plans[1], fastest(plans)
  if best.us * WORTH < rule.us then -- the best again, beside the planner's choice
    table.sort(plans, function(a, b) return a.us < b.us end)
    local again = { rule }
    for i = 1, math.min(3, #plans) do again[#again + 1] = plans[i] ~= rule and plans[i] or nil end
    all, why, status = run(program, settings, again, 16)
    if not all then return nil, why, status end
    best = fastest(again)
    if best.us * WORTH >= rule.us then best = rule end
  else
    best = rule
  end
  return { algorithm = best.way.algorithm, tile = best.way.tile, block = best.way.block, us = best.us,
    rule = rule.way.algorithm .. "/" .. rule.way.tile.tile, rule_us = rule.us }
end

-- ---- all layers --------------------------------------------------------------------------------

-- The profile to add to, or nil, a message and the status.
local function opened(path, cpu)
  local ok, why = files.may_write(path)
  if not ok then return nil, why, 4 end
  if not lfs.attributes(path) then
    local new = profile.new(cpu)
    for name, value in pairs(machine.caches()) do new:set_cost(name, value, "all") end
    local native = profile.native()
    for name, value in pairs(native and native.costs.all or {}) do new:set_cost(name, value, "all") end
    return new
  end
  local read, status
  read, why, status = profile.read(path)
  if not read then return nil, why, status end
  local warning = read:warnings(cpu)[1]
  if warning then return nil, warning .. "; name another file for --profile", 2 end
  return read
end

local ROW = "%-16s %-18s %10s   %-32s %10s %8s"

-- What was found out, a line for each layer, and what it is worth.
local function report(jobs, self)
  local lines = { ROW:format("layer", "by rule", "us", "fastest", "us", "gain") }
  local logarithms, changed = 0, 0
  for _, job in ipairs(jobs) do
    local way = self:way(job.isa.name, job.layer, job.options.accuracy)
    local name = way.algorithm .. "/" .. way.tile.tile
    if name == way.rule and way.block then name = ("%s, blocks of %d"):format(name, way.block) end
    local same = way.us == way.rule_us
    local gain = (way.rule_us or 1) / (way.us or 1)
    logarithms, changed = logarithms + math.log(gain), changed + (same and 0 or 1)
    local function us(time) return time and ("%.2f"):format(time) or "-" end
    lines[#lines + 1] = ROW:format(job.layer_name, way.rule or "-", us(way.rule_us), same and "the same" or name,
      us(way.us), same and "" or ("%.1f %%"):format(100 * (gain - 1)))
  end
  lines[#lines + 1] = ("%d of %d layers are computed faster in another way; all: %.1f %% (geometric mean)"):format(
    changed, #jobs, 100 * (math.exp(logarithms / #jobs) - 1))
  for i, line in ipairs(lines) do lines[i] = line:gsub("%s+$", "") end
  return table.concat(lines, "\n") .. "\n"
end

--- Measures the layers of some jobs that are not yet in the profile in the file `path`, and writes it. Gives
-- a report, or nil, a message and the status. settings: candidates, seconds, quiet.
function tune.run(jobs, path, settings)
  local runs = {}
  for _, name in ipairs(isa.runnable()) do runs[name] = true end
  for _, job in ipairs(jobs) do
    local set = job.isa.name
    if not runs[set] then return nil, ("--isa %s: this machine does not run it"):format(set), 3 end
  end
  local why, status
  settings.profile, why, status = opened(path, machine.cpu())
  if not settings.profile then return nil, why, status end
  local directory <close>, text = files.temporary_directory()
  if not directory then return nil, text, 4 end
  settings.out, settings.tools = tostring(directory), measure.tools(root)
  settings.tools.progress = function() end

  local function known(job) return settings.profile:way(job.isa.name, job.layer, job.options.accuracy) end
  for i, job in ipairs(jobs) do
    if not settings.quiet then progress("tune", i - 1, #jobs) end
    if not known(job) then
      local way
      way, why, status = choose(job, settings)
      if not way then return nil, ("%s: %s"):format(job.layer_name, why), status end
      settings.profile:set_way(job.isa.name, job.layer, job.options.accuracy, way)
      why = select(2, settings.profile:write(path))
      if why then return nil, why, 4 end
    end
  end
  if not settings.quiet then progress("tune", #jobs, #jobs) end
  return report(jobs, settings.profile)
end

return tune
