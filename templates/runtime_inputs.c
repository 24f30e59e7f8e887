@ -- SPDX-License-Identifier: MIT-0
@ -- Tiles with input channels in the lanes, for few output channels: the taps of a row and their channels are a whole
@ -- number of vectors in memory, multiplied with the weights; the lanes of each sum are added in the end.
@ local L, D = isa.lanes, plan.inputs
@ local KH, KW, SW = layer.KH, layer.KW, layer.stride_w
@ local clipped = plan.rows_clipped
@ local taps = times(KW, "view->channels")
@ local function rows_of_taps()
@   if KH > 1 or clipped then
    for (int kh = $(clipped and "view->kh_begin" or 0); kh < $(clipped and "view->kh_end" or KH); ++kh, in += $(times(layer.dilation_h, "view->in_row")))
@   end
@ end
@ local function weights(outputs) -- of the first row of taps, where `w` has some sums' biases
    const ptrdiff_t taps = $(taps);
    const float *wt = w + $(D.most_sums)$(clipped and (" + view->kh_begin * taps * %s"):format(outputs) or "");
@ end
/* The sums over the lanes of each of `count` vectors, with their biases: neighbours in the output. */
static CONV_TILE void $(name)_dot_out($(V) *sums, int count, const float *w, float *out, const struct $(name)_view *view)
{
@ if bounded then
    const $(V) low = $(isa.splat("view->low")), high = $(isa.splat("view->high"));
@ else
    (void)view;
@ end
    for (int i = count; i % 4 != 0; ++i) sums[i] = $(isa.zero());
    for (int i = 0; i < count; i += 4) {
        /* Four of them side by side in each four lanes; these are added. */
        const $(V) *const four = sums + i;
@ local lines, rows = isa.transpose({ "four[0]", "four[1]", "four[2]", "four[3]" }, "t", L)
        $(lines)
        $(V) all = $(isa.add(isa.add(rows[1].name, rows[2].name), isa.add(rows[3].name, rows[4].name)));
@ local shift = 4
@ while shift < L do
@   local index = {}
@   for l = 1, L do index[l] = (l - 1 + shift) % L end
        all = $(isa.add("all", isa.permute("(const float *)(const void *)&all", L, index)));
@   shift = 2 * shift
@ end
        all = $(isa.add("all", isa.load("w + i")));
@ if layer.activation.kind ~= "none" then
        all = $(activate("all"));
@ end
        const int lanes = count - i;
        if (lanes >= 4) { $(isa.store_range("out + i", "all", 0, 4)) }
        else CONV_STORE(out + i, all);
    }
}

