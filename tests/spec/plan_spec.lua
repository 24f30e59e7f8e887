-- SPDX-License-Identifier: MIT-0
require "tests.spec.support"
local axis = require "plan.axis"
local isa = require "isa"
local layer = require "layer"
local one_row = require "plan.one_row"
local plan = require "plan"
local profile = require "profile"
local tasks = require "plan.tasks"

-- The plan of a layer (fields, those of a square 3x3 one being the default) for AVX-512 or another set, on a
-- processor of gen/processors or one like most, perhaps by an algorithm.
local function planned(fields, set, processor, algorithm)
  local all = { IH = 14, IW = 14, IC = 16, OC = 16, KH = 3, KW = 3, pad = "same" }
  for name, value in pairs(fields) do all[name] = value end
  local options = { algorithm = algorithm or "auto", accuracy = "fast" }
  options.costs = processor and assert(profile.open(processor)):costs_of(set)
  return (assert(plan.make(assert(layer.new(all)), isa.get(set or "avx512"), options)))
end

-- That of a depthwise layer, `more` being its other fields.
local function depthwise(size, channels, more, set)
  local fields = { IH = size, IW = size, IC = channels, OC = channels, groups = channels }
  for name, value in pairs(more) do fields[name] = value end
  return planned(fields, set)
end

describe("a depthwise plan", function()
  local function fetches(size, channels, set, layout)
    return depthwise(size, channels, { layout = layout }, set).fetch_output
  end

  it("lets chunks of channels take turns in each row where images lie beyond the second level", function()
    local far, near = depthwise(33, 960, {}), depthwise(14, 512, {})
    assert.are.same({ true, far.row_tiles, far.outer.count * far.row_tiles },
      { far.chunks_first, far.bands.count, far.tasks })
    assert.are.same({ 2, nil }, { near.outer.count, near.chunks_first })
  end)
  it("fetches the lines that it will store where that is late, and not in the way", function()
    assert.is_true(fetches(14, 116)) -- stores lie across lines
    assert.is_true(fetches(56, 128)) -- lines come from beyond the second level
    assert.is_true(fetches(112, 32, nil, "nchw"))
    assert.is_true(fetches(28, 256)) -- the first level has room for all of a tile
    assert.is_true(fetches(5, 1024)) -- and none for what neighbours share
    assert.is_false(fetches(14, 512)) -- just for that
    assert.is_false(fetches(28, 58, nil, "nchw"))
    assert.is_false(fetches(33, 960, "sse2"))
  end)
  it("rolls down many rows where few of them live at a time and others would load lines again", function()
    local made = depthwise(7, 1024, {})
    assert.are.same({ "7x7", true, false, 21 },
      { made.tile_name, made.rolling, made.fetch_output, made.accumulators })
    assert.are.same({ 1, 64 }, { made.outer.chunk, made.outer.count }) -- a vector after the other
    assert.is_falsy(depthwise(14, 116, {}).rolling)
  end)
end)

describe("a depthwise tile", function()
  local function tile(size, channels, filter, stride, set)
    local more = { KH = filter, KW = filter, stride_h = stride, stride_w = stride }
    return depthwise(size, channels, more, set).tile_name
  end

  it("has so many sums that the many taps of a filter need not wait for each other", function()
    assert.are.same({ "2x4", "1x7" }, { tile(56, 72, 5, 2), tile(56, 72, 5, 2, "avx2") })
    assert.are.same("2x7", tile(7, 960, 5, 1))
  end)
  it("has few where those of the next channels are begun meanwhile", function()
    assert.are.same("2x2", tile(28, 240, 3, 2, "avx2"))
  end)
  it("has two vectors side by side where lines of neighbouring pixels are in few sets of the cache", function()
    assert.are.same({ "7x2x2", "7x2x2" }, { tile(14, 512, 3, 2, "avx2"), tile(14, 512, 3, 2, "sse2") })
    assert.are.equal("2x1", tile(14, 512, 3, 2)) -- of AVX-512 a line is one vector
    local made = depthwise(7, 1024, {}, "avx2")
    assert.are.same({ 16, 64, "one", true }, { made.width, made.outer.blocks, made.held, made.rolling })
  end)
end)

