-- From a plan to text: the environment that the templates see, and the files they make.
-- SPDX-License-Identifier: MIT-0

local activation = require "activation"
local isa_of = require "isa"
local layers = require "layer"
local template = require "template"
local dimension = require "dimension"
local version = require "version"

local emit = {}

local lowering = {
  direct = require "lower.direct", depthwise = require "lower.depthwise", pooling = require "lower.pooling",
  fused = require "lower.fused",
  winograd = require "lower.winograd", strassen = require "lower.strassen",
}

local ALIGN = 64

-- templates/ lies beside gen/.
local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or "."

local texts = {}
local function read(path)
  if not texts[path] then
    local file = assert(io.open(here .. "/../" .. path, "rb"))
    texts[path] = file:read("a")
    file:close()
  end
  return texts[path]
end

-- A template that knows nothing of a kernel.
local function plain(file)
  return (template.render(read("templates/" .. file), "templates/" .. file, { align = ALIGN }):gsub("\n$", ""))
end

local function plural(count, noun)
  return ("%d %s%s"):format(count, noun, count == 1 and "" or "s")
end

-- A float literal of C with the same value.
local function number(x)
  if not x then return "0.0f" end
  local text = activation.number_text(x)
  if not text:find("[.e]") then text = text .. ".0" end
  return text .. "f"
end

local function scaled(text, factor)
  return factor == 1 and text or ("%s * %d"):format(text, factor)
end

