-- AVX-512F (Skylake-X, Zen 4 and later).
-- SPDX-License-Identifier: MIT-0

local text = require "isa.text"
local x86 = require "isa.x86"

local avx512 = x86.operations("_mm512", 16)

avx512.name, avx512.title = "avx512", "AVX-512F"
avx512.lanes, avx512.registers, avx512.fused = 16, 32, true
avx512.vector, avx512.headers = "__m512", { "immintrin.h" }
avx512.guard, avx512.target = x86.guard, "avx512f"
avx512.cpu_check, avx512.cpu_flags = '__builtin_cpu_supports("avx512f")', { "avx512f" }
avx512.constraint = "v"
avx512.accumulate = x86.accumulate_fma(avx512.constraint)
avx512.accumulate_splat = '__asm__ volatile("{vfmadd231ps %2%{1to16%}, %1, %0|vfmadd231ps %0, %1, %2%{1to16%}}" \\\n'
  .. '    : "+v"(acc) : "v"(b), "m"(s))'

local function mask(at, n)
  return ("(__mmask16)0x%04X"):format(((1 << n) - 1) << at)
end

local function integers(index)
  return ("_mm512_setr_epi32(%s)"):format(x86.list(16, function(l) return index[l] or 0 end))
end

-- A masked load in front of p would take hundreds of cycles where the page before is not there.
function avx512.load_range(p, at, n)
  if n == 16 then return avx512.load(p) end
  return ("_mm512_maskz_%s_ps(%s, %s)"):format(at == 0 and "loadu" or "expandloadu", mask(at, n), p)
end

-- The lanes from first to last - 1.
local function lanes_between(first, last)
  return ("(__mmask16)((0xFFFFu << (%s)) & ~(0xFFFFu << (%s)))"):format(first, last)
end

function avx512.load_between(p, first, last)
  return ("_mm512_maskz_loadu_ps(%s, %s)"):format(lanes_between(first, last), p)
end

function avx512.store_between(p, v, first, last)
  return ("_mm512_mask_storeu_ps(%s, %s, %s);"):format(p, lanes_between(first, last), v)
end

function avx512.store_first(p, v, last)
  return avx512.store_between(p, v, "0", last)
end

local EVEN = { 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31 }

-- Of the elements p[0 .. 30] those from 2 first to 2 last - 2, in two loads as below.
function avx512.load_even_between(p, first, last)
  local wanted = ("(~0ull << 2 * (%s)) & (((1ull << 2 * (%s)) - 1) >> 1)"):format(first, last)
  return ("_mm512_permutex2var_ps(_mm512_maskz_loadu_ps((__mmask16)(%s), %s), %s,"
    .. " _mm512_maskz_loadu_ps((__mmask16)((%s) >> 15), %s + 15))")
    :format(wanted, p, integers(EVEN), wanted, p)
end

-- Sixteen lanes take the even elements of two loads, of which the second starts at the sixteenth
-- element, so that nothing beyond the 31st is read; fewer lanes read theirs alone.
function avx512.load_even(p, at, n)
  local low, high = 0, 0
  for l = at, at + n - 1 do
    if l < 8 then low = low | 1 << (2 * l) else high = high | 1 << (2 * l - 15) end
  end
  local function part(lanes, shift)
    if n == 16 then return avx512.load(shift == 0 and p or ("%s + %d"):format(p, shift)) end
    if lanes == 0 then return avx512.zero() end
    return ("_mm512_maskz_loadu_ps((__mmask16)0x%04X, %s %s %d)"):format(lanes, p,
      shift < 2 * at and "-" or "+", math.abs(shift - 2 * at))
  end
  return ("_mm512_permutex2var_ps(%s, %s, %s)"):format(part(low, 0),
    integers(EVEN), part(high, 15))
end

function avx512.load_at(p, offsets)
  local lanes = 0
  for l = 1, 16 do
    if offsets[l] then lanes = lanes | 1 << (l - 1) end
  end
  return ("_mm512_mask_i32gather_ps(_mm512_setzero_ps(), (__mmask16)0x%04X, %s, %s, 4)")
    :format(lanes, integers(offsets), p)
end

function avx512.load_parts(p, offsets)
  local function part(k) return ("_mm_loadu_ps(%s)"):format(text.at(p, offsets[k])) end
  local v = ("_mm512_castps128_ps512(%s)"):format(part(1))
  for k = 2, 4 do v = ("_mm512_insertf32x4(%s, %s, %d)"):format(v, part(k), k - 1) end
  return v
end

function avx512.splat_some(p, n)
  if n == 2 then return x86.splat_two(512, p) end
  if n == 4 then return ("_mm512_broadcast_f32x4(_mm_loadu_ps(%s))"):format(p) end
  return n == 8 and ("_mm512_castpd_ps(_mm512_broadcast_f64x4(_mm256_castps_pd(_mm256_loadu_ps(%s))))"):format(p)
end

function avx512.maximum(a, b) -- a itself where it is NaN
  return ("_mm512_mask_max_ps(%s, _mm512_cmp_ps_mask(%s, %s, _CMP_ORD_Q), %s, %s)"):format(a, a, a, a, b)
end

function avx512.permute(p, n, index)
  local operand = x86.in_parts(index, 16)
  if operand then return ("_mm512_permute_ps(%s, %s)"):format(avx512.load_range(p, 0, n), operand) end
  return ("_mm512_permutexvar_ps(%s, %s)"):format(integers(index), avx512.load_range(p, 0, n))
end

function avx512.store_range(p, v, at, n)
  if n == 16 then return avx512.store(p, v) end
  return ("_mm512_mask_storeu_ps(%s, %s, %s);"):format(
    at == 0 and p or ("%s - %d"):format(p, at), mask(at, n), v)
end

function avx512.exp2i(v, n)
  return ("_mm512_scalef_ps(%s, %s)"):format(v, n)
end

local transpose = avx512.transpose

function avx512.transpose(names, prefix, count)
  return transpose(names, prefix, count, function(quads, rows, def, temp)
    local function parts(name, a, b, imm)
      return def(temp .. name, ("_mm512_shuffle_f32x4(%s, %s, 0x%02X)"):format(a, b, imm))
    end
    for j = 0, 3 do
      local a, b = quads[0][j], quads[1][j]
      if not quads[2] then
        -- Two rows of eight in each vector: parts 0 and 1 of a and b interleaved, then 2 and 3.
        for half = 0, 1 do
          local pair = def(temp .. "r" .. j .. half, ("_mm512_permutex2var_ps(%s, %s, %s)"):format(a,
            integers(half == 0 and { 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23 }
              or { 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31 }), b))
          rows[8 * half + j + 1] = { name = pair, at = 0 }
          rows[8 * half + 4 + j + 1] = { name = pair, at = 8 }
        end
      else
        local c, d = quads[2][j], quads[3] and quads[3][j] or quads[2][j]
        local ab02, ab13 = parts("ab02" .. j, a, b, 0x88), parts("ab13" .. j, a, b, 0xDD)
        local cd02, cd13 = parts("cd02" .. j, c, d, 0x88), parts("cd13" .. j, c, d, 0xDD)
        rows[j + 1] = { at = 0, name = parts("r" .. j, ab02, cd02, 0x88) }
        rows[8 + j + 1] = { at = 0, name = parts("r" .. 8 + j, ab02, cd02, 0xDD) }
        rows[4 + j + 1] = { at = 0, name = parts("r" .. 4 + j, ab13, cd13, 0x88) }
        rows[12 + j + 1] = { at = 0, name = parts("r" .. 12 + j, ab13, cd13, 0xDD) }
      end
    end
  end)
end

return avx512
