/* $(count) generated kernels, as tests and benchmarks see them. Written by convgen $(version), do not edit.
 * SPDX-License-Identifier: MIT-0 */
#include "$(registry).h"
@ for _, job in ipairs(jobs) do
#include "$(job.name).h"
@ end

@ for _, isa in ipairs(sets) do
@ if isa.guard ~= "" then
#if $(isa.guard)
#define $(registry)_$(isa.name)(function) function
#else /* of another architecture: there is none */
#define $(registry)_$(isa.name)(function) 0
#endif
@ else
#define $(registry)_$(isa.name)(function) function
@ end
static int $(registry)_runs_$(isa.name)(void)
{
@ if isa.guard ~= "" then
#if ($(isa.guard)) && defined(__GNUC__)
    return $(isa.cpu_check);
#else
    return 0;
#endif
@ else
    return $(isa.cpu_check);
@ end
}

@ end
const struct conv_kernel $(registry)[] = {
@ for _, job in ipairs(jobs) do
@ local l, p, n = job.layer, job.plan, job.name
    { "$(n)", "$(job.layer_name)", $(n)_ALGORITHM, "$(job.isa.name)", "$(p.tile_name)", $(registry)_runs_$(job.isa.name),
      {
        $(layer_literal(l))
      }, {
        $(l.after and layer_literal(l.after) or "0 /* nothing behind it */")
      },
      $(n)_EXACT, $(p.points or 0), $(n)_TASKS, $(n)_INPUT_COUNT, $(n)_WEIGHT_COUNT, $(n)_BIAS_COUNT, $(n)_OUTPUT_COUNT,
      $(n)_PACKED_BYTES, $(n)_WORKSPACE_BYTES, $(n)_ALIGN, $(l.pool and "0" or n .. "_pack"), $(registry)_$(job.isa.name)($(n)_run) },
@ end
};
const int $(registry)_count = $(count);
