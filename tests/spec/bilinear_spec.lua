-- Bilinear algorithms and the programs made of their matrices, in exact arithmetic.
-- SPDX-License-Identifier: MIT-0

require "tests.spec.support"
local bilinear = require "bilinear"
local isa = require "isa"
local layer = require "layer"
local linear = require "linear"
local plan = require "plan"
local rational = require "rational"
local tiles = require "plan.tiles"

local function matrix(rows)
  local out = {}
  for i, row in ipairs(rows) do
    local text = {}
    for j, c in ipairs(row) do text[j] = tostring(c) end
    out[i] = table.concat(text, " ")
  end
  return out
end

describe("fractions", function()
  local half, third = rational.new(1, 2), rational.new(-2, -6)

  it("are exact, in lowest terms", function()
    assert.are.equal("1/3", tostring(third))
    assert.are.equal("5/6", tostring(half + third))
    assert.are.equal("1/6", tostring(half - third))
    assert.are.equal("-1/6", tostring(-half * third))
    assert.are.equal("3/2", tostring(half / third))
    assert.are.equal("1", tostring(half * 2))
    assert.are.equal("1/2", tostring((-half):abs()))
    assert.are.equal(0.5, half:float())
  end)

  it("refuse what 64 bits do not hold", function()
    local large = rational.new(1 << 40)
    assert.has_error(function() return large * large end)
    assert.has_error(function() return rational.new(1, 0) end)
    assert.has_error(function() return rational.new(0.5) end)
  end)
end)

describe("bilinear algorithms", function()
  for r = 2, 9 do
    for m = 1, bilinear.most_points + 1 - r do
      it(("hold exactly: F(%d, %d)"):format(m, r), function()
        local a = bilinear.new(m, r)
        assert.are.equal(m + r - 1, a.points)
        assert.is_true(bilinear.holds(a))
        local wrong = bilinear.new(m, r)
        wrong.BT[1][1] = wrong.BT[1][1] + rational.new(1, 1 << 30)
        assert.is_false(bilinear.holds(wrong))
      end)
    end
  end

  for _, sizes in ipairs { { 3, 2 }, { 4, 2 }, { 4, 3 }, { 5, 4 }, { 6, 4 } } do
    it(("share filters: F(%d, 3) and F(%d, 3)"):format(table.unpack(sizes)), function()
      local large, small = bilinear.nested(sizes[1], sizes[2], 3)
      assert.is_true(bilinear.holds(large))
      assert.is_true(bilinear.holds(small))
      for i = 1, small.points do assert.are.equal(large.G[i], small.G[i]) end
      assert.are.equal("0 0 1", matrix(small.G)[small.points])
    end)
  end

  it("share no filters where no points are known", function()
    assert.is_nil(bilinear.nested(6, 2, 3))
  end)

  it("have no more points than the table", function()
    assert.is_nil(bilinear.new(bilinear.most_points, 2))
  end)

  it("are of the phases of a stride: F(2, 3) of stride 2", function()
    local a = bilinear.with_stride(2, 3, 2)
    assert.are.same({ "1 1 0 1 0", "0 1 1 0 1" }, matrix(a.AT))
    assert.are.same({ "-1 0 0", "1 0 1", "0 0 1", "0 1 0", "0 1 0" }, matrix(a.G))
    assert.are.same({ "-1 0 1 0 0", "0 0 1 0 0", "0 0 -1 0 1", "0 1 0 0 0", "0 0 0 1 0" }, matrix(a.BT))
  end)

  it("with a stride are none where no phase has two taps", function()
    assert.is_nil(bilinear.with_stride(2, 3, 3))
    assert.are.equal(1, bilinear.most_outputs(3, 3, 16))
    assert.are.equal(15, bilinear.with_stride(7, 3, 2).points)
    assert.are.equal(7, bilinear.most_outputs(3, 2, 16))
  end)

  it("are Winograd's F(2, 3) for 0, 1 and -1", function()
    local a = bilinear.from_points(2, 3, { 0, 1, -1 })
    assert.are.same({ "1 1 1 0", "0 1 -1 1" }, matrix(a.AT))
    assert.are.same({ "-1 0 0", "1/2 1/2 1/2", "1/2 -1/2 1/2", "0 0 1" }, matrix(a.G))
    assert.are.same({ "-1 0 1 0", "0 1 1 0", "0 -1 1 0", "0 -1 0 1" }, matrix(a.BT))
  end)

  it("want points that differ", function()
    assert.has_error(function() bilinear.from_points(2, 3, { 0, 1, 1 }) end)
  end)
end)

