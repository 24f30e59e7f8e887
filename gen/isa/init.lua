-- The instruction sets. Each is one table in a file of its own: its facts, and its operations as
-- functions that take and return C expressions. No template and no plan names an instruction set.
-- SPDX-License-Identifier: MIT-0
--
-- Facts
--   name, title     as the command line and as people write it
--   lanes           floats in a vector
--   registers       vector registers that a kernel may use
--   fused           whether fma rounds once (the planner leaves a register for the product if not)
--   vector          C type of a vector
--   headers         list of system headers
--   guard           preprocessor condition under which the code compiles, "" for always
--   target          GCC/clang target attribute, "" for none
--   cpu_check       C expression: can this processor run it?
--   cpu_flags       the same as /proc/cpuinfo names it, for 'auto'
--   accumulate      body of a GNU C macro (acc, a, b) for acc += a b that the compiler can neither reorder
--                   nor merge with loads, "" for none: see CONV_FMA in templates/macros.c
--   accumulate_splat the same (acc, s, b) for acc += s b, s being a float in memory, as one instruction; or nil
--   scaled_index    whether a load can add to an address a register times 1, 2, 4 or 8
--   constraint      of a vector in a register, in GNU assembly

local text = require "isa.text"

local isa = {}

-- Of one architecture the better ones last.
isa.names = { "scalar", "sse2", "avx2", "avx512", "neon" }

--- The operations: how they are called, and in C what lane l of the result is, or what it does.
-- There a, b, c, e and v are lane l of a vector, p is a pointer and s a float; at and n (at least 1)
-- are numbers. Where two meanings are given, a table may choose. tests/operations/ checks every
-- table against this.
isa.operations = {
  { "zero()", "0.0f" },
  { "splat(s)", "s" },

  -- What is read lies between the first and the last element that the meaning names; for permute
  -- in p[0 .. n - 1]. offsets[l] is false where a lane reads nothing.
  { "load(p)", "p[l]" },
  { "load_range(p, at, n)", "at <= l && l < at + n ? p[l - at] : 0.0f" },
  { "load_even(p, at, n)", "at <= l && l < at + n ? p[2 * (l - at)] : 0.0f" },
  { "load_at(p, offsets)", "offsets[l] != none ? p[offsets[l]] : 0.0f" },
  { "load_parts(p, offsets)", "p[offsets[l / 4] + l % 4]" }, -- optional: each four lanes from a place of their own
  { "permute(p, n, index)", "p[index[l]]" },
  { "splat_some(p, n)", "p[l % n]" }, -- optional: of a power of two below `lanes`, or false where it is no load alone
  -- first and last are C expressions, from 0 to `lanes`, last perhaps the smaller one. Optional: where
  -- a table has none, templates/lanes.c goes from lane to lane.
  { "load_between(p, first, last)", "first <= l && l < last ? p[l] : 0.0f" },
  { "load_even_between(p, first, last)", "first <= l && l < last ? p[2 * l] : 0.0f" },

  -- Nothing else is written.
  { "store(p, v)", "p[l] = v" },
  { "store_range(p, v, at, n)", "if (at <= l && l < at + n) p[l - at] = v" },
  { "store_first(p, v, last)", "if (l < last) p[l] = v" }, -- optional, as load_between
  { "store_between(p, v, first, last)", "if (first <= l && l < last) p[l] = v" }, -- optional, where it costs no more

  { "fma(a, b, c)", "fused ? fmaf(a, b, c) : a * b + c" },
  { "add(a, b)", "a + b" },
  { "sub(a, b)", "a - b" },
  { "mul(a, b)", "a * b" },
  { "div(a, b)", "a / b" },
  -- NaN where b is NaN; where only a is, b or NaN; of two zeros either.
  { "max(a, b)", "a > b ? a : b", "a >= b || a != a ? a : b" },
  { "min(a, b)", "a < b ? a : b", "a <= b || a != a ? a : b" },
  -- NaN where either is; of two zeros either. Give names, not expressions: a stands in it twice.
  { "maximum(a, b)", "a > b || a != a ? a : b", "a >= b || a != a ? a : b" },
  -- For integral e in [-126, 127].
  { "exp2i(v, e)", "ldexpf(v, (int)e)" },

  -- Of up to `lanes` vectors v[0], v[1] ...: lines of C, whose variables begin with `prefix`, and
  -- for each of the first `count` lanes { name =, at = }: the transposed vector is in lanes `at` and
  -- up of `name`. Its lane l is v[l]'s lane of that number.
  { "transpose(v, prefix, count)", "v[l][lane]" },
  -- The same of four vectors, each four lanes of them for themselves. Optional.
  { "transpose_parts(v, prefix, count)", "v[l % 4][l / 4 * 4 + lane]" },
}

