-- SPDX-License-Identifier: MIT-0
local support = require "tests.spec.support"
local layer = require "layer"
local name = require "name"

local function refuses(text, part)
  local ok, why = name.check(text)
  assert.is_nil(ok, text)
  assert.is_truthy(why:find(part, 1, true), ("%q lacks %q"):format(why, part))
  assert.is_nil(why:find("[^ -~]"))
end

describe("a name", function()
  it("is a C identifier", function()
    for _, text in ipairs({ "edge", "Edge_3x3", "a", "conv1", ("a"):rep(63), "ints", "iffy",
      "string_conv", "maths", "reg" }) do
      assert.is_true(name.check(text))
    end
  end)

  it("is not repaired but refused", function()
    for text, part in pairs({
      [""] = "empty", ["3conv"] = "C identifier", ["a-b"] = "C identifier",
        ["a b"] = "C identifier",
      ["../x"] = "C identifier", ["a/b"] = "C identifier", ["a.c"] = "C identifier",
      ["f;system(1);//"] = "'f;system(1);//'", ["a*/int evil;/*"] = "C identifier",
      ["a\nb"] = "'a\\x0ab'", ["a\\\nb"] = "\\x0a", ["a??/b"] = "C identifier", ["a\0b"] = "\\x00",
      ["%s"] = "'%s'", ["\27[31m"] = "\\x1b", ["caf\u{e9}"] = "\\xc3\\xa9",
      ["a\u{202e}b"] = "\\xe2\\x80\\xae", ["\u{430}"] = "\\xd0\\xb0", ["$x"] = "C identifier",
      ["_x"] = "underscore", ["_X"] = "underscore", ["__x"] = "underscore", ["_"] = "underscore",
      ["a__b"] = "double underscore", ["x_"] = "ends with an underscore",
      [("a"):rep(64)] = "64 characters", [("a"):rep(4096)] = "4096",
    }) do
      refuses(text, part)
    end
    refuses(nil, "not a string")
    refuses(3, "not a string")
    refuses({}, "a table")
  end)

  it("is no word that C, C++ or a library uses", function()
    for part, words in pairs({
      ["C keyword"] = "int for restrict inline volatile asm typeof",
      ["C++ keyword"] = "class new template bool wchar_t nullptr and xor constexpr co_await",
      ["C library"] = "main strlen memcpy printf malloc exit sinf fma stdout errno NULL size_t NaN",
      ["system header"] = "math string stdint immintrin arm_neon MATH",
      ["Windows"] = "con aux NUL com1",
    }) do
      for word in words:gmatch("%S+") do
        if word == "string" or word == "math" or word == "MATH" then part = "header" end
        refuses(word, part)
      end
    end
    refuses("_Bool", "underscore")
    refuses("_Static_assert", "underscore")
  end)
end)