describe("a depthwise plan of planes", function()
  -- The mapping of its best tile.
  local function mapping(size, channels, filter, stride, set, more)
    local fields = { KH = filter, KW = filter, stride_h = stride, stride_w = stride, layout = "nchw" }
    for name, value in pairs(more or {}) do fields[name] = value end
    return depthwise(size, channels, fields, set).candidates[1].mapping
  end

  it("copies small maps to where channels are neighbours", function()
    assert.are.equal("transposed", mapping(7, 768, 7, 1))
    assert.are.equal("transposed", mapping(14, 512, 3, 2))
    assert.are.equal("pixels", mapping(28, 256, 3, 2))
    assert.are.equal("pixels", mapping(14, 512, 3, 1))
    assert.are.equal("transposed", mapping(28, 192, 7, 1, "avx2"))
    assert.are.equal("pixels", mapping(7, 768, 7, 1, "scalar"))
    assert.are.equal("pixels", mapping(7, 16, 7, 1, nil, { OC = 32 })) -- two outputs of each channel
    assert.are.equal("pixels", mapping(1, 768, 7, 1)) -- less than four pixels
  end)
  it("has a task for each vector of channels of an image, and room for its copies", function()
    local made = depthwise(7, 100, { KH = 7, KW = 7, stride_h = 2, stride_w = 2, N = 3, layout = "nchw" })
    assert.are.same({ 21, (49 + 16) * 16, 7 * 16 * 50 }, { made.tasks, made.workspace_floats, made.packed_floats })
    local dense = depthwise(7, 100, { KH = 7, KW = 7, layout = "nchw" }) -- written to where was what has been read
    assert.are.same({ "2x7", ((3 + 2) * 7 + 49) * 16 }, { dense.tile_name, dense.workspace_floats })
  end)
end)

