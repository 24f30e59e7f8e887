@ -- SPDX-License-Identifier: MIT-0
@ -- What runtime_direct.c copies: a band of the input with its padding, as NHWC or, for pixels in the
@ -- lanes, as planes; and transposition.
@ local L = isa.lanes
@ if layer.layout == "nchw" or plan.pixels then
/* to[c][r] = from[r][c], rows of both being so many elements apart; of `from`, more of them may be readable. */
static $(target)void $(name)_transpose(const float *from, ptrdiff_t from_step, ptrdiff_t rows, ptrdiff_t readable,
    ptrdiff_t columns, float *to, ptrdiff_t to_step)
{
    ptrdiff_t r = 0;
@   if L > 1 then
@     local nhwc = layer.layout == "nhwc"
@     if nhwc then
    for (; r < rows && $(L) <= rows; r += $(L)) {
        if (rows - r < $(L)) r = rows - $(L); /* the last ones again */
@     else
    for (; r < rows && r + $(L) <= readable; r += $(L)) {
        const int lanes = rows - r < $(L) ? (int)(rows - r) : $(L);
@     end
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
@       if nhwc then
            $(isa.store(at("at", times(l - 1, "to_step")), columns[l].name))
@       else
            CONV_STORE($(at("at", times(l - 1, "to_step"))), $(columns[l].name));
@       end
@     end
        }
@     if nhwc and isa.load_between then
        if (columns - c >= $(L // 8)) { /* some more, not all lanes of a vector */
            const float *row = from + r * from_step + c;
            float *at = to + c * to_step + r;
            const int some = (int)(columns - c);
@       for l = 0, L - 1 do
            const $(V) r$(l) = $(name)_load($(at("row", times(l, "from_step"))), 0, some);
@       end
@       lines, columns = isa.transpose(names, "t", L - 1)
            $(lines)
@       for l = 1, L - 1 do
            $(l == 1 and "" or ("if (some > %d) "):format(l - 1))$(isa.store(at("at", times(l - 1, "to_step")), columns[l].name))
@       end
            continue;
        }
@     end
        for (; c < columns; ++c)
            for (int l = 0; l < $(nhwc and L or "lanes"); ++l) to[c * to_step + r + l] = from[(r + l) * from_step + c];
    }
@   end
@   if L == 1 or layer.layout == "nhwc" then
    (void)readable;
@   end
    for (; r < rows; ++r)
        for (ptrdiff_t c = 0; c < columns; ++c) to[c * to_step + r] = from[r * from_step + c];
}

@ end
@ if plan.staged and not plan.as_is then
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
        $(name)_transpose(image + ih * IW, shape->in_h * IW, IC, IC, pixels, to + left * IC, IC);
@ end
        memset(to, 0, (size_t)(left * IC) * sizeof(float));
        memset(to + (left + pixels) * IC, 0, (size_t)((span - left - pixels) * IC) * sizeof(float));
    }
}

@ end
@ if plan.staged and plan.pixels then
@ local SW = layer.stride_w
@ local function image_columns() -- where they begin and end in the row of a phase
            ptrdiff_t begin = left > phase ? (left - phase + $(SW - 1)) / $(SW) : 0, end = (IW + left - phase + $(SW - 1)) / $(SW);
            if (begin > span) begin = span;
            if (end > span) end = span;
@ end
/* Copies rows [first, last) of an image, in each row one channel after the other, with the padding beside it$(SW == 1 and "" or (";\n * of every %d pixels all the first ones, then all the second ones"):format(SW)). */
static $(target)void $(name)_stage_planes(const struct conv_shape *shape, const float *image, float *to, int first, int last)
{
    const ptrdiff_t IC = shape->in_channels, IW = shape->in_w;
    const ptrdiff_t span = (ptrdiff_t)$(name)_span(shape)$(SW > 1 and " / " .. SW or ""), left = shape->pad_left;
@ if layer.layout == "nhwc" then
    for (int ih = first; IC > 1 && ih < last; ++ih, to += $(times(SW, "span")) * IC)
    for (int phase = 0; phase < $(SW); ++phase) {
        const float *row = image + ih * IW * IC;
        float *plane = to + phase * span;
@ image_columns()
        if (end < begin) end = begin;
        /* Of few pixels, padding: channel after channel. */
        for (ptrdiff_t x = begin > 0 ? 0 : end; x < span; x = x + 1 == begin ? end : x + 1)
            for (ptrdiff_t c = 0; c < IC; ++c) plane[x + c * $(times(SW, "span"))] = 0.0f;
        if (begin < end)
            $(name)_transpose(row + ($(times(SW, "begin")) + phase - left) * IC, $(times(SW, "IC")), end - begin, end - begin, IC, plane + begin, $(times(SW, "span")));
    }
    if (IC == 1) /* a plane as it is */
@ end
    for (int ih = first; ih < last; ++ih)
    for (ptrdiff_t c = 0; c < IC; ++c) {
        const float *row = image + (c * shape->in_h + ih) * IW;
@ if SW == 1 then
        const ptrdiff_t begin = left < span ? left : span, end = IW < span - begin ? begin + IW : span;
        memset(to, 0, (size_t)begin * sizeof(float));
        memcpy(to + begin, row, (size_t)(end - begin) * sizeof(float));
        memset(to + end, 0, (size_t)(span - end) * sizeof(float));
        to += span;
@ else
        for (int phase = 0; phase < $(SW); ++phase, to += span) {
            /* Its pixel x is pixel $(SW) x + phase - left of the row. */
@ image_columns()
            ptrdiff_t x = 0;
            for (; x < begin; ++x) to[x] = 0.0f;
@   if SW == 2 then
            for (; x + $(L) <= end; x += $(L)) {
                const float *from = row + (2 * x + phase - left);
                $(isa.store("to + x", isa.load_even("from", 0, L)))
            }
@   end
            for (; x < end; ++x) to[x] = row[$(SW) * x + phase - left];
            for (; x < span; ++x) to[x] = 0.0f;
        }
@ end
    }
}

@ end
