@ -- SPDX-License-Identifier: MIT-0
@ local L, tile = isa.lanes, plan.tile
@ local clipped = plan.rows_clipped
/* Strides of what a tile reads and writes, in elements. */
struct $(name)_view {
    ptrdiff_t in_row, in_pixel, channels, out_row, out_pixel, out_channel;
@ if plan.input.pixel == 1 then
    ptrdiff_t in_channel;
@   if plan.pixels then
    ptrdiff_t width; /* of the block of packed weights */
@   end
@ end
@ if layer.activation.runtime then
    float low, high;
@ end
};

@ if L > 1 then
$(include("lanes.c", { lane_loads = plan.pixels and 1 or false, lane_stores = true }))
#define CONV_STORE(out, v) $(name)_store(out, v, lanes)

@ end
$(include("direct.c"))
@ if plan.pixels then

$(include_plan("direct.c", plan.pixels))
@ end

@ local kw = layer.dilation_w == 1 and "" or (", 0, %d"):format(layer.KW)
/* A tile of `vectors` x `pixels`: one of the micro-kernels above. */
static $(target)void $(name)_tile(int vectors, int pixels, const float *in, const float *w, float *out$(clipped and ", int kh_begin, int kh_end" or ""), int lanes, const struct $(name)_view *view)
{
@ for i, class in ipairs(plan.classes) do
    $(i > 1 and "else " or "")$(i < #plan.classes and ("if (vectors == %d) "):format(class.vectors) or "")$("{")
@   for k, variant in ipairs(class.variants) do
        $(k > 1 and "else " or "")$(k < #class.variants and ("if (pixels <= %d) "):format(variant.pixels) or "")$(name)_k$(class.width)_tile$(variant.pixels)(in, w, out$(clipped and ", kh_begin, kh_end" or "")$(kw)$(variant.fewer and ", pixels" or ""), lanes, view);
@   end
    }
@ end
}

@ if layer.layout == "nchw" then
/* to[c][r] = from[r][c], rows of both being so many elements apart. */
static $(target)void $(name)_transpose(const float *from, ptrdiff_t from_step, ptrdiff_t rows, ptrdiff_t columns,
    float *to, ptrdiff_t to_step)
{
    ptrdiff_t r = 0;
@   if L > 1 then
    for (; r + $(L) <= rows; r += $(L)) {
        ptrdiff_t c = 0;
        for (; c + $(L) <= columns; c += $(L)) {
            const float *row = from + r * from_step + c;
            float *at = to + c * to_step + r;
@     local names = {}
@     for l = 0, L - 1 do
@       names[l + 1] = "r" .. l
            const $(V) r$(l) = $(isa.load(at("row", times(l, "from_step"))));
@     end
@     local lines, columns = isa.transpose(names, "t", L)
            $(lines)
@     for l = 1, L do
            $(isa.store_range(at("at", times(l - 1, "to_step")), columns[l].name, columns[l].at, L))
@     end
        }
        for (; c < columns; ++c)
            for (int l = 0; l < $(L); ++l) to[c * to_step + r + l] = from[(r + l) * from_step + c];
    }
@   end
    for (; r < rows; ++r)
        for (ptrdiff_t c = 0; c < columns; ++c) to[c * to_step + r] = from[r * from_step + c];
}

@ end
/* Pixels of the next tile of a row: as equal as up to 4 and `most` can be. */
static int $(name)_pixels(int left, int most)
{
    if (left > 2 * most) return most;
    const int tiles = (left + most - 1) / most, n = (left + tiles - 1) / tiles;
    return n <= 4 || n == most ? n : n == left ? 3 : most;
}

@ if plan.pixels then
@ local P, outputs = plan.pixels, plan.pixels.outputs
/* Some pixels of `channels` channels, with pixels in the lanes. */
static $(target)void $(name)_pixel_row(const struct $(name)_view *view, const float *in, const float *w, float *out,
    int pixels, int channels)
{
    for (int k = 0; k < channels; k += $(outputs)) {
        const int outputs = channels - k < $(outputs) ? channels - k : $(outputs);
        float *to = out + k * view->out_channel;
        int p = 0;
        for (int left = pixels / $(L), units; left > 0; left -= units, p += $(L) * units) {
            const int tiles = (left + $(P.units - 1)) / $(P.units);
            units = (left + tiles - 1) / tiles; /* as equal as they can be */
@   for units = P.units, 1, -1 do
            $(units < P.units and "else " or "")$(units > 1 and ("if (units == %d) "):format(units) or "")$(name)_px_tile$(units)(in + p, w + k, to + p, outputs, $(L), view);
@   end
        }
        if (p < pixels) $(name)_px_tile0(in + p, w + k, to + p, outputs, pixels - p, view);
    }
}

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
        /* Pixels in the lanes, unless too many lanes would have none. */
        if ((width + $(L - 1)) / $(L) * $(L * 9) <= width * 10) {
            $(name)_pixel_row(view, row, w, out + oh * view->out_row, width, (vectors - 1) * $(L) + lanes);
            continue;
        }
@ end
        float *to = $(scratch and "scratch; /* a row as NHWC */" or "out + oh * view->out_row;")
        for (int left = width, n; left > 0; left -= n) {
            n = $(name)_pixels(left, most);
            $(name)_tile(vectors, n, row, w, to$(clipped and ", kh_begin, kh_end" or ""), $(scratch and L or "lanes"), view);
            row += n * $(times(layer.stride_w, plan.input.pixel));
            to += n * view->out_pixel;
        }
@ if scratch then
        $(name)_transpose(scratch, view->out_pixel, width, (vectors - 1) * $(L) + lanes, out + oh * view->out_row, view->out_channel);
@ end
    }
}

@ if plan.staged then
/* Copies rows [first, last) of an image as NHWC, with the padding beside each row. */
static $(target)void $(name)_stage(const struct conv_shape *shape, const float *image, float *to, int first, int last)
{
    const ptrdiff_t IC = shape->in_channels, IW = shape->in_w;
    const ptrdiff_t span = (ptrdiff_t)$(name)_span(shape), left = shape->pad_left < span ? shape->pad_left : span;
    const ptrdiff_t pixels = IW < span - left ? IW : span - left;
    for (int ih = first; ih < last; ++ih, to += span * IC) {
@ if layer.layout == "nhwc" then
        memcpy(to + left * IC, image + ih * IW * IC, (size_t)(pixels * IC) * sizeof(float));
@ else
        $(name)_transpose(image + ih * IW, shape->in_h * IW, IC, pixels, to + left * IC, IC);
@ end
        memset(to, 0, (size_t)(left * IC) * sizeof(float));
        memset(to + (left + pixels) * IC, 0, (size_t)((span - left - pixels) * IC) * sizeof(float));
    }
}

@ end
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
        (ptrdiff_t)$(name)_span(shape) * IC, IC, IC,
@ elseif plan.input.pixel == 1 then
        s.width, 1, IC,
@ else
        $(plan.flat and "s.width" or "shape->in_w") * IC, IC, IC,
@ end
@ if layer.layout == "nhwc" then
        s.width * OC, OC, 1,
@ else
        s.width, s.block * $(L), out_pixels,
@ end
@ if plan.input.pixel == 1 then
        in_pixels,
@   if plan.pixels then
        0,
@   end
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
        float *staged = scratch + s.width * view.out_pixel;
@   else
        float *staged = workspace;
@   end
        $(name)_stage(shape, in, staged, first, last);
        in = staged;
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
