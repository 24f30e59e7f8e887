/* The classic: im2col, then OpenBLAS's sgemm; bias and ReLU in a pass over each output.
 * SPDX-License-Identifier: MIT-0 */
#include "peer.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

enum { NHWC, NCHW };
static const struct peer_setting settings[] = { { "im2col", "nhwc" }, { "im2col", "nchw" },
                                                { NULL, NULL } };

struct opened {
    struct conv_layer layer;
    int layout;
    float *weights; /* OIHW, or of NHWC HWIO */
    float *bias, *columns;
};

static int taps_of(const struct conv_layer *l) { return l->kernel_h * l->kernel_w; }
static int pixels_of(const struct conv_layer *l) { return l->out_h * l->out_w; }
static int depth_of(const struct conv_layer *l) { return l->in_channels / l->groups * taps_of(l); }

/* A 1x1 filter that steps over all pixels sees the input as it is. */
static int needs_columns(const struct conv_layer *l)
{
    return taps_of(l) != 1 || l->stride_h != 1 || l->stride_w != 1 || l->pad_top || l->pad_left;
}

static float *allocate(size_t count)
{
    float *array = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64 + 64);
    if (!array)
        abort();
    return array;
}

static void *open_layer(int setting, const struct conv_layer *l, const float *weights,
                        const float *bias)
{
    if (setting == NHWC && l->groups > 1)
        return NULL; /* no matrix product: the channels of a group are not together */
    struct opened *c = calloc(1, sizeof *c);
    const int out = l->out_channels, in = l->in_channels / l->groups, taps = taps_of(l);
    const size_t depth = (size_t)depth_of(l);
    if (!c)
        abort();
    c->layer = *l;
    c->layout = setting;
    c->weights = allocate((size_t)out * depth);
    c->bias = allocate((size_t)out);
    c->columns = allocate(needs_columns(l) ? depth * (size_t)pixels_of(l) : 1);
    memcpy(c->bias, bias, (size_t)out * sizeof(float));
    for (int o = 0; o < out; ++o)
        for (int i = 0; i < in; ++i)
            for (int t = 0; t < taps; ++t)
                c->weights[setting == NHWC ? (t * in + i) * out + o : (o * in + i) * taps + t]
                    = weights[(o * in + i) * taps + t];
    return c;
}

static void close_layer(void *opened)
{
    struct opened *c = opened;
    free(c->weights);
    free(c->bias);
    free(c->columns);
    free(c);
}

/* A row for each output pixel: its taps, channels innermost. */
static void columns_nhwc(const struct conv_layer *l, const float *image, float *row)
{
    const size_t channels = (size_t)l->in_channels;
    for (int oh = 0; oh < l->out_h; ++oh)
        for (int ow = 0; ow < l->out_w; ++ow)
            for (int kh = 0; kh < l->kernel_h; ++kh)
                for (int kw = 0; kw < l->kernel_w; ++kw, row += channels) {
                    const int h = oh * l->stride_h - l->pad_top + kh * l->dilation_h;
                    const int w = ow * l->stride_w - l->pad_left + kw * l->dilation_w;
                    if (h >= 0 && h < l->in_h && w >= 0 && w < l->in_w)
                        memcpy(row, image + (size_t)(h * l->in_w + w) * channels,
                               channels * sizeof *row);
                    else
                        memset(row, 0, channels * sizeof *row);
                }
}

/* A row for each tap: its output pixels. */
static void columns_nchw(const struct conv_layer *l, const float *image, float *row)
{
    for (int c = 0; c < l->in_channels / l->groups; ++c, image += (size_t)l->in_h * (size_t)l->in_w)
        for (int kh = 0; kh < l->kernel_h; ++kh)
            for (int kw = 0; kw < l->kernel_w; ++kw)
                for (int oh = 0; oh < l->out_h; ++oh, row += l->out_w) {
                    const int h = oh * l->stride_h - l->pad_top + kh * l->dilation_h;
                    const int first = kw * l->dilation_w - l->pad_left;
                    const float *line = image + (ptrdiff_t)h * l->in_w + first;
                    if (h < 0 || h >= l->in_h) {
                        memset(row, 0, (size_t)l->out_w * sizeof *row);
                        continue;
                    }
                    int begin = 0, end = l->out_w;
                    while (begin < end && begin * l->stride_w + first < 0)
                        ++begin;
                    while (end > begin && (end - 1) * l->stride_w + first >= l->in_w)
                        --end;
                    memset(row, 0, (size_t)begin * sizeof *row);
                    if (l->stride_w == 1)
                        memcpy(row + begin, line + begin, (size_t)(end - begin) * sizeof *row);
                    else
                        for (int ow = begin; ow < end; ++ow)
                            row[ow] = line[ow * l->stride_w];
                    memset(row + end, 0, (size_t)(l->out_w - end) * sizeof *row);
                }
}

