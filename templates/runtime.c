@ -- SPDX-License-Identifier: MIT-0
$(banner)
/* $(signature)
 *
$(contract)
 *
$(method)
 */
#include <stddef.h>
@ if uses_math then
#include <math.h>
@ end

$(include("shape.h"))

$(include("runtime_face.h"))

@ local L, tile = isa.lanes, plan.tile
@ local KH, KW = layer.KH, layer.KW
@ local reach_h, reach_w = (KH - 1) * layer.dilation_h + 1, (KW - 1) * layer.dilation_w + 1
@ local function axis(name, reach, stride, first, last)
@   if layer.pad_mode then
    shape->out_$(name) = (int)(((long long)in_$(name) + $(stride - 1)) / $(stride));
    {
        const long long total = (long long)(shape->out_$(name) - 1) * $(stride) + $(reach) - in_$(name);
        shape->pad_$(first) = total <= 0 ? 0 : (int)($(layer.pad_mode == "same" and "total / 2" or "total - total / 2"));
    }
@   else
    if ((long long)in_$(name) + $(layer["pad_" .. first] + layer["pad_" .. last]) < $(reach)) return CONV_SHAPE_NO_OUTPUT;
    shape->out_$(name) = (int)(((long long)in_$(name) + $(layer["pad_" .. first] + layer["pad_" .. last] - reach)) / $(stride) + 1);
    shape->pad_$(first) = $(layer["pad_" .. first]);
@   end
@ end
/* a * b * c elements, or 0 if they are 2^31 or more. */
static long long $(name)_count(long long a, long long b, long long c)
{
    const long long limit = 2147483647;
    if (a > limit || b > limit || c > limit || a * b > limit) return 0;
    return a * b > limit / c ? 0 : a * b * c;
}

/* Columns of the input that the windows of a row span, padding included. */
static long long $(name)_span(const struct conv_shape *shape)
{
    return (long long)(shape->out_w - 1) * $(layer.stride_w) + $(reach_w);
}

enum conv_shape_error $(name)_shape(struct conv_shape *shape, int batch, int in_h, int in_w,
    int in_channels, int out_channels)
{
    if (batch < 1 || in_h < 1 || in_w < 1 || in_channels < 1 || out_channels < 1)
        return CONV_SHAPE_NOT_POSITIVE;
    shape->batch = batch;
    shape->in_h = in_h;
    shape->in_w = in_w;
    shape->in_channels = in_channels;
    shape->out_channels = out_channels;
@ if layer.activation.runtime then
    shape->clamp_low = -INFINITY;
    shape->clamp_high = INFINITY;
@ else
    shape->clamp_low = shape->clamp_high = 0.0f; /* not used */
@ end
    if (in_h > $(2147483647 - 2 * reach_h - layer.pad_top - layer.pad_bottom) || in_w > $(2147483647 - 2 * reach_w - layer.pad_left - layer.pad_right)) return CONV_SHAPE_TOO_LARGE;
@ axis("h", reach_h, layer.stride_h, "top", "bottom")
@ axis("w", reach_w, layer.stride_w, "left", "right")
    if (!$(name)_count((long long)in_h * in_w > 2147483647 ? 2147483648LL : (long long)in_h * in_w, in_channels, batch)
        || !$(name)_count((long long)shape->out_h * shape->out_w > 2147483647 ? 2147483648LL : (long long)shape->out_h * shape->out_w, out_channels, batch)
        || !$(name)_count($(KH * KW), (long long)in_channels + 1, (long long)out_channels + $(L - 1))
        || !$(name)_count(in_h, $(name)_span(shape), in_channels))
        return CONV_SHAPE_TOO_LARGE;
    return CONV_SHAPE_OK;
}

/* How the work is cut: chunks of blocks of channels, times bands of rows, times images. Weights that
 * fit the second-level cache are passed over once a band; larger ones are kept, a chunk at a time,
 * while the image passes. */
struct $(name)_split {
    int vectors, block; /* of output channels: in all, in a block */
    int chunk, chunks;  /* in vectors, a whole number of blocks but for the last */
    int band, bands;    /* in rows */
};

/* Vectors of the next block where `left` are left: a whole block, or what tiles there are for less. */
static int $(name)_vectors(int left, int block)
{
    return left >= block ? block : $(tile.vectors == 4 and "left == 3 ? 2 : left" or "left");
}

