-- SPDX-License-Identifier: MIT-0
require "tests.spec.support"
local template = require "template"

-- Rendering fails with a message that has `where` and all the texts.
local function fails(text, values, where, ...)
  local ok, why = pcall(template.render, text, "x.c", values)
  assert.is_false(ok)
  for _, part in ipairs({ where, ... }) do
    assert.is_truthy(why:find(part, 1, true), ("%q lacks %q"):format(why, part))
  end
end

describe("a template", function()
  it("is text, lines of Lua and expressions", function()
    assert.are.equal("a 0 b\na 1 b\n", template.render("@ for i = 0, n do\na $(i) b\n@ end\n", "x.c",
      { n = 1 }))
    assert.are.equal("  1\n  2\nx\n", template.render("  $(list)\n$(none)\nx", "x.c",
      { list = { 1, "2" }, none = "" }))
  end)

  it("says where it is wrong", function()
    fails("a\nb $(nothing)\n", {}, "x.c:2:", "undefined name 'nothing'")
    fails("a\n$(n)\n", { n = 1.5 }, "x.c:2:", "float")
    fails("a\n$(n)\n", { n = print }, "x.c:2:", "function")
    fails("a\n@ for i = 1, 2 do\nb\n", {}, "x.c:3", "'end' expected")
    fails("a\n@ end\n", {}, "x.c:2:")
    fails("a\n$(1 +)\n", {}, "x.c:2:")
  end)

  it("sees nothing of Lua but its libraries of text and numbers", function()
    for _, name in ipairs { "os", "io", "require", "load", "debug", "_G", "package", "dofile" } do
      fails("$(" .. name .. ")", {}, "x.c:1:", "undefined name '" .. name .. "'")
    end
  end)
end)
