-- Writes the data of the plots as TSV and has gnuplot draw them, as PNG and SVG.
-- SPDX-License-Identifier: MIT-0

local files = require "files"
local lists_of = require "bench.lists"
local results = require "bench.results"
local shell = require "bench.shell"

local plots = {}

--- Titles of the lists that are large networks.
plots.networks = { resnet50 = "ResNet-50", vgg16 = "VGG-16", mobilenet_v1 = "MobileNet-v1" }

local TITLES = setmetatable({ small = "Small layers", lenet = "LeNet-5", textbook = "Textbook",
  max_pooling = "Maximum pooling", average_pooling = "Average pooling" },
  { __index = plots.networks })
local FEW = 6 -- lists of fewer layers share a picture
local MOST_BARS = 50 -- in a picture: only the best instruction sets are drawn if need be

local function number(value)
  return value and ("%.5g"):format(value) or "NaN"
end

local function tsv(rows)
  local lines = {}
  for i, row in ipairs(rows) do lines[i] = table.concat(row, "\t") end
  return table.concat(lines, "\n") .. "\n"
end

-- Where it was measured, for titles.
local function where(all, layout)
  local threads = all.context.threads
  return ("%s, fp32, %s, %s"):format(layout:upper(),
    threads == "1" and "one thread" or threads .. " threads", all.context.cpu)
end

-- A drawing is { script =, name =, rows = of the data, the first being the heads, arguments = }.

-- Bars per layer, for some lists that share a picture.
local function layers(all, lists, layout, name, title)
  local kernels, isas, peaks = {}, {}, {}
  for _, list in ipairs(lists) do
    for _, k in ipairs(results.where(all.kernels, { list = list, layout = layout })) do
      kernels[#kernels + 1] = k
    end
  end
  local pooling = kernels[1] and not kernels[1].gflops
  for _, isa in ipairs({ "avx512", "avx2", "sse2", "neon", "scalar" }) do
    local bars = #results.where(kernels, { isa = isa })
    if (all.peak[isa] or pooling) and bars > 0 and bars * (#isas + 1) <= MOST_BARS then
      isas[#isas + 1] = isa
      peaks[#peaks + 1] = pooling and "NaN" or number(all.peak[isa] / 1e9)
    end
  end
  local rows, by_layer = { { "layer", "shape" } }, {}
  for i, isa in ipairs(isas) do
    rows[1][2 * i + 1], rows[1][2 * i + 2] = isa, isa .. " %"
  end
  for _, k in ipairs(kernels) do
    local key = k.list .. "/" .. k.layer
    if not by_layer[key] then
      by_layer[key] = { k.layer, k.shape or "" }
      for i = 3, 2 + 2 * #isas do by_layer[key][i] = "NaN" end
      rows[#rows + 1] = by_layer[key]
    end
    for i, isa in ipairs(isas) do
      if k.isa == isa then
        by_layer[key][2 * i + 1], by_layer[key][2 * i + 2] = number(k.rate), number(k.percent)
      end
    end
  end
  return { script = "layers", name = name, rows = rows, arguments = {
    title .. ": throughput per layer", where(all, layout), table.concat(isas, " "),
    table.concat(peaks, " "), pooling and "GB/s" or "GFLOP/s",
    pooling and "% of memcpy" or "% of peak" } }
end

-- Bars per filter, stride and padding.
local function sweep(all, kernels, layout, isa)
  local rows, by_filter = { { "filter", "s1 valid", "%", "s1 same", "%", "s2 valid", "%", "s2 same",
    "%" } }, {}
  for _, k in ipairs(kernels) do
    local filter, stride, pad = k.layer:match("^k(%d+)_s([12])_(%a+)$")
    if filter then
      local row = by_filter[filter]
      if not row then
        row = { filter .. "x" .. filter }
        for i = 2, 9 do row[i] = "NaN" end
        by_filter[filter], rows[#rows + 1] = row, row
      end
      local column = 2 + (stride == "2" and 4 or 0) + (pad == "same" and 2 or 0)
      row[column], row[column + 1] = number(k.gflops), number(k.percent)
    end
  end
  return { script = "sweep", name = ("sweep_%s_%s"):format(layout, isa), rows = rows, arguments = {
    "Throughput over filter, stride and padding; 64 channels at 56x56",
    isa .. ", " .. where(all, layout), number(all.peak[isa] / 1e9) } }
end

-- Lines over the number of channels.
local function channels(all, kernels, layout, isa)
  local rows, by_channels = { { "channels", "3x3", "1x1", "depthwise 3x3" } }, {}
  local column = { k3 = 2, k1 = 3, dw3 = 4 }
  for _, k in ipairs(kernels) do
    local kind, c = k.layer:match("^(%w+)_c(%d+)$")
    if column[kind] then
      if not by_channels[c] then
        by_channels[c] = { c, "NaN", "NaN", "NaN" }
        rows[#rows + 1] = by_channels[c]
      end
      by_channels[c][column[kind]] = number(k.gflops)
    end
  end
  return { script = "channels", name = ("channels_%s_%s"):format(layout, isa), rows = rows,
    arguments = { "Throughput over channels; 28x28 pixels", isa .. ", " .. where(all, layout),
    number(all.peak[isa] / 1e9) } }
end

local function drawings(all)
  local out = {}
  for _, layout in ipairs(results.distinct(all.kernels, "layout")) do
    local small, pooling = {}, {}
    for _, list in ipairs(results.distinct(all.kernels, "list")) do
      local kernels = results.where(all.kernels, { list = list, layout = layout })
      local special = list == "sweep" and sweep or list == "channels" and channels
      if special then
        for _, isa in ipairs(results.distinct(kernels, "isa")) do
          if all.peak[isa] then
            out[#out + 1] = special(all, results.where(kernels, { isa = isa }), layout, isa)
          end
        end
      elseif lists_of.pool(list) then
        pooling[#pooling + 1] = list
      elseif #results.distinct(kernels, "layer") < FEW then
        small[#small + 1] = list
      else
        out[#out + 1] = layers(all, { list }, layout, ("layers_%s_%s"):format(layout, list),
          TITLES[list] or list)
      end
    end
    for _, name in ipairs({ "small", "pooling" }) do
      local together = name == "small" and small or pooling
      if #together > 0 then
        local titles = {}
        for i, list in ipairs(together) do titles[i] = TITLES[list] or list end
        out[#out + 1] = layers(all, together, layout, ("layers_%s_%s"):format(layout, name),
          table.concat(titles, ", "))
      end
    end
  end
  return out
end

--- Draws drawings; `scripts` is the directory of the gnuplot scripts. Gives the paths of the PNG
-- files, each of which has an SVG and a TSV beside it.
function plots.render(list, out, scripts)
  local lines, pictures = {}, {}
  for i, drawing in ipairs(list) do
    local base = out .. "/" .. drawing.name
    local ok, why = files.write(base .. ".tsv", tsv(drawing.rows))
    if not ok then return nil, why end
    lines[i] = shell.line({ "gnuplot", "-c", ("%s/%s.gp"):format(scripts, drawing.script), scripts,
      base .. ".tsv", base, table.unpack(drawing.arguments) })
    pictures[i] = base .. ".png"
  end
  local ok, why = shell.parallel(lines, 2, function() end)
  if not ok then return nil, why end
  return pictures
end

--- Draws all plots for which there are results.
function plots.draw(all, out, scripts)
  return plots.render(drawings(all), out, scripts)
end

return plots
