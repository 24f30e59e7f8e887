/* What the reference says of an output, and how far from it the kernel's may be.
 * SPDX-License-Identifier: MIT-0 */
#ifndef CHECK_WANT_H
#define CHECK_WANT_H

#ifndef CHECK_STATE_H
#include "state.h"
#endif

struct check_want {
    double value;
    double exact; /* how far on exact data: 0 means ==, also in float */
    double real;  /* and on real data */
    double unit;  /* u times the size of the sum, what errors are measured in */
    double scale; /* what errors of bilinear algorithms are relative to: the value, but the sum where
                     a smooth activation flattens it, times its Lipschitz constant */
    size_t taps;  /* that lie in the input */
};

static int check_is_smooth(const struct conv_layer *l)
{
    return l->activation == CONV_SIGMOID || l->activation == CONV_TANH
        || l->activation == CONV_SILU || l->activation == CONV_HARDSWISH;
}

static double check_lipschitz(const struct conv_layer *l)
{
    const double slope = fabs((double)l->activation_a);
    switch (l->activation) {
    case CONV_NONE: case CONV_RELU: case CONV_CLAMP: case CONV_TANH: break;
    case CONV_LEAKY: return slope > 1.0 ? slope : 1.0;
    case CONV_SIGMOID: return 0.25;
    case CONV_SILU: return 1.1;
    case CONV_HARDSWISH: return 1.5;
    }
    return 1.0;
}

/* What the activation itself may add, at x before it and y after it. Below FLT_MIN anything goes
 * (subnormal results may be flushed), also times x, as in silu; hardswish subtracts near x = -3. */
static double check_activation_error(const struct conv_layer *l, double x, double y)
{
    if (l->activation == CONV_LEAKY)
        return CHECK_UNIT * fabs(y) + (double)FLT_MIN;
    if (!check_is_smooth(l))
        return 0.0;
    double scale = fabs(y);
    if (l->activation == CONV_HARDSWISH && fabs(x) < 4.0)
        scale += fabs(x);
    return CHECK_ACTIVATION_ULPS * 2.0 * CHECK_UNIT * scale + (double)FLT_MIN * (1.0 + fabs(x));
}

/* What rounding may add to an average of `taps` numbers; unit: u times their mean size. */
static double check_average_bound(double taps, double unit)
{
    return (taps + 1.0) * unit + taps * (double)FLT_MIN;
}

/* What rounding may add to a sum of `taps`, in any order; unit: u times its size. A maximum is one of
 * its pixels. */
static double check_bound(const struct conv_layer *l, double taps, double unit)
{
    switch (l->kind) {
    case CONV_CONVOLUTION: break;
    case CONV_MAX_POOLING: return 0.0;
    case CONV_AVERAGE_POOLING: return check_average_bound(taps, unit);
    }
    return (taps + 2.0) * unit + taps * (double)FLT_MIN;
}

/* Of one output of the layer itself. */
static struct check_want check_want_one(const struct check *c, struct reference_sum s, int channel,
                                        int with_bias)
{
    const struct conv_layer *l = c->layer;
    const double bias = with_bias && c->kernel->bias_count ? (double)c->bias[channel] : 0.0;
    const double x = s.sum + bias;
    struct check_want w;
    w.value = reference_activation(l, x);
    w.unit = CHECK_UNIT * (s.size + fabs(bias));
    w.scale = check_is_smooth(l) ? check_lipschitz(l) * fabs(x) : fabs(w.value);
    w.exact = check_is_smooth(l) ? check_activation_error(l, x, w.value) : 0.0;
    if (CHECK_FINITE && l->kind == CONV_AVERAGE_POOLING) /* perhaps times a reciprocal */
        w.exact = check_bound(l, (double)s.taps, w.unit);
    w.real = check_lipschitz(l) * check_bound(l, (double)s.taps, w.unit)
        + check_activation_error(l, x, w.value);
    w.taps = s.taps;
    return w;
}

/* Of the pooling behind it: the definition over outputs of the layer, each with its own error. An
 * average of exact numbers is exact where no activation has made them odd ones. */
static struct check_want check_want_pooled(const struct check *c, size_t i, int with_bias)
{
    const struct check_point p = c->point[i];
    const int average = c->last->kind == CONV_AVERAGE_POOLING;
    struct check_want w = { 0.0, 0.0, 0.0, 0.0, 0.0, 0 };
    struct reference_window at = REFERENCE_WINDOW;
    double size = 0.0, pixels = 0.0;
    for (const struct reference_sum *s = c->sum + i * c->window;
         reference_next_pixel(c->last, p.h, p.w, &at); s++) {
        const struct check_want one = check_want_one(c, *s, p.c, with_bias);
        if (average) {
            w.value += one.value;
            w.exact += one.exact;
            w.real += one.real;
            w.unit += one.unit;
            w.scale += one.scale;
        } else {
            w.value = pixels == 0.0 || one.value > w.value || isnan(one.value) ? one.value : w.value;
            w.exact = one.exact > w.exact ? one.exact : w.exact;
            w.real = one.real > w.real ? one.real : w.real;
            w.unit = one.unit > w.unit ? one.unit : w.unit;
            w.scale = one.scale > w.scale ? one.scale : w.scale;
        }
        size += fabs(one.value);
        w.taps += one.taps;
        pixels += 1.0;
    }
    if (average) {
        const double divisor = c->last->include_pad ? (double)at.counted : pixels;
        const double rounding = check_average_bound(pixels, CHECK_UNIT * size / divisor);
        w.value /= divisor;
        w.unit /= divisor;
        w.scale /= divisor;
        w.real = w.real / divisor + rounding;
        w.exact /= divisor;
        if (CHECK_FINITE || (c->layer->activation != CONV_NONE && c->layer->activation != CONV_RELU))
            w.exact += rounding;
    }
    return w;
}

/* Of output c->point[i]. */
static struct check_want check_wanted(const struct check *c, size_t i, int with_bias)
{
    return c->last == c->layer ? check_want_one(c, c->sum[i], c->point[i].c, with_bias)
                               : check_want_pooled(c, i, with_bias);
}

/* Asks the reference: for one sum, or for those of a window of the map. */
static void check_expect(struct check *c)
{
    const struct conv_layer *l = c->layer;
    for (size_t i = 0; i < c->points; i++) {
        const struct check_point p = c->point[i];
        struct reference_sum *s = c->sum + i * c->window;
        struct reference_window at = REFERENCE_WINDOW;
        if (l->kind != CONV_CONVOLUTION)
            *s = reference_pool(l, c->input, p.n, p.h, p.w, p.c);
        else if (c->last == l)
            *s = reference_conv(l, c->input, c->weights, p.n, p.h, p.w, p.c);
        else
            for (; reference_next_pixel(c->last, p.h, p.w, &at); s++)
                *s = reference_conv(l, c->input, c->weights, p.n, at.h, at.w, p.c);
    }
}

#endif
