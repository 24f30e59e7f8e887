-- Random layers, as descriptors: any kernel, stride, padding, dilation and groups, small in all.
-- SPDX-License-Identifier: MIT-0

local benchdnn = require "import.benchdnn"
local layer = require "layer"

local random = {}

local MOST = 2000000 -- multiply-adds


local function axis(draw, name)
  local k, s, d = draw(7), draw(4), draw(4) == 1 and draw(3) or 0
  local reach, p = (k - 1) * (d + 1) + 1, draw(0, k)
  local o, last = draw(12), draw(-s, k) -- an end may not be read, or be padding
  local i = (o - 1) * s + reach - p - last
  return ("i%s%do%s%dk%s%ds%s%dp%s%dd%s%d"):format(name, i, name, o, name, k, name, s, name, p, name, d), i
end

local function descriptor(draw)
  local h, ih = axis(draw, "h")
  local w, iw = axis(draw, "w")
  local groups = draw(3) == 1 and draw(20) or 1
  local most = groups > 1 and 5 or 40
  local text = ("g%dmb%d_ic%doc%d_%s_%s"):format(groups, draw(3), groups * draw(most), groups * draw(most), h, w)
  return ih > 0 and iw > 0 and text
end

--- `count` layers: a list of { name =, text = } as problems.read() gives it. The same seed gives the same.
function random.layers(count, seed)
  local list = {}
  math.randomseed(seed)
  while #list < count do
    local text = descriptor(math.random)
    local entry = text and benchdnn.parse(text)
    local l = entry and layer.new(entry.fields)
    if l and l.N * l.OH * l.OW * l.OC * l.KH * l.KW * (l.IC // l.groups) <= MOST then
      local name = ("random_%d"):format(#list + 1)
      list[#list + 1] = { name = name, text = ('%sn"%s"'):format(text, name) }
    end
  end
  return list
end

return random
