-- What the x86 instruction sets share: intrinsics that differ only in their prefix.
-- SPDX-License-Identifier: MIT-0

local text = require "isa.text"

local x86 = {}

x86.guard = "defined(__x86_64__) || defined(_M_X64) || defined(__i386__) || defined(_M_IX86)"

x86.list, x86.in_parts = text.list, text.in_parts

--- acc += a b as one instruction, in either dialect of assembly.
function x86.accumulate_fma(constraint)
  return ('__asm__ volatile("{vfmadd231ps %%2, %%1, %%0|vfmadd231ps %%0, %%1, %%2}" \\\n'
    .. '    : "+%s"(acc) : "%s"(a), "%s"(b))'):format(constraint, constraint, constraint)
end

--- p[l % 2] in a vector of so many bits, by one load.
function x86.splat_two(bits, p)
  return ("_mm%d_castsi%d_ps(_mm%d_broadcastq_epi64(_mm_loadl_epi64((const __m128i *)(const void *)(%s))))")
    :format(bits, bits, bits, p)
end

--- The operations that `prefix` (_mm, _mm256, _mm512) spells alike for all of them.
function x86.operations(prefix, lanes)
  local function call(name)
    return function(...) return ("%s_%s(%s)"):format(prefix, name, table.concat({ ... }, ", ")) end
  end
  local ops = {
    zero = call("setzero_ps"), splat = call("set1_ps"), load = call("loadu_ps"),
    add = call("add_ps"), sub = call("sub_ps"), mul = call("mul_ps"), div = call("div_ps"),
    max = call("max_ps"), min = call("min_ps"), fma = call("fmadd_ps"),
    store = function(p, v) return ("%s_storeu_ps(%s, %s);"):format(prefix, p, v) end,
    scaled_index = true,
  }

  -- max() gives b where a is NaN: there all bits are set, which is a NaN, too.
  function ops.maximum(a, b)
    local unordered = prefix == "_mm" and call("cmpunord_ps")(a, a) or call("cmp_ps")(a, a, "_CMP_UNORD_Q")
    return call("or_ps")(ops.max(a, b), unordered)
  end

  -- A vector from single elements: what is left where no instruction loads the pattern at once.
  function ops.load_at(p, offsets)
    return ("%s_setr_ps(%s)"):format(prefix, x86.list(lanes, function(l)
      return offsets[l] and text.index(p, offsets[l]) or "0.0f"
    end))
  end

  -- Every 128-bit part of a vector is a 4 x 4 matrix with its neighbours: transposed in two steps
  -- of shuffles; then, for more than four vectors, parts move between vectors (`merge`).
  function ops.transpose(names, temp, count, merge)
    local steps, quads = {}, {}
    local function def(name, expression)
      steps[#steps + 1] = { name = name, expression = expression }
      return name
    end
    for q = 0, (#names - 1) // 4 do
      local v = {}
      for i = 1, 4 do v[i] = names[4 * q + i] or ops.zero() end
      local function step(name, op, a, b) return def(temp .. q .. name, call(op)(a, b)) end
      local lo01, lo23 = step("lo01", "unpacklo_ps", v[1], v[2]), step("lo23", "unpacklo_ps", v[3], v[4])
      local hi01, hi23 = step("hi01", "unpackhi_ps", v[1], v[2]), step("hi23", "unpackhi_ps", v[3], v[4])
      local function half(name, a, b, imm) return def(temp .. q .. name, call("shuffle_ps")(a, b, imm)) end
      quads[q] = {
        [0] = half("_0", lo01, lo23, "0x44"), half("_1", lo01, lo23, "0xEE"),
        half("_2", hi01, hi23, "0x44"), half("_3", hi01, hi23, "0xEE"),
      }
    end
    local rows = {}
    if not quads[1] then
      for l = 0, lanes - 1 do rows[l + 1] = { name = quads[0][l % 4], at = l // 4 * 4 } end
    else
      merge(quads, rows, def, temp)
    end
    return text.needed(steps, rows, count, ops.vector), rows
  end
  ops.transpose_parts = ops.transpose -- of four vectors no part moves

  return ops
end

return x86
