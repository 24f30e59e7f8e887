@ -- SPDX-License-Identifier: MIT-0
@ local L, tile = isa.lanes, plan.tile
@ local clipped = plan.rows_clipped
@ local function rounded(width) return L == 1 and width or ("(%s + %d) / %d * %d"):format(width, L - 1, L, L) end
/* Strides of what a tile reads and writes, in elements. */
struct $(name)_view {
    ptrdiff_t in_row, in_pixel, in_channel, channels, out_row, out_pixel, out_channel;
@ if layer.activation.runtime then
    float low, high;
@ end
    int lanes; /* of the last vector of a block of channels */
@ if plan.parts then
    int begun, waits; /* whether there are sums of channels before those that a tile sums, and whether more follow */
@ end
@ if plan.line and plan.line.shared then
    int pixels; /* of a tile, where that has more */
@ end
@ if plan.fetch_blocks then
    const char *ahead; /* of the next block's weights, which tiles fetch: so many bytes in each of their steps */
    ptrdiff_t fetch;
@ end
@ if plan.pixels then
    ptrdiff_t width; /* of the block of packed weights */
@ end
@ if plan.pixels and layer.KW > 1 then
    const int *places, *places_end; /* of the taps of a row */
@ end
@ if plan.staged then
    ptrdiff_t ring; /* rows that are staged lie in a ring of so many floats */
    int held, wrap; /* so many rows, or 0; from this tap of a column on they lie at its begin again */
@ end
@ if clipped then
    int in_w, kh_begin, kh_end; /* the columns of the image; the taps of a column that are in it */
@ end
};

@ if L > 1 then
$(include("lanes.c", { lane_loads = plan.inputs and 1 or plan.pixels and (plan.flat or layer.stride_w == 1 or layer.layout == "nhwc" and isa.load_between) and 1 or false, even_loads = plan.gathered and layer.stride_w == 2 and isa.load_even_between ~= nil, lane_stores = not isa.store_first }))
@   if isa.store_first then
#define CONV_STORE(out, v) $(isa.store_first("out", "v", "lanes"))
@   else
#define CONV_STORE(out, v) do { if (lanes < $(L)) $(name)_store(out, v, lanes); else $(isa.store("out", "v")) } while (0)
@   end

