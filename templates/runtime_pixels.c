@ -- SPDX-License-Identifier: MIT-0
@ -- Tiles with pixels in the lanes: one body, of which each size of tile takes its part. They
@ -- read planes as they are, or as runtime_direct.c has staged them.
@ local L, P = isa.lanes, plan.pixels
@ local SW = layer.stride_w
@ local clipped = plan.rows_clipped
@ local in_place = plan.flat -- whole vectors, then a tile of the lanes that are left
@ local nhwc = layer.layout == "nhwc"
@ local all = P.sizes[#P.sizes] -- output channels of the largest tile
/* The sums of one output channel and up to $(plural(P.longest, "vector")) of pixels: how they start, and what a step adds. */
#define CONV_SUMS(k) $(V) acc_k##k##_p0 = $(isa.splat("outputs > k ? w[k] : 0.0f"))$(each(", acc_k##k##_p%d = acc_k##k##_p0", 1, P.longest))
#define CONV_ADD(k) if (outputs > k) { \
        w_k = $(isa.splat("wt[k]")); \
        CONV_FMA(acc_k##k##_p0, w_k, x_p0);$(each(" \\\n        if (units > %d) CONV_FMA(acc_k##k##_p%d, w_k, x_p%d);", 1, P.longest)) }

@ -- Some sums of a tile lie in memory before they are transposed, in fours: tiles of about as many channels are alike.
@ local function rows_of(channels)
@   local text = ""
@   for count = 4, all - 1, 4 do text = ("%s%s <= %d ? %d : "):format(text, channels, count, count) end
@   return text .. all
@ end
@ local args = math.min(all, 8) -- sums that a function takes in registers
@ if nhwc then
@   local names = {}
@   for k = 0, args - 1 do names[k + 1] = "v" .. k end
@   -- Of how many sums, from which on, and for which numbers of channels: there are cheaper ways for four.
@   local ways = {}
@   for first = 0, args - 1, L do
@     local count = math.min(L, args - first)
@     if count > 4 then ways[#ways + 1] = { first = 0, count = 4, least = 1, most = 4 } end
@     ways[#ways + 1] = { first = first, count = count, least = count > 4 and 5 or 1, most = count }
@   end
/* Of one vector of pixels, `lanes` of them in the output, the sums of `some` channels: each pixel's are neighbours. */
static CONV_TILE void $(name)_px_transposed(float *out, int some, int lanes, const struct $(name)_view *view$(each(", " .. V .. " v%d", 0, args)))
{
    const ptrdiff_t out_pixel = view->out_pixel;
@   if bounded then
    const $(V) low = $(isa.splat("view->low")), high = $(isa.splat("view->high"));
@   end
@   for _, v in ipairs(layer.activation.kind ~= "none" and names or {}) do
    $(v) = $(activate(v));
@   end
@   local put = {} -- a macro for each place in a vector, where a pixel's sums begin
@   for _, way in ipairs(ways) do
@     local overlaps = way.count > 4 and not isa.store_between
@     local lines, rows = isa.transpose(table.move(names, way.first + 1, way.first + way.count, 1, {}), "t", L)
    if (some >= $(way.first + way.least)$(way.most < args and L > 4 and (" && some <= %d"):format(way.most) or "")) {
@     for l = 1, L do
@       local lane = rows[l].at
@       if not put[lane] then
@         put[lane] = ("CONV_PUT%d"):format(lane)
@         local text = {}
@         for n = way.least, isa.store_between and 0 or way.most do
@           text[#text + 1] = ("\\\n        %s%s{ %s }"):format(n > way.least and "else " or "", n < way.most and ("if (count == %d) "):format(n) or "", isa.store_range("to", "v", lane, n))
@         end
#define $(put[lane])(l, v) if (lanes > l) { $(overlaps and ("if (over > l) { %s }\\\n        else "):format(isa.store("to", "v")) or "")$(isa.store_between and isa.store_between(lane > 0 and "to - " .. lane or "to", "v", lane, ("%d + count"):format(lane)) or table.concat(text)) \
        to += out_pixel; }
@       end
@     end
        $(lines)
        float *to = $(at("out", way.first));
        const int count = $(way.first > 0 and "some - " .. way.first or "some");
@     if overlaps then
        const int over = out_pixel == some ? lanes - 1 : 0; /* these write into the next one, which comes later */
@     end
@     for l = 1, L do
        $(put[rows[l].at])($(l - 1), $(rows[l].name))
@     end
@     for lane = 0, L do
@       if put[lane] then
#undef $(put[lane])
@       end
@     end
@     put = {}
    }
@   end
}

/* The same of `units` vectors, the sums of each being so many `rows` in memory. */
static CONV_TILE void $(name)_px_out(const $(V) *sums, int rows, float *out, int some, int units, int lanes, const struct $(name)_view *view)
{
    for (; units > 0; --units, sums += rows, out += $(times(L, "view->out_pixel"))) {
        const int there = units > 1 ? $(L) : lanes;
        $(name)_px_transposed(out, $(all > args and ("some < %d ? some : %d"):format(args, args) or "some"), there, view$(each(", sums[%d]", 0, math.min(4, args)))$(args > 4 and each(", sums[rows > 4 ? %d : 0]", 4, args) or ""));
@   if all > args then
        if (some > $(args)) $(name)_px_transposed($(at("out", args)), some - $(args), there, view$(each(", sums[%d]", args, all))$((", sums[0]"):rep(2 * args - all)));
@   end
    }
}
#define CONV_KEEP(k) if (rows > k) { \
        sums[k] = acc_k##k##_p0;$(each(" \\\n        if (units > %d) sums[%d * rows + k] = acc_k##k##_p%d;", 1, P.longest)) }

@ else
#define CONV_KEEP(k) if (outputs > k && some > k) CONV_(out)(out + k * out_channel$(each(", acc_k##k##_p%d", 0, units, P.longest)), units, lanes$(its_bounds));
@ end
/* A tile of `outputs` channels x `units` vectors of pixels, numbers that leave its part of this body.$(in_place and " Of 0\n * vectors, it is one of `lanes` lanes." or "")
 * `some` of the channels, and `lanes` of the last vector, are in the output. */
static CONV_BODY void $(name)_px_body(const float *in, const float *w, float *out, int outputs, int units, int some, int lanes, const struct $(name)_view *view)
{
    $(calls("CONV_SUMS(%d);", all))
    const ptrdiff_t width = view->width;
    const float *wt = w + width;
@ if clipped then
    wt += (ptrdiff_t)view->kh_begin * $(times(layer.KW, "view->channels")) * width;
@ end
@ if layer.KH > 1 or clipped then
    for (int kh = $(clipped and "view->kh_begin" or 0); kh < $(clipped and "view->kh_end" or layer.KH); ++kh, in += $(times(layer.dilation_h, "view->in_row")))
@ end
    {
@ if isa.registers >= 32 then -- more than tiles hold: see rows_of_taps() in runtime_channels.c
        CONV_HOLD(view);
@ end
@ if plan.staged and layer.KH > 1 then
        if (kh == view->wrap) in -= view->ring;
@ end
@ if layer.KW > 1 then
        CONV_ROLLED
        for (const int *place = view->places; place < view->places_end; ++place, wt += width) {
            const float *const px = in + *place;
@ else
        const float *px = in;
        CONV_ROLLED
        for (ptrdiff_t c = view->channels; c > 0; --c, px += view->in_channel, wt += width) {
@ end
            $(V) x_p0 = $(in_place and ("units == 0 ? %s_load(px, 0, lanes) : "):format(name) or "")$(isa.load("px"));
@ for p = 1, P.longest - 1 do
            $(V) x_p$(p) = units > $(p) ? $(isa.load(at("px", p * L))) : x_p0;
@ end
@ if isa.accumulate ~= "" then
            if (outputs * units + units + 4 <= $(isa.registers)) {
@   for p = 0, P.longest - 1 do
                $(p > 0 and ("if (units > %d) "):format(p) or "")CONV_PIN(x_p$(p));
@   end
            }
@ end
            $(V) w_k;
            $(calls("CONV_ADD(%d)", all))
        }
    }
@ if nhwc then
    if (outputs <= $(args) && units <= $(P.kept)) {
@   for p = 0, P.kept - 1 do
        $(p > 0 and ("if (units > %d) "):format(p) or "")$(name)_px_transposed($(at("out", times(p * L, "view->out_pixel"))), some, units > $(p + 1) ? $(L) : lanes, view$(each((", acc_k%%d_p%d"):format(p), 0, args)));
@   end
    } else { /* it would be much code to keep them in registers */
        const int rows = $(rows_of("outputs"));
        $(V) sums[$(P.most_sums)];
        $(calls("CONV_KEEP(%d)", all))
        $(name)_px_out(sums, rows, out, some, units, lanes, view);
    }
@ else
@ if bounded then
    const $(V) low = $(isa.splat("view->low")), high = $(isa.splat("view->high"));
@ end
    const ptrdiff_t out_channel = view->out_channel;
    $(calls("CONV_KEEP(%d)", all))
@ end
}

#define CONV_PIXELS(outputs, units) \
    static CONV_TILE void CONV_(px_##outputs##x##units)(const float *in, const float *w, float *out, int some, int lanes, const struct CONV_(view) *view) \
    { \
        CONV_(px_body)(in, w, out, outputs, units, some, lanes, view); \
    }
@ for i, outputs in ipairs(P.sizes) do
@   local line = {}
@   for units = P.least[i] > 1 and P.least[i] or in_place and 0 or 1, P.most[i] do line[#line + 1] = ("CONV_PIXELS(%d, %d)"):format(outputs, units) end
$(table.concat(line, " "))
@ end

@ if layer.KW > 1 then
/* Where the taps of a row are, of all channels, as many floats from a plane's begin. */
static void $(name)_set_places(struct $(name)_view *view, int *places)
{
    view->places = places;
    CONV_ROLLED
    for (ptrdiff_t c = 0; c < view->channels; ++c) {
        const int plane = (int)(c * view->in_channel)$(SW > 1 and (", phase = (int)view->in_channel / %d"):format(SW) or "");
        for (int kw = 0; kw < $(layer.KW); ++kw) *places++ = plane + $(SW == 1 and scaled("kw", layer.dilation_w) or ("%s %% %d * phase + %s / %d"):format(scaled("kw", layer.dilation_w), SW, scaled("kw", layer.dilation_w), SW));
    }
    view->places_end = places;
}

@ end
@ if plan.flat then
/* A row of `width` pixels, `channels` channels of it. */
static $(target)void $(name)_px_row(const float *in, const float *w, float *out, int width, int channels, const struct $(name)_view *view)
@ else
/* Rows oh_begin to oh_end, `channels` channels of them. */
static CONV_TILE void $(name)_px_rows($(clipped and "const struct conv_shape *shape, " or "")struct $(name)_view *view, const float *in, const float *w, float *out,
    int width, int channels, int oh_begin, int oh_end)
@ end
{
@ local chosen = {} -- for each size, how one of its tiles is chosen
@ for i, outputs in ipairs(P.sizes) do
@   local text, none = "", in_place and 0 or 1
@   local function tile(units) return ("CONV_(px_%dx%d)"):format(math.max(1, units) < P.least[i] and 4 or outputs, units) end
@   for u = P.most[i], outputs > P.outputs and P.most[i] + 1 or none + 1, -1 do text = ("%sunits == %d ? %s : "):format(text, u, tile(u)) end
@   chosen[i] = text .. tile(outputs > P.outputs and P.most[i] or none)
@ end
@ local most = {}
@ for i, outputs in ipairs(P.sizes) do
@   most[i] = i == #P.sizes and tostring(P.most[i])
@     or P.most[i] ~= P.most[i + 1] and ("first <= %d ? %d : "):format(outputs, P.most[i]) or ""
@ end
    int at_most = $(P.outputs); /* channels in a tile */
@ if P.wide then
    /* Or more, where this makes fewer tiles$(P.wide.multiple > 1 and " and leaves none of their sums unused" or ""). */
    const int vectors = (width + $(L - 1)) / $(L);
    if ($(P.wide.multiple > 1 and ("channels %% %d == 0 && "):format(P.wide.multiple) or "")vectors % 2 == 0 && (channels + $(all - 1)) / $(all) * (vectors / 2) < (channels + $(P.outputs - 1)) / $(P.outputs) * ((vectors + $(P.units - 1)) / $(P.units))) at_most = $(all);
@ end
    const int first = $(name)_part(channels, at_most);
    const int most = $(table.concat(most)); /* vectors in it */
@ if not in_place then
    /* Of rows of few tiles all first ones, then all second ones: processors do not foresee where short rows end. */
    const int together = width <= $(2 * L) * most ? oh_end - oh_begin : 1;
    const int start = $(row_at("oh_begin")), ring = view->held > 0 ? start - start % view->held : 0; /* the row at its begin */
    const float *row = in;
    int seen = -1;
    for (int begin = oh_begin; begin < oh_end; begin += together)
@ end
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
            outputs = $(name)_part(channels - k, at_most);
            void (*tile)(const float *, const float *, float *, int, int, const struct $(name)_view *);
@ for i, outputs in ipairs(P.sizes) do
            $(i > 1 and "else " or "")$(i < #P.sizes and ("if (outputs <= %d) "):format(outputs) or "")tile = $(chosen[i]);
@ end
@ if nhwc then
            const int some = outputs < 4 && channels - k >= 4 ? 4 : outputs; /* what is beyond its channels comes later */
@ end
            float *to = out + k * view->out_channel + p$(nhwc and " * view->out_pixel" or "");
@ if in_place then
            tile(in + p, w + k, to, outputs, lanes, view);
@ else
            for (int oh = begin; oh < begin + together; ++oh) {
                if (oh != seen) {
                    const int at = $(row_at("oh"));
                    int place = at < ring ? 0 : at - ring; /* a row of padding reads nothing */
                    if (view->held > 0 && place >= view->held) place -= view->held;
                    view->wrap = $(clipped and "view->kh_begin + " or "")$(ceil_quotient("(view->held - place)", layer.dilation_h));
                    row = in + place * view->in_row;
                    seen = oh;
                }
                tile(row + p, w + k, to + oh * view->out_row, $(nhwc and "some" or "outputs"), lanes, view);
            }
@ end
        }
    }
}
#undef CONV_PIXELS
#undef CONV_KEEP
#undef CONV_ADD
#undef CONV_SUMS
