-- The products of bilinear algorithms (winograd.lua, strassen.lua): of each element of the tiles of a block, sums over
-- the input channels, by the register tile of direct convolution, tiles in the place of pixels.
-- SPDX-License-Identifier: MIT-0

local axis = require "plan.axis"
local cost = require "plan.cost"
local direct = require "plan.direct"
local tasks = require "plan.tasks"

local products = {}

local ceil_div = axis.ceil_div

-- So many input channels are few: with more, two loads for each product take longer than what they save.
products.few = 4

-- By how much both axes may amplify rounding errors: 'high' is an error of at most twice that of a plain
-- sum, which grows with the root of its terms; 'fast' all that are within the bounds of the tests, which
-- are for up to 1024 input channels: of more of them the error is larger (see README.md).
local AMPLIFIES = {
  exact = function() return 0 end,
  high = function(layer) return 2 * math.sqrt(layer.KH * layer.KW) end,
  fast = function(layer) return 25 * math.min(1, math.sqrt(1024 / layer.IC)) end,
}

--- The most that an algorithm of a layer may amplify rounding errors, by --accuracy (or its default).
function products.amplifies(layer, accuracy) return AMPLIFIES[accuracy or "fast"](layer) end

-- Of two threads each is to have so little of all that they are as much faster.
local FASTER = 1.89

--- Floats from one tile to the next of an element, of so many input channels.
function products.tile_floats(channels, isa) return ceil_div(channels, isa.lanes) * isa.lanes + 16 end

--- Floats from one element to the next of so many tiles: an odd number of cache lines, so that the elements of a tile
-- lie in different sets of the caches.
function products.element_floats(tiles, tile_floats)
  local lines = ceil_div(tiles * tile_floats, 16)
  return 16 * (lines + (lines + 1) % 2)
end

--- A function of a number of tiles: cycles of an element of them, for all output channels. `c`: { classes, pixels };
-- `far`: whether weights stream by, which get in the way of what else is loaded.
function products.cycles(c, channels, isa, far)
  local known = {}
  return function(tiles)
    if not known[tiles] then
      local sum = 0
      for _, class in ipairs(c.classes) do
        local bytes = 4 * isa.lanes * class.size
        for _, run in ipairs(axis.balanced(tiles, c.pixels)) do
          sum = sum + class.count * run.count * (cost.call
            + channels * cost.step(run.size * class.size, run.size + class.size, bytes, channels * bytes)
            -- Of few channels nothing hides the stores.
            + run.size * class.size * (channels <= products.few and 2.5 or 1) / cost.store
            + (far and channels * bytes / (4 * cost.l1_stream) or 0))
        end
      end
      known[tiles] = sum
    end
    return known[tiles]
  end
end

--- Cycles beyond those of the products for what does not stay in the second-level cache, of so many bytes of elements
-- and of products of a block: once for each of so many blocks of output channels, of products, written and read.
function products.spilt(elements_in, elements_out, blocks)
  if elements_in + elements_out <= cost.l2_bytes then return 0 end
  local bytes = (1 - cost.l2_bytes / (elements_in + elements_out)) * (elements_in + 2 * elements_out) * blocks
  -- What is in the memory is read by each block of outputs, and written in the order of tiles, not of elements.
  local beyond = math.max(0, math.min(1, (elements_in + elements_out) / cost.l3_bytes - 1))
  return (bytes + beyond * 2 * elements_in) / (cost.l3_reuse() + beyond * (cost.memory_reuse() - cost.l3_reuse()))
end