@ end
@ local units = math.max(tile.vectors, plan.pixels and plan.pixels.longest or 0)
@ -- The text `format` for each i in [from, to); where there are fewer, again for the last one.
@ local function each(format, from, to, there)
@   local out = {}
@   for i = from, to - 1 do out[#out + 1] = format:gsub("%%d", math.min(i, (there or to) - 1)) end
@   return table.concat(out)
@ end
@ -- Calls of a macro for the numbers below `count`, four in a line; a number's `more` is put in place of %s.
@ local function calls(format, count, more)
@   local lines = {}
@   for i = 0, count - 1 do
@     local line = lines[i // 4 + 1]
@     lines[i // 4 + 1] = (line and line .. " " or "") .. format:gsub("%%d", i):gsub("%%s", more and more(i) or "")
@   end
@   return lines
@ end
@ -- Bounds of the activation, where they are given at run time: loaded once for a tile.
@ local bounded = layer.activation.runtime ~= nil
@ local bounds, its_bounds = bounded and (", %s low, %s high"):format(V, V) or "", bounded and ", low, high" or ""
/* A row of a finished tile: `vectors` of the sums, of the last one `lanes` lanes. */
static CONV_BODY void $(name)_out(float *out$(each(", " .. V .. " v%d", 0, units)), int vectors, int lanes$(bounds))
{
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

$(include("runtime_channels.c", { each = each, calls = calls, units = units, bounded = bounded, its_bounds = its_bounds }))

$(include("runtime_stage.c", { each = each }))

@ if plan.inputs then
$(include("runtime_inputs.c", { each = each, calls = calls, bounded = bounded }))

@ end
@ if clipped then
/* The first row of the input that row `oh` of the output reads; the view learns by which taps. */
static int $(name)_at(const struct conv_shape *shape, struct $(name)_view *view, int oh)
{
    /* The taps kh_begin to kh_end of the column meet the image; the others its padding. */
    const int top = $(scaled("oh", layer.stride_h)) - shape->pad_top;
    int kh_begin = top < 0 ? $(ceil_quotient("-top", layer.dilation_h)) : 0;
    int kh_end = top + $((layer.KH - 1) * layer.dilation_h) < shape->in_h ? $(layer.KH) : $(ceil_quotient("shape->in_h - top", layer.dilation_h));
    if (kh_begin >= kh_end) kh_begin = kh_end = 0;
    view->kh_begin = kh_begin;
    view->kh_end = kh_end;
    return kh_begin < kh_end ? top + $(scaled("kh_begin", layer.dilation_h)) : 0;
}

@ end
@ local function row_at(oh) return clipped and ("%s_at(shape, view, %s)"):format(name, oh) or scaled(oh, layer.stride_h) end
@ if plan.pixels then
/* `left` in equal parts of at most `most`: the size of the first one. */
static int $(name)_part(int left, int most)
{
    if (left <= most) return left; /* divisions take long */
    if (left <= 2 * most) return (left + 1) / 2;
    const int parts = (left + most - 1) / most;
    return (left + parts - 1) / parts;
}

$(include("runtime_pixels.c", { each = each, calls = calls, units = units, bounded = bounded, its_bounds = its_bounds, row_at = row_at }))

@ end
@ local scratch = layer.layout == "nchw"
@ -- The tiles of a row, as nearly equal as they can be. Divisions take long: none for each tile.
@ local function equal_parts(indent)
$(indent)const int parts = (width + most - 1) / most, shorter = width / parts, longer = width % parts;
$(indent)const $(name)_kernel tile = $(name)_tile(vectors, shorter), longer_tile = $(name)_tile(vectors, shorter + 1);
@ end
/* Rows oh_begin to oh_end of one block; in is the image, or the ring. */
static $(target)void $(name)_rows(const struct conv_shape *shape, const struct $(name)_split *s, struct $(name)_view *view,
    const float *in, const float *w, float *out, int vectors$((plan.pixels or plan.inputs or scratch) and ", int channels" or ""), int oh_begin, int oh_end$(scratch and ", float *scratch" or ""))
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
@ end
@ if not plan.flat and not clipped then
    (void)shape;
@ end
@ if plan.staged then
    if (s->pixels) {
        $(name)_px_rows($(clipped and "shape, " or "")view, in, w, out, s->width, channels, oh_begin, oh_end);
        return;
    }
@ end
@ if plan.fetch_blocks then
    const int tiles = (oh_end - oh_begin) * ((s->width + most - 1) / most);
    const int part = (vectors * $(4 * L) - 1) / tiles + 1;
    view->fetch = !s->far || tiles > $(plan.fetch_blocks.tiles) ? 0 : part < $(plan.fetch_blocks.line) ? part : $(plan.fetch_blocks.line);
@ end
@ if not plan.flat then
    const int width = s->width;
@   equal_parts("    ")
@ end
    for (int oh = oh_begin; oh < oh_end; ++oh) {
@ if plan.flat then
        const int width = pixels - oh * s->width < s->width ? pixels - oh * s->width : s->width;
@   equal_parts("        ")
@ end
@ if plan.gathered then
        const float *row = in + (oh - oh_begin) * view->in_row;
@ else
        const float *row = in + $(row_at("oh")) * view->in_row;
@ end
@ if plan.pixels and plan.flat then
        if (s->pixels && (width + $(L - 1)) / $(L) * $(L * 9) <= width * 10) {
            $(name)_px_row(row, w, out + oh * view->out_row, width, channels, view);
            continue;
        }
@ end
        float *to = $(scratch and "view->out_channel == 1 ? out : scratch; /* a row as NHWC, which is the same for one pixel */" or "out + oh * view->out_row;")
@ if clipped then
        row -= shape->pad_left * view->in_pixel;
@ end
@ if plan.inputs then
        if (s->inputs) {
            $(name)_dot_row(row, w, to, width, channels, $(clipped and "shape->pad_left, " or "")view);
            continue;
        }
@ end
@ if plan.parts then
        /* All tiles of some channels, then of the next ones. */
        for (int c = 0; c < shape->in_channels; c += s->part) {
        view->channels = shape->in_channels - c < s->part ? shape->in_channels - c : s->part;
        view->begun = c > 0;
        view->waits = c + s->part < shape->in_channels;
        const float *const from = row + c * view->in_channel, *const weights = w + (ptrdiff_t)c * vectors * $(L);
@ end
        for (int ow = 0, n, more = longer; ow < width; ow += n, --more) {
            n = shorter + (more > 0);
@ if plan.line and plan.line.shared then
            view->pixels = n;
@ end
            (more > 0 ? longer_tile : tile)($(plan.parts and "from" or "row")$(plan.planes and " + " .. scaled("ow", plan.gathered and 1 or layer.stride_w) or " + ow * " .. times(layer.stride_w, "view->in_pixel")), $(plan.parts and "weights" or "w"), to$(clipped and (", %s - shape->pad_left"):format(scaled("ow", layer.stride_w)) or ""), view);
            to += n * view->out_pixel;
        }
@ if plan.parts then
        to -= width * view->out_pixel;
        }
@ end
@ if scratch then
        if (view->out_channel > 1) $(name)_transpose(scratch, view->out_pixel, width, channels, out + oh * view->out_row, view->out_channel);
@ end
    }
}

$(target)void $(name)_run(const struct conv_shape *shape, const float *input, const void *packed, float *output,
    void *workspace, int task_begin, int task_end)
{
    const struct $(name)_split s = $(name)_cut(shape);
    const ptrdiff_t IC = shape->in_channels, OC = shape->out_channels;
    const ptrdiff_t in_pixels = (ptrdiff_t)shape->in_h * shape->in_w, out_pixels = (ptrdiff_t)shape->out_h * shape->out_w;
    struct $(name)_view view;
@ if plan.gathered then
    view.in_row = (ptrdiff_t)$(name)_span(s.width) * IC;
@ elseif plan.flat and plan.planes then
    view.in_row = s.width;
@ elseif plan.flat then
    view.in_row = s.width * IC;
@ elseif plan.planes then
    view.in_row = shape->in_w;
@ else
    view.in_row = shape->in_w * IC;
@ end
    view.in_pixel = $(plan.planes and 1 or "IC");
    view.in_channel = $(plan.gathered and ("(ptrdiff_t)%s_span(s.width)"):format(name) or plan.planes and "in_pixels" or 1);
    view.channels = IC;
@ if layer.layout == "nhwc" then
    view.out_row = s.width * OC;
    view.out_pixel = OC;
    view.out_channel = 1;
@ else
    view.out_row = s.width;
    view.out_pixel = s.block * $(L);
    view.out_channel = out_pixels;
@ end
@ if clipped then
    view.in_w = shape->in_w;
@ end
@ if layer.activation.runtime then
    view.low = shape->clamp_low;
    view.high = shape->clamp_high;
@ end
@ if not plan.staged and not scratch then
    (void)workspace;
@ elseif scratch then
    float *scratch = workspace;
@   if plan.staged or plan.gathered then
    float *band = scratch + $(rounded("s.width")) * view.out_pixel;
@   end
@ else
    float *band = workspace;
@ end
@ if plan.gathered then
    int here = -1, there = 0; /* the image and the first row of what is gathered */
@ end
@ if plan.staged and layer.KW > 1 then
    int *const places = (int *)(band + (s.pixels ? $(name)_band_floats(shape, &s) : 0));
@ end
@ local parts = plan.staged and not clipped and layer.stride_w == 1 -- of which some may be read in place
@ if plan.staged then
    int begun = 0, ready = 0, here = -1; /* the ring holds the last rows of [begun, ready) of image `here` */
    view.held = 0;
    view.ring = 0;
    if (s.pixels) {
        view.held = s.held;
        view.in_channel = (ptrdiff_t)$(name)_span(shape);
        view.in_row = view.in_channel * IC;
        view.ring = view.in_row * s.held;
@ if layer.KW > 1 and not parts then
        $(name)_set_places(&view, places);
@ end
    }
@ end
    for (int task = task_begin; task < task_end; ++task) {
        const int oh_begin = task % s.bands * s.band;
        const int oh_end = s.rows - oh_begin < s.band ? s.rows : oh_begin + s.band;
        const int chunk = task / s.bands % s.chunks;
        const int image = task / s.bands / s.chunks;
        const float *in = input + image * in_pixels * IC;
        float *out = output + image * out_pixels * OC;
        const int end = s.vectors - chunk * s.chunk < s.chunk ? s.vectors : (chunk + 1) * s.chunk;
@ local from, to = plan.staged and "from" or "oh_begin", plan.staged and "to" or "oh_end"
@ if plan.gathered then
        if (here != image || there != oh_begin) $(name)_gather(shape, s.width, in, band, oh_begin, oh_end);
        here = image;
        there = oh_begin;
@ elseif plan.staged then
        for (int from = oh_begin, to; from < oh_end; from = to) {
        to = s.pixels && oh_end - from > s.step ? from + s.step : oh_end;
        if (s.pixels) {
@   if parts then
            /* Planes are read in place, whole vectors of their rows: but for the last rows, which these reach over. */
            const int reach = $(rounded("shape->out_w")) + $((layer.KW - 1) * layer.dilation_w);
            const int safe = $(ceil_quotient(("shape->in_h + 1 - (reach - 1) / shape->in_w - %d"):format((layer.KH - 1) * layer.dilation_h + 1), layer.stride_h));
            const int staged = $(layer.layout == "nhwc" and "IC > 1 || " or "")from >= safe;
            if (!staged && to > safe) to = safe;
            view.held = staged ? s.held : 0;
            view.in_channel = staged ? (ptrdiff_t)$(name)_span(shape) : in_pixels;
            view.in_row = staged ? view.in_channel * IC : shape->in_w;
            view.ring = staged ? view.in_row * s.held : 0;
@ if layer.KW > 1 then
            $(name)_set_places(&view, places);
@ end
            if (staged) {
@   else
            {
@   end
                const int top = $(scaled(from, layer.stride_h)) - shape->pad_top;
                const int bottom = $(scaled(("(%s - 1)"):format(to), layer.stride_h)) - shape->pad_top + $((layer.KH - 1) * layer.dilation_h + 1);
                const int last = bottom < shape->in_h ? bottom : shape->in_h;
                const int first = top > 0 ? top : 0;
                if (here != image || first < begun || first > ready || ready > last) begun = ready = first;
                here = image;
                for (int rows; ready < last; ready += rows) {
                    const int place = ready % s.held;
                    rows = s.held - place < last - ready ? s.held - place : last - ready;
                    $(name)_stage_planes(shape, in, band + place * view.in_row, ready, ready + rows, ready < begun + s.held);
                }
            }
        }
        const float *const rows = $(parts and "view.held > 0" or "s.pixels") ? band$(clipped and layer.stride_w == 1 and (" + (%s_lead(shape) - shape->pad_left)"):format(name) or "") : in;
@ end
        for (int v = chunk * s.chunk, vectors; v < end; v += vectors) {
            vectors = $(name)_vectors(s.vectors - v, s.block);
@ if plan.pixels then
            view.width = vectors * $(L);
@ end
@ if L > 1 or scratch then
            const int left = (int)OC - v * $(L); /* channels */
@ end
            const float *w = (const float *)packed + (ptrdiff_t)v * $(L) * (1 + $(layer.KH * layer.KW) * IC);
@ local whole, channels = ("vectors * %d"):format(L), ("left < vectors * %d ? left : vectors * %d"):format(L, L)
@ if plan.fetch_blocks then
            const int next = v + vectors < end ? v + vectors : (task + 1) / s.bands % s.chunks * s.chunk;
            view.ahead = (const char *)packed + next * (ptrdiff_t)$(4 * L) * (1 + $(layer.KH * layer.KW) * IC);
@ end
            view.lanes = $(L == 1 and 1 or ("%sleft < %s ? left - (vectors - 1) * %d : %d"):format(scratch and "view.out_channel == 1 && " or "", whole, L, L));
            $(name)_rows(shape, &s, &view, $(plan.gathered and "band" or plan.staged and "rows" or "in"), w, out + (ptrdiff_t)v * $(L) * view.out_channel, vectors$((plan.pixels or plan.inputs or scratch) and ", " .. channels or ""), $(from), $(to)$(scratch and ", scratch" or ""));
        }
@ if plan.staged then
        }
@ end
    }
}
@ if L > 1 then

#undef CONV_STORE
@ end
