@ -- SPDX-License-Identifier: MIT-0
@ -- The sums of a tile of direct.c: all taps and channels, from `in` and `w` on.
@ local inputs = plan.mapping == "inputs" -- lanes are input channels
@ local KH, KW, ICg = layer.KH, layer.KW, plan.ICg
@ local clipped = plan.rows_clipped
@ local kh_begin = clipped and "kh_begin" or "0"
@ local kh_end = clipped and "kh_end" or KH
@ local row_step = times(layer.dilation_h, plan.input.row)
@ local width = plan.apart and 1 or class.width -- outputs whose weights are neighbours
@ local tap_floats = times(width, plan.packed_inputs or ICg) -- of packed weights
@
@ -- Some reduction steps; `channels`: of the last one those that there are, where it is not full; `origin`: of a
@ -- loop's steps, where the tile's pixels begin.
@ local function steps(variant, taps, count, channels, origin)
@   local text = {}
@   for u = 0, count - 1 do
@     text[u + 1] = include("direct_step.c", { class = class, variant = variant, taps = taps, u = u, channels = channels or false, origin = origin or false })
@   end
@   return text
@ end
@
@ -- All steps of some taps (of all taps of the row, where they are merged): from src on, the tile's origin
@ -- for them, and from wt on, their weights.
@ local function tap_sum(variant, taps, src, wt)
@   local s = variant.steps
@   local channel, size = plan.input.channel, plan.input_step or 1
@   if s.loops == 1 then
        src = $(src);
        wt = $(wt);
        $(steps(variant, taps, s.unroll))
@   else
        for (int c = 0; c < $(s.loops * s.unroll * size); c += $(s.unroll * size)) {
            src = $(src) + $(channel > 1 and ("(ptrdiff_t)c * %d"):format(channel) or "c");
            wt = $(wt) + (ptrdiff_t)c * $(width);
            $(steps(variant, taps, s.unroll, false, src))
        }
@   end
@   if s.rest > 0 then
        src = $(at(src, s.loops * s.unroll * size * channel));
        wt = $(at(wt, s.loops * s.unroll * size * width));
        $(steps(variant, taps, s.rest))
@   end
@   local full = s.loops * s.unroll + s.rest
@   if size > 1 and not variant.merged and ICg > full * size then
        src = $(at(src, full * size * channel));
        wt = $(at(wt, full * size * width));
        $(steps(variant, taps, 1, ICg - full * size))
@   end
@ end
@
@ if plan.fetch_output then
    /* What is stored in the end. */
@   for s = 0, splats - 1 do
@     for v = 0, vectors - 1 do
    CONV_FETCH($(at("out", plus(times(s, plan.output.pixel), v * isa.lanes))));
@     end
@   end
@ end
    /* Every sum starts from $((plan.no_bias or inputs) and "0" or "its bias"). */
@ if inputs then
    const float *const bias = w;
@ elseif plan.mapping ~= "pixels" and not plan.no_bias then
@   for v = 0, vectors - 1 do
    const $(V) bias_k$(v) = $(isa.load(at("w", v * isa.lanes)));
@   end
@ end
@ for s = 0, splats - 1 do
@   local row = {}
@   for v = 0, vectors - 1 do row[v + 1] = ("%s = %s"):format(acc(s, v), bias(s, v)) end
    $(V) $(table.concat(row, ", "));
@ end
@ if plan.parts then
    if (part > 0) { /* or from those of the channels before */
@   for i = 0, splats * vectors - 1 do
        $(acc(i // vectors, i % vectors)) = $(isa.load(at("sums", i * isa.lanes)));
@   end
    }
@ end
@ local reads = false
@ for _, taps in ipairs(taps_of(variant)) do reads = reads or touched(variant, taps) end
@ if not reads then
    (void)in; /* every window lies in the padding */
@   if plan.fetch_blocks and class.fetch then
    (void)ahead;
@   end
@   if clipped then
    (void)kh_begin;
    (void)kh_end;
@   end
@ else
@ if not plan.no_bias then
    w += $(class.biases or class.width);
@ end

    /* In each step, $(step_noun). */
    const float *src, *wt;
    $(V) $(table.concat(vector_names(class, variant), ", "))$(needs_splats(class, variant) and ", " .. splat_name or "");
@ if KH > 1 or clipped then
    for (int kh = $(kh_begin); kh < $(kh_end); ++kh) {
        const float *row = in + (ptrdiff_t)(kh - $(kh_begin)) * $(row_step);
        const float *taps = w + (ptrdiff_t)kh * $(times(KW, tap_floats));
@ else
    {
        const float *row = in;
        const float *taps = w;
@ end
@ if variant.rolled then
        for (int kw = kw_begin; kw < kw_end; ++kw) {
        const float *column = row + (ptrdiff_t)(kw - kw_begin) * $(times(layer.dilation_w, plan.input.pixel));
        const float *column_taps = taps + (ptrdiff_t)kw * $(tap_floats);
@     tap_sum(variant, { first = 0, count = 1 }, "column", "column_taps")
        }
@ else
@   for _, taps in ipairs(taps_of(variant)) do
@     if touched(variant, taps) then

        /* $(variant.merged and ("The %d taps of the row x %d input channels: neighbours in memory."):format(KW, ICg) or touches(variant, taps)) */
@       tap_sum(variant, taps, "row", at("taps", times(taps.first, tap_floats)))
@     end
@   end
@ end
    }
@ end
