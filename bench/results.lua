-- Reads the JSON that the benchmark program writes.
-- SPDX-License-Identifier: MIT-0

local cjson = require "cjson"
local files = require "files"

local results = {}

local function giga(value) return value and value / 1e9 end

--- Gives { context =, kernels = list, peak = { [isa] = largest FLOP/s seen }, bandwidth = list, in_flight =
-- { [isa] = multiply-adds that are computed at the same time } },
-- kernels in the order of the layer lists. A kernel is { list, layer, layout, isa, algorithm,
-- shape, tile, us, gflops, inside (GFLOP/s of the taps inside the image), gbytes, peak (GFLOP/s),
-- percent, max_error, units, wrong = nil or what is wrong }. Of pooling there are no GFLOP/s; peak is
-- memcpy's GB/s. rate is what percent is of: gflops, or of pooling gbytes.
function results.read(path)
  local text, why = files.read(path)
  if not text then return nil, why end
  local ok, json = pcall(cjson.decode, text)
  if not ok then return nil, path .. " holds no results" end
  table.sort(json.benchmarks, function(a, b) return a.family_index < b.family_index end)
  local all = { context = json.context, kernels = {}, peak = {}, bandwidth = {}, in_flight = {} }
  for _, row in ipairs(json.benchmarks) do
    local list, layer, layout, isa, algorithm = row.name:match("^(.-)/(.-)/(.-)/(.-)/(.*)$")
    local kind, what = row.name:match("^(%w+)/(%w+)$")
    if kind == "fma" then
      all.peak[what] = math.max(all.peak[what] or 0, row["FLOP/s"])
      all.in_flight[what] = row.in_flight
    elseif kind then
      all.bandwidth[#all.bandwidth + 1] = { kind = kind, level = what, size = row.label,
        gbytes = row["bytes/s"] / 1e9 }
    else
      local kernel = { list = list, layer = layer, layout = layout, isa = isa,
        algorithm = algorithm, wrong = row.error_occurred and row.error_message or nil }
      kernel.shape, kernel.tile = (row.label or ""):match("^(.-), (.*)$")
      if not kernel.wrong then
        kernel.us = row.real_time
        kernel.max_error, kernel.units = row.max_error, row.max_error_units
        kernel.gflops, kernel.inside = giga(row["FLOP/s"]), giga(row["FLOP/s_inside"])
        kernel.gbytes = giga(row["bytes/s"])
        kernel.peak = giga(row["peak_FLOP/s"] or row["copy_bytes/s"])
        kernel.percent = row.percent_of_peak or row.percent_of_copy
        kernel.rate = kernel.gflops or kernel.gbytes
        if row["peak_FLOP/s"] then
          all.peak[isa] = math.max(all.peak[isa] or 0, row["peak_FLOP/s"])
        end
      end
      all.kernels[#all.kernels + 1] = kernel
    end
  end
  return all
end

--- The geometric mean of some ratios, nil of none; those that are next to nothing count as a thousandth.
function results.mean(ratios)
  local sum = 0
  for _, ratio in ipairs(ratios) do sum = sum + math.log(math.max(ratio, 1e-3)) end
  return #ratios > 0 and math.exp(sum / #ratios) or nil
end

--- The values of one field of a list, each once, in the order in which they appear.
function results.distinct(list, field)
  local seen, out = {}, {}
  for _, item in ipairs(list) do
    local value = item[field]
    if not seen[value] then
      seen[value], out[#out + 1] = true, value
    end
  end
  return out
end

--- The items of a list whose fields have the given values.
function results.where(list, wanted)
  local out = {}
  for _, item in ipairs(list) do
    local fits = true
    for field, value in pairs(wanted) do fits = fits and item[field] == value end
    if fits then out[#out + 1] = item end
  end
  return out
end

return results
