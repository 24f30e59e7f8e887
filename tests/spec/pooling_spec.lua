-- Pooling layers: sizes as ONNX and PyTorch have them, names, descriptors, the command line.
-- The layers named test_* are ONNX's own.
-- SPDX-License-Identifier: MIT-0

local support = require "tests.spec.support"
local benchdnn = require "import.benchdnn"
local isa = require "isa"
local layer = require "layer"
local name = require "name"
local plan = require "plan"
local pooling = require "pooling"

local function make(changes)
  local fields = { pool = "max", IH = 8, IW = 8, IC = 4, KH = 3, KW = 3 }
  for key, value in next, changes do fields[key] = value end
  return layer.new(fields)
end

-- A square one: size of the input, kernel, stride, padding, dilation, further fields.
local function square(size, kernel, stride, pad, dilation, more)
  local fields = { IH = size, IW = size, KH = kernel, KW = kernel, stride_h = stride,
    stride_w = stride, dilation_h = dilation, dilation_w = dilation }
  for _, side in ipairs({ "top", "left", "bottom", "right" }) do fields["pad_" .. side] = pad end
  for key, value in next, more or {} do fields[key] = value end
  return make(fields)
end

describe("a pooling layer", function()
  it("has as many outputs as channels, and nothing to pack", function()
    local l = assert(make({}))
    assert.are.same({ 4, 4, false, "max" }, { l.OC, l.groups, l.bias, l.pool })
    local counts = layer.counts(l)
    assert.are.same({ input = 256, weights = 0, bias = 0, output = 16 }, counts)
  end)

  it("has its kernel for a stride unless given", function()
    local l = assert(make({ IH = 9, KH = 3, KW = 2 }))
    assert.are.same({ 3, 2, 3, 4 }, { l.stride_h, l.stride_w, l.OH, l.OW })
    assert.are.equal(6, assert(make({ stride_h = 1 })).OH)
  end)

  it("rounds its size as ONNX does", function()
    for id, case in pairs({
      test_maxpool_2d_default = { square(32, 2, 1), 31 },
      test_maxpool_2d_pads = { square(28, 3, 1, 2), 30 },
      test_maxpool_2d_strides = { square(32, 5, 3), 10 },
      test_maxpool_2d_dilations = { square(4, 2, 1, 0, 2), 2 },
      test_maxpool_2d_ceil = { square(4, 3, 2, 0, 1, { ceil = true }), 2 },
      test_maxpool_2d_ceil_output_size_reduce_by_one =
        { square(2, 1, 2, 0, 1, { ceil = true }), 1 },
      test_averagepool_2d_ceil_last_window_starts_on_pad = { square(2, 3, 3, 1, 1,
        { pool = "average", ceil = true, include_pad = true }), 1 },
      test_averagepool_3d_dilations_large_floor = { square(32, 5, 3, 0, 2, { pool = "average" }), 8 },
      test_averagepool_3d_dilations_large_ceil =
        { square(32, 5, 3, 0, 2, { pool = "average", ceil = true }), 9 },
      window_larger_than_the_padded_input = { square(2, 3, 2, 0, 1, { ceil = true }), 1 },
    }) do
      assert.is_truthy(case[1], id)
      assert.are.same({ case[2], case[2] }, { case[1].OH, case[1].OW }, id)
    end
  end)

  it("takes 'same' padding", function()
    local l = assert(make({ IH = 5, IW = 5, stride_h = 2, stride_w = 2, pad = "same" }))
    assert.are.same({ 3, 1, 1 }, { l.OH, l.pad_top, l.pad_bottom })
    l = assert(make({ IH = 32, KH = 2, stride_h = 1, pad = "same-lower" }))
    assert.are.same({ 32, 1, 0 }, { l.OH, l.pad_top, l.pad_bottom })
  end)

  it("may be global", function()
    local l = assert(layer.new({ pool = "average", global = true, IH = 7, IW = 5, IC = 3 }))
    assert.are.same({ 7, 5, 1, 1 }, { l.KH, l.KW, l.OH, l.OW })
    for _, field in ipairs({ "KH", "KW", "stride_h", "stride_w", "dilation_h", "dilation_w",
      "pad_top", "pad_left", "pad_bottom", "pad_right" }) do
      local _, why, blamed = layer.new({ pool = "max", global = true, IH = 7, IW = 5, IC = 3,
        [field] = 1 })
      assert.are.equal(field, blamed)
      assert.is_truthy(why:find("global", 1, true))
    end
  end)

  it("refuses what other layers have, and they what it has", function()
    for field, value in pairs({ OC = 4, groups = 4, weights = "oihw", bias = false,
      activation = "relu" }) do
      local _, why, blamed = make({ [field] = value })
      assert.are.equal(field, blamed)
      assert.are.equal(field .. " is not for pooling layers", why)
    end
    for _, field in ipairs({ "ceil", "include_pad", "global" }) do
      local _, why, blamed = layer.new(support.fields({ [field] = true }))
      assert.are.equal(field, blamed)
      assert.is_truthy(why:find("is for pooling layers", 1, true))
      _, why = make({ [field] = 1 })
      assert.are.equal(field .. " must be true or false, got 1", why)
    end
    local _, why = make({ pool = "maximum" })
    assert.are.equal("pool must be max or average, got 'maximum'", why)
    _, why = make({ pool = "averge" })
    assert.is_truthy(why:find("did you mean 'average'?", 1, true))
    assert.is_nil((make({ include_pad = true })))
  end)

  it("refuses windows that hold no pixel, unless padding counts", function()
    assert.is_nil((square(4, 2, 1, 2, 1, { pool = "average" })))
    assert.is_nil((square(1, 2, 1, 1, 3)))
    local _, why, field = square(4, 2, 3, 2)
    assert.are.equal("pad_top", field)
    assert.is_truthy(why:find("along H lies wholly in the padding, so it has no maximum", 1, true), why)
    _, why, field = make({ pool = "average", pad_right = 9, stride_w = 1 })
    assert.are.equal("pad_left", field)
    assert.is_truthy(why:find("no average", 1, true), why)
    assert.is_truthy(square(4, 2, 3, 2, 1, { pool = "average", include_pad = true }))
  end)

  it("finds windows without a pixel as looking at each does", function()
    local function looking(a)
      for o = 0, a.out - 1 do
        local some = false
        for k = 0, a.taps - 1 do
          local at = o * a.stride - a.pad + k * a.dilation
          some = some or at >= 0 and at < a.size
        end
        if not some then return true end
      end
      return false
    end
    for size = 1, 5 do
      for taps = 1, 3 do
        for dilation = 1, 6 do
          for stride = 1, 4 do
            for pad = 0, 7 do
              for out = 1, 6 do
                local a = { out = out, size = size, taps = taps, stride = stride, pad = pad,
                  dilation = dilation }
                assert(looking(a) == (pooling.empty_window(a) ~= nil))
              end
            end
          end
        end
      end
    end
    -- long axes are no reason to take long
    local a = { out = 1 << 30, size = 1, taps = 1 << 30, stride = 1, pad = (1 << 30) - 1, dilation = 1 }
    assert.is_nil(pooling.empty_window(a))
    a.taps, a.dilation, a.size = 1 << 15, 1 << 15, 1 << 14
    assert.is_truthy(pooling.empty_window(a))
  end)

  it("is kept within the limits", function()
    local _, why = layer.new({ pool = "max", IH = 40000, IW = 40000, IC = 1, KH = 60000, KW = 60000,
      pad_top = 20000, pad_left = 20000 })
    assert.is_truthy(why:find("2147483647", 1, true), why)
  end)
end)

