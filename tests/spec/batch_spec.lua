-- SPDX-License-Identifier: MIT-0
local support = require "tests.spec.support"
local batch = require "import.batch"

describe("a layer list", function()
  before_each(support.enter)
  after_each(support.leave)

  local function read(text)
    support.write("list", text)
    return batch.read("list")
  end

  local function wrong(text, status, ...)
    local list, why, got = read(text)
    assert.is_nil(list)
    assert.are.equal(status, got)
    for _, part in ipairs({ ... }) do
      assert.is_truthy(why:find(part, 1, true), ("%q lacks %q"):format(why, part))
    end
    assert.is_nil(why:find("\n"))
  end

  it("is a descriptor a line, with comments and empty lines", function()
    local list = assert(read('# a list\n\nic1oc1ih3kh3n"a*2"\n  ic2oc1ih3kh3 # second\n\t# end\n'))
    assert.are.equal(2, #list)
    assert.are.same({ "a", 2, 3 }, { list[1].name, list[1].count, list[1].line })
    assert.are.same({ nil, 4, 2 }, { list[2].name, list[2].line, list[2].fields.IC })
  end)

  it("may have CRLF, a byte order mark and no end of line", function()
    local list = assert(read('\xef\xbb\xbf# x\r\nic1oc1ih3kh3n"a"\r\nic1oc1ih3kh3n"b"'))
    assert.are.same({ "a", "b" }, { list[1].name, list[2].name })
  end)

  it("is wrong at a line", function()
    wrong("\nic1oc1ih3kh3\nic1oc1ih-3kh3\n", 2, "list:3: ", "'ih'")
    wrong("ic1oc1id3kd3\n", 3, "list:1: ", "three-dimensional")
    wrong("ic1oc1ih3kh3\n ic1oc1 \n", 2, "list:2: ", "no spatial size")
    wrong("ic1oc1ih3kh3\n--bm=2\n", 2, "list:2: ", "'--bm'", "'--mb'")
    wrong("# nothing\n", 2, "list: ", "no layer")
    wrong("", 2, "list: ", "no layer")
  end)

  it("has names that are C identifiers and differ, also without case", function()
    wrong('ic1oc1ih3kh3n"a"\n#\nic1oc1ih4kh3n"a"\n', 2, "list:3: ", "'a'", "line 1")
    wrong('ic1oc1ih3kh3n"ab"\nic1oc1ih4kh3n"aB*2"\n', 2, "list:2: ", "'aB'", "'ab'", "line 1")
    wrong('ic1oc1ih3kh3n"a b"\n', 2, "list:1: ", "C identifier")
    wrong('ic1oc1ih3kh3n"int"\n', 2, "list:1: ", "C keyword")
  end)

  it("survives what is no list, quickly", function()
    local start = os.clock()
    wrong(("x"):rep(1 << 20), 2, "list:1: ", "...")
    wrong(("9"):rep(1 << 20), 2, "list:1: ", "...")
    wrong((" "):rep(1 << 20), 2, "no layer")
    wrong("ic1" .. (" "):rep(1 << 20) .. "x", 2, "list:1: ", "'oc'")
    wrong(("ic1\\\n"):rep(1 << 17), 2, "list:1: ", "'ic' is given twice")
    wrong("--mb=" .. ("1,"):rep(400) .. "1" .. "\n--dt=" .. ("f32,"):rep(400) .. "f32" .. "\nic1oc1ih3kh3\n", 2,
      "list:3: ", "too many combinations")
    wrong(("("):rep(100000) .. "\n", 2, "list:1: ")
    wrong("\0\1\2\xff\xfe\n", 2, "list:1: ", "\\x00\\x01\\x02\\xff\\xfe")
    wrong(("\n"):rep(100000) .. "x", 2, "list:100001: ")
    wrong(("ic1oc1ih3kh3\n"):rep(batch.MOST_LAYERS + 1), 2, "list:10001: ", "10000 layers")
    assert.is_true(os.clock() - start < 2)
  end)

  it("must be a file", function()
    os.execute("mkfifo pipe")
    for path, part in pairs({ missing = "No such file", ["."] = "directory", pipe = "named pipe",
      ["/dev/null"] = "char device" }) do
      local list, why, status = batch.read(path)
      assert.is_nil(list)
      assert.are.equal(4, status)
      assert.is_truthy(why:find(path, 1, true) and why:find(part, 1, true), why)
    end
  end)
end)

describe("a batch file", function()
  before_each(support.enter)
  after_each(support.leave)

  local function read(text, pool, skip)
    support.write("list", text)
    return assert(batch.read("list", pool, skip))
  end

  -- one field of all layers, in their order
  local function fields(list, field)
    local values = {}
    for i, entry in ipairs(list) do values[i] = tostring(entry.fields[field]) end
    return table.concat(values, " ")
  end

  local function wrong(text, status, ...)
    support.write("list", text)
    local list, why, got = batch.read("list")
    assert.is_nil(list)
    assert.are.equal(status, got, why)
    for _, part in ipairs({ ... }) do
      assert.is_truthy(why:find(part, 1, true), ("%q lacks %q"):format(why, part))
    end
  end

  it("has several words a line, comments between them, and words that go on in the next line", function()
    local list = read("ic1oc1ih3kh3 ic2oc1ih3kh3 # no\n--mb=1, \\\n  4 #\nic3\\\noc5_ih3kh3 #x")
    assert.are.equal("1 2 3 3", fields(list, "IC"))
    assert.are.equal("2 2 1 4", fields(list, "N"))
    assert.are.equal(4, list[3].line)
  end)

  it("has options that hold until --reset", function()
    local list = read("--mb=5 --dir=FWD_D --attr-post-ops=relu\nic1oc1ih3kh3\n--mb=0\nmb7ic1oc1ih3kh3\n"
      .. "--reset\nic1oc1ih3kh3")
    assert.are.equal("5 7 2", fields(list, "N"))
    assert.are.equal("false false nil", fields(list, "bias"))
    assert.are.equal("relu relu nil", fields(list, "activation"))
  end)

  it("takes each layer once for each value of its options, and no layer twice", function()
    local list = read("--mb=1,2 --dir=FWD_B,fwd_i --attr-post-ops=,relu:0.5 ic1oc1ih3kh3 ic1oc1ih3kh3")
    assert.are.equal("1 1 1 1 2 2 2 2", fields(list, "N"))
    assert.are.equal("true true false false true true false false", fields(list, "bias"))
    assert.are.equal("none leaky:0.5 none leaky:0.5 none leaky:0.5 none leaky:0.5", fields(list, "activation"))
  end)

  it("has operations that are activations of ours", function()
    local list = read("--attr-post-ops=eltwise_relu,relu:0.0,tanh,logistic,swish:1.0,clip:-1:2.5,clip_v2:0:6"
      .. " ic1oc1ih3kh3")
    assert.are.equal("relu tanh sigmoid silu clamp:-1,2.5 clamp:0,6", fields(list, "activation"))
    for _, operation in ipairs({ "sum", "relu+sum", "swish", "swish:2", "hardswish", "elu:1", "clip:0",
      "add:f32:per_oc", "relu:1:2:3", "prelu:per_oc" }) do
      wrong(("--attr-post-ops=%s\nic1oc1ih3kh3"):format(operation), 3, "list:2: ", "'" .. operation .. "'",
        "not supported")
    end
  end)

  it("refuses by name what would be another layer", function()
    for _, option in ipairs({ "--dt=u8:s8:f32", "--dt=bf16", "--cfg=u8s8s32", "--dir=BWD_D",
      "--attr-scales=src:common:2", "--attr-zero-points=src:common:2", "--attr-fpmath=bf16",
      "--strides=8x1x8x8::", "--match=.*x.*" }) do
      wrong(option .. "\nic1oc1ih3kh3", 3, "list:2: ", option:match("=(.*)"), "not supported")
    end
    wrong("--dt=f32,s8 ic1oc1ih3kh3", 3, "'s8'")
    wrong("--dir=FWD\nic1oc1ih3kh3", 2, "list:1: ", "'FWD'", "--dir")
    wrong("--mb=-1\nic1oc1ih3kh3", 2, "list:1: ", "'-1'", "--mb")
    wrong("--frob ic1oc1ih3kh3", 2, "list:1: ", "'--frob'")
  end)

  it("passes over what makes no other layer", function()
    assert.are.equal(1, #read("--dt=f32:f32:f32 --stag=axb,any --dtag=acdb --alg=wino --skip-impl=ref"
      .. " --attr-scales= --strides= --mode=P --attr-fpmath=strict ic1oc1ih3kh3"))
  end)

  it("can go on behind what is unsupported", function()
    local left = {}
    local list = read("ic1oc1id3kd3\n--dt=f32,s8 --dir=FWD_B,BWD_D ic1oc1ih3kh3", nil,
      function(why) table.insert(left, why) end)
    assert.are.equal(1, #list)
    assert.are.equal(3, #left) -- the depth, s8, BWD_D of f32
    assert.is_truthy(left[1]:find("^list:1: .*three%-dimensional"))
    assert.is_truthy(left[2]:find("^list:2: .*BWD_D"))
    assert.is_truthy(left[3]:find("^list:2: .*s8"))
  end)

  it("of pooling takes the layers of its algorithm", function()
    local text = "--alg=max,avg_np,pooling_avg_include_padding ic1ih4kh2 --alg=avg_p ic2ih4kh2"
    assert.are.equal("1", fields(read(text, { kind = "max" }), "IC"))
    assert.are.equal("1", fields(read(text, { kind = "average" }), "IC"))
    assert.are.equal("1 2", fields(read(text, { kind = "average", include_pad = true }), "IC"))
  end)

  it("includes others, beside it, whose options and names are one with its own", function()
    os.execute("mkdir -p sub/more")
    support.write("sub/one", "--mb=3 ic2oc1ih3kh3n\"a\" --batch=more/two")
    support.write("sub/more/two", "ic3oc1ih3kh3n\"a\"")
    local list = read("--batch=sub/one\nic4oc1ih3kh3n\"A\"")
    assert.are.equal("3 3 3", fields(list, "N"))
    assert.are.same({ "a", "a_2", "A_3" }, { list[1].name, list[2].name, list[3].name })
    assert.are.same({ "sub/one", "sub/more/two", "list" }, { list[1].path, list[2].path, list[3].path })
    support.write("sub/more/two", "\nic3oc1ih3kh")
    wrong("--batch=sub/one", 2, "sub/more/two:2: ", "'kh'")
    wrong("\n--batch=nowhere", 4, "list:2: ", "cannot read nowhere")
    wrong("\n--batch=sub", 4, "list:2: ", "directory")
    wrong("--batch=list", 2, "list:1: ", "include each other")
    for i = 1, 13 do support.write("nest" .. i, ("--batch=nest%d\n"):format(i + 1):rep(4)) end
    support.write("nest14", "ic1oc1ih3kh3")
    wrong("--batch=nest1", 2, "nest13:", "more than 1000 files")
  end)

  it("has labels for names, of which names are made", function()
    local list = read([[ic1oc1ih3kh3n"net:conv-1/2*3" ic2oc1ih3kh3n"net:conv_1:2" ic1oc1ih3kh3n"net:conv-1/2"
      ic3oc1ih3kh3n"3x3" ic4oc1ih3kh3n"" ic5oc1ih3kh3n"_x__y_" ic6oc1ih3kh3n"::" ic7oc1ih3kh3n"]]
      .. ("a:"):rep(40) .. '"')
    local names = {}
    for i, entry in ipairs(list) do names[i] = tostring(entry.name) end
    assert.are.equal("net_conv_1_2 net_conv_1_2_2 layer_3x3 nil x_y nil nil", table.concat(names, " "))
    assert.are.equal(3, list[1].count)
  end)

  it("makes kernels as its options say", function()
    support.write("list", "--dir=FWD_D --attr-post-ops=relu\nic1oc1ih3kh3n\"net:a\"\n--dt=s8 ic1oc1ih3kh3n\"b\"")
    local status, _, why = support.run({ "emit", "--layers", "list", "--isa", "scalar" })
    assert.are.equal(3, status)
    assert.is_truthy(why:find("list:3: ", 1, true))
    status, _, why = support.run({ "emit", "--layers", "list", "--isa", "scalar", "--skip-unsupported" })
    assert.are.equal(0, status, why)
    assert.is_truthy(why:find("1 unsupported layers left out; the first is list:3: ", 1, true))
    assert.is_truthy(support.read("net_a.h"):find("--activation relu --no-bias", 1, true))
    support.write("list", "--dt=s8 ic1oc1ih3kh3")
    status, _, why = support.run({ "check", "--layers", "list", "--skip-unsupported" })
    assert.are.equal(3, status)
    assert.is_truthy(why:find("no layer that is supported", 1, true))
  end)
end)
