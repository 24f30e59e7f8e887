@ -- SPDX-License-Identifier: MIT-0
@ -- Copies between NCHW images and scratch, where a pixel is one vector of channels: what lies outside the
@ -- image is zero there, or left out.
@ local g, L = plan.geometry, isa.lanes
@
@ for _, count in ipairs(plan.phases and {} or input_counts) do
/* $(plan.region_h) x $(plan.region_w) pixels from (y, x) on of $(plural(count.lanes, "channel")), with zeros around the image. */
static $(target)void $(name)_gather$(count.suffix)(const float *in, int y, int x, float *to)
{
@   local valid = g.IW - math.max(0, -layer.pad_left) -- of an image's columns those that are read
@   local narrow = valid < L
    const int first = x < 0 ? -x : 0;
    const int last = x + $(plan.region_w) < $(g.IW) ? $(plan.region_w) : $(g.IW) - x;
    for (int i = 0; i < $(plan.region_h); ++i, to += $(plan.region_w * L)) {
        const int inside = y + i >= 0 && y + i < $(g.IH) && first < last;
        for (int j = 0; j < (inside ? first : $(plan.region_w)); ++j)
            $(isa.store(at("to", "(ptrdiff_t)j * " .. L), isa.zero()))
        if (!inside)
            continue;
        for (int j = last; j < $(plan.region_w); ++j)
            $(isa.store(at("to", "(ptrdiff_t)j * " .. L), isa.zero()))
        const float *row = in + (ptrdiff_t)(y + i) * $(plan.input.row);
@   if narrow then
        const int j = first;
        {
@   else
        for (int at = first; at < last; at += $(L)) { /* the last one goes back over the one before */
            const int j = at < last - $(L) ? at : last - $(L);
@   end
            const float *from = row + (x + j);
            float *pixel = to + (ptrdiff_t)j * $(L);
            $(transposed(L, function(l) return l < count.lanes and isa.load_range(at("from", l * plan.input.channel), 0, math.min(valid, L)) or isa.zero() end, math.min(valid, L), function(l, row) return isa.store(at("pixel", l * L), row.name) end))
        }
    }
}

@ end
@ local OW = (layer.after or layer).OW
@ for _, count in ipairs(output_counts) do
/* $(plural(count.lanes, "channel")) of rows x columns pixels of a row of tiles. */
static $(target)void $(name)_scatter$(count.suffix)(const float *from, float *out, int rows, int columns)
{
    for (int i = 0; i < rows; ++i) {
@   local narrow = OW < L
@   if narrow then
        (void)columns; /* all $(OW) of them */
        {
            const int j = 0;
@   else
        for (int at = 0; at < columns; at += $(L)) { /* the last one goes back over the one before */
            const int j = at < columns - $(L) ? at : columns - $(L);
@   end
            const float *pixel = from + ((ptrdiff_t)i * $(plan.result_w) + j) * $(L);
            float *to = out + (ptrdiff_t)i * $(plan.output.row * plan.tiles_h.step) + j;
            $(include("planes_square.c", { from = "pixel", to = "to", channels = count.lanes, plane = plan.output.channel, count = narrow and OW or L, fetch = true }))
        }
    }
}

@ end