describe("the name of a pooling kernel", function()
  local how = { algorithm = "pooling", isa = "avx2", tile = "2x4" }

  it("says what the kernel is, and is read back", function()
    for text, fields in pairs({
      ["pool_f32_nhwc_max3x3s3p0_8x8c4_via_pooling_avx2_2x4"] = {},
      ["pool_f32_nchw_avg3x2s2x1p1d2_8x9c4n3_via_pooling_avx2_2x4"] = { pool = "average", KW = 2,
        IW = 9, N = 3, stride_h = 2, stride_w = 1, pad_top = 1, pad_left = 1, pad_bottom = 1,
        pad_right = 1, dilation_h = 2, dilation_w = 2, layout = "nchw" },
      ["pool_f32_nhwc_avgpad3x3s2p0x1x2x0ceil_8x8c1_via_pooling_avx2"] = { pool = "average",
        include_pad = true, ceil = true, stride_h = 2, stride_w = 2, pad_left = 1, pad_bottom = 2,
        IC = 1 },
    }) do
      local l = assert(make(fields))
      assert.are.equal(text, name.compose(l, how))
      local parsed, tail = assert(name.parse(text))
      assert.are.same({ "pooling", "avx2", text:match("2x4$") },
        { tail.algorithm, tail.isa, tail.tile })
      assert.are.same(l, assert(layer.new(parsed)))
    end
  end)

  it("is nothing else", function()
    for _, text in ipairs({ "pool_f32_nhwc_3x3s3p0_8x8c4_via_pooling_avx2",
      "pool_f32_nhwc_min3x3s3p0_8x8c4_via_pooling_avx2",
      "pool_f32_nhwc_max3x3s3p0_8x8c4k4_via_pooling_avx2",
      "pool_f32_nhwc_max3x3s3p0_8x8c4_relu_via_pooling_avx2",
      "pool_f32_nhwc_max3x3s3p0g4_8x8c4_via_pooling_avx2",
      "conv_f32_nhwc_max3x3s3p0_8x8c4_via_pooling_avx2" }) do
      assert.is_nil((name.parse(text)), text)
    end
  end)
end)

