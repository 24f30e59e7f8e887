@ -- SPDX-License-Identifier: MIT-0
$(banner)
/* $(signature)
 *
$(contract)
 *
$(method)
 */
@ if uses_math then
#include <math.h>
@ end

#include "$(job.header or name .. ".h")"

/* Names of this file. */
#define CONV_(part) $(name)_##part

@ local L = isa.lanes
@ local depthwise = plan.algorithm == "depthwise"
@ local KH, KW = layer.KH, layer.KW
@ local reach_h, reach_w = (KH - 1) * layer.dilation_h + 1, (KW - 1) * layer.dilation_w + 1
@ local function axis(name, reach, stride, first, last)
@   local pads = layer.pad_mode and reach - 1 or layer["pad_" .. first] + layer["pad_" .. last]
@   local wide = pads > 0 and "(long long)" or ""
@   if layer.pad_mode and stride > 1 then
    shape->out_$(name) = (int)(((long long)in_$(name) + $(stride - 1)) / $(stride));
    {
        const long long total = (long long)(shape->out_$(name) - 1) * $(stride) + $(reach) - in_$(name);
        shape->pad_$(first) = total <= 0 ? 0 : (int)($(layer.pad_mode == "same" and "total / 2" or "total - total / 2"));
    }
@   elseif layer.pad_mode then
    shape->out_$(name) = in_$(name);
    shape->pad_$(first) = $(layer.pad_mode == "same" and pads // 2 or pads - pads // 2);
@   else
@     if reach > 1 then
    if ($(at(wide .. "in_" .. name, pads)) < $(reach)) return CONV_SHAPE_NO_OUTPUT;
@     end
@     if stride == 1 and pads < reach then
    shape->out_$(name) = $(at("in_" .. name, pads - reach + 1));
@     else
    shape->out_$(name) = (int)(($(at("(long long)in_" .. name, pads - reach))) / $(stride) + 1);
@     end
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

@ local aligned = plan.staged and layer.stride_w == 1
@ if aligned then
/* Where the image begins in a row that is copied: its padding before it, in whole vectors. */
static long long $(name)_lead(const struct conv_shape *shape)
{
    return ((long long)shape->pad_left + $(L - 1)) / $(L) * $(L);
}

/* The length of such a row: of what the windows span, in whole vectors, not a multiple of four: those share few
 * sets of the cache. */
static long long $(name)_span(const struct conv_shape *shape)
{
    const long long vectors = ($(name)_lead(shape) - shape->pad_left + shape->out_w + $(reach_w - 1 + L - 1)) / $(L);
    return (vectors % 4 == 0 ? vectors + 1 : vectors) * $(L);
}

@ elseif plan.staged then
/* Columns of the input that the windows of a row span, padding included$(layer.stride_w > 1 and ", in whole strides" or ""). */
static long long $(name)_span(const struct conv_shape *shape)
{
    return ((long long)(shape->out_w - 1) * $(layer.stride_w) + $(reach_w + layer.stride_w - 1)) / $(layer.stride_w) * $(layer.stride_w);
}

@ end
@ if plan.gathered then
/* The length of a row of gathered pixels, in whole vectors. */
static long long $(name)_span(int width)
{
    return ((long long)width + $(L - 1)) / $(L) * $(L);
}

@ end
enum conv_shape_error $(name)_shape(struct conv_shape *shape, int batch, int in_h, int in_w,
    int in_channels, int out_channels)
{
    if (batch < 1 || in_h < 1 || in_w < 1 || in_channels < 1 || out_channels < 1)
        return CONV_SHAPE_NOT_POSITIVE;
@ if depthwise then
    if (in_channels != out_channels) return CONV_SHAPE_CHANNELS;
@ end
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
    const long long in = (long long)in_h * in_w, out = (long long)shape->out_h * shape->out_w;
    if (!$(name)_count(in, in_channels, batch) || !$(name)_count(out, out_channels, batch)
@ if depthwise then
        || !$(name)_count($(KH * KW + 1), (long long)out_channels + $(L - 1), 1))
@ elseif plan.staged then
        || !$(name)_count($(KH * KW), (long long)in_channels + 1, (long long)out_channels + $(L - 1))
        || !$(name)_count(in_h, $(name)_span(shape), in_channels))
@ elseif plan.gathered then
        || !$(name)_count($(KH * KW), (long long)in_channels + 1, (long long)out_channels + $(L - 1))
        || !$(name)_count($(name)_span(out < 192 ? (int)out : 192), in_channels, 1))
@ else
        || !$(name)_count($(KH * KW), (long long)in_channels + 1, (long long)out_channels + $(L - 1)))
@ end
        return CONV_SHAPE_TOO_LARGE;
    return CONV_SHAPE_OK;
}

$(include("runtime_" .. plan.algorithm .. "_split.c"))

size_t $(name)_packed_bytes(const struct conv_shape *shape)
{
@ local width = depthwise and plan.width or L
    const size_t vector_bytes = $(depthwise and plan.block_floats * 4 or ("(1 + (size_t)%d * (size_t)shape->in_channels) * %d"):format(KH * KW, L * 4));
    const size_t vectors = (size_t)$(ceil_quotient("shape->out_channels", width));
    return (vectors * vector_bytes + $(align - 1)) / $(align) * $(align);
}

