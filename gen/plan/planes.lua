-- What algorithms share in which each output reads one input channel: depthwise convolution and
-- pooling. Tiles span rows as well as columns and load each input once for all the taps that use it.
-- SPDX-License-Identifier: MIT-0
--
--   mapping 'channels'   (NHWC) lanes are output channels
--   mapping 'pixels'     (NCHW) lanes are output pixels
--   mapping 'transposed' (NCHW) lanes are output channels, of copies in the other order (plan/transposed.lua)
--
-- Where all that unrolled is too much code, one row at a time, its taps kh in a loop.

local axis = require "plan.axis"
local cost = require "plan.cost"
local tasks = require "plan.tasks"
local transposed = require "plan.transposed"
local views = require "plan.views"

local planes = {}

--- The most rows of a tile whose results all live until its end.
planes.most_rows = 5

--- Candidates in order, the fastest first.
function planes.sort(list)
  table.sort(list, function(a, b)
    if a.cycles ~= b.cycles then return a.cycles < b.cycles end
    if a.mapping ~= b.mapping then return a.mapping < b.mapping end
    if a.reads ~= b.reads then return a.reads < b.reads end
    if a.vectors ~= b.vectors then return a.vectors < b.vectors end
    if a.rows ~= b.rows then return a.rows < b.rows end
    return a.units < b.units
  end)
end