describe("a direct plan", function()
  it("takes two groups of a vector each where pixels would share sets of the first-level cache", function()
    local grouped = { IH = 28, IW = 28, IC = 512, OC = 512, groups = 32, stride_h = 2, stride_w = 2 }
    local made = planned(grouped)
    assert.are.same({ "groups", "7x2" }, { made.mapping, made.tile_name })
    grouped.IC, grouped.OC, grouped.groups = 480, 480, 30
    assert.are.equal("channels", planned(grouped).mapping)
  end)
  it("interleaves groups by a copy where permutations take the place of multiply-adds", function()
    local function sets(size, channels, costs)
      local l = assert(layer.new { IH = size, IW = size, IC = channels, OC = channels, groups = 32, KH = 3, KW = 3,
        pad = "same" })
      local made = plan.make(l, isa.get("avx512"), { algorithm = "direct", costs = costs })
      return made.planar and made.planar.sets
    end
    assert.are.same({ 2, 4, 8 }, { sets(28, 256, { arithmetic = 2 }), sets(28, 128, { arithmetic = 2 }),
      sets(28, 64, { arithmetic = 2 }) })
    assert.is_nil(sets(28, 256))
    assert.is_nil(sets(28, 512, { arithmetic = 2 })) -- a vector each
    assert.is_nil(sets(112, 128, { arithmetic = 2, l3_stream = 7 })) -- from beyond the second level
  end)
  it("passes over the groups of some rows one after the other, where the weights of all stay", function()
    local grouped = { IH = 56, IW = 56, IC = 256, OC = 256, groups = 4, stride_h = 2, stride_w = 2, KH = 1, KW = 1 }
    assert.is_true(planned(grouped).groups_first)
    grouped.layout = "nchw"
    assert.is_false(planned(grouped).groups_first)
    grouped.layout, grouped.IC, grouped.OC = "nhwc", 2048, 2048
    assert.is_false(planned(grouped).groups_first)
  end)
  it("is for groups of few channels with a stride, whose windows are strewn", function()
    local grouped = { IH = 56, IW = 56, IC = 256, OC = 256, groups = 16, stride_h = 2, stride_w = 2 }
    assert.are.equal("direct", planned(grouped).algorithm)
    grouped.stride_h, grouped.stride_w = 1, 1
    assert.are.equal("winograd", planned(grouped).algorithm)
  end)
  it("has no groups in a single lane", function()
    assert.are.equal("channels", planned({ IH = 2, IW = 2, IC = 14, OC = 2, groups = 2 }, "scalar").mapping)
  end)

  it("has few sums where its tile overlaps the next one, and several vectors where the image passes", function()
    local function tile(IH, IC, OC, filter, processor)
      local fields = { IH = IH, IW = IH, IC = IC, OC = OC, KH = filter, KW = filter }
      return planned(fields, "avx2", processor, "direct").tile_name
    end
    assert.are.same({ "6x2", "4x2" }, { tile(112, 32, 64, 1), tile(112, 32, 64, 1, "zen3") })
    assert.are.equal("4x2", tile(224, 3, 64, 3, "zen3")) -- lines in the memory
    assert.are.same({ "6x2", "2x4" }, { tile(208, 64, 32, 1), tile(208, 64, 32, 1, "zen3") })
    assert.are.equal("4x3", tile(14, 512, 512, 1, "zen3")) -- weights that the first level does not hold
  end)
  it("has so many sums that several taps of each need not wait for each other", function()
    local fields = { IH = 32, IW = 32, IC = 16, OC = 16, KH = 3, KW = 3, pad = "same", layout = "nchw" }
    local made = assert(plan.make(assert(layer.new(fields)), isa.get "avx2", { algorithm = "direct" }))
    assert.is_true(made.accumulators > 8)
  end)
  it("is not for planes whose lines the second level does not hold for the next tile", function()
    local made = planned({ IH = 33, IW = 33, IC = 2048, OC = 256, dilation_h = 6, dilation_w = 6,
      layout = "nchw" }, "avx2", "zen3")
    assert.are.equal("winograd", made.algorithm)
  end)
  it("keeps the weights of each output apart where they pass once, from the memory", function()
    local function apart(size, inputs, outputs, processor)
      return planned({ IH = size, IW = size, IC = inputs, OC = outputs, KH = size, KW = size, pad = "valid" }, "avx2",
        processor).apart or false
    end
    assert.is_true(apart(7, 512, 512, "zen3"))
    assert.is_false(apart(7, 512, 512))
    assert.is_false(apart(1, 512, 1000, "zen3")) -- from the last level
  end)
  it("passes over heavy weights once a band where the image would be read in short pieces", function()
    local function bands_of(IH, IC, OC, filter)
      return planned({ IH = IH, IW = IH, IC = IC, OC = OC, KH = filter, KW = filter, stride_h = filter,
        stride_w = filter, pad = "valid" }, "avx2", "zen3").bands.count
    end
    assert.are.equal(14, bands_of(224, 3, 768, 16))
    assert.are.equal(1, bands_of(28, 192, 384, 2))
  end)
  it("counts what borders cost that are single pixels", function()
    local made = planned { IH = 1, IW = 800, IC = 128, OC = 128, KH = 1, KW = 15 }
    for _, segment in ipairs(made.classes[1].segments) do assert.is_nil(segment.border) end
  end)

  it("sees a small map as one row", function()
    local made = planned { IH = 5, IW = 5, IC = 128, OC = 256, pad = "valid" }
    assert.are.equal(9, made.seen.OW)
    assert.are.equal("5x4", made.tile_name)
    assert.is_nil(planned { IH = 20, IW = 20, IC = 3, OC = 10 }.seen)
  end)

  -- Where a 1x1 filter of an image reads from, and how: from planes of how many floats, in rows of how many pixels.
  local function gathered(size, inputs, outputs, stride, layout)
    local made = planned({ IH = size, IW = size, IC = inputs, OC = outputs, KH = 1, KW = 1, stride_h = stride,
      stride_w = stride, layout = layout or "nchw" }, nil, nil, "direct")
    local copy = made.planar
    return copy and { copy.channel, made.geometry.OW, copy.pieces }
  end

  it("gathers the pixels of a stride, and those of planes that share sets of the caches", function()
    assert.are.same({ 9 * 16, 4 * 28, 4 }, gathered(56, 256, 512, 2))
    assert.are.same({ 5 * 16, 64, 1 }, gathered(32, 640, 640, 1)) -- planes of a page
    assert.is_nil(gathered(28, 512, 256, 1))
    assert.is_nil(gathered(32, 128, 128, 1))
    assert.is_nil(gathered(56, 256, 512, 2, "nhwc"))
  end)

  it("reads whole lines of planes where pixels are in the lanes", function()
    local function pointwise(inputs, outputs, processor)
      return planned({ IH = 28, IW = 28, IC = inputs, OC = outputs, KH = 1, KW = 1, layout = "nchw" }, "avx2",
        processor, "direct")
    end
    local made = pointwise(256, 256)
    assert.are.same({ "pixels", 112 }, { made.mapping, made.geometry.OW }) -- 14 rows of 56 would be as even
    assert.are.equal("2x6", pointwise(128, 512).tile_name) -- three vectors are a line and a half
    assert.is_table(pointwise(512, 128, "zen3").planar) -- no room for two rows beside the weights
    assert.is_nil(pointwise(512, 128).planar)
  end)

  it("gathers pixels of many planes that vectors cross lines of, or that come from the memory", function()
    local function copied(size, inputs, outputs, processor)
      return planned({ IH = size, IW = size, IC = inputs, OC = outputs, KH = 1, KW = 1, layout = "nchw" }, "avx2",
        processor, "direct").planar ~= nil
    end
    assert.is_true(copied(35, 192, 64, "zen3"))
    assert.is_true(copied(96, 64, 32, "zen3")) -- whole pages
    assert.is_true(copied(208, 64, 32, "zen3")) -- 11 MB
    assert.is_false(copied(56, 64, 256, "zen3")) -- whole lines
    assert.is_false(copied(35, 24, 64, "zen3")) -- few planes
    assert.is_false(copied(17, 192, 64, "zen3")) -- they stay in the second level
    assert.is_false(copied(35, 192, 64))
  end)

  it("sums a part of many channels at a time of small planes, where weights are heavy", function()
    local function parts(size, inputs, outputs, set, layout)
      local made = planned({ IH = size, IW = size, IC = inputs, OC = outputs, KH = 1, KW = 1,
        layout = layout or "nchw" }, set or "avx2", nil, "direct")
      return made.parts and { made.parts.count, made.parts.channels, made.geometry.OH }
    end
    assert.are.same({ 8, 128, 1 }, parts(7, 1024, 1024))
    assert.are.same({ 8, 120, 1 }, parts(7, 960, 320))
    assert.is_nil(parts(7, 1031, 1024)) -- a prime number
    assert.is_nil(parts(7, 1024, 128)) -- light weights
    assert.are.same({ 8, 128, 3 }, parts(14, 1024, 512)) -- rows of 78 pixels, and of 40
    assert.are.same({ 4, 128, 3 }, parts(13, 512, 1000)) -- parts of lines
    assert.is_nil(parts(28, 512, 1024)) -- large planes
    assert.is_nil(parts(1, 2048, 1000)) -- one tile, which uses all once
    assert.is_nil(parts(7, 1024, 1024, "avx512"))
    assert.is_nil(parts(7, 1024, 1024, nil, "nhwc"))
  end)

  it("sees an image of planes that the filter covers as one pixel", function()
    local function channels(fields)
      local all = { IH = 4, IW = 3, IC = 100, OC = 40, KH = 4, KW = 3, pad = "valid", layout = "nchw" }
      for name, value in pairs(fields or {}) do all[name] = value end
      local seen = planned(all).seen
      return seen and seen.whole and seen.IC
    end
    assert.are.equal(1200, channels())
    assert.are.equal(100, channels { IH = 1, IW = 1, KH = 1, KW = 1, weights = "hwio" })
    assert.is_nil(channels { weights = "ohwi" }) -- another order
    assert.is_nil(channels { KW = 2, IW = 2, groups = 2 })
    assert.is_nil(channels { IH = 5 })
    assert.is_nil(channels { pad = "same" })
    assert.is_nil(channels { IH = 7, KH = 4, dilation_h = 2 })
    assert.is_nil(channels { layout = "nhwc" })
  end)

  it("fetches the next band of planes where it comes from beyond the caches, and there is time for it", function()
    local function fetched(size, inputs, outputs, stride)
      local fetch = planned { IH = size, IW = size, IC = inputs, OC = outputs, KH = 1, KW = 1, stride_h = stride or 1,
        stride_w = stride or 1, layout = "nchw" }.fetch_bands
      if not fetch then return nil end
      local turns = 1
      for _, turn in ipairs(fetch.turns) do turns = turns * turn.count end
      return { fetch.count, turns }
    end
    assert.are.same({ 2, 4 }, fetched(56, 256, 64)) -- six blocks take four turns
    assert.is_table(fetched(56, 256, 512, 2)) -- gathered
    assert.is_nil(fetched(28, 64, 64))
    assert.is_nil(fetched(128, 64, 2))
    assert.is_nil(fetched(32, 640, 640)) -- planes of a page
  end)

  it("passes heavy weights a few times where pixels are gathered, and as often as need be", function()
    local heavy = planned({ IH = 32, IW = 32, IC = 640, OC = 640, KH = 1, KW = 1, layout = "nchw" }, nil, nil, "direct")
    assert.is_true(heavy.bands.count <= 8 and heavy.chunks.count > 1 and heavy.chunks_first)
  end)
end)

