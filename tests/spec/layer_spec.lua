-- SPDX-License-Identifier: MIT-0
local support = require "tests.spec.support"
local layer = require "layer"

local function make(changes) return assert(layer.new(support.fields(changes))) end

-- layer.new refuses the fields, and its message has every one of the texts.
local function refuses(changes, ...)
  local made, text, field = layer.new(support.fields(changes))
  assert.is_nil(made)
  for _, part in ipairs({ ... }) do
    assert.is_truthy(text:find(part, 1, true), ("%q lacks %q"):format(text, part))
  end
  assert.is_nil(text:find("[\n\t]"))
  return field
end

describe("a layer", function()
  it("has defaults", function()
    local l = make()
    assert.are.same({
      N = 1, IH = 8, IW = 8, IC = 4, OH = 6, OW = 6, OC = 6, KH = 3, KW = 3,
      stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1, groups = 1,
      pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0,
      activation = { kind = "none" }, bias = true, layout = "nhwc", weights = "oihw",
      dtype = "f32",
    }, l)
  end)

  it("computes the textbook's example: 32x32x3, ten 5x5 filters, same -> 32x32x10", function()
    local l = make { IH = 32, IW = 32, IC = 3, OC = 10, KH = 5, KW = 5, pad = "same" }
    assert.are.same({ 32, 32, 10 }, { l.OH, l.OW, l.OC })
    assert.are.same({ 2, 2, 2, 2 }, { l.pad_top, l.pad_left, l.pad_bottom, l.pad_right })
    assert.are.same({ input = 3072, weights = 750, bias = 10, output = 10240 }, layer.counts(l))
  end)

  it("is made again from its own fields", function()
    local l = make { pad = "same", stride_h = 2, activation = "clamp:-1,2.5", name = "edge" }
    assert.are.same(l, assert(layer.new(l)))
  end)

  it("does not keep or change what it is given", function()
    local fields = support.fields { activation = { kind = "leaky", a = 0.5 } }
    local l = assert(layer.new(fields))
    l.activation.a = 1
    assert.are.same(support.fields { activation = { kind = "leaky", a = 0.5 } }, fields)
  end)

  it("reads fields raw", function()
    local function trap() error("a metamethod was called") end
    local hostile = setmetatable(support.fields(),
      { __index = trap, __pairs = trap, __len = trap, __tostring = trap, __eq = trap })
    assert.are.same(make(), assert(layer.new(hostile)))
    refuses({ IH = hostile }, "IH", "got a table")
    refuses({ activation = setmetatable({}, getmetatable(hostile)) }, "activation", "kind")
    refuses({ layout = hostile }, "layout", "got a table")
  end)
end)

