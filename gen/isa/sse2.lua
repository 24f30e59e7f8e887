-- SSE2: the baseline of x86-64. No fused multiply-add and no masked load or store.
-- SPDX-License-Identifier: MIT-0

local text = require "isa.text"
local x86 = require "isa.x86"

local sse2 = x86.operations("_mm", 4)

sse2.name, sse2.title = "sse2", "SSE2"
sse2.lanes, sse2.registers, sse2.fused = 4, 16, false
sse2.vector, sse2.headers = "__m128", { "emmintrin.h" }
sse2.guard, sse2.target = x86.guard, "sse2"
sse2.cpu_check, sse2.cpu_flags = '__builtin_cpu_supports("sse2")', { "sse2" }
sse2.constraint = "x"
sse2.accumulate = [[do { __m128 t_; __asm__ volatile("movaps %2, %1\n\tmulps %3, %1\n\taddps %1, %0" \
    : "+x"(acc), "=&x"(t_) : "x"(a), "x"(b)); } while (0)]]

function sse2.fma(a, b, c)
  return ("_mm_add_ps(_mm_mul_ps(%s, %s), %s)"):format(a, b, c)
end

function sse2.load_range(p, at, n)
  if n == 4 then return sse2.load(p) end
  if at == 0 and n == 1 then return ("_mm_load_ss(%s)"):format(p) end
  return ("_mm_setr_ps(%s)"):format(x86.list(4, function(l)
    local i = l - 1 - at
    return i >= 0 and i < n and ("(%s)[%d]"):format(p, i) or "0.0f"
  end))
end

-- The second load starts at the fourth element, so that nothing beyond the seventh is read.
function sse2.load_even(p, at, n)
  if n < 4 then
    local offsets = {}
    for l = 1, 4 do offsets[l] = l > at and l <= at + n and 2 * (l - 1 - at) end
    return sse2.load_at(p, offsets)
  end
  return ("_mm_shuffle_ps(_mm_loadu_ps(%s), _mm_loadu_ps(%s + 3), 0xD8)"):format(p, p)
end

function sse2.load_parts(p, offsets) return sse2.load(text.at(p, offsets[1])) end

function sse2.permute(p, n, index)
  if n == 4 then
    return ("_mm_castsi128_ps(_mm_shuffle_epi32(_mm_castps_si128(%s), %s))"):format(sse2.load(p),
      x86.in_parts(index, 4))
  end
  return sse2.load_at(p, index)
end

function sse2.store_range(p, v, at, n)
  if n == 4 then return sse2.store(p, v) end
  local lines = {}
  for i = 0, n - 1 do
    local l = at + i
    local lane = l == 0 and v or ("_mm_shuffle_ps(%s, %s, %d)"):format(v, v, l)
    lines[#lines + 1] = ("_mm_store_ss(%s + %d, %s);"):format(p, i, lane)
  end
  return table.concat(lines, " ")
end

function sse2.exp2i(v, n)
  return ("_mm_mul_ps(%s, _mm_castsi128_ps(_mm_slli_epi32(_mm_add_epi32("
    .. "_mm_cvtps_epi32(%s), _mm_set1_epi32(127)), 23)))"):format(v, n)
end

return sse2
