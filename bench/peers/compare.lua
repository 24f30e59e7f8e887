-- Convgen's kernels and other libraries side by side: the table, JSON and drawings.
-- SPDX-License-Identifier: MIT-0

local cjson = require "cjson"
local results = require "bench.results"

local compare = {}

--- A comparison for each layer and each layout that convgen has a kernel for: { list, layer, shape,
-- layout, own = kernel, best_of = { [peer] = kernel }, best = kernel or nil, ratio }. A kernel for
-- NHWC is compared with what peers do in any layout, their own included, one for NCHW with NCHW.
-- Also gives the peers' names. `own`: a set of the instruction sets of convgen's kernels. Percent are of one
-- peak for all of a layer, the largest seen between the calls of convgen's kernels.
function compare.layers(all, own)
  local list, peers, mine, by_layer, peak = {}, {}, {}, {}, {}
  for _, k in ipairs(all.kernels) do
    local key = k.list .. "/" .. k.layer
    by_layer[key] = by_layer[key] or {}
    table.insert(by_layer[key], k)
    if own[k.isa] then
      mine[#mine + 1] = k
      peak[key] = math.max(peak[key] or 0, k.peak or 0)
    end
  end
  for key, kernels in pairs(by_layer) do
    for _, k in ipairs(kernels) do
      if not k.wrong and (peak[key] or 0) > 0 then k.percent = 100 * k.gflops / peak[key] end
    end
  end
  for _, name in ipairs(results.distinct(all.kernels, "isa")) do
    peers[#peers + 1] = not own[name] and name or nil
  end
  table.sort(peers)
  for _, kernel in ipairs(mine) do
    local c = { list = kernel.list, layer = kernel.layer, shape = kernel.shape, layout = kernel.layout,
      own = kernel, best_of = {} }
    for _, k in ipairs(by_layer[kernel.list .. "/" .. kernel.layer]) do
      local before = c.best_of[k.isa]
      if not own[k.isa] and not k.wrong and (kernel.layout == "nhwc" or k.layout == "nchw")
        and not (before and before.us <= k.us) then
        c.best_of[k.isa] = k
      end
    end
    for _, peer in ipairs(peers) do
      local k = c.best_of[peer]
      if k and not (c.best and c.best.us <= k.us) then c.best = k end
    end
    c.ratio = kernel.wrong and 0 or c.best and c.best.us / kernel.us
    list[#list + 1] = c
  end
  return list, peers
end

-- The geometric mean of those that fit, as text.
local function mean(comparisons, fits)
  local ratios = {}
  for _, c in ipairs(comparisons) do
    if fits(c) then ratios[#ratios + 1] = c.ratio end
  end
  local value = results.mean(ratios)
  return value and ("%.2f"):format(value) or "-"
end

-- So many of the layers with the smallest ratios are named once more.
local WORST = 10

-- The layers with the smallest ratios, the worst first, at most so many.
local function worst(comparisons, most)
  local list, parts = {}, {}
  for _, c in ipairs(comparisons) do list[#list + 1] = c.ratio and c or nil end
  table.sort(list, function(a, b)
    if a.ratio ~= b.ratio then return a.ratio < b.ratio end
    return a.layer < b.layer
  end)
  for i = 1, math.min(most, #list) do
    parts[i] = ("%s/%s %.2f"):format(list[i].list, list[i].layer, list[i].ratio)
  end
  return table.concat(parts, ", ")
end

local HEADS = {
  nhwc = "NHWC kernels; of each peer its best in any layout, its own without conversions included",
  nchw = "NCHW kernels; of each peer its best for plain NCHW in and out",
}

--- The table of the comparisons of one layout.
function compare.text(comparisons, peers, layout, least)
  local widths, lines = {}, { HEADS[layout] }
  local names, versions = {}, {}
  for i, peer in ipairs(peers) do
    names[i], versions[i] = peer:match("^([^-]*)%-?(.*)$")
    widths[i] = math.max(#names[i], #versions[i], 8)
  end
  local function row(layer, shape, algorithm, us, percent, cells, best, ratio)
    local line = { ("%-14s %-22s %-15s %9s %7s"):format(layer, shape, algorithm, us, percent) }
    for i in ipairs(peers) do line[#line + 1] = ("%" .. widths[i] .. "s"):format(cells[i]) end
    line[#line + 1] = ("%6s  %s"):format(ratio, best)
    lines[#lines + 1] = table.concat(line, " "):gsub("%s+$", "")
  end
  row("", "", "", "", "", names, "", "")
  row("layer", "shape", "convgen", "us", "% peak", versions, "best of them", "ratio")
  local chosen, below, list, several = {}, 0, nil, false
  for _, c in ipairs(comparisons) do several = several or c.own.isa ~= comparisons[1].own.isa end
  for _, c in ipairs(comparisons) do
    if c.layout == layout then
      if c.list ~= list then
        list = c.list
        lines[#lines + 1] = list .. ":"
      end
      chosen[#chosen + 1] = c
      below = below + (c.ratio and c.ratio < least and 1 or 0)
      local cells, own = {}, c.own
      for i, peer in ipairs(peers) do
        local k = c.best_of[peer]
        cells[i] = k and k.percent and ("%.1f"):format(k.percent) or "-"
      end
      local way = { own.algorithm, own.tile, several and own.isa or nil }
      row(c.layer, c.shape or "", own.wrong and "WRONG" or table.concat(way, " "),
        own.us and (own.us < 10 and "%.2f" or "%.1f"):format(own.us) or "-",
        own.percent and ("%.1f"):format(own.percent) or "-", cells,
        c.best and ("%s %s %s%s"):format(c.best.isa, c.best.algorithm, c.best.layout,
          c.ratio < least and "  BEHIND" or "") or "",
        c.ratio and ("%.2f"):format(c.ratio) or "-")
    end
  end
  lines[#lines + 1] = ("%d of %d layers below %.2f; geometric mean of the ratios %s, %s without"
    .. " 1x1"):format(below, #chosen, least, mean(chosen, function() return true end),
    mean(chosen, function(c) return not (c.shape or ""):find("^1x1") end))
  if #chosen > WORST then lines[#lines + 1] = "the smallest: " .. worst(chosen, WORST) end
  return table.concat(lines, "\n") .. "\n", below
end

local function summary(k)
  return k and { us = k.us, percent_of_peak = k.percent, gflops = k.gflops, layout = k.layout,
    isa = k.isa, algorithm = k.algorithm, tile = k.tile, max_error = k.max_error } or nil
end

--- All of it as JSON.
function compare.json(all, comparisons, missing)
  local layers = {}
  for i, c in ipairs(comparisons) do
    local entry = { list = c.list, layer = c.layer, shape = c.shape, layout = c.layout,
      convgen = summary(c.own), wrong = c.own.wrong, peers = {}, best = c.best and c.best.isa,
      ratio = c.ratio }
    for peer, k in pairs(c.best_of) do entry.peers[peer] = summary(k) end
    layers[i] = entry
  end
  return cjson.encode({ context = all.context, peak_flops = all.peak, layers = layers,
    missing = missing }) .. "\n"
end

-- A peer's name for a legend: its version only where two of them are likely.
local function short(peer)
  return peer:match("^oneDNN%-%d+") or peer:match("^[^-]*")
end

--- The drawings for plots.render: one for each list and layout, small lists together.
function compare.drawings(all, comparisons, peers, titles)
  local drawings, by_name, legend = {}, {}, {}
  for i, peer in ipairs(peers) do legend[i] = short(peer) end
  local function cell(k) return k and k.percent and ("%.5g"):format(k.percent) or "NaN" end
  for _, c in ipairs(comparisons) do
    local list = titles[c.list] and c.list or "small"
    local name = ("peers_%s_%s"):format(c.layout, list)
    if not by_name[name] then
      by_name[name] = { script = "peers", name = name, rows = { { "layer", "shape", "convgen",
        table.unpack(peers) } }, arguments = { (titles[list] or "Small layers")
        .. ": percent of the multiply-add peak", ("%s, fp32, one thread, %s"):format(
        c.layout:upper(), all.context.cpu), table.concat(legend, " ") } }
      drawings[#drawings + 1] = by_name[name]
    end
    local row = { c.layer, c.shape or "", cell(c.own) }
    for i, peer in ipairs(peers) do row[3 + i] = cell(c.best_of[peer]) end
    table.insert(by_name[name].rows, row)
  end
  return drawings
end

return compare
