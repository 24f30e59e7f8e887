-- Pooling behind a convolution: its syntax, names, lists, the command line, plans.
-- SPDX-License-Identifier: MIT-0

local support = require "tests.spec.support"
local behind = require "behind"
local isa = require "isa"
local layer = require "layer"
local name = require "name"
local plan = require "plan"

local function make(after, changes)
  local fields = support.fields(changes)
  fields.after = after and assert(behind.parse(after))
  return layer.new(fields)
end

describe("what --then takes", function()
  it("is a window, a stride and a padding", function()
    for text, want in pairs({
      ["max:2x2"] = { "max", 3, 3, 2, 2, 0, 0 }, ["average:3/2"] = { "average", 2, 2, 2, 2, 0, 0 },
      ["max:3x2/2x1+1"] = { "max", 3, 7, 2, 1, 1, 1 }, ["max:3/2+same"] = { "max", 3, 3, 2, 2, 0, 1 },
      ["average:global"] = { "average", 1, 1, 6, 6, 0, 0 }, ["max:2/1+0,0,1,1"] = { "max", 6, 6, 1, 1, 0, 1 },
    }) do
      local l = assert(make(text)).after
      assert.are.same(want, { l.pool, l.OH, l.OW, l.stride_h, l.stride_w, l.pad_top, l.pad_bottom }, text)
    end
  end)

  it("is written as it was read", function()
    for _, text in ipairs({ "max:2x2", "average:3x3/2", "max:3x3/2x1+1", "average:2x3/1+0,1,1,0" }) do
      assert.are.equal(text, behind.text(assert(make(text)).after))
    end
  end)
end)

describe("a layer with pooling behind it", function()
  it("has the outputs of the last and the weights of the first", function()
    local l = assert(make("max:2x2"))
    assert.are.same({ 6, 6, 6, 3, 3 }, { l.OH, l.OW, l.after.IC, l.after.OH, l.after.OW })
    assert.are.same({ input = 256, weights = 216, bias = 6, output = 54 }, layer.counts(l))
  end)

  it("refuses what follows from the layer before", function()
    for _, field in ipairs({ "IH", "IC", "N", "layout" }) do
      local after = { pool = "max", KH = 2, KW = 2 }
      after[field] = 1
      local _, why, blamed = layer.new(support.fields({ after = after }))
      assert.are.equal("after", blamed)
      assert.is_truthy(why:find(field .. " follows", 1, true), why)
    end
  end)

  it("wants a pooling layer, behind a convolution", function()
    for _, after in ipairs({ "max", { KH = 2, KW = 2 }, { pool = "max" }, { pool = "max", KH = 2, KW = 2, OC = 3 } }) do
      local l, _, blamed = layer.new(support.fields({ after = after }))
      assert.is_nil(l)
      assert.are.equal("after", blamed)
    end
    local _, why = layer.new({ pool = "max", IH = 8, IW = 8, IC = 4, KH = 2, KW = 2, after = { pool = "max" } })
    assert.are.equal("after is not for pooling layers", why)
  end)

  it("has a name that is read back", function()
    local how = { algorithm = "fused", isa = "avx2" }
    for text, after in pairs({
      ["conv_f32_nhwc_3x3s1p0_8x8c4k6_max2x2s2p0_via_fused_avx2"] = "max:2x2",
      ["conv_f32_nhwc_3x3s1p0_8x8c4k6_avg3x3s2p1_via_fused_avx2"] = "average:3/2+1",
    }) do
      local l = assert(make(after))
      assert.are.equal(text, name.compose(l, how))
      local fields = assert(name.parse(text))
      assert.are.same(l, layer.new(fields))
    end
    local fields = name.parse("conv_f32_nhwc_3x3s1p0_8x8c4k6_ohwi_nobias_relu_max2x2s2p0_via_fused_avx2")
    assert.are.same({ "ohwi", false, "relu", "max" },
      { fields.weights, fields.bias, fields.activation, fields.after.pool })
    assert.is_nil((name.parse("conv_f32_nhwc_3x3s1p0_8x8c4k6_max2x2s2p0_relu_via_fused_avx2")))
  end)
end)

