/* Convolution and pooling, straight from their definitions: slow, simple, and all that tests believe in.
 *
 *   y[n][oh][ow][oc] = act(b[oc] + sum over kh, kw, ic of
 *                          x[n][oh*stride - pad + kh*dilation][...][ic] * w[oc][kh][kw][ic])
 *
 * with x = 0 outside the input. Sums are kept in double. Pooling: the maximum of the pixels in a
 * window, or their sum divided by their number (include_pad: padding is counted, too).
 * SPDX-License-Identifier: MIT-0 */
#ifndef CONV_REFERENCE_H
#define CONV_REFERENCE_H

#include <math.h>
#include <stddef.h>

#ifndef CONV_REGISTRY_H
#include "registry.h"
#endif

/* One output before bias and activation; of pooling, the maximum or the average. */
struct reference_sum {
    double sum;  /* of x*w over the taps that lie inside the input */
    double size; /* of |x*w| over the same taps: what rounding errors are measured against */
    size_t taps; /* how many they are */
};

static size_t reference_at(enum conv_layout layout, int height, int width, int channels,
                           int n, int h, int w, int c)
{
    const size_t H = (size_t)height, W = (size_t)width, C = (size_t)channels;
    if (layout == CONV_NHWC)
        return (((size_t)n * H + (size_t)h) * W + (size_t)w) * C + (size_t)c;
    return (((size_t)n * C + (size_t)c) * H + (size_t)h) * W + (size_t)w;
}

static size_t reference_input_at(const struct conv_layer *l, int n, int h, int w, int c)
{
    return reference_at(l->layout, l->in_h, l->in_w, l->in_channels, n, h, w, c);
}

static size_t reference_output_at(const struct conv_layer *l, int n, int h, int w, int c)
{
    return reference_at(l->layout, l->out_h, l->out_w, l->out_channels, n, h, w, c);
}

/* ic counts within the group. */
static size_t reference_weight_at(const struct conv_layer *l, int oc, int kh, int kw, int ic)
{
    const size_t O = (size_t)l->out_channels, I = (size_t)(l->in_channels / l->groups);
    const size_t H = (size_t)l->kernel_h, W = (size_t)l->kernel_w;
    const size_t o = (size_t)oc, h = (size_t)kh, w = (size_t)kw, i = (size_t)ic;
    switch (l->weights) {
    case CONV_OHWI: return ((o * H + h) * W + w) * I + i;
    case CONV_HWIO: return ((h * W + w) * I + i) * O + o;
    case CONV_OIHW: break;
    }
    return ((o * I + i) * H + h) * W + w;
}

static struct reference_sum reference_conv(const struct conv_layer *l, const float *input,
                                           const float *weights, int n, int oh, int ow, int oc)
{
    const int group_inputs = l->in_channels / l->groups;
    const int first_channel = oc / (l->out_channels / l->groups) * group_inputs;
    struct reference_sum r = { 0.0, 0.0, 0 };
    for (int kh = 0; kh < l->kernel_h; kh++) {
        const long long ih = (long long)oh * l->stride_h - l->pad_top
                             + (long long)kh * l->dilation_h;
        if (ih < 0 || ih >= l->in_h)
            continue;
        for (int kw = 0; kw < l->kernel_w; kw++) {
            const long long iw = (long long)ow * l->stride_w - l->pad_left
                                 + (long long)kw * l->dilation_w;
            if (iw < 0 || iw >= l->in_w)
                continue;
            for (int ic = 0; ic < group_inputs; ic++) {
                const double x = (double)input[reference_input_at(l, n, (int)ih, (int)iw,
                                                                  first_channel + ic)];
                const double w = (double)weights[reference_weight_at(l, oc, kh, kw, ic)];
                r.sum += x * w;
                r.size += fabs(x * w);
            }
            r.taps += (size_t)group_inputs;
        }
    }
    return r;
}

/* The pixels of a window one after the other: begin with REFERENCE_WINDOW, call reference_next_pixel
 * until it gives 0. */
struct reference_window {
    int tap;        /* the next one */
    int h, w;       /* the pixel */
    size_t counted; /* taps so far, those of the padding included, but not what lies behind it */
};
#define REFERENCE_WINDOW { 0, 0, 0, 0 }

static int reference_next_pixel(const struct conv_layer *l, int oh, int ow, struct reference_window *at)
{
    while (at->tap < l->kernel_h * l->kernel_w) {
        const int kh = at->tap / l->kernel_w, kw = at->tap % l->kernel_w;
        const long long ih = (long long)oh * l->stride_h - l->pad_top
                             + (long long)kh * l->dilation_h;
        const long long iw = (long long)ow * l->stride_w - l->pad_left
                             + (long long)kw * l->dilation_w;
        at->tap++;
        at->counted += ih < (long long)l->in_h + l->pad_bottom
                       && iw < (long long)l->in_w + l->pad_right;
        if (ih < 0 || ih >= l->in_h || iw < 0 || iw >= l->in_w)
            continue;
        at->h = (int)ih;
        at->w = (int)iw;
        return 1;
    }
    return 0;
}

/* NaN where any pixel of the window is NaN. */
static struct reference_sum reference_pool(const struct conv_layer *l, const float *input,
                                           int n, int oh, int ow, int c)
{
    struct reference_sum r = { 0.0, 0.0, 0 };
    struct reference_window at = REFERENCE_WINDOW;
    while (reference_next_pixel(l, oh, ow, &at)) {
        const double x = (double)input[reference_input_at(l, n, at.h, at.w, c)];
        if (l->kind == CONV_AVERAGE_POOLING) {
            r.sum += x;
            r.size += fabs(x);
        } else if (r.taps == 0 || x > r.sum || isnan(x)) {
            r.sum = x;
            r.size = fabs(x);
        }
        r.taps++;
    }
    if (l->kind == CONV_AVERAGE_POOLING) {
        const double divisor = (double)(l->include_pad ? at.counted : r.taps);
        r.sum /= divisor;
        r.size /= divisor;
    }
    return r;
}

/* Every comparison is written so that a NaN comes out as it went in. */
static double reference_activation(const struct conv_layer *l, double x)
{
    const double a = (double)l->activation_a, b = (double)l->activation_b;
    switch (l->activation) {
    case CONV_NONE: break;
    case CONV_RELU: return x < 0.0 ? 0.0 : x;
    case CONV_CLAMP: return x < a ? a : x > b ? b : x;
    case CONV_LEAKY: return x < 0.0 ? a * x : x;
    case CONV_SIGMOID: return 1.0 / (1.0 + exp(-x));
    case CONV_TANH: return tanh(x);
    case CONV_SILU: return x / (1.0 + exp(-x));
    case CONV_HARDSWISH: return x < -3.0 ? 0.0 : x > 3.0 ? x : x * (x + 3.0) / 6.0;
    }
    return x;
}

#endif
