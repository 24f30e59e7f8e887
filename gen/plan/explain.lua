-- A plan in words: what will be computed how, at what cost, and why so.
-- SPDX-License-Identifier: MIT-0

local cost = require "plan.cost"

local function bytes(count)
  if count < 10 * 1024 then return ("%d B"):format(count) end
  if count < 10 * 1024 * 1024 then return ("%d KiB"):format((count + 512) // 1024) end
  return ("%d MiB"):format((count + (1 << 19)) // (1 << 20))
end

local function range(first, last)
  return first == last and tostring(first) or ("%d..%d"):format(first, last)
end

-- 'columns 0..5 (6 at a time, some taps in the padding), 6..47 (6 at a time)'
local function regions(segments, taps, noun)
  local parts = {}
  for _, s in ipairs(segments) do
    local v = s.variant
    local what
    if s.border or v.rolled and not v.reads then
      what = s.border and "taps bounded at run time" or "taps in a loop"
    else
      local clipped = false
      for k = 1, taps do
        for i = 1, v.pixels do clipped = clipped or not v.reads[k][i] end
      end
      what = clipped and "border: taps in the padding left out" or "all taps"
    end
    parts[#parts + 1] = ("  %s %s, %d at a time, %s"):format(noun,
      range(s.x, s.x + s.count * s.pixels - 1), s.pixels, what)
  end
  return parts
end

local function rows(count) return ("%d row%s"):format(count, count == 1 and "" or "s") end

local LANES = {
  channels = "output channels", groups = "output channels of several groups", inputs = "input channels",
  pixels = "output pixels", taps = "taps of a window's row",
}

-- Which rows and columns are computed how, a line each.
local function add_regions(lines, title, plan, layer)
  lines[#lines + 1] = title
  if plan.windows then
    lines[#lines + 1] = ("  a window at a time, %d x %d taps without a gap, in panels of %d channels"):format(
      plan.windows.runs, plan.windows.taps, plan.panels[1].lanes)
  elseif plan.row_segments and not plan.looped then
    for _, line in ipairs(regions(plan.row_segments, layer.KH, "rows")) do lines[#lines + 1] = line end
  elseif plan.rows_clipped then
    lines[#lines + 1] = "  rows one at a time, taps bounded at run time"
  end
  local columns = plan.column_segments or plan.classes and plan.classes[1].segments or {}
  local taps, noun = (plan.seen or layer).KW, plan.seen and plan.seen.place and "pixels" or "columns"
  for _, line in ipairs(regions(columns, taps, noun)) do lines[#lines + 1] = line end
end

--- Several lines of text.
return function(plan, layer, isa)
  local lines = {}
  local function say(label, format, ...) lines[#lines + 1] = ("%-12s"):format(label) .. format:format(...) end
  if plan.runtime then
    say("algorithm", "%s, lanes are %s; sizes at run time", plan.algorithm, LANES[plan.mapping])
    say("isa", "%s: %d lanes, %d vector registers", isa.title, isa.lanes, isa.registers)
    say("tile", "%s at most: %d accumulators, %d registers in all; narrower ones for what is left over",
      plan.tile_name, plan.accumulators, plan.registers)
    say("input", plan.staged and "read in place; with pixels in the lanes from a band of planes in the workspace"
      or plan.gathered and "gathered in the workspace, pixel beside pixel" or "read in place")
    say("why", "the most multiply-adds for their loads that the registers hold")
    return table.concat(lines, "\n")
  end
  local macs = layer.N * layer.OH * layer.OW * layer.OC * (layer.IC // layer.groups) * layer.KH * layer.KW
  local g, last = plan.geometry, layer.after or layer

  if layer.after then
    say("algorithm", "%s%s, lanes are %s; then pooling, %s", plan.algorithm, plan.map and ": " .. plan.map.algorithm
      or "", LANES[plan.mapping], plan.pool and "lanes are " .. LANES[plan.pool.mapping] or "in registers")
  else
    say("algorithm", "%s, lanes are %s%s", plan.algorithm, LANES[plan.mapping],
      (plan.planar or plan.copies) and ", from a copy" or "")
  end
  say("isa", "%s: %d lanes, %d vector registers", isa.title, isa.lanes, isa.registers)
  say("tile", "%s: %d accumulators, %d registers in all", plan.tile_name, plan.accumulators, plan.registers)
  if plan.tiles_h then
    local h, w = plan.h, plan.w
    local function outputs(f) return f[2] and ("%d or %d"):format(f[1].m, f[2].m) or tostring(f[1].m) end
    say("transforms", "tiles of %s x %s outputs: at most %d products, of %d weights", outputs(h), outputs(w),
      plan.elements, plan.filters)
    if plan.few then say("sums", "of few channels, transformed in registers as soon as a column of them is there") end
    if plan.phases then
      say("phases", "%d x %d pixels are one, of %d channels, in a copy of the input", plan.phases.h, plan.phases.w,
        plan.ICg)
    end
    say("blocks", "%d x %d, of up to %d x %d tiles", plan.row_cut.count, plan.column_cut.count, plan.row_cut.most,
      plan.column_cut.most)
  elseif plan.elements then
    say("transforms", "pairs of pixels, halves of the channels: %d products in place of 8", plan.elements)
    say("blocks", "%d, of up to %d pairs", plan.column_cut.count, plan.column_cut.most)
  end
  if plan.seen and plan.seen.whole then
    say("pixels", "the filter covers the image: one pixel, of %d channels", plan.seen.IC)
  elseif plan.seen and plan.seen.place then
    say("pixels", "a small map: %d x %d pixels seen as one row", layer.OH, layer.OW)
  elseif plan.folded then
    say("pixels", "a 1x1 filter: %d x %d pixels seen as %s of %d%s", layer.OH, layer.OW, rows(g.OH), g.OW,
      plan.last_row and (", the last of %d"):format(plan.last_row) or "")
  end
  if plan.parts then
    say("sums", "of %d input channels at a time, %d times; meanwhile they wait in the workspace", plan.parts.channels,
      plan.parts.count)
  end
  if plan.planar then
    say("copy", "%s of %s, %s", rows(plan.planar.rows), plan.folded and "pixels" or "the input",
      plan.planar.sets and "channels of several groups side by side" or "a plane of each channel")
  end
  if plan.copies then say("copy", "planes, a vector of channels at a time, so that these are neighbours; and back") end
  if plan.looped then say("code", "too much to unroll: the rows of the filter are a loop") end
  say("tasks", "%d", plan.tasks)
  if plan.pool then
    say("band", "%d x %d pixels of %d channels: %s; %s of windows at a time, %d of its rows kept for the next",
      plan.rows, plan.map.layer.OW, plan.channels, bytes(4 * plan.workspace_floats), rows(plan.step), plan.kept)
    add_regions(lines, "regions of the convolution", plan.map, plan.map.layer)
    add_regions(lines, "regions of the pooling", plan.pool, plan.pool.layer)
  elseif not plan.elements then
    add_regions(lines, "regions", plan.map or plan, layer)
  end
  if layer.pool then
    say("operations", "%d (one for each tap, padded ones included)", macs)
  else
    say("flops", "%d (2 x multiply-adds, padded taps included)", 2 * macs)
  end
  say("bytes", "input %s, weights %s packed, output %s, workspace %s",
    bytes(4 * layer.N * layer.IH * layer.IW * layer.IC), bytes(4 * plan.packed_floats),
    bytes(4 * last.N * last.OH * last.OW * last.OC), bytes(4 * plan.workspace_floats))
  local ideal = macs / isa.lanes / cost.fma
  say("cost", "%.0f cycles predicted%s", plan.cycles, layer.pool and ", of data in the caches"
    or (", %.0f%% of the multiply-add peak"):format(100 * ideal / plan.cycles))
  local way = plan.way
  if way then
    say("why", "measured to be the fastest: %s:%d%s", plan.profile.path, way.line, way.us and way.rule_us
      and ("; %.2f us, by rule %s %.2f us"):format(way.us, way.rule or "", way.rule_us) or "")
    return table.concat(lines, "\n")
  elseif plan.profile then
    say("profile", "%s does not choose for this layer: by rule, with its costs", plan.profile:name())
  end
  for _, rival in ipairs(plan.rivals or {}) do
    if rival ~= plan then say("instead of", "%s %s, %.0f cycles", rival.algorithm, rival.tile_name, rival.cycles) end
  end
  lines[#lines + 1] = "why         the least cycles of these register tiles:"
  for i = 1, math.min(5, #plan.candidates) do
    local c = plan.candidates[i]
    lines[#lines + 1] = ("  %-9s %-6s %12.0f cycles"):format(c.mapping, c.tile, c.cycles)
  end
  return table.concat(lines, "\n")
end