describe("a map as one row", function()
  local map = assert(layer.new { IH = 5, IW = 7, IC = 1, OC = 1, KH = 3, KW = 2, stride_h = 2, stride_w = 3,
    pad_top = 1, pad_left = 1, pad_bottom = 1, pad_right = 1, dilation_h = 1, dilation_w = 2 })

  it("reads what the map reads", function()
    local row = one_row(map)
    local _, columns = axis.of(row)
    assert.are.same({ 1, 6, 1, 35, 1, map.OH * map.OW }, { row.KH, row.KW, row.IH, row.IW, row.OH, row.OW })
    local inside = 0
    for o = 0, row.OW - 1 do
      for k = 0, row.KW - 1 do
        local y = o // map.OW * 2 - 1 + k // 2
        local x = o % map.OW * 3 - 1 + k % 2 * 2
        local there = y >= 0 and y < 5 and x >= 0 and x < 7
        inside = inside + (there and 1 or 0)
        assert.are.equal(there and y * 7 + x, axis.place(columns, o, k))
      end
    end
    assert.are.equal(inside / (row.OW * row.KW), axis.inside(columns))
  end)

  it("is of few pixels, and of several rows", function()
    local function of(height, width)
      return one_row(assert(layer.new { IH = height, IW = width, IC = 1, OC = 1, KH = 1, KW = 1 }))
    end
    assert.is_nil(of(1, 64))
    assert.is_nil(of(5, 13))
    assert.is_table(of(4, 16))
  end)
end)

