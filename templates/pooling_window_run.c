@ -- SPDX-License-Identifier: MIT-0
@ -- The tasks: rows of windows, one after the other.
@ local g, w, outer = plan.geometry, plan.windows, plan.outer
@ local tail = plan.panels[2]
@ local function place(base, oh, ow, view, stride_h, stride_w)
@   return base .. (g.OH > 1 and (" + (ptrdiff_t)oh * %d"):format(stride_h * view.row) or "")
@     .. (g.OW > 1 and (" + (ptrdiff_t)ow * %d"):format(stride_w * view.pixel) or "")
@ end
@ local arguments = ("%s, %s"):format(place(at("in", w.origin), "oh", "ow", plan.input, layer.stride_h, layer.stride_w),
@   place("out", "oh", "ow", plan.output, 1, 1))
    for (int task = task_begin; task < task_end; ++task) {
        $(include("planes_task.c"))
        for (int oh = begin; oh < end; ++oh) {
@ local indent = g.OW > 1 and "    " or ""
@ if g.OW > 1 then
            for (int ow = 0; ow < $(g.OW); ++ow) {
@ end
@ if tail then
            $(indent)if ($(outer.noun) == $(outer.count - 1)) $(name)_window_last($(arguments));
            $(indent)else $(name)_window($(arguments));
@ else
            $(indent)$(name)_window($(arguments));
@ end
@ if g.OW > 1 then
            }
@ end
        }
    }
