/* When an output is right.
 * SPDX-License-Identifier: MIT-0 */
#ifndef CHECK_COMPARE_H
#define CHECK_COMPARE_H

#ifndef CHECK_DATA_H
#include "data.h"
#endif

/* Exact data: ==, but for smooth activations, whose argument is still exact, and for averages under
 * -ffast-math. */
static int check_values_exact(struct check *c, const float *output, const char *pass, int with_bias)
{
    for (size_t i = 0; i < c->points; i++) {
        const struct check_want want = check_wanted(c, i, with_bias);
        const double got = (double)output[check_output_at(c, c->point[i])];
        const int good = want.exact > 0.0 ? fabs(got - want.value) <= want.exact
                                          : got == (double)(float)want.value;
        if (!good)
            return check_fail_at(c, c->point[i], got, want.value, "exact data, %s: wrong value",
                                 pass);
    }
    c->result.compared += c->points;
    return 1;
}

/* Real data: the bound per output, and the root mean square over many. */
static int check_values_real(struct check *c, const float *output, const char *pass)
{
    const struct conv_layer *l = c->layer;
    double squares = 0.0;
    for (size_t i = 0; i < c->points; i++) {
        const struct check_want want = check_wanted(c, i, 1);
        const double got = (double)output[check_output_at(c, c->point[i])];
        const double error = fabs(got - want.value);
        if (!(error <= want.real))
            return check_fail_at(c, c->point[i], got, want.value,
                                 "real data, %s: error above the bound", pass);
        const double units = want.unit > 0.0 ? error / want.unit : 0.0;
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
 * holds; the relative L2 error, by the number of points, and the largest error against the largest
 * value are bounded instead. What a smooth activation itself may add is not theirs. Of a few outputs all may be
 * sums that cancel: there those count as much as sums of so many terms of that size typically are. */
static int check_values_bilinear(struct check *c, const float *output, const char *pass)
{
    const int points = c->kernel->points;
    const double bound = points <= 4 ? 2e-6 : points <= 6 ? 1e-5 : 2e-5;
    double errors = 0.0, squares = 0.0, largest = 0.0, typical_squares = 0.0, typical_largest = 0.0;
    size_t worst = 0;
    c->result.max_error = 0.0;
    for (size_t i = 0; i < c->points; i++) {
        const struct check_want want = check_wanted(c, i, 1);
        const double whole = fabs((double)output[check_output_at(c, c->point[i])] - want.value);
        const double error = whole <= want.exact ? 0.0 : whole - want.exact;
        errors += error * error;
        squares += want.scale * want.scale;
        largest = want.scale > largest ? want.scale : largest;
        const double typical = want.taps > 0 ? want.unit / CHECK_UNIT / sqrt((double)want.taps) : 0.0;
        typical_squares += typical * typical;
        typical_largest = typical > typical_largest ? typical : typical_largest;
        if (!(error <= c->result.max_error)) {
            c->result.max_error = error;
            worst = i;
        }
    }
    c->result.compared += c->points;
    if (c->points < CHECK_FEW_OUTPUTS) {
        squares = typical_squares > squares ? typical_squares : squares;
        largest = typical_largest > largest ? typical_largest : largest;
    }
    const double relative = squares > 0.0 ? sqrt(errors / squares) : sqrt(errors);
    c->result.relative_error = relative;
    if (!(relative <= bound) || !(c->result.max_error <= 4e-5 * largest))
        return check_fail_at(c, c->point[worst],
                             (double)output[check_output_at(c, c->point[worst])],
                             check_wanted(c, worst, 1).value, "real data, %s: error above the bound",
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
    return check_fail_at(c, check_point_of(c->last, i), (double)output[i], (double)c->first[i],
                         "%s: another result than in the first pass", pass);
}

#endif
