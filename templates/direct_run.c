@ -- SPDX-License-Identifier: MIT-0
@ local g, planar, source = plan.geometry, plan.planar, plan.source or plan.input
@ if planar then
    float *const copy = workspace; /* rows of the input from `base` on, up to `ready` */
    int base = 0, ready = 0$(planar.planes > 1 and ", plane = -1" or "");
@ end
    for (int task = task_begin; task < task_end; ++task) {
@ local quotient, divisor = "task", 1
@ local function digit(count)
@   local text = divisor == 1 and quotient or ("%s / %d"):format(quotient, divisor)
@   divisor = divisor * count
@   return text
@ end
@ local groups = plan.group_count
@ local outer = plan.chunks * g.N * groups
@ if plan.bands > 1 then
        const int oh_begin = $(outer > 1 and ("task %% %d"):format(plan.bands) or "task") * $(plan.band);
        const int oh_end = $(g.OH % plan.band == 0 and ("oh_begin + %d"):format(plan.band) or ("oh_begin + %d < %d ? oh_begin + %d : %d"):format(plan.band, g.OH, plan.band, g.OH));
@ else
        const int oh_begin = 0, oh_end = $(g.OH);
@ end
@ digit(plan.bands)
@ local image, to, weights = "input", "output", "(const float *)packed"
@ local function coordinate(variable, count, rest, in_step, out_step, weight_step)
@   if count > 1 then
        const int $(variable) = $(digit(count))$(rest > 1 and (" %% %d"):format(count) or "");
@     if in_step ~= 0 then image = ("%s + (ptrdiff_t)%s * %d"):format(image, variable, in_step) end
@     if out_step ~= 0 then to = ("%s + (ptrdiff_t)%s * %d"):format(to, variable, out_step) end
@     if weight_step ~= 0 then weights = ("%s + (ptrdiff_t)%s * %d"):format(weights, variable, weight_step) end
@   end
@ end
@ coordinate("chunk", plan.chunks, g.N * groups, 0, 0, 0)
@ coordinate("group", groups, g.N, plan.ICg * source.channel, plan.OCg * plan.output.channel, plan.group_floats)
@ coordinate("image", g.N, 1, source.image, plan.output.image, 0)
        const float *in = $(image);
        const float *w = $(weights);
        float *out = $(to);
@ if planar then
@   local reach = (layer.KH - 1) * layer.dilation_h + 1
        /* What of the input these rows read, and the copy does not hold yet. */
        const int top = $(at(scaled("oh_begin", layer.stride_h), -layer.pad_top)), bottom = $(at(scaled("(oh_end - 1)", layer.stride_h), reach - layer.pad_top));
        const int from = top > 0 ? top : 0, to = bottom < $(g.IH) ? bottom : $(g.IH);
@   local same = ""
@   if planar.planes > 1 then
@     same = (" || plane != task / %d"):format(plan.bands)
@   end
        if (from < base || from > ready$(same)) {
            base = ready = from;
@   if planar.planes > 1 then
            plane = task / $(plan.bands);
@   end
        } else if (to > base + $(planar.rows)) {
            memmove(copy, copy + (ptrdiff_t)(from - base) * $(plan.input.row), (size_t)(ready - from) * $(4 * plan.input.row));
            base = from;
        }
        for (; ready < to; ++ready)
            $(name)_copy(in + (ptrdiff_t)ready * $(source.row), copy + (ptrdiff_t)(ready - base) * $(plan.input.row));
@ end
@ if plan.chunks > 1 then
        const int block_end = $(plan.blocks % plan.chunk == 0 and ("(chunk + 1) * %d"):format(plan.chunk) or ("chunk == %d ? %d : (chunk + 1) * %d"):format(plan.chunks - 1, plan.blocks, plan.chunk));
        for (int block = $(scaled("chunk", plan.chunk)); block < block_end; ++block) {
@ elseif plan.blocks > 1 then
        for (int block = 0; block < $(plan.blocks); ++block) {
@ else
        {
@ end
            $(include("direct_block.c", { into = "out" }))
        }
    }
