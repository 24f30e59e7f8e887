/* The data of a check, and which outputs are compared.
 * SPDX-License-Identifier: MIT-0 */
#ifndef CHECK_DATA_H
#define CHECK_DATA_H

#ifndef CHECK_WANT_H
#include "want.h"
#endif

static int check_sample_axis(int i, int size) /* first, second, middle, last but one, last */
{
    const int at[5] = { 0, size > 1, size / 2, size > 1 ? size - 2 : 0, size - 1 };
    return at[i];
}

static int check_choose_points(struct check *c)
{
    const struct conv_layer *l = c->last;
    const size_t count = (size_t)c->kernel->output_count;
    size_t wanted = count;
    if (c->macs > CHECK_SMALL) {
        wanted = (size_t)(CHECK_SMALL / (double)(check_taps(c->layer) * c->window));
        wanted = wanted < CHECK_SAMPLES ? CHECK_SAMPLES : wanted;
        wanted = wanted < count ? wanted : count;
    }
    c->point = malloc(wanted * sizeof *c->point);
    c->sum = malloc(wanted * c->window * sizeof *c->sum);
    if (!c->point || !c->sum)
        return 0;
    if (wanted == count) {
        for (size_t i = 0; i < count; i++)
            c->point[i] = check_point_of(l, i);
    } else { /* more than 1000 of them, so the 625 of borders and corners fit */
        size_t i = 0;
        for (int n = 0; n < 625; n++, i++) {
            c->point[i].n = check_sample_axis(n % 5, l->batch);
            c->point[i].h = check_sample_axis(n / 5 % 5, l->out_h);
            c->point[i].w = check_sample_axis(n / 25 % 5, l->out_w);
            c->point[i].c = check_sample_axis(n / 125, l->out_channels);
        }
        for (; i < wanted; i++)
            c->point[i] = check_point_of(l, (size_t)(check_random(c) % count));
    }
    c->points = wanted;
    return 1;
}

/* How large sums should typically be to exercise the activation, and around what; 0: any size. */
static double check_target(const struct conv_layer *l, double *centre)
{
    const double low = (double)l->activation_a, high = (double)l->activation_b;
    *centre = 0.0;
    if (check_is_smooth(l))
        return 4.0;
    if (l->activation != CONV_CLAMP || !(high - low > 1e-6) || !(high - low < 1e6))
        return 0.0;
    *centre = (high + low) / 2.0;
    return (high - low) / 2.0;
}

/* Input that no output reads is NaN: reading it, even times zero, shows. */
static void check_poison_unread(struct check *c)
{
    const struct conv_layer *l = c->layer;
    for (int h = 0; h < l->in_h; h++)
        for (int w = 0; w < l->in_w; w++) {
            if (c->row_read[h] && c->column_read[w])
                continue;
            for (int n = 0; n < l->batch; n++)
                for (int i = 0; i < l->in_channels; i++)
                    c->input[reference_input_at(l, n, h, w, i)] = NAN;
        }
}

/* Integers of at most `range`, weights and bias times a power of two where an activation wants
 * small sums. taps * range^2 + |bias| <= 2^24 units, so every partial sum is exact, and of an
 * average of sums also those of them. Of a bilinear kernel the weights are multiples of 4 (see
 * check_is_exact), and for each input channel transforms sum 4 inputs times weights of at most 9 range
 * in 9 places: 36 times as much. */
static int check_fill_exact(struct check *c)
{
    const struct conv_kernel *k = c->kernel;
    const double taps = (double)check_taps(c->layer);
    const int averaged = c->last != c->layer && c->last->kind == CONV_AVERAGE_POOLING;
    const int multiple = k->exact ? 1 : 4;
    const double limit = 16777216.0 / (averaged ? (double)c->window : 1.0) / (k->exact ? 1.0 : 36.0);
    int range = 32;
    while (range > 1 && taps * range * range + range > limit)
        range /= range == 32 ? 4 : 2;
    if (taps * range * range + range > limit)
        return 0;
    double centre;
    const double target = check_target(c->layer, &centre);
    int exponent = 0;
    if (target > 0.0)
        frexp(target / (multiple * range * (range + 1) / 3.0 * sqrt(taps)), &exponent);
    const float scale = ldexpf(1.0f, exponent);
    double offset = floor(ldexp(centre, -exponent));
    if (!(taps * range * range + range + fabs(offset) <= limit))
        offset = 0.0;
    const int max = c->layer->kind == CONV_MAX_POOLING; /* exact anyway; a 0 that leaks in must show */
    for (size_t i = 0; i < k->input_count; i++)
        c->input[i] = (float)(max ? check_integer(c, -999, -1) : check_integer(c, -range, range));
    for (size_t i = 0; i < k->weight_count; i++)
        c->weights[i] = (float)(multiple * check_integer(c, -range, range)) * scale;
    for (size_t i = 0; i < k->bias_count; i++)
        c->bias[i] = ((float)check_integer(c, -range, range) + (float)offset) * scale;
    check_poison_unread(c);
    return 1;
}

/* Of maxima: each window has a single pixel that is larger than the others, at tap `tap`, counted from a
 * place that differs from window to window: all taps make all windows differ in all taps. */
static void check_fill_peaks(struct check *c, size_t tap)
{
    const struct conv_layer *l = c->layer;
    const int kh = (int)(tap / (size_t)l->kernel_w), kw = (int)(tap % (size_t)l->kernel_w);
    for (int h = 0; h < l->in_h; h++)
        for (int w = 0; w < l->in_w; w++) {
            const int peak = h / l->dilation_h % l->kernel_h == kh
                && w / l->dilation_w % l->kernel_w == kw;
            for (int n = 0; n < l->batch; n++)
                for (int i = 0; i < l->in_channels; i++)
                    c->input[reference_input_at(l, n, h, w, i)] =
                        (float)(check_integer(c, -999, -1) - (peak ? 0 : 1000));
        }
    check_poison_unread(c);
}

static void check_fill_real(struct check *c)
{
    const struct conv_kernel *k = c->kernel;
    double centre;
    const double target = check_target(c->layer, &centre);
    const float scale = target > 0.0
        ? (float)(3.0 * target / sqrt((double)check_taps(c->layer))) : 1.0f;
    for (size_t i = 0; i < k->input_count; i++)
        c->input[i] = check_real(c);
    for (size_t i = 0; i < k->weight_count; i++)
        c->weights[i] = check_real(c) * scale;
    for (size_t i = 0; i < k->bias_count; i++)
        c->bias[i] = check_real(c) * scale + (float)centre;
    check_poison_unread(c);
}

/* Fills until not too many of the outputs that have a sum at all are expected to be zero. */
static int check_data_exact(struct check *c)
{
    const struct conv_layer *l = c->layer;
    const int constant = l->activation == CONV_CLAMP && !(l->activation_a < l->activation_b);
    for (int attempt = 0; attempt < 40; attempt++) {
        if (!check_fill_exact(c))
            return check_fail(c, "so many taps that no integer data are exact");
        check_expect(c);
        size_t zeros = 0, all = 0;
        for (size_t i = 0; i < c->points; i++) {
            const struct check_want want = check_wanted(c, i, 1);
            if (want.taps == 0 && c->kernel->bias_count == 0)
                continue;
            all++;
            zeros += want.value == 0.0;
        }
        if (constant || (double)zeros <= CHECK_ZEROS * (double)all)
            return 1;
    }
    return check_fail(c, "the data would not show anything: nearly all outputs are zero");
}

#endif
