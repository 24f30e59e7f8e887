-- Runs what the documents say: the blocks of README.md marked 'sh', after those marked 'c' have been
-- saved under the name in their first line, and the commands at the head of each example. Prints TAP
-- and 'N passed, N failed, N skipped'. Run it in the project's root; CC is the compiler.
-- SPDX-License-Identifier: MIT-0

local root = (arg[0]:match("^(.*)/[^/]*$") or ".") .. "/.."
package.path = ("%s/gen/?.lua;%s/tests/?.lua;%s"):format(root, root, package.path)

local files = require "files"
local jobs = require "runner.jobs"

local OUT = "build/tests/documents"
local WARNINGS = "-std=c11 -Wall -Wextra -Wpedantic -Wconversion -Werror"
local CC = (os.getenv("CC") or "") ~= "" and os.getenv("CC") or "cc"

local count = { passed = 0, failed = 0, skipped = 0 }

local function skip(title, why)
  count.skipped = count.skipped + 1
  print(("ok - %s # SKIP %s"):format(title, why))
end

-- Runs commands in a directory, with a compiler in place of 'cc'. A line that ends with '# prints X'
-- says what comes out last.
local function run(title, commands, directory, compiler)
  local script = ("cd '%s'\nset -e\n%s"):format(directory,
    commands:gsub("%f[%w]cc ", (compiler:gsub("%%", "%%%%") .. " " .. WARNINGS .. " ")))
  assert(files.write(OUT .. "/script", script))
  local pipe = io.popen(("sh %s/script 2>&1 </dev/null"):format(OUT))
  local output = pipe:read("a")
  local ok = pipe:close()
  local wanted = commands:match("# prints ([^\n]*)")
  if ok and (not wanted or output:match("([^\n]*)\n$") == wanted) then
    count.passed = count.passed + 1
    print("ok - " .. title)
  else
    count.failed = count.failed + 1
    print((output:gsub("[^\n]+", "# %0")))
    print("not ok - " .. title)
  end
end

local function readme()
  local directory = OUT .. "/readme"
  os.execute(("rm -rf %s && mkdir -p %s && ln -s \"$PWD\" %s/convgen"):format(directory, directory,
    directory))
  local text = files.read("README.md")
  for code in text:gmatch("\n```c\n(.-)\n```") do
    local name = code:match("^[^\n]*/%* (%w+%.c) %*/")
    if name then assert(files.write(directory .. "/" .. name, code .. "\n")) end
  end
  for commands in text:gmatch("\n```sh\n(.-)\n```") do
    local title = "README.md: " .. commands:match("[^\n\\]*")
    if commands:find("avx2") and not os.execute("grep -qw avx2 /proc/cpuinfo") then
      skip(title, "no AVX2 here")
    else
      run(title, commands, directory, CC)
    end
  end
end

local function examples()
  local emulated = jobs.have("aarch64-linux-gnu-gcc") and jobs.have("qemu-aarch64")
  for path in jobs.output("ls tests/examples/*.c"):gmatch("[^\n]+") do
    local commands = {}
    for line in files.read(path):match("^/%*.-%*/"):gmatch("\n %*     ([^\n]*)") do
      commands[#commands + 1] = line
    end
    commands = table.concat(commands, "\n"):gsub("build/examples", OUT .. "/examples")
    run(path, commands, ".", CC)
    local title = path .. ", scalar, on AArch64"
    if emulated then
      commands = commands:gsub(" emit ", " emit --isa scalar "):gsub("\n(" .. OUT .. ")",
        "\nqemu-aarch64 %1")
      run(title, commands, ".", "aarch64-linux-gnu-gcc -static")
    else
      skip(title, "no compiler or emulator of it; see make test-deps")
    end
  end
end

readme()
examples()
print(("%d passed, %d failed, %d skipped"):format(count.passed, count.failed, count.skipped))
os.exit(count.failed == 0 and count.passed > 0)
