@ -- SPDX-License-Identifier: MIT-0
@ -- The skeleton of direct convolution: register tiles, rows of tiles, and tasks made of rows.
@ local KH, KW, ICg = layer.KH, layer.KW, plan.ICg
@ local clipped = plan.rows_clipped
@ local kh_begin = clipped and "kh_begin" or "0"
@ local kh_end = clipped and "kh_end" or KH
@ local row_step = times(layer.dilation_h, plan.input.row)
@ for _, class in ipairs(plan.classes) do
@ local width = class.width
@ local stride = class.stride or width -- of weights, from one input channel to the next
@ local prefix = #plan.classes > 1 and name .. "_k" .. width or plan.prefix and name .. "_" .. plan.prefix or name
@ local ragged = class.ragged == "last" and ", int ragged" or ""
@
@ local function steps(variant, tap, count)
@   local text = {}
@   for u = 0, count - 1 do
@     text[u + 1] = include("direct_step.c", { class = class, variant = variant, tap = tap, u = u })
@   end
@   return text
@ end
@
@ -- All steps of one tap (of all taps of the row, where they are merged): from src on, the tile's origin
@ -- for it, and from wt on, its weights.
@ local function tap_sum(variant, tap, src, wt)
@   local s = variant.steps
@   local channel = plan.input.channel
@   if s.count then
        const ptrdiff_t count = $(s.count);
@     if plan.input.pixel == 1 then
        const float *px = $(src);
@     for i = 1, variant.fewer and variant.pixels - 1 or 0 do
        const int at$(i) = pixels > $(i) ? $(i) : 0;
@     end
        wt = $(wt);
        for (ptrdiff_t c = 0; c < count; ++c, px += $(channel), wt += $(stride)) {
            $(steps(variant, tap, 1))
        }
@     else
@     for i = 0, variant.pixels - 1 do
@       local step = times(i * layer.stride_w, plan.input.pixel)
        const float *const px$(i) = $(at(src, i > 0 and variant.fewer and ("(pixels > %d ? %s : 0)"):format(i, step) or step));
@     end
        wt = $(wt);
        for (ptrdiff_t c = 0; c < count; ++c, wt += $(width)) {
            $(steps(variant, tap, 1))
        }
@     end
@   elseif s.loops == 1 then
        src = $(src);
        wt = $(wt);
        $(steps(variant, tap, s.unroll))
@   else
        for (int c = 0; c < $(s.loops * s.unroll); c += $(s.unroll)) {
            src = $(src) + $(channel > 1 and ("(ptrdiff_t)c * %d"):format(channel) or "c");
            wt = $(wt) + (ptrdiff_t)c * $(width);
            $(steps(variant, tap, s.unroll))
        }
@   end
@   if s.rest > 0 then
        src = $(at(src, s.loops * s.unroll * channel));
        wt = $(at(wt, s.loops * s.unroll * width));
        $(steps(variant, tap, s.rest))
