-- SPDX-License-Identifier: MIT-0
local support = require "tests.spec.support"
local batch = require "import.batch"
local behind = require "behind"
local benchdnn = require "import.benchdnn"
local contenders = require "contenders"
local cost = require "plan.cost"
local emit = require "emit"
local isa = require "isa"
local layer = require "layer"
local machine = require "machine"
local plan = require "plan"
local profile = require "profile"
local request = require "request"
local version = require "version"

local LAYER = "--problem ic16ih20oc32oh20kh3ph1 --isa avx2"
local KEY = "layer avx2 nhwc fast mb2_ic16ih20oc32oh20kh3ph1"
local HEAD = "convgen " .. version .. "\n"

-- Runs convgen; gives status, standard output and error.
local function run(text) return support.run(support.words(text)) end

-- What emit writes, both files in one text; of a command line that must succeed.
local function emitted(text)
  local status, _, err = run("emit --quiet --name x " .. text)
  assert.are.equal(0, status, err)
  return support.read("x.h") .. support.read("x.c")
end

local function made_by_rule(text)
  local status, out, err = run("explain " .. LAYER .. " " .. text)
  assert.are.equal(0, status, err)
  return out
end

describe("a profile", function()
  before_each(support.enter)
  after_each(support.leave)

  it("is read as it is written", function()
    local one = profile.new("Some processor (family 1 model 2)")
    one:set_cost("l2_bytes", 1 << 19, "all")
    one:set_cost("fma", 1, "avx512")
    one:set_cost("fma", 100, "avx2") -- out of range
    local function fields(changes) return assert(layer.new(support.fields(changes))) end
    local way = { algorithm = "direct", tile = { mapping = "channels", tile = "6x2" }, us = 1.5, rule = "direct/8x1",
      rule_us = 2 }
    local layers = {
      fields {}, fields { layout = "nchw" }, fields { pad = "same" },
      fields { after = { pool = "max", KH = 2, KW = 2, stride_h = 1, pad = "same" } },
      fields { after = { pool = "average", KH = 2, KW = 2, ceil = true, include_pad = true } },
      assert(layer.new { pool = "max", IH = 8, IW = 8, IC = 4, KH = 3, KW = 3, ceil = true }),
    }
    for _, l in ipairs(layers) do one:set_way("avx2", l, "fast", way) end
    one:set_way("avx512", layers[1], "high",
      { algorithm = "winograd", tile = { mapping = "channels", tile = "f42t6x4" }, block = 9 })
    assert(one:write("a.profile"))
    local two = assert(profile.read("a.profile"))
    assert.are.equal(one:text(), two:text())
    assert.are.equal(#layers + 1, select(2, two:text():gsub("\nlayer ", "")))
    assert.are.same({ l2_bytes = 1 << 19, fma = 1 }, two:costs_of("avx512"))
    assert.are.same({ l2_bytes = 1 << 19 }, two:costs_of("avx2"))
    for _, l in ipairs(layers) do assert.are.equal("6x2", two:way("avx2", l, "fast").tile.tile) end
    assert.are.equal(9, two:way("avx512", layers[1], "high").block)
    assert.is_nil(two:way("avx512", layers[1], "fast"))
    assert.is_nil(two:way("avx512", layers[2], "high"))
    assert.is_nil(two:way("avx2", fields { IH = 9 }, "fast"))
  end)

  it("chooses, and the command in the header makes the same again", function()
    support.write("p.profile", HEAD .. KEY .. " : direct channels 3x2 us=5 rule=winograd/f4t6x2 rule_us=6\n")
    local rule = emitted(LAYER)
    local text = emitted(LAYER .. " --profile p.profile")
    assert.is_truthy(text:find("convgen emit [^\n]*%-%-profile p.profile"))
    assert.is_nil(rule:find("profile", 1, true))
    assert.is_truthy(text:find("3 pixels", 1, true), text:match("/%*.-%*/"))
    local again = text:match("convgen emit ([^\n]*)"):gsub("%s*%*/$", "")
    assert.are.equal(text, emitted((again:gsub("%-%-name x", ""))))
    assert.are.equal(text, emitted(LAYER .. " --profile ./p.profile"))
    assert.are.equal(rule, emitted(LAYER)) -- nothing stays behind
  end)

  it("gives way to what the command line says", function()
    support.write("p", HEAD .. KEY .. " : direct channels 3x2\n")
    assert.is_truthy(made_by_rule("--profile p"):find("\ntile        3x2:", 1, true))
    for _, words in ipairs { "--algorithm direct", "--tile 4x2", "--accuracy exact", "--layout nchw" } do
      local function tile(text) return made_by_rule(text):match("\ntile[^\n]*") end
      assert.are.equal(tile(words), tile(words .. " --profile p"))
    end
  end)

  it("sets the size of Winograd's blocks", function()
    support.write("p", HEAD .. KEY .. " : winograd channels f4t6x2 block=2\n")
    assert.is_truthy(made_by_rule("--profile p"):find("of up to 1 x 2 tiles", 1, true))
  end)

  it("says in 'explain' where a choice comes from", function()
    support.write("p", HEAD .. KEY .. " : direct channels 3x2 us=5 rule=winograd/f4t6x2 rule_us=6.25\n")
    assert.is_truthy(made_by_rule("--profile p"):find(
      "\nwhy         measured to be the fastest: p:2; 5.00 us, by rule winograd/f4t6x2 6.25 us\n", 1, true))
    local out = made_by_rule("--profile p --layout nchw")
    assert.is_truthy(out:find("\nprofile     p does not choose for this layer: by rule, with its costs\n", 1, true))
    assert.is_truthy(out:find("\nwhy         the least cycles", 1, true))
  end)

  it("replaces numbers of the cost model, for a while", function()
    local before = cost.l2_bytes
    support.write("p", HEAD .. "cost l2_bytes 32768\ncost fma 1 avx2\n")
    local rule = made_by_rule("")
    assert.are_not.equal(rule:match("\nblocks[^\n]*"), made_by_rule("--profile p"):match("\nblocks[^\n]*"))
    assert.are.equal(before, cost.l2_bytes)
    assert.are.equal(rule, made_by_rule(""))
    local sized = "--input HxWxC --filters OC --kernel 3 --isa avx2"
    assert.is_truthy(emitted(sized .. " --profile p"):find(tostring(32768 // 2), 1, true))
    assert.is_nil(emitted(sized):find(tostring(32768 // 2), 1, true))
    assert.has_error(function()
      local _ <close> = cost.replaced { l2_bytes = 1 }
      error("interrupted!")
    end)
    assert.are.equal(before, cost.l2_bytes)
  end)

  it("of another processor or version is used with a remark", function()
    support.write("p", HEAD .. "cpu Another\n" .. KEY .. " : direct channels 3x2\n")
    local status, out, err = run("explain " .. LAYER .. " --profile p")
    assert.are.equal(0, status)
    assert.is_truthy(out:find("\ntile        3x2:", 1, true))
    local here = machine.cpu()
    assert.are.equal(here and ("convgen: p is of another processor: Another, this is %s\n"):format(here) or "", err)
    assert.are.equal("", select(3, run("emit --quiet --list-outputs " .. LAYER .. " --profile p")))
    support.write("p", "convgen 0.0.1\ncost l2_bytes 32768\n" .. KEY .. " : direct channels 3x2\n")
    status, out, err = run("explain " .. LAYER .. " --profile p")
    assert.are.equal(0, status)
    assert.is_nil(out:find("3x2", 1, true))
    assert.are.equal(("convgen: p is of convgen '0.0.1', this is %s: its costs are used, its layers are not\n")
      :format(version), err)
  end)

  -- what is in the file, and what the one line on it says
  local BAD = {
    { "", "p: there is no line 'convgen'" },
    { "# nothing\n", "is it a profile?" },
    { "int main(void) { return 0; }", "p:1: the first word must be" },
    { "cost l2_bytes 32768\n" .. HEAD, "p:1: want 'convgen' and a version first" },
    { HEAD .. "convgen 2\n", "p:2: 'convgen' is there twice" },
    { HEAD .. "cpu\n", "p:2: 'cpu' says nothing" },
    { HEAD .. "colour red\n", "p:2: the first word must be convgen, cpu, cost or layer, got 'colour'" },
    { HEAD .. "laier\n", "did you mean 'layer'?" },
    { HEAD .. "cost\n", "got ''" },
    { HEAD .. "cost l2_byte 4\n", "did you mean 'l2_bytes'?" },
    { HEAD .. "cost l2_bytes\n", "from 16384 to 1073741824, got ''" },
    { HEAD .. "cost l2_bytes 0\n", "got '0'" },
    { HEAD .. "cost l2_bytes 1e6\n", "got '1e6'" },
    { HEAD .. "cost l2_bytes 99999999999999999999\n", "cost l2_bytes must be" },
    { HEAD .. "cost l2_bytes 32768\ncost l2_bytes 32768\n", "p:3: cost l2_bytes is there twice" },
    { HEAD .. "cost fma 1 avx3\n", "did you mean 'avx2'?" },
    { HEAD .. "cost fma 1 avx2 avx2\n", "unexpected 'avx2'" },
    { HEAD .. "layer\n", "a layer needs a ':'" },
    { HEAD .. "layer avx2 :\n", "got ''" },
    { HEAD .. "layer avx3 nhwc fast ic1oc1ih3kh3 : direct channels 1x1\n", "an instruction set must be" },
    { HEAD .. "layer avx2 nhcw fast mb2_ic1ih3oc1oh1kh3ph0 : direct channels 1x1\n", "layout must be" },
    { HEAD .. "layer avx2 nhwc quick mb2_ic1ih3oc1oh1kh3ph0 : direct channels 1x1\n", "an accuracy must be" },
    { HEAD .. "layer avx2 nhwc fast ic1oc1ih3 : direct channels 1x1\n", "descriptor 'ic1oc1ih3'" },
    { HEAD .. "layer avx2 nhwc fast ic1oc1ih3kh3 : direct channels 1x1\n",
      "spelt in another way: avx2 nhwc fast mb2_ic1ih3oc1oh1kh3ph0" },
    { HEAD .. KEY .. " colour=red : direct channels 1x1\n", "unknown field 'colour'" },
    { HEAD .. KEY .. " then=max : direct channels 1x1\n", "want a window" },
    { HEAD .. KEY .. " ceil=1 : direct channels 1x1\n", "field 'ceil' takes no value" },
    { HEAD .. KEY .. " : indirect channels 1x1\n", "did you mean 'direct'?" },
    { HEAD .. KEY .. " : direct 1x1\n", "a mapping is a word like channels, got '1x1'" },
    { HEAD .. KEY .. " : direct kanals 1x1\n", "p:2: direct kanals 1x1 cannot be: no register" },
    { HEAD .. KEY .. " : winograd pixels f4\n", "p:2: winograd pixels f4 cannot be: lanes are not pixels" },
    { HEAD .. KEY .. " : direct channels\n", "a tile is like 6x4, got ''" },
    { HEAD .. KEY .. " : direct channels *\n", "a tile is like 6x4, got '*'" },
    { HEAD .. KEY .. " : direct channels 3x2 block\n", "field 'block' needs a value" },
    { HEAD .. KEY .. " : direct channels 3x2 block=0\n", "bad value '0' of field 'block'" },
    { HEAD .. KEY .. " : direct channels 3x2 block=-1\n", "bad value '-1' of field 'block'" },
    { HEAD .. KEY .. " : direct channels 3x2 us=fast\n", "bad value 'fast' of field 'us'" },
    { HEAD .. KEY .. " : direct channels 3x2 us=1 us=1\n", "field 'us' is there twice" },
    { HEAD .. KEY .. " : direct channels 3x2\n" .. KEY .. " : direct channels 4x2\n",
      "p:3: the layer is in line 2, too" },
    { HEAD .. KEY .. " : direct channels 99x9\n", "p:2: direct channels 99x9 cannot be: no register tile" },
    { HEAD .. KEY .. " : depthwise channels 1x1\n", "p:2: depthwise channels 1x1 cannot be: " },
    { HEAD .. "\0\27[2J\xff\n", "the first word must be" },
  }
  for i, case in ipairs(BAD) do
    it(("that is wrong is refused in one line: %d, %s"):format(i, case[2]), function()
      support.write("p", case[1])
      local status, out, err = run("emit " .. LAYER .. " --profile p")
      assert.are.equal(2, status, err)
      assert.are.equal("", out)
      assert.is_truthy(err:find("^convgen: [^%c]+\n$"), err)
      assert.is_truthy(err:find(case[2], 1, true), err)
      assert.are.same({ "p" }, support.list())
    end)
  end

  it("that cannot be read is an error of status 4", function()
    for _, path in ipairs { "nowhere", ".", "/dev/zero" } do
      local status, _, err = run("emit " .. LAYER .. " --profile " .. path)
      assert.are.equal(4, status)
      assert.is_truthy(err:find("^convgen: cannot read [^%c]+\n$"), err)
    end
  end)

  it("has a name in the header that can stand in a command", function()
    local function name(path)
      support.write(path, HEAD)
      return profile.read(path):name()
    end
    assert.are.same({ "zen5.profile", "PROFILE", "PROFILE" }, { name "zen5.profile", name "a b", name "*" })
  end)
end)

describe("the profiles of processors", function()
  before_each(support.enter)
  after_each(support.leave)

  it("are of this version, name processors, and hold costs alone", function()
    local names = profile.processors()
    assert.is_true(#names > 0)
    for _, name in ipairs(names) do
      local read = assert(profile.open(name))
      assert.are.equal(name, read:name())
      assert.are.same({}, read:warnings())
      assert.is_truthy(read.cpus[1]:find("%(family .*%)$"))
      assert.is_truthy(next(read.costs))
      assert.is_nil(next(read.ways))
    end
  end)

  it("are chosen by name, or by the processor at hand", function()
    local cpu <const>, runnable <const> = machine.cpu, isa.runnable
    local _ <close> = setmetatable({}, { __close = function() machine.cpu, isa.runnable = cpu, runnable end })
    local here = "--input 28x28x256 --filters 256 --kernel 3 --stride 2 --pad 1"
    local large = here .. " --isa avx512"
    local rule, other = emitted(large), emitted(large .. " --profile sapphire_rapids")
    assert.is_truthy(other:find("--profile sapphire_rapids --name x", 1, true))
    assert.are_not.equal(rule:match("\n#include.*"), other:match("\n#include.*"))
    -- A slow last level: pixels that stream by are fetched ahead, and all channels of a pixel are written at once.
    local stream = "--input 112x112x16 --kernel 1 --isa avx512 --filters "
    assert.is_nil(emitted(stream .. "32"):find("CONV_FETCH(", 1, true))
    assert.is_truthy(emitted(stream .. "32 --profile sapphire_rapids"):find("CONV_FETCH(", 1, true))
    assert.is_truthy(emitted(stream .. "96 --profile sapphire_rapids"):find("2 output pixels x 96 ", 1, true))
    -- What is stored in pieces as soon as it is begun is fetched before.
    local pieces = "--input 1x8000x1 --kernel 1x10 --stride 1x5 --filters 512 --isa avx512"
    assert.is_nil(emitted(pieces):find("CONV_FETCH(", 1, true))
    assert.is_truthy(emitted(pieces .. " --profile sapphire_rapids"):find("CONV_FETCH(out + ", 1, true))
    function machine.cpu() return "Some Xeon (family 6 model 207)" end
    function isa.runnable() return { "scalar", "sse2", "avx2", "avx512" } end
    assert.are.equal(other, emitted(large .. " --profile native"))
    assert.are.equal(other, emitted(here)) -- for the machine at hand
    assert.are.equal(rule, emitted(here .. " --profile none"))
    assert.are.equal(rule, emitted(large .. " --profile none"))
    assert.are.same({}, profile.open("native"):warnings(machine.cpu()))
    function machine.cpu() return "Some Xeon (family 6 model 20)" end
    assert.are.equal(rule, emitted(large .. " --profile native"))
    assert.are.equal(rule, emitted(here))
    assert.are.equal(1, #profile.open("sapphire_rapids"):warnings(machine.cpu()))
    function machine.cpu() end
    assert.are.equal(rule, emitted(large .. " --profile native"))
    support.write("native", HEAD)
    assert.are.equal("native", profile.open("native").path)
    support.write("sapphire_rapids", HEAD)
    assert.are.equal("sapphire_rapids", profile.open("sapphire_rapids").path)
    assert.is_nil((profile.open("sapphire_rapids.profile")))
  end)

  it("and a narrower instruction set, where that multiplies as much and leaves fewer lanes idle", function()
    local runnable <const> = isa.runnable
    local _ <close> = setmetatable({}, { __close = function() isa.runnable = runnable end })
    function isa.runnable() return { "scalar", "sse2", "avx2", "avx512" } end
    local function chosen(channels, processor, more)
      local values = { ["--input"] = ("64x64x%d"):format(channels), ["--filters"] = tostring(channels),
        ["--kernel"] = "3", ["--pad"] = "same", ["--profile"] = processor }
      for option, value in pairs(more or {}) do values[option] = value end
      local job = assert(request.jobs(values))[1]
      assert.are.equal(job.isa, job.plan.isa)
      assert.is_truthy(job.command:find("--isa " .. job.isa.name, 1, true))
      return job.isa.name
    end
    assert.are.equal("avx2", chosen(8, "zen4"))
    assert.are.equal("avx512", chosen(64, "zen4"))
    assert.are.equal("avx512", chosen(8, "none")) -- which has twice as many multiply-adds there
    assert.are.equal("avx512", chosen(8, "zen4", { ["--isa"] = "avx512" }))
    -- What was measured is not chosen again.
    support.write("here.profile", HEAD .. "cost fma 1 avx512\n"
      .. "layer avx512 nhwc fast mb1_ic8ih64oc8oh64kh3ph1 : direct planar 2x8\n")
    assert.are.equal("avx512", chosen(8, "here.profile"))
  end)
end)

describe("the processor", function()
  before_each(support.enter)
  after_each(support.leave)

  it("has a name", function()
    assert.are.equal("A CPU @ 2 GHz (family 6 model 85)",
      machine.cpu("vendor_id : X\ncpu family : 6\nmodel\t\t: 85\nmodel name\t: A  CPU @ 2 GHz\n"))
    assert.are.equal("implementer 0x41 part 0xd0c", machine.cpu("CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"))
    assert.is_nil(machine.cpu(""))
  end)

  it("has caches", function()
    local function cache(index, facts)
      os.execute(("mkdir -p caches/index%d"):format(index))
      for name, value in pairs(facts) do support.write(("caches/index%d/%s"):format(index, name), value .. "\n") end
    end
    cache(0, { level = 1, type = "Data", size = "32K", ways_of_associativity = 8, coherency_line_size = 64 })
    cache(1, { level = 1, type = "Instruction", size = "64K", ways_of_associativity = 4, coherency_line_size = 32 })
    cache(2, { level = 2, type = "Unified", size = "512K", ways_of_associativity = 0 })
    cache(3, { level = 3, type = "Unified", size = "16M" })
    assert.are.same({ l1_ways = 8, l1_way_bytes = 4096, line_bytes = 64, l2_bytes = 512 * 1024,
      l3_bytes = 10 * 1024 * 1024 }, machine.caches("caches"))
    assert.are.same({}, machine.caches("nowhere"))
  end)
end)

describe("the contenders of a layer", function()
  before_each(support.enter)
  after_each(support.leave)

  it("begin with the planner's choice, differ, and can be made again", function()
    support.write("list", 'ic6ih14oc16kh5n"a" ic16ih20oc32kh3ph1n"b" ic255ih7oc33kh1n"c" g32ic128ih14oc128kh3n"d"\n'
      .. 'ic3ih32oc10kh5ph2n"h" g16ic64ih9oc64kh3ph1n"i" '
      .. 'g40ic40ih17oc40kh3sh2ph1n"e" ic3ih33oc24kh7sh2ph3n"f"\nic16ih20oc32kh3ph1n"g" then max:2x2\n')
    for _, layout in ipairs(layer.words.layout) do
      for _, entry in ipairs(assert(batch.read("list"))) do
        entry.fields.layout = layout
        local l = assert(layer.new(entry.fields))
        local set, seen = isa.get("avx2"), {}
        local options = { algorithm = "auto", accuracy = "fast" }
        local function text(made)
          local header, source = emit.kernel { name = "x", layer_name = "x", layer = l, plan = made, isa = set,
            command = "" }
          return header .. source
        end
        local plans = contenders(l, set, options, 4)
        assert.is_true(#plans >= 2 and #plans <= 4)
        assert.are.equal(text(plan.make(l, set, options)), text(plans[1]))
        for _, made in ipairs(plans) do
          local kept = profile.new()
          kept:set_way("avx2", l, "fast", made.way)
          assert(kept:write("p"))
          local jobs = assert(request.jobs { ["--problem"] = benchdnn.format(l), ["--isa"] = "avx2",
            ["--layout"] = layout, ["--then"] = l.after and behind.text(l.after), ["--profile"] = "p" })
          local files = text(made)
          assert.are.equal(text(jobs[1].plan), files)
          assert.is_nil(seen[files], entry.name)
          seen[files] = true
        end
      end
    end
  end)
end)

describe("convgen tune", function()
  before_each(support.enter)
  after_each(support.leave)

  local foreign = isa.detect() == "neon" and "avx2" or "neon"
  local BAD = {
    { "", 2, "option '--profile' is missing" },
    { "--profile", 2, "option '--profile' needs a value" },
    { "--profile p --seconds 0", 2, "bad value '0' for --seconds" },
    { "--profile p --seconds 1.5", 2, "bad value '1.5' for --seconds" },
    { "--profile p --candidates x", 2, "bad value 'x' for --candidates" },
    { "--profile p --tile 6x4", 2, "option '--tile' belongs to 'emit'" },
    { "--profile p --isa " .. foreign, 3, "this machine does not run it" },
    { "--profile .", 4, "cannot write .: it is a directory" },
    { "--profile broken", 2, "broken:1: the first word must be" },
    { "--profile old", 2, "old is of convgen '0.0.1'" },
    { "--profile other", 2, "other is of another processor" },
  }
  for i, case in ipairs(BAD) do
    it(("refuses what is wrong: %d, %s"):format(i, case[3]), function()
      support.write("broken", "?")
      support.write("old", "convgen 0.0.1\n")
      support.write("other", HEAD .. "cpu Another\n")
      local before = support.list()
      local words = support.words("tune --input 8x8x4 --filters 4 --kernel 1 " .. case[1])
      local status, out, err = support.spawn(words)
      assert.are.equal(case[2], status, err)
      assert.are.equal("", out)
      assert.is_truthy(err:find("^convgen: [^%c]+\n$") and err:find(case[3], 1, true), err)
      assert.are.same(before, support.list())
    end)
  end

  it("refuses sizes at run time", function()
    local status, _, err = run("tune --profile p --input HxWxC --filters OC --kernel 1 --name x")
    assert.are.equal(3, status)
    assert.is_truthy(err:find("run-time sizes", 1, true))
  end)
end)
