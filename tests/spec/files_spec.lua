-- SPDX-License-Identifier: MIT-0
local support = require "tests.spec.support"
local files = require "files"
local lfs = require "lfs"

describe("writing files", function()
  before_each(support.enter)
  after_each(support.leave)

  -- The message holds all the texts.
  local function fails(path, ...)
    local ok, why = files.write(path, "text")
    assert.is_nil(ok)
    for _, part in ipairs({ ... }) do
      assert.is_truthy(why:find(part, 1, true), ("%q lacks %q"):format(why, part))
    end
  end

  it("makes files and the directories above them", function()
    assert.is_true(files.write("a/b//c/x.h", "text\0\r\n"))
    assert.are.equal("text\0\r\n", support.read("a/b/c/x.h"))
    assert.are.same({ "x.h" }, support.list("a/b/c"))
    assert.is_true(files.write(support.directory .. "/d/y.h", ""))
    assert.are.equal("", support.read("d/y.h"))
  end)

  it("leaves no directory where it fails", function()
    local long = ("z"):rep(300)
    fails("a/b/" .. long .. "/x.h", "cannot make the directory")
    fails("a/b/" .. long, "cannot write")
    assert.is_nil((files.make_directory("a/" .. long)))
    assert.are.same({}, support.list())
  end)

  it("touches a file only when its content changes", function()
    files.write("x.h", "one")
    lfs.touch("x.h", 1000, 1000)
    local before = lfs.attributes("x.h")
    assert.are.same({ 0, 1 }, { files.write_all { { path = "x.h", text = "one" } } })
    assert.are.same({ before.ino, 1000 }, { lfs.attributes("x.h", "ino"),
      lfs.attributes("x.h", "modification") })
    assert.are.same({ 1, 0 }, { files.write_all { { path = "x.h", text = "two" } } })
    assert.are.equal("two", support.read("x.h"))
    assert.are.same({ "x.h" }, support.list())
  end)

  it("replaces a file and never writes into it: a reader keeps what it has open", function()
    files.write("x.h", "one")
    local reader = io.open("x.h")
    files.write("x.h", "two")
    assert.are.equal("one", reader:read("a"))
    reader:close()
  end)

  it("follows no symbolic link and replaces none", function()
    support.write("target", "old")
    lfs.link("target", "x.h", true)
    fails("x.h", "cannot write x.h: it is a symbolic link")
    assert.are.equal("old", support.read("target"))
    assert.are.equal("link", lfs.symlinkattributes("x.h", "mode"))
    lfs.link("nowhere", "y.h", true)
    fails("y.h", "symbolic link")
    assert.is_nil(lfs.attributes("nowhere"))
    -- a directory may be one
    lfs.mkdir("real")
    lfs.link("real", "alias", true)
    assert.is_true(files.write("alias/x.h", "text"))
    assert.are.same({ "x.h" }, support.list("real"))
  end)

  it("refuses what is no regular file", function()
    lfs.mkdir("x.h")
    fails("x.h", "directory")
    os.execute("mkfifo pipe")
    fails("pipe", "named pipe")
    fails("/dev/full", "char device")
    fails("/dev/null", "char device")
  end)

  it("says why with the system's words", function()
    support.write("file", "")
    fails("file/x.h", "cannot make the directory file: it is a file")
    fails("/proc/nowhere/x.h", "/proc/nowhere", "No such file or directory")
    fails(("n"):rep(300), "File name too long")
  end)

  it("writes all files or none", function()
    lfs.mkdir("b")
    assert.is_nil((files.write_all { { path = "a", text = "1" }, { path = "b", text = "2" } }))
    assert.are.same({ "b" }, support.list())
    local long = ("n"):rep(300)
    assert.is_nil((files.write_all { { path = "a", text = "1" }, { path = long, text = "2" } }))
    assert.are.same({ "b" }, support.list())
  end)

  it("leaves nothing when the disk is full", function()
    support.write("old.txt", "old")
    local status, text = support.shell(([[trap '' XFSZ; ulimit -f 0; lua5.4 -e 'package.path = "%s"
      local files = require "files"
      print(files.write("old.txt", ("x"):rep(100000)))
      print(files.write("new.txt", "x"))' 2>&1]]):format(package.path))
    assert.are.equal(0, status)
    assert.is_truthy(text:find("nil\tcannot write old.txt: ", 1, true), text)
    assert.is_truthy(text:find("nil\tcannot write new.txt: ", 1, true), text)
    assert.are.same({ "old.txt" }, support.list())
    assert.are.equal("old", support.read("old.txt"))
  end)

  it("reads regular files only", function()
    support.write("x", "text")
    assert.are.equal("text", files.read("x"))
    assert.are.same({ nil, "cannot read y: No such file or directory" }, { files.read("y") })
    assert.is_truthy(select(2, files.read(".")):find("directory"))
  end)

  it("joins paths", function()
    assert.are.equal("x.h", files.join(".", "x.h"))
    assert.are.equal("x.h", files.join("./", "x.h"))
    assert.are.equal("out/x.h", files.join("out", "x.h"))
    assert.are.equal("out/x.h", files.join("out//", "x.h"))
    assert.are.equal("/x.h", files.join("/", "x.h"))
    assert.are.equal("./-/x.h", files.join("./-", "x.h"))
  end)
end)
