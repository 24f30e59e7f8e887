-- From option values to jobs: which kernels are asked for. Everything is checked here.
-- SPDX-License-Identifier: MIT-0
--
-- A job is { name =, layer_name =, layer =, plan =, isa =, command =, count = }: what emit takes; and
-- `options`, what its plan was made with.
-- Functions return nil, a message and the exit status when something is wrong: 2 for a wrong
-- value, 3 for what is right but unsupported, 4 for a file that cannot be read.

local activation = require "activation"
local batch = require "import.batch"
local behind = require "behind"
local benchdnn = require "import.benchdnn"
local isa = require "isa"
local layer = require "layer"
local machine = require "machine"
local message = require "message"
local name = require "name"
local options = require "options"
local plan = require "plan"
local profile = require "profile"
local sizes = require "sizes"

local request = {}

local function bad(option, text, what)
  return nil, ("bad value %s for %s: %s"):format(message.quote(text), option, what), 2
end

-- Which option is to blame for a field of the layer.
local OPTION_OF = {
  N = "--batch", IH = "--input", IW = "--input", IC = "--input", OC = "--filters", OH = "--input",
  OW = "--input", KH = "--kernel", KW = "--kernel", stride_h = "--stride", stride_w = "--stride",
  dilation_h = "--dilation", dilation_w = "--dilation", groups = "--groups", pad = "--pad",
  pad_top = "--pad", pad_left = "--pad", pad_bottom = "--pad", pad_right = "--pad",
  pool = "--pool", activation = "--activation", layout = "--layout", weights = "--weights", dtype = "--dtype",
  name = "--name", after = "--then",
}

local function set_size(fields, text, size)
  local option, syntax, counts, names = table.unpack(size)
  local list = sizes.list(text, "x", counts)
  if not list then return bad(option, text, ("want %s in decimal integers"):format(syntax)) end
  for i, field in ipairs(names) do fields[field] = list[i] or list[1] end
  return true
end

local SIZES = {
  { "--input", "HxWxC", { [3] = true }, { "IH", "IW", "IC" } },
  { "--batch", "N", { true }, { "N" } },
  { "--filters", "OC", { true }, { "OC" } },
  { "--kernel", "KHxKW or K", sizes.pair, { "KH", "KW" } },
  { "--stride", "SHxSW or S", sizes.pair, { "stride_h", "stride_w" } },
  { "--dilation", "DHxDW or D", sizes.pair, { "dilation_h", "dilation_w" } },
}

local function set_pad(text, fields)
  if not sizes.set_padding(fields, text) then
    return bad("--pad", text, "want same, same-lower, valid, P, PHxPW or T,L,B,R in decimal"
      .. " integers" .. message.did_you_mean(text, layer.words.pad))
  end
  for _, field in ipairs({ "pad_top", "pad_left", "pad_bottom", "pad_right" }) do
    if tostring(fields[field] or 0):find("^%-%d*[1-9]") then return bad("--pad", text, "padding must be >= 0") end
  end
  return true
end

