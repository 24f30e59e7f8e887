@ -- SPDX-License-Identifier: MIT-0
@ local L, tile = isa.lanes, plan.tile
@ local clipped = plan.rows_clipped
@ local function rounded(width) return L == 1 and width or ("(%s + %d) / %d * %d"):format(width, L - 1, L, L) end
/* Strides of what a tile reads and writes, in elements. */
struct $(name)_view {
    ptrdiff_t in_row, in_pixel, channels, out_row, out_pixel, out_channel;
@ if plan.planes or plan.pixels then
    ptrdiff_t in_channel;
@ end
@ if plan.pixels then
    ptrdiff_t width; /* of the block of packed weights */
@ end
@ if layer.activation.runtime then
    float low, high;
@ end
};

@ if L > 1 then
$(include("lanes.c", { lane_loads = plan.pixels and (not plan.staged or layer.layout == "nhwc" and isa.load_between) and 1 or false, lane_stores = true }))
#define CONV_STORE(out, v) do { if (lanes < $(L)) $(name)_store(out, v, lanes); else $(isa.store("out", "v")) } while (0)

@ end
@ local units = math.max(tile.vectors, plan.pixels and plan.pixels.longest or 0)
@ -- The text `format` for each i in [from, to); where there are fewer, again for the last one.
@ local function each(format, from, to, there)
@   local out = {}
@   for i = from, to - 1 do out[#out + 1] = format:gsub("%%d", math.min(i, (there or to) - 1)) end
@   return table.concat(out)
@ end
/* A row of a finished tile: `vectors` of the sums, of the last one `lanes` lanes. */
static CONV_BODY void $(name)_out(float *out$(each(", " .. V .. " v%d", 0, units)), int vectors, int lanes, const struct $(name)_view *view)
{
@ if layer.activation.runtime then
    const $(V) low = $(isa.splat("view->low")), high = $(isa.splat("view->high"));
@ else
    (void)view;
@ end
@ local result = layer.activation.kind ~= "none" and activate("v0") or "v0"
@ for i = 1, units - 1 do
    if (vectors > $(i)) {
        $(isa.store("out", result))
        v0 = v$(i);
        out += $(L);
    }
@ end
@ if L > 1 then
    CONV_STORE(out, $(result));
@ else
    (void)lanes;
    $(isa.store("out", result))
@ end
}

$(include("runtime_channels.c", { each = each, units = units }))

$(include("runtime_stage.c"))

/* `left` in equal parts of at most `most`: the size of the first one. */
static int $(name)_part(int left, int most)
{
    const int parts = (left + most - 1) / most;
    return (left + parts - 1) / parts;
}

@ if plan.pixels then
$(include("runtime_pixels.c", { each = each, units = units }))

@ end
@ local scratch = layer.layout == "nchw"
/* Rows oh_begin to oh_end of one block; in is row `first` of the input. */
static $(target)void $(name)_rows(const struct conv_shape *shape, const struct $(name)_split *s, const struct $(name)_view *view,
    const float *in, int first, const float *w, float *out, int vectors, int lanes, int oh_begin, int oh_end$(scratch and ", float *scratch" or ""))
{
@ local most, same = {}, true
@ for _, class in ipairs(plan.classes) do
@   most[#most + 1] = ("vectors == %d ? %d : "):format(class.vectors, class.pixels)
@   same = same and class.pixels == plan.classes[1].pixels
@ end
@ most[#most] = tostring(plan.classes[#plan.classes].pixels)
    const int most = $(same and most[#most] or table.concat(most)); /* pixels in a tile */
@ if plan.flat then
    const int pixels = shape->out_h * shape->out_w;
@ elseif not clipped then
    (void)shape;
@ end
    for (int oh = oh_begin; oh < oh_end; ++oh) {
@ if plan.flat then
        const int width = pixels - oh * s->width < s->width ? pixels - oh * s->width : s->width;
@ else
        const int width = s->width;
@ end
@ if clipped then
        /* The taps kh_begin to kh_end of the column meet the image; the others its padding. */
        const int top = $(scaled("oh", layer.stride_h)) - shape->pad_top;
        int kh_begin = top < 0 ? $(ceil_quotient("-top", layer.dilation_h)) : 0;
        int kh_end = top + $((layer.KH - 1) * layer.dilation_h) < shape->in_h ? $(layer.KH) : $(ceil_quotient("shape->in_h - top", layer.dilation_h));
        if (kh_begin >= kh_end) kh_begin = kh_end = 0;
        const float *row = kh_begin < kh_end ? in + (top + $(scaled("kh_begin", layer.dilation_h)) - first) * view->in_row : in;
@ else
        const float *row = in + ($(scaled("oh", layer.stride_h)) - first) * view->in_row;
@ end
@ if plan.pixels then
        if (s->pixels$(plan.flat and (" && (width + %d) / %d * %d <= width * 10"):format(L - 1, L, L * 9) or "")) {
            $(name)_px_row(row, w, out + oh * view->out_row$(clipped and ", kh_begin, kh_end" or ""), width, (vectors - 1) * $(L) + lanes, view);
            continue;
        }
@ end
        float *to = $(scratch and "scratch; /* a row as NHWC */" or "out + oh * view->out_row;")
        for (int left = width, n; left > 0; left -= n) {
            n = $(name)_part(left, most);
            $(name)_tile(vectors, n, row, w, to$(clipped and ", kh_begin, kh_end" or ""), $(scratch and L or "lanes"), view);
            row += $(plan.planes and "n" or "n * " .. times(layer.stride_w, "view->in_pixel"));
            to += n * view->out_pixel;
        }
@ if scratch then
        $(name)_transpose(scratch, view->out_pixel, width, width + $(L - 1), (vectors - 1) * $(L) + lanes, out + oh * view->out_row, view->out_channel);
@ end
    }
}

$(target)void $(name)_run(const struct conv_shape *shape, const float *input, const void *packed, float *output,
    void *workspace, int task_begin, int task_end)
{
    const struct $(name)_split s = $(name)_cut(shape);
    const ptrdiff_t IC = shape->in_channels, OC = shape->out_channels;
    const ptrdiff_t in_pixels = (ptrdiff_t)shape->in_h * shape->in_w, out_pixels = (ptrdiff_t)shape->out_h * shape->out_w;
@ if plan.pixels then
    struct $(name)_view view = {
@ else
    const struct $(name)_view view = {
@ end
@ if plan.staged then
        (ptrdiff_t)$((plan.as_is and "(s.pixels ? %s_span(shape) : shape->in_w)" or "%s_span(shape)"):format(name)) * IC, IC, IC,
@ elseif plan.planes then
        s.width, 1, IC,
@ else
        $(plan.flat and "s.width" or "shape->in_w") * IC, IC, IC,
@ end
@ if layer.layout == "nhwc" then
        s.width * OC, OC, 1,
@ else
        s.width, s.block * $(L), out_pixels,
@ end
@ if plan.planes then
        in_pixels,
@ elseif plan.pixels then
        (ptrdiff_t)$(name)_span(shape),
@ end
@ if plan.pixels then
        0,
@ end
@ if layer.activation.runtime then
        shape->clamp_low, shape->clamp_high,
@ end
    };
@ if not plan.staged and not scratch then
    (void)workspace;
@ elseif scratch then
    float *scratch = workspace;
@ end
    for (int task = task_begin; task < task_end; ++task) {
        const int oh_begin = task % s.bands * s.band;
        const int oh_end = s.rows - oh_begin < s.band ? s.rows : oh_begin + s.band;
        const int chunk = task / s.bands % s.chunks;
        const int image = task / s.bands / s.chunks;
        const float *in = input + image * in_pixels * IC;
        float *out = output + image * out_pixels * OC;
@ if plan.staged then
        const int top = $(scaled("oh_begin", layer.stride_h)) - shape->pad_top;
        const int bottom = $(scaled("(oh_end - 1)", layer.stride_h)) - shape->pad_top + $((layer.KH - 1) * layer.dilation_h + 1);
        const int first = top < 0 ? 0 : top < shape->in_h ? top : shape->in_h;
        const int last = bottom < shape->in_h ? bottom : shape->in_h;
@   if scratch then
        float *staged = scratch + $(rounded("s.width")) * view.out_pixel;
@   else
        float *staged = workspace;
@   end
@   if plan.as_is then
        if (s.pixels) {
            $(name)_stage_planes(shape, in, staged, first, last);
            in = staged;
        } else {
            in += first * view.in_row;
        }
@   else
@     if plan.pixels then
        if (s.pixels) $(name)_stage_planes(shape, in, staged, first, last);
        else $(name)_stage(shape, in, staged, first, last);
@     else
        $(name)_stage(shape, in, staged, first, last);
@     end
        in = staged;
@   end
@ else
        const int first = 0;
@ end
        const int end = s.vectors - chunk * s.chunk < s.chunk ? s.vectors : (chunk + 1) * s.chunk;
        for (int v = chunk * s.chunk, vectors; v < end; v += vectors) {
            vectors = $(name)_vectors(s.vectors - v, s.block);
@ if plan.pixels then
            view.width = vectors * $(L);
@ end
            const int left = (int)OC - (v + vectors - 1) * $(L);
            const float *w = (const float *)packed + (ptrdiff_t)v * $(L) * (1 + $(layer.KH * layer.KW) * IC);
            $(name)_rows(shape, &s, &view, in, first, w, out + (ptrdiff_t)v * $(L) * view.out_channel, vectors, left < $(L) ? left : $(L), oh_begin, oh_end$(scratch and ", scratch" or ""));
        }
    }
}
@ if L > 1 then

#undef CONV_STORE
@ end