describe("a plan of Winograd's", function()
  it("has blocks of elements beyond the second level where its weights come from the memory", function()
    local made = planned({ IH = 56, IW = 56, IC = 1024, OC = 512, pad = "valid" }, "avx2", "zen3")
    assert.are.equal("winograd", made.algorithm)
    assert.is_true(made.row_cut.count * made.column_cut.count <= 4)
    assert.is_true(4 * made.workspace_floats > 8 * 512 * 1024)
  end)
end)

describe("a plan of Strassen's", function()
  local function chosen(IH, IC, OC, layout)
    local fields = { IH = IH, IW = IH, IC = IC, OC = OC, KH = 1, KW = 1, layout = layout }
    return planned(fields, "avx2", "zen3").algorithm
  end

  it("is of many channels", function()
    assert.are.equal("strassen", chosen(14, 1024, 256))
    assert.are.equal("strassen", chosen(7, 2048, 512, "nchw"))
    assert.are.equal("strassen", chosen(13, 1024, 255, "nchw"))
    assert.are.equal("direct", chosen(56, 256, 64))
    assert.are.equal("direct", chosen(112, 32, 64))
    assert.are.equal("direct", chosen(14, 1023, 256))
  end)

  it("has blocks of two pairs or more, of planes of a vector of pixels at least", function()
    for _, layout in ipairs { "nhwc", "nchw" } do
      for width = 8, 60 do
        local made = planned({ IH = 1, IW = width, IC = 2048, OC = 64, KH = 1, KW = 1, layout = layout }, "avx2", nil,
          "strassen")
        for _, pairs_of in ipairs(tasks.sizes(made.column_cut)) do
          assert.is_true(pairs_of >= 2 and (layout == "nhwc" or 2 * pairs_of - width % 2 >= 8))
        end
      end
    end
  end)

  it("is as accurate as 'high' is", function()
    local wide = assert(layer.new { IH = 14, IW = 14, IC = 512, OC = 64, KH = 1, KW = 1 })
    assert.is_table(plan.make(wide, isa.get "avx2", { algorithm = "strassen", accuracy = "high" }))
    assert.is_nil((plan.make(wide, isa.get "avx2", { algorithm = "strassen", accuracy = "exact" })))
  end)
end)
