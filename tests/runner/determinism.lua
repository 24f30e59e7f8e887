-- The suite 'determinism': the same command gives the same bytes, whatever surrounds it.
-- SPDX-License-Identifier: MIT-0

local files = require "files"
local jobs = require "runner.jobs"
local tally = require "runner.tally"

local determinism = {}

-- What is emitted, to $out, by the command $c: kernels of all kinds, tests, registries, words.
local EMIT = {
  "$c emit --layers $lists/list --registry all --test --activation clamp:-0.1,1e-5 --isa avx2 -o $out --quiet",
  "$c emit --layers $lists/pools --pool average --ceil --isa sse2 --layout nchw -o $out --quiet",
  "$c emit --input HxWxC --filters OC --kernel 3 --pad same --isa avx512 --name run_time -o $out --quiet",
  "$c explain --layers $lists/list --isa avx2 >$out/explain",
  "$c list >$out/list",
}

-- title, what replaces $c, what comes before. A program that runs convgen inside may set its locale.
local SURROUNDINGS = {
  { "again", "$c" },
  { "German", "LC_ALL=de_DE.UTF-8 LANG=de_DE.UTF-8 $c" },
  { "setlocale German", "lua5.4 -E $lists/inside.lua de_DE.UTF-8" },
  { "setlocale Turkish", "lua5.4 -E $lists/inside.lua tr_TR" },
  { "no environment", "env -i $(command -v lua5.4) -E $c" },
  { "another folder", "$c", "cd /" },
  { "a link", "$lists/link" },
  { "umask 077", "$c", "umask 077" },
  { "hostile Lua", "LUA_INIT='error(1)' LUA_INIT_5_4='error(1)' LUA_PATH='$lists/evil/?.lua'"
    .. " LUA_PATH_5_4='$lists/evil/?.lua' LUA_CPATH='$lists/evil/?.so' $c", "cd $lists/evil" },
  { "another time", "TZ=Asia/Tokyo SOURCE_DATE_EPOCH=1 HOME=/nowhere $c" },
}

local INSIDE = [[
-- Runs convgen's command line in a program that has set its locale.
assert(os.setlocale(table.remove(arg, 1)), "no such locale")
package.path = "%s/gen/?.lua;%s/gen/?/init.lua;" .. package.path
os.exit(require("cli").main(arg, io.stdout, io.stderr), true)
]]

local function prepare(t)
  local root = jobs.output("pwd")
  local lists = (t.directory:find("^/") and t.directory or root .. "/" .. t.directory) .. "/determinism"
  jobs.output(("rm -rf '%s' && mkdir -p '%s/evil' && ln -s '%s/gen/convgen' '%s/link'"):format(lists, lists, root,
    lists))
  local inputs = { list = 'ic3ih13oc10kh5ph2n"a"\ng4ic8ih9oc8kh3\nic32ih7oc33kh1n"b"\ng8ic8ih14oc8kh3sh2\n',
    pools = 'ic9ih13kh3sh2ph1n"pool"\nic4ih8kh2\n', ["inside.lua"] = INSIDE:format(root, root) }
  for _, name in ipairs { "cli", "layer", "lfs", "argparse", "emit", "version" } do
    inputs["evil/" .. name .. ".lua"] = "error('loaded from a hostile place')"
  end
  for name, text in pairs(inputs) do assert(files.write(lists .. "/" .. name, text)) end
  -- Locales are made here, where the machine has their sources.
  for _, locale in ipairs { "de_DE UTF-8 de_DE.UTF-8", "tr_TR ISO-8859-9 tr_TR" } do
    local source, charset, name = locale:match("(%S+) (%S+) (%S+)")
    jobs.output(("mkdir -p '%s/locales' && localedef -i %s -f %s '%s/locales/%s'"):format(lists, source, charset, lists,
      name))
  end
  return root, lists
end

--- The same files in any surrounding, also of four that write them at once.
function determinism.determinism(t)
  local root, lists = prepare(t)
  local result = tally.new()
  local function script(c, out)
    local lines = {}
    for i, line in ipairs(EMIT) do
      lines[i] = line:gsub("$c", (c:gsub("%%", "%%%%"))):gsub("$out", lists .. "/" .. out)
    end
    return ("mkdir -p %s/%s && export LOCPATH=%s/locales && "):format(lists, out, lists) .. table.concat(lines, " && ")
  end
  local function fill(text)
    return (text:gsub("$lists", lists):gsub("$c", root .. "/gen/convgen"))
  end
  for _, r in ipairs(t:run { fill(script("$c", "base")) }) do
    if r.status ~= 0 then
      result:fail("convgen failed: %s", r.output)
      return result
    end
  end

  local tests = {}
  for i, one in ipairs(SURROUNDINGS) do
    local out = "out" .. i
    local locale = one[2]:match("inside.lua (%S+)")
    if locale and not jobs.output(("ls '%s/locales/%s'"):format(lists, locale)) then
      result:skip()
    else
      local command = ("( %s; %s ) && diff -r %s/base %s/%s"):format(one[3] or ":", script(one[2], out), lists, lists,
        out)
      tests[#tests + 1] = { one[1], jobs.as_test(one[1], fill(command)) }
    end
  end
  local emit = fill(EMIT[1]:gsub("$out", lists .. "/at_once"))
  tests[#tests + 1] = { "four at once", jobs.as_test("four at once", ("mkdir -p %s/at_once %s/alone; "):format(lists,
    lists) .. (emit .. " & "):rep(4) .. "wait; " .. fill(EMIT[1]:gsub("$out", lists .. "/alone"))
    .. (" && diff -r %s/alone %s/at_once"):format(lists, lists)) }
  tests[#tests + 1] = { "no path of this machine", jobs.as_test("no path of this machine",
    ("! grep -rlF -e %s -e $(hostname) %s/base"):format(root, lists)) }
  return tally.run(t, tests, result)
end

return determinism
