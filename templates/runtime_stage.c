@ -- SPDX-License-Identifier: MIT-0
@ -- What runtime_direct.c copies: for pixels in the lanes rows of the input with their padding, as planes; pixels
@ -- that a 1x1 filter with a stride reads. And transposition.
@ local L = isa.lanes
@ if layer.layout == "nchw" or plan.pixels then
@ local nhwc = layer.layout == "nhwc"
/* to[c][r] = from[r][c], rows of both being so many elements apart$(nhwc and "" or "; whole vectors of `from` may be read"). */
static $(target)void $(name)_transpose(const float *from, ptrdiff_t from_step, ptrdiff_t rows, ptrdiff_t columns, float *to, ptrdiff_t to_step)
{
    ptrdiff_t r = 0;
@   if L > 1 then
@     local function block(load, store)
#define CONV_ROW(l) $(load("row + l * from_step"))
#define CONV_PUT(l, v) $(store("at + l * to_step", "v"))
            const float *row = from + r * from_step + c;
            float *at = to + c * to_step + r;
@       local names, puts = {}, {}
@       for l = 0, L - 1 do names[l + 1] = "r" .. l end
@       local lines, columns = isa.transpose(names, "t", L)
@       for l = 0, L - 1, 4 do
            const $(V) r$(l) = CONV_ROW($(l))$(each(", r%d = CONV_ROW(%d)", l + 1, l + 4));
@         local line = {}
@         for i = l, l + 3 do line[#line + 1] = ("CONV_PUT(%d, %s)"):format(i, columns[i + 1].name) end
@         puts[#puts + 1] = table.concat(line, " ")
@       end
            $(lines)
            $(puts)
#undef CONV_PUT
#undef CONV_ROW
@     end
@     local function some_lanes(p) return ("%s_load(%s, 0, some)"):format(name, p) end
@     local function some_or_all(p) return ("some < %d ? %s : %s"):format(L, some_lanes(p), isa.load(p)) end
@     local function if_there(p, v) return ("if (some > l) { %s }"):format(isa.store(p, v)) end
@     if nhwc then
    for (; r < rows && $(L) <= rows; r += $(L)) {
        if (rows - r < $(L)) r = rows - $(L); /* the last ones again */
@       if L >= 8 and layer.stride_w == 1 then
        if (columns == 3) { /* pictures: so many pixels of three neighbours are a run of memory */
@         local Q = L // 4
@         local spread, order = {}, {}
@         for l = 0, L - 1 do
@           spread[l + 1] = l // 4 * 3 + math.min(l % 4, 2)
@           order[l + 1] = l % Q * 4 + l // Q
@         end
            const float *row = from + 3 * r;
#define CONV_ROW(l) $(isa.permute(("row + l * %d"):format(3 * Q), 3 * Q, spread))
#define CONV_PUT(p, v) $(isa.store("p", isa.permute("(const float *)(const void *)&v", L, order)))
            const $(V) p0 = CONV_ROW(0), p1 = CONV_ROW(1), p2 = CONV_ROW(2), p3 = CONV_ROW(3);
@         local lines, planes = isa.transpose({ "p0", "p1", "p2", "p3" }, "t", 3)
            $(lines)
@         for c = 0, 2 do
            CONV_PUT($(at("to", plus(times(c, "to_step"), "r"))), $(planes[c + 1].name))
@         end
#undef CONV_PUT
#undef CONV_ROW
            continue;
        }
@       end
        ptrdiff_t c = 0;
@       if isa.load_between then
        for (; columns - c >= $(L // 8); c += $(L)) {
            const int some = columns - c < $(L) ? (int)(columns - c) : $(L);
@         -- Some lanes cost no more than all, or as much as a test that is foreseen.
@         block(isa.store_between and some_lanes or some_or_all, if_there)
        }
@       else
        for (; c + $(L) <= columns; c += $(L)) {
@         block(isa.load, isa.store)
        }
@       end
@       if not isa.load_between or L // 8 > 1 then
        for (; c < columns; ++c) {
            CONV_ROLLED
            for (int l = 0; l < $(L); ++l) to[c * to_step + r + l] = from[(r + l) * from_step + c];
        }
@       end
    }
@     else
    for (; r < rows; r += $(L)) {
        const int lanes = rows - r < $(L) ? (int)(rows - r) : $(L);
        for (ptrdiff_t c = 0; c < columns; c += $(L)) {
            const int some = columns - c < $(L) ? (int)(columns - c) : $(L);
@       block(isa.load, function(p, v) return ("if (some > l) CONV_STORE(%s, %s);"):format(p, v) end)
        }
    }
@     end
@   end
@   if L == 1 or nhwc then
    for (; r < rows; ++r) {
@     if nhwc then
        CONV_ROLLED
@     end
        for (ptrdiff_t c = 0; c < columns; ++c) to[c * to_step + r] = from[r * from_step + c];
    }
@   end
}

@ end
@ if plan.gathered then
@ local SH, SW = layer.stride_h, layer.stride_w
@ local vectors = L > 1 and SW == 2
/* Gathers rows [first, last) of `width` pixels that a 1x1 filter reads, in each one channel after the other. */
static $(target)void $(name)_gather(const struct conv_shape *shape, int width, const float *image, float *to, int first, int last)
{
    const int OW = shape->out_w, pixels = shape->out_h * OW;
    for (int r = first; r < last; ++r) {
        const int begin = r * width, count = pixels - begin < width ? pixels - begin : width;
        const float *plane = image;
        for (int c = 0; c < shape->in_channels; ++c, plane += (ptrdiff_t)shape->in_h * shape->in_w, to += $(name)_span(width))
            for (int x = 0, oh = begin / OW, ow = begin % OW; x < count; ++oh, ow = 0) {
                const int end = count - x < OW - ow ? count : x + OW - ow;
                const float *from = plane + (ptrdiff_t)oh * $(times(SH, "shape->in_w")) + $(scaled("ow", SW));
@ if vectors then
                for (; end - x >= $(L); x += $(L), from += $(SW * L)) $(isa.store("to + x", isa.load_even("from", 0, L)))
@ end
@ if vectors and isa.load_even_between then
                if (x < end) $(isa.store("to + x", name .. "_load_even(from, 0, end - x)")) /* what follows is written later */
                x = end;
@ else
                for (; x < end; ++x, from += $(SW)) to[x] = *from;
@ end
            }
    }
}

@ end
@ if plan.staged then
@ local SW = layer.stride_w
@ local function image_columns() -- where they begin and end in the row of a phase
            ptrdiff_t begin = left > phase ? (left - phase + $(SW - 1)) / $(SW) : 0, end = (IW + left - phase + $(SW - 1)) / $(SW);
            if (begin > span) begin = span;
            if (end > span) end = span;
@ end
/* Copies rows [first, last) of an image, in each row one channel after the other; with the padding beside it where `fresh`,
 * that is, where it is not there yet$(SW == 1 and "" or (";\n * of every %d pixels all the first ones, then all the second ones"):format(SW)). */
static $(target)void $(name)_stage_planes(const struct conv_shape *shape, const float *image, float *to, int first, int last, int fresh)
{
    const ptrdiff_t IC = shape->in_channels, IW = shape->in_w;
    const ptrdiff_t span = (ptrdiff_t)$(name)_span(shape)$(SW > 1 and " / " .. SW or ""), $(SW == 1 and ("lead = (ptrdiff_t)%s_lead(shape)"):format(name) or "left = shape->pad_left");
@ if SW == 1 then
    const ptrdiff_t left = lead < span ? lead : span;
    const ptrdiff_t needed = left - shape->pad_left + shape->out_w + $((layer.KW - 1) * layer.dilation_w);
    const ptrdiff_t there = IW < span - left ? IW : span - left;
@ end
@ if layer.layout == "nhwc" and SW == 1 then
    for (int ih = first; IC > 1 && ih < last; ++ih, to += span * IC) {
        for (ptrdiff_t c = 0; fresh && c < IC; ++c) { /* vectors that reach over the padding are written before what is there */
            float *plane = to + c * span;
            CONV_ROLLED
            for (ptrdiff_t x = 0; x < left; x += $(L)) $(isa.store("plane + x", isa.zero()))
            CONV_ROLLED
            for (ptrdiff_t x = (left + there) / $(L) * $(L); x < needed; x += $(L)) $(isa.store("plane + x", isa.zero()))
        }
        $(name)_transpose(image + ih * IW * IC, IC, there, IC, to + left, span);
    }
@ elseif layer.layout == "nhwc" then
    for (int ih = first; IC > 1 && ih < last; ++ih, to += $(times(SW, "span")) * IC)
    for (int phase = 0; phase < $(SW); ++phase) {
        const float *row = image + ih * IW * IC;
        float *plane = to + phase * span;
@ image_columns()
        if (end < begin) end = begin;
        /* Of few pixels, padding: channel after channel. */
        for (ptrdiff_t x = !fresh ? span : begin > 0 ? 0 : end; x < span; x = x + 1 == begin ? end : x + 1) {
            CONV_ROLLED
            for (ptrdiff_t c = 0; c < IC; ++c) plane[x + c * $(times(SW, "span"))] = 0.0f;
        }
        if (begin < end)
            $(name)_transpose(row + ($(times(SW, "begin")) + phase - left) * IC, $(times(SW, "IC")), end - begin, IC, plane + begin, $(times(SW, "span")));
    }
@ end
@ if layer.layout == "nhwc" then
    if (IC == 1) /* a plane as it is */
@ end
    for (int ih = first; ih < last; ++ih)
    for (ptrdiff_t c = 0; c < IC; ++c) {
        const float *row = image + (c * shape->in_h + ih) * IW;
@ if SW == 1 then
        ptrdiff_t x = fresh ? 0 : left;
        for (; x < left; x += $(L)) $(isa.store("to + x", isa.zero()))
        for (; x + $(L) <= left + there; x += $(L)) $(isa.store("to + x", isa.load("row + (x - left)")))
        if (x < left + there) {
            $(isa.store("to + x", name .. "_load(row + (x - left), 0, (int)(left + there - x))"))
            x += $(L);
        }
        for (; fresh && x < needed; x += $(L)) $(isa.store("to + x", isa.zero()))
        to += span;
@ else
        for (int phase = 0; phase < $(SW); ++phase, to += span) {
            /* Its pixel x is pixel $(SW) x + phase - left of the row. */
@ image_columns()
            ptrdiff_t x = fresh ? 0 : begin;
            CONV_ROLLED
            for (; x < begin; ++x) to[x] = 0.0f;
@   if SW == 2 then
            for (; x + $(L) <= end; x += $(L)) {
                const float *from = row + (2 * x + phase - left);
                $(isa.store("to + x", isa.load_even("from", 0, L)))
            }
@   end
@   if SW == 2 then
            CONV_ROLLED
@   end
            for (; x < end; ++x) to[x] = row[$(SW) * x + phase - left];
            CONV_ROLLED
            for (; fresh && x < span; ++x) to[x] = 0.0f;
        }
@ end
    }
}

@ end