describe("a canonical name", function()
  local direct = { algorithm = "direct", isa = "avx2", tile = "6x16" }

  local function make(changes)
    return assert(layer.new(support.fields(changes)))
  end

  it("says what the kernel is", function()
    local base = { IH = 56, IW = 56, IC = 64, OC = 64, KH = 3, KW = 3, pad_top = 1, pad_left = 1,
      pad_bottom = 1, pad_right = 1 }
    local function with(changes, removed)
      local fields = {}
      for key, value in pairs(base) do fields[key] = value end
      for key, value in pairs(changes) do fields[key] = value end
      for _, key in ipairs(removed or {}) do fields[key] = nil end
      return assert(layer.new(fields))
    end
    for _, case in ipairs({
      { "conv_f32_nhwc_3x3s1p1_56x56c64k64_via_direct_avx2_6x16", {} },
      { "conv_f32_nhwc_3x3s1p1_56x56c64k64_relu_via_direct_avx2_6x16", { activation = "relu" } },
      { "conv_f32_nchw_3x3s2p1_56x56c64k64n8_via_direct_avx2_6x16",
        { layout = "nchw", stride_h = 2, stride_w = 2, N = 8 } },
      { "conv_f32_nhwc_3x5s1x2p1x2d2_56x28c64k8_via_direct_avx2_6x16",
        { KW = 5, stride_w = 2, pad_left = 2, pad_right = 2, dilation_h = 2, dilation_w = 2,
          IW = 28, OC = 8 } },
      { "conv_f32_nhwc_3x3s1p0x1x1x0d1x3_9x9c4k6_via_direct_avx2_6x16",
        { IH = 9, IW = 9, IC = 4, OC = 6, pad_top = 0, pad_right = 0, dilation_w = 3 } },
      { "conv_f32_nhwc_1x1s14p0x0xm13xm13_14x14c16k16_via_direct_avx2",
        { KH = 1, KW = 1, stride_h = 14, stride_w = 14, IH = 14, IW = 14, IC = 16, OC = 16,
          pad_top = 0, pad_left = 0, pad_bottom = -13, pad_right = -13 } },
      { "conv_f32_nhwc_3x3s1p1g4_8x8c8k8_hwio_nobias_via_direct_avx2", { IH = 8, IW = 8, IC = 8,
        OC = 8,
        groups = 4, weights = "hwio", bias = false } },
      { "conv_f32_nhwc_3x3s1p1dw_56x56c64_relu6_via_direct_avx2_6x16",
        { groups = 64, activation = "relu6" } },
      { "conv_f32_nhwc_3x3s1p1dw_56x56c64k128_via_direct_avx2_6x16", { groups = 64, OC = 128 } },
      { "conv_f32_nhwc_3x3s1p1_8x8c1k1_clampm1p5x2_via_direct_avx2_6x16",
        { IH = 8, IW = 8, IC = 1, OC = 1, activation = "clamp:-1.5,2" } },
      { "conv_f32_nhwc_3x3s1p1_8x8c1k1_leaky1em05_via_direct_avx2_6x16",
        { IH = 8, IW = 8, IC = 1, OC = 1, activation = "leaky:1e-5" } },
      -- too long with its tile
      { "conv_f32_nhwc_3x3s1p1_112x112c64k64_hardswish_via_direct_avx2",
        { IH = 112, IW = 112, activation = "hardswish" } },
      -- too long without it
      { "conv_f32_nhwc_xc1de7a5a077c8bf2_via_direct_avx2",
        { IH = 1120, IW = 1120, activation = "hardswish", bias = false } },
    }) do
      local l = with(case[2])
      assert.are.equal(case[1], name.compose(l, direct))
      assert.is_true(name.check(case[1]))
    end
  end)

  it("gives everything back", function()
    local count, hashed = 0, 0
    local function pick(list) return list[math.random(#list)] end
    local values = {
      N = { 2, 7 }, IH = { 1, 13, 56 }, IW = { 1, 13, 56 }, IC = { 1, 6, 24 }, OC = { 1, 6, 30 },
      KH = { 1, 2, 5, 7 }, KW = { 1, 2, 5, 7 }, stride_h = { 2, 3 }, stride_w = { 2, 3 },
      dilation_h = { 2 }, dilation_w = { 3 }, groups = { 2, 3, 6, "depthwise" },
      pad_top = { 1, 5 }, pad_left = { 1, 5 }, pad_bottom = { 1, -2 }, pad_right = { 1, -13 },
      bias = { false }, layout = { "nchw" }, weights = { "ohwi", "hwio" },
      activation = { "relu", "relu6", "clamp:-1.5,2e-3", "clamp:-1e30,-2", "leaky:0.1",
        "leaky:-3e20", "sigmoid", "tanh", "silu", "hardswish" },
    }
    local keys = {}
    for key in pairs(values) do keys[#keys + 1] = key end
    table.sort(keys)
    for i = 1, 3000 do
      local fields = support.fields { IC = 6 }
      for _ = 1, i % 8 do
        local key = pick(keys)
        fields[key] = pick(values[key])
      end
      local l = layer.new(fields)
      if l then
        local how = { algorithm = pick { "direct", "depthwise" }, isa = pick { "scalar", "avx512" },
          tile = pick { "6x16", "1x1x3" } }
        local text = name.compose(l, how)
        assert.is_true(name.check(text))
        local back_fields, back = assert(name.parse(text))
        assert.are.same({ how.algorithm, how.isa }, { back.algorithm, back.isa })
        assert.is_true(back.tile == how.tile or back.tile == nil)
        if back_fields.hash then
          assert.are.same({ l.dtype, l.layout, 16 },
            { back_fields.dtype, back_fields.layout, #back_fields.hash })
          hashed = hashed + 1
        else
          assert.are.same(l, assert(layer.new(back_fields)))
          count = count + 1
        end
      end
    end
    assert.is_true(count > 500 and hashed > 100)
  end)

  it("tells layers apart that differ in one thing, also when it has a hash", function()
    local tall = { IH = 1000, IW = 2000, stride_w = 3, activation = "hardswish", pad_left = 2 }
    for _, base in ipairs({ {}, tall }) do
      local seen = {}
      local function add(changes)
        local fields = support.fields(base)
        for key, value in pairs(changes) do fields[key] = value end
        local text = name.compose(assert(layer.new(fields)), direct)
        assert.is_nil(seen[text])
        seen[text] = true
      end
      add {}
      for key, value in pairs({ N = 2, IH = 9, IW = 9, IC = 8, OC = 8, KH = 2, KW = 2, stride_h = 2,
        stride_w = 2, dilation_h = 2, dilation_w = 2, groups = 2, pad_top = 1, pad_left = 1,
        pad_bottom = 1, pad_right = 1, bias = false, layout = "nchw", weights = "hwio",
        activation = "leaky:0.5" }) do
        add { [key] = value }
      end
      add { weights = "ohwi" }
      add { activation = "leaky:0.25" }
      add { activation = "clamp:0.5,2" }
    end
  end)

  it("is the same before _via_ for kernels that are interchangeable", function()
    local l = make { activation = "relu" }
    local one = name.compose(l, direct)
    local other = name.compose(l, { algorithm = "depthwise", isa = "scalar" })
    assert.are.equal(one:match("^(.*)_via_"), other:match("^(.*)_via_"))
  end)

  it("is not read from anything else", function()
    for _, text in ipairs({ "", "edge", "conv_f32_nhwc_via_direct_avx2",
      "conv_f32_nhwc_3x3_8x8_via_d_a",
      "conv_f32_nhwc_3x3s1p1_via_direct_avx2",
        "conv_f32_nhwc_3x3s1p1_8x8c1k1_relu_relu_via_direct_avx2",
      "conv_f32_nhwc_3x3s1p1g_8x8c1k1_via_direct_avx2",
        "conv_f32_nhwc_3x3s1p1_8x8c1q1_via_direct_avx2" }) do
      assert.is_nil((name.parse(text)), text)
    end
  end)
end)
