-- The command line: from arguments to raw option values, or one line on what is wrong with them.
-- SPDX-License-Identifier: MIT-0
--
-- lua-argparse does the parsing. Before it sees the arguments they are brought into one shape,
-- because on its own it would take '--stride -1' for an unknown option, name no value that is
-- missing, and let a repeated option win silently.

local activation = require "activation"
local argparse = require "argparse"
local behind = require "behind"
local isa = require "isa"
local layer = require "layer"
local message = require "message"
local plan = require "plan"
local pooling = require "pooling"

local options = {}

local algorithms = {}
for i, entry in ipairs(plan.list()) do algorithms[i] = entry.name end
table.sort(algorithms)

--- The words that --isa, --algorithm and --accuracy take; the defaults are auto, auto and fast.
options.words = {
  isa = table.move(isa.names, 1, #isa.names, 1, {}),
  algorithm = table.move(algorithms, 1, #algorithms, 2, { "auto" }),
  accuracy = { "exact", "high", "fast" },
}
table.insert(options.words.isa, "auto")

local function alternatives(list) return table.concat(list, "|") end

-- Lists of { option, what its value looks like (nil: a flag), help }.
local GEOMETRY = {
  { "--input", "HxWxC", "Height, width and channels of the input." },
  { "--batch", "N", "Images per call; default 1." },
  { "--filters", "OC", "Output channels, all groups together." },
  { "--kernel", "KHxKW|K", "Filter size." },
  { "--stride", "SHxSW|S", "Default 1; of pooling, the kernel." },
  { "--pad", alternatives(layer.words.pad) .. "|P|PHxPW|T,L,B,R",
    "Padding; 'same' puts an odd pixel at the end, 'same-lower' at the beginning; default valid." },
  { "--dilation", "DHxDW|D", "1 = dense; default 1." },
  { "--groups", "G|depthwise", "depthwise: as many as input channels; default 1." },
  { "--global", nil, "Pooling: the window is the whole input." },
}
local POOLING = {
  { "--pool", alternatives(pooling.kinds), "A pooling layer; it has no filters, groups, weights,"
    .. " bias and activation." },
  { "--then", behind.syntax, "Pooling behind the convolution, in the same kernel; stride: the window."
    .. " max:2x2, max:3x3/2+1 (stride 2, padding 1)." },
  { "--ceil", nil, "Pooling: round the output's size up." },
  { "--include-pad", nil, "Pooling: padding counts in averages, as zeros." },
}
local SOURCE = {
  { "--problem", "DESCRIPTOR", "A benchdnn descriptor in place of the options above." },
  { "--layers", "FILE", "Many layers: a descriptor a line, or a batch file of benchdnn." },
  { "--skip-unsupported", nil, "Of --layers: leave out what is right but unsupported." },
}
local KERNEL = {
  { "--activation", alternatives(activation.syntax),
    "Applied to each output; default none." },
  { "--no-bias", nil, "No bias is added." },
  { "--layout", alternatives(layer.words.layout), "Of input and output; default nhwc." },
  { "--weights", alternatives(layer.words.weights),
    "Order of the weights given to NAME_pack; default oihw." },
  { "--dtype", alternatives(layer.words.dtype), "Default f32." },
  { "--isa", alternatives(options.words.isa),
    "Instruction set; auto, the default, is the best of this machine for a layer." },
  { "--accuracy", alternatives(options.words.accuracy),
    "Which algorithms auto may choose; default fast." },
  { "--max-unroll", "N", "Bound on the statements of an unrolled loop body." },
}
local CHOICE = {
  { "--algorithm", alternatives(options.words.algorithm),
    "See 'convgen list'; default auto." },
  { "--tile", "TILE", "The tile, as 'explain' names it; or of Winograd only its outputs, such as f4." },
  { "--profile", "FILE|NAME|native|none", "How auto chooses: a file that 'convgen tune' wrote, or the costs of a "
    .. "processor unlike most, in gen/processors; native: those of this one, if it is there, as without --isa; "
    .. "none, the default with it: those of most processors." },
  { "--name", "NAME", "Of the kernel and its files; default: a name that describes it." },
  { "--prefix", "P", "Put before every name." },
}
local QUIET = { { "--quiet", nil, "Do not report progress." } }

local COMMANDS = {
  { "emit", "Write kernels: NAME.h and NAME.c.", { GEOMETRY, POOLING, SOURCE, KERNEL, CHOICE, {
    { "-o", "DIR", "Directory of the files, made if missing; default '.'." },
    { "--test", nil, "Also write NAME_test.c, a program that checks the kernel." },
    { "--registry", "NAME", "Also write a list of the kernels: NAME.h, NAME.c, registry.h." },
    { "--dry-run", nil, "Do everything but write." },
    { "--list-outputs", nil, "Print the names of the files and write none." },
  }, QUIET } },
  { "check", "Build kernels with $CC and compare them with the reference.",
    { GEOMETRY, POOLING, SOURCE, KERNEL, CHOICE, {
    { "-o", "DIR", "Also keep the kernels and their tests there, as 'emit --test' writes them." },
    { "--junit", "FILE", "Also write the results as JUnit XML." },
  }, QUIET } },
  { "explain", "Say how a layer would be computed, and why.",
    { GEOMETRY, POOLING, SOURCE, KERNEL, CHOICE, QUIET } },
  { "tune", "Measure here which ways to compute layers are the fastest, and keep them in a profile.",
    { GEOMETRY, POOLING, SOURCE, KERNEL, {
    { "--profile", "FILE", "The profile, made or added to; what it has already is not measured again." },
    { "--name", "NAME", "Of the layer, for the report." },
    { "--candidates", "N", "Ways that are tried for each layer, at most; default 8." },
    { "--seconds", "N", "Measuring each layer, about, and as long again if it pays; default 2." },
  }, QUIET } },
  { "library", "Write the library of kernels with run-time sizes: generated/.", {
    { { "-o", "DIR", "Directory of the files, made if missing; default '.'." } }, QUIET } },
  { "list", "List algorithms and instruction sets.", { QUIET } },
}

--- The options that describe one layer's geometry, in the order of a canonical command line.
options.geometry = {}
for i, entry in ipairs(GEOMETRY) do options.geometry[i] = entry[1] end

local ROOT_FLAGS = { ["-h"] = true, ["--help"] = true, ["--version"] = true }

local command_names, known_options = {}, {}
for i, command in ipairs(COMMANDS) do
  local known = {}
  for _, list in ipairs(command[3]) do
    for _, entry in ipairs(list) do known[entry[1]] = entry end
  end
  command_names[i], known_options[command[1]] = command[1], known
end

local function build_parser()
  local parser = argparse("convgen", "Generates convolution kernels in C, checked and explained.")
  parser:usage_max_width(98):help_max_width(98):help_description_margin(30)
  parser:flag("--version", "Print the version.")
  for _, command in ipairs(COMMANDS) do
    local sub = parser:command(command[1], command[2])
      :usage(("Usage: convgen %s [options]"):format(command[1]))
    for _, list in ipairs(command[3]) do
      for _, entry in ipairs(list) do
        local option = entry[2] and sub:option(entry[1]):argname(entry[2]) or sub:flag(entry[1])
        option:description(entry[3]):target(entry[1]):overwrite(false)
      end
    end
  end
  return parser
end

local function known_list(known)
  local list = { "--help" }
  for option in pairs(known) do list[#list + 1] = option end
  table.sort(list)
  return list
end

-- One argument that begins with '-' and is no known option.
local function unknown_option(argument, known)
  local given = argument:match("^[^=]*")
  local long = given:gsub("^%-*", "--")
  for _, name in ipairs(command_names) do
    if known_options[name][given] then
      return ("option '%s' belongs to '%s' and not to this command"):format(given, name)
    end
  end
  local best = known[long] and long or message.nearest(long, known_list(known))
  return ("unknown option %s%s"):format(message.quote(given),
    best and ("; did you mean '%s'?"):format(best) or "")
end

-- Every option with a value becomes one argument, whatever the value begins with.
local function joined(arguments, known)
  local out, i = {}, 1
  while i <= #arguments do
    local argument, value = arguments[i], arguments[i + 1]
    local entry = known[argument]
    if argument == "--" then
      if value then return nil, "unexpected argument " .. message.quote(value) end
    elseif entry and entry[2] then
      if not value or value:find("^%-%-") or known[value] then
        return nil, ("option '%s' needs a value: %s"):format(argument, entry[2])
      end
      i = i + 1
      if value == "" then -- as one argument it would look like none
        table.move({ argument, value }, 1, 2, #out + 1, out)
      else
        out[#out + 1] = argument .. (argument:find("^%-%-") and "=" or "") .. value
      end
    elseif entry or ROOT_FLAGS[argument] then
      out[#out + 1] = argument
    elseif argument:find("^%-") then
      local long, short = argument:match("^(%-%-[^=]*)="), argument:match("^%-[^%-]")
      if not (known[long or short]) then return nil, unknown_option(argument, known) end
      if long and not known[long][2] then
        return nil, ("option '%s' takes no value, got %s"):format(long,
          message.quote(argument:sub(#long + 2)))
      end
      out[#out + 1] = argument
    else
      return nil, "unexpected argument " .. message.quote(argument)
    end
    i = i + 1
  end
  return out
end

--- Parses the arguments. Gives { command =, help = text } for --help, { version = true }, or
-- { command =, values = { [option] = text or true } }; or nil and a message.
function options.parse(arguments)
  local command = arguments[1]
  for _, argument in ipairs(arguments) do
    if argument == "-h" or argument == "--help" then
      local parser = build_parser()
      if known_options[command] then
        for _, sub in ipairs(parser._commands) do
          if sub._name == command then parser = sub end
        end
      end
      return { help = parser:get_help() .. "\n" }
    elseif argument == "--version" then
      return { version = true }
    end
  end
  local known = known_options[command]
  if not known then
    local choices = message.choices(command_names)
    if not command or command == "--" then
      return nil, ("a command is required: %s; see convgen --help"):format(choices)
    elseif command:find("^%-") then
      return nil, unknown_option(command, { ["--version"] = true })
        .. ("; a command comes first: %s"):format(choices)
    end
    return nil, ("unknown command %s%s; the commands are %s"):format(message.quote(command),
      message.did_you_mean(command, command_names), choices)
  end
  local list, why = joined(table.move(arguments, 2, #arguments, 1, {}), known)
  if not list then return nil, why end
  local ok, result = build_parser():pparse({ command, table.unpack(list) })
  if not ok then
    local twice = result:match("^option '(.-)' must be used at most 1 time")
    return nil, twice and ("option '%s' is given more than once"):format(twice) or result
  end
  local values = {}
  for option in pairs(known) do values[option] = result[option] end
  return { command = command, values = values }
end

return options