--- The tiles of rows x units of columns (x vectors of channels, up to `most_vectors`) that judge(rows, units, pixels,
-- vectors) approves of, the fastest first. It gives a tile's fields, among them `cycles`, a function of the rows and
-- units of a tile that may be smaller; or nil. options: tile, by_row.
function planes.candidates(layer, isa, options, most_rows, most_vectors, judge)
  local list, wanted = {}, options.tile
  local pixels = layer.layout == "nchw"
  local mapping = layer.source and "transposed" or pixels and "pixels" or "channels"
  local unit = pixels and isa.lanes or 1
  local vectors = pixels and layer.OC or axis.ceil_div(layer.OC, isa.lanes)
  local function add(rows, units, beside)
    local c = judge(rows, units, pixels, beside)
    local name = ("%dx%d"):format(rows, units) .. (beside > 1 and "x" .. beside or "")
    if c and (not wanted or wanted.tile == name and mapping == (wanted.mapping or mapping)) then
      local cycles = 0
      for _, rr in ipairs(axis.balanced(layer.OH, rows)) do
        for _, cc in ipairs(axis.balanced(axis.ceil_div(layer.OW, unit), units)) do
          cycles = cycles + rr.count * cc.count * c.cycles(rr.size, cc.size)
        end
      end
      c.rows, c.units, c.unit, c.vectors, c.tile = rows, units, unit, beside, name
      c.mapping, c.layer = mapping, layer
      c.cycles = cycles * vectors / beside * layer.N
      list[#list + 1] = c
    end
  end
  for beside = 1, most_vectors do
    for rows = 1, options.by_row and 1 or math.min(most_rows, layer.OH) do
      for units = 1, math.min(8, axis.ceil_div(layer.OW, unit)) do add(rows, units, beside) end
    end
  end
  planes.sort(list)
  return list
end

-- How channels are cut into panels of vectors. `outer` is a coordinate of the tasks, of `blocks` vectors
-- each; inside a tile, each panel is a loop over `count` blocks with the steps given, of `lanes` outputs
-- each. A block holds plan.block_outputs outputs. A task has at most `chunk` blocks; where the last one has
-- fewer whole ones than the others, plan.chunk is set, and a tile is told how many (`blocks`).
local function panels(plan, layer, isa, multiplier, chunk)
  local L = isa.lanes * plan.vectors
  if plan.copies then -- of a vector each, all lanes of which are computed
    local vectors = transposed.vectors(layer, isa)
    plan.block_outputs = L
    plan.outer = { count = vectors, noun = "chunk", input = L * plan.source.channel, output = L * plan.sink.channel,
      chunk = 1, blocks = vectors }
    plan.panels = { { count = 1, first = 0, lanes = L, input = 0, output = 0 } }
    return
  end
  if plan.mapping == "pixels" then
    plan.block_outputs = 1
    plan.outer = { count = layer.IC, input = plan.input.channel,
      output = multiplier * plan.output.channel, blocks = multiplier }
    plan.panels = { { count = multiplier, first = 0, lanes = L, input = 0, output = plan.output.channel } }
    return
  end
  local few = multiplier <= L -- outputs of an input channel: a vector holds those of several
  local step = few and L // multiplier * multiplier or L
  local total = few and layer.OC or multiplier
  plan.block_outputs = step
  plan.outer = { count = few and 1 or layer.IC, input = few and 0 or 1, output = few and 0 or multiplier,
    blocks = axis.ceil_div(total, step) }
  local inputs = few and step // multiplier or 0
  local full, rest = total // step, total % step
  plan.panels = {}
  if few and chunk and chunk < plan.outer.blocks then
    local count = axis.ceil_div(plan.outer.blocks, chunk)
    plan.outer = { count = count, noun = "chunk", input = chunk * inputs, output = chunk * step,
      chunk = chunk, blocks = plan.outer.blocks }
    if count * chunk == full then
      full = chunk
    else
      plan.chunk, plan.last_blocks, full = chunk, full - (count - 1) * chunk, "blocks"
    end
  end
  if full ~= 0 then
    plan.panels[1] = { count = full, first = 0, lanes = step, input = inputs, output = step }
  end
  if rest > 0 then
    plan.panels[#plan.panels + 1] = { count = 1, first = full, lanes = rest, input = inputs, output = step }
  end
end

local function cut(plan, rows, columns, best, isa, budget)
  plan.rows_clipped, plan.rows_empty = axis.clips(rows)
  plan.row_segments, plan.row_variants = axis.cut(rows, 1, best.rows, budget)
  plan.column_segments, plan.column_variants = axis.cut(columns, best.unit, best.units, budget)
  local row_weight, column_weight, rolled = 0, 0, false
  for _, v in ipairs(plan.row_variants) do row_weight, rolled = row_weight + v.weight, rolled or v.rolled end
  for _, v in ipairs(plan.column_variants) do
    column_weight, rolled = column_weight + v.weight, rolled or v.rolled
  end
  plan.looped = rolled or row_weight * column_weight > budget or #plan.row_segments > 16
    or best.registers > isa.registers
  if plan.looped then
    -- One row at a time; its columns unrolled as far as the budget goes.
    local units = best.looped_units or best.units
    plan.row_segments = { { x = 0, count = rows.out, pixels = 1 } }
    plan.row_variants = { { index = 0, pixels = 1, looped = true } }
    plan.column_segments, plan.column_variants = axis.cut(columns, best.unit, units, budget)
    units = 1
    for _, v in ipairs(plan.column_variants) do units = math.max(units, v.units) end
    plan.tile_name, plan.accumulators = ("1x%d"):format(units), units
  end
  plan.row_tiles = 0
  for _, segment in ipairs(plan.row_segments) do plan.row_tiles = plan.row_tiles + segment.count end
end

--- Tasks: images x outer channels x bands of row tiles, each worth some microseconds. Of images beyond the second
-- level chunks of channels take turns in each row of tiles: what prefetchers bring beyond one is the next one's.
function planes.share(plan, layer)
  local outer, tiles = plan.outer, plan.row_tiles
  if plan.copies then tiles = 1 end -- of a whole map
  if outer.noun == "chunk" and not plan.copies and layer.N * cost.image_bytes(layer) > cost.l2_bytes then
    plan.chunks_first, plan.bands = true, tasks.parts(tiles, tiles)
  else
    local work = 2 * layer.KH * layer.KW * layer.OW * layer.OC // outer.count
    local chunks = { { width = 1, count = outer.count } }
    if plan.chunk then
      chunks = { { width = plan.chunk, count = outer.count - 1 }, { width = plan.last_blocks, count = 1 } }
    end
    local _
    _, plan.bands = tasks.cut { outer = layer.N, rows = tiles, fitting = tiles, least = math.max(1, 50000 // work),
      blocks = outer.count, widths = tasks.widths(chunks), fewest = outer.count, most = outer.count }
  end
  plan.tasks = layer.N * outer.count * plan.bands.count
end

--- What every plan has, whatever its tiles. options: input, output, views of images that are no whole
-- images.
function planes.base(layer, mapping, options)
  return {
    mapping = mapping, exact = true, workspace_floats = 0, packed_floats = 0,
    geometry = { N = layer.N, IH = layer.IH, IW = layer.IW, OH = layer.OH, OW = layer.OW },
    input = options.input or views.image(layer.layout, layer.IC, layer.IH, layer.IW),
    output = options.output or views.image(layer.layout, layer.OC, layer.OH, layer.OW),
  }
end

--- The plan for the best of some candidates; for one that is a little slower where the best would be too much code
-- to unroll, and that one not. (Tiles that roll down many rows do not count where they are too much.)
function planes.plan(layer, isa, choice, rows, columns, options)
  local function made(best)
    local seen = best.layer ~= layer and best.layer or nil
    local plan = planes.base(layer, seen and "channels" or best.mapping, options)
    if seen then
      plan.seen, plan.copies = seen, transposed.copies(seen, isa, best.rows)
      plan.workspace_floats, plan.fetch_planes = plan.copies.floats, true
      plan.source, plan.sink = plan.input, plan.output
      plan.input = views.image(seen.layout, seen.IC, seen.IH, seen.IW)
      plan.output = views.image(seen.layout, seen.OC, seen.OH, seen.OW)
    end
    plan.run = "planes" -- templates/planes_run.c
    plan.tile_name, plan.candidates, plan.cycles = best.tile, choice, best.cycles
    plan.accumulators, plan.registers = best.accumulators or best.rows * best.units, best.registers
    plan.multiplier, plan.vectors = layer.OC // layer.IC, best.vectors
    panels(plan, best.layer, isa, plan.multiplier, best.chunk)
    cut(plan, rows, columns, best, isa, cost.unrolled(isa, options) // #plan.panels)
    planes.share(plan, layer)
    return plan
  end
  local best
  for i, candidate in ipairs(choice) do
    if not candidate.rolling and candidate.vectors == 1 then best = best or i end
    if best and candidate.cycles > 1.1 * choice[best].cycles then break end
    local plan = made(candidate)
    if not plan.looped then
      table.insert(choice, 1, table.remove(choice, i))
      return plan
    end
  end
  table.insert(choice, 1, table.remove(choice, best or 1))
  return choice[1].vectors == 1 and made(choice[1]) or nil
end

return planes
