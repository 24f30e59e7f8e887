@ -- SPDX-License-Identifier: MIT-0
@ local seen = plan.seen or layer -- by the algorithm
$(banner)
/* $(signature)
 *
$(contract)
 *
$(method)
 */
#include <stddef.h>
@ if copies then
#include <string.h>
@ end
@ if uses_math then
#include <math.h>
@ end

@ if not layer.pool then
void $(name)_pack(const float *weights, const float *bias, void *packed);
@ end
void $(name)_run(const float *input, const void *packed, float *output, void *workspace,
    int task_begin, int task_end);
@ if not layer.pool then

$(include(plan.pack or "pack.c", { layer = seen }))
@ end
@ if isa.guard ~= "" then

#if $(isa.guard)
@ end
@ for _, header in ipairs(isa.headers) do
#include <$(header)>
@ end

$(include("macros.c"))

$(activation())
$(include(plan.algorithm .. ".c", { layer = seen }))
$(target)void $(name)_run(const float *input, const void *packed, float *output, void *workspace,
    int task_begin, int task_end)
{
@ if layer.pool then
    (void)packed; /* there are no weights */
@ end
@ if plan.workspace_floats == 0 then
    (void)workspace;
@ end
$(include((plan.run or plan.algorithm) .. "_run.c", { layer = seen }))
}

@ if isa.target ~= "" then
#undef CONV_TARGET
@ end
#undef CONV_TILE
@ if not layer.pool then
#undef CONV_FMA
#undef CONV_FMA_SPLAT
#undef CONV_STEP
#undef CONV_PIN
#undef CONV_FETCH
#undef CONV_FETCH_BLOCK
@ end
@ if isa.guard ~= "" then
#endif
@ end