/* A tile of `pixels` x `outputs`, numbers that leave its part of this body; all its taps are in the image. */
#define CONV_SUMS(p) $(V) acc_p##p##_k0 = $(isa.zero())$(each(", acc_p##p##_k%d = acc_p##p##_k0", 1, D.outputs));$(plan.starts and (" \\\n    if (pixels > p) { CONV_START(acc_p##p##_k0);" .. each(" if (outputs > %d) CONV_START(acc_p##p##_k%d);", 1, D.outputs) .. " }") or "")
#define CONV_ADD(p, from) if (pixels > p) { \
        x = $(isa.load("from")); \
        CONV_FMA(acc_p##p##_k0, x, w_k0);$(each(" \\\n        if (outputs > %d) CONV_FMA(acc_p##p##_k%d, x, w_k%d);", 1, D.outputs)) }
#define CONV_KEEP(p) if (pixels > p) { \
        sums[p * outputs] = acc_p##p##_k0;$(each(" \\\n        if (outputs > %d) sums[p * outputs + %d] = acc_p##p##_k%d;", 1, D.outputs)) }
static CONV_BODY void $(name)_dot_body(const float *in, const float *w, float *out, int pixels, int outputs, const struct $(name)_view *view)
{
    $(calls("CONV_SUMS(%d)", D.longest))
@ weights("outputs")
@ rows_of_taps()
    {
        const float *px0 = in;
@ for p = 1, D.longest - 1 do
        const float *px$(p) = pixels > $(p) ? px0 + $(times(p * SW, "view->in_pixel")) : px0;
@ end
        for (ptrdiff_t c = 0; c < taps; c += $(L), wt += outputs * $(L)) {
            const $(V) w_k0 = $(isa.load("wt"))$(each((", w_k%%d = outputs > %%d ? %s : w_k0"):format(isa.load(("wt + %%d * %d"):format(L))), 1, D.outputs));
            $(V) x;
            $(calls("CONV_ADD(%d, px%d + c)", D.longest))
        }
    }
    $(V) sums[$(D.most_sums)];
    $(calls("CONV_KEEP(%d)", D.longest))
    $(name)_dot_out(sums, pixels * outputs, w, out, view);
}
#undef CONV_KEEP
#undef CONV_ADD
#undef CONV_SUMS
@ for outputs = 1, D.outputs do
static CONV_TILE void $(name)_dot_$(D.pixels[outputs])x$(outputs)(const float *in, const float *w, float *out, const struct $(name)_view *view)
{
    $(name)_dot_body(in, w, out, $(D.pixels[outputs]), $(outputs), view);
}
@ end

/* One pixel, of whose taps only those in the columns [begin, end) are in the image. */
static CONV_TILE void $(name)_dot_pixel(const float *in, const float *w, float *out, ptrdiff_t begin, ptrdiff_t end, int outputs, const struct $(name)_view *view)
{
    $(V) acc_k0 = $(isa.zero())$(each(", acc_k%d = acc_k0", 1, D.outputs));
@ weights("outputs")
@ rows_of_taps()
    for (ptrdiff_t c = 0; c < taps; c += $(L), wt += outputs * $(L)) {
        const ptrdiff_t first = begin * view->channels - c, last = end * view->channels - c;
        if (first >= $(L) || last <= 0) continue;
        const $(V) x = $(name)_load(in + c, first < 0 ? 0 : (int)first, last < $(L) ? (int)last : $(L));
@ for k = 0, D.outputs - 1 do
        $(k > 0 and ("if (outputs > %d) "):format(k) or "")acc_k$(k) = $(isa.fma(isa.load(at("wt", k * L)), "x", "acc_k" .. k));
@ end
    }
    $(V) sums[4] = { acc_k0$(each(", acc_k%d", 1, D.outputs)) };
    $(name)_dot_out(sums, outputs, w, out, view);
}

/* A row of `width` pixels. */
static $(target)void $(name)_dot_row(const float *row, const float *w, float *out, int width, int outputs, $(clipped and "int pad_left, " or "")const struct $(name)_view *view)
{
    /* Tiles of those whose taps are in the image; the last one may compute some pixels again. */
@ if clipped then
    const int last = view->in_w + pad_left - $(KW);
    const int begin = pad_left > 0 ? $(ceil_quotient("pad_left", SW)) : 0;
    const int end = last < 0 ? 0 : last$(SW > 1 and " / " .. SW or "") + 1 < width ? last$(SW > 1 and " / " .. SW or "") + 1 : width;
@ else
    const int begin = 0, end = width;
@ end
@ local most = {}
@ for outputs = 1, D.outputs do most[outputs] = outputs < D.outputs and ("outputs == %d ? %d : "):format(outputs, D.pixels[outputs]) or D.pixels[outputs] end
    const int pixels = $(table.concat(most));
    for (int ow = 0; ow < width;) {
        if (ow >= begin && ow < end && end - begin >= pixels) {
            if (ow > end - pixels) ow = end - pixels;
            const float *const in = row + ow * $(times(SW, "view->in_pixel"));
            float *const to = out + ow * view->out_pixel;
            switch (outputs) {
@ for outputs = 1, D.outputs do
            case $(outputs): $(name)_dot_$(D.pixels[outputs])x$(outputs)(in, w, to, view); break;
@ end
            }
            ow += pixels;
        } else {
@ if clipped then
            const int left = $(scaled("ow", SW)) - pad_left, right = view->in_w - left;
            $(name)_dot_pixel(row + ow * $(times(SW, "view->in_pixel")), w, out + ow * view->out_pixel, left < 0 ? -left : 0, right < $(KW) ? right : $(KW), outputs, view);
@ else
            $(name)_dot_pixel(row + ow * $(times(SW, "view->in_pixel")), w, out + ow * view->out_pixel, 0, $(KW), outputs, view);
@ end
            ++ow;
        }
    }
}