static float relu(float x) { return x < 0 ? 0 : x; }

static void image_nhwc(const struct opened *c, const float *in, float *out)
{
    const struct conv_layer *l = &c->layer;
    const int pixels = pixels_of(l), channels = l->out_channels, depth = depth_of(l);
    if (needs_columns(l))
        columns_nhwc(l, in, c->columns);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, pixels, channels, depth, 1,
                needs_columns(l) ? c->columns : in, depth, c->weights, channels, 0, out, channels);
    for (int p = 0; p < pixels; ++p, out += channels)
        for (int o = 0; o < channels; ++o)
            out[o] = relu(out[o] + c->bias[o]);
}

static void image_nchw(const struct opened *c, const float *in, float *out)
{
    const struct conv_layer *l = &c->layer;
    const int pixels = pixels_of(l), channels = l->out_channels / l->groups, depth = depth_of(l);
    for (int g = 0; g < l->groups; ++g) {
        const float *group = in + (size_t)(g * (l->in_channels / l->groups)) * (size_t)(l->in_h * l->in_w);
        if (needs_columns(l))
            columns_nchw(l, group, c->columns);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, channels, pixels, depth, 1,
                    c->weights + (size_t)(g * channels) * (size_t)depth, depth,
                    needs_columns(l) ? c->columns : group, pixels, 0, out, pixels);
        for (int o = 0; o < channels; ++o, out += pixels)
            for (int p = 0; p < pixels; ++p)
                out[p] = relu(out[p] + c->bias[g * channels + o]);
    }
}

static size_t input_floats(const void *opened)
{
    const struct conv_layer *l = &((const struct opened *)opened)->layer;
    return peer_blocked_floats(l->batch, l->in_channels, l->in_h, l->in_w, 1);
}
static size_t output_floats(const void *opened)
{
    const struct conv_layer *l = &((const struct opened *)opened)->layer;
    return peer_blocked_floats(l->batch, l->out_channels, l->out_h, l->out_w, 1);
}

static void run(void *opened, const float *input, float *output)
{
    const struct opened *c = opened;
    const size_t batch = (size_t)c->layer.batch;
    const size_t in = input_floats(c) / batch, out = output_floats(c) / batch;
    for (size_t n = 0; n < batch; ++n)
        (c->layout == NHWC ? image_nhwc : image_nchw)(c, input + n * in, output + n * out);
}

static void import_input(void *opened, const float *nhwc, float *input)
{
    const struct opened *c = opened;
    const struct conv_layer *l = &c->layer;
    peer_to_blocked(nhwc, input, l->batch, l->in_channels, l->in_h, l->in_w,
                    c->layout == NHWC ? l->in_channels : 1);
}
static void export_output(void *opened, const float *output, float *nhwc)
{
    const struct opened *c = opened;
    const struct conv_layer *l = &c->layer;
    peer_from_blocked(output, nhwc, l->batch, l->out_channels, l->out_h, l->out_w,
                      c->layout == NHWC ? l->out_channels : 1);
}

static const char *version(void)
{
    const char *text = openblas_get_config(); /* "OpenBLAS 0.3.21 ..." */
    static char number[20];
    const char *digits = strpbrk(text, "0123456789");
    strncpy(number, digits ? digits : "", sizeof number - 1);
    number[strcspn(number, " ")] = '\0';
    return number;
}
static const char *describe(const void *opened) { return opened ? openblas_get_corename() : ""; }

const struct peer peer = { "OpenBLAS", version, settings, open_layer, close_layer, describe,
                           input_floats, output_floats, import_input, run, export_output };
