-- Random layers. A layer is drawn as a table of what the command line says of it, so that it can be
-- written as one, and shrunk field by field:
--   h w c batch filters kh kw sh sw dh dw      integers
--   pad = a word | nil, top left bottom right  (pad nil); groups = integer | "depthwise"
--   crop_h crop_w          outputs left out at the end: padding there may become negative
--   pool ceil include global, activation, biased, layout, weights, isa, algorithm, unroll
--   tile = "MAPPING:TILE"  a register tile other than the planner's choice (tests only)
--   shapes = list of { batch, h, w, c, filters }   sizes at run time; then h w c ... are names
-- SPDX-License-Identifier: MIT-0

local benchdnn = require "import.benchdnn"
local isa = require "isa"
local plan = require "plan"
local request = require "request"

local draw = {}

local random = math.random

local function pick(list) return list[random(#list)] end
local function chance(percent) return random(100) <= percent end

-- Sizes around the lanes of every instruction set, ones, primes.
local CHANNELS = { 1, 1, 2, 3, 3, 4, 5, 7, 8, 9, 11, 13, 15, 16, 17, 19, 23, 31, 32, 33, 47, 48, 49, 64, 65 }
local SMALL = { 1, 1, 2, 3, 4, 5, 7, 8, 9 }
local FEW = { 1, 2, 2, 2, 3, 4, 8 } -- a vector may hold several times as many
local PIXELS = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 14, 15, 16, 17, 19, 31, 32, 33 }
local KERNELS = { 1, 1, 1, 2, 2, 3, 3, 3, 3, 4, 5, 5, 6, 7 }
local STRIDES = { 1, 1, 1, 1, 2, 2, 3, 4 }
local DILATIONS = { 1, 1, 1, 1, 1, 2, 3, 5 }

draw.activations = { "none", "relu", "relu6", "clamp:-2,3.5", "leaky:0.1", "sigmoid", "tanh", "silu",
  "hardswish" }

--- Clamps whose bounds are in the shape, and what tests put there.
draw.named = { words = "clamp:LOW,HIGH", numbers = "clamp:-40,300" }

-- Multiply-adds of a layer, at most: it is run some fifty times.
local MOST = 400000

local function pair(percent, list) -- two values, mostly the same
  local first = pick(list)
  return first, chance(percent) and first or pick(list)
end

local function padding(s)
  local how = random(100)
  if how <= 30 then
    s.pad = "same"
  elseif how <= 40 then
    s.pad = "same-lower"
  elseif how <= 60 then
    s.pad = "valid"
  else
    local function some(k, d) return random(0, chance(80) and (k - 1) * d or k * d + 2) end
    s.top, s.bottom = some(s.kh, s.dh), some(s.kh, s.dh)
    s.left, s.right = some(s.kw, s.dw), some(s.kw, s.dw)
  end
end

local function geometry(s)
  s.h, s.w = pair(25, PIXELS)
  s.kh, s.kw = pair(75, KERNELS)
  if chance(3) then s.kh = 11 end
  s.sh, s.sw = pair(75, STRIDES)
  s.dh, s.dw = pair(75, DILATIONS)
  padding(s)
end

-- What the layer is, for an algorithm: fields of the filter and channels.
local function channels(s, kind, mapping) -- for that mapping
  if kind == "pooling" then
    s.pool = s.pool or pick { "max", "average" }
    s.c = pick(CHANNELS)
    s.ceil = chance(40)
    s.include = s.pool == "average" and chance(50)
    if chance(25) then -- windows as large as the map have code of their own
      s.global, s.pad, s.top, s.left, s.bottom, s.right = true, nil, nil, nil, nil, nil
      s.ceil = false
    end
    return
  end
  s.biased = chance(80)
  s.weights = pick { "oihw", "oihw", "ohwi", "hwio" }
  if kind == "depthwise" then
    s.groups, s.c = "depthwise", math.max(2, pick(CHANNELS))
    if mapping == "transposed" then
      s.filters = s.c
    elseif not s.shapes then
      s.filters = s.c * pick { 1, 1, 1, 1, 2, 3, 5, 17 }
    end
    return
  end
  s.c, s.filters, s.groups = pick(CHANNELS), pick(CHANNELS), 1
  if mapping == "groups" or chance(15) and not s.shapes then
    s.groups = pick { 2, 3, 4, 8, 17 }
    local sizes = mapping and FEW or SMALL
    s.c, s.filters = s.groups * pick(sizes), s.groups * pick(sizes)
  elseif mapping == "interleaved" then
    local few, lanes = pick { 2, 2, 4, 4, 8 }, isa.get(s.isa).lanes
    if few >= lanes then few = lanes // 2 end
    s.groups = random(1, 2 * lanes // few + 1)
    s.c, s.filters = s.groups * few, s.groups * few
  elseif mapping == "pixels" and s.layout == "nhwc" then
    s.c = 1
  end
end

local function fits_budget(s, most)
  if s.global then return s.h * s.w * s.c <= most end
  local groups = s.groups == "depthwise" and s.c or s.groups or s.c
  local taps = s.kh * s.kw * (s.c // groups)
  return (s.batch or 1) * (s.h // s.sh + 2) * (s.w // s.sw + 2) * (s.filters or s.c) * taps <= most
end

--- A layer: wanted.isa, layout, activation, kind ('direct', 'depthwise', 'pooling', or the name of
-- another algorithm), pool and runtime are kept where given. nil where none was found.
function draw.layer(wanted)
  for _ = 1, 100 do
    local s = { isa = wanted.isa, layout = wanted.layout, pool = wanted.pool, batch = 1,
      shapes = wanted.runtime and {} or nil, activation = wanted.activation }
    geometry(s)
    channels(s, wanted.kind, wanted.mapping)
    if s.pool then s.activation = nil end
    if not ({ direct = 1, depthwise = 1, pooling = 1 })[wanted.kind] then s.algorithm = wanted.kind end
    if wanted.kind == "direct" and chance(10) then s.algorithm = "direct" end
    if chance(25) then s.batch = random(2, 5) end
    if chance(25) and not s.shapes then s.unroll = pick { 1, 8, 20, 40, 100, 400 } end
    if not s.pool and not s.shapes and chance(10) then
      s.crop_h, s.crop_w = random(0, 1), random(0, 1)
    end
    if wanted.mapping == "gathered" then s.kh, s.kw, s.pad = 1, 1, "valid" end
    if wanted.pointwise then s.kh, s.kw, s.sh, s.sw, s.pad = 1, 1, 1, 1, "valid" end
    if fits_budget(s, wanted.most or MOST) and (not s.shapes or draw.shapes(s, wanted)) then
      local job = draw.job(s)
      if job then
        local candidates = job.plan.candidates
        if candidates and #candidates > 0 and (wanted.mapping or chance(30)) then
          local c = pick(candidates)
          local mapped = wanted.mapping
          for _ = 1, 20 do
            if not mapped or c.mapping == mapped then break end
            c = pick(candidates)
          end
          if chance(50) or mapped and job.plan.mapping ~= mapped then
            local chosen = s.tile
            s.tile = c.mapping .. ":" .. c.tile
            if not draw.job(s) then s.tile = chosen end
          end
        end
        return s
      end
    end
  end
end

--- Sizes for a kernel that is told them when it runs.
function draw.shapes(s, wanted)
  local most = (wanted.most or MOST) // 4
  for _ = 1, 60 do
    if #s.shapes == 4 then return true end
    local shape = { batch = chance(70) and 1 or random(2, 4), h = pick(PIXELS), w = pick(PIXELS), c = pick(CHANNELS) }
    shape.filters = s.groups == "depthwise" and shape.c or pick(CHANNELS)
    if wanted.mapping == "inputs" and chance(50) then -- sums over lanes are for few outputs, and rows of some length
      shape.c, shape.filters, shape.w = pick { 16, 32, 48, 64 }, pick { 1, 2, 3, 4 }, pick { 16, 17, 19, 31, 32, 33 }
    end
    local fixed = draw.fixed(s, shape)
    if fits_budget(fixed, most) and draw.job(fixed) then s.shapes[#s.shapes + 1] = shape end
  end
  return #s.shapes > 0
end

--- The layer that a kernel with run-time sizes computes, for one of its shapes.
function draw.fixed(s, shape)
  local fixed = setmetatable({ shapes = false }, { __index = s })
  for key, value in pairs(shape) do fixed[key] = value end
  if s.activation == draw.named.words then fixed.activation = draw.named.numbers end
  return fixed
end

local function size(h, w) return h == w and ("%d"):format(h) or ("%dx%d"):format(h, w) end

-- A list of { option, value or true } of everything but the geometry of a descriptor.
local function all_options(s)
  local list = {}
  local function put(option, value)
    if value then list[#list + 1] = { option, value } end
  end
  local named = s.shapes
  put("--pool", s.pool)
  put("--input", named and "HxWxC" or ("%dx%dx%d"):format(s.h, s.w, s.c))
  put("--batch", not named and s.batch > 1 and ("%d"):format(s.batch))
  local depthwise = s.groups == "depthwise"
  put("--filters", not s.pool and (named and not depthwise and "OC" or not named and ("%d"):format(s.filters or s.c)))
  if not s.global then
    put("--kernel", size(s.kh, s.kw))
    put("--stride", size(s.sh, s.sw))
    put("--pad", s.pad or ("%d,%d,%d,%d"):format(s.top, s.left, s.bottom, s.right))
    put("--dilation", s.dh * s.dw > 1 and size(s.dh, s.dw))
  end
  put("--groups", s.groups ~= 1 and s.groups and tostring(s.groups))
  return list, put
end

local function kernel_options(s, put)
  put("--accuracy", "exact")
  put("--global", s.global)
  put("--ceil", s.ceil)
  put("--include-pad", s.include)
  put("--activation", s.activation ~= "none" and s.activation)
  put("--no-bias", not s.pool and not s.biased)
  put("--layout", s.layout)
  put("--weights", s.weights ~= "oihw" and s.weights)
  put("--isa", s.isa)
  put("--algorithm", s.algorithm)
  put("--max-unroll", s.unroll and ("%d"):format(s.unroll))
end

local function jobs_of(list)
  local values = {}
  for _, entry in ipairs(list) do values[entry[1]] = entry[2] end
  return request.jobs(values)
end

--- The options that say it, a list of { option, value or true }; nil where it is no layer.
function draw.options(s)
  local list, put = all_options(s)
  if (s.crop_h or 0) + (s.crop_w or 0) > 0 then
    kernel_options(s, put)
    local jobs = jobs_of(list)
    if not jobs then return nil end
    local l = setmetatable({}, { __index = jobs[1].layer })
    l.OH, l.pad_bottom = l.OH - s.crop_h, l.pad_bottom - s.crop_h * l.stride_h
    l.OW, l.pad_right = l.OW - s.crop_w, l.pad_right - s.crop_w * l.stride_w
    if l.OH < 1 or l.OW < 1 or l.pad_top < 0 or l.pad_left < 0 then return nil end
    list = { { "--problem", benchdnn.format(l) } }
    function put(option, value)
      if value then list[#list + 1] = { option, value } end
    end
  end
  kernel_options(s, put)
  return list
end

--- Its job, or nil where it is no layer or not supported.
function draw.job(s)
  local list = draw.options(s)
  if not list then return nil end
  if s.shapes then list[#list + 1] = { "--name", "sized" } end
  local jobs = jobs_of(list)
  if not jobs then return nil end
  return draw.with_tile(jobs[1], s.tile, s)
end

--- The same job with another register tile; nil where there is none such.
function draw.with_tile(job, tile, s)
  if not tile then return job end
  local mapping, text = tile:match("^(%w+):(%w+)$")
  job.plan = plan.make(job.layer, job.isa, { algorithm = s.algorithm or "auto", accuracy = "exact",
    max_unroll = s.unroll, tile = { mapping = mapping, tile = text } })
  return job.plan and job
end

--- It in words: a command line without the program. What the command line lacks goes first.
function draw.text(s)
  local words = {}
  if s.tile then words[1] = "--tile " .. s.tile end
  if s.shapes then
    local shapes = {}
    for i, z in ipairs(s.shapes) do
      shapes[i] = ("%dx%dx%dx%dx%d"):format(z.batch, z.h, z.w, z.c, z.filters)
    end
    words[#words + 1] = "--shapes " .. table.concat(shapes, ",")
  end
  for _, entry in ipairs(draw.options(s)) do
    words[#words + 1] = entry[2] == true and entry[1] or entry[1] .. " " .. entry[2]
  end
  return table.concat(words, " ")
end

return draw
