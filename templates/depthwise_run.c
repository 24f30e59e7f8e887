@ local g = plan.geometry
@ local clipped = plan.looped and plan.rows_clipped
    for (int task = task_begin; task < task_end; ++task) {
@ local outer, image = plan.outer, plan.input.image
@ local before = plan.bands
@ if plan.bands > 1 then
        const int begin = $(outer.count * g.N > 1 and ("task %% %d"):format(plan.bands) or "task") * $(plan.band);
        const int end = $(plan.row_tiles % plan.band == 0 and ("begin + %d"):format(plan.band) or ("begin + %d < %d ? begin + %d : %d"):format(plan.band, plan.row_tiles, plan.band, plan.row_tiles));
@ else
        const int begin = 0, end = $(plan.row_tiles);
@ end
@ local in_text, out_text, w_text = "input", "output", "(const float *)packed"
@ local rest = before == 1 and "task" or ("task / %d"):format(before)
@ if outer.count > 1 then
        const int channel = $(rest)$(g.N > 1 and (" %% %d"):format(outer.count) or "");
@   in_text = ("%s + (ptrdiff_t)channel * %d"):format(in_text, outer.input)
@   out_text = ("%s + (ptrdiff_t)channel * %d"):format(out_text, outer.output)
@   w_text = ("%s + (ptrdiff_t)channel * %d"):format(w_text, outer.weights)
@ end
@ if g.N > 1 then
@   local by = before * outer.count
        const int image = task$(by > 1 and (" / %d"):format(by) or "");
@   in_text = ("%s + (ptrdiff_t)image * %d"):format(in_text, plan.input.image)
@   out_text = ("%s + (ptrdiff_t)image * %d"):format(out_text, plan.output.image)
@ end
        const float *in = $(in_text);
        const float *w = $(w_text);
        float *out = $(out_text);
        for (int tile = begin; tile < end; ++tile) {
@ if plan.looped then
            const int oh = tile;
@   if clipped then
            const int top = $(scaled("oh", layer.stride_h)) - $(layer.pad_top);
            int kh_begin = top < 0 ? $(ceil_quotient("-top", layer.dilation_h)) : 0;
            int kh_end = top + $((layer.KH - 1) * layer.dilation_h) < $(g.IH) ? $(layer.KH) : $(ceil_quotient(g.IH .. " - top", layer.dilation_h));
            if (kh_begin >= kh_end) kh_begin = kh_end = 0;
            const float *row = kh_begin < kh_end ? in + (ptrdiff_t)(top + $(scaled("kh_begin", layer.dilation_h))) * $(plan.input.row) : in;
            $(name)_rows_r0(row, w, out + (ptrdiff_t)oh * $(plan.output.row), kh_begin, kh_end);
@   else
            $(name)_rows_r0(in + (ptrdiff_t)oh * $(layer.stride_h * plan.input.row), w, out + (ptrdiff_t)oh * $(plan.output.row));
@   end
@ else
@   local first, count = 0, #plan.row_segments
@   for i, segment in ipairs(plan.row_segments) do
@     local index = segment.count == 1 and "" or first == 0 and "tile" or ("(tile - %d)"):format(first)
@     local test = count == 1 and "" or i == count and "else " or ("%sif (tile < %d) "):format(i > 1 and "else " or "", first + segment.count)
@     local function step(base, offset, by)
@       return at(base, offset) .. (segment.count > 1 and (" + (ptrdiff_t)%s * %d"):format(index, by) or "")
@     end
            $(test)$(name)_rows_r$(segment.variant.index)($(step("in", segment.origin * plan.input.row, segment.pixels * layer.stride_h * plan.input.row)), w, $(step("out", segment.x * plan.output.row, segment.pixels * plan.output.row)));
@     first = first + segment.count
@   end
@ end
        }
    }