-- All that kernels are made of, of one axis and of each stride.
describe("algorithms of an axis", function()
  for taps = 1, 11 do
    for stride = 1, 4 do
      it(("hold exactly: %d taps, stride %d"):format(taps, stride), function()
        local names = {}
        for _, f in ipairs(tiles.algorithms(taps, stride)) do
          assert.is_nil(names[f.name])
          names[f.name] = true
          for _, size in ipairs(f) do
            assert.is_true(bilinear.holds(size))
            assert.are.equal(stride, size.stride)
            assert.are.equal((size.m - 1) * stride + taps, size.window)
            for e, row in ipairs(size.G) do
              local filter = matrix(f.filters)[f.filter_of[e]]
              -- Of small tiles the points are the first ones of the large tiles: so are their filters.
              assert.are.equal(filter, matrix({ row })[1])
            end
          end
        end
      end)
    end
  end

  it("use weights twice where a phase has one tap", function()
    local f = tiles.algorithms(3, 2)
    for _, algorithm in ipairs(f) do
      if algorithm.name == "4" then
        assert.are.equal(9, algorithm.points)
        assert.are.equal(6, #algorithm.filters)
      end
    end
  end)

  it("are of nothing saved, where there is nothing to save", function()
    assert.are.equal(1, #tiles.algorithms(1, 1))
    assert.are.equal(1, #tiles.algorithms(2, 2))
    assert.are.equal(0, #tiles.algorithms(30, 1))
  end)

  it("multiply matrices: Strassen's, and by seven products only with its signs", function()
    local a = bilinear.strassen()
    assert.is_true(bilinear.multiplies(a))
    assert.are.equal(2, bilinear.amplification(a))
    a.AT[4][2] = -a.AT[4][2]
    assert.is_false(bilinear.multiplies(a))
  end)

  it("round as their amplification says: that of F(4, 3) is well known", function()
    local by_name = {}
    for _, f in ipairs(tiles.algorithms(3, 1)) do by_name[f.name] = f.amplification end
    assert.is_true(math.abs(by_name["4"] - 2.182) < 0.001)
    assert.is_true(math.abs(by_name["6"] - 4.542) < 0.001)
    assert.are.equal(1, by_name["1"])
  end)
end)

describe("covers of an axis", function()
  local function cover(name, taps, out)
    for _, f in ipairs(tiles.algorithms(taps, 1)) do
      if f.name == name then
        local c = tiles.cover(f, out)
        return { c.large, c.small, c.points }
      end
    end
  end

  it("have the fewest points", function()
    assert.are.same({ 14, 0, 84 }, cover("4", 3, 56))
    assert.are.same({ 8, 2, 76 }, cover("64", 3, 56))
    assert.are.same({ 3, 1, 30 }, cover("42", 5, 14))
    assert.are.same({ 5, 0, 5 }, cover("1", 1, 5))
  end)

  it("of a dilation have each output once, and no empty tiles", function()
    for _, f in ipairs(tiles.algorithms(3, 1)) do
      for step = 1, 7 do
        for out = 1, 30 do
          local c, seen, stop = tiles.cover(f, out, step), {}, 0
          for at = 0, c.count - 1 do
            local m = (at < c.large and f[1] or f[2]).m
            for k = 0, m - 1 do
              local o = tiles.begin(c, at) + k * step
              assert.is_nil(seen[o])
              seen[o] = true
            end
            assert.is_true(tiles.begin(c, at) < out)
            assert.is_true(tiles.stop(c, at) > stop)
            stop = tiles.stop(c, at)
          end
          for o = 0, out - 1 do assert.is_true(seen[o]) end
        end
      end
    end
  end)
end)

describe("--accuracy", function()
  local function chosen(kernel, stride, accuracy)
    local made = assert(layer.new { IC = 64, IH = 28, IW = 28, OC = 64, KH = kernel, KW = kernel, pad = "same",
      stride_h = stride, stride_w = stride })
    return assert(plan.make(made, isa.get("avx512"), { accuracy = accuracy }))
  end

  for _, filter in ipairs { { 3, 1 }, { 5, 1 }, { 7, 1 }, { 3, 2 }, { 5, 2 } } do
    local kernel, stride = table.unpack(filter)
    it(("bounds the amplification of errors: %d taps, stride %d"):format(kernel, stride), function()
      local high, fast = chosen(kernel, stride, "high"), chosen(kernel, stride, "fast")
      assert.is_true(high.algorithm == "direct" or high.h.amplification * high.w.amplification <= 2 * kernel)
      assert.are.equal("winograd", fast.algorithm)
      assert.is_true(fast.h.amplification * fast.w.amplification <= 25)
      assert.are.equal("direct", chosen(kernel, stride, "exact").algorithm)
    end)
  end
end)

-- The matrix of a program: it is run on symbols, each variable a list of coefficients of the inputs.
local function matrix_of(program, inputs)
  local values = {}
  for j = 0, inputs - 1 do
    values["d" .. j] = {}
    for i = 0, inputs - 1 do values["d" .. j][i + 1] = rational.new(i == j and 1 or 0) end
  end
  for _, s in ipairs(program.steps) do
    local row, a, b = {}, values[s.a], s.b and values[s.b]
    for i = 1, inputs do
      row[i] = s.op == "add" and a[i] + b[i] or s.op == "sub" and a[i] - b[i] or s.op == "neg" and -a[i]
        or s.op == "mul" and a[i] * s.factor or s.op == "fma" and a[i] * s.factor + b[i]
    end
    values[s.name] = row
  end
  local out = {}
  for i, name in ipairs(program.results) do out[i] = values[name] end
  return out
end

describe("linear programs", function()
  local function operations(m, r)
    local a = bilinear.new(m, r)
    return linear.program(a.BT).operations, linear.program(a.AT).operations
  end

  for r = 2, 9 do
    for m = 2, bilinear.most_points + 1 - r do
      it(("compute their matrix: F(%d, %d)"):format(m, r), function()
        local a = bilinear.new(m, r)
        for _, key in ipairs { "BT", "AT", "G" } do
          local rows = a[key]
          assert.are.same(matrix(rows), matrix(matrix_of(linear.program(rows), #rows[1])))
        end
      end)
    end
  end

  it("share what rows have in common", function()
    assert.are.same({ 4, 4 }, { operations(2, 3) })
    assert.are.same({ 12, 12 }, { operations(4, 3) })
    assert.are.same({ 24, 20 }, { operations(6, 3) })
  end)
end)
