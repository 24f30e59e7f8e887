-- Operands of the direct skeleton as C expressions: which name is loaded from where, and used by which
-- accumulator. The only place that knows the two mappings apart.
-- SPDX-License-Identifier: MIT-0

local isa_of = require "isa"
local pooling = require "lower.pooling"

local direct = {}

local RISING = { relu = true, clamp = true, sigmoid = true, tanh = true }

--- The functions that templates/direct.c calls, for the plan of the kernel `name` and an instruction set.
function direct.names(plan, isa, layer, name)
  local L = isa.lanes
  local channels = plan.mapping == "channels"
  local names = {}

  -- In a tile, `splats` x `vectors` accumulators; p counts pixels (or vectors of them), k channels
  -- (or vectors of them).
  function names.splats(class, variant) return channels and variant.pixels or class.width end
  function names.vectors(class, variant) return channels and class.vectors or variant.units end

  function names.acc(s, v)
    return (channels and "acc_p%d_k%d" or "acc_k%d_p%d"):format(s, v)
  end

  names.splat_name = channels and "x" or "w_k"

  -- The value an accumulator starts from.
  function names.bias(s, v)
    if plan.no_bias then return isa.zero() end
    if channels then return ("bias_k%d"):format(v) end
    return isa.splat(("w[%d]"):format(s))
  end

  -- Where pixel i of a variant reads for tap k, in input pixels from its origin; false in the padding.
  local function read(variant, tap, i)
    if variant.rolled then return i * layer.stride_w end
    return variant.reads[tap + 1][i + 1]
  end

  -- Which of `count` pixels or vectors of a variant a tap touches, lane by lane.
  local function lanes_of(variant, tap, unit, channel_offset)
    local offsets, any = {}, false
    for l = 1, L do
      local i = unit * L + l - 1
      local at = i < variant.pixels and read(variant, tap, i)
      offsets[l] = at and at * plan.input.pixel + channel_offset
      any = any or offsets[l] ~= false
    end
    return any and offsets
  end

  --- Vector operands of channel step u at a tap: { name, load }.
  function names.vector_operands(class, variant, tap, u)
    local list = {}
    for v = 0, names.vectors(class, variant) - 1 do
      if plan.runtime and not channels then
        list[#list + 1] = { name = "x_p" .. v, load = variant.ragged and ("%s_load(px, 0, lanes)"):format(name)
          or isa.load(isa_of.at("px", v * L)) }
      elseif channels then
        list[#list + 1] = { name = "w_k" .. v, load = isa.load(isa_of.at("wt", u * class.width + v * L)) }
      else
        local offsets = lanes_of(variant, tap, v, u * plan.input.channel)
        if offsets then
          list[#list + 1] = { name = "x_p" .. v, load = isa_of.load_lanes(isa, "src", offsets), index = v }
        end
      end
    end
    return list
  end

  --- The names of all vector operands of a variant.
  function names.vector_names(class, variant)
    local list, seen = {}, {}
    for tap = 0, variant.rolled and 0 or layer.KW - 1 do
      for _, operand in ipairs(names.vector_operands(class, variant, tap, 0)) do
        if not seen[operand.name] then
          seen[operand.name] = true
          list[#list + 1] = operand.name
        end
      end
    end
    return list
  end

  --- Splat operands of channel step u at a tap: { load, uses = { { acc, vector } } }.
  function names.splat_operands(class, variant, tap, u)
    local list = {}
    local vectors = names.vector_operands(class, variant, tap, u)
    for s = 0, names.splats(class, variant) - 1 do
      local at
      if plan.runtime and not channels then
        at = ("wt[%d]"):format(s)
      elseif plan.runtime then
        at = plan.input.pixel == 1 and ("px[%s]"):format(variant.fewer and s > 0 and "at" .. s or s)
          or ("px%d[c]"):format(s)
      elseif channels then
        local pixel = read(variant, tap, s)
        at = pixel and ("src[%d]"):format(pixel * plan.input.pixel + u * plan.input.channel)
      else
        at = ("wt[%d]"):format(u * class.width + s)
      end
      if at then
        local uses = {}
        for i, vector in ipairs(vectors) do
          uses[i] = { acc = names.acc(s, vector.index or i - 1), vector = vector.name }
        end
        list[#list + 1] = { load = isa.splat(at), uses = uses }
      end
    end
    return list
  end

  --- Whether any pixel of the variant reads tap k.
  function names.touched(variant, tap)
    if not variant.reads then return true end
    for i = 1, variant.pixels do
      if variant.reads[tap + 1][i] then return true end
    end
    return false
  end

  --- "pixels 1 to 5": those of the variant that tap k touches, "" where it is all of them.
  function names.touches(variant, tap)
    if not variant.reads then return "" end
    local first, last, count = nil, nil, 0
    for i = 0, variant.pixels - 1 do
      if variant.reads[tap + 1][i + 1] then first, last, count = first or i, i, count + 1 end
    end
    if count == variant.pixels then return "" end
    return (count == 1 and ", pixel %d only: the rest falls in the padding"
      or ", pixels %d to %d: the rest falls in the padding"):format(first, last)
  end

  if plan.pooled then
    local kind, max = layer.activation.kind, plan.pooled.pool == "max"
    pooling.set_whole(names, isa, plan.pooled)
    -- The largest stays the largest where the activation never falls: once for a window is enough.
    local rising = RISING[kind] or kind == "leaky" and layer.activation.a >= 0
    names.pooled_first = kind ~= "none" and not (max and rising)
  end

  local function count(text, noun)
    return ("%s %s%s"):format(text, noun, text == "1" and "" or "s")
  end
  local first, second = plan.tile_name:match("^(%d+)x(%d+)$")
  names.method = channels and {
    ("A register tile holds %s times %s of output channels, %d lanes each: all its sums grow side by side.")
      :format(count(first, "pixel"), count(second, "vector"), L),
    "For every tap of the filter and every input channel, each pixel's input is spread over all lanes and "
      .. "multiplied with the weights of those output channels. Tiles at the border have fewer taps.",
  } or {
    ("A register tile holds %s of pixels, %d lanes each, times %s: all its sums grow side by side.")
      :format(count(first, "vector"), L, count(second, "output channel")),
    "For every tap of the filter and every input channel, each output channel's weight is spread over all "
      .. "lanes and multiplied with neighbouring pixels. Lanes at the border leave out taps.",
  }
  return names
end

return direct
