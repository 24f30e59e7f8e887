/* When an output is right.
 * SPDX-License-Identifier: MIT-0 */
#ifndef CHECK_COMPARE_H
#define CHECK_COMPARE_H

#ifndef CHECK_DATA_H
#include "data.h"
#endif

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

/* Exact data: ==, but for smooth activations, whose argument is still exact. */
static int check_values_exact(struct check *c, const float *output, const char *pass, int with_bias)
{
    const struct conv_layer *l = c->layer;
    for (size_t i = 0; i < c->points; i++) {
        const double x = c->sum[i].sum + check_bias_of(c, i, with_bias);
        const double want = check_wanted(c, i, with_bias);
        const double got = (double)output[check_output_at(c, c->point[i])];
        const int good = check_is_smooth(l)
            ? fabs(got - want) <= check_activation_error(l, x, want)
            : got == (double)(float)want;
        if (!good)
            return check_fail_at(c, c->point[i], got, want, "exact data, %s: wrong value", pass);
    }
    c->result.compared += c->points;
    return 1;
}

/* What rounding may add to a sum of `taps`, in any order; unit: u times its size. A maximum is one of
 * its pixels. */
static double check_bound(const struct conv_layer *l, double taps, double unit)
{
    switch (l->kind) {
    case CONV_CONVOLUTION: break;
    case CONV_MAX_POOLING: return 0.0;
    case CONV_AVERAGE_POOLING: return (taps + 1.0) * unit + taps * (double)FLT_MIN;
    }
    return (taps + 2.0) * unit + taps * (double)FLT_MIN;
}

/* Real data: the bound per output, and the root mean square over many. */
static int check_values_real(struct check *c, const float *output, const char *pass)
{
    const struct conv_layer *l = c->layer;
    double squares = 0.0;
    for (size_t i = 0; i < c->points; i++) {
        const double bias = check_bias_of(c, i, 1), x = c->sum[i].sum + bias;
        const double taps = (double)c->sum[i].taps;
        const double unit = CHECK_UNIT * (c->sum[i].size + fabs(bias));
        const double want = check_wanted(c, i, 1);
        const double got = (double)output[check_output_at(c, c->point[i])];
        const double error = fabs(got - want);
        const double bound = check_bound(l, taps, unit);
        if (!(error <= check_lipschitz(l) * bound + check_activation_error(l, x, want)))
            return check_fail_at(c, c->point[i], got, want, "real data, %s: error above the bound",
                                 pass);
        const double units = unit > 0.0 ? error / unit : 0.0;
        squares += units * units;
        if (error > c->result.max_error)
            c->result.max_error = error;
        if (units > c->result.max_error_units)
            c->result.max_error_units = units;
    }
    c->result.compared += c->points;
    c->result.rms_error_units = sqrt(squares / (double)c->points);
    const double limit = 1.27 * sqrt((double)check_taps(l));
    if (c->points >= 1000 && !check_is_smooth(l) && check_lipschitz(l) <= 1.0
        && !(c->result.rms_error_units <= limit))
        return check_fail(c, "real data, %s: root mean square error %.3g u*S, more than %.3g", pass,
                          c->result.rms_error_units, limit);
    return 1;
}

/* T2, bilinear algorithms (exact == 0): tiles mix neighbouring outputs, so no bound per output
 * holds; the relative L2 error and the largest error against the largest value are bounded instead.
 * This is the one place to refine when the registry tells the number of points of a tile. */
static int check_values_bilinear(struct check *c, const float *output, const char *pass)
{
    double errors = 0.0, squares = 0.0, largest = 0.0;
    size_t worst = 0;
    c->result.max_error = 0.0;
    for (size_t i = 0; i < c->points; i++) {
        const double want = check_wanted(c, i, 1);
        const double error = fabs((double)output[check_output_at(c, c->point[i])] - want);
        errors += error * error;
        squares += want * want;
        largest = fabs(want) > largest ? fabs(want) : largest;
        if (!(error <= c->result.max_error)) {
            c->result.max_error = error;
            worst = i;
        }
    }
    c->result.compared += c->points;
    const double relative = squares > 0.0 ? sqrt(errors / squares) : sqrt(errors);
    if (!(relative <= 2e-5) || !(c->result.max_error <= 4e-5 * largest))
        return check_fail_at(c, c->point[worst],
                             (double)output[check_output_at(c, c->point[worst])],
                             check_wanted(c, worst, 1), "real data, %s: error above the bound",
                             pass);
    return 1;
}

static int check_same_bits(struct check *c, const float *output, const char *pass)
{
    const size_t count = (size_t)c->kernel->output_count;
    if (memcmp(output, c->first, count * sizeof *output) == 0)
        return 1;
    size_t i = 0;
    while (check_bits(output[i]) == check_bits(c->first[i]))
        i++;
    return check_fail_at(c, check_point_of(c->layer, i), (double)output[i], (double)c->first[i],
                         "%s: another result than in the first pass", pass);
}

#endif
