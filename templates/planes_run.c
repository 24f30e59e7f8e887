@ -- SPDX-License-Identifier: MIT-0
@ -- The tasks: rows of tiles, one after the other.
@ local g = plan.geometry
    for (int task = task_begin; task < task_end; ++task) {
        $(include("planes_task.c"))
        for (int tile = begin; tile < end; ++tile) {
@ if plan.looped then
            const int oh = tile;
@   if plan.rows_clipped then
            const int top = $(scaled("oh", layer.stride_h)) - $(layer.pad_top);
            int kh_begin = top < 0 ? $(ceil_quotient("-top", layer.dilation_h)) : 0;
            int kh_end = top + $((layer.KH - 1) * layer.dilation_h) < $(g.IH) ? $(layer.KH) : $(ceil_quotient(g.IH .. " - top", layer.dilation_h));
            if (kh_begin >= kh_end) kh_begin = kh_end = 0;
@     if #row_arguments > 2 then
            const int tall = top + $((layer.KH - 1) * layer.dilation_h) < $(counted_height) ? $(layer.KH) : $(ceil_quotient(counted_height .. " - top", layer.dilation_h));
@     end
            const float *row = kh_begin < kh_end ? in + (ptrdiff_t)(top + $(scaled("kh_begin", layer.dilation_h))) * $(plan.input.row) : in;
            $(name)_rows_r0(row$(weights_argument), out + (ptrdiff_t)oh * $(plan.output.row)$(arguments(row_arguments)));
@   else
            $(name)_rows_r0($(at("in", -layer.pad_top * plan.input.row)) + (ptrdiff_t)oh * $(layer.stride_h * plan.input.row)$(weights_argument), out + (ptrdiff_t)oh * $(plan.output.row));
@   end
@ else
@   local first, count = 0, #plan.row_segments
@   for i, segment in ipairs(plan.row_segments) do
@     local index = segment.count == 1 and "" or first == 0 and "tile" or ("(tile - %d)"):format(first)
@     local test = count == 1 and "" or i == count and "else " or ("%sif (tile < %d) "):format(i > 1 and "else " or "", first + segment.count)
@     local function step(base, offset, by)
@       return at(base, offset) .. (segment.count > 1 and (" + (ptrdiff_t)%s * %d"):format(index, by) or "")
@     end
            $(test)$(name)_rows_r$(segment.variant.index)($(step("in", segment.origin * plan.input.row, segment.pixels * layer.stride_h * plan.input.row))$(weights_argument), $(step("out", segment.x * plan.output.row, segment.pixels * plan.output.row)));
@     first = first + segment.count
@   end
@ end
        }
    }
