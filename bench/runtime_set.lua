-- A set of kernels (see build.lua) with run-time sizes, for the layers of a set with fixed ones: one
-- kernel for each filter, stride and padding, told the sizes of each layer.
-- SPDX-License-Identifier: MIT-0

local batch = require "import.batch"
local files = require "files"
local shell = require "bench.shell"

local runtime_set = {}

local function is_depthwise(l)
  return l.groups > 1 and l.groups == l.IC and l.groups == l.OC
end

--- Whether there can be a kernel with run-time sizes for a layer's fields.
function runtime_set.supported(l)
  return l.groups == 1 or is_depthwise(l)
end

-- --pad; 'valid' where the filter leaves some pixels at the end unread.
local function padding(l)
  local sides = { l.pad_top, l.pad_left, l.pad_bottom, l.pad_right }
  if math.max(table.unpack(sides)) <= 0 then return "valid" end
  for i, side in ipairs(sides) do sides[i] = math.max(side, 0) end
  return table.concat(sides, ",")
end

-- What a kernel with run-time sizes has to be told when it is made.
local function geometry(l)
  local words = { "--kernel", l.KH .. "x" .. l.KW, "--stride", l.stride_h .. "x" .. l.stride_w,
    "--dilation", l.dilation_h .. "x" .. l.dilation_w, "--pad", padding(l) }
  if is_depthwise(l) then
    return table.move({ "--input", "HxWxC", "--groups", "depthwise" }, 1, 4, #words + 1, words)
  end
  return table.move({ "--input", "HxWxC", "--filters", "OC" }, 1, 4, #words + 1, words)
end

local SOURCE = [[
/* Written by bench/runtime_set.lua. */
#include "%s.h"
#include "%s.h"
%s#include <stdlib.h>
#include <string.h>

struct runtime {
    const char *algorithm;
    unsigned long long align;
    int exact;
    enum conv_shape_error (*shape)(struct conv_shape *, int, int, int, int, int);
    size_t (*packed_bytes)(const struct conv_shape *), (*workspace_bytes)(const struct conv_shape *);
    int (*tasks)(const struct conv_shape *);
};
#define RUNTIME(name) { "run-time " name##_ALGORITHM, name##_ALIGN, name##_EXACT, name##_shape, \
    name##_packed_bytes, name##_workspace_bytes, name##_tasks }

#define LAYER(i, name)                                                                         \
    static struct conv_shape shape_##i;                                                        \
    static const struct runtime runtime_##i = RUNTIME(name);                                   \
    static void pack_##i(const float *weights, const float *bias, void *packed)                \
    {                                                                                          \
        name##_pack(&shape_##i, weights, bias, packed);                                        \
    }                                                                                          \
    static void run_##i(const float *input, const void *packed, float *output,                 \
                        void *workspace, int begin, int end)                                   \
    {                                                                                          \
        name##_run(&shape_##i, input, packed, output, workspace, begin, end);                  \
    }

static struct conv_kernel like(const char *layer, const struct runtime *r, struct conv_shape *shape)
{
    for (int i = 0; i < %s_count; ++i) {
        struct conv_kernel k = %s[i];
        const struct conv_layer *l = &k.layer;
        if (strcmp(k.layer_name, layer) != 0)
            continue;
        if (r->shape(shape, l->batch, l->in_h, l->in_w, l->in_channels, l->out_channels)
            || shape->out_h != l->out_h || shape->out_w != l->out_w)
            abort();
        k.algorithm = r->algorithm;
        k.tile = "any size";
        k.exact = r->exact;
        k.align = r->align;
        k.packed_bytes = (r->packed_bytes(shape) + k.align - 1) / k.align * k.align;
        k.workspace_bytes = (r->workspace_bytes(shape) + k.align - 1) / k.align * k.align;
        k.tasks = r->tasks(shape);
        return k;
    }
    abort();
}
#define TAKE(i, layer)                                                                         \
    %s[i] = like(layer, &runtime_##i, &shape_##i);                                             \
    %s[i].pack = pack_##i;                                                                     \
    %s[i].run = run_##i;

]]

--- Emits a set, { list =, file =, layout =, isa = }, beside that of fixed sizes called `fixed`. Gives
-- its directory and the base names of its C files, or nil and a message.
function runtime_set.emit(root, directory, set, name, fixed)
  local entries, why = batch.read(set.file)
  if not entries then return nil, why end
  local bases, by_words, layers, takes = { name }, {}, {}, {}
  for i, entry in ipairs(entries) do
    local words = geometry(entry.fields)
    local key = table.concat(words, " ")
    if not by_words[key] then
      by_words[key] = ("%s_%d"):format(name, #bases)
      bases[#bases + 1] = by_words[key]
      local line = shell.line({ root .. "/gen/convgen", "emit", "--quiet", "--isa", set.isa, "--layout",
        set.layout, "--activation", "relu", "--name", by_words[key], "-o", directory,
        table.unpack(words) })
      if not os.execute(line) then return nil, "failed: " .. line end
    end
    layers[i] = ("LAYER(%d, %s)\n"):format(i - 1, by_words[key])
    takes[i] = ('    TAKE(%d, "%s")\n'):format(i - 1, entry.name)
  end
  local includes = {}
  for i = 2, #bases do includes[i - 1] = ('#include "%s.h"\n'):format(bases[i]) end
  files.write(("%s/%s.h"):format(directory, name), ([[
/* Written by bench/runtime_set.lua. */
#include "registry.h"
extern struct conv_kernel %s[];
extern const int %s_count;
void %s_prepare(void);
]]):format(name, name, name))
  files.write(("%s/%s.c"):format(directory, name), table.concat {
    SOURCE:format(name, fixed, table.concat(includes), fixed, fixed, name, name, name),
    table.concat(layers), ("struct conv_kernel %s[%d];\nconst int %s_count = %d;\n"):format(name,
      #entries, name, #entries),
    ("void %s_prepare(void)\n{\n"):format(name), table.concat(takes), "}\n" })
  return directory, bases
end

return runtime_set
