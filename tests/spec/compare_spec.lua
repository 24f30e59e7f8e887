-- SPDX-License-Identifier: MIT-0
require "tests.spec.support" -- finds gen
local compare = require "bench.peers.compare"

-- A kernel as bench/results.lua gives it.
local function kernel(layer, layout, isa, us, more)
  local k = { list = "net", layer = layer, layout = layout, isa = isa, us = us, shape = "3x3 8-8 @8",
    algorithm = "direct", tile = "6x4", gflops = 100 / us, peak = isa == "avx2" and 200 or nil }
  for field, value in pairs(more or {}) do k[field] = value end
  return k
end

local OWN = { avx2 = true, avx512 = true }

local function of(list) return { kernels = list, context = { cpu = "x" } } end

describe("bench-peers", function()
  it("compares NHWC with the best of any layout, NCHW with NCHW", function()
    local list, peers = compare.layers(of {
      kernel("a", "nhwc", "avx2", 10), kernel("a", "nchw", "avx2", 20),
      kernel("a", "native", "One", 5), kernel("a", "nchw", "One", 12), kernel("a", "nhwc", "Two", 8),
    }, OWN)
    assert.are.same({ "One", "Two" }, peers)
    assert.are.equal(2, #list)
    assert.are.equal("One", list[1].best.isa)
    assert.are.equal(0.5, list[1].ratio)
    assert.are.equal(8, list[1].best_of.Two.us)
    assert.are.equal(0.6, list[2].ratio)
    assert.is_nil(list[2].best_of.Two)
    assert.are.equal(10, list[1].best.percent)
    assert.are.equal(5, list[1].own.percent)
  end)

  it("leaves out wrong results of a peer, and counts wrong ones of its own as behind", function()
    local list, peers = compare.layers(of {
      kernel("a", "nhwc", "avx2", 10), kernel("a", "nhwc", "One", 5, { wrong = "NaN" }),
      kernel("a", "nhwc", "Two", 10), kernel("b", "nhwc", "Two", 10),
      { list = "net", layer = "b", layout = "nhwc", isa = "avx2", algorithm = "direct", wrong = "NaN" },
    }, OWN)
    assert.are.equal("Two", list[1].best.isa)
    assert.are.equal(0, list[2].ratio)
    local text, below = compare.text(list, peers, "nhwc", 0.97)
    assert.are.equal(1, below)
    assert.is_truthy(text:find("1 of 2 layers below 0.97", 1, true))
    assert.is_truthy(text:find("WRONG", 1, true))
  end)

  it("says which layers are behind", function()
    local list, peers = compare.layers(of {
      kernel("slow", "nhwc", "avx2", 10), kernel("slow", "nhwc", "One", 9.6),
      kernel("fast", "nhwc", "avx2", 10), kernel("fast", "nhwc", "One", 9.8),
      kernel("alone", "nhwc", "avx2", 10),
    }, OWN)
    local text, below = compare.text(list, peers, "nhwc", 0.97)
    assert.are.equal(1, below)
    assert.is_truthy(text:find("slow[^\n]* BEHIND"))
    assert.is_nil(text:find("fast[^\n]* BEHIND"))
  end)

  it("takes each kernel by its own instruction set, and names it where there are several", function()
    local function text_of(second)
      local list, peers = compare.layers(of {
        kernel("a", "nhwc", "avx512", 10), kernel("a", "nhwc", "One", 5), kernel("b", "nhwc", second, 10),
      }, OWN)
      assert.are.same({ "One" }, peers)
      assert.are.equal(2, #list)
      return compare.text(list, peers, "nhwc", 0.97)
    end
    assert.is_truthy(text_of("avx2"):find("b [^\n]* direct 6x4 avx2 "))
    assert.is_nil(text_of("avx512"):find("6x4 avx512", 1, true))
  end)
end)
