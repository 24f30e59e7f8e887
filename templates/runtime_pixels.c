@ -- SPDX-License-Identifier: MIT-0
@ -- Tiles with pixels in the lanes: one body, of which each size of tile takes its part. They
@ -- read planes as they are, or as runtime_direct.c has staged them.
@ local L, P = isa.lanes, plan.pixels
@ local SW = layer.stride_w
@ local clipped = plan.rows_clipped
@ local in_place = plan.flat -- whole vectors, then a tile of the lanes that are left
@ local nhwc = layer.layout == "nhwc"
@ local all_sums, sum_parameters = "", ""
@ for k = 0, P.outputs - 1 do
@   for p = 0, P.longest - 1 do
@     all_sums = ("%s, acc_k%d_p%d"):format(all_sums, k, p)
@     sum_parameters = ("%s, %s k%d_p%d"):format(sum_parameters, V, k, p)
@   end
@ end
/* The sums of one output channel and up to $(plural(P.longest, "vector")) of pixels: how they start, and what a step adds. */
#define CONV_SUMS(k) $(V) acc_k##k##_p0 = $(isa.splat("outputs > k ? w[k] : 0.0f"))$(each(", acc_k##k##_p%d = acc_k##k##_p0", 1, P.longest))
#define CONV_ADD(k) if (outputs > k) { \
        w_k = $(isa.splat("wt[k]")); \
        CONV_FMA(acc_k##k##_p0, w_k, x_p0);$(each(" \\\n        if (units > %d) CONV_FMA(acc_k##k##_p%d, w_k, x_p%d);", 1, P.longest)) }

@ if nhwc then
@   local sums = {}
@   for k = 0, P.outputs - 1 do sums[k + 1] = "v" .. k end
@   -- Of how many sums, from which on, and for which numbers of channels: there are cheaper ways for four.
@   local ways = {}
@   for first = 0, P.outputs - 1, L do
@     local count = math.min(L, P.outputs - first)
@     if count > 4 then ways[#ways + 1] = { first = 0, count = 4, least = 1, most = 4 } end
@     ways[#ways + 1] = { first = first, count = count, least = count > 4 and 5 or 1, most = count }
@   end
/* Of one vector of pixels, `lanes` of them in the output, the sums of `some` channels: each pixel's are neighbours. */
static CONV_TILE void $(name)_px_transposed(float *out, int some, int lanes, const struct $(name)_view *view$(each(", " .. V .. " v%d", 0, P.outputs)))
{
    const ptrdiff_t out_pixel = view->out_pixel;
@   if layer.activation.runtime then
    const $(V) low = $(isa.splat("view->low")), high = $(isa.splat("view->high"));
@   end
@   if layer.activation.kind ~= "none" then
@     for k = 0, P.outputs - 1 do
    v$(k) = $(activate("v" .. k));
@     end
@   end
@   for _, way in ipairs(ways) do
@     local names = table.move(sums, way.first + 1, way.first + way.count, 1, {})
@     local lines, rows = isa.transpose(names, "t", L)
    if (some >= $(way.first + way.least)$(way.most < P.outputs and way.first + way.most < P.outputs and L > 4 and (" && some <= %d"):format(way.most) or "")) {
        $(lines)
@     for l = 1, L do
@       local lane = rows[l].at
        if (lanes > $(l - 1)) {
            float *const to = $(at("out", plus(times(l - 1, "out_pixel"), way.first)));
@       if isa.store_between then
            $(isa.store_between(lane > 0 and "to - " .. lane or "to", rows[l].name, lane, ("%d + %s"):format(lane, way.first > 0 and "some - " .. way.first or "some")))
@       else
@         for n = way.least, way.most do
            $(n > way.least and "else " or "")$(n < way.most and ("if (some == %d) "):format(way.first + n) or ""){ $(isa.store_range("to", rows[l].name, lane, n)) }
@         end
@       end
        }
@     end
    }
@   end
}

/* The sums of a tile. */
static CONV_BODY void $(name)_px_out(float *out, int some, int units, int lanes, const struct $(name)_view *view$(sum_parameters))
{
@   for p = 0, P.longest - 1 do
    if (units > $(p)) {
        float *const to = $(at("out", times(p * L, "view->out_pixel")));
        $(name)_px_transposed(to, some, units > $(p + 1) ? $(L) : lanes, view$(each((", k%%d_p%d"):format(p), 0, P.outputs)));
    }
@   end
}

@ end
#if defined(__clang__)
#define CONV_ROLLED _Pragma("clang loop unroll(disable)") /* it would be much code */
#else
#define CONV_ROLLED
#endif
/* A tile of `outputs` channels x `units` vectors of pixels, numbers that leave its part of this body.$(in_place and " Of 0\n * vectors, it is one of `lanes` lanes." or "")
 * `some` of the channels, and `lanes` of the last vector, are in the output. */
static CONV_BODY void $(name)_px_body(const float *in, const float *w, float *out, int outputs, int units, int some, int lanes, const struct $(name)_view *view)
{
@ for k = 0, P.outputs - 1 do
    CONV_SUMS($(k));
@ end
    const ptrdiff_t width = view->width$(SW > 1 and layer.KW > 1 and (", phase = view->in_channel / %d"):format(SW) or "");
    const float *wt = w + width;
@ if clipped then
    wt += (ptrdiff_t)view->kh_begin * $(times(layer.KW, "view->channels")) * width;
@ end
@ if layer.KH > 1 or clipped then
    for (int kh = $(clipped and "view->kh_begin" or 0); kh < $(clipped and "view->kh_end" or layer.KH); ++kh, in += $(times(layer.dilation_h, "view->in_row")))
@ end
    {
        const float *plane = in;
        for (ptrdiff_t c = 0; c < view->channels; ++c, plane += view->in_channel) {
@ local column = scaled("kw", layer.dilation_w)
@ if layer.KW > 1 then
            CONV_ROLLED
            for (int kw = 0; kw < $(layer.KW); ++kw, wt += width) {
                const float *const px = plane + $(SW == 1 and column or ("(%s %% %d * phase + %s / %d)"):format(column, SW, column, SW));
@ else
            {
                const float *const px = plane;
@ end
                const $(V) x_p0 = $(in_place and ("units == 0 ? %s_load(px, 0, lanes) : "):format(name) or "")$(isa.load("px"));
@ for p = 1, P.longest - 1 do
                const $(V) x_p$(p) = units > $(p) ? $(isa.load(at("px", p * L))) : x_p0;
@ end
                $(V) w_k;
@ for k = 0, P.outputs - 1 do
                CONV_ADD($(k))
@ end
@ if layer.KW == 1 then
                wt += width;
@ end
            }
        }
    }
@ if nhwc then
    $(name)_px_out(out, some, units, lanes, view$(all_sums));
@ else
@ if bounded then
    const $(V) low = $(isa.splat("view->low")), high = $(isa.splat("view->high"));
@ end
    const ptrdiff_t out_channel = view->out_channel;
@ for k = 0, P.outputs - 1 do
    if (outputs > $(k) && some > $(k)) $(name)_out($(at("out", times(k, "out_channel")))$(each((", acc_k%d_p%%d"):format(k), 0, units, P.longest)), units, lanes$(its_bounds));
@ end
@ end
}

#define CONV_PIXELS(outputs, units) \
    static CONV_TILE void CONV_(px_##outputs##x##units)(const float *in, const float *w, float *out, int some, int lanes, const struct CONV_(view) *view) \
    { \
        CONV_(px_body)(in, w, out, outputs, units, some, lanes, view); \
    }
@ for i, outputs in ipairs(P.sizes) do
@   local line = {}
@   for units = in_place and 0 or 1, P.most[i] do line[#line + 1] = ("CONV_PIXELS(%d, %d)"):format(outputs, units) end
$(table.concat(line, " "))
@ end

/* A row of `width` pixels, `channels` channels of it. */
static $(target)void $(name)_px_row(const float *in, const float *w, float *out, int width, int channels, const struct $(name)_view *view)
{
@ local function choice(i)
@   local text = {}
@   for units = P.most[i], in_place and 0 or 1, -1 do
@     text[#text + 1] = ("units == %d ? %s_px_%dx%d : "):format(units, name, P.sizes[i], units)
@   end
@   text[#text] = text[#text]:match("%? (.*) : $")
@   return table.concat(text)
@ end
@ local most = {}
@ for i, outputs in ipairs(P.sizes) do
@   most[i] = i < #P.sizes and ("first <= %d ? %d : "):format(outputs, P.most[i]) or tostring(P.most[i])
@ end
    const int first = $(name)_part(channels, $(P.outputs)); /* the most channels of a tile here */
    const int most = $(table.concat(most)); /* vectors in it */
    for (int p = 0, units, lanes; p < width; p += $(L) * (units$(in_place and " + (units == 0)" or ""))) {
@ if in_place then
        const int vectors = (width - p) / $(L);
        units = vectors > 0 ? $(name)_part(vectors, most) : 0;
        lanes = units > 0 ? $(L) : width - p;
@ else
        units = $(name)_part((width - p + $(L - 1)) / $(L), most);
        lanes = width - p < $(L) * units ? width - p - $(L) * (units - 1) : $(L);
@ end
        for (int k = 0, outputs; k < channels; k += outputs) {
            outputs = $(name)_part(channels - k, $(P.outputs));
@ for i, outputs in ipairs(P.sizes) do
            $(i > 1 and "else " or "")$(i < #P.sizes and ("if (outputs <= %d) "):format(outputs) or "")($(choice(i)))(in + p, w + k, out + k * view->out_channel + p$(nhwc and " * view->out_pixel" or ""), outputs, lanes, view);
@ end
        }
    }
}
#undef CONV_PIXELS
#undef CONV_ROLLED
#undef CONV_ADD
#undef CONV_SUMS
