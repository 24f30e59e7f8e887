-- SPDX-License-Identifier: MIT-0
local support = require "tests.spec.support"
local lfs = require "lfs"

local EDGE = "--input 32x32x3 --filters 10 --kernel 5x5 --stride 1 --pad same --activation relu "
  .. "--isa avx2 --name edge"
local SMALL = "--input 6x6x2 --filters 3 --kernel 3 --isa scalar"

-- Runs a command line that must succeed, given as a text; gives standard output and error.
local function run(text)
  local status, out, err = support.run(support.words(text))
  assert.are.equal(0, status, err)
  return out, err
end

-- The command that a generated file names.
local function command_in(path)
  return support.read(path):match("convgen (emit [^\n]*)"):gsub("%s*%*/$", "")
end

describe("convgen", function()
  before_each(support.enter)
  after_each(support.leave)

  it("tells its version, which is in one place", function()
    assert.are.equal("convgen " .. require("version") .. "\n", run("--version"))
    assert.are.equal("0.1.0", require("version"))
  end)

  it("helps", function()
    for _, text in ipairs({ "--help", "-h", "emit --help", "check -h", "explain --help", "list -h",
      "emit --kernel 3 --help" }) do
      local out, err = run(text)
      assert.is_truthy(out:find("^Usage: convgen") and out:find("%-%-help"))
      assert.are.equal("", err)
    end
    assert.is_truthy(run("emit --help"):find("T,L,B,R", 1, true))
    for line in run("emit --help"):gmatch("[^\n]+") do assert.is_true(#line <= 100) end
  end)

  it("lists algorithms and instruction sets", function()
    local out, err = run("list")
    for _, word in ipairs({ "direct", "depthwise", "scalar", "sse2", "avx2", "avx512" }) do
      assert.is_truthy(out:find("  " .. word, 1, true))
    end
    assert.are.equal("", err)
  end)

  it("explains without writing", function()
    local out, err = run("explain " .. EDGE)
    assert.is_truthy(out:find("direct", 1, true) and #out > 100)
    assert.are.equal("", err)
    assert.are.same({}, support.list())
  end)

  it("explains kernels with run-time sizes", function()
    local out, err = run("explain --input HxWxC --filters OC --kernel 3 --pad same --name sized")
    assert.is_truthy(out:find("sizes at run time", 1, true))
    assert.are.equal("", err)
  end)
end)

describe("convgen emit", function()
  before_each(support.enter)
  after_each(support.leave)

  it("writes NAME.h and NAME.c and nothing else", function()
    local out = run("emit " .. EDGE .. " --accuracy exact -o out/")
    assert.are.equal("", out)
    assert.are.same({ "out" }, support.list())
    assert.are.same({ "edge.c", "edge.h" }, support.list("out"))
    local header = support.read("out/edge.h")
    for macro, value in pairs({ INPUT_COUNT = 3072, WEIGHT_COUNT = 750, BIAS_COUNT = 10,
      OUTPUT_COUNT = 10240, EXACT = 1 }) do
      assert.is_truthy(header:find(("\n#define edge_%s %d\n"):format(macro, value), 1, true), macro)
    end
  end)

  it("takes the directory with and without slash, and makes it", function()
    run("emit " .. EDGE .. " -o a/b/c")
    run("emit " .. EDGE .. " -o d//")
    run("emit " .. EDGE .. " -o" .. support.directory .. "/e")
    run("emit " .. EDGE)
    for _, directory in ipairs({ "a/b/c", "d", "e", "." }) do
      assert.are.equal(support.read("edge.c"), support.read(directory .. "/edge.c"))
    end
  end)

  it("reports progress on standard error, unless told not to", function()
    local out, err = run("emit " .. EDGE)
    assert.are.equal("", out)
    assert.is_truthy(err:find("2 files written", 1, true))
    out, err = run("emit --quiet " .. EDGE)
    assert.are.same({ "", "" }, { out, err })
  end)

  it("leaves files alone that do not change", function()
    run("emit " .. EDGE)
    lfs.touch("edge.h", 1000, 1000)
    local _, err = run("emit " .. EDGE)
    assert.are.equal(1000, lfs.attributes("edge.h", "modification"))
    assert.is_truthy(err:find("0 files written to ., 2 unchanged", 1, true))
  end)

  it("prints the names of its files, and writes none", function()
    assert.are.equal("out/edge.h\nout/edge.c\n", run("emit --list-outputs -o out/ " .. EDGE))
    assert.are.equal("edge.h\nedge.c\n", run("emit --list-outputs " .. EDGE))
    assert.are.equal("p_edge.h\np_edge.c\np_edge_test.c\nall.h\nall.c\nregistry.h\n",
      run("emit --list-outputs --test --registry all --prefix p_ " .. EDGE))
    assert.are.same({}, support.list())
  end)

  it("writes what it lists", function()
    local arguments = " --test --registry all --prefix p_ -o x " .. EDGE
    local names = {}
    for path in run("emit --list-outputs" .. arguments):gmatch("x/(%S+)") do
      names[#names + 1] = path
    end
    table.sort(names)
    run("emit" .. arguments)
    assert.are.same(names, support.list("x"))
  end)

  it("does everything but write with --dry-run", function()
    local out, err = run("emit --dry-run -o out " .. EDGE)
    assert.are.equal("", out)
    assert.is_truthy(err:find("would write out/edge.h (", 1, true))
    assert.are.same({}, support.list())
  end)

  it("names a kernel after what it is, or after the descriptor, or as told", function()
    run("emit " .. SMALL)
    local names = support.list()
    assert.is_truthy(names[1]:find("^conv_f32_nhwc_3x3s1p0_6x6c2k3_via_direct_scalar.*%.c$"))
    assert.are.equal('edge.h\nedge.c\n', run('emit --list-outputs --problem ic1oc1ih3kh3n"edge*2"'))
    assert.are.equal("x.h\nx.c\n",
      run('emit --list-outputs --problem ic1oc1ih3kh3n"conv:1/x" --name x'))
  end)

  it("emits many layers, all or none", function()
    support.write("list", 'ic1oc2ih5kh3ph1n"a"\nic2oc2ih4kh1mb1\n')
    local err = select(2, run("emit --layers list -o out --isa scalar --activation relu --no-bias"))
    assert.is_truthy(err:find("4 files written to out", 1, true))
    local names = support.list("out")
    assert.are.same({ "a.c", "a.h" }, { names[1], names[2] })
    assert.is_truthy(names[3]:find("^conv_f32_nhwc_1x1s1p0_4x4c2k2_nobias_relu_via_"))
    support.write("list", 'ic1oc2ih5kh3ph1n"b"\nic1oc1ih3kh3n"int"\n')
    assert.are.equal(2, (support.run(support.words("emit --layers list -o out"))))
    assert.are.same(names, support.list("out"))
  end)

  it("says in the file how it is made again", function()
    for _, text in ipairs({
      EDGE,
      SMALL,
      SMALL .. " --batch 2 --stride 2x1 --pad 1,0,0,1 --dilation 1x2 --layout nchw --weights hwio",
      SMALL .. " --pad 1x2 --no-bias --activation clamp:-0.1,1e-5 --accuracy exact --prefix p_",
      SMALL .. " --groups 2 --filters 4 --algorithm depthwise --pad same-lower",
      SMALL .. " --max-unroll 10 --dtype f32",
      "--problem ic1ih14oc1oh1kh1sh14ph0n\"x\" --isa sse2",
      "--problem g2mb1_ic2iw9oc4kw3dw1 --isa sse2 --activation leaky:0.3",
    }) do
      local own = {}
      for word in text:gmatch("%-%-%w+") do own[word] = (own[word] or 0) + 1 end
      if own["--filters"] == 2 then text = text:gsub("%-%-filters 3 ", "") end
      run("emit -o one " .. text)
      local command = command_in("one/" .. support.list("one")[1])
      assert.is_nil(command:find("auto", 1, true))
      run(command .. " -o two")
      assert.are.same(support.list("one"), support.list("two"))
      for _, name in ipairs(support.list("one")) do
        assert.are.equal(support.read("one/" .. name), support.read("two/" .. name))
      end
      os.execute("rm -r one two")
    end
  end)

  it("has one canonical command line", function()
    run("emit " .. EDGE)
    assert.are.equal("emit --input 32x32x3 --filters 10 --kernel 5x5 --pad same "
      .. "--activation relu --isa avx2 --name edge", (command_in("edge.c")))
    local before = support.read("edge.c")
    run("emit --name edge --isa avx2 --activation=relu --pad same --kernel 5 --filters 010 "
      .. "--input 32x32x3 --batch 1 --stride 1x1 --dilation 1 --groups 1 --layout nhwc "
      .. "--weights oihw --dtype f32 --algorithm auto --accuracy fast -o./")
    assert.are.equal(before, support.read("edge.c"))
    run("emit " .. EDGE:gsub("avx2", "auto"))
    assert.is_truthy(command_in("edge.c"):find("--isa " .. require("isa").detect(), 1, true))
  end)

  it("refuses or rolls what would explode", function()
    local start = os.clock()
    local status = support.run(support.words("emit --input 64x64x512 --filters 512 --kernel 64 "
      .. "--name big --isa avx512"))
    assert.is_true(status == 0 or status == 3)
    assert.is_true(os.clock() - start < 10)
    if status == 0 then assert.is_true(lfs.attributes("big.c", "size") < 1 << 20) end
  end)

  it("reports an error in a template with its place, and writes nothing", function()
    local emit = require "emit"
    local kernel = emit.kernel
    emit.kernel = function() error("templates/x.c:3: undefined name 'y'", 0) end
    local status, out, err = support.run(support.words("emit -o out " .. EDGE))
    emit.kernel = kernel
    assert.are.same({ 4, "", "convgen: templates/x.c:3: undefined name 'y'\n" },
      { status, out, err })
    assert.are.same({}, support.list())
  end)
end)

describe("the convgen process", function()
  before_each(support.enter)
  after_each(support.leave)

  it("gives the same bytes from anywhere, in any environment", function()
    lfs.mkdir("one")
    lfs.mkdir("two")
    lfs.link(support.convgen, "first", true)
    lfs.link("../first", "one/convgen", true)
    -- nothing of this may be loaded
    for _, name in ipairs({ "cli", "layer", "lfs", "argparse", "version" }) do
      support.write("two/" .. name .. ".lua", "error('loaded from the current directory')")
    end
    local arguments = (" emit %s -o "):format(EDGE)
    local status,
      text = support.shell(support.quoted(support.convgen) .. arguments .. "a --quiet 2>&1"
      .. " && cd two && LC_ALL=de_DE.UTF-8 LC_NUMERIC=de_DE.UTF-8 TZ=Asia/Tokyo LUA_PATH='./?.lua'"
      .. " LUA_INIT='error(1)' LUA_INIT_5_4='error(1)' PATH=\"../one:$PATH\" convgen"
      .. arguments .. "../b --quiet 2>&1")
    assert.are.equal("", text)
    assert.are.equal(0, status)
    for _, name in ipairs({ "edge.h", "edge.c" }) do
      assert.are.equal(support.read("a/" .. name), support.read("b/" .. name))
    end
    assert.is_nil(support.read("a/edge.c"):find(support.root, 1, true))
  end)

  it("notices that standard output is closed or full", function()
    local convgen = support.quoted(support.convgen)
    for _, where in ipairs({ ">/dev/full", ">&-" }) do
      local status, text = support.shell(("{ %s list %s; } 2>&1; exit $?"):format(convgen, where))
      assert.is_true(status ~= 0)
      assert.is_truthy(text:find("^convgen: cannot write standard output: [^\n]+\n$"), text)
    end
  end)

  it("may run twice at once", function()
    local one = ("%s emit %s -o out --quiet & "):format(support.quoted(support.convgen), EDGE)
    assert.are.equal(0, (support.shell(one:rep(4) .. "wait")))
    assert.are.same({ "edge.c", "edge.h" }, support.list("out"))
    run("emit " .. EDGE)
    for _, name in ipairs({ "edge.h", "edge.c" }) do
      assert.are.equal(support.read(name), support.read("out/" .. name))
    end
  end)
end)

describe("convgen check", function()
  local emit, getenv = require "emit", os.getenv
  local real_test = emit.test
  local compiler, scratch

  before_each(function()
    scratch = support.enter() .. "/tmp"
    lfs.mkdir(scratch)
    compiler = "cc"
    os.getenv = function(name) -- luacheck: ignore
      if name == "CC" then return compiler end
      return getenv(name)
    end
  end)
  after_each(function()
    os.getenv = getenv -- luacheck: ignore
    emit.test = real_test
    support.leave()
  end)

  local function check(text)
    return support.run(support.words("check " .. text))
  end

  -- A test program that prints and ends as told, in place of the real one.
  local function program(body)
    return "#include <stdio.h>\n#include <stdlib.h>\nint main(void) { " .. body .. " }\n"
  end

  it("builds and runs a kernel with its test", function()
    local status, out, err = check(SMALL .. " --name x --junit report.xml")
    assert.are.equal(0, status, out .. err)
    assert.is_truthy(out:find("^pass x: [^\n]*\n$"), out)
    assert.is_truthy(err:find("1 passed, 0 failed, 0 skipped", 1, true))
    assert.are.same({ "report.xml", "tmp" }, support.list())
    assert.are.equal(0, (check(SMALL .. " --name x -o kept")))
    assert.are.same({ "x.c", "x.h", "x_test.c" }, support.list("kept"))
    local report = support.read("report.xml")
    assert.is_truthy(report:find('tests="1" failures="0" errors="0" skipped="0"', 1, true))
    assert.is_truthy(report:find('<testcase classname="convgen.direct.scalar" name="x"/>', 1, true))
  end)

  it("says for each layer how it went", function()
    emit.test = function(jobs)
      local name = jobs[1].name
      local body = ({
        a = 'puts("passed a: 5 outputs");',
        b = 'puts("FAILED b: <output> & \\"more\\"\\033"); return 1;',
        c = 'puts("skipped c: no AVX9");',
        d = 'puts("passed d: 1"); fflush(stdout); abort();',
        e = 'return 0;',
      })[name]
      return program(body .. " return 0;")
    end
    support.write("list", 'ic1oc1ih3kh1n"a"\nic1oc1ih3kh1n"b"\nic1oc1ih3kh1n"c"\n'
      .. 'ic1oc1ih3kh1n"d"\nic1oc1ih3kh1n"e"\n')
    local status, out, err = check("--layers list --isa scalar --junit report.xml")
    assert.are.equal(1, status)
    assert.are.equal('pass a: 5 outputs\nfail b: <output> & "more"\\x1b\nskip c: no AVX9\n'
      .. "fail d: the test ended with status 134\nfail e: the test ended with status 0\n",
      (out:gsub("(134):[^\n]*", "%1")))
    assert.is_truthy(err:find("1 passed, 3 failed, 1 skipped", 1, true))
    local report = support.read("report.xml")
    assert.is_truthy(report:find('message="&lt;output&gt; &amp; &quot;more&quot;\\x1b"', 1, true))
    assert.is_truthy(report:find('<skipped message="no AVX9"/>', 1, true))
    assert.is_truthy(report:find('tests="5" failures="3" errors="0" skipped="1"', 1, true))
    assert.is_nil(report:find("[^%g \n]"))
  end)

  it("fails when the kernel does not compile", function()
    emit.test = function() return program("return no_such_thing;") end
    local status, out = check(SMALL .. " --name x")
    assert.are.equal(1, status)
    assert.is_truthy(out:find("^fail x: does not compile: [^\n]*no_such_thing[^\n]*\n$"), out)
  end)

  it("cannot run a compiler that is missing or none", function()
    support.write("none", "")
    for _, what in ipairs({ "no-such-compiler -m64", support.directory .. "/none" }) do
      compiler = what
      local status, out, err = check(SMALL)
      assert.are.same({ 4, "" }, { status, out })
      assert.is_truthy(err:find("^convgen: cannot run the compiler '[^\n]*\n$"), err)
    end
  end)

  it("takes arguments in CC, but no shell commands", function()
    emit.test = function() return program('puts("passed x: " WORD); return 0;') end
    compiler = 'cc -DWORD="ok"'
    assert.are.equal("pass x: ok\n", (select(2, check(SMALL .. " --name x"))))
    compiler = "cc;touch,pwned; $(touch${IFS}pwned) `touch pwned`"
    check(SMALL)
    assert.are.same({ "tmp" }, support.list())
  end)

  it("leaves nothing behind", function()
    os.getenv = getenv -- luacheck: ignore
    local status, out = support.spawn(support.words("check " .. SMALL .. " --name x --quiet"),
      "TMPDIR=" .. scratch)
    assert.are.equal(0, status)
    assert.is_truthy(out:find("^pass x"))
    assert.are.same({}, support.list(scratch))
  end)
end)