-- Names in place of sizes: { IH =, IW =, IC =, OC = } where --input and --filters hold names only; a
-- depthwise layer needs no --filters.
local function run_time_sizes(values)
  local names, seen, count = {}, { N = true, OH = true, OW = true }, 0
  local depthwise = values["--groups"] == "depthwise" and not values["--filters"]
  local text = (values["--input"] or "") .. "x" .. (values["--filters"] or "")
  for item in text:gmatch("[^x]+") do
    if item:find("^[A-Z][A-Z0-9]*$") and not seen[item] then count = count + 1 end
    seen[item] = true
    names[#names + 1] = item
  end
  local wanted = depthwise and 3 or 4
  if count ~= wanted or #names ~= wanted then return nil end
  return { IH = names[1], IW = names[2], IC = names[3], OC = names[4] or names[3] }
end

local function geometry_fields(values)
  local fields = { runtime = run_time_sizes(values) }
  if fields.runtime and values["--batch"] then
    return bad("--batch", values["--batch"], "where sizes have names, the batch is given at run time, too")
  elseif not fields.runtime and (values["--input"] or ""):find("%f[%w]%u") then
    return bad("--input", values["--input"], "want HxWxC in decimal integers; or, for sizes at run time,"
      .. " names that differ, in --filters as well")
  end
  for _, size in ipairs(SIZES) do
    local value = values[size[1]]
    if value and not (fields.runtime and (size[1] == "--input" or size[1] == "--filters")) then
      local ok, text, status = set_size(fields, value, size)
      if not ok then return nil, text, status end
    end
  end
  local groups = values["--groups"]
  if groups then
    fields.groups = groups == "depthwise" and groups or sizes.integer(groups)
    if not fields.groups then
      return bad("--groups", groups, "want a decimal integer or depthwise"
        .. message.did_you_mean(groups, { "depthwise" }))
    end
  end
  local implied = {
    ["--kernel"] = values["--global"], ["--filters"] = values["--pool"] or groups == "depthwise",
  }
  for _, needed in ipairs({ "--input", "--kernel", "--filters" }) do
    if not values[needed] and not implied[needed] then
      return nil, ("option '%s' is missing"):format(needed), 2
    end
  end
  if values["--pad"] then
    local ok, text, status = set_pad(values["--pad"], fields)
    if not ok then return nil, text, status end
  end
  fields.global = values["--global"]
  return fields
end

-- Options that only pooling layers have, and those that they have not.
local function check_pooling(values)
  local function refuse(list, text)
    for _, option in ipairs(list) do
      if values[option] then return nil, ("option '%s' cannot be used %s"):format(option, text), 2 end
    end
    return true
  end
  if values["--pool"] then
    return refuse({ "--filters", "--groups", "--activation", "--no-bias", "--weights", "--then" },
      "together with '--pool'")
  end
  local ok, text, status = refuse({ "--global" }, "without '--pool'")
  if not ok or values["--then"] then return ok, text, status end
  return refuse({ "--ceil", "--include-pad" }, "without '--pool' or '--then'")
end

-- The fields of the pooling behind the convolutions, if there is one: nil where not, false and a
-- message where it is wrong.
local function pooling_behind(values)
  local text = values["--then"]
  if not text then return nil end
  local fields, why = behind.parse(text)
  if not fields then return false, ("bad value %s for --then: %s"):format(message.quote(text), why) end
  return fields
end

-- The fields that geometry does not set.
local function common_fields(values, fields, after)
  fields.activation = values["--activation"] or fields.activation
  fields.layout, fields.weights = values["--layout"], values["--weights"]
  fields.dtype = values["--dtype"]
  fields.pool = values["--pool"]
  if not fields.pool then
    fields.bias = fields.bias ~= false and not values["--no-bias"]
    fields.after = fields.after or after
  end
  -- of the pooling layer, be it this one or the one behind it
  local pool = fields.after or fields
  pool.ceil, pool.include_pad = values["--ceil"], values["--include-pad"]
end

-- Layers before they are checked: a list of { fields =, name =, count =, where = }. `skip`: see batch.read.
local function sources(values, skip)
  local ok, text, status = check_pooling(values)
  if not ok then return nil, text, status end
  local pool = values["--pool"] and { kind = values["--pool"], ceil = values["--ceil"],
    include_pad = values["--include-pad"] }
  local source = values["--layers"] and "--layers" or values["--problem"] and "--problem"
  if source then
    local clash = source == "--layers" and { "--problem", "--name" } or {}
    table.move(options.geometry, 1, #options.geometry, #clash + 1, clash)
    for _, option in ipairs(clash) do
      if values[option] then
        return nil, ("option '%s' cannot be used together with '%s'"):format(option, source), 2
      end
    end
  end
  if source == "--layers" then
    local list
    list, text, status = batch.read(values["--layers"], pool, skip)
    if not list then return nil, text, status end
    for _, entry in ipairs(list) do entry.where = ("%s:%d: "):format(entry.path, entry.line) end
    return list
  end
  local entry
  if source == "--problem" then
    entry, text, status = benchdnn.parse(values["--problem"], pool)
    if not entry then return nil, "--problem: " .. text, status end
    entry.where = ("--problem %s: "):format(message.quote(values["--problem"]))
    entry.name = values["--name"] or entry.name
  else
    entry = { name = values["--name"] }
    entry.fields, text, status = geometry_fields(values)
    if not entry.fields then return nil, text, status end
  end
  return { entry }
end

-- An instruction set and its costs by a profile, which may be false.
local function with_costs(set, read)
  return { isa = isa.get(set), costs = read and read:costs_of(set) or nil }
end

-- Those that 'auto' chooses from: this machine's best one, and those with which it multiplies and adds as many floats
-- in a cycle.
local function sets_here(read)
  local list, most = {}, nil
  local names = isa.runnable()
  for i = #names, 1, -1 do
    local set = with_costs(names[i], read)
    local rate = plan.rate(set.isa, set.costs)
    most = most or rate
    if rate >= most then list[#list + 1] = set end
  end
  return list
end

-- What of the command line holds for all layers: the instruction sets (several for 'auto') and the planner's options.
local function common_choices(values)
  local function choice(option, default, allowed)
    local value = values[option] or default
    for _, word in ipairs(allowed) do
      if value == word then return value end
    end
    return bad(option, value, ("want %s%s"):format(message.choices(allowed),
      message.did_you_mean(value, allowed)))
  end
  local chosen = {}
  for _, entry in ipairs({ { "isa", "auto" }, { "algorithm", "auto" }, { "accuracy", "fast" } }) do
    local word, default = table.unpack(entry)
    local value, text, status = choice("--" .. word, default, options.words[word])
    if not value then return nil, text, status end
    chosen[word] = value
  end
  local here = chosen.isa == "auto"
  local unroll = values["--max-unroll"]
  if unroll then
    chosen.max_unroll = sizes.integer(unroll)
    if math.type(chosen.max_unroll) ~= "integer" or chosen.max_unroll < 1 or chosen.max_unroll > layer.LIMIT then
      return bad("--max-unroll", unroll,
        ("want a decimal integer from 1 to %d"):format(layer.LIMIT))
    end
  end
  local tile = values["--tile"]
  if tile then
    if not tile:find("^%l?%d[%l%d]*$") then
      return bad("--tile", tile, "want a tile as 'convgen explain' names it, such as 6x4")
    end
    chosen.tile = { tile = tile }
  end
  local prefix = values["--prefix"]
  if prefix and not prefix:find("^[A-Za-z][A-Za-z0-9_]*$") then
    return bad("--prefix", prefix, "want letters a-z A-Z, digits and _, a letter first")
  end
  local read, text, status = false, nil, nil
  if values["--profile"] then
    read, text, status = profile.open(values["--profile"])
  elseif here then
    read, text, status = profile.native()
  end
  if read == nil then return nil, text, status end
  chosen.profile = read or nil
  chosen.sets = here and sets_here(read) or { with_costs(chosen.isa, read) }
  for _, one in ipairs(chosen.sets) do setmetatable(one, { __index = chosen }) end
  return chosen
end

-- The command that emits this kernel again: only what differs from the defaults, in fixed order.
local function command_of(values, l, job)
  local out, chosen = { "emit" }, job.options
  local function put(option, value, default)
    if value ~= default then
      out[#out + 1] = option
      if value ~= true then out[#out + 1] = value end
    end
  end
  put("--pool", l.pool)
  if values["--input"] then
    local mode = values["--pad"]
    local pad = mode and mode:find("^%a") and mode or sizes.padding_text(l)
    put("--input", ("%sx%sx%s"):format(l.IH, l.IW, l.IC))
    put("--batch", not l.runtime and l.N or 1, 1)
    put("--filters", not l.pool and not l.depthwise and l.OC, false)
    put("--kernel", ("%dx%d"):format(l.KH, l.KW))
    put("--stride", sizes.text(l.stride_h, l.stride_w), l.pool and sizes.text(l.KH, l.KW) or "1")
    put("--pad", pad == "0" and "valid" or pad, "valid")
    put("--dilation", sizes.text(l.dilation_h, l.dilation_w), "1")
    put("--groups", l.pool and 1 or (l.depthwise or l.groups > 1 and l.groups == l.IC) and "depthwise"
      or l.groups, 1)
  else
    put("--problem", benchdnn.format(l))
  end
  local pool = l.after or l
  put("--then", l.after and behind.text(l.after))
  put("--ceil", pool.ceil or false, false)
  put("--include-pad", pool.include_pad or false, false)
  put("--activation", activation.text(l.activation), "none")
  put("--no-bias", not l.pool and not l.bias, false)
  put("--layout", l.layout, "nhwc")
  put("--weights", l.weights, "oihw")
  put("--isa", job.isa.name)
  put("--algorithm", chosen.algorithm, "auto")
  put("--accuracy", chosen.accuracy, "fast")
  put("--tile", values["--tile"])
  put("--profile", chosen.profile and chosen.profile:name())
  put("--max-unroll", chosen.max_unroll)
  put("--name", job.layer_name)
  put("--prefix", values["--prefix"])
  return table.concat(out, " ")
end

-- The plan of a layer: the way that the profile names, or the planner's choice.
local function plan_of(l, chosen)
  local way = chosen.profile and chosen.algorithm == "auto" and not chosen.tile
    and chosen.profile:way(chosen.isa.name, l, chosen.accuracy)
  local choices = way and setmetatable({ algorithm = way.algorithm, tile = way.tile, block = way.block },
    { __index = chosen }) or chosen
  local made, wrong = plan.make(l, chosen.isa, choices)
  if made and way and made.candidates[1].mapping ~= way.tile.mapping then
    made, wrong = nil, ("lanes are not %s"):format(way.tile.mapping)
  end
  if made then
    made.way, made.profile = way, chosen.profile
    return made
  elseif way then
    return nil, ("%s:%d: %s %s %s cannot be: %s"):format(chosen.profile.path, way.line, way.algorithm,
      way.tile.mapping, way.tile.tile, wrong), 2
  end
  return nil, wrong, 3
end

-- Another instruction set than the best one must promise to take so much of its time, at most.
local NARROWER = 0.9

-- The plan of a layer, and its choices: the instruction set is that of the least cycles. A layer with run-time sizes,
-- or one that the profile knows, takes the best set.
local function plan_and_choices(l, chosen)
  local best, choices
  for _, set in ipairs(chosen.sets) do
    local made, wrong, status = plan_of(l, set)
    if not made and not best then return nil, wrong, status end
    if made and (not best or made.cycles and best.cycles and made.cycles < NARROWER * best.cycles) then
      best, choices = made, set
    end
    if l.runtime or best.way then break end
  end
  return best, choices
end

-- The job of an entry; nil, a message and the status when it is wrong or cannot be done.
local function job_of(entry, values, chosen, after)
  local where = entry.where or ""
  common_fields(values, entry.fields, after)
  entry.fields.name = entry.name
  local names = entry.fields.runtime
  entry.fields.runtime = nil
  local l, wrong, field
  if names and after then
    return nil, "--then: pooling behind a convolution with run-time sizes is not supported", 3
  elseif names then
    l, wrong, field = layer.new_runtime(entry.fields, names)
  else
    l, wrong, field = layer.new(entry.fields)
  end
  if not l then
    local option = OPTION_OF[field]
    if option and values[option] then
      where = ("bad value %s for %s: "):format(message.quote(values[option]), option)
    end
    return nil, where .. wrong, 2
  end
  local made, set, status = plan_and_choices(l, chosen)
  if not made then return nil, where .. set, status end
  local job = { layer = l, plan = made, isa = set.isa, count = entry.count, options = set }
  if l.runtime and not l.name then
    return nil, "option '--name' is missing: a kernel with run-time sizes has no name of its own", 2
  end
  job.layer_name = l.name or name.compose(l, { algorithm = job.plan.algorithm,
    isa = job.isa.name, tile = job.plan.tile_name })
  job.name = (values["--prefix"] or "") .. job.layer_name
  local ok, unfit = name.check(job.name)
  if not ok then return nil, where .. unfit, 2 end
  job.command = command_of(values, l, job)
  return job
end

--- The jobs of a command line's option values; with --skip-unsupported, `left_out` says why others are
-- none. `warnings` says what is odd about the profile.
function request.jobs(values)
  local chosen, text, status = common_choices(values)
  if not chosen then return nil, text, status end
  local jobs, seen = { left_out = {}, warnings = chosen.profile and chosen.profile:warnings(machine.cpu()) or {} }, {}
  local function skip(why) table.insert(jobs.left_out, why) end
  local entries, after
  entries, text, status = sources(values, values["--skip-unsupported"] and skip)
  if not entries then return nil, text, status end
  after, text = pooling_behind(values)
  if after == false then return nil, text, 2 end

  for _, entry in ipairs(entries) do
    local job
    job, text, status = job_of(entry, values, chosen, after)
    if job then
      local key = job.name:lower()
      if seen[key] then
        return nil, ("%sname '%s' is taken by line %d"):format(entry.where or "", job.name, seen[key]), 2
      end
      seen[key] = entry.line or 0
      jobs[#jobs + 1] = job
    elseif status == 3 and values["--skip-unsupported"] then
      skip(text)
    else
      return nil, text, status
    end
  end
  if #jobs == 0 then return nil, jobs.left_out[1], 3 end
  return jobs
end

return request
