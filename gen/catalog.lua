-- The committed library: which contracts it holds, and the files that make it up.
-- SPDX-License-Identifier: MIT-0
--
-- A contract is a filter, a stride and a padding; its header declares a kernel for each layout and
-- instruction set, all with run-time sizes and bounds of the clamp. Kernels of one contract and layout
-- are interchangeable.

local emit = require "emit"
local isa = require "isa"
local layer = require "layer"
local plan = require "plan"

local catalog = {}

local SIZES = { IH = "H", IW = "W", IC = "C", OC = "OC" }
local DEPTHWISE = { IH = "H", IW = "W", IC = "C", OC = "C" }
local SETS = { "scalar", "avx2", "avx512", "neon" }

-- The filters: kernel sizes of all channels, then of one channel each.
local FILTERS = {
  { kernel = 1 }, { kernel = 3 }, { kernel = 5 }, { kernel = 7 },
  { kernel = 3, depthwise = true }, { kernel = 5, depthwise = true },
}

--- The contracts, in order: { name =, kernel =, depthwise =, stride =, pad = }.
function catalog.contracts()
  local list = {}
  for _, filter in ipairs(FILTERS) do
    for _, stride in ipairs { 1, 2 } do
      for _, pad in ipairs { "valid", "same" } do
        -- A 1x1 filter needs no padding: 'same' is 'valid'.
        if not (filter.kernel == 1 and pad == "same") then
          list[#list + 1] = {
            name = ("%s%dx%ds%d_%s"):format(filter.depthwise and "dw" or "", filter.kernel, filter.kernel,
              stride, pad),
            kernel = filter.kernel, depthwise = filter.depthwise, stride = stride, pad = pad,
          }
        end
      end
    end
  end
  return list
end

--- The name of a kernel with run-time sizes: conv_f32_nhwc_3x3s1_same_via_direct_avx2.
function catalog.name(contract, layout, algorithm, set)
  return ("conv_f32_%s_%s_via_%s_%s"):format(layout, contract, algorithm, set)
end

local function job_of(contract, layout, set)
  local l = assert(layer.new_runtime({
    KH = contract.kernel, KW = contract.kernel, stride_h = contract.stride, stride_w = contract.stride,
    pad = contract.pad, layout = layout, activation = "clamp:LOW,HIGH",
    groups = contract.depthwise and "depthwise" or nil,
  }, contract.depthwise and DEPTHWISE or SIZES))
  local made = assert(plan.make(l, isa.get(set), { algorithm = "auto" }))
  local name = catalog.name(contract.name, layout, made.algorithm, set)
  return {
    name = name, layer_name = name, layer = l, plan = made, isa = isa.get(set), contract = contract.name,
    header = ("conv_f32_%s.h"):format(contract.name),
    command = table.concat({
      "emit --input HxWxC", contract.depthwise and "--groups depthwise" or "--filters OC",
      ("--kernel %dx%d"):format(contract.kernel, contract.kernel),
      contract.stride > 1 and "--stride " .. contract.stride or nil,
    }, " ") .. (contract.pad == "same" and " --pad same" or "") .. " --activation clamp:LOW,HIGH"
      .. (layout == "nchw" and " --layout nchw" or "") .. (" --isa %s --name %s"):format(set, name),
  }
end

--- The files of the library: a list of { name =, text = }.
function catalog.files()
  local files, jobs, manifest = {}, {}, { "file\tcontract\tlayout\tisa\talgorithm\ttile" }
  local function add(name, text) files[#files + 1] = { name = name, text = text } end
  for _, contract in ipairs(catalog.contracts()) do
    local mine = {}
    for _, layout in ipairs(layer.words.layout) do
      for i = #SETS, 1, -1 do -- the best first
        local job = job_of(contract, layout, SETS[i])
        mine[#mine + 1], jobs[#jobs + 1] = job, job
        local _, source = emit.kernel(job)
        add(job.name .. ".c", source)
        manifest[#manifest + 1] = table.concat({ job.name .. ".c", contract.name, layout, SETS[i],
          job.plan.algorithm, job.plan.tile_name }, "\t")
      end
    end
    add(("conv_f32_%s.h"):format(contract.name), emit.contract(contract, mine))
  end
  local header, source = emit.library(catalog.contracts(), jobs)
  add("conv_kernels.h", header)
  add("conv_kernels.c", source)
  add("manifest.tsv", table.concat(manifest, "\n") .. "\n")
  return files
end

return catalog
