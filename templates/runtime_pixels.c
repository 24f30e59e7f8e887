@ -- SPDX-License-Identifier: MIT-0
@ -- Tiles with pixels in the lanes: one body, of which each size of tile takes its part. They
@ -- read planes as they are, or as runtime_direct.c has staged them.
@ local L, P = isa.lanes, plan.pixels
@ local SW = layer.stride_w
@ local clipped, in_place = plan.rows_clipped, not plan.staged
@ local rows = clipped and ", int kh_begin, int kh_end" or ""
@ local its_rows = clipped and ", kh_begin, kh_end" or ""
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
        if (lanes > $(l - 1)) {
            float *const to = $(at("out", plus(times(l - 1, "view->out_pixel"), way.first)));
@       for n = way.least, way.most do
            $(n > way.least and "else " or "")$(n < way.most and ("if (some == %d) "):format(way.first + n) or ""){ $(isa.store_range("to", rows[l].name, rows[l].at, n)) }
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
@ for p = 1, P.longest - 1 do
            const $(V) x_p$(p) = units > $(p) ? $(isa.load(at("px", p * L))) : x_p0;
@ end
            $(V) w_k;
@ for k = 0, P.outputs - 1 do
            CONV_ADD($(k))
@ end
        }
    }
@ if nhwc then
    $(name)_px_out(out, some, units, lanes, view$(all_sums));
@ else
@ for k = 0, P.outputs - 1 do
    if (outputs > $(k) && some > $(k)) $(name)_out($(at("out", times(k, "view->out_channel")))$(each((", acc_k%d_p%%d"):format(k), 0, units, P.longest)), units, lanes, view);
@ end
@ end
}

#define CONV_PIXELS(outputs, units) \
    static CONV_TILE void CONV_(px_##outputs##x##units)(const float *in, const float *w, float *out$(rows), int some, int lanes, const struct CONV_(view) *view) \
    { \
        CONV_(px_body)(in, w, out$(its_rows), outputs, units, some, lanes, view); \
    }
@ for i, outputs in ipairs(P.sizes) do
@   local line = {}
@   for units = in_place and 0 or 1, P.most[i] do line[#line + 1] = ("CONV_PIXELS(%d, %d)"):format(outputs, units) end
$(table.concat(line, " "))
@ end

/* A row of `width` pixels, `channels` channels of it. */
static $(target)void $(name)_px_row(const float *in, const float *w, float *out$(rows), int width, int channels, const struct $(name)_view *view)
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
            $(i > 1 and "else " or "")$(i < #P.sizes and ("if (outputs <= %d) "):format(outputs) or "")($(choice(i)))(in + p, w + k, out + k * view->out_channel + p$(nhwc and " * view->out_pixel" or "")$(its_rows), outputs, lanes, view);
@ end
        }
    }
}
#undef CONV_PIXELS
#undef CONV_ADD
#undef CONV_SUMS
