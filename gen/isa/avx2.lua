-- AVX2 with FMA3 (Haswell, Zen and later).
-- SPDX-License-Identifier: MIT-0

local text = require "isa.text"
local x86 = require "isa.x86"

local avx2 = x86.operations("_mm256", 8)

avx2.name, avx2.title = "avx2", "AVX2 + FMA"
avx2.lanes, avx2.registers, avx2.fused = 8, 16, true
avx2.vector, avx2.headers = "__m256", { "immintrin.h" }
avx2.guard, avx2.target = x86.guard, "avx2,fma"
avx2.cpu_check = '__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")'
avx2.cpu_flags = { "avx2", "fma" }
avx2.constraint = "x"
avx2.accumulate = x86.accumulate_fma(avx2.constraint)

local function mask(at, n)
  return ("_mm256_setr_epi32(%s)"):format(x86.list(8, function(l)
    return l > at and l <= at + n and -1 or 0
  end))
end

local function integers(index)
  return ("_mm256_setr_epi32(%s)"):format(x86.list(8, function(l) return index[l] end))
end

-- A masked load in front of p would take hundreds of cycles where the page before is not there.
function avx2.load_range(p, at, n)
  if n == 8 then return avx2.load(p) end
  if at == 0 then return ("_mm256_maskload_ps(%s, %s)"):format(p, mask(0, n)) end
  local from, none = {}, n -- the lanes, and one that is zero
  for l = 1, 8 do from[l] = l > at and l <= at + n and l - 1 - at or none end
  return ("_mm256_permutevar8x32_ps(_mm256_maskload_ps(%s, %s), %s)"):format(p, mask(0, n), integers(from))
end

-- A mask of the lanes whose numbers, counted from `from` on, are in [first, last).
local function lanes_between(first, last, from)
  local numbers = ("_mm256_setr_epi32(%s)"):format(x86.list(8, function(l) return from + l - 1 end))
  return ("_mm256_and_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32(%s), %s),"
    .. " _mm256_cmpgt_epi32(%s, _mm256_set1_epi32((%s) - 1)))"):format(last, numbers, numbers, first)
end

function avx2.load_between(p, first, last)
  return ("_mm256_maskload_ps(%s, %s)"):format(p, lanes_between(first, last, 0))
end

-- In parts, as store_range().
function avx2.store_first(p, v, last)
  local code = [[{ const __m256 v_ = $v; float *p_ = $p; const int n_ = $n; if (n_ > 7) { _mm256_storeu_ps(p_, v_); } ]]
    .. [[else if (n_ > 0) { __m128 h_ = _mm256_castps256_ps128(v_); ]]
    .. [[if (n_ & 4) { _mm_storeu_ps(p_, h_); p_ += 4; h_ = _mm256_extractf128_ps(v_, 1); } ]]
    .. [[if (n_ & 2) { _mm_storel_pi((__m64 *)p_, h_); p_ += 2; h_ = _mm_movehl_ps(h_, h_); } ]]
    .. [[if (n_ & 1) _mm_store_ss(p_, h_); } }]]
  return (code:gsub("%$(%l)", { p = p, v = v, n = last }))
end

local function evens(low, high)
  return ("_mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(_mm256_shuffle_ps("
    .. "%s, %s, 0xD8)), 0xD8))"):format(low, high)
end

-- Of the elements p[0 .. 14] those from 2 first to 2 last - 2, in two loads as below.
function avx2.load_even_between(p, first, last)
  local function part(shift)
    return ("_mm256_maskload_ps(%s + %d, %s)"):format(p, shift,
      lanes_between(("2 * (%s)"):format(first), ("2 * (%s) - 1"):format(last), shift))
  end
  return evens(part(0), part(7))
end

-- Eight lanes take the even elements of two loads, of which the second starts at the eighth element,
-- so that nothing beyond the fifteenth is read; fewer lanes read theirs alone.
function avx2.load_even(p, at, n)
  local low, high
  if n == 8 then
    low, high = avx2.load(p), avx2.load(p .. " + 7")
  else
    local wanted_low, wanted_high = {}, {}
    for l = at, at + n - 1 do
      if l < 4 then wanted_low[2 * l] = true else wanted_high[2 * l - 7] = true end
    end
    local function part(wanted, shift)
      if not next(wanted) then return avx2.zero() end
      return ("_mm256_maskload_ps(%s %s %d, _mm256_setr_epi32(%s))"):format(p,
        shift < 2 * at and "-" or "+", math.abs(shift - 2 * at),
        x86.list(8, function(i) return wanted[i - 1] and -1 or 0 end))
    end
    low, high = part(wanted_low, 0), part(wanted_high, 7)
  end
  return evens(low, high)
end

function avx2.load_parts(p, offsets)
  local function part(k) return ("_mm_loadu_ps(%s)"):format(text.at(p, offsets[k])) end
  return ("_mm256_insertf128_ps(_mm256_castps128_ps256(%s), %s, 1)"):format(part(1), part(2))
end

function avx2.splat_some(p, n)
  if n == 2 then return x86.splat_two(256, p) end
  return n == 4 and ("_mm256_broadcast_ps((const __m128 *)(const void *)(%s))"):format(p)
end

function avx2.permute(p, n, index)
  local operand = x86.in_parts(index, 8)
  if operand then return ("_mm256_permute_ps(%s, %s)"):format(avx2.load_range(p, 0, n), operand) end
  return ("_mm256_permutevar8x32_ps(%s, %s)"):format(avx2.load_range(p, 0, n), integers(index))
end

-- In parts, for a masked store takes some twenty cycles on AMD's processors.
function avx2.store_range(p, v, at, n)
  if n == 8 then return avx2.store(p, v) end
  local lines, l = {}, at
  while l < at + n do
    local half = (l < 4 and "_mm256_castps256_ps128(%s)" or "_mm256_extractf128_ps(%s, 1)"):format(v)
    local to, lane, left = text.at(p, l - at), l % 4, at + n - l
    local count = lane == 0 and left >= 4 and 4 or lane % 2 == 0 and left >= 2 and 2 or 1
    if count == 4 then
      lines[#lines + 1] = ("_mm_storeu_ps(%s, %s);"):format(to, half)
    elseif count == 2 then
      lines[#lines + 1] = ("_mm_store%s_pi((__m64 *)(%s), %s);"):format(lane == 0 and "l" or "h", to, half)
    else
      lines[#lines + 1] = ("_mm_store_ss(%s, %s);"):format(to,
        lane == 0 and half or ("_mm_permute_ps(%s, %d)"):format(half, lane))
    end
    l = l + count
  end
  return table.concat(lines, " ")
end

function avx2.exp2i(v, n)
  return ("_mm256_mul_ps(%s, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32("
    .. "_mm256_cvtps_epi32(%s), _mm256_set1_epi32(127)), 23)))"):format(v, n)
end

local transpose = avx2.transpose

function avx2.transpose(names, prefix, count)
  return transpose(names, prefix, count, function(quads, rows, def, temp)
    for l = 0, 7 do
      rows[l + 1] = { at = 0, name = def(temp .. "r" .. l, ("_mm256_permute2f128_ps(%s, %s, %s)")
        :format(quads[0][l % 4], quads[1][l % 4], l < 4 and "0x20" or "0x31")) }
    end
  end)
end

return avx2
