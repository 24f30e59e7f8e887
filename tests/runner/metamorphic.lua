-- The suite 'metamorphic': what must hold between runs of a kernel, or of two, whatever the right values
-- are (tests/conformance/metamorphic.h).
-- SPDX-License-Identifier: MIT-0

local compiler = require "runner.compiler"
local kernels = require "runner.kernels"

local metamorphic = {}

-- name, options; then the endings of its partners' names, each with what differs.
local LAYERS = {
  { "plain", "--algorithm direct --input 9x13x5 --filters 19 --kernel 3 --pad 1" },
  { "odd", "--input 9x12x6 --filters 9 --kernel 3 --stride 2 --pad same", explicit = "--pad 1,0,1,1" },
  { "lower", "--input 8x11x3 --filters 5 --kernel 4x2 --pad same-lower --no-bias", explicit = "--pad 2,1,1,0" },
  { "dilated", "--input 11x12x4 --filters 17 --kernel 3 --dilation 2 --pad same", explicit = "--pad 2" },
  { "point", "--input 6x11x18 --filters 33 --kernel 1 --batch 3", single = "--batch 1" },
  { "group", "--input 8x13x12 --filters 20 --groups 2 --kernel 3x2 --pad 1,0,1,1 --weights hwio" },
  { "strides", "--input 17x19x3 --filters 8 --kernel 3x5 --stride 3x2 --batch 2 --weights ohwi",
    single = "--batch 1" },
  { "gaps", "--input 11x13x5 --filters 4 --kernel 2 --stride 3" },
  { "many", "--input 7x40x2 --filters 35 --kernel 5x1 --pad 2,0,2,0" },
  { "narrow", "--algorithm direct --input 9x3x8 --filters 64 --kernel 3 --pad 1" },
  { "bands", "--algorithm direct --input 44x22x8 --filters 16 --kernel 3 --pad 1" },
  { "deep", "--algorithm direct --input 6x7x131 --filters 24 --kernel 3" },

  { "winograd", "--algorithm winograd --input 14x15x20 --filters 19 --kernel 3 --pad same --batch 2",
    explicit = "--pad 1", single = "--batch 1" },
  { "winograd_valid", "--algorithm winograd --input 17x19x33 --filters 10 --kernel 3 --weights hwio --no-bias" },
  { "winograd_narrow", "--algorithm winograd --input 9x3x8 --filters 64 --kernel 3 --pad 1" },
  { "winograd_groups", "--algorithm winograd --input 12x13x42 --filters 34 --groups 2 --kernel 3 --pad 1 --batch 2",
    single = "--batch 1" },
  { "winograd_dilated", "--algorithm winograd --input 17x20x18 --filters 19 --kernel 3 --dilation 2x3 --pad 2,3,2,3" },

  { "winograd_phases", "--algorithm winograd --input 29x32x3 --filters 19 --kernel 7x5 --stride 2 --pad same",
    explicit = "--pad 3,1,3,2" },
  { "winograd_phases_valid", "--algorithm winograd --input 31x33x5 --filters 20 --kernel 5 --stride 3x2" },

  { "strassen", "--algorithm strassen --input 9x11x66 --filters 38 --kernel 1 --batch 2", single = "--batch 1" },

  { "dw", "--input 9x13x17 --groups depthwise --kernel 3 --pad 1", direct = "--algorithm direct" },
  { "dw_odd", "--input 11x14x9 --groups depthwise --kernel 5 --stride 2 --pad same",
    direct = "--algorithm direct", explicit = "--pad 2,1,2,2" },
  { "dw_dilated", "--input 12x13x33 --groups depthwise --kernel 3x2 --dilation 2 --pad 2,1,2,1" },
  { "dw_three", "--input 8x9x6 --groups 6 --filters 18 --kernel 3 --pad 1", direct = "--algorithm direct" },
  { "dw_batch", "--input 7x10x18 --groups depthwise --kernel 3 --pad 1 --batch 3", single = "--batch 1" },
  { "dw_flat", "--input 6x40x33 --groups depthwise --kernel 1x7 --stride 1x2 --pad 0,3,0,3",
    direct = "--algorithm direct" },
  { "dw_bands", "--input 70x30x24 --groups depthwise --kernel 3 --pad same", explicit = "--pad 1" },

  { "max", "--pool max --input 9x12x17 --kernel 3 --stride 2 --pad 1 --batch 2", single = "--batch 1" },
  { "max_dilated", "--pool max --input 9x20x9 --kernel 2x3 --stride 1 --dilation 2" },
  { "max_lower", "--pool max --input 12x19x16 --kernel 4 --stride 3 --pad same-lower", explicit = "--pad 1,2,0,1" },
  { "max_bands", "--pool max --input 90x40x34 --kernel 2" },
  { "max_global", "--pool max --input 7x9x17 --global" },
  { "average_global", "--pool average --input 7x9x17 --global" },
  { "average", "--pool average --input 9x12x9 --kernel 3 --stride 2 --pad same", explicit = "--pad 1,0,1,1" },
  { "average_ceil", "--pool average --input 8x12x18 --kernel 3 --stride 2 --ceil" },
  { "average_counted", "--pool average --input 6x17x5 --kernel 2 --stride 1 --pad 1 --include-pad" },

  { "then_max", "--input 10x13x5 --filters 9 --kernel 3 --pad 1 --batch 2 --then max:2x2", single = "--batch 1" },
  { "then_same", "--input 10x13x3 --filters 18 --kernel 3 --pad 1 --then max:3x3/2+same",
    explicit = "--then max:3x3/2+0,1,1,1" },
  { "then_average", "--input 12x21x4 --filters 7 --kernel 3 --stride 2 --pad 1 --then average:3x3/1+1" },
  { "then_dw", "--input 12x13x17 --groups depthwise --kernel 3 --pad 1 --then average:2x2" },
  { "then_gaps", "--input 13x20x6 --filters 12 --groups 3 --kernel 3 --then max:2x2/3" },
  { "then_point", "--input 9x11x9 --filters 33 --kernel 1 --then average:3x3/2+1" },
  { "then_global", "--input 9x11x5 --filters 17 --kernel 3 --then average:global" },
  { "then_bands", "--input 50x21x4 --filters 16 --kernel 3 --pad 1 --then max:3x3/2+1" },
}