describe("a descriptor of pooling", function()
  it("has neither groups nor output channels", function()
    local entry = assert(benchdnn.parse('mb3_ic8ih7oh3kh3sh2n"p"', {}))
    local f = entry.fields
    assert.are.same({ 3, 8, 7, 3, 2 }, { f.N, f.IC, f.IH, f.KH, f.stride_h })
    assert.is_nil(f.OC or f.groups)
    for _, text in ipairs({ "ic8oc8ih7kh3", "g8ic8ih7kh3" }) do
      local ok, why, status = benchdnn.parse(text, {})
      assert.is_nil(ok)
      assert.is_truthy(why:find("is not for pooling", 1, true))
      assert.are.equal(2, status)
    end
  end)

  it("is given back", function()
    for _, ceil in ipairs({ false, true }) do
      for _, text in ipairs({ "mb2_ic8ih7kh3sh2ph1", "mb1_ic3ih8iw9kh3kw2sh2sw1ph1pw0dh1dw0",
        "mb1_ic3ih9oh3kh3sh2ph0", "mb1_ic5iw9kw2sw2" }) do
        local function read(descriptor)
          local fields = assert(benchdnn.parse(descriptor, { ceil = ceil })).fields
          fields.pool, fields.ceil = "max", ceil
          return assert(layer.new(fields))
        end
        local l = read(text)
        assert.are.same(l, read(benchdnn.format(l)))
      end
    end
  end)

  it("is rounded up in ceil mode where no output is given", function()
    local fields = assert(benchdnn.parse("mb1_ic1ih7kh2sh2", { ceil = true })).fields
    fields.pool, fields.ceil = "max", true
    assert.are.equal(4, assert(layer.new(fields)).OH)
  end)
end)

describe("convgen with --pool", function()
  before_each(support.enter)
  after_each(support.leave)

  it("writes a kernel without weights", function()
    support.emit("--pool average --input 7x7x5 --global --isa scalar --name gap")
    local header, source = support.read("gap.h"), support.read("gap.c")
    for macro, value in pairs({ INPUT_COUNT = 245, WEIGHT_COUNT = 0, BIAS_COUNT = 0,
      OUTPUT_COUNT = 5, PACKED_BYTES = 0, EXACT = 1, ALGORITHM = '"pooling"' }) do
      assert.is_truthy(header:find(("\n#define gap_%s %s\n"):format(macro, value), 1, true), macro)
    end
    assert.is_nil(header:find("gap_pack", 1, true))
    assert.is_nil(source:find("gap_pack", 1, true))
    assert.is_nil(source:find("CONV_FMA", 1, true))
  end)

  it("says the command that writes the same again", function()
    for _, text in ipairs({ "--pool max --input 9x8x5 --kernel 3 --stride 2 --pad 1 --ceil",
      "--pool average --input 9x8x5 --kernel 2x3 --pad 0,1,1,0 --include-pad --layout nchw",
      "--pool average --global --input 9x8x5", "--pool max --problem ic3ih9kh2sh2 --ceil",
      "--pool max --problem ic3ih9oh3kh2sh2ph0" }) do
      support.emit(text .. " --isa sse2 --name again")
      local source = support.read("again.c")
      support.emit(source:match("convgen emit ([^\n]*)"))
      assert.are.equal(source, support.read("again.c"))
    end
  end)

  it("writes small code for large windows", function()
    for _, layout in ipairs({ "nhwc", "nchw" }) do
      for _, pool in ipairs({ "max", "average" }) do
        support.emit(("--pool %s --input 224x224x64 --global --layout %s --isa avx2 --name g"):format(pool,
          layout))
        assert.is_true(#support.read("g.c") < 20000)
        support.emit(("--pool %s --input 224x224x3 --kernel 100 --pad 50 --layout %s --isa avx2 --name g")
          :format(pool, layout))
        assert.is_true(#support.read("g.c") < 300000)
      end
    end
  end)

  it("explains", function()
    for text, part in pairs({
      ["--pool max --input 9x9x9 --kernel 3"] = "lanes are output channels",
      ["--pool max --input 9x9x9 --kernel 2 --layout nchw"] = "lanes are output pixels",
      ["--pool max --input 9x9x9 --global --layout nchw"] = "a window at a time",
    }) do
      local status, out = support.run(support.words("explain --isa avx512 " .. text))
      assert.are.equal(0, status)
      assert.is_truthy(out:find(part, 1, true), out)
    end
  end)

  it("keeps to its algorithm", function()
    local pool, conv = assert(make({})), assert(layer.new(support.fields()))
    local set = isa.get("scalar")
    for _, algorithm in ipairs({ "direct", "depthwise" }) do
      local made, why = plan.make(pool, set, { algorithm = algorithm })
      assert.is_nil(made)
      assert.is_truthy(why:find("pooling layer", 1, true))
    end
    assert.is_nil((plan.make(conv, set, { algorithm = "pooling" })))
    assert.are.equal("pooling", plan.make(pool, set, {}).algorithm)
    assert.are.equal("pooling", plan.make(pool, set, { algorithm = "pooling" }).algorithm)
  end)
end)
