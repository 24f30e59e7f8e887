-- Operands of the direct skeleton as C expressions: which name is loaded from where, and used by which
-- accumulator. The only place that knows the mappings apart.
-- SPDX-License-Identifier: MIT-0

local axis = require "plan.axis"
local isa_of = require "isa"
local pooling = require "lower.pooling"

local direct = {}

local RISING = { relu = true, clamp = true, sigmoid = true, tanh = true }

--- The functions that templates/direct.c calls, for a plan and an instruction set.
function direct.names(plan, isa, layer)
  local L = isa.lanes
  local channels = plan.mapping ~= "pixels"
  local groups, inputs = plan.mapping == "groups", plan.mapping == "inputs"
  local beside = plan.planar and plan.planar.sets and plan.planar -- groups are interleaved
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
    if plan.no_bias or inputs then return isa.zero() end
    if channels then return ("bias_k%d"):format(v) end
    return isa.splat(("w[%d]"):format(s))
  end

  -- Where pixel i of a variant reads for tap k, in input pixels from its origin; false in the padding.
  local function read(variant, tap, i)
    if plan.planar and plan.planar.places then return plan.planar.places[tap + 1] + i end
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

  --- The taps of a row that are summed side by side: a list of { first, count }.
  function names.taps_of(variant)
    local list, first = {}, 0
    for _, run in ipairs(axis.balanced(variant.merged and 1 or layer.KW, plan.together or 1)) do
      for _ = 1, run.count do
        list[#list + 1], first = { first = first, count = run.size }, first + run.size
      end
    end
    return list
  end

  --- The same as they stand in the code: where taps are a loop, its one.
  function names.sums_of(variant)
    return variant.rolled and { { first = 0, count = 1 } } or names.taps_of(variant)
  end

  local function weight_name(taps, k, v)
    return taps.count == 1 and ("w_k%d"):format(v) or ("w_t%d_k%d"):format(k, v)
  end

  --- Vector operands of channel step u at some taps: { name, load }.
  function names.vector_operands(class, variant, taps, u)
    local list = {}
    if channels then
      for k = 0, taps.count - 1 do
        local first = k == 0 and u * (plan.input_step or 1) * class.width or (k * plan.ICg + u) * class.width
        for v = 0, names.touched(variant, { first = taps.first + k, count = 1 }) and class.vectors - 1 or -1 do
          local at = plan.apart and u * L + v * layer.KH * layer.KW * plan.packed_inputs or first + v * L
          list[#list + 1] = { name = weight_name(taps, k, v), load = isa.load(isa_of.at("wt", at)) }
        end
      end
      return list
    end
    for v = 0, names.vectors(class, variant) - 1 do
      local offsets = lanes_of(variant, taps.first, v, u * plan.input.channel)
      if offsets then
        list[#list + 1] = { name = "x_p" .. v, load = isa_of.load_lanes(isa, "src", offsets), index = v }
      end
    end
    return list
  end

  --- The names of all vector operands of a variant.
  function names.vector_names(class, variant)
    local list, seen = {}, {}
    for _, taps in ipairs(names.sums_of(variant)) do
      for _, operand in ipairs(names.vector_operands(class, variant, taps, 0)) do
        if not seen[operand.name] then
          seen[operand.name] = true
          list[#list + 1] = operand.name
        end
      end
    end
    return list
  end

  -- Channel u of each of the groups in vector v of a class, in the lanes of its outputs.
  local function spread(class, at, v, u)
    if plan.vector_inputs == plan.ICg then -- there is one
      return isa.splat(("src[%d]"):format(at * plan.input.pixel + v * plan.ICg + u))
    end
    if beside then
      return isa.splat_some(isa_of.at("src", at * plan.input.pixel + v * beside.vector + u * beside.sets), beside.sets)
    end
    local index = {}
    for l = 1, L do
      local group = (l - 1) // plan.OCg
      index[l] = group < class.groups[v + 1] and group * plan.ICg + u or u
    end
    return isa.permute(isa_of.at("src", at * plan.input.pixel + v * plan.vector_inputs),
      class.groups[v + 1] * plan.ICg, index)
  end

  -- The pixels that some taps read, each once, in order: { at, uses = { { s, k } } }, for pixel s of the
  -- tile at tap k of them.
  local function pixels_read(class, variant, taps)
    local list, by_place = {}, {}
    for k = 0, taps.count - 1 do
      for s = 0, names.splats(class, variant) - 1 do
        local at = read(variant, taps.first + k, s)
        if at and not by_place[at] then
          by_place[at] = { at = at, uses = {} }
          list[#list + 1] = by_place[at]
        end
        if at then table.insert(by_place[at].uses, { s = s, k = k }) end
      end
    end
    table.sort(list, function(a, b) return a.at < b.at end)
    return list
  end

  -- The same for lanes that are channels: a pixel's input meets the weights of all its taps.
  local function channel_operands(class, variant, taps, u, count)
    local list = {}
    for _, pixel in ipairs(pixels_read(class, variant, taps)) do
      local function operand(load, first, last, float)
        local uses = {}
        for _, use in ipairs(pixel.uses) do
          for v = first, last do
            uses[#uses + 1] = { acc = names.acc(use.s, v), vector = weight_name(taps, use.k, v) }
          end
        end
        list[#list + 1] = { load = load, uses = uses, float = float }
      end
      for v = 0, groups and class.vectors - 1 or -1 do operand(spread(class, pixel.at, v, u), v, v) end
      if inputs then
        local from = isa_of.at("src", pixel.at * plan.input.pixel + u * L)
        operand(isa.load_range(from, 0, count or L), 0, class.vectors - 1)
      elseif not groups then
        local float = ("src[%d]"):format(pixel.at * plan.input.pixel + u * plan.input.channel)
        operand(isa.splat(float), 0, class.vectors - 1, float)
      end
    end
    return list
  end

  --- Splat operands of channel step u at some taps: { load, uses = { { acc, vector } }, float }, that float being what
  -- is in all lanes. With inputs in the lanes they are vectors, too, of `count` channels (nil: all lanes).
  function names.splat_operands(class, variant, taps, u, count)
    if channels then return channel_operands(class, variant, taps, u, count) end
    local list = {}
    local vectors = names.vector_operands(class, variant, taps, u)
    for s = 0, names.splats(class, variant) - 1 do
      local uses = {}
      for i, vector in ipairs(vectors) do
        uses[i] = { acc = names.acc(s, vector.index or i - 1), vector = vector.name }
      end
      local float = ("wt[%d]"):format(u * class.width + s)
      list[s + 1] = { load = isa.splat(float), uses = uses, float = float }
    end
    return list
  end

  --- Whether a splat operand is one of its only multiply-add, from memory: a load of its own takes a place in what a
  -- processor decodes and keeps waiting (measured).
  function names.embedded(operand)
    return isa.accumulate_splat and operand.float and #operand.uses == 1
  end

  --- Whether a tile has others.
  function names.needs_splats(class, variant)
    for _, taps in ipairs(names.sums_of(variant)) do
      for _, operand in ipairs(names.touched(variant, taps) and names.splat_operands(class, variant, taps, 0) or {}) do
        if not names.embedded(operand) then return true end
      end
    end
    return false
  end

  --- Whether the vector operands of a tile are kept from being loaded again: where few multiply-adds use each of
  -- them, and registers are to spare.
  function names.pinned(class, variant)
    return names.pins and names.splats(class, variant) <= 4
  end
  names.pins = isa.accumulate ~= "" and not plan.runtime and (plan.registers or isa.registers) + 3 <= isa.registers

  --- Whether any pixel of the variant reads one of some taps.
  function names.touched(variant, taps)
    if not variant.reads then return true end
    for tap = taps.first, taps.first + taps.count - 1 do
      for i = 1, variant.pixels do
        if variant.reads[tap + 1][i] then return true end
      end
    end
    return false
  end

  --- "Tap 2 of the row, pixels 1 to 5 ...": some taps, and the pixels of the variant that they touch.
  function names.touches(variant, taps)
    local tap = taps.first
    if layer.place then
      return ("Tap %d of row %d%s."):format(tap % layer.map.KW, tap // layer.map.KW, names.pixels_of(variant, tap))
    end
    if taps.count > 1 then return ("Taps %d to %d of the row."):format(tap, tap + taps.count - 1) end
    return ("Tap %d of the row%s."):format(tap, names.pixels_of(variant, tap))
  end

  --- "pixels 1 to 5": those of the variant that tap k touches, "" where it is all of them.
  function names.pixels_of(variant, tap)
    if not variant.reads then return "" end
    local first, last, count = nil, nil, 0
    for i = 0, variant.pixels - 1 do
      if variant.reads[tap + 1][i + 1] then first, last, count = first or i, i, count + 1 end
    end
    if count == variant.pixels then return "" end
    if count < last - first + 1 then
      return (", %d of %d pixels: the rest falls in the padding"):format(count, variant.pixels)
    end
    return (count == 1 and ", pixel %d only: the rest falls in the padding"
      or ", pixels %d to %d: the rest falls in the padding"):format(first, last)
  end

  names.copies = plan.planar and plan.planar.reach > layer.stride_h

  --- Elements from p on, `step` apart, in the lanes first to last - 1, as the cheapest load.
  function names.strided(p, step, first, last)
    local offsets = {}
    for l = 1, L do offsets[l] = l > first and l <= last and (l - 1 - first) * step end
    return isa_of.load_lanes(isa, p, offsets)
  end

  if plan.pooled then
    local kind, max = layer.activation.kind, plan.pooled.pool == "max"
    pooling.set_whole(names, isa, plan.pooled)
    -- The largest stays the largest where the activation never falls: once for a window is enough.
    local rising = RISING[kind] or kind == "leaky" and layer.activation.a >= 0
    names.pooled_first = kind ~= "none" and not (max and rising)
  end

  local function count(number, noun)
    return ("%s %s%s"):format(number, noun, tostring(number) == "1" and "" or "s")
  end
  local first, second = plan.tile_name:match("^(%d+)x(%d+)$")
  names.step_noun = groups
    and "one input channel of each group: its weights, and a pixel's inputs in the lanes of their groups"
    or (plan.together or 1) > 1
    and "one input channel: its weights at some taps, and pixels' inputs in all lanes, each once"
    or inputs and "a vector of input channels of one tap: each output's weights, and a pixel's inputs"
    or channels and "one input channel of one tap: its weights, and a pixel's input in all lanes"
    or "one input channel of one tap: its input, and an output channel's weight in all lanes"
  names.method = inputs and {
    ("A register tile holds the sums of %s times %s, each in %d lanes that are input channels: all grow side by side.")
      :format(count(first, "pixel"), count(second, "output channel"), L),
    "For every tap of the filter and every vector of input channels, each pixel's inputs are multiplied with each "
      .. "output's weights; lanes are summed in the end. Tiles at the border have fewer taps.",
  } or groups and {
    ("A register tile holds %s times %s of output channels, of several groups side by side, %d lanes each: all its "
      .. "sums grow side by side."):format(count(first, "pixel"), count(second, "vector"), L),
    "For every input channel of a group, a pixel's inputs of these groups are spread over the lanes of their "
      .. "outputs and multiplied with the weights of the taps that they meet. Tiles at the border have fewer taps.",
  } or channels and {
    ("A register tile holds %s times %s: all its sums grow side by side."):format(count(first, "pixel"),
      L == 1 and count(second, "output channel")
      or ("%s of output channels, %d lanes each"):format(count(second, "vector"), L)),
    ("For every tap of the filter and every input channel, each pixel's input is %smultiplied with the weights of "
      .. "those output channels. "):format(L > 1 and "spread over all lanes and " or "")
      .. (plan.runtime and "Other tiles have other sizes." or "Tiles at the border have fewer taps."),
    plan.parts and ("%s come %d at a time, whose pixels and weights stay in a cache; sums wait in the workspace "
      .. "meanwhile."):format(plan.runtime and "Many input channels of few pixels" or "Input channels",
      plan.parts.channels) or "",
    plan.pixels and ("Or a tile holds %s of pixels times %s, where that is faster: for few %s channels, long rows.")
      :format(count(plan.pixels.units, "vector"), count(plan.pixels.outputs, "output channel"),
        layer.layout == "nchw" and "input" or "output") or "",
    plan.inputs and ("Of up to %d output channels and whole vectors of input channels, these are in the lanes, "
      .. "which are added in the end."):format(plan.inputs.outputs) or "",
  } or {
    ("A register tile holds %s of pixels, %d lanes each, times %s: all its sums grow side by side.")
      :format(count(first, "vector"), L, count(second, "output channel")),
    "For every tap of the filter and every input channel, each output channel's weight is spread over all "
      .. "lanes and multiplied with neighbouring pixels. Lanes at the border leave out taps.",
  }
  return names
end

return direct
