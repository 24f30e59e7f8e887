@ -- SPDX-License-Identifier: MIT-0
@ -- Tiles with output channels in the lanes, pixels beside them: one body, of which each size of tile takes
@ -- its part. In memory, pixels are channels side by side or, where they are read in place, planes.
@ local L, vectors, pixels = isa.lanes, plan.tile.vectors, plan.most_pixels
@ local clipped, planes = plan.rows_clipped, plan.planes
@ local KW, merged = layer.KW, layer.dilation_w == 1
@ local rows = clipped and ", int kh_begin, int kh_end" or ""
@ local its_rows = clipped and ", kh_begin, kh_end" or ""
/* The sums of one pixel and up to $(plural(vectors, "vector")) of output channels: how they start, and what a step adds. */
#define CONV_SUMS(p) $(V) acc_p##p##_k0 = b_k0$(each(", acc_p##p##_k%d = b_k%d", 1, vectors))
#define CONV_ADD(p) if (pixels > p) { \
        x = $(isa.splat(planes and "px[p]" or "px##p[c]")); \
        CONV_FMA(acc_p##p##_k0, x, w_k0);$(each(" \\\n        if (vectors > %d) CONV_FMA(acc_p##p##_k%d, x, w_k%d);", 1, vectors)) }

/* A tile of `pixels` x `vectors` of output channels, numbers that leave its part of this body. Of the last
 * vector, `lanes` lanes are in the output. */
static CONV_BODY void $(name)_body(const float *in, const float *w, float *out$(rows), int pixels, int vectors, int lanes, const struct $(name)_view *view)
{
    const $(V) b_k0 = $(isa.load("w"));
@ for v = 1, vectors - 1 do
    const $(V) b_k$(v) = vectors > $(v) ? $(isa.load(at("w", v * L))) : b_k0;
@ end
@ for p = 0, pixels - 1 do
    CONV_SUMS($(p));
@ end
    const ptrdiff_t count = $(merged and times(KW, "view->channels") or "view->channels");
    const float *wt = w + vectors * $(L);
@ if clipped then
    wt += (ptrdiff_t)kh_begin * $(times(KW, "view->channels")) * (vectors * $(L));
@ end
@ if layer.KH > 1 or clipped then
    for (int kh = $(clipped and "kh_begin" or 0); kh < $(clipped and "kh_end" or layer.KH); ++kh, in += $(times(layer.dilation_h, "view->in_row")))
@ end
@ if not merged then
    for (int kw = 0; kw < $(KW); ++kw)
@ end
    {
@ if planes then
        const float *px = in;
        for (ptrdiff_t c = 0; c < count; ++c, px += view->in_channel, wt += vectors * $(L)) {
@ else
        const float *px0 = in$(merged and "" or " + kw * " .. times(layer.dilation_w, "view->in_pixel"));
@   for p = 1, pixels - 1 do
        const float *const px$(p) = pixels > $(p) ? px0 + $(times(p * layer.stride_w, "view->in_pixel")) : px0;
@   end
        for (ptrdiff_t c = 0; c < count; ++c, wt += vectors * $(L)) {
@ end
            const $(V) w_k0 = $(isa.load("wt"));
@ for v = 1, vectors - 1 do
            const $(V) w_k$(v) = vectors > $(v) ? $(isa.load(at("wt", v * L))) : w_k0;
@ end
            $(V) x;
@ for p = 0, pixels - 1 do
            CONV_ADD($(p))
@ end
        }
    }
@ for p = 0, pixels - 1 do
    if (pixels > $(p)) $(name)_out($(at("out", times(p, "view->out_pixel")))$(each((", acc_p%d_k%%d"):format(p), 0, units, vectors)), vectors, lanes, view);
@ end
}

#define CONV_OF(pixels, vectors) \
    static CONV_TILE void CONV_(tile##pixels##x##vectors)(const float *in, const float *w, float *out$(rows), int lanes, const struct CONV_(view) *view) \
    { \
        CONV_(body)(in, w, out$(its_rows), pixels, vectors, lanes, view); \
    }
@ local function all(macro, class)
@   local line = {}
@   for p = 1, class.pixels do line[p] = ("%s(%d, %d)"):format(macro, p, class.vectors) end
@   return table.concat(line, " ")
@ end
@ for _, class in ipairs(plan.classes) do
$(all("CONV_OF", class))
@ end

/* One of these tiles. */
static $(target)void $(name)_tile(int vectors, int pixels, const float *in, const float *w, float *out$(rows), int lanes, const struct $(name)_view *view)
{
#define CONV_CASE(pixels, vectors) case pixels: CONV_(tile##pixels##x##vectors)(in, w, out$(its_rows), lanes, view); break;
    switch (vectors) {
@ for _, class in ipairs(plan.classes) do
    case $(class.vectors): switch (pixels) { $(all("CONV_CASE", class)) } break;
@ end
    }
#undef CONV_CASE
}
#undef CONV_OF
#undef CONV_ADD
#undef CONV_SUMS
