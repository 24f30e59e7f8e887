-- Makes command lines and layer lists: right ones, and right ones with something broken.
-- SPDX-License-Identifier: MIT-0
--
-- A case is { args = arguments of convgen, list, profile = contents of the files of these names, or nil }.

local benchdnn = require "import.benchdnn"
local layer = require "layer"
local version = require "version"

local Random = {}
Random.__index = Random

function Random:below(n) -- 0 .. n - 1; splitmix64
  self.state = self.state + 0x9e3779b97f4a7c15
  local z = self.state
  z = (z ~ (z >> 30)) * 0xbf58476d1ce4e5b9
  z = (z ~ (z >> 27)) * 0x94d049bb133111eb
  return (z ~ (z >> 31)) % n
end

function Random:from(low, high) return low + self:below(high - low + 1) end
function Random:chance(n) return self:below(n) == 0 end -- one in n
function Random:one(list) return list[1 + self:below(#list)] end

local grammar = {}

function grammar.random(seed) return setmetatable({ state = seed }, Random) end

local NUMBERS = { "0", "-1", "-0", "1", "00012", "65536", "2147483647", "2147483648", "4294967296",
  "1073741824", "9223372036854775807", "9223372036854775808", "-9223372036854775809", ("9"):rep(99), "1e3", "0x10",
  "1.5", "nan", "inf", "", " 3", "3 ", "+3", "\u{0663}" }

local TEXTS = { "", " ", "-", "--", "=", ",", "x", "*", "%s%n", "%", "\0", "\n", "\r\n", "\t", "\27[2J", "\xff\xfe",
  "\u{e9}", "\u{202e}", "../x", "/etc/passwd", "$(touch pwned)", "`touch pwned`", "a;b", "'", '"', "\\", "/*", "*/",
  "#", "??/", ("a"):rep(64), ("1x"):rep(3000), ("z"):rep(70000), "[[", "return", "auto", "none", "same", "depthwise",
  "--kernel", "-o", "--help", "--version" }

local ACTIVATIONS = { "none", "relu", "relu6", "clamp:-1,2.5", "leaky:0.1", "leaky:-2", "sigmoid", "tanh", "silu",
  "hardswish", "clamp:-1e-3,1e3" }
local PADS = { "same", "same-lower", "valid", "0", "1", "2x1", "0,1,1,0", "3,0,2,1", "5" }

local function pair(r, most)
  local a = r:from(1, most)
  return r:chance(2) and tostring(a) or a .. "x" .. r:from(1, most)
end

-- Options of a layer's sizes.
local function geometry(r, put)
  if r:chance(15) then
    put("--input", "HxWxC")
    if r:chance(3) then put("--groups", "depthwise") else put("--filters", "OC") end
    put("--kernel", pair(r, 5))
    if r:chance(2) then put("--activation", r:one { "relu", "clamp:LOW,HIGH", "none" }) end
    put("--name", "sized")
  else
    local groups = r:chance(4) and r:from(2, 4) or 1
    local channels = groups * r:from(1, r:chance(3) and 40 or 8)
    put("--input", ("%dx%dx%d"):format(r:from(1, 20), r:from(1, 20), channels))
    if r:chance(6) then
      local kind = r:one { "max", "average" }
      put("--pool", kind)
      if r:chance(5) then put("--global") return end
      if r:chance(3) then put("--ceil") end
      if kind == "average" and r:chance(3) then put("--include-pad") end
    else
      if r:chance(4) then
        put("--groups", "depthwise")
        if r:chance(3) then put("--filters", tostring(channels * r:from(1, 3))) end
      else
        put("--filters", tostring(groups * r:from(1, r:chance(3) and 40 or 8)))
        if groups > 1 then put("--groups", tostring(groups)) end
      end
      if r:chance(8) then put("--then", r:one { "max:2x2", "average:2", "max:3x3/2+1" }) end
    end
    put("--kernel", pair(r, r:chance(4) and 7 or 3))
    if r:chance(6) then put("--batch", tostring(r:from(1, 3))) end
  end
  if r:chance(3) then put("--stride", pair(r, 3)) end
  if r:chance(2) then put("--pad", r:one(PADS)) end
  if r:chance(5) then put("--dilation", pair(r, 3)) end
end

--- A benchdnn descriptor.
local function descriptor(r)
  local words = {}
  local function put(token, value) words[#words + 1] = token .. value .. (r:chance(6) and "_" or "") end
  local groups = r:chance(5) and r:from(2, 4) or 1
  if groups > 1 then put("g", groups) end
  if r:chance(2) then put("mb", r:from(1, 3)) end
  put("ic", groups * r:from(1, 20))
  put("oc", groups * r:from(1, 20))
  for _, axis in ipairs(r:one { { "h" }, { "w" }, { "h", "w" } }) do
    put("i" .. axis, r:from(1, 20))
    put("k" .. axis, r:from(1, 4))
    if r:chance(3) then put("s" .. axis, r:from(1, 3)) end
    if r:chance(3) then put("p" .. axis, r:from(0, 3)) end
    if r:chance(5) then put("d" .. axis, r:from(0, 2)) end
    if r:chance(8) then put("o" .. axis, r:from(1, 9)) end
  end
  local text = table.concat(words)
  if r:chance(2) then
    text = text .. "n" .. r:one { '"layer%d"', '"k%d*3"', "plain%d", '"L_%d"' }:format(r:from(1, 999))
  end
  return text
end

local function changed_bytes(r, text)
  local at = r:from(1, #text + 1)
  local before, after = text:sub(1, at - 1), text:sub(at)
  local junk = r:chance(2) and r:one(TEXTS) or string.char(r:below(256))
  return r:one { before .. junk .. after, before .. after:sub(2), before .. junk .. after:sub(2),
    before .. after:sub(1, 1) .. after, before, after }
end

-- The text with one of its numbers replaced, or any of its bytes.
local function changed(r, text)
  if r:chance(2) and text:find("%d") then
    local count = select(2, text:gsub("%d+", ""))
    local wanted, number = r:from(1, count), 0
    return (text:gsub("%d+", function()
      number = number + 1
      return number == wanted and r:one(NUMBERS) or nil
    end))
  elseif r:chance(4) then
    return r:one(TEXTS)
  end
  return changed_bytes(r, text)
end

local function list(r, broken)
  local lines = {}
  for _ = 1, r:from(1, 5) do
    local line = r:chance(8) and r:one { "", "# comment", "  ", "#" } or descriptor(r)
    if r:chance(6) then line = line .. r:one { " # comment", "  ", "\t" } end
    if broken and r:chance(3) then line = changed(r, line) end
    if broken and r:chance(8) then
      line = r:one { "--mb=1", descriptor(r) .. " " .. descriptor(r), "os.exit(0)", "return {}", ("x"):rep(200000),
        ("["):rep(50000), "\27Lua", "ic1oc1ih3kh3\\" }
    end
    lines[#lines + 1] = line
  end
  local text = table.concat(lines, r:chance(4) and "\r\n" or "\n") .. (r:chance(4) and "" or "\n")
  if r:chance(8) then text = "\xef\xbb\xbf" .. text end
  if broken and r:chance(5) then text = changed_bytes(r, text) end
  return text
end

-- The way to compute a layer, as a profile says it; of many layers it is none.
local function way(r)
  local kind = r:below(4)
  if kind == 0 then return ("direct %s %dx%d"):format(r:one { "channels", "pixels" }, r:from(1, 8), r:from(1, 3)) end
  if kind == 1 then return ("depthwise channels %dx%d"):format(r:from(1, 5), r:from(1, 6)) end
  if kind == 2 then
    return ("strassen channels %dx%d block=%d"):format(r:from(1, 12), r:from(1, 3), r:from(1, 40))
  end
  return ("winograd channels f%dt%dx1 block=%d"):format(r:from(2, 6), r:from(6, 24), r:from(1, 40))
end

-- A profile for the layers of a list, if there is one, or for any.
local function profile(r, content, broken)
  local lines = { "convgen " .. (r:chance(8) and "0.0.1" or version), "cpu Some processor (family 1 model 2)" }
  local function put(...) lines[#lines + 1] = (...):format(select(2, ...)) end
  if r:chance(2) then put("cost l2_bytes %d", r:one { 16384, 262144, 4194304 }) end
  if r:chance(3) then put("cost l3_bytes %d", r:one { 65536, 100000000 }) end
  if r:chance(2) then put("cost fma %d %s", r:from(1, 4), r:one { "avx2", "avx512", "scalar" }) end
  if r:chance(3) then put("cost l1_ways %d", r:from(1, 16)) end
  for text in ((content or "") .. descriptor(r)):gmatch("[^%s#]+") do
    local entry = benchdnn.parse(text)
    local l = entry and layer.new(entry.fields)
    if l then
      put("layer %s %s fast %s : %s", r:one { "scalar", "avx2", "avx512" }, r:one { "nhwc", "nchw" },
        benchdnn.format(l), way(r))
    end
  end
  if broken and r:chance(3) then
    local at = r:from(1, #lines)
    lines[at] = r:chance(4) and "" or changed(r, lines[at])
  end
  return table.concat(lines, "\n") .. "\n"
end

-- Changes one thing of a list of arguments.
local function break_one(r, args)
  local at = r:from(2, math.max(2, #args))
  local what = r:below(8)
  if what < 3 and args[at] then
    args[at] = changed(r, args[at])
  elseif what == 3 and args[at] then
    table.remove(args, at)
  elseif what == 4 then
    table.insert(args, at, args[r:from(1, #args)])
  elseif what == 5 and args[at] then
    local other = r:from(2, #args)
    args[at], args[other] = args[other], args[at]
  elseif what == 6 then
    table.insert(args, math.min(at, #args + 1), r:one(TEXTS))
  elseif args[at] and args[at - 1]:find("^%-%-") and not args[at]:find("^%-") then
    args[at - 1] = args[at - 1] .. "=" .. table.remove(args, at)
  end
end

-- No case writes outside its directory: -o is relative, or where nothing can be made.
local function tame(args)
  for i, argument in ipairs(args) do
    local path = i > 1 and args[i - 1]:find("^%-%-?o=?$") and argument or argument:match("^%-o=?(.*)$")
    if path and path ~= "/dev/null" and path ~= "/proc/nowhere/x"
        and (path:find("^=?/") or path:find("..", 1, true)) then
      args[i] = argument:sub(1, #argument - #path) .. "out"
    end
  end
  if args[1] == "library" or args[1] == "check" or args[1] == "tune" then args[1] = "emit" end
end

--- One case; `broken`: with something wrong, perhaps.
function grammar.case(r, broken)
  local args, content, advice = { r:chance(12) and "explain" or "emit" }, nil, nil
  local function put(option, value)
    args[#args + 1] = option
    args[#args + 1] = value
  end
  if r:chance(5) then
    content = list(r, broken)
    put("--layers", r:chance(20) and broken and r:one { ".", "nowhere", "/dev/zero", "" } or "list")
  elseif r:chance(5) then
    put("--problem", descriptor(r))
  else
    geometry(r, put)
    if r:chance(3) and args[#args] ~= "sized" then put("--name", r:one { "x", "edge", "K9", "a_b" }) end
  end
  local text = " " .. table.concat(args, " ") .. " "
  if not text:find(" --pool ", 1, true) then
    if r:chance(3) and not text:find(" --activation ", 1, true) then put("--activation", r:one(ACTIVATIONS)) end
    if r:chance(8) then put("--no-bias") end
    if r:chance(6) then put("--weights", r:one { "oihw", "ohwi", "hwio" }) end
    if r:chance(8) then put("--algorithm", r:one { "auto", "direct", "depthwise", "strassen", "pooling" }) end
    if r:chance(8) then put("--accuracy", r:one { "exact", "high", "fast" }) end
  end
  if r:chance(3) then put("--layout", r:one { "nhwc", "nchw" }) end
  if r:chance(12) then put("--dtype", "f32") end
  put("--isa", r:one { "scalar", "sse2", "avx2", "avx512", "neon", "auto" })
  if r:chance(6) then put("--max-unroll", tostring(r:one { 1, 7, 40, 1000, 100000 })) end
  if r:chance(12) then put("--prefix", r:one { "p_", "Q" }) end
  if r:chance(5) then
    advice = profile(r, content, broken)
    put("--profile", r:chance(20) and broken and r:one { ".", "nowhere", "list", "" } or "profile")
  end
  if args[1] == "emit" then
    if r:chance(3) then put("-o", r:one { "out", "out/", "a/b", ".", "list", "/dev/null", "/proc/nowhere/x" }) end
    if r:chance(20) then put(r:one { "--dry-run", "--list-outputs" }) end
    if r:chance(8) then put("--test") end
    if r:chance(10) then put("--registry", r:one { "all", "x", "registry" }) end
  end
  if r:chance(4) then put("--quiet") end
  if broken then
    for _ = 1, r:from(1, 3) do break_one(r, args) end
  end
  tame(args)
  return { args = args, list = content, profile = advice }
end

return grammar