static struct $(name)_split $(name)_cut(const struct conv_shape *shape)
{
    struct $(name)_split s;
    const long long vector_bytes = (1 + (long long)$(KH * KW) * shape->in_channels) * $(L * 4);
    const long long row_bytes = $(name)_span(shape) * shape->in_channels * $(4 * layer.stride_h);
    s.vectors = (shape->out_channels + $(L - 1)) / $(L);
    s.block = $(tile.vectors);
@ if tile.vectors > 2 then
    if (vector_bytes * s.block > $(l2_bytes * 3 // 4)) s.block = 2;
@ end
    const int blocks = (s.vectors + s.block - 1) / s.block;
    const int heavy = vector_bytes * s.vectors > $(l2_bytes // 2);
    /* Rows that the cache holds, but enough tasks for some threads, each worth some microseconds. */
    const int wanted = $(plan.staged and 8 or 16);
    long long chunk = heavy ? $(l2_bytes // 8) / (vector_bytes * s.block) : blocks;
    if (chunk < 1) chunk = 1;
@ if plan.staged then
    /* Each chunk copies the band again: no more chunks than tasks are wanted. */
    if (chunk < (blocks + wanted - 1) / wanted) chunk = (blocks + wanted - 1) / wanted;
@ end
    s.chunks = (int)((blocks + chunk - 1) / chunk);
    s.chunk = (int)(chunk * s.block);
    long long band = $(l2_bytes // 4) / row_bytes;
    const int parts = s.chunks < wanted ? wanted / s.chunks : 1;
    const long long some = ((long long)shape->out_h + parts - 1) / parts;
    const long long least = 200000 / (2 * vector_bytes / 4 * s.vectors / s.chunks * shape->out_w);
    if (heavy || band > some) band = some;
    if (band < least) band = least;
    if (band < 1) band = 1;
    if (band > shape->out_h) band = shape->out_h;
    s.band = (int)band;
    s.bands = (shape->out_h - 1) / s.band + 1;
    return s;
}

size_t $(name)_packed_bytes(const struct conv_shape *shape)
{
    const size_t vector_bytes = (1 + (size_t)$(KH * KW) * (size_t)shape->in_channels) * $(L * 4);
    const size_t vectors = (size_t)((shape->out_channels + $(L - 1)) / $(L));
    return (vectors * vector_bytes + $(align - 1)) / $(align) * $(align);
}

size_t $(name)_workspace_bytes(const struct conv_shape *shape)
{
@ if plan.staged then
    const struct $(name)_split s = $(name)_cut(shape);
    const long long rows = (long long)(s.band - 1) * $(layer.stride_h) + $(reach_h);
    const size_t bytes = (size_t)(rows < shape->in_h ? rows : shape->in_h) * (size_t)$(name)_span(shape)
        * (size_t)shape->in_channels * sizeof(float)$(layer.layout == "nchw" and ("\n        + (size_t)shape->out_w * (size_t)s.block * %d * sizeof(float)"):format(L) or "");
    return (bytes + $(align - 1)) / $(align) * $(align);
@ else
    (void)shape;
    return 0;
@ end
}

int $(name)_tasks(const struct conv_shape *shape)
{
    const struct $(name)_split s = $(name)_cut(shape);
    return shape->batch * s.chunks * s.bands;
}

void $(name)_pack(const struct conv_shape *shape, const float *weights, const float *bias, void *packed)
{
    float *to = packed;
    const int IC = shape->in_channels, OC = shape->out_channels;
@ local strides = { oihw = { o = KH * KW .. " * (ptrdiff_t)IC", i = KH * KW, kh = KW, kw = 1 }, ohwi = { o = KH * KW .. " * (ptrdiff_t)IC", i = 1, kh = KW .. " * (ptrdiff_t)IC", kw = "(ptrdiff_t)IC" }, hwio = { o = 1, i = "(ptrdiff_t)OC", kh = KW .. " * (ptrdiff_t)IC * OC", kw = "(ptrdiff_t)IC * OC" } }
@ local w = strides[layer.weights]
@ if not layer.bias then
    (void)bias; /* this layer has none: every sum starts from 0 */
@ end
    const struct $(name)_split s = $(name)_cut(shape);
    for (int first = 0, width; first < OC; first += width) {
        width = $(name)_vectors(s.vectors - first / $(L), s.block) * $(L);
        for (int k = 0; k < width; ++k) *to++ = $(layer.bias and "bias != NULL && first + k < OC ? bias[first + k] : 0.0f" or "0.0f");
        for (int kh = 0; kh < $(KH); ++kh)
        for (int kw = 0; kw < $(KW); ++kw)
        for (int c = 0; c < IC; ++c)
        for (int k = 0; k < width; ++k)
            *to++ = first + k < OC ? weights[(first + k) * ($(w.o)) + c * ($(w.i)) + kh * ($(w.kh)) + kw * ($(w.kw))] : 0.0f;
    }
}
@ if isa.guard ~= "" then

#if $(isa.guard)
@ end
@ for _, header in ipairs(isa.headers) do
#include <$(header)>
@ end

$(include("macros.c"))

/* Strides of what a tile reads and writes, in elements. */
struct $(name)_view {
    ptrdiff_t in_row, in_pixel, channels, out_row, out_pixel, out_channel;
@ if layer.activation.runtime then
    float low, high;
@ end
};

$(activation())
@ if layer.activation.runtime then
#define CONV_CLAMP(v) $(isa.min("high", isa.max("low", "v")))
@ end
@ if L > 1 then
/* The first `lanes` of a vector. */
static inline $(target)void $(name)_store(float *out, $(V) v, int lanes)
{
    if (lanes == $(L)) {
        $(isa.store("out", "v"))
    } else {
        float all[$(L)];
        $(isa.store("all", "v"))
        for (int l = 0; l < lanes; ++l) out[l] = all[l];
    }
}
#define CONV_STORE(out, v) $(name)_store(out, v, lanes)

@ end
$(include("direct.c"))
$(include("runtime_run.c"))

@ if isa.target ~= "" then
#undef CONV_TARGET
@ end
#undef CONV_TILE
@ if layer.activation.runtime then
#undef CONV_CLAMP
@ end
@ if L > 1 then
#undef CONV_STORE
@ end
#undef CONV_FMA
@ if isa.guard ~= "" then
#endif
@ end