@ if plan.staged then
/* What the rows take that are held for pixels in the lanes; behind the last one whole vectors may be read. */
static size_t $(name)_band_floats(const struct conv_shape *shape, const struct $(name)_split *s)
{
    return (size_t)s->held * (size_t)$(name)_span(shape) * (size_t)shape->in_channels + $(L);
}

@ end
size_t $(name)_workspace_bytes(const struct conv_shape *shape)
{
@ local scratch = not depthwise and layer.layout == "nchw"
@ if plan.staged or scratch then
    const struct $(name)_split s = $(name)_cut(shape);
@ end
@ if plan.staged then
    const size_t band = !s.pixels ? 0 : $(name)_band_floats(shape, &s)$(layer.KW > 1 and (" + %d * (size_t)shape->in_channels"):format(layer.KW) or "");
@ end
@ if scratch then
    const size_t row = (size_t)$(L == 1 and "s.width" or ("((s.width + %d) / %d * %d)"):format(L - 1, L, L)) * (size_t)s.block * $(L); /* pixels in whole vectors */
@ end
@ if plan.gathered then
    const size_t band = $(L) + (size_t)s.band * (size_t)$(name)_span(s.width) * (size_t)shape->in_channels; /* vectors reach beyond */
@ end
@ if plan.staged or scratch then
    return ($((plan.staged or plan.gathered) and (scratch and "(band + row)" or "band") or "row") * sizeof(float) + $(align - 1)) / $(align) * $(align);
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
    const int $(depthwise and "IC = 1" or "IC = shape->in_channels"), OC = shape->out_channels;
@ local strides = { oihw = { o = KH * KW .. " * (ptrdiff_t)IC", i = KH * KW, kh = KW, kw = 1 }, ohwi = { o = KH * KW .. " * (ptrdiff_t)IC", i = 1, kh = KW .. " * (ptrdiff_t)IC", kw = "(ptrdiff_t)IC" }, hwio = { o = 1, i = "(ptrdiff_t)OC", kh = KW .. " * (ptrdiff_t)IC * OC", kw = "(ptrdiff_t)IC * OC" } }
@ local w = strides[layer.weights]
@ if not layer.bias then
    (void)bias; /* this layer has none: every sum starts from 0 */
@ end
@ if depthwise then
    enum { width = $(width) };
    for (int first = 0; first < OC; first += width) {
@ else
    const struct $(name)_split s = $(name)_cut(shape);
@ if plan.inputs then
    if (s.inputs) { /* a vector of a row's taps and channels for each output; before them the biases of a tile's sums */
        for (int i = 0; i < $(plan.inputs.most_sums); ++i) *to++ = $(layer.bias and "bias != NULL ? bias[i % OC] : 0.0f" or "0.0f");
        for (int kh = 0; kh < $(KH); ++kh)
        for (int i = 0; i < $(times(KW, "IC")); i += $(L))
        for (int k = 0; k < OC; ++k)
        for (int l = i; l < i + $(L); ++l)
            *to++ = weights[k * ($(w.o)) + l % IC * ($(w.i)) + kh * ($(w.kh)) + l / IC * ($(w.kw))];
        return;
    }
@ end
    for (int first = 0, width; first < OC; first += width) {
        width = $(name)_vectors(s.vectors - first / $(L), s.block) * $(L);
@ end
        for (int k = 0; k < width; ++k) *to++ = $(layer.bias and "bias != NULL && first + k < OC ? bias[first + k] : 0.0f" or "0.0f");
@ if KW > 1 and (plan.line or plan.pixels) then
        /* Where a tile sums the taps of a row at once, they are neighbours. */
        const int steps = $(plan.pixels and (plan.line and "s.pixels || " or "s.pixels") or "")$(plan.line and "width == " .. L or "") ? $(KW) : 1;
        for (int kh = 0; kh < $(KH); ++kh)
        for (int i = 0; i < $(KW) / steps; ++i)
        for (int c = 0; c < IC; ++c)
        for (int kw = i; kw < i + steps; ++kw)
        for (int k = 0; k < width; ++k)
@ else
        for (int kh = 0; kh < $(KH); ++kh)
        for (int kw = 0; kw < $(KW); ++kw)
        for (int c = 0; c < IC; ++c)
        for (int k = 0; k < width; ++k)
@ end
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

$(activation())
@ if layer.activation.runtime then
#define CONV_CLAMP(v) $(isa.min("high", isa.max("low", "v")))
@ end
$(include("runtime_" .. plan.algorithm .. ".c"))

@ if isa.target ~= "" then
#undef CONV_TARGET
@ end
#undef CONV_TILE
#undef CONV_BODY
#undef CONV_HOLD
@ if plan.starts then
#undef CONV_START
@ end
@ if plan.pixels then
@   if isa.accumulate ~= "" then
#undef CONV_PIN
@   end
#undef CONV_ROLLED
@ end
@ if layer.activation.runtime then
#undef CONV_CLAMP
@ end
#undef CONV_FMA
@ if plan.fetch_blocks then
#undef CONV_FETCH_BLOCK
@ end
@ if isa.guard ~= "" then
#endif
@ end
#undef CONV_