local PARTNERS = { "explicit", "direct", "single" }

-- Options with others in place of those of the same name; '--algorithm' is none of them.
local function with(options, other)
  local name = other:match("^%S+")
  local text, count = options:gsub("%f[%S]" .. name:gsub("%-", "%%-") .. " %S+", (other:gsub("%%", "%%%%")))
  return count > 0 and text or options .. " " .. other
end

local function lines_for(t, set, layout)
  local lines = {}
  local function add(name, options)
    lines[#lines + 1] = ("--name %s --isa %s --layout %s %s"):format(name, set, layout, options)
  end
  for _, layer in ipairs(LAYERS) do
    if t:wants_layer(layer[1]) then
      add(layer[1], layer[2])
      for _, ending in ipairs(PARTNERS) do
        if layer[ending] then add(layer[1] .. "_" .. ending, with(layer[2], layer[ending])) end
      end
    end
  end
  return lines
end

function metamorphic.suite(t)
  local builds = {}
  for _, set in ipairs(compiler.sets()) do
    for _, layout in ipairs { "nhwc", "nchw" } do
      local name = set .. "_" .. layout
      local lines = t:wants_build(name) and lines_for(t, set, layout) or {}
      if #lines > 0 then
        builds[#builds + 1] = { name = name, lines = lines, isa = set, conformance = "metamorphic", native = not t.all }
      end
    end
  end
  return kernels.check(t, "metamorphic", builds)
end

return metamorphic