local fields = {
  name = "string", title = "string", lanes = "number", registers = "number", fused = "boolean",
  vector = "string", headers = "table", guard = "string", target = "string",
  cpu_check = "string", cpu_flags = "table", accumulate = "string", constraint = "string",
  accumulate_splat = "string", scaled_index = "boolean",
}
for _, operation in ipairs(isa.operations) do fields[operation[1]:match("^[%w_]+")] = "function" end
local optional = { load_between = true, load_even_between = true, store_first = true,
  store_between = true, load_parts = true, splat_some = true, transpose_parts = true, accumulate_splat = true,
  scaled_index = true }

local function checked(name)
  local set = require("isa." .. name)
  for field, kind in pairs(fields) do
    local kind_here = type(set[field])
    assert(kind_here == kind or kind_here == "nil" and optional[field],
      ("isa/%s.lua: field '%s' must be a %s"):format(name, field, kind))
  end
  for field in pairs(set) do
    assert(fields[field], ("isa/%s.lua: unknown field '%s'"):format(name, field))
  end
  return set
end

--- Multiples of a distance s1 that loads add by themselves where `scaled_index`, given odd ones, s3 ..., in registers.
isa.multiples = { [0] = "0", "s1", "2 * s1", "s3", "4 * s1", "s5", "2 * s3", "s7", "8 * s1", "s9", "2 * s5" }

--- The table of an instruction set, or nil where there is none of that name.
function isa.get(name)
  for _, known in ipairs(isa.names) do
    if known == name then return checked(name) end
  end
end

--- The names of the instruction sets that this machine runs, the best one last. Linux tells in
-- /proc/cpuinfo; elsewhere it is 'scalar' alone, which runs everywhere.
function isa.runnable(cpuinfo)
  if not cpuinfo then
    local file = io.open("/proc/cpuinfo")
    cpuinfo = file and file:read("a") or ""
    if file then file:close() end
  end
  -- as x86 and as AArch64 have it
  local words = cpuinfo:match("flags%s*:([^\n]*)") or cpuinfo:match("Features%s*:([^\n]*)") or ""
  local names = {}
  for _, name in ipairs(isa.names) do
    local runs = true
    for _, flag in ipairs(checked(name).cpu_flags) do
      runs = runs and (" " .. words .. " "):find(" " .. flag .. " ", 1, true) ~= nil
    end
    if runs then names[#names + 1] = name end
  end
  return names
end

--- The name of the best instruction set of this machine.
function isa.detect(cpuinfo)
  local names = isa.runnable(cpuinfo)
  return names[#names]
end

--- p[offsets[l]] for each lane, 0 where the offset is false: the cheapest load that reads only those.
function isa.load_lanes(set, base, offsets)
  local first, last, step, uniform = nil, nil, nil, true
  for lane = 1, set.lanes do
    local offset = offsets[lane]
    if offset then
      if last then
        uniform = uniform and lane == last + 1
        local here = offset - offsets[last]
        step = step or here
        uniform = uniform and here == step
      end
      first, last = first or lane, lane
    end
  end
  local n = last - first + 1
  local p = isa.at(base, offsets[first])
  if not uniform then step = nil end
  if n == set.lanes and step == 0 then return set.splat(isa.index(base, offsets[first])) end
  if n == 1 or step == 1 then
    if n == set.lanes then return set.load(p) end
    return set.load_range(p, first - 1, n)
  end
  if step == 2 then return set.load_even(p, first - 1, n) end
  local index, span = {}, 0
  for lane = 1, set.lanes do
    if not offsets[lane] or offsets[lane] < offsets[first] then index = nil break end
    index[lane] = offsets[lane] - offsets[first]
    span = math.max(span, index[lane] + 1)
  end
  if index and span <= set.lanes then return set.permute(p, span, index) end
  return set.load_at(base, offsets)
end

local function transposed(set, operation, count, load, lanes, store)
  local lines, vectors = {}, {}
  for l = 0, count - 1 do
    lines[l + 1], vectors[l + 1] = ("const %s c%d = %s;"):format(set.vector, l, load(l)), "c" .. l
  end
  local steps, rows = operation(vectors, "t", lanes)
  table.move(steps, 1, #steps, #lines + 1, lines)
  for l = 0, lanes - 1 do lines[#lines + 1] = store(l, rows[l + 1]) end
  return lines
end

--- Lines of C that transpose `count` vectors, load(l) each: `store(l, row)` for each of the first `lanes`
-- lanes, a row { name =, at = } as transpose() gives it.
function isa.transposed(set, ...) return transposed(set, set.transpose, ...) end

--- The same of four neighbours each, lane l's at `base` + place(l), loaded four lanes at a time.
function isa.transposed_four(set, base, place, store)
  local function load(r)
    local offsets = {}
    for part = 1, set.lanes // 4 do offsets[part] = place(r + 4 * (part - 1)) end
    return set.load_parts(base, offsets)
  end
  return transposed(set, set.transpose_parts, 4, load, 4, store)
end

isa.at, isa.index = text.at, text.index

return isa