-- Of parts (plan/tasks.lua) where one begins, and ends, and how many it holds; `index`, a product or quotient, is its
-- number, and `begin` what its begin is called.
local function boundary(parts, index, more)
  if parts.total * parts.count <= 1 << 30 then
    return ("(%s * %d + %d) / %d"):format(index, parts.total, more + parts.count // 2, parts.count)
  end
  return ("(int)(((long long)(%s) * %d + %d) / %d)"):format(index, parts.total, more + parts.count // 2, parts.count)
end
local function begin_of(parts, index) return parts.size and scaled(index, parts.size) or boundary(parts, index, 0) end
local function end_of(parts, index, begin)
  return parts.size and ("%s + %d"):format(begin, parts.size) or boundary(parts, index, parts.total)
end
local function count_of(parts, index, begin)
  local total, size = parts.total, parts.size
  if not size then return ("%s - %s"):format(end_of(parts, index), begin) end
  if total % size == 0 then return size end
  return ("%d - %s < %d ? %d - %s : %d"):format(total, begin, size, total, begin, size)
end

-- Of a plan whose blocks of two classes take turns (plan/tasks.lua): the index of `block` among those of its class, and
-- whether it is one of the first class.
local function before(plan, block) return ("%s * %d / %d"):format(block, plan.classes[2].count, plan.blocks) end
local function turn_index(plan, class)
  return ("(%s%s)"):format(class == 1 and "block - " or "", before(plan, "block"))
end
local function is_first(plan) return ("%s == %s"):format(before(plan, "(block + 1)"), before(plan, "block")) end

-- ceil(text / divisor) for a text that may be any sum, positive where it matters.
local function ceil_quotient(text, divisor)
  if divisor == 1 then return text end
  return ("(%s + %d) / %d"):format(text, divisor - 1, divisor)
end

-- Lines of at most 98 characters that start with ' * '.
local function commented(paragraphs)
  local out = {}
  for _, paragraph in ipairs(paragraphs) do
    local line = " *" -- an empty paragraph is none
    for word in paragraph:gmatch("%S+") do
      if #line + 1 + #word > 98 then
        out[#out + 1] = line
        line = " *"
      end
      line = line .. " " .. word
    end
    if line ~= " *" then out[#out + 1] = line end
  end
  return table.concat(out, "\n")
end

local function activation_text(layer)
  local a = layer.activation
  if a.kind == "none" then return nil end
  if a.runtime then return "clamp[clamp_low, clamp_high]" end
  local parameters = a.a and "[" .. number(a.a) .. (a.b and ", " .. number(a.b) or "") .. "]" or ""
  return a.kind .. parameters
end

-- 'output[1][32][32][10] = relu(bias[10] + conv(...))', the layer as one formula.
local function signature(layer)
  local function image(n, h, w, c)
    return layer.layout == "nhwc" and ("[%s][%s][%s][%s]"):format(n, h, w, c)
      or ("[%s][%s][%s][%s]"):format(n, c, h, w)
  end
  local function windows(pool)
    return ("%s of windows of %d x %d pixels of "):format(pool.pool == "max" and "the maximum" or "the average",
      pool.KH, pool.KW)
  end
  local last = layer.after or layer
  local output = ("output%s = "):format(image(last.N, last.OH, last.OW, last.OC))
  if layer.pool then return output .. windows(layer) .. "input" .. image(layer.N, layer.IH, layer.IW, layer.IC) end
  local sum = ("conv(input%s, weights[%s])"):format(image(layer.N, layer.IH, layer.IW, layer.IC),
    emit.weight_shape(layer):gsub(" x ", "]["))
  if layer.bias then sum = ("bias[%s] + %s"):format(layer.OC, sum) end
  local act = activation_text(layer)
  return output .. (layer.after and windows(layer.after) or "") .. (act and ("%s(%s)"):format(act, sum) or sum)
end

--- "10 x 3 x 5 x 5": the weights' shape in their order.
function emit.weight_shape(layer)
  local O, KH, KW = layer.OC, layer.KH, layer.KW
  local I = layer.depthwise and 1 or layer.runtime and layer.IC or layer.IC // layer.groups
  local shape = layer.weights == "oihw" and { O, I, KH, KW }
    or layer.weights == "ohwi" and { O, KH, KW, I } or { KH, KW, I, O }
  return table.concat(shape, " x ")
end

--- Multiply-adds of the layer, padded taps included.
function emit.macs(layer)
  return layer.N * layer.OH * layer.OW * layer.OC * (layer.IC // layer.groups) * layer.KH * layer.KW
end

local function geometry(layer)
  local parts = layer.pad_mode and {
    ("stride %d x %d, padding '%s'"):format(layer.stride_h, layer.stride_w, layer.pad_mode),
  } or {
    ("stride %d x %d, padding %d %d %d %d (top left bottom right)"):format(layer.stride_h, layer.stride_w,
      layer.pad_top, layer.pad_left, layer.pad_bottom, layer.pad_right),
  }
  if layer.dilation_h > 1 or layer.dilation_w > 1 then
    parts[#parts + 1] = ("dilation %d x %d"):format(layer.dilation_h, layer.dilation_w)
  end
  if layer.groups > 1 and not layer.pool then parts[#parts + 1] = plural(layer.groups, "group") end
  return table.concat(parts, ", ")
end

-- Whole units of ALIGN, as aligned_alloc() wants them.
local function aligned_bytes(floats)
  return (4 * floats + ALIGN - 1) // ALIGN * ALIGN
end

local function facts_of(layer, plan)
  local counts = layers.counts(layer)
  return {
    input_count = counts.input, weight_count = counts.weights,
    bias_count = counts.bias, output_count = counts.output,
    packed_bytes = aligned_bytes(plan.packed_floats),
    workspace_bytes = aligned_bytes(plan.workspace_floats),
    align = ALIGN,
  }
end

-- What a pooling layer makes of its padding.
local function padding_rule(layer)
  return layer.pool == "max" and "Padding is no maximum. Of -0 and +0 either may be it."
    or layer.include_pad and "Padding counts, as zeros; what ceil mode adds behind it does not."
    or "Padding does not count: sums are divided by the number of pixels in the window."
end

local function pooling_contract(layer, plan, isa)
  return {
    ("%s; %s, %s. %s, padding included; no workspace."):format(plan.algorithm:gsub("^%l", string.upper),
      geometry(layer), isa.title, plural(emit.macs(layer), "tap")),
    padding_rule(layer),
    "Reads and writes nothing outside its arrays. NaN passes through: it is the result of every "
      .. "window that holds one.",
  }
end

-- What a kernel with run-time sizes keeps in its workspace.
local function runtime_workspace(plan)
  local input, output = plan.staged or plan.gathered, plan.planes
  return (input or output) and ("a workspace for some of the %s"):format(
    input and output and "input and of the output" or input and "input" or "output") or "no workspace"
end

local function environment(job)
  local layer, plan, isa, name = job.layer, job.plan, job.isa, job.name
  local facts = not layer.runtime and facts_of(layer, plan)
  local env = {
    job = job, layer = layer, plan = plan, isa = isa, name = name, facts = facts,
    V = isa.vector, target = isa.target ~= "" and "CONV_TARGET " or "",
    transposed = function(...) return isa_of.transposed(isa, ...) end,
    transposed_four = function(...) return isa_of.transposed_four(isa, ...) end,
    at = isa_of.at, multiples = isa_of.multiples, times = dimension.times, plus = dimension.plus,
    number = number, scaled = scaled, plural = plural, ceil_quotient = ceil_quotient,
    begin_of = begin_of, end_of = end_of, count_of = count_of, turn_index = turn_index, is_first = is_first,
    copies = false, pins = false,
    signature = signature(layer), geometry = geometry(layer), weight_shape = emit.weight_shape(layer),
    uses_math = layer.activation.runtime ~= nil -- INFINITY
      or isa.exp2i("v", "n"):find("ldexpf", 1, true) ~= nil and (layer.activation.kind == "sigmoid"
        or layer.activation.kind == "silu" or layer.activation.kind == "tanh"),
  }
  env.banner = ("/* Generated by convgen %s, do not edit: convgen %s\n * SPDX-License-Identifier: MIT-0 */")
    :format(version, job.command)
  env.contract = commented(layer.pool and pooling_contract(layer, plan, isa) or layer.runtime and {
    ("%s; sizes at run time; %s, %s; %s."):format(plan.algorithm:gsub("^%l", string.upper), geometry(layer),
      isa.title, runtime_workspace(plan)),
    "Reads and writes nothing outside its arrays. NaN passes through the activation.",
  } or {
    ("%s; %s, %s. Multiply-adds: %d, padded taps included; %s of packed weights; %s."):format(
      plan.algorithm:gsub("^%l", string.upper), geometry(layer), isa.title, emit.macs(layer),
      plural(facts.packed_bytes, "byte"),
      facts.workspace_bytes == 0 and "no workspace" or plural(facts.workspace_bytes, "byte") .. " of workspace"),
    layer.after and ("Behind it pooling with %s. %s"):format(geometry(layer.after), padding_rule(layer.after)) or "",
    "Reads and writes nothing outside its arrays. NaN passes through the activation"
      .. (layer.after and " and the pooling." or ".")
      .. (plan.exact and "" or " Rounds differently from a plain sum; a NaN spreads to neighbours."),
  })
  env.align, env.l1_bytes, env.l2_bytes = ALIGN, plan.l1_bytes, plan.l2_bytes
  function env.activate(value)
    if layer.activation.runtime then return ("CONV_CLAMP(%s)"):format(value) end
    return ("%s_%s(%s)"):format(name, layer.activation.kind, value)
  end
  local lowered = lowering[plan.algorithm].names(plan, isa, plan.seen or layer, name)
  for key, value in pairs(lowered) do env[key] = value end
  env.method = commented(lowered.method)
  -- Another template, with names of its own besides those of the one that includes it.
  local function including(scope)
    function scope.include(file, own)
      local inner = own and including(setmetatable(own, { __index = scope })) or scope
      return (template.render(read("templates/" .. file), "templates/" .. file, inner):gsub("\n$", ""))
    end
    return scope
  end
  including(env)
  -- The same for a plan that is part of this one: with its own layer and its own functions, if it has them.
  function env.include_plan(file, part, more)
    local its_layer, its_name = part.layer or layer, name .. (part.suffix or "")
    local own = lowering[part.algorithm].names(part, isa, its_layer, its_name)
    own.plan, own.layer, own.name = part, its_layer, its_name
    for key, value in pairs(more or {}) do own[key] = value end
    return env.include(file, own)
  end
  function env.activation()
    local has_function = layer.activation.kind ~= "none" and not layer.activation.runtime
    return has_function and env.include("activation.c") .. "\n" or ""
  end
  return env
end

-- The long names of a file, spelt through a macro.
local function short_names(text, name)
  return (text:gsub("%f[%w_]" .. name .. "_([%l%d_]+)", "CONV_(%1)"))
end

--- The two files of a kernel. job: { name, layer, plan, isa, command }; of one of the library `header`,
-- the file that declares it.
function emit.kernel(job)
  local env = environment(job)
  local function file(name)
    return template.render(read("templates/" .. name), "templates/" .. name, env)
  end
  if job.layer.runtime then return file("runtime.h"), short_names(file("runtime.c"), job.name) end
  return file("kernel.h"), file("kernel.c")
end

-- enum conv_kind
local function kind_of(layer)
  return layer.pool == "max" and "CONV_MAX_POOLING" or layer.pool == "average" and "CONV_AVERAGE_POOLING"
    or "CONV_CONVOLUTION"
end

-- A layer as a struct conv_layer, lines of C.
local function layer_literal(l)
  return {
    ("%d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d,"):format(l.N, l.IH, l.IW, l.IC, l.OH, l.OW, l.OC,
      l.KH, l.KW, l.stride_h, l.stride_w, l.dilation_h, l.dilation_w, l.groups),
    ("%d, %d, %d, %d, CONV_%s, CONV_%s,"):format(l.pad_top, l.pad_left, l.pad_bottom, l.pad_right,
      l.layout:upper(), l.weights:upper()),
    ("CONV_%s, %s, %s, %d,"):format(l.activation.kind:upper(), number(l.activation.a), number(l.activation.b),
      l.bias and 1 or 0),
    ("%s, %d"):format(kind_of(l), l.include_pad and 1 or 0),
  }
end

-- The instruction sets of some jobs, each once.
local function sets_of(jobs)
  local sets, seen = {}, {}
  for _, job in ipairs(jobs) do
    if not seen[job.isa.name] then
      seen[job.isa.name] = true
      sets[#sets + 1] = job.isa
    end
  end
  return sets
end

--- The header of a contract of the library, which declares its kernels (jobs).
function emit.contract(contract, jobs)
  local first = environment(jobs[1])
  return template.render(read("templates/contract.h"), "templates/contract.h", {
    version = version, jobs = jobs, guard = contract.name:upper(), include = first.include,
    signature = first.signature, layer = first.layer,
  })
end

--- The two files that list the library's kernels (jobs, the best of a contract first) and choose one.
function emit.library(contracts, jobs)
  local names = {}
  for i, contract in ipairs(contracts) do names[i] = contract.name .. "," end
  local env = {
    version = version, jobs = jobs, contracts = contracts, sets = sets_of(jobs), align = ALIGN,
    names = commented { table.concat(names, " ") }, include = plain,
    quote = function(text) return ('"%s"'):format(text) end,
  }
  return template.render(read("templates/library.h"), "templates/library.h", env),
    template.render(read("templates/library.c"), "templates/library.c", env)
end

--- A registry of kernels: an array of them, and what it says of each.
function emit.registry(jobs, registry)
  local env = {
    jobs = jobs, count = #jobs, registry = registry, sets = sets_of(jobs), version = version,
    layer_literal = layer_literal,
  }
  return template.render(read("templates/registry_list.h"), "templates/registry_list.h", env),
    template.render(read("templates/registry.c"), "templates/registry.c", env)
end

--- The text of templates/registry.h, which a registry includes.
function emit.registry_types()
  return read("templates/registry.h")
end

--- A standalone test program for some kernels (templates/test.c).
function emit.test(jobs)
  local env = { jobs = jobs, version = version, include = read, layer_literal = layer_literal }
  return template.render(read("templates/test.c"), "templates/test.c", env)
end

return emit