@   end
@ end
@
@ for _, variant in ipairs(class.variants) do
@ local splats, vectors = splats(class, variant), vectors(class, variant)
/* $(variant.fewer and "Up to " or "")$(plural(variant.pixels, "output pixel")) x $(plural(width, "output channel")): $(splats * vectors) accumulators$(variant.rolled and ", taps of a row in a loop" or ""). */
static CONV_TILE void $(prefix)_tile$(variant.index)(const float *in, const float *w, float *out$(clipped and ", int kh_begin, int kh_end" or "")$(variant.rolled and ", int kw_begin, int kw_end" or "")$(ragged)$(plan.runtime and plan.mapping == "pixels" and ", int outputs" or "")$(variant.fewer and ", int pixels" or "")$(plan.runtime and ", int lanes, const struct " .. name .. "_view *view" or ""))
{
@ local first = variant == class.variants[1] and class == plan.classes[1]
@ if first or not plan.runtime then
    /* Every sum starts from its bias. */
@ end
@ if plan.mapping == "channels" then
@   for v = 0, vectors - 1 do
    const $(V) bias_k$(v) = $(isa.load(at("w", v * isa.lanes)));
@   end
@ end
@ for s = 0, splats - 1 do
@   local row = {}
@   for v = 0, vectors - 1 do row[v + 1] = ("%s = %s"):format(acc(s, v), bias(s, v)) end
    $(V) $(table.concat(row, ", "));
@ end
@ local reads = false
@ for kw = 0, KW - 1 do reads = reads or touched(variant, kw) end
@ if not reads then
    (void)in; /* every window lies in the padding */
@   if clipped then
    (void)kh_begin;
    (void)kh_end;
@   end
@ else
    w += $(stride);

@ if first or not plan.runtime then
    /* In each step, one input channel of one tap: $(plan.mapping == "channels" and "its weights, and a pixel's input in all lanes" or "its input, and an output channel's weight in all lanes"). */
@ end
    const float $(plan.runtime and "*wt" or "*src, *wt");
    $(V) $(table.concat(vector_names(class, variant), ", ")), $(splat_name);
@ if KH > 1 or clipped then
    for (int kh = $(kh_begin); kh < $(kh_end); ++kh) {
        const float *row = in + (ptrdiff_t)(kh - $(kh_begin)) * $(row_step);
        const float *taps = w + (ptrdiff_t)kh * $(times(KW * width, ICg));
@ else
    {
        const float *row = in;
        const float *taps = w;
@ end
@ if variant.rolled then
        for (int kw = kw_begin; kw < kw_end; ++kw) {
        const float *column = row + (ptrdiff_t)(kw - kw_begin) * $(times(layer.dilation_w, plan.input.pixel));
        const float *column_taps = taps + (ptrdiff_t)kw * $(times(width, ICg));
@     tap_sum(variant, 0, "column", "column_taps")
        }
@ else
@   for kw = 0, variant.merged and 0 or KW - 1 do
@     if touched(variant, kw) then
@       if first or not plan.runtime then

        /* $(variant.merged and ("The %d taps of the row x %s input channels: neighbours in memory."):format(KW, plan.runtime and "all" or ICg) or ("Tap %d of the row%s."):format(kw, touches(variant, kw))) */
@       end
@       tap_sum(variant, kw, "row", at("taps", times(kw * width, ICg)))
@     end
@   end
@ end
    }
@ end
@ if layer.activation.runtime then
    const $(V) low = $(isa.splat("view->low")), high = $(isa.splat("view->high"));
@ end
$(include("stores.c", { class = class, variant = variant, splats = splats, vectors = vectors }))
}

@ end
@ if not plan.runtime then
@ -- Rows of tiles of one class of blocks.
/* Rows oh_begin to oh_end of one block of $(plural(width, "output channel"))$(plan.band_rows and ", the first of them to out" or ""). */
static $(target)void $(prefix)_rows(const float *image, const float *w, float *out, int oh_begin, int oh_end$(ragged))
{
    for (int oh = oh_begin; oh < oh_end; ++oh) {
@ local pass = (clipped and ", kh_begin, kh_end" or "")
@ local tail = class.ragged == "last" and ", ragged" or ""
@ if clipped then
        /* The taps kh_begin to kh_end of the column meet the image; the others its padding. */
        const int top = $(scaled("oh", layer.stride_h)) - $(layer.pad_top);
        $(plan.rows_empty and "" or "const ")int kh_begin = top < 0 ? $(ceil_quotient("-top", layer.dilation_h)) : 0;
        $(plan.rows_empty and "" or "const ")int kh_end = top + $((KH - 1) * layer.dilation_h) < $(plan.geometry.IH) ? $(KH) : $(ceil_quotient(plan.geometry.IH .. " - top", layer.dilation_h));
@   if plan.rows_empty then
        if (kh_begin >= kh_end) kh_begin = kh_end = 0;
        const float *row = kh_begin < kh_end ? image + (ptrdiff_t)(top + $(scaled("kh_begin", layer.dilation_h))) * $(plan.input.row) : image;
@   else
        const float *row = image + (ptrdiff_t)(top + $(scaled("kh_begin", layer.dilation_h))) * $(plan.input.row);
@   end
@ else
        const float *row = $(at("image", -(layer.pad_top or 0) * plan.input.row)) + (ptrdiff_t)oh * $(layer.stride_h * plan.input.row);
@ end
        float *to = out + (ptrdiff_t)$(plan.band_rows and "(oh - oh_begin)" or "oh") * $(plan.output.row);
        $(include("column_tiles.c", { segments = class.segments, tile_of = function(variant) return prefix .. "_tile" .. variant.index end, between = ", w", pass = pass, taps = ", 0, " .. KW, wide = false, tail = tail }))
    }
}

@ end
@ end
