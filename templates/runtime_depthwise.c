@ -- SPDX-License-Identifier: MIT-0
@ -- Depthwise convolution with run-time sizes: tiles where the columns of all windows are in the image,
@ -- and edges beside them.
@ local L, SH, SW = isa.lanes, layer.stride_h, layer.stride_w
@ local reach_w = (layer.KW - 1) * layer.dilation_w + 1
@ local R, columns = plan.rows.pixels, plan.columns.pixels
@ local pixels = plan.mapping == "pixels"
/* Strides of what a tile reads and writes, in elements. */
struct $(name)_view {
    ptrdiff_t in_row, $(pixels and "in_channel" or "in_pixel"), out_row, $(pixels and "out_channel" or "out_pixel");
@ if layer.activation.runtime then
    float low, high;
@ end
};

/* What there is of a tile's windows, counted from their origin, and of its outputs. */
struct $(name)_there {
    int row_begin, row_end, column_begin, column_end; /* of the windows in the image */
    int rows, $(pixels and "columns" or "channels"); /* of outputs */
};

@ if pixels then
/* Lanes whose input is among the first n of a row, one lane every $(plural(SW, "pixel")). */
static int $(name)_lane(int n)
{
    return n <= 0 ? 0 : n > $(L * SW) ? $(L) : $(SW == 1 and "n" or ("(n + %d) / %d"):format(SW - 1, SW));
}

@ end
$(include("lanes.c", { lane_loads = pixels and SW or 1, even_loads = false, lane_stores = true }))

@ if by_multiples then
#define CONV_AT(p, bytes) ((const float *)(const void *)((p) + (bytes)))
@ end
$(include("depthwise_tile.c", { rows = plan.rows, columns = plan.columns, edge = false }))
@ if by_multiples then
#undef CONV_AT
@ end

$(include("depthwise_tile.c", { rows = plan.rows, columns = plan.edge_columns, edge = true }))

/* Rows oh_begin to oh_end of some channels. */
static $(target)void $(name)_rows(const struct conv_shape *shape, const struct $(name)_view *view,
    const float *in, const float *w, float *out, int channels, int oh_begin, int oh_end)
{
@ if not pixels and L > 1 then
    const int full = channels / $(L), rest = channels % $(L);
@ elseif not pixels then
    const int full = channels;
@ end
    for (int oh = oh_begin; oh < oh_end; oh += $(R)) {
        const int top = $(scaled("oh", SH)) - shape->pad_top;
        struct $(name)_there there = { -top, shape->in_h - top, 0, 0, oh_end - oh, channels };
        for (int ow = 0, columns; ow < shape->out_w; ow += columns) {
            const int left = $(scaled("ow", SW)) - shape->pad_left;
@ if pixels then
            const float *from = in + (top * view->in_row + left);
            float *to = out + (oh * view->out_row + ow);
@ else
            const float *from = in + (top * view->in_row + left * view->in_pixel);
            float *to = out + (oh * view->out_row + ow * view->out_pixel);
@ end
            there.column_begin = -left;
            there.column_end = shape->in_w - left;
            if (left < 0 || there.column_end < $((columns - 1) * SW + reach_w) || shape->out_w - ow < $(columns)) {
@ if pixels then
                columns = there.columns = shape->out_w - ow < $(L) ? shape->out_w - ow : $(L);
                $(name)_edge(from, w, to, channels, &there, view);
@ else
                columns = 1;
                there.channels = channels;
                $(name)_edge(from, w, to, $(ceil_quotient("channels", L)), &there, view);
@ end
                continue;
            }
            columns = $(columns);
@ if pixels then
            $(name)_tile(from, w, to, channels, &there, view);
@ else
            $(name)_tile(from, w, to, full, &there, view);
@   if L > 1 then
            if (rest == 0) continue;
            there.channels = rest;
            for (int c = 0; c < columns; ++c) {
                there.column_begin = -left - $(scaled("c", SW));
                there.column_end = shape->in_w - left - $(scaled("c", SW));
                $(name)_edge(from + full * $(L) + $(scaled("c", SW)) * view->in_pixel, w + (ptrdiff_t)full * $(plan.block_floats), to + full * $(L) + c * view->out_pixel, 1, &there, view);
            }
@   end
@ end
        }
    }
}

$(target)void $(name)_run(const struct conv_shape *shape, const float *input, const void *packed, float *output,
    void *workspace, int task_begin, int task_end)
{
    const struct $(name)_split s = $(name)_cut(shape);
    const ptrdiff_t C = shape->in_channels;
    const ptrdiff_t in_pixels = (ptrdiff_t)shape->in_h * shape->in_w, out_pixels = (ptrdiff_t)shape->out_h * shape->out_w;
    const struct $(name)_view view = {
        $(pixels and "shape->in_w, in_pixels, shape->out_w, out_pixels" or "shape->in_w * C, C, shape->out_w * C, C")$(layer.activation.runtime and ", shape->clamp_low, shape->clamp_high" or "")
    };
    (void)workspace;
    for (int task = task_begin; task < task_end; ++task) {
@ local band, chunk = "task % s.bands", "task / s.bands % s.chunks"
@ if not pixels then
@   band, chunk = "(s.in_turn ? task / s.chunks : task) % s.bands", "(s.in_turn ? task : task / s.bands) % s.chunks"
@ end
        const int oh_begin = $(band) * s.band;
        const int oh_end = shape->out_h - oh_begin < s.band ? shape->out_h : oh_begin + s.band;
        const int first = $(chunk) * s.chunk;
        const ptrdiff_t image = task / s.bands / s.chunks;
        const int channels = (int)C - first < s.chunk ? (int)C - first : s.chunk;
        const float *in = input + image * in_pixels * C, *w = packed;
        float *out = output + image * out_pixels * C;
@ if pixels then
        /* Small planes are passed over together, tile by tile; large ones one after the other. */
        const int most = s.together < channels ? s.together : channels;
        for (int c = first, n; c < first + channels; c += n) {
            n = first + channels - c < most ? first + channels - c : most;
            $(name)_rows(shape, &view, in + c * in_pixels, w + (ptrdiff_t)c * $(plan.block_floats), out + c * out_pixels, n, oh_begin, oh_end);
        }
@ else
        $(name)_rows(shape, &view, in + first, w + (ptrdiff_t)(first / $(L)) * $(plan.block_floats), out + first, channels, oh_begin, oh_end);
@ end
    }
}
