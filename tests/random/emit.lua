-- Writes kernels, one for each line of DIR.txt, and their registry 'kernels' into DIR:
--   lua5.4 tests/random/emit.lua DIR
-- A line holds options of 'convgen emit', --name among them; and, as no command line has, '--tile
-- MAPPING:TILE', or '--shapes NxHxWxCxOC,...' for a kernel with run-time sizes. These need a registry
-- of their own: it has a main(), see sized.h.
-- SPDX-License-Identifier: MIT-0

package.path = "gen/?.lua;gen/?/init.lua;tests/?.lua;" .. package.path

local emit = require "emit"
local draw = require "random.draw"
local files = require "files"
local options = require "options"
local request = require "request"

local directory = arg[1]

local function jobs_of(words)
  local parsed = assert(options.parse { "emit", table.unpack(words) })
  local jobs = assert(request.jobs(parsed.values))
  return jobs[1], parsed.values
end

-- A layer as the initialiser of a struct conv_layer; convolutions only.
local function layer_text(l)
  local function number(x) return x and ("%.9g"):format(x):gsub(",", ".") or "0" end
  return ("{ %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, CONV_%s, CONV_%s, CONV_%s,"
    .. " (float)%s, (float)%s, %d, CONV_CONVOLUTION, 0 }"):format(l.N, l.IH, l.IW, l.IC, l.OH, l.OW, l.OC,
    l.KH, l.KW, l.stride_h, l.stride_w, l.dilation_h, l.dilation_w, l.groups, l.pad_top, l.pad_left,
    l.pad_bottom, l.pad_right, l.layout:upper(), l.weights:upper(), l.activation.kind:upper(),
    number(l.activation.a), number(l.activation.b), l.bias and 1 or 0)
end

-- What tests/sized.h wants to know of a kernel for one shape.
local function sized_entry(job, words, shape)
  local n, h, w, c, oc = shape:match("^(%d+)x(%d+)x(%d+)x(%d+)x(%d+)$")
  local fixed = { "--batch", n }
  for i, word in ipairs(words) do
    fixed[#fixed + 1] = word == "HxWxC" and ("%sx%sx%s"):format(h, w, c) or word == "OC" and oc
      or word == draw.named.words and draw.named.numbers or words[i]
  end
  local l = jobs_of(fixed).layer
  local named = job.layer.activation.runtime and 1 or 0
  return ("    SIZED(%s, \"%s\", %s, %d, %s),\n"):format(job.name, shape,
    job.isa.cpu_check, named, layer_text(l))
end

local list, outputs, entries = {}, {}, {}
for line in assert(files.read(directory .. ".txt")):gmatch("[^\n]+") do
  local words, tile, shapes = {}, nil, nil
  local take
  for word in line:gmatch("%S+") do
    if take == "--tile" then
      tile, take = word, nil
    elseif take == "--shapes" then
      shapes, take = word, nil
    elseif word == "--tile" or word == "--shapes" then
      take = word
    else
      words[#words + 1] = word
    end
  end
  local job, values = jobs_of(words)
  job = draw.with_tile(job, tile, { algorithm = values["--algorithm"],
    unroll = tonumber(values["--max-unroll"]) })
  list[#list + 1] = job
  for shape in (shapes or ""):gmatch("[^,]+") do
    entries[#entries + 1] = sized_entry(job, words, shape)
  end
  local header, source = emit.kernel(job)
  outputs[#outputs + 1] = { path = ("%s/%s.h"):format(directory, job.name), text = header }
  outputs[#outputs + 1] = { path = ("%s/%s.c"):format(directory, job.name), text = source }
end

local head, registry
if #entries > 0 then
  local lines = { "#define _DEFAULT_SOURCE\n" }
  for _, job in ipairs(list) do lines[#lines + 1] = ('#include "%s.h"\n'):format(job.name) end
  registry = ('%s#include "sized.h"\n\nint main(int argc, char **argv)\n{\n'
    .. '    const struct sized kernels[] = {\n%s    };\n'
    .. '    return check_sized(kernels, sizeof kernels / sizeof *kernels, argc, argv);\n}\n')
    :format(table.concat(lines), table.concat(entries))
  head = "#include \"registry.h\"\n"
else
  head, registry = emit.registry(list, "kernels")
end
outputs[#outputs + 1] = { path = directory .. "/kernels.h", text = head }
outputs[#outputs + 1] = { path = directory .. "/kernels.c", text = registry }
outputs[#outputs + 1] = { path = directory .. "/registry.h", text = emit.registry_types() }
assert(files.write_all(outputs))
