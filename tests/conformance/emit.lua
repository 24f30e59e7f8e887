-- Emits the kernels of many command lines with one registry: 'convgen emit' takes lists of layers,
-- but not layers that differ in their options.
--
--   lua5.4 tests/conformance/emit.lua LIST ISA LAYOUT DIRECTORY
--
-- LIST holds options of 'convgen emit' a line.
-- SPDX-License-Identifier: MIT-0

package.path = "gen/?.lua;gen/?/init.lua;" .. package.path

local emit = require "emit"
local files = require "files"
local options = require "options"
local request = require "request"

local list, isa, layout, directory = table.unpack(arg)
local jobs, outputs = {}, {}

local function add(name, ...)
  for i, text in ipairs { ... } do
    outputs[#outputs + 1] = { path = ("%s/%s"):format(directory, name .. (i == 1 and ".h" or ".c")), text = text }
  end
end

for line in assert(files.read(list)):gmatch("[^\n]+") do
  local words = { "emit", "--isa", isa, "--layout", layout, "--accuracy", "exact" }
  for word in line:gmatch("%S+") do words[#words + 1] = word end
  local parsed, why = options.parse(words)
  local some = parsed and parsed.values
  if some then some, why = request.jobs(some) end
  if not some then
    io.stderr:write(line, ": ", why, "\n")
    os.exit(1)
  end
  jobs[#jobs + 1] = some[1]
  add(some[1].name, emit.kernel(some[1]))
end
add("kernels", emit.registry(jobs, "kernels"))
add("registry", emit.registry_types())
local ok, why = files.write_all(outputs)
if not ok then
  io.stderr:write(why, "\n")
  os.exit(1)
end
