$(banner)
/* $(signature)
 *
$(contract)
 *
$(method)
 */
#include <stddef.h>
@ if uses_math then
#include <math.h>
@ end

void $(name)_pack(const float *weights, const float *bias, void *packed);
void $(name)_run(const float *input, const void *packed, float *output, void *workspace,
    int task_begin, int task_end);

$(include("pack.c"))
@ if isa.guard ~= "" then

#if $(isa.guard)
@ end
@ for _, header in ipairs(isa.headers) do
#include <$(header)>
@ end

#if defined(__GNUC__)
@ if isa.target ~= "" then
#define CONV_TARGET __attribute__((target("$(isa.target)")))
@ end
/* A micro-kernel keeps its registers to itself. */
#define CONV_TILE __attribute__((noinline$(isa.target ~= "" and (', target("%s")'):format(isa.target) or "")))
@ if isa.accumulate ~= "" then
/* acc += a * b, spelt as the instruction: left to themselves, compilers move loads ahead across steps
 * and merge them into multiply-adds, and then run out of registers and spill the sums. */
#define CONV_FMA(acc, a, b) $(isa.accumulate)
@ end
#else
@ if isa.target ~= "" then
#define CONV_TARGET
@ end
#define CONV_TILE
@ if isa.accumulate ~= "" then
#define CONV_FMA(acc, a, b) ((acc) = $(isa.fma("a", "b", "acc")))
@ end
#endif
@ if isa.accumulate == "" then
#define CONV_FMA(acc, a, b) ((acc) = $(isa.fma("(a)", "(b)", "(acc)")))
@ end

$(activation())
$(include(plan.algorithm .. ".c"))
$(target)void $(name)_run(const float *input, const void *packed, float *output, void *workspace,
    int task_begin, int task_end)
{
    (void)workspace;
$(include(plan.algorithm .. "_run.c"))
}

@ if isa.target ~= "" then
#undef CONV_TARGET
@ end
#undef CONV_TILE
#undef CONV_FMA
@ if isa.guard ~= "" then
#endif
@ end
