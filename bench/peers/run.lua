-- Convgen's kernels and other libraries, layer by layer in one run: 'make bench-peers'.
-- SPDX-License-Identifier: MIT-0

local root = (arg[0]:match("^(.*)/[^/]*$") or ".") .. "/../.."
package.path = ("%s/?.lua;%s/gen/?.lua;%s/gen/?/init.lua;%s"):format(root, root, root, package.path)

local arguments = require "bench.arguments"
local compare = require "bench.peers.compare"
local files = require "files"
local find = require "bench.peers.find"
local lists = require "bench.lists"
local measure = require "bench.measure"
local plots = require "bench.plots"
local report = require "bench.report"

-- Times that layers a little below the bar are measured again, and what is a little: others disturb.
local AGAIN, NEAR = 2, 0.85

-- Layers of so many weights and pixels at a time: each setting of each peer, some 25 of them, holds
-- its own in memory.
local PORTION = 60e6

local function floats(f)
  return f.OC * (f.IC // f.groups) * f.KH * f.KW + f.N * (f.IH * f.IW * f.IC + f.OH * f.OW * f.OC)
end

local function fail(message, status)
  io.stderr:write("bench-peers: ", message, "\n")
  os.exit(status or 1)
end

local LISTS, ISAS = lists.convolutions(root), arguments.isas()

local function parse()
  local parser, option = arguments.parser("bench/peers/run.lua",
    "Measures convgen's kernels and other libraries, layer by layer in one run.", fail)
  option("--lists", "LIST,...", "textbook,lenet,small,resnet50,mobilenet_v1,vgg16",
    "Of " .. table.concat(LISTS, ", ") .. ".", arguments.some_of(LISTS))
  option("--layers", "PATTERN", "", "Only layers whose names contain this Lua pattern.")
  option("--peers", "PEER,...", table.concat(find.names(), ","), "Which to measure; default all.",
    arguments.some_of(find.names()))
  option("--layout", "nhwc|nchw", "nhwc,nchw", "Of convgen's kernels; default both.",
    arguments.some_of({ "nhwc", "nchw" }))
  option("--isa", "SET", "auto", ("Convgen's; auto (the best for a layer) or of %s."):format(table.concat(ISAS, ", ")),
    arguments.some_of({ "auto", table.unpack(ISAS) }))
  option("--algorithm", "NAME", "auto", "As in 'convgen emit'.")
  option("--profile", "FILE|NAME|none", nil, "As in 'convgen emit'; default: native.")
  option("--seconds", "N", "180", "Of measuring, about; long calls take longer.",
    arguments.at_least(1))
  option("--repetitions", "N", "6", "Of each measurement, spread over the run.",
    arguments.at_least(1))
  option("--pages", "POLICY", "small", "small, huge or default.",
    arguments.some_of({ "small", "huge", "default" }))
  option("--offset", "BYTES", "2112", "From input to output, modulo 4096.", arguments.at_least(0))
  option("--least", "PERCENT", "97", "Of the best peer's speed; exit status 1 below it.",
    arguments.at_least(0))
  option("-o --out", "DIR", (root == "bench/peers/../.." and "" or root .. "/") .. "build/bench/peers",
    "Where everything goes.")
  return parser:parse()
end

local options = parse()
local isa, least = options.isa[1], options.least / 100
local own = {} -- the instruction sets of convgen's kernels; else `isa` is a peer's name
for _, name in ipairs(ISAS) do own[name] = true end

-- ---- what to measure ---------------------------------------------------------------------------

-- The peers take the layers from NHWC, which comes first and is always measured.
local layouts = { "nhwc" }
if table.concat(options.layout, " "):find("nchw") then layouts[2] = "nchw" end

local sets, seen, layers, portions, full = {}, {}, 0, {}, math.huge
for _, list in ipairs(options.lists) do
  local entries, why = lists.read(root, list)
  if not entries then fail(why, 2) end
  local chosen = {}
  for _, entry in ipairs(entries) do
    local same = lists.descriptor(entry) -- networks share layers
    if not seen[same] and entry.name:find(options.layers) then
      seen[same] = true
      chosen[#chosen + 1] = entry
      layers, full = layers + 1, full + floats(entry.fields)
      if full > PORTION then portions[#portions + 1], full = {}, floats(entry.fields) end
      table.insert(portions[#portions], list .. "/" .. entry.name)
    end
  end
  local file = ("%s/layers/%s.txt"):format(options.out, list)
  if #chosen > 0 then
    local ok
    ok, why = lists.write(file, chosen)
    if not ok then fail(why, 4) end
    for _, layout in ipairs(layouts) do
      sets[#sets + 1] = { list = list, file = file, layout = layout, isa = isa,
        algorithm = options.algorithm }
    end
  end
end
if layers == 0 then fail("no layer is called so", 2) end

local tools = measure.tools(root, options.profile)
local adapters, missing = find.build(options.peers, options.out, tools)
if not adapters then fail(missing, 2) end
io.stderr:write(("%d layers; %d peers built, %d skipped\n"):format(layers, #adapters, #missing))

-- ---- measure -----------------------------------------------------------------------------------

local common = { "--whole", "--pages", options.pages[1], "--offset", options.offset }
for _, path in ipairs(adapters) do
  common[#common + 1], common[#common + 2] = "--peer", path
end
local words = { "--repetitions", options.repetitions, "--seconds",
  tostring(math.max(1, tonumber(options.seconds) // #portions | 0)) }
local all, right = measure.sets(sets, options.out, tools,
  table.move(common, 1, #common, #words + 1, words), portions)
if not all then fail(right) end
for _, k in ipairs(all.kernels) do
  if own[k.isa] and not all.peak[k.isa] then fail("no multiply-add peak of " .. k.isa .. " is known") end
end

local comparisons, peers
for round = 0, AGAIN do
  comparisons, peers = compare.layers(all, own)
  local again = {}
  for _, c in ipairs(comparisons) do
    if c.ratio and c.ratio < least and c.ratio > NEAR then
      again[#again + 1], again[#again + 2] = c.own, c.best
    end
  end
  if #again == 0 or round == AGAIN then break end
  io.stderr:write(("%d a little below the bar: measured again\n"):format(#again // 2))
  local ok, why = measure.again(options.out, again, common)
  if not ok then fail(why) end
end

-- ---- report ------------------------------------------------------------------------------------

local text, behind, wrong = { report.facts(all) }, 0, 0
for _, layout in ipairs(options.layout) do
  local part, below = compare.text(comparisons, peers, layout, least)
  text[#text + 1], behind = part, behind + below
end
text[#text + 1] = "Percent of the multiply-add peak, 2 FLOP per tap, those in the padding too. ratio:"
  .. " the best peer's time over convgen's.\nOne thread, bias and ReLU, weights packed beforehand."
for _, k in ipairs(all.kernels) do
  if k.wrong then
    text[#text + 1] = ("wrong: %s: %s"):format(measure.key(k), k.wrong)
    wrong = wrong + (own[k.isa] and 1 or 0)
  end
end
for _, peer in ipairs(missing) do
  text[#text + 1] = ("skipped: %s: %s"):format(peer.name, peer.why)
end
text[#text + 1] = ("%d peers measured, %d skipped"):format(#peers, #missing)
local whole = table.concat(text, "\n") .. "\n"
files.write(options.out .. "/peers.txt", whole)
files.write(options.out .. "/peers.tsv", report.tsv(all))
files.write(options.out .. "/peers.json", compare.json(all, comparisons, missing))
local pictures, why = plots.render(compare.drawings(all, comparisons, peers, plots.networks),
  options.out, root .. "/bench/plots")
io.stdout:write(whole, "\n")
print("plots   " .. (pictures and table.concat(pictures, "\n        ") or "none: " .. why))
print(("table   %s/peers.txt, peers.tsv, peers.json"):format(options.out))
if #peers == 0 then fail("there was nothing to compare with") end
if wrong > 0 then fail("some kernels are wrong, see above") end
if not pictures then fail(why) end
os.exit(behind == 0)