describe("padding", function()
  local function pads(changes)
    local l = make(changes)
    return { l.pad_top, l.pad_bottom, l.OH }
  end

  it("'same' puts the odd pixel at the end, 'same-lower' at the beginning", function()
    assert.are.same({ 0, 1, 8 }, pads { KH = 2, pad = "same" })
    assert.are.same({ 1, 0, 8 }, pads { KH = 2, pad = "same-lower" })
    assert.are.same({ 0, 1, 4 }, pads { KH = 3, stride_h = 2, pad = "same" })
    assert.are.same({ 1, 0, 4 }, pads { KH = 3, stride_h = 2, pad = "same-lower" })
  end)

  it("'same' gives ceil(input / stride) pixels, whatever the filter", function()
    for input = 1, 12 do
      for kernel = 1, 6 do
        for stride = 1, 5 do
          for dilation = 1, 3 do
            for _, mode in ipairs({ "same", "same-lower" }) do
              local l = make { IH = input, KH = kernel, stride_h = stride, dilation_h = dilation,
                pad = mode }
              assert.are.equal((input + stride - 1) // stride, l.OH)
              local odd = mode == "same" and l.pad_bottom - l.pad_top or l.pad_top - l.pad_bottom
              assert.is_true(odd == 0 or odd == 1)
            end
          end
        end
      end
    end
  end)

  it("'valid' is none", function()
    assert.are.same({ 0, 0, 6 }, pads { pad = "valid" })
  end)

  it("may be given for each side, and be larger than the filter", function()
    assert.are.same({ 5, 4, 15 }, pads { pad_top = 5, pad_bottom = 4 })
    assert.are.same({ 6, 6, 7 }, pads { IH = 1, IW = 1, KH = 7, KW = 7, pad_top = 6, pad_left = 6,
      pad_bottom = 6, pad_right = 6 })
    assert.are.same({ 0, 1, 3 }, pads { KH = 5, stride_h = 2, pad_bottom = 1, pad_left = 1 })
  end)

  it("may be negative: that much of the input is not read", function()
    assert.are.same({ 0, -3, 3 }, pads { pad_bottom = -3 })
    assert.are.same({ -1, 0, 5 }, pads { pad_top = -1 })
    refuses({ pad_bottom = -6 }, "KH 3", "-6", "OH would be 0")
  end)

  it("is not given twice", function()
    assert.are.equal("pad", refuses({ pad = "same", pad_left = 1 }, "same", "pad_left", "1"))
    refuses({ pad = "sane" }, "pad", "'sane'", "same-lower", "did you mean 'same'?")
    refuses({ pad = 1 }, "pad", "1", "same")
  end)
end)

describe("the output", function()
  it("is rounded down: a kernel that is larger than the padded input is refused", function()
    refuses({ IH = 4, KH = 10 }, "KH 10", "IH 4", "OH would be -5")
    refuses({ IH = 4, KH = 3, dilation_h = 2, stride_h = 2 }, "KH 3", "dilation 2", "OH would be 0")
    refuses({ IW = 4, KW = 3, dilation_w = 2, stride_w = 2 }, "KW 3", "dilation 2", "OW would be 0")
  end)

  it("leaves trailing input unused when the stride is larger than the kernel", function()
    local l = make { IH = 300, IW = 1, KH = 1, KW = 1, stride_h = 3 }
    assert.are.same({ 100, 1 }, { l.OH, l.OW })
  end)

  it("may be given, and then must be right", function()
    assert.are.equal(6, make({ OH = 6, OW = 6 }).OH)
    assert.are.equal("OH", refuses({ OH = 7 }, "OH", "7", "6"))
    refuses({ OW = "6" }, "OW", "'6'")
  end)
end)

describe("a field", function()
  it("must be there", function()
    for _, field in ipairs({ "IH", "IW", "IC", "OC", "KH", "KW" }) do
      local fields = support.fields()
      fields[field] = nil
      local made, text, blamed = layer.new(fields)
      assert.is_nil(made)
      assert.are.equal(("field %s is missing"):format(field), text)
      assert.are.equal(field, blamed)
    end
  end)

  it("must be an integer within the limits", function()
    for _, field in ipairs({ "N", "IH", "IW", "IC", "OC", "KH", "KW", "stride_h", "stride_w",
      "dilation_h", "dilation_w", "groups" }) do
      for _, value in ipairs({ 0, -1, 3.0, 3.5, 1 << 31, math.mininteger, math.maxinteger, 0 / 0,
        math.huge, "3", true, {}, print }) do
        refuses({ [field] = value }, field, "from 1 to 2147483647")
      end
    end
    refuses({ dilation_h = 0 }, "dilation_h", "1 = dense", "got 0")
    refuses({ KH = "3" }, "KH", "'3'")
    refuses({ pad_top = 0.0 }, "pad_top", "0.0")
  end)

  it("must be known", function()
    refuses({ kernal_h = 3 }, "unknown field 'kernal_h'", "did you mean 'KH'?")
    refuses({ kh = 3 }, "unknown field 'kh'", "did you mean 'KH'?")
    refuses({ strid_h = 3 }, "unknown field 'strid_h'", "did you mean 'stride_h'?")
    refuses({ colour = 3 }, "unknown field 'colour'", "the fields are N, IH")
    refuses({ [7] = 3 }, "unknown field 7")
    refuses({ [{}] = 3 }, "unknown field a table")
    -- always the same one of several
    refuses({ zz = 1, aa = 1, [3] = 1, mm = 1 }, "unknown field 'aa'")
  end)

  it("that is a word must be one of the allowed", function()
    refuses({ layout = "nwhc" }, "layout", "nhwc or nchw", "'nwhc'", "did you mean 'nhwc'?")
    refuses({ weights = "" }, "weights", "oihw, ohwi or hwio", "''")
    refuses({ dtype = "f16" }, "dtype", "f32", "'f16'")
    refuses({ bias = 1 }, "bias", "true or false", "1")
    refuses({ name = "for" }, "name", "'for'", "C keyword")
    refuses({ name = 3 }, "name", "3")
  end)

  it("never makes a message of several lines or with control characters", function()
    refuses({ layout = "a\nb\27[0m\u{202e}" }, "'a\\x0ab\\x1b[0m\\xe2\\x80\\xae'")
    refuses({ layout = ("x"):rep(1e6) }, "...")
  end)

  it("is not even looked at when there is no table", function()
    for _, what in ipairs({ "text", 3, true, print }) do
      local made, text = layer.new(what)
      assert.is_nil(made)
      assert.is_truthy(text:find("must be a table", 1, true))
    end
    assert.is_nil((layer.new()))
  end)
end)

describe("groups", function()
  it("must divide both channel counts", function()
    assert.are.equal("groups", refuses({ groups = 3 }, "IC 4", "groups 3"))
    refuses({ groups = 4 }, "OC 6", "groups 4")
    assert.are.equal(2, make({ groups = 2 }).groups)
  end)

  it("'depthwise' is one for each input channel, with a multiplier", function()
    local fields = support.fields { groups = "depthwise" }
    fields.OC = nil
    assert.are.same({ 4, 4 }, { layer.new(fields).groups, layer.new(fields).OC })
    assert.are.equal(8, make({ groups = "depthwise", OC = 8 }).OC)
    refuses({ groups = "depthwise" }, "OC 6", "groups 4", "depthwise")
    refuses({ groups = "depthwize" }, "groups", "'depthwize'")
  end)
end)

describe("sizes", function()
  it("are bounded without overflow", function()
    local big = layer.LIMIT
    refuses({ IH = 65536, IW = 65536, IC = 16, groups = 1 }, "65536 x 65536", "2147483647")
    refuses({ IH = big, IW = big, IC = big, OC = big, KH = big, KW = big }, "2147483647")
    refuses({ pad_top = big }, "IH 8", "pad_top 2147483647")
    refuses({ pad_top = big, pad_bottom = big }, "2147483647")
    refuses({ KH = 3, dilation_h = 1 << 30 }, "KH 3", "dilation 1073741824")
    refuses({ KH = big, dilation_h = big }, "KH 2147483647", "dilation 2147483647")
    refuses({ KH = big, dilation_h = big, pad = "same" }, "2147483647")
    refuses({ N = big }, "input of 2147483647 x 8 x 8 x 4")
    refuses({ IC = 1 << 20, OC = 1 << 20, IH = 3, IW = 3 }, "weights", "1048576")
    refuses({ OC = 1 << 27, IC = 1, KH = 1, KW = 1 }, "output", "134217728")
  end)

  it("may reach the limit", function()
    local l = make { IH = layer.LIMIT, IW = 1, IC = 1, OC = 1, KH = 1, KW = 1 }
    assert.are.equal(layer.LIMIT, l.OH)
    assert.are.equal(1, make({ stride_h = layer.LIMIT }).OH)
    assert.are.equal(1, make({ stride_h = 65536 }).OH)
  end)
end)

describe("activations", function()
  local activation = require "activation"

  it("are read and written", function()
    for text, act in pairs({
      none = { kind = "none" }, relu = { kind = "relu" },
      relu6 = { kind = "clamp", a = 0, b = 6 }, ["clamp:-1,2.5"] = { kind = "clamp", a = -1,
        b = 2.5 },
      ["clamp:3,3"] = { kind = "clamp", a = 3, b = 3 }, ["leaky:0.25"] = { kind = "leaky",
        a = 0.25 },
      sigmoid = { kind = "sigmoid" }, tanh = { kind = "tanh" }, silu = { kind = "silu" },
      hardswish = { kind = "hardswish" },
    }) do
      assert.are.same(act, make({ activation = text }).activation)
      assert.are.same(act, make({ activation = act }).activation)
      assert.are.equal(text, activation.text(act))
    end
    assert.are.equal("relu6", activation.text(activation.parse("clamp:0,6")))
  end)

  it("have numbers that are floats, in their shortest text", function()
    for given, shown in pairs({
      ["0.1"] = "0.1", ["+.5"] = "0.5", ["1."] = "1", ["1e-5"] = "1e-05", ["-0"] = "0",
      ["0.30000001192092896"] = "0.3", ["16777217"] = "16777216", ["1e-60"] = "0",
      ["3.4028234e38"] = "3.4028235e+38",
    }) do
      local act = assert(activation.parse("leaky:" .. given))
      assert.are.equal("leaky:" .. shown, activation.text(act))
      assert.are.same(act, activation.parse(activation.text(act)))
    end
    assert.are.equal(math.huge, 1 / activation.parse("leaky:-0").a)
  end)

  it("that are wrong are refused with what is allowed", function()
    for text, part in pairs({
      ["relu7"] = "did you mean 'relu'?", [""] = "none, relu", ["relu:1"] = "relu takes no number",
      ["relu6:1"] = "none, relu", ["clamp"] = "two numbers", ["clamp:1"] = "two numbers",
      ["clamp:1,2,3"] = "two numbers", ["clamp:2,1"] = "LO <= HI", ["clamp:,1"] = "''",
      ["leaky:"] = "''", ["leaky:nan"] = "'nan'", ["leaky:inf"] = "'inf'",
        ["leaky:-inf"] = "'-inf'",
      ["leaky:0x10"] = "'0x10'", ["leaky: 1"] = "' 1'", ["leaky:1 "] = "'1 '", ["leaky:."] = "'.'",
      ["leaky:1e39"] = "not a finite float", ["leaky:1e999"] = "not a finite float",
      ["clamp:-1e39,0"] = "not a finite float", ["leaky:1;2"] = "'1;2'", ["leaky:e5"] = "'e5'",
      ["LEAKY:1"] = "did you mean 'leaky'?",
    }) do
      local field = refuses({ activation = text }, "activation", part)
      assert.are.equal("activation", field)
    end
    for _, act in ipairs({ {}, { kind = "leaky" }, { kind = "relu", a = 1 }, { kind = "leaky",
      a = "1" },
      { kind = "clamp", a = 0 / 0, b = 1 }, { kind = "clamp", a = 1, b = 0 }, { kind = "x" },
      { kind = "relu", c = 1 }, 3, true }) do
      assert.are.equal("activation", refuses({ activation = act }, "activation"))
    end
  end)
end)
