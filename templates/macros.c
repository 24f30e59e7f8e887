@ -- SPDX-License-Identifier: MIT-0
@ local fetches = plan.fetch_input or plan.fetch_output or plan.fetch_weights or plan.fetch_pixels or plan.fetch_planes
@ local steps = isa.accumulate ~= "" and not layer.pool and not plan.runtime and (plan.algorithm ~= "depthwise" or (plan.taps_at_a_time or layer.KW) < layer.KW)
@ local rolled = plan.runtime and plan.pixels
@ local pins = plan.runtime and plan.pixels and isa.accumulate ~= "" or steps and pins
#if defined(__GNUC__)
@ if isa.target ~= "" then
#define CONV_TARGET __attribute__((target("$(isa.target)")))
@ end
/* A micro-kernel keeps its registers to itself. */
#define CONV_TILE __attribute__((noinline$(isa.target ~= "" and (', target("%s")'):format(isa.target) or "")))
@ if plan.runtime then
/* Else compilers keep all that is made of it in registers. */
#define CONV_HOLD(variable) __asm__("" : "+r"(variable))
#define CONV_BODY inline __attribute__((always_inline$(isa.target ~= "" and (', target("%s")'):format(isa.target) or "")))
@ end
@ if plan.starts then
/* A sum is a register of its own from the first: compilers would make it of another one wherever paths join. */
#define CONV_START(v) __asm__ volatile("" : "+$(isa.constraint)"(v))
@ end
@ if rolled then
#if defined(__clang__)
#define CONV_ROLLED _Pragma("clang loop vectorize(disable) unroll(disable)") /* it would be much code */
#else
#define CONV_ROLLED
#endif
@ end
@ if isa.accumulate ~= "" and not layer.pool then
/* acc += a * b, spelt as the instruction: else compilers move loads ahead across steps, merge them into
 * multiply-adds, run out of registers and spill sums. */
#define CONV_FMA(acc, a, b) $(isa.accumulate)
@ end
@ local embeds = isa.accumulate_splat and steps and plan.algorithm ~= "depthwise"
@ if embeds then
/* acc += s * b, s in all lanes. */
#define CONV_FMA_SPLAT(acc, s, b) $(isa.accumulate_splat)
@ end
@ if steps then
/* Between steps: what several taps read is loaded again, where compilers would keep it and spill. */
#define CONV_STEP __asm__ volatile("" : : : "memory")
@ end
@ if pins then
/* Loaded once: compilers would load again what only a few multiply-adds use. */
#define CONV_PIN(v) __asm__("" : "+$(isa.constraint)"(v))
@ end
@ if fetches then
#define CONV_FETCH(p) __builtin_prefetch(p)
@ end
@ if plan.fetch_blocks or plan.fetch_bands then
/* To the second-level cache. */
#define CONV_FETCH_BLOCK(p) __builtin_prefetch(p, 0, 2)
@ end
#else
@ if isa.target ~= "" then
#define CONV_TARGET
@ end
#define CONV_TILE
@ if plan.runtime then
#define CONV_HOLD(variable) ((void)0)
#define CONV_BODY inline
@ end
@ if plan.starts then
#define CONV_START(v) ((void)0)
@ end
@ if rolled then
#define CONV_ROLLED
@ end
@ if isa.accumulate ~= "" and not layer.pool then
#define CONV_FMA(acc, a, b) ((acc) = $(isa.fma("a", "b", "acc")))
@ end
@ if embeds then
#define CONV_FMA_SPLAT(acc, s, b) ((acc) = $(isa.fma(isa.splat("s"), "b", "acc")))
@ end
@ if steps then
#define CONV_STEP ((void)0)
@ end
@ if pins then
#define CONV_PIN(v) ((void)0)
@ end
@ if fetches then
#define CONV_FETCH(p) ((void)(p))
@ end
@ if plan.fetch_blocks or plan.fetch_bands then
#define CONV_FETCH_BLOCK(p) ((void)(p))
@ end
#endif
@ if isa.accumulate == "" and not layer.pool then
#define CONV_FMA(acc, a, b) ((acc) = $(isa.fma("(a)", "(b)", "(acc)")))
@ end
