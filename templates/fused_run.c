@ -- SPDX-License-Identifier: MIT-0
@ -- The tasks: rows of windows, a step at a time: first the rows of the map that they read and the band
@ -- does not hold yet, then their pooling.
@ if not plan.pool then
$(include_plan("direct_run.c", plan.map))
@ else
@ local map, pool, after = plan.map, plan.pool, layer.after
@ local reach = (after.KH - 1) * after.dilation_h + 1
@ local band, height = plan.band_view, plan.map.layer.OH
    float *const band = workspace; /* rows of the map from `base` on, at most $(plan.rows) */
@ if copies then
    int base = 0, ready = 0; /* up to `ready`, also those of the task before, which end where this one begins */
@ end
    for (int task = task_begin; task < task_end; ++task) {
        $(include("planes_task.c"))
@ if copies then
        if (begin == 0) ready = 0;
@ end
        for (int first = begin; first < end; first += $(plan.step)) {
@ if plan.step > 1 then
            const int last = first + $(plan.step) < end ? first + $(plan.step) : end;
@ else
            const int last = first + 1;
@ end
            /* The rows of the map that windows 'first' to 'last' read. */
            const int from = $(at(scaled("first", after.stride_h), -after.pad_top)), to = $(at(scaled("(last - 1)", after.stride_h), reach - after.pad_top));
@ if copies then
            const int before = base;
            base = from > 0 ? from : 0;
            /* Some are there since the last time. */
            int oh_begin = base;
            if (ready > base) {
@   if layer.layout == "nchw" and plan.channels > 1 then
                for (int k = 0; k < $(plan.channels); ++k)
                    memmove(band + (ptrdiff_t)k * $(band.channel), band + (ptrdiff_t)k * $(band.channel) + (ptrdiff_t)(base - before) * $(band.row), (size_t)(ready - base) * $(4 * band.row));
@   else
                memmove(band, band + (ptrdiff_t)(base - before) * $(band.row), (size_t)(ready - base) * $(4 * band.row));
@   end
                oh_begin = ready;
            }
            const int oh_end = to < $(height) ? to : $(height);
            ready = oh_end > oh_begin ? oh_end : oh_begin;
@ else
            const int base = $(after.pad_top > 0 and "from > 0 ? from : 0" or "from");
            const int oh_begin = base, oh_end = to < $(height) ? to : $(height);
@ end
            float *const rows = band + (ptrdiff_t)(oh_begin - base) * $(band.row);
@ if map.algorithm == "direct" then
@   if map.blocks > 1 then
            for (int block = 0; block < $(map.blocks); ++block) {
@   else
            {
@   end
                $(include_plan("direct_block.c", plan.map, { into = "rows" }))
            }
@ else
            for (int tile = oh_begin; tile < oh_end; ++tile) {
                $(include_plan("planes_tile.c", plan.map, { from = "in", into = "rows", in_begin = false, out_begin = "oh_begin" }))
            }
@ end
            for (int tile = first; tile < last; ++tile) {
@ if pool.outer.count > 1 then
                for (int k = 0; k < $(pool.outer.count); ++k) {
                    const float *const plane = band + (ptrdiff_t)k * $(pool.outer.input);
                    float *const pooled = out + (ptrdiff_t)k * $(pool.outer.output);
                    $(include_plan("planes_tile.c", plan.pool, { from = "plane", into = "pooled", in_begin = "base", out_begin = false }))
                }
@ else
                $(include_plan("planes_tile.c", plan.pool, { from = "band", into = "out", in_begin = "base", out_begin = false }))
@ end
            }
        }
    }
@ end
