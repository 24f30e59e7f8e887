-- SPDX-License-Identifier: MIT-0
local support = require "tests.spec.support"
local batch = require "import.batch"
local isas = require "isa"
local layer = require "layer"
local plan = require "plan"
local tasks = require "plan.tasks"
local tiles = require "plan.tiles"

local LONG = 350000 -- cycles, some 100 us

-- The multiply-adds of each task, but for a factor.
local function work_of(made)
  local images, groups, list = {}, {}, {}
  for i = 1, made.geometry.N do images[i] = 1 end
  for i = 1, made.group_count or 1 do groups[i] = 1 end
  if made.algorithm == "winograd" then
    for _, rows in ipairs(tiles.parts(made.tiles_h, made.row_cut)) do
      for _, columns in ipairs(tiles.parts(made.tiles_w, made.column_cut)) do
        local products = 0
        for _, group in ipairs(tiles.groups(made.h, made.w, rows, columns)) do
          products = products + group.elements * group.tiles
        end
        list[#list + 1] = products
      end
    end
    list = tasks.pairs(list, tasks.sizes(made.chunks, tasks.widths(made.classes, made.alternate)))
  elseif made.algorithm == "strassen" then
    list = tasks.pairs(tasks.sizes(made.column_cut),
      tasks.sizes(made.chunks, tasks.widths(made.classes, made.alternate)))
  elseif made.algorithm == "direct" then
    local chunks = tasks.sizes(made.chunks, tasks.widths(made.classes, made.alternate))
    local bands = tasks.sizes(made.bands)
    list = made.chunks_first and tasks.pairs(bands, chunks) or tasks.pairs(chunks, bands)
  else
    for i = 1, made.outer.count do list[i] = 1 end
    local bands = tasks.sizes(made.bands)
    list = made.chunks_first and tasks.pairs(bands, list) or tasks.pairs(list, bands)
  end
  list = tasks.pairs(images, made.groups_first and tasks.pairs(list, groups) or tasks.pairs(groups, list))
  assert.are.equal(made.tasks, #list)
  return list
end

-- The layers of a list, and their plans.
local function plans(list, isa, layout, algorithm)
  local out = {}
  for _, entry in ipairs(assert(batch.read(("%sbench/layers/%s.txt"):format(support.root, list)))) do
    local fields = { layout = layout }
    for key, value in pairs(entry.fields) do fields[key] = fields[key] or value end
    out[entry.name] = assert(plan.make(assert(layer.new(fields)), isas.get(isa), { algorithm = algorithm }))
  end
  return out
end

describe("tasks", function()
  it("are parts of which halves are halves", function()
    for total = 1, 60 do
      for count = 1, total do
        local parts = tasks.parts(total, count)
        local sizes, sum, half = tasks.sizes(parts), 0, 0
        for i, size in ipairs(sizes) do
          assert.is_true(size >= total // count and size <= parts.most and parts.most <= -(-total // count))
          sum = sum + size
          if i <= count // 2 then half = sum end
        end
        assert.are.equal(total, sum)
        assert.are.equal(count, #sizes)
        if count % 2 == 0 then assert.is_true(math.abs(total - 2 * half) <= 1) end
      end
    end
  end)

  it("are as fast as the slowest thread", function()
    assert.are.equal(2, tasks.gain({ 1, 1, 1, 1 }, 2))
    assert.are.equal(1.75, tasks.gain({ 1, 1, 1, 1, 1, 1, 1 }, 2))
    assert.are.equal(1.5, tasks.gain({ 1, 1, 1 }, 2))
    assert.are.equal(1, tasks.gain({ 1 }, 4))
    -- One place of two tasks: both threads do what comes before.
    assert.are.equal(1.5, tasks.gain({ 1, 1 }, 2, { tasks = 2, 1 }))
    assert.are.equal(2, tasks.gain({ 1, 1, 1, 1 }, 2, { tasks = 2, 1, 1 }))
  end)

  it("let blocks of two classes take turns", function()
    assert.is_true(tasks.alternate { { width = 3, count = 4 }, { width = 2, count = 2 } })
    assert.is_false(tasks.alternate { { width = 3, count = 4 }, { width = 2, count = 1 } })
    assert.is_false(tasks.alternate { { width = 3, count = 4 } })
    local classes = { { width = 3, count = 4 }, { width = 2, count = 2 } }
    assert.are.same({ 3, 3, 2, 3, 3, 2 }, tasks.widths(classes, true))
    assert.are.same({ 3, 3, 3, 3, 2, 2 }, tasks.widths(classes))
  end)

  for _, isa in ipairs { "avx512", "avx2" } do
    for _, layout in ipairs { "nhwc", "nchw" } do
      it(("of real layers are even for two threads: %s, %s"):format(isa, layout), function()
        local long = 0
        for _, list in ipairs { "resnet50", "vgg16", "mobilenet_v1", "small" } do
          for _, algorithm in ipairs { "auto", "direct" } do
            for name, made in pairs(plans(list, isa, layout, algorithm)) do
              local wanted = made.algorithm == "winograd" and 1.85 or 1.95
              local gain = tasks.gain(work_of(made), 2)
              if made.cycles >= LONG then
                long = long + 1
                assert.is_true(gain >= wanted, ("%s/%s, %s %s: %d tasks, two threads are %.3f times as fast"):format(
                  list, name, made.algorithm, made.tile_name, made.tasks, gain))
              end
            end
          end
        end
        assert.is_true(long > 60)
      end)
    end
  end
end)
