-- The cases of ONNX's backend tests as layers of convgen: a model of one node, its inputs, and the
-- output that is wanted.
-- SPDX-License-Identifier: MIT-0
--
-- A case is a directory with model.onnx and test_data_set_N/{input,output}_M.pb. Numbers of fields
-- are those of onnx.proto; of its messages only what a convolution or a pooling layer needs is read.

local files = require "files"
local protobuf = require "conformance.protobuf"

local onnx = {}

local FLOAT = 1 -- TensorProto.DataType

-- { dims =, type =, data = little-endian floats } of a TensorProto.
local function tensor(text)
  local f = protobuf.message(text)
  return { dims = protobuf.integers(f[1]), type = f[2][1], name = f[8] and f[8][1],
    data = f[9] and f[9][1] or table.concat(f[4] or {}) }
end

-- { op =, inputs =, attributes = } of a NodeProto; an attribute is an integer, a text or a list.
local function node(text)
  local f, attributes = protobuf.message(text), {}
  for _, attribute in ipairs(f[5] or {}) do
    local a = protobuf.message(attribute)
    attributes[a[1][1]] = a[8] and protobuf.integers(a[8]) or a[4] and a[4][1] or a[3] and a[3][1]
      or "of another type"
  end
  return { op = f[4][1], inputs = f[1] or {}, attributes = attributes }
end

-- { nodes =, constants = tensors by name, inputs = names of those that are given } of a ModelProto.
local function model(text)
  local g = protobuf.message(protobuf.message(text)[7][1])
  local graph = { nodes = {}, constants = {}, inputs = {} }
  for i, text_of in ipairs(g[1]) do graph.nodes[i] = node(text_of) end
  for _, text_of in ipairs(g[5] or {}) do
    local constant = tensor(text_of)
    graph.constants[constant.name] = constant
  end
  for _, text_of in ipairs(g[11] or {}) do
    local name = protobuf.message(text_of)[1][1]
    if not graph.constants[name] then table.insert(graph.inputs, name) end
  end
  return graph
end

-- A case is refused with error({ reason = }).
local function refuse(text, ...) error({ reason = text:format(...) }, 0) end

local POOLS = {
  MaxPool = { "max" }, AveragePool = { "average" },
  GlobalMaxPool = { "max", true }, GlobalAveragePool = { "average", true },
}
local ATTRIBUTES = {}
for name in ("auto_pad ceil_mode count_include_pad dilations group kernel_shape pads storage_order strides")
  :gmatch("%S+") do ATTRIBUTES[name] = true end

-- Two numbers as "AxB", of an attribute that has one for each axis; a line is a picture one pixel high.
local function pair(list, axes, default)
  if not list then return ("%dx%d"):format(default, default) end
  if #list ~= axes then refuse("%d values for %d axes", #list, axes) end
  return ("%dx%d"):format(axes == 2 and list[1] or default, list[axes])
end

local function padding(attributes, axes)
  local auto, p = attributes.auto_pad or "NOTSET", attributes.pads
  if auto ~= "NOTSET" then
    return ({ VALID = "valid", SAME_UPPER = "same", SAME_LOWER = "same-lower" })[auto]
      or refuse("auto_pad %s", auto)
  elseif not p then
    return "valid"
  end
  return axes == 2 and table.concat({ p[1], p[2], p[3], p[4] }, ",") -- begins, then ends: T,L,B,R
    or ("0,%d,0,%d"):format(p[1], p[2])
end

-- The words of convgen's command line for a node, but for the name.
local function options(op, a, arrays)
  for name in pairs(a) do
    if not ATTRIBUTES[name] then refuse("attribute %s", name) end
  end
  local dims, weights = arrays[1].dims, arrays[2]
  local axes = #dims - 2
  if axes < 1 or axes > 2 then refuse("%d spatial dimensions", axes) end
  local out = { "--batch", dims[1], "--input",
    ("%dx%dx%d"):format(axes == 2 and dims[3] or 1, dims[#dims], dims[2]) }
  local function put(...) table.move({ ... }, 1, select("#", ...), #out + 1, out) end
  local pool = POOLS[op]
  if pool then
    put("--pool", pool[1])
  else
    put("--filters", weights.dims[1], "--groups", a.group or 1)
    if not arrays[3] then put("--no-bias") end
  end
  if pool and pool[2] then
    put("--global")
    return out
  end
  local shape = a.kernel_shape or table.move(weights.dims, 3, #weights.dims, 1, {})
  put("--kernel", pair(shape, axes, 1), "--stride", pair(a.strides, axes, 1))
  put("--dilation", pair(a.dilations, axes, 1), "--pad", padding(a, axes))
  if (a.ceil_mode or 0) ~= 0 then put("--ceil") end
  if (a.count_include_pad or 0) ~= 0 then put("--include-pad") end
  return out
end

-- The only node that computes; those that add or drop axes of size 1 before it change its input's shape.
local function computing_node(graph, dims)
  local found
  for _, n in ipairs(graph.nodes) do
    if n.op == "Unsqueeze" and not found and n.attributes.axes then
      for _, axis in ipairs(n.attributes.axes) do table.insert(dims, axis + 1, 1) end
    elseif n.op ~= "Squeeze" then
      if found then refuse("several operations") end
      found = n
    end
  end
  return found
end

local function read(path)
  local text, why = files.read(path)
  return text or error(why, 0)
end

local function layer_of(directory)
  local graph, given = model(read(directory .. "/model.onnx")), {}
  local set = directory .. "/test_data_set_0/"
  for i, name in ipairs(graph.inputs) do given[name] = tensor(read(("%sinput_%d.pb"):format(set, i - 1))) end
  local first = given[graph.inputs[1]]
  local n = computing_node(graph, first.dims)
  if not POOLS[n.op] and n.op ~= "Conv" then refuse("operation %s", n.op) end
  local arrays = {}
  for i, name in ipairs(n.inputs) do
    arrays[i] = i == 1 and first or given[name] or graph.constants[name] or refuse("input %s is missing", name)
  end
  arrays.wanted = tensor(read(set .. "output_0.pb"))
  for _, array in pairs(arrays) do
    if array.type ~= FLOAT then refuse("data type %d", array.type) end
  end
  if files.read(directory .. "/test_data_set_1/output_0.pb") then refuse("several sets of data") end
  return { options = options(n.op, n.attributes, arrays), data = table.concat({ arrays[1].data,
    arrays[2] and arrays[2].data or "", arrays[3] and arrays[3].data or "", arrays.wanted.data }) }
end

--- Whether the model of a case holds a convolution or a pooling layer, of whatever kind.
function onnx.concerns(directory)
  local text = files.read(directory .. "/model.onnx")
  for _, n in ipairs(text and model(text).nodes or {}) do
    if n.op:find("Conv") or n.op:find("Pool") then return true end
  end
  return false
end

--- A case as { options = words of convgen's command line, data = input, weights, bias and output, in
-- NCHW and OIHW }; or nil and the reason why it is none.
function onnx.case(directory)
  local ok, result = pcall(layer_of, directory)
  if ok then return result end
  if type(result) ~= "table" then error(directory .. ": " .. tostring(result), 0) end
  return nil, result.reason
end

return onnx
