@ -- SPDX-License-Identifier: MIT-0
@ -- Tiles with pixels in the lanes, for NCHW: one body, of which each size of tile takes its part. They
@ -- read planes as they are, or as runtime_direct.c has staged them.
@ local L, P = isa.lanes, plan.pixels
@ local SW = layer.stride_w
@ local clipped, in_place = plan.rows_clipped, not plan.staged
@ local rows = clipped and ", int kh_begin, int kh_end" or ""
@ local its_rows = clipped and ", kh_begin, kh_end" or ""
/* The sums of one output channel and up to $(plural(P.units, "vector")) of pixels: how they start, and what a step adds. */
#define CONV_SUMS(k) $(V) acc_k##k##_p0 = $(isa.splat("outputs > k ? w[k] : 0.0f"))$(each(", acc_k##k##_p%d = acc_k##k##_p0", 1, P.units))
#define CONV_ADD(k) if (outputs > k) { \
        w_k = $(isa.splat("wt[k]")); \
        CONV_FMA(acc_k##k##_p0, w_k, x_p0);$(each(" \\\n        if (units > %d) CONV_FMA(acc_k##k##_p%d, w_k, x_p%d);", 1, P.units)) }

/* A tile of `outputs` channels x `units` vectors of pixels, numbers that leave its part of this body.$(in_place and " Of 0\n * vectors, it is one of `lanes` lanes." or "")
 * `some` of the channels, and `lanes` of the last vector, are in the output. */
static CONV_BODY void $(name)_px_body(const float *in, const float *w, float *out$(rows), int outputs, int units, int some, int lanes, const struct $(name)_view *view)
{
@ for k = 0, P.outputs - 1 do
    CONV_SUMS($(k));
@ end
    const float *wt = w + view->width;
@ if clipped then
    wt += (ptrdiff_t)kh_begin * $(times(layer.KW, "view->channels")) * view->width;
@ end
@ if layer.KH > 1 or clipped then
    for (int kh = $(clipped and "kh_begin" or 0); kh < $(clipped and "kh_end" or layer.KH); ++kh, in += $(times(layer.dilation_h, "view->in_row")))
@ end
@ if layer.KW > 1 then
    for (int kw = 0; kw < $(layer.KW); ++kw)
@ end
    {
@ local column = scaled("kw", layer.dilation_w)
@ if layer.KW == 1 then
        const float *px = in;
@ elseif SW == 1 then
        const float *px = in + $(column);
@ else
        const float *px = in + $(column) % $(SW) * (view->in_channel / $(SW)) + $(column) / $(SW);
@ end
        for (ptrdiff_t c = 0; c < view->channels; ++c, px += view->in_channel, wt += view->width) {
            const $(V) x_p0 = $(in_place and ("units == 0 ? %s_load(px, 0, lanes) : "):format(name) or "")$(isa.load("px"));
@ for p = 1, P.units - 1 do
            const $(V) x_p$(p) = units > $(p) ? $(isa.load(at("px", p * L))) : x_p0;
@ end
            $(V) w_k;
@ for k = 0, P.outputs - 1 do
            CONV_ADD($(k))
@ end
        }
    }
@ for k = 0, P.outputs - 1 do
    if (outputs > $(k) && some > $(k)) $(name)_out($(at("out", times(k, "view->out_channel")))$(each((", acc_k%d_p%%d"):format(k), 0, units, P.units)), units, lanes, view);
@ end
}

#define CONV_PIXELS(outputs, units) \
    static CONV_TILE void CONV_(px_##outputs##x##units)(const float *in, const float *w, float *out$(rows), int some, int lanes, const struct CONV_(view) *view) \
    { \
        CONV_(px_body)(in, w, out$(its_rows), outputs, units, some, lanes, view); \
    }
@ for _, outputs in ipairs(P.sizes) do
@   local line = {}
@   for units = in_place and 0 or 1, P.units do line[#line + 1] = ("CONV_PIXELS(%d, %d)"):format(outputs, units) end
$(table.concat(line, " "))
@ end

/* A row of `width` pixels, `channels` channels of it. */
static $(target)void $(name)_px_row(const float *in, const float *w, float *out$(rows), int width, int channels, const struct $(name)_view *view)
{
@ local choice = {}
@ for units = P.units, in_place and 0 or 1, -1 do
@   choice[#choice + 1] = ("units == %d ? CONV_(px_##outputs##x%d) : "):format(units, units)
@ end
@ choice[#choice] = choice[#choice]:match("%? (.*) : $")
#define CONV_CHOICE(outputs) ($(table.concat(choice)))
    for (int p = 0, units, lanes; p < width; p += $(L) * (units$(in_place and " + (units == 0)" or ""))) {
@ if in_place then
        const int vectors = (width - p) / $(L);
        units = vectors > 0 ? $(name)_part(vectors, $(P.units)) : 0;
        lanes = units > 0 ? $(L) : width - p;
@ else
        units = $(name)_part((width - p + $(L - 1)) / $(L), $(P.units));
        lanes = width - p < $(L) * units ? width - p - $(L) * (units - 1) : $(L);
@ end
        for (int k = 0, outputs; k < channels; k += outputs) {
            outputs = $(name)_part(channels - k, $(P.outputs));
@ for i, outputs in ipairs(P.sizes) do
            $(i > 1 and "else " or "")$(i < #P.sizes and ("if (outputs <= %d) "):format(outputs) or "")CONV_CHOICE($(outputs))(in + p, w + k, out + k * view->out_channel + p$(its_rows), outputs, lanes, view);
@ end
        }
    }
#undef CONV_CHOICE
}
#undef CONV_PIXELS
#undef CONV_ADD
#undef CONV_SUMS