--- Tasks: groups x images x blocks of tiles x chunks of output channels, so many as to share among some
-- threads. A block's elements are kept from one of its chunks to the next, so the tasks of a block follow
-- each other; where they do not, windows are transformed again, so a chunk is to be much more work than
-- that. `cycles`: of each block of tiles but for its transforms; `transforms`: of all. Sets c.chunks, c.evenness and
-- c.alternate.
function products.share(c, layer, isa, cycles, transforms)
  local blocks = 0
  for _, class in ipairs(c.classes) do blocks, class.width = blocks + class.count, class.size end
  local images = layer.groups * layer.N
  local places = images * #cycles
  local fewest = math.min(blocks, ceil_div(8, places), math.max(1, layer.OC // 32))
  c.alternate, c.evenness = tasks.alternate(c.classes), 0
  local widths = tasks.widths(c.classes, c.alternate)
  for n = fewest, math.max(fewest, math.min(blocks, layer.OC // 32)) do
    local chunks, evenness = tasks.parts(blocks, n), 1
    local few = places * n <= 64 and widths
    if c.chunks and not few then break end
    if few then
      -- The transforms of windows take twice what is predicted (measured), beside the products of half the channels.
      local half = transforms / #cycles
      local shares, weights, windows = tasks.sizes(chunks, widths), {}, { tasks = n }
      for i = 1, places do
        windows[i] = half
        for k = 1, n do
          weights[#weights + 1] = (cycles[(i - 1) % #cycles + 1] + half) * shares[k] / ceil_div(layer.OC, isa.lanes)
        end
      end
      evenness = math.min(1, tasks.gain(weights, 2, windows) / FASTER)
    end
    if evenness > c.evenness + 0.005 then c.chunks, c.evenness = chunks, evenness end
    if c.evenness == 1 then break end
  end
  c.alternate = c.alternate and c.chunks.count > 1
end

--- Sorts candidates { cycles, tile, block, evenness }: the fastest first, but one that is nearly as fast and more even.
function products.order(list)
  table.sort(list, function(a, b)
    if a.cycles ~= b.cycles then return a.cycles < b.cycles end
    if a.tile ~= b.tile then return a.tile < b.tile end
    return a.block < b.block
  end)
  tasks.prefer_even(list, function(c) return c.evenness end)
  return list
end

--- Where blocks of some classes of output channels lie in packed weights: each has so many floats for an output.
-- Gives how many blocks and floats there are.
function products.lay_out(classes, isa, floats_of_output)
  local floats, blocks = 0, 0
  for _, class in ipairs(classes) do
    class.vectors, class.width, class.base, class.first = class.size, class.size * isa.lanes, floats, blocks
    class.first_output = classes[1].size * isa.lanes * blocks
    class.block_floats = class.width * floats_of_output
    floats, blocks = floats + class.count * class.block_floats, blocks + class.count
  end
  return blocks, floats
end

--- A list of numbers of tiles, each once, the most first.
function products.sizes(tiles)
  local seen, list = {}, {}
  for _, count in ipairs(tiles) do
    if not seen[count] then list[#list + 1] = count end
    seen[count] = true
  end
  table.sort(list, function(a, b) return a > b end)
  return list
end

--- What direct.c is told of a plan { product_sizes, classes, tile_in, tile_out, fetch_weights }: tiles are the pixels
-- of a row, nothing is known of borders. Sets plan.runs.
function products.plan(plan, channels, isa, c)
  local variants, by_pixels = {}, {}
  plan.runs = {} -- of each number of tiles: the segments of register tiles
  for _, size in ipairs(plan.product_sizes) do
    local segments, x = {}, 0
    for _, run in ipairs(axis.balanced(size, c.pixels)) do
      if not by_pixels[run.size] then
        local reads = {}
        for i = 1, run.size do reads[i] = i - 1 end
        by_pixels[run.size] = { index = run.size, units = run.size, pixels = run.size, reads = { reads },
          merged = false, steps = direct.unrolled(channels) }
        variants[#variants + 1] = by_pixels[run.size]
      end
      segments[#segments + 1] = { variant = by_pixels[run.size], x = x, count = run.count,
        pixels = run.size, origin = x }
      x = x + run.size * run.count
    end
    plan.runs[size] = segments
  end
  local classes = {}
  for i, class in ipairs(plan.classes) do
    classes[i] = { width = class.width, vectors = class.vectors, ragged = "never", tail = isa.lanes,
      variants = variants }
  end
  return {
    algorithm = "direct", mapping = "channels", no_bias = true, tiles_only = true, pixel_noun = "tile",
    tile_name = ("%dx%d"):format(c.pixels, c.vectors), ICg = channels, classes = classes,
    fetch_weights = plan.fetch_weights,
    input = { row = 0, pixel = plan.tile_in, channel = 1 }, output = { row = 0, pixel = plan.tile_out, channel = 1 },
  }
end

return products
