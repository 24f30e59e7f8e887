@ -- SPDX-License-Identifier: MIT-0
@ local g, planar, source = plan.geometry, plan.planar, plan.source
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
@ local chunks, bands, tasks = plan.chunks.count, plan.bands.count, plan.tasks
@ local function index(count)
@   local rest = count * divisor < tasks and (" %% %d"):format(count) or ""
@   return digit(count) .. rest
@ end
@ local function chunk()
@   if chunks > 1 then
        const int chunk = $(index(chunks));
@   end
@ end
@ local image, to, weights = "input", "output", "(const float *)packed"
@ local function coordinate(variable, count, rest, in_step, out_step, weight_step)
@   if count > 1 then
        const int $(variable) = $(digit(count))$(rest > 1 and (" %% %d"):format(count) or "");
@     if in_step ~= 0 then image = ("%s + (ptrdiff_t)%s * %d"):format(image, variable, in_step) end
@     if out_step ~= 0 then to = ("%s + (ptrdiff_t)%s * %d"):format(to, variable, out_step) end
@     if weight_step ~= 0 then weights = ("%s + (ptrdiff_t)%s * %d"):format(weights, variable, weight_step) end
@   end
@ end
@ local function group(rest)
@   coordinate("group", groups, rest, plan.ICg * source.channel, plan.OCg * plan.output.channel, plan.group_floats)
@ end
@ if plan.groups_first then group(tasks // groups) end
@ if plan.chunks_first then chunk() end
@ if bands > 1 then
@   local band = index(bands)
        const int oh_begin = $(begin_of(plan.bands, band));
        const int oh_end = $(end_of(plan.bands, band, "oh_begin"));
@ else
        const int oh_begin = 0, oh_end = $(g.OH);
@ end
@ if not plan.chunks_first then chunk() end
@ if not plan.groups_first then group(g.N) end
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
@     same = (" || plane != task / %d"):format(bands * chunks)
@   end
        if (from < base || from > ready$(same)) {
            base = ready = from;
@   if planar.planes > 1 then
            plane = task / $(bands * chunks);
@   end
        } else if (to > base + $(planar.rows)) {
@   if copies then
            memmove(copy, copy + (ptrdiff_t)(from - base) * $(plan.input.row), (size_t)(ready - from) * $(4 * plan.input.row));
@   end
            base = from;
        }
        for (; ready < to; ++ready)
            $(name)_copy(in + (ptrdiff_t)ready * $(source.row), copy + (ptrdiff_t)(ready - base) * $(plan.input.row));
@ end
@ if chunks > 1 then
        const int block_begin = $(begin_of(plan.chunks, "chunk")), block_end = $(end_of(plan.chunks, "chunk", "block_begin"));
        for (int block = block_begin; block < block_end; ++block) {
@ elseif plan.blocks > 1 then
        for (int block = 0; block < $(plan.blocks); ++block) {
@ else
        {
@ end
            $(include("direct_block.c", { into = "out" }))
        }
    }
