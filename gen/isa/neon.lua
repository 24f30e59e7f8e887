-- AArch64 Advanced SIMD with its fused multiply-add: what every AArch64 processor has.
-- SPDX-License-Identifier: MIT-0

local text = require "isa.text"

local function call(name)
  return function(...) return ("%s(%s)"):format(name, table.concat({ ... }, ", ")) end
end

local neon = {
  name = "neon", title = "AArch64 NEON",
  lanes = 4, registers = 32, fused = true,
  vector = "float32x4_t", headers = { "arm_neon.h" },
  guard = "defined(__aarch64__) || defined(_M_ARM64)", target = "",
  cpu_check = "1", cpu_flags = { "asimd" },
  constraint = "w",
  accumulate = '__asm__ volatile("fmla %0.4s, %1.4s, %2.4s" : "+w"(acc) : "w"(a), "w"(b))',

  splat = call("vdupq_n_f32"), load = call("vld1q_f32"),
  add = call("vaddq_f32"), sub = call("vsubq_f32"), mul = call("vmulq_f32"), div = call("vdivq_f32"),
  max = call("vmaxq_f32"), maximum = call("vmaxq_f32"), min = call("vminq_f32"),
}

function neon.zero() return neon.splat("0.0f") end

function neon.fma(a, b, c) return ("vfmaq_f32(%s, %s, %s)"):format(c, a, b) end

-- Two lanes, from p[a] and p[b]; 0 where there is none.
local function pair(p, a, b)
  local function lane(from, into, l)
    return ("vld1_lane_f32(%s, %s, %d)"):format(text.at(p, from), into, l)
  end
  if a and b == a + 1 then return ("vld1_f32(%s)"):format(text.at(p, a)) end
  local both = a and b and ("vld1_dup_f32(%s)"):format(text.at(p, a))
  if both then return a == b and both or lane(b, both, 1) end
  local none = "vdup_n_f32(0.0f)"
  return a and lane(a, none, 0) or b and lane(b, none, 1) or none
end

-- No masks: two lanes are one load if they are neighbours in memory.
function neon.load_at(p, offsets)
  return ("vcombine_f32(%s, %s)"):format(pair(p, offsets[1], offsets[2]), pair(p, offsets[3], offsets[4]))
end

-- p[step (l - at)] for the lanes l in [at, at + n)
local function load_run(p, at, n, step)
  local offsets = {}
  for l = 0, 3 do offsets[l + 1] = l >= at and l < at + n and step * (l - at) end
  return neon.load_at(p, offsets)
end

function neon.load_range(p, at, n)
  return n == 4 and neon.load(p) or load_run(p, at, n, 1)
end

-- The second load starts at the fourth element, so that nothing beyond the seventh is read.
function neon.load_even(p, at, n)
  if n < 4 then return load_run(p, at, n, 2) end
  return ("vuzp1q_f32(%s, vrev64q_f32(%s))"):format(neon.load(p), neon.load(text.at(p, 3)))
end

function neon.load_parts(p, offsets) return neon.load(text.at(p, offsets[1])) end

function neon.permute(p, n, index)
  for half = 1, n == 4 and 2 or 0 do -- every other lane, twice
    if index[1] == half - 1 and index[2] == index[1] and index[3] == half + 1 and index[4] == index[3] then
      local v = neon.load(p)
      return ("vtrn%dq_f32(%s, %s)"):format(half, v, v)
    end
  end
  return neon.load_at(p, index)
end

function neon.store(p, v) return ("vst1q_f32(%s, %s);"):format(p, v) end

function neon.store_range(p, v, at, n)
  if n == 4 then return neon.store(p, v) end
  local lines, i = {}, 0
  while i < n do
    local l, to = at + i, text.at(p, i)
    if l % 2 == 0 and i + 1 < n then
      lines[#lines + 1] = ("vst1_f32(%s, vget_%s_f32(%s));"):format(to, l == 0 and "low" or "high", v)
      i = i + 2
    else
      lines[#lines + 1] = ("vst1q_lane_f32(%s, %s, %d);"):format(to, v, l)
      i = i + 1
    end
  end
  return table.concat(lines, " ")
end

function neon.exp2i(v, e)
  return ("vmulq_f32(%s, vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32("
    .. "vcvtq_s32_f32(%s), vdupq_n_s32(127)), 23)))"):format(v, e)
end

-- One vector is its own transpose, lane by lane. Zipping two of them makes rows of two, and zipping
-- the zipped ones rows of four.
function neon.transpose(names, temp, count)
  local steps, rows = {}, {}
  local function zip(name, a, b)
    local both = {}
    for half = 1, 2 do
      both[half] = temp .. name .. half
      steps[#steps + 1] = { name = both[half], expression = ("vzip%dq_f32(%s, %s)"):format(half, a, b) }
    end
    return both
  end
  if #names == 1 then
    for l = 1, 4 do rows[l] = { name = names[1], at = l - 1 } end
  elseif #names == 2 then
    local ab = zip("ab", names[1], names[2])
    for l = 1, 4 do rows[l] = { name = ab[(l + 1) // 2], at = (l - 1) % 2 * 2 } end
  else
    local ac, bd = zip("ac", names[1], names[3]), zip("bd", names[2], names[4] or neon.zero())
    local low, high = zip("r", ac[1], bd[1]), zip("s", ac[2], bd[2])
    for l, name in ipairs { low[1], low[2], high[1], high[2] } do rows[l] = { name = name, at = 0 } end
  end
  return text.needed(steps, rows, count, neon.vector), rows
end

neon.transpose_parts = neon.transpose -- a vector is one part

return neon
