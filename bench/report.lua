-- The table of results, for people.
-- SPDX-License-Identifier: MIT-0

local lists = require "bench.lists"
local results = require "bench.results"

local report = {}

local ROW = "%-14s %-21s %-20s %-7s %9s %8s %6s  %s"

local function line_of(k)
  if k.wrong then
    return ("%-14s %-42s %-7s WRONG: %s"):format(k.layer, k.algorithm, k.isa, k.wrong)
  end
  return ROW:format(k.layer, k.shape, k.algorithm .. " " .. k.tile, k.isa,
    (k.us < 10 and "%.2f" or "%.1f"):format(k.us),
    ("%.1f"):format(k.rate), k.percent and ("%.1f"):format(k.percent) or "-",
    ("%.1e"):format(k.max_error))
end

-- All convolutions of a network together, each as often as it occurs there.
local function total(kernels, counts)
  local us, work, ceiling, times = 0, 0, 0, 0
  for _, k in ipairs(kernels) do
    if k.wrong then return nil end
    local count = counts[k.layer] or 1
    times, us = times + count, us + count * k.us
    work = work + count * k.us * k.gflops
    ceiling = k.peak and ceiling + count * k.us * k.peak
  end
  return ROW:format(("all %d"):format(times), "", "", kernels[1].isa, ("%.1f"):format(us),
    ("%.1f"):format(work / us), ceiling and ("%.1f"):format(100 * work / ceiling) or "-", "")
end

--- Where and how it was measured: a few lines.
function report.facts(all)
  local c, lines = all.context, {}
  local function add(...) lines[#lines + 1] = (...):format(select(2, ...)) end
  local threads = c.threads == "1" and "one thread" or c.threads .. " threads"
  add("%s; %s; %s", c.cpu, c.data_caches, threads)
  add("convgen %s; %s %s; profile: %s; pages: %s; %s", c.convgen, c.compiler, c.flags, c.profile, c.pages,
    c.buffer_offsets)
  local peaks = {}
  for _, isa in ipairs({ "avx512", "avx2", "sse2", "neon", "scalar" }) do
    if all.peak[isa] then peaks[#peaks + 1] = ("%s %.1f"):format(isa, all.peak[isa] / 1e9) end
  end
  add("multiply-add peak, GFLOP/s: %s", table.concat(peaks, ", "))
  local rates = {}
  for _, b in ipairs(all.bandwidth) do
    rates[#rates + 1] = ("%s %s %.0f"):format(b.level, b.kind, b.gbytes)
  end
  add("bandwidth, GB/s: %s", table.concat(rates, ", "))
  return table.concat(lines, "\n") .. "\n"
end

--- The whole report. `counts[list][layer]` says how often a layer occurs in its network.
function report.text(all, counts)
  local lines = { report.facts(all) }
  local function add(line) lines[#lines + 1] = line end
  for _, list in ipairs(results.distinct(all.kernels, "list")) do
    local of_list = results.where(all.kernels, { list = list })
    for _, layout in ipairs(results.distinct(of_list, "layout")) do
      local pooling = lists.pool(list)
      add(("%s, %s%s"):format(list, layout, pooling and "" or ", ReLU"))
      add(ROW:format("layer", "shape", "algorithm", "isa", "us", pooling and "GB/s" or "GFLOP/s",
        pooling and "% copy" or "% peak", "error"))
      local of_layout = results.where(of_list, { layout = layout })
      for _, isa in ipairs(results.distinct(of_layout, "isa")) do
        local kernels = results.where(of_layout, { isa = isa })
        for _, k in ipairs(kernels) do add((line_of(k):gsub("%s+$", ""))) end
        local occurs = counts[list] or {}
        if next(occurs) then add(total(kernels, occurs)) end
      end
      add("")
    end
  end
  add("shape: filter/stride channels in-out @size; dw: depthwise. algorithm: with its register")
  add("tile. GFLOP/s: 2 per tap, those in the padding too. % peak: of the multiply-add peak of")
  add("that instruction set, measured in between. error: largest difference from the reference")
  add("in double, inputs and weights in [-1, 1). Pooling: GB/s: input and output once. % copy: of")
  add("memcpy of as many bytes, from the same input to the same output.")
  return table.concat(lines, "\n") .. "\n"
end

local FIELDS = { "list", "layer", "layout", "isa", "algorithm", "tile", "shape", "us", "gflops",
  "inside", "gbytes", "peak", "percent", "max_error", "units" }

--- The same as tab-separated values, a line per kernel.
function report.tsv(all)
  local lines = { table.concat(FIELDS, "\t") }
  for _, k in ipairs(all.kernels) do
    local cells = {}
    for i, field in ipairs(FIELDS) do
      local value = k[field]
      cells[i] = math.type(value) == "float" and ("%.6g"):format(value) or tostring(value or "-")
    end
    lines[#lines + 1] = table.concat(cells, "\t")
  end
  return table.concat(lines, "\n") .. "\n"
end

return report
