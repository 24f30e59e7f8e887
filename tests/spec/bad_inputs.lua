-- Bad and hostile inputs, and what must come of each. bad_inputs_spec.lua runs them.
-- SPDX-License-Identifier: MIT-0
--
--   id        what it is
--   args      arguments of convgen: a text, split at spaces, or a list; $layer stands for the
--             options of a small layer that is right
--   list      content of the file 'list' for --layers
--   fields    fields for layer.new in place of a command line (of the small layer, some replaced)
--   status    exit status; 2 unless said otherwise; 0: accepted
--   says      texts that the message must hold: the field and the value at least

local cases = {}

local function add(id, case)
  case.id = id
  cases[#cases + 1] = case
end

-- $layer with one option more: an option that $layer has replaces it
local function option(id, name, value, ...)
  add(id, { args = { "emit", "$layer", name, value }, says = { name, ... } })
end

-- sizes
option("no kernel", "--kernel", "0", "'0'", "KH", "got 0")
option("kernel without width", "--kernel", "3x0", "'3x0'", "KW")
option("negative kernel width", "--kernel", "3x-3", "'3x-3'", "KW", "got -3")
option("no stride", "--stride", "0", "'0'", "stride_h")
option("negative stride", "--stride", "-1", "'-1'", "stride_h", "from 1")
option("negative stride, half", "--stride", "1x-1", "stride_w", "-1")
option("no dilation: 1 is dense", "--dilation", "0", "'0'", "1 = dense")
option("negative dilation", "--dilation", "-1", "'-1'", "dilation_h")
option("negative padding", "--pad", "-1", "'-1'", "padding must be >= 0")
option("negative padding on one side", "--pad", "0,1,-2,0", "-2", "padding must be >= 0")
option("negative padding of the width", "--pad", "1x-1", "padding must be >= 0")
option("no input channels", "--input", "8x8x0", "IC", "got 0")
option("no filters", "--filters", "0", "'0'", "OC")
option("no input height", "--input", "0x8x4", "IH", "got 0")
option("no input width", "--input", "8x0x4", "IW", "got 0")
option("negative input", "--input", "-8x8x4", "IH", "got -8")
option("empty batch", "--batch", "0", "'0'", "N must be")
add("kernel larger than the input",
  { args = "emit --input 4x4x1 --filters 1 --kernel 10", says = { "KH 10", "OH would be -5" } })
add("kernel larger than the input, hidden by the stride",
  { args = "emit --input 4x4x1 --filters 1 --kernel 3 --dilation 2 --stride 2",
    says = { "KH 3", "dilation 2", "OH would be 0" } })
add("output size that contradicts", { fields = { OH = 5 }, says = { "OH", "5", "6" } })

-- unusual, but right
add("stride larger than the kernel",
  { args = "emit --input 300x1x1 --filters 1 --kernel 1 --stride 3x1 --name x", status = 0 })
add("padding larger than the kernel",
  { args = "emit --input 10x10x1 --filters 1 --kernel 3 --pad 5 --name x", status = 0 })
add("every window mostly padding",
  { args = "emit --input 1x1x2 --filters 2 --kernel 7 --pad 6 --name x", status = 0 })
add("padding that differs from side to side",
  { args = "emit --input 8x8x2 --filters 2 --kernel 3 --stride 2 --pad 0,1,1,0 --name x",
    status = 0 })
add("same padding of an even kernel",
  { args = "emit --input 8x8x2 --filters 2 --kernel 4 --stride 2 --pad same-lower --name x",
    status = 0 })
add("depthwise with a multiplier",
  { args = "emit --input 8x8x3 --filters 6 --kernel 3 --groups depthwise --name x", status = 0 })
add("groups that are channels",
  { args = "emit --input 8x8x3 --filters 6 --kernel 3 --groups 3 --name x", status = 0 })
add("stride of 16 bits and more", { args = "emit $layer --stride 65536 --name x", status = 0 })
add("negative end padding in a descriptor",
  { args = "emit --problem ic1ih14oc1oh1kh1sh14ph0 --name x", status = 0 })

-- contradictions
add("two paddings", { args = "emit $layer --pad same --pad 1",
  says = { "--pad", "more than once" } })
add("a mode and a number", { fields = { pad = "same", pad_top = 1 }, says = { "pad", "same" } })
option("groups that do not divide the input", "--groups", "3", "'3'", "IC 4")
add("groups that do not divide the output",
  { args = "emit --input 8x8x4 --filters 3 --kernel 3 --groups 2", says = { "OC 3", "groups 2" } })
option("no groups", "--groups", "0", "'0'", "groups")
option("negative groups", "--groups", "-1", "'-1'", "groups", "got -1")
option("groups that are a word", "--groups", "depthwize", "'depthwize'",
  "did you mean 'depthwise'?")
add("a problem and a size", { args = "emit --problem ic1oc1ih3kh3 --stride 1",
  says = { "--problem", "--stride" } })
add("a problem and layers", { args = "emit --problem ic1oc1ih3kh3 --layers list",
  says = { "--problem", "--layers" } })
add("layers and a size", { args = "emit --layers list --kernel 3",
  says = { "--layers", "--kernel" } })
add("layers and one name", { args = "emit --layers list --name x",
  says = { "--layers", "--name" } })
add("no input", { args = "emit --filters 1 --kernel 3", says = { "--input", "missing" } })
add("no kernel option", { args = "emit --input 8x8x4 --filters 1",
  says = { "--kernel", "missing" } })
add("no filters option", { args = "emit --input 8x8x4 --kernel 1",
  says = { "--filters", "missing" } })

-- numbers too large
option("height of 2^31", "--input", "2147483648x1x1", "IH", "2147483647")
option("height of 2^63", "--input", "9223372036854775808x1x1", "IH", "got '9223372036854775808'")
option("height of 2^64", "--input", "18446744073709551616x1x1", "IH", "got '18446744073709551616'")
option("element count of 2^36", "--input", "65536x65536x16", "65536 x 65536 x 16", "2147483647")
option("channels of 2^33", "--filters", "8589934592", "OC", "8589934592", "2147483647")
option("kernel of 2^33", "--kernel", "8589934592", "KH", "8589934592")
option("padding of 2^62", "--pad", "4611686018427387904", "'4611686018427387904'", "2147483647")
option("padding of almost 2^31", "--pad", "2147483647", "pad_top", "2147483647")
option("stride of 2^63", "--stride", "9223372036854775808", "stride_h", "got '9223372036854775808'")
option("groups of 2^63", "--groups", "9223372036854775808", "groups", "got '9223372036854775808'")
option("unrolling of 2^63", "--max-unroll", "9223372036854775808", "'9223372036854775808'")
option("padding of 100 digits", "--pad", ("9"):rep(100), "--pad", "999", "pad_top")
option("negative padding of 100 digits", "--pad", "-" .. ("9"):rep(100), "padding must be >= 0")
add("dilation of 2^30", { args = "emit $layer --dilation 1073741824",
  says = { "'1073741824' for --dilation", "KH 3", "dilation 1073741824" } })
add("dilation of the width", { args = "emit $layer --dilation 1x9",
  says = { "'1x9' for --dilation", "KW 3", "OW would be" } })
add("product beyond 64 bits", { fields = { IC = 1 << 33, KH = 1 << 33 }, says = { "IC" } })
add("channels beyond 64 bits together",
  { args = "emit --input 1x1x2147483647 --filters 2147483647 --kernel 1", says = { "weights" } })

-- what is no decimal integer
for _, text in ipairs({ "1e3", "0x1F", "3.0", "3.5", "nan", "inf", "-inf", "", " 5", "5 ", "+5",
  "5,", "5x", "x5", "5x5x5", "five", "5\n", "\u{0665}" }) do
  option(("stride of %q"):format(text), "--stride", text, "decimal integers")
end
option("stride that looks hexadecimal", "--stride", "0x10", "stride_h", "got 0")
add("stride that looks like an option", { args = "emit $layer --stride --5",
  says = { "--stride" } })
for _, text in ipairs({ "8x8", "8x8x4x1", "8X8x4", "8,8,4", "8*8*4", "8x8x", "8xx4", "",
  "8x8x4.0" }) do
  option(("input of %q"):format(text), "--input", text, "HxWxC")
end
for _, text in ipairs({ "1,2", "1,2,3", "1,2,3,4,5", "1x2x3", "1,,2,3", "sane", "SAME", "",
  "same,1" }) do
  option(("padding of %q"):format(text), "--pad", text, "T,L,B,R")
end
option("batch of 1.5", "--batch", "1.5", "'1.5'")

-- names
for _, text in ipairs({ "3conv", "int", "for", "restrict", "_Bool", "class", "new", "__x", "_X",
  "a__b",
  "strlen", "main", "f;system(1);//", "a*/int evil;/*", "a\nb", "a\\\nb", "a??/b", "%s", "%n",
    "\27[2J",
  ("a"):rep(64), ("a"):rep(4096), "caf\u{e9}", "a\u{202e}b", "\u{430}b", "../x", "a/b", "/etc/x",
    "",
  ".", "-1", "-x", "a b", "a.c", "con", "math", "a'b", 'a"b', "$(id)", "`id`" }) do
  option(("name %q"):format(text), "--name", text, "name")
end
option("prefix that is none", "--prefix", "3_", "'3_'")
option("prefix with a path", "--prefix", "../", "'../'")
option("empty prefix", "--prefix", "", "''")
add("name too long with its prefix",
  { args = { "emit", "$layer", "--name", ("a"):rep(60), "--prefix", "abcd" }, says = { "64" } })
option("registry that is no name", "--registry", "a/b", "'a/b'", "C identifier")
add("registry named as a kernel", { args = "emit $layer --name x --registry X", says = { "x.h" } })
add("test named as a kernel", { list = 'ic1oc1ih3kh3n"x"\nic1oc1ih3kh3n"x_test"\n',
  args = "emit --layers list --test", says = { "x_test.c" } })

-- words
option("instruction set", "--isa", "avx1024", "'avx1024'", "scalar", "avx512", "auto")
option("instruction set, empty", "--isa", "", "''", "scalar", "auto")
option("instruction set, a path", "--isa", "../isa/avx2", "scalar")
option("layout", "--layout", "nhcw", "'nhcw'", "nhwc or nchw")
option("weights", "--weights", "iohw", "'iohw'", "oihw, ohwi or hwio")
option("type", "--dtype", "f16", "'f16'", "f32")
option("algorithm", "--algorithm", "dirct", "'dirct'", "did you mean 'direct'?")
option("accuracy", "--accuracy", "low", "'low'", "exact, high or fast")
option("unrolling", "--max-unroll", "0", "'0'")
option("activation", "--activation", "gelu", "'gelu'", "relu")
option("clamp, upside down", "--activation", "clamp:6,0", "LO <= HI", "6,0")
option("clamp to nan", "--activation", "clamp:nan,6", "'nan'")
option("clamp to infinity", "--activation", "clamp:0,inf", "'inf'")
option("clamp beyond float", "--activation", "clamp:0,1e39", "finite")
option("leaky without slope", "--activation", "leaky", "leaky:A")
option("leaky with a decimal comma", "--activation", "leaky:0,5", "leaky:A")
add("algorithm that cannot do the layer",
  { args = "emit $layer --algorithm depthwise", status = 3, says = { "depthwise" } })

-- usage
add("nothing", { args = "", says = { "command", "emit" } })
add("only --", { args = "--", says = { "command" } })
add("command", { args = "emti", says = { "'emti'", "did you mean 'emit'?" } })
add("command, empty", { args = { "" }, says = { "''", "emit" } })
add("no options", { args = "emit", says = { "--input" } })
add("-- and no options", { args = "emit --", says = { "--input" } })
add("an argument", { args = "emit $layer x", says = { "'x'" } })
add("an argument after --", { args = "emit $layer -- x", says = { "'x'" } })
add("option", { args = "emit $layer --strid 1",
  says = { "'--strid'", "did you mean '--stride'?" } })
add("option, abbreviated", { args = "emit $layer --activ relu", says = { "'--activ'" } })
add("option with one dash", { args = "emit $layer -stride 1",
  says = { "'-stride'", "'--stride'" } })
add("short option", { args = "emit $layer -x", says = { "'-x'" } })
add("option with a line break", { args = { "emit", "--a\nb" }, says = { "'--a\\x0ab'" } })
add("option of another command", { args = "list --isa avx2", says = { "'--isa'" } })
add("option without value", { args = "emit $layer --stride", says = { "--stride", "SHxSW|S" } })
add("option without value, one follows", { args = "emit --stride $layer", says = { "--stride" } })
add("option twice", { args = "emit $layer --stride 1 --stride 1", says = { "--stride", "once" } })
add("flag twice", { args = "emit $layer --quiet --quiet", says = { "--quiet", "once" } })
add("flag with a value", { args = "emit $layer --quiet=1", says = { "--quiet", "'1'" } })
add("-o without value", { args = "emit $layer -o", says = { "-o", "DIR" } })
add("-o with nothing", { args = { "emit", "$layer", "-o", "" }, says = { "-o", "''" } })
add("-o with -", { args = "emit $layer -o -", says = { "-o", "'-'" } })

-- problems and layer lists
add("problem", { args = "emit --problem ic1oc1ih-3kh3", says = { "--problem", "'ih'", "-3" } })
add("problem, empty", { args = { "emit", "--problem", "" }, says = { "--problem", "empty" } })
add("problem without groups", { args = "emit --problem g0ic1oc1ih3kh3", says = { "'g'", "0" } })
add("problem with groups that do not divide",
  { args = "emit --problem g2ic3oc2ih3kh3", says = { "IC 3", "groups 2" } })
add("problem with a name that is none",
  { args = 'emit --problem ic1oc1ih3kh3n"3x3"', says = { "'3x3'", "C identifier" } })
add("problem without batch", { args = "emit --problem mb0ic1oc1ih3kh3", says = { "'mb'", "0" } })
add("problem in three dimensions",
  { args = "emit --problem ic1oc1id3kd3", status = 3, says = { "three-dimensional" } })
local function list(id, text, ...)
  add(id, { list = text, args = "emit --layers list", says = { "list", ... } })
end
list("same name twice", 'ic1oc1ih3kh3n"a"\nic1oc1ih4kh3n"a"\n', "list:2", "'a'", "line 1")
list("names that differ in case", 'ic1oc1ih3kh3n"a"\nic1oc1ih4kh3n"A"\n', "list:2", "'A'", "line 1")
list("same layer twice", "ic1oc1ih3kh3\n\nic1oc1ih3kh3\n", "list:3", "line 1")
list("name that is none", 'ic1oc1ih3kh3n"int"\n', "list:1", "'int'")
add("list with a label for a name",
  { list = 'ic1oc1ih3kh3n"a*/int/b"\n', args = "emit --layers list", status = 0 })
list("second layer wrong", 'ic1oc1ih3kh3n"a"\nic1oc1ih2kh3n"b"\n', "list:2", "kh3")
list("binary", "\0\xff\xfe\n", "list:1")
list("a NUL in a name", 'ic1oc1ih3kh3n"a\0b"\n', "list:1", "'a\\x00b'")
list("nothing but a backslash", "\n\\\n", "list:2", "the descriptor is empty")
list("an escape in a name", 'ic1oc1ih3kh3n"\27[2Ja"\n', "list:1", "\\x1b")
add("a bare carriage return, which is white space", { list = "ic1oc1ih3kh3\ric1oc1ih4kh3\n",
  args = "emit --layers list", status = 0 })
list("UTF-16", "\xff\xfei\0c\0" .. "1\0\n\0", "list:1")
list("not UTF-8", "ic1oc1ih3kh3n\xc0\xaf\n", "list:1", "\\xc0\\xaf")
list("a byte order mark that comes late", "ic1oc1ih3kh3\n\xef\xbb\xbfic1oc1ih4kh3\n", "list:2")
list("number of a thousand digits", "ic1oc1ih" .. ("9"):rep(1000) .. "kh3\n", "list:1", "'ih'",
  "2147483647")
-- nothing in a list is run
list("Lua", 'os.execute("touch pwned")\n', "list:1", "os.execute")
list("Lua that returns a table", 'return { { IH = 3, name = io.open("pwned", "w") } }\n', "list:1")
list("compiled Lua", string.dump(function() os.execute("touch pwned") end) .. "\n", "list:1")
list("a shell command", "ic1oc1ih3kh3n$(touch${IFS}pwned)\n", "list:1", "C identifier")
add("list without a line's end", { list = 'ic1oc1ih3kh3n"a"', args = "emit --layers list", status = 0 })
list("line of a megabyte", ("x"):rep(1 << 20), "list:1")
list("deep nesting", ("["):rep(100000), "list:1")
list("option that is none", "--size=1\nic1oc1ih3kh3\n", "list:1", "'--size'")
list("option with a wrong value", "--mb=x\nic1oc1ih3kh3\n", "list:1", "'x'", "--mb")
add("option of another data type", { list = "--dt=s8\nic1oc1ih3kh3\n", args = "emit --layers list",
  status = 3, says = { "list:2", "'s8'" } })
list("list in itself", "--batch=list\n", "list:1", "include each other")
list("more layers than the limit", ("ic1oc1ih3kh3\n"):rep(10001), "list:10001", "10000")
list("empty", "", "no layer")
add("list with CRLF and a byte order mark", { list = '\xef\xbb\xbf#\r\nic1oc1ih3kh3n"a"\r\n',
  args = "emit --layers list", status = 0 })
add("list that is missing", { args = "emit --layers nowhere", status = 4,
  says = { "nowhere", "No such file" } })
add("list whose name is no text", { args = "emit --layers l\xe9st", status = 4, says = { "l\\xe9st" } })
add("list whose name turns the text", { args = "emit --layers \u{202e}x", status = 4,
  says = { "\\xe2\\x80\\xaex" } })
add("list whose name fills the screen", { args = "emit --layers " .. ("z"):rep(70000), status = 4,
  says = { "File name too long" } })
add("list with a name of other letters", { args = "emit --layers li\u{e9}", status = 4, says = { "li\u{e9}:" } })
add("list that is a directory", { args = "emit --layers .", status = 4, says = { "directory" } })
add("list that is a device", { args = "emit --layers /dev/zero", status = 4,
  says = { "/dev/zero" } })

-- pooling
local function pool(id, args, ...)
  add("pooling: " .. id, { args = "emit --input 8x8x4 " .. args, says = { ... } })
end
pool("unknown kind", "--pool min --kernel 2", "'min'", "--pool", "max or average")
pool("no kernel", "--pool max", "'--kernel' is missing")
pool("filters", "--pool max --kernel 2 --filters 4", "'--filters'", "together with '--pool'")
pool("groups", "--pool max --kernel 2 --groups depthwise", "'--groups'", "'--pool'")
pool("activation", "--pool max --kernel 2 --activation relu", "'--activation'", "'--pool'")
pool("then", "--pool max --kernel 2 --then max:2", "'--then'", "together with '--pool'")
pool("weights", "--pool max --kernel 2 --weights ohwi", "'--weights'", "'--pool'")
pool("no bias", "--pool max --kernel 2 --no-bias", "'--no-bias'", "'--pool'")
pool("ceil of a convolution", "--kernel 2 --filters 4 --ceil", "'--ceil'", "without '--pool' or '--then'")
pool("global convolution", "--global --filters 4", "'--global'", "without '--pool'")
pool("counted padding of a maximum", "--pool max --kernel 2 --include-pad", "include_pad")
pool("global with a kernel", "--pool max --global --kernel 2", "'2'", "--kernel", "whole input")
pool("global with padding", "--pool max --global --pad same", "'same'", "--pad", "whole input")
pool("global with a flag's value", "--pool max --global=1", "'--global' takes no value")
pool("no stride", "--pool max --kernel 2 --stride 0", "'0'", "--stride", "stride_h")
pool("padding as large as the kernel", "--pool max --kernel 2 --stride 3 --pad 2", "'2'", "--pad",
  "wholly in the padding", "no maximum")
pool("the same, average", "--pool average --kernel 2 --stride 3 --pad 2", "--pad", "no average")
pool("padding behind as large as the kernel", "--pool max --kernel 2 --stride 1 --pad 0,0,0,3",
  "along W", "wholly in the padding")
pool("window larger than the input", "--pool max --kernel 9", "KH 9", "OH would be 0")
pool("of an algorithm for convolutions", "--pool max --kernel 2 --algorithm direct",
  "algorithm direct", "pooling layer")
cases[#cases].status = 3
pool("of a layer that is none", "--filters 4 --kernel 2 --algorithm pooling", "algorithm pooling")
cases[#cases].status = 3
add("pooling: padding as large as the kernel, counted", { status = 0, args = "emit --pool average"
  .. " --include-pad --input 8x8x4 --kernel 2 --stride 3 --pad 2 --name x" })
add("pooling: descriptor with output channels", { args = "emit --pool max --problem ic4oc4ih8kh2",
  says = { "'oc' is not for pooling" } })
add("pooling: descriptor, global", { args = "emit --pool max --global --problem ic4ih8kh2",
  says = { "'--global'", "'--problem'" } })

-- pooling behind a convolution
local function after(id, args, ...)
  add("then: " .. id, { args = "emit --input 8x8x4 --filters 4 --kernel 3 --then " .. args, says = { ... } })
end
after("unknown kind", "mox:2x2", "'mox:2x2'", "--then", "max or average", "did you mean 'max'")
after("no window", "max", "'max'", "--then", "max:2x2")
after("an empty window", "max:", "'max:'", "--then", "max:2x2")
after("three sizes", "max:2x2x2", "'max:2x2x2'", "--then", "want a window")
after("window 0", "max:0", "'max:0'", "--then", "KH must be", "got 0")
after("a window in words", "max:two", "'max:two'", "want a window")
after("no stride behind the slash", "max:2x2/", "'max:2x2/'", "--then", "want a stride")
after("stride 0", "max:2x2/0", "'max:2x2/0'", "--then", "stride_h")
after("bad padding", "max:3x3/2+x", "'max:3x3/2+x'", "--then", "want a padding")
after("negative padding", "max:3x3/2+-1", "'max:3x3/2+-1'", "--then", "pad_top")
after("padding as large as the window", "max:2x2/2+2", "--then", "wholly in the padding")
after("window larger than the map", "max:7", "'max:7'", "--then", "KH 7", "IH 6")
after("counted padding of a maximum", "max:2x2 --include-pad", "--then", "include_pad")
after("global, the convolution", "max:2x2 --global", "'--global'", "without '--pool'")
after("twice", "max:2x2 --then max:2x2", "'--then'", "more than once")
after("no value", "--name x", "'--then' needs a value")
after("of an algorithm for pooling", "max:2x2 --algorithm pooling", "algorithm pooling", "no pooling can follow")
cases[#cases].status = 3
after("of another algorithm than the layer's", "max:2x2 --algorithm depthwise", "algorithm depthwise")
cases[#cases].status = 3
add("then: run-time sizes", { args = "emit --input HxWxC --filters OC --kernel 3 --then max:2x2 --name x",
  status = 3, says = { "--then", "run-time sizes" } })
add("then: fused without pooling", { args = "emit --input 8x8x4 --filters 4 --kernel 3 --algorithm fused",
  status = 3, says = { "algorithm fused", "no pooling" } })
add("then: bad in a list", { args = "emit --layers list", list = "ic4oc4ih8kh2\nic4oc4ih8kh3 then max:2y2\n",
  says = { "list:2", "'max:2y2'", "want a stride" } })
add("then: wrong in a list", { args = "emit --layers list", list = "ic4oc4ih8kh3 then max:9\n",
  says = { "list:1", "KH 9" } })
add("then: alone in a list", { args = "emit --layers list", list = "ic4oc4ih8kh3 then\n", says = { "list:1" } })
add("then: in a list of pooling", { args = "emit --pool max --layers list", list = "ic4ih8kh2 then max:2\n",
  says = { "list:1", "then 'max:2'" } })

add("pooling: list with output channels", { args = "emit --pool max --layers list",
  list = "ic4ih8kh2\nic4oc4ih8kh2\n", says = { "list:2", "'oc'" } })

-- sizes at run time
local named = "--input HxWxC --filters OC --kernel 3"
add("run time: no name", { args = "explain " .. named, says = { "'--name'" } })
add("run time: batch", { args = "emit " .. named .. " --batch 4 --name q", says = { "--batch", "'4'" } })
add("run time: one name twice", { args = "emit --input HxHxC --filters OC --kernel 3 --name q",
  says = { "--input", "'HxHxC'", "differ" } })
add("run time: names and numbers", { args = "emit --input HxWx3 --filters OC --kernel 3 --name q",
  says = { "--input", "'HxWx3'" } })
add("run time: groups", { args = "emit " .. named .. " --groups 2 --name q", status = 3,
  says = { "groups 2" } })
add("run time: depthwise without groups", { status = 3, args = "emit " .. named .. " --algorithm depthwise --name q",
  says = { "algorithm depthwise", "groups must be IC" } })
add("run time: test", { args = "emit " .. named .. " --test --name q", status = 3, says = { "--test", "'q'" } })
add("run time: registry", { args = "emit " .. named .. " --registry r --name q", status = 3,
  says = { "--registry", "'q'" } })
add("run time: check", { args = "check " .. named .. " --name q", status = 3, says = { "check", "'q'" } })
add("bounds by name, sizes by number", { args = "emit $layer --activation clamp:A,B",
  says = { "--activation", "'clamp:A,B'" } })

-- output
add("directory that is a file", { list = "", args = "emit $layer -o list", status = 4,
  says = { "list", "file" } })
add("directory below a file", { list = "", args = "emit $layer -o list/x/", status = 4,
  says = { "list", "file" } })
add("directory that cannot be made", { args = "emit $layer -o /proc/nowhere/x", status = 4,
  says = { "/proc/nowhere", "No such file" } })
add("directory that is a device", { args = "emit $layer -o /dev/null", status = 4,
  says = { "/dev/null", "device" } })
add("report that is a device", { args = "check $layer --junit /dev/full", status = 4,
  says = { "/dev/full", "device" } })
add("report that is a directory", { args = "check $layer --junit .", status = 4,
  says = { "directory" } })

-- the interface in Lua
for _, value in ipairs({ "3", {}, print, true, 3.0, 3.5, 0 / 0, math.huge }) do
  add("KH of type " .. type(value), { fields = { KH = value }, says = { "KH" } })
end
add("misspelt field", { fields = { kernal_h = 3 }, says = { "'kernal_h'", "did you mean 'KH'?" } })
add("unknown field", { fields = { colour = 3 }, says = { "'colour'", "KH" } })
add("field that is a number", { fields = { 3 }, says = { "unknown field 1" } })
add("fields with side effects", { fields = setmetatable({ KH = setmetatable({},
  { __tostring = error, __index = error }) }, { __index = error, __pairs = error }),
  says = { "KH", "a table" } })

return cases
