-- SPDX-License-Identifier: MIT-0
local support = require "tests.spec.support"
local cases = require "tests.spec.bad_inputs"
local layer = require "layer"

local LAYER = { "--input", "8x8x4", "--filters", "4", "--kernel", "3" }

-- The arguments of a case; an option of its own replaces that of the small layer.
local function arguments_of(case)
  local given = type(case.args) == "string" and support.words(case.args) or case.args
  local own = {}
  for _, word in ipairs(given) do own[word] = true end
  local list = {}
  for _, word in ipairs(given) do
    if word == "$layer" then
      for i = 1, #LAYER, 2 do
        if not own[LAYER[i]] then table.move(LAYER, i, i + 1, #list + 1, list) end
      end
    else
      list[#list + 1] = word
    end
  end
  return list
end

local function holds(text, parts)
  for _, part in ipairs(parts or {}) do
    assert.is_truthy(text:find(part, 1, true), ("%q lacks %q"):format(text, part))
  end
end

-- One line, which nobody can take for a crash.
local function is_one_line(text)
  assert.is_truthy(text:find("^convgen: [^%c]+\n$"), text)
  assert.is_nil(text:find("traceback", 1, true))
  assert.is_nil(text:find("%.lua:%d"), text)
  assert.is_true(#text < 1000)
end

describe("a bad input:", function()
  before_each(support.enter)
  after_each(support.leave)

  local function prepare(case)
    if case.list then support.write("list", case.list) end
    return support.list()
  end

  for _, case in ipairs(cases) do
    it(case.id, function()
      if case.fields then
        local fields = support.fields(case.fields)
        setmetatable(fields, getmetatable(case.fields))
        local made, text = layer.new(fields)
        assert.is_nil(made)
        holds(text, case.says)
        is_one_line("convgen: " .. text .. "\n")
        return
      end
      local before = prepare(case)
      local status, out, err = support.run(arguments_of(case))
      if case.status == 0 then
        assert.are.equal(0, status, err)
        assert.is_true(#support.list() > #before)
      else
        assert.are.equal(case.status or 2, status, err)
        is_one_line(err)
        holds(err, case.says)
        assert.are.same(before, support.list())
      end
      assert.are.equal("", out)
    end)
  end

  it("gives the same as a process", function()
    for _, id in ipairs({ "negative stride", "name \"a\\\nb\"", "list that is missing", "nothing",
      "problem in three dimensions", "option twice" }) do
      local found
      for _, case in ipairs(cases) do
        if case.id == id then
          found = true
          local arguments = arguments_of(case)
          local status, out, err = support.spawn(arguments)
          assert.are.same({ support.run(arguments) }, { status, out, err })
          assert.are.equal(case.status or 2, status)
          is_one_line(err)
        end
      end
      assert.is_true(found, id)
    end
    assert.are.same({}, support.list())
  end)
end)
