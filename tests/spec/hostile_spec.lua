-- What surrounds convgen and goes wrong: disks, directories, links, streams, signals.
-- SPDX-License-Identifier: MIT-0
local support = require "tests.spec.support"
local files = require "files"
local lfs = require "lfs"

local LAYER = "emit --input 6x6x2 --filters 3 --kernel 3 --isa scalar --name k"

-- root may write everywhere, unless it lays that right down
local as_user = support.shell("test $(id -u) = 0") == 0
  and "setpriv --bounding-set=-dac_override,-dac_read_search" or ""

-- Runs convgen after a piece of shell and expects status 4, one line with all texts, and that the
-- directory is as before.
local function fails(prelude, arguments, ...)
  local before = support.list()
  local status, out, err = support.spawn(support.words(arguments), prelude)
  assert.are.equal(4, status, err)
  assert.are.equal("", out)
  assert.is_truthy(err:find("^convgen: [^%c]+\n$"), err)
  for _, part in ipairs({ ... }) do
    assert.is_truthy(err:find(part, 1, true), ("%q lacks %q"):format(err, part))
  end
  assert.are.same(before, support.list())
end

describe("a hostile surrounding:", function()
  before_each(support.enter)
  after_each(support.leave)

  it("a directory that is read-only", function()
    lfs.mkdir("out")
    support.write("out/k.h", "old")
    os.execute("chmod 555 out")
    fails(as_user, LAYER .. " -o out", "cannot write out/k.h", "Permission denied")
    fails(as_user, LAYER .. " -o out/below", "cannot make the directory out/below",
      "Permission denied")
    assert.are.same({ "k.h" }, support.list("out"))
    assert.are.equal("old", support.read("out/k.h"))
  end)

  it("a list that must not be read", function()
    support.write("list", "ic1oc1ih3kh3\n")
    os.execute("chmod 000 list")
    fails(as_user, "emit --layers list", "cannot read list", "Permission denied")
  end)

  it("a disk that is full", function()
    support.write("k.h", "old")
    local status, text = support.shell(("( trap '' XFSZ; ulimit -f 0; %s %s --test 2>&1 ) | cat"):format(
      support.quoted(support.convgen), LAYER))
    assert.are.same({ 0, "convgen: cannot write k.h: File too large\n" }, { status, text })
    assert.are.same({ "k.h" }, support.list())
    assert.are.equal("old", support.read("k.h"))
  end)

  it("a file that is a directory, a link, a link to nothing, a pipe", function()
    lfs.mkdir("k.c")
    fails("", LAYER, "k.c", "it is a directory")
    lfs.rmdir("k.c")
    support.write("target", "old")
    lfs.link("target", "k.c", true)
    fails("", LAYER, "k.c", "symbolic link")
    assert.are.equal("old", support.read("target"))
    os.remove("k.c")
    lfs.link("nowhere", "k.c", true)
    fails("", LAYER, "k.c", "symbolic link")
    os.remove("k.c")
    os.execute("mkfifo k.c")
    fails("", LAYER, "k.c", "named pipe")
  end)

  it("a list that is a pipe does not make it wait", function()
    os.execute("mkfifo list")
    fails("timeout 10", "emit --layers list", "list", "named pipe")
  end)

  it("a directory that is gone", function()
    fails("mkdir gone && cd gone && rmdir ../gone &&", LAYER .. " -o .", "No such file")
  end)

  it("no place for what check makes", function()
    fails("TMPDIR=/proc/nowhere", "check" .. LAYER:sub(5), "temporary directory")
  end)

  it("a reader that has left", function()
    local status, text = support.shell(("{ %s explain%s; echo $? >status; } 2>&1 | true; cat status")
      :format(support.quoted(support.convgen), LAYER:sub(5)))
    assert.are.equal(0, status)
    assert.is_true(tonumber(text) == 0 or tonumber(text) == 4 or tonumber(text) == 141, text)
  end)

  it("standard error that is closed", function()
    local status = support.shell(support.quoted(support.convgen) .. " " .. LAYER .. " 2>&-")
    assert.are.equal(0, status)
    assert.are.same({ "k.c", "k.h" }, support.list())
    assert.are.equal(2, (support.shell(support.quoted(support.convgen) .. " emit 2>&-")))
  end)

  it("an interrupt between two files leaves no temporary one", function()
    local rename, count = os.rename, 0
    os.rename = function(...) -- luacheck: ignore
      count = count + 1
      if count == 2 then error("interrupted!") end
      return rename(...)
    end
    local status, out, err = support.run(support.words(LAYER))
    os.rename = rename -- luacheck: ignore
    assert.are.same({ 4, "", "convgen: interrupted\n" }, { status, out, err })
    assert.are.same({ "k.h" }, support.list())
  end)

  it("an interrupt at any step of a command is told in two words", function()
    local words, steps, reached = support.words(LAYER .. " --quiet"), 1000
    repeat -- later and later, until the command ends before
      steps, reached = steps + steps // 90, false
      debug.sethook(function()
        debug.sethook()
        reached = true
        error("interrupted!")
      end, "", steps)
      local ok, status, _, err = pcall(support.run, words)
      debug.sethook()
      if reached and ok then assert.are.same({ 4, "convgen: interrupted\n" }, { status, err }) end
    until not reached
    assert.is_true(steps > 100000, steps)
  end)

  it("a signal at any time leaves whole files or none", function()
    local lines = {}
    for i = 1, 40 do lines[i] = ('ic4oc4ih%dkh3ph1n"k%d"\n'):format(i + 2, i) end
    support.write("list", table.concat(lines))
    local emit = support.quoted(support.convgen) .. " emit --layers list --isa scalar --quiet -o "
    assert.are.equal(0, (support.shell("TIMEFORMAT=%R; " .. emit .. "whole")))
    assert.are.equal(80, #support.list("whole"))
    for _, signal in ipairs { "INT", "TERM" } do
      for _, delay in ipairs { "0.01", "0.05", "0.2", "0.3", "0.4", "0.6" } do
        os.execute("rm -rf out && mkdir out")
        -- In the foreground it sends the signal once: a second SIGINT ends Lua at once.
        local _, text = support.shell(("timeout --foreground -s %s %s %sout 2>&1"):format(signal, delay, emit))
        if signal == "INT" and text ~= "" then
          assert.are.equal("convgen: interrupted\n", text)
        end
        for _, name in ipairs(support.list("out")) do
          if name:find("%.tmp$") then -- SIGTERM cannot be caught in Lua
            assert.are.equal("TERM", signal)
          else
            assert.are.equal(support.read("whole/" .. name), support.read("out/" .. name))
          end
        end
      end
    end
  end)

  it("errors in its own modules", function()
    os.execute(("cp -r %s/gen copy && echo 'x =' >>copy/layer.lua"):format(
      support.quoted(support.root)))
    local status, text = support.shell("copy/convgen list 2>&1")
    assert.are.equal(4, status)
    assert.is_truthy(text:find("^convgen: [^\n]*layer.lua[^\n]*\n$"), text)
  end)

  it("leaves the file's permissions to umask", function()
    os.execute("umask 027; " .. support.quoted(support.convgen) .. " " .. LAYER .. " --quiet")
    assert.are.equal("rw-r-----", lfs.attributes("k.c", "permissions"))
    assert.is_true(files.write("k.c", support.read("k.c")))
  end)
end)
