-- What the options of oneDNN's batch files say of the layers behind them.
-- SPDX-License-Identifier: MIT-0
--
-- A value of an option says of a layer: a table of its fields; or { unsupported = why }, or
-- { other = true } where it makes it a layer that is not asked for. nil: there is no such value.

local activation = require "activation"
local message = require "message"

local settings = {}

local function unsupported(text, ...) return { unsupported = text:format(...) } end

local function data_type(value)
  for part in value:gmatch("[^:]+") do
    if part ~= "f32" and part ~= "undef" then return unsupported("data type %s", message.quote(value)) end
  end
  return {}
end

local function direction(value, pool)
  value = value:upper()
  if value == "FWD_B" or value == "FWD_D" or value == "FWD_I" then
    return pool and {} or { bias = value == "FWD_B" }
  elseif value:find("^BWD_%u+$") then
    return unsupported("direction %s", message.quote(value))
  end
end

local function batch_size(value)
  local number = value:find("^%d+$") and #value < 11 and tonumber(value)
  return number and { N = number > 0 and number or nil }
end

local ALGORITHMS = { max = "max", avg_np = "average", avg_p = "average" }

-- The algorithm of a convolution is convgen's choice; that of pooling says which layer it is.
local function algorithm(value, pool)
  if not pool then return {} end
  local short = value:gsub("^pooling_", ""):gsub("include_padding$", "p"):gsub("exclude_padding$", "np")
  local kind = ALGORITHMS[short]
  if not kind then return nil end
  return { other = kind ~= pool.kind or (short == "avg_p") ~= (pool.include_pad or false) or nil }
end

-- Those of oneDNN's operations whose parameters convgen has.
local ACTIVATIONS = {
  { "relu", "relu" }, { "relu:0", "relu" }, { "relu:(%S+)", "leaky:%1" }, { "tanh", "tanh" },
  { "logistic", "sigmoid" }, { "swish:1", "silu" }, { "clip:([^:]+):([^:]+)", "clamp:%1,%2" },
  { "clip_v2:([^:]+):([^:]+)", "clamp:%1,%2" },
}

local function post_operation(value, pool)
  if value == "" then return pool and {} or { activation = "none" } end
  local plain = value:gsub("^eltwise_", ""):gsub(":(%-?%d+)%.0*%f[:\0]", ":%1")
  for _, entry in ipairs(ACTIVATIONS) do
    local text, found = plain:gsub("^" .. entry[1] .. "$", entry[2])
    if found > 0 and not pool and activation.parse(text) then return { activation = text } end
  end
  return unsupported("post-operation %s", message.quote(value))
end

local function only(...)
  local allowed = { [""] = true }
  for _, value in ipairs { ... } do allowed[value] = true end
  return function(value, _, option)
    return allowed[value] and {} or unsupported("option %s=%s", option, message.quote(value))
  end
end

local HONOURED = {
  ["--dt"] = data_type, ["--cfg"] = data_type, ["--bia-dt"] = data_type, ["--dir"] = direction,
  ["--mb"] = batch_size, ["--alg"] = algorithm, ["--attr-post-ops"] = post_operation,
  ["--attr-scales"] = only(), ["--attr-zero-points"] = only(), ["--attr-fpmath"] = only("strict"),
  ["--attr-acc-mode"] = only("strict"), ["--attr-rounding-mode"] = only("environment"),
  ["--attr-dropout"] = only(), ["--attr"] = only(), ["--strides"] = only("::"), ["--match"] = only(),
}

-- How a layer is measured, where its arrays lie (which --layout says here), which code is allowed.
local NO_MATTER = {}
for word in ([[
  allow-enum-tags-only attr-deterministic attr-scratchpad bitwise canonical check-ref-impl cold-cache
  cpu-isa-hints ctx-exe ctx-init dtag engine execution-mode fast-ref fast-ref-gpu fix-times-per-prb
  global-impl impl inplace max-ms-per-prb mem-check memory-kind min-times-per-prb mode mode-modifier
  num-streams perf-template repeats-per-prb skip-impl stag start stream-kind tag verbose wtag
]]):gmatch("%S+") do NO_MATTER["--" .. word] = true end

-- All options; batch.lua sees to these two itself.
local KNOWN = { "--batch", "--reset" }
for _, set in ipairs { HONOURED, NO_MATTER } do
  for option in pairs(set) do KNOWN[#KNOWN + 1] = option end
end
table.sort(KNOWN)

--- What an option's values say, a list with one entry for each of them; false when the option makes no
-- other layer; nil and a message when there is no such option or value. `pool`: see batch.read.
function settings.parse(option, text, pool)
  local meaning_of = HONOURED[option]
  if NO_MATTER[option] then return false end
  if not meaning_of then
    return nil, ("unknown option %s%s"):format(message.quote(option), message.did_you_mean(option, KNOWN))
  end
  local values = {}
  for value in (text .. ","):gmatch("(.-),") do
    local meaning = meaning_of(value, pool, option)
    if not meaning then return nil, ("bad value %s for %s"):format(message.quote(value), option) end
    values[#values + 1] = meaning
  end
  return values
end

return settings
