-- SPDX-License-Identifier: MIT-0
require "tests.spec.support"
local benchdnn = require "import.benchdnn"
local layer = require "layer"

local function parse(text)
  local entry = assert(benchdnn.parse(text))
  return assert(layer.new(entry.fields)), entry
end

-- input, output, kernel, stride, padding at begin and end, dilation of one axis
local function axis(text, which)
  local l = parse(text)
  local low = which:lower()
  local first, last = "pad_top", "pad_bottom"
  if which == "W" then first, last = "pad_left", "pad_right" end
  return { l["I" .. which], l["O" .. which], l["K" .. which], l["stride_" .. low], l[first],
    l[last],
    l["dilation_" .. low] }
end

local function refuses(text, status, ...)
  local entry, why, got = benchdnn.parse(text)
  assert.is_nil(entry)
  assert.are.equal(status, got)
  for _, part in ipairs({ ... }) do
    assert.is_truthy(why:find(part, 1, true), ("%q lacks %q"):format(why, part))
  end
end

describe("a descriptor", function()
  it("gives a layer, its name and how often it occurs", function()
    local l, entry = parse('mb1_ic64ih56oc64oh56kh3ph1n"res2a_branch2b*3"')
    assert.are.same({ 1, 1, 64, 56, 56, 64, 56, 56 },
      { l.N, l.groups, l.IC, l.IH, l.IW, l.OC, l.OH, l.OW })
    assert.are.same({ "res2a_branch2b", 3 }, { entry.name, entry.count })
  end)

  it("has batch 2, one group, stride 1 and a dense kernel by default", function()
    local l, entry = parse("ic3ih8oc4kh3")
    assert.are.same({ 2, 1, 1, 1, 1, 1, 0 },
      { l.N, l.groups, l.stride_h, l.stride_w, l.dilation_h, l.dilation_w, l.pad_top })
    assert.are.same({ 6, 6, 3 }, { l.OH, l.OW, l.KW })
    assert.are.same({ nil, 1 }, { entry.name, entry.count })
  end)

  it("has its tokens in any order, with '_' after any", function()
    local l = parse("g2mb3ic4ih9oc6oh4kh3sh2ph0dh0")
    assert.are.same(l, (parse("kh3_sh2_oh4_oc6_ih9_ic4_mb3_dh0_ph0_g2_")))
    assert.are.same(l, (parse("sh2g2_oc6ih9kh3mb3oh4ph0ic4")))
  end)

  it("counts dilation from 0, which is dense", function()
    assert.are.same({ 9, 5, 3, 1, 0, 0, 2 }, axis("ic1oc1ih9kh3dh1", "H"))
    assert.are.same({ 9, 7, 3, 1, 0, 0, 1 }, axis("ic1oc1ih9kh3dh0", "H"))
  end)

  it("works out the output with a floor division, and the padding at the end", function()
    assert.are.same({ 10, 4, 3, 3, 1, 1, 1 }, axis("ic1oc1ih10kh3sh3ph1", "H"))
    assert.are.same({ 10, 3, 3, 3, 0, -1, 1 }, axis("ic1oc1ih10kh3sh3", "H"))
    refuses("ic1oc1ih4kh3sh2dh1", 2, "oh", "would be 0", "kh3", "ih4")
    refuses("ic1oc1ih4kh10", 2, "oh", "would be -5")
  end)

  it("works out the padding from the output, the smaller half first", function()
    assert.are.same({ 8, 8, 4, 1, 1, 2, 1 }, axis("ic1oc1ih8oh8kh4", "H"))
    assert.are.same({ 8, 7, 1, 1, 0, -1, 1 }, axis("ic1oc1ih8oh7kh1", "H"))
    assert.are.same({ 8, 5, 1, 1, -1, -2, 1 }, axis("ic1oc1ih8oh5kh1", "H"))
  end)

  it("has padding at the end that follows from the rest and may be negative", function()
    assert.are.same({ 14, 1, 1, 14, 0, -13, 1 }, axis("ic1oc1ih14oh1kh1sh14ph0", "H"))
    assert.are.same({ 1, 2, 3, 1, 1, 4, 2 }, axis("ic1oc1ih1oh2kh3ph1dh1", "H"))
    assert.are.same({ 10, 12, 1, 1, 1, 1, 1 }, axis("ic1oc1ih10oh12kh1ph1", "H"))
    assert.are.same({ 20, 2, 3, 1, 0, -16, 1 }, axis("ic1oc1ih20oh2kh3ph0", "H"))
  end)

  it("copies height to width, or has no height", function()
    assert.are.same(axis("ic1oc1ih9kh3sh2ph1dh1", "H"), axis("ic1oc1ih9kh3sh2ph1dh1", "W"))
    assert.are.same({ 7, 7, 1, 1, 0, 0, 1 }, axis("ic1oc1ih9iw7kh3kw1", "W"))
    assert.are.same({ 1, 1, 1, 1, 0, 0, 1 }, axis("ic1oc1iw7kw3", "H"))
    assert.are.same({ 7, 5, 3, 1, 0, 0, 1 }, axis("ic1oc1iw7kw3", "W"))
    -- tokens that say nothing do not make an axis
    assert.are.same({ 9, 7, 3, 1, 0, 0, 1 }, axis("ic1oc1ih9kh3iw0kw0sw1pw0dw0", "W"))
  end)

  it("needs input and kernel of an axis that is there", function()
    refuses("ic1oc1ih9", 2, "kh", "none")
    refuses("ic1oc1kh3", 2, "ih", "none")
    refuses("ic1oc1ih9kh0", 2, "kh", "got 0")
    refuses("ic1oc1ih9kh3pw1", 2, "iw", "none")
    refuses("ic1oc1ih9kh3sw2", 2, "iw", "none")
    refuses("ic1oc1ih9kh3sh0", 2, "sh", "got 0")
    refuses("ic1oc1", 2, "no spatial size")
    refuses("mb1", 2, "ic")
  end)

  it("of three dimensions is right but unsupported", function()
    refuses("ic1oc1id5kd3", 3, "three-dimensional", "id")
    refuses("ic1oc1id5kd3ih5kh3iw5kw3", 3, "three-dimensional")
    refuses("ic1oc1id1kd1ih5kh3", 3, "three-dimensional")
    refuses("ic1oc1id5kd3iw5kw3", 2, "ih", "missing")
    refuses("ic1oc1id2kd9ih5kh3", 2, "od", "would be")
  end)

  it("has only known tokens, each once, with decimal integers", function()
    refuses("", 2, "empty")
    refuses("_ic1oc1ih3kh3", 2, "unknown field", "_")
    refuses("ic1__oc1ih3kh3", 2, "unknown field", "_")
    refuses("ic1oc1ih3kh3x", 2, "unknown field 'x'")
    refuses("ic1oc1ih3kh3zz4", 2, "unknown field 'zz'")
    refuses("IC1oc1ih3kh3", 2, "unknown field 'IC1")
    refuses("ic1oc1ih-3kh3", 2, "'ih'", "'-3kh3'")
    refuses("ic1oc1ih+3kh3", 2, "'ih'", "'+3kh3'")
    refuses("ic1oc1ihkh3", 2, "unknown field 'ihkh'")
    refuses("ic1oc1kh3ih", 2, "'ih'", "decimal integer")
    refuses("ic1oc1ih3.5kh3", 2, "unknown field '.5kh3'")
    refuses("ic1oc1ih0x10kh3", 2, "unknown field 'x'")
    refuses("ic1oc1ih3ih3kh3", 2, "'ih' is given twice")
    refuses("ic1oc1ih2147483648kh3", 2, "'ih'", "2147483647", "2147483648")
    refuses("ic1oc1ih99999999999999999999kh3", 2, "'ih'", "2147483647")
    assert.are.equal(16, parse("ic1oc1ih0000000000000016kh1").IH)
    for token, value in pairs({ g = 0, mb = 0, ic = 0, oc = 0 }) do
      local text = ("g1mb1ic1oc1ih3kh3"):gsub(token .. "1", token .. value)
      refuses(text, 2, ("'%s' must be at least 1, got 0"):format(token))
    end
  end)

  it("stays exact with the largest numbers", function()
    local most = "2147483647"
    refuses(("ic1oc1ih%skh%sdh%s"):format(most, most, most), 2, "would be")
    local entry = benchdnn.parse(("ic1oc1ih1oh%skh%ssh%sdh%s"):format(most, most, most, most))
    assert.is_nil((layer.new(entry.fields)))
  end)

  it("has a name that takes the rest", function()
    for text, want in pairs({
      ['n"a"'] = { "a", 1 }, ["na"] = { "a", 1 }, ['n"a*12"'] = { "a", 12 }, ["na*2"] = { "a", 2 },
      ['n"a_ic5"'] = { "a_ic5", 1 }, ['n"conv:1/3x3*2"'] = { "conv:1/3x3", 2 }, ["n"] = { "", 1 },
      ['n"a*b"'] = { "a*b", 1 }, ['n"a*"'] = { "a*", 1 },
    }) do
      local entry = assert(benchdnn.parse("ic1oc1ih3kh3" .. text))
      assert.are.same(want, { entry.name, entry.count })
    end
  end)

  it("is written in its canonical form, which gives the layer back", function()
    for text, canonical in pairs({
      ["oh56ic64ih56oc64kh3ph1mb1"] = "mb1_ic64ih56oc64oh56kh3ph1",
      ["ic1oc1iw7kw3"] = "mb2_ic1ih1iw7oc1oh1ow5kh1kw3ph0pw0",
      ["g4ic8oc8ih10kh3sh3dh1"] = "g4mb2_ic8ih10oc8oh2kh3sh3ph0dh1",
      ["mb1ic1oc1ih48iw80kh1kw1oh16ow16sh3sw5ph0pw0"] =
        "mb1_ic1ih48iw80oc1oh16ow16kh1kw1sh3sw5ph0pw0",
      ["mb1ic1oc1ih5kh1sw2iw5kw1"] = "mb1_ic1ih5iw5oc1oh5ow3kh1kw1sh1sw2ph0pw0",
      ["ic1oc1ih5kh3ph1oh2iw19kw4ow6"] = "mb2_ic1ih5iw19oc1oh2ow6kh3kw4ph1", -- pw is -5
      ["ic1oc1ih19kh4oh6iw5kw3pw1ow2"] = "mb2_ic1ih19iw5oc1oh6ow2kh4kw3pw1",
    }) do
      local l = parse(text)
      assert.are.equal(canonical, benchdnn.format(l))
      assert.are.same(l, (parse(canonical)))
    end
  end)
end)