describe("a fused plan", function()
  local function planned(text, changes, options)
    options = options or {}
    options.accuracy = options.accuracy or "exact"
    return assert(plan.make(assert(make(text, changes)), isa.get("avx2"), options))
  end

  it("leaves out what no window reads", function()
    local made = planned("max:2x2/3", { IH = 11, IW = 12 }) -- a map of 9 x 10
    assert.are.same({ 8, 8 }, { made.map.layer.OH, made.map.layer.OW })
  end)

  it("keeps the rows that the next windows share", function()
    assert.are.equal(0, planned("max:2x2+1").kept)
    assert.are.equal(1, planned("max:3x3/2").kept)
    assert.are.equal(2, planned("max:3x3/1").kept)
  end)

  it("pools in registers where windows fit tiles", function()
    for text, fits in pairs({ ["max:2x2"] = true, ["average:2x2"] = true, ["max:2x2/1"] = false,
      ["max:2x2/3"] = false, ["max:3/2"] = false, ["average:2x2+1"] = false }) do
      assert.are.equal(fits, planned(text, { OC = 8 }).pool == nil, text)
    end
    assert.is_nil(planned("max:2x2", { layout = "nchw", OC = 8 }).pool)
    assert.is_truthy(planned("max:2x2", { IC = 8, OC = 8, groups = 8 }).pool)
    assert.is_truthy(planned("max:2x2", { IW = 500, IC = 9, KW = 90, pad = "same" }, { max_unroll = 8 }).pool)
  end)

  it("holds a tile's windows, or no more of the map than a near cache does", function()
    local vgg = { IH = 224, IW = 224, IC = 64, OC = 64, pad = "same" }
    assert.is_true(planned("max:2x2", vgg).workspace_floats <= 12 * 8)
    local made = planned("max:3x3/2", vgg)
    assert.are.same({ 1, 3, 3 * 223 * 64 }, { made.step, made.rows, made.workspace_floats })
    made = planned("max:3x3/2", { IH = 28, IW = 28, IC = 64, OC = 64, pad = "same" })
    assert.is_true(made.step == 1 and 4 * made.workspace_floats <= 32 * 1024)
  end)

  it("gives way to Winograd's tiles where they hold whole windows", function()
    local vgg = { IH = 56, IW = 56, IC = 64, OC = 64, pad = "same" }
    for text, algorithm in pairs({ ["max:2x2"] = "winograd", ["average:2x2"] = "winograd",
      ["max:3x3/2"] = "fused", ["max:2x2+1"] = "fused" }) do
      assert.are.equal(algorithm, planned(text, vgg, { accuracy = "fast" }).algorithm, text)
      assert.are.equal("fused", planned(text, vgg).algorithm, text)
      assert.is_truthy(plan.explain(planned(text, vgg, { accuracy = "fast" })):find("then pooling, "))
    end
    local made, why = plan.make(assert(make("max:3x3/2", vgg)), isa.get("avx2"), { algorithm = "winograd" })
    assert.is_nil(made)
    assert.is_truthy(why:find("whole windows"))
  end)

  it("lets the convolution's algorithm be chosen", function()
    local dw = { IC = 8, OC = 8, groups = 8 }
    assert.are.equal("depthwise", planned("max:2x2", dw).map.algorithm)
    assert.are.equal("direct", planned("max:2x2", dw, { algorithm = "direct" }).map.algorithm)
    assert.are.equal("fused", planned("max:2x2", dw, { algorithm = "fused" }).algorithm)
  end)
end)

describe("convgen with --then", function()
  before_each(support.enter)
  after_each(support.leave)

  it("writes one kernel", function()
    support.emit("--input 8x8x4 --filters 6 --kernel 3 --activation relu --then average:2x2 --isa scalar --name one")
    local header = support.read("one.h")
    for macro, value in pairs({ INPUT_COUNT = 256, WEIGHT_COUNT = 216, BIAS_COUNT = 6, OUTPUT_COUNT = 54,
      EXACT = 1, ALGORITHM = '"fused"' }) do
      assert.is_truthy(header:find(("\n#define one_%s %s\n"):format(macro, value), 1, true), macro)
    end
    assert.is_nil(header:find("WORKSPACE_BYTES 0\n", 1, true))
    assert.is_truthy(header:find("the average of windows of 2 x 2 pixels of relu(bias[6] + conv(", 1, true))
  end)

  it("says the command that writes the same again", function()
    for _, text in ipairs({ "--input 9x8x5 --filters 3 --kernel 3 --then max:3x3/2+1 --ceil --activation relu",
      "--problem ic4oc6ih9kh3 --then average:2 --include-pad --layout nchw",
      "--input 9x8x5 --groups depthwise --kernel 3 --pad same --then average:global" }) do
      support.emit(text .. " --isa sse2 --name again")
      local source = support.read("again.c")
      support.emit(source:match("convgen emit ([^\n]*)"))
      assert.are.equal(source, support.read("again.c"))
    end
  end)

  it("is the rule of a list, and a line's own the exception", function()
    support.write("list", 'mb1ic4oc6ih9kh3n"a" then max:2x2 # as the network has it\nmb1ic4oc6ih9kh3n"b"\n')
    support.emit("--layers list --then average:3/2 --isa scalar")
    assert.is_truthy(support.read("a.c"):find("--then max:2x2 ", 1, true))
    assert.is_truthy(support.read("b.c"):find("--then average:3x3/2 ", 1, true))
    support.emit("--layers list --isa scalar")
    assert.is_nil(support.read("b.c"):find("--then", 1, true))
  end)

  it("explains both halves", function()
    local status, out = support.run(support.words(
      "explain --isa avx512 --input 9x9x4 --filters 32 --kernel 3 --then max:3x3/2 --layout nchw"))
    assert.are.equal(0, status)
    for _, part in ipairs({ "fused: direct", "then pooling", "regions of the convolution",
      "regions of the pooling", "1 of its rows kept" }) do
      assert.is_truthy(out:find(part, 1, true), part)
    end
  end)
end)
