/* What must hold between runs of a kernel, or of two, whatever the right values are: it needs no reference.
 * A kernel whose name ends in _explicit, _direct or _single also has a partner, the kernel without that
 * ending: 'same' and the explicit padding, depthwise and direct, a batch and single images.
 *
 * CHECK_PROPERTY=shift, say, checks that property alone. Integers are so small that all is exact; algorithms
 * that round them (NAME_EXACT 0) get what check_values_bilinear() allows.
 * SPDX-License-Identifier: MIT-0 */
#ifndef CONV_METAMORPHIC_H
#define CONV_METAMORPHIC_H

enum { META_INPUT, META_WEIGHTS, META_BIAS, META_ARRAYS };
enum { META_RUNS = 4 };

struct meta {
    struct check *check;
    const struct conv_kernel *k;
    const struct conv_layer *layer, *last;
    float *aside[META_ARRAYS];  /* other data */
    float *output[META_RUNS];   /* of runs */
    unsigned long long compared; /* outputs, by one property */
    int rounds;                  /* the algorithm rounds also the property's integers */
    float largest;               /* of the property's outputs */
    int runs;
};

static float *meta_data(const struct meta *m, int array)
{
    float *const data[META_ARRAYS] = { m->check->input, m->check->weights, m->check->bias };
    return data[array];
}

static size_t meta_count(const struct conv_kernel *k, int array)
{
    const unsigned long long counts[META_ARRAYS] = { k->input_count, k->weight_count, k->bias_count };
    return (size_t)counts[array];
}

/* Of averages all sums are multiples of 2520, which 1 to 10 divide, and 63. */
static void meta_integers(struct meta *m, int array)
{
    float *const data = meta_data(m, array);
    const float unit = m->last->kind == CONV_AVERAGE_POOLING && array != META_WEIGHTS ? 2520.0f : 1.0f;
    for (size_t i = 0; i < meta_count(m->k, array); i++)
        data[i] = unit * (float)check_integer(m->check, -4, 4);
    check_poison_unread(m->check);
}

static void meta_reals(struct meta *m, int array)
{
    float *const data = meta_data(m, array);
    for (size_t i = 0; i < meta_count(m->k, array); i++)
        data[i] = check_real(m->check);
    check_poison_unread(m->check);
}

static void meta_all(struct meta *m, void (*fill)(struct meta *m, int array))
{
    for (int array = 0; array < META_ARRAYS; array++)
        fill(m, array);
}

/* All of an array times `factor`, then plus `addend`. */
static void meta_change(struct meta *m, int array, float factor, float addend)
{
    float *const data = meta_data(m, array);
    for (size_t i = 0; i < meta_count(m->k, array); i++)
        data[i] = data[i] * factor + addend;
}

static void meta_constant(struct meta *m, int array, float value)
{
    float *const data = meta_data(m, array);
    for (size_t i = 0; i < meta_count(m->k, array); i++)
        data[i] = value;
    check_poison_unread(m->check);
}

static void meta_put_aside(struct meta *m, int array)
{
    memcpy(m->aside[array], meta_data(m, array), meta_count(m->k, array) * sizeof(float));
}

static void meta_add_aside(struct meta *m, int array)
{
    float *const data = meta_data(m, array);
    for (size_t i = 0; i < meta_count(m->k, array); i++)
        data[i] += m->aside[array][i];
}

/* Runs the kernel on the data, once at either page; its output is number `run`. */
static int meta_run(struct meta *m, int run)
{
    const struct check_pass pass = { "whole", m->runs++ % 2, 0, CHECK_WHOLE, 0 };
    if (!check_run_pass(m->check, &pass))
        return 0;
    memcpy(m->output[run], check_floats(m->check, CHECK_OUTPUT), (size_t)m->k->output_count * sizeof(float));
    for (size_t i = 0; i < m->k->output_count; i++)
        m->largest = fmaxf(m->largest, fabsf(m->output[run][i]));
    return 1;
}

static int meta_is(struct meta *m, struct check_point p, float got, float want, const char *what)
{
    const float tolerance = m->rounds ? 4e-5f * m->largest : 0.0f;
    m->compared++;
    return fabsf(got - want) <= tolerance || check_fail_at(m->check, p, (double)got, (double)want, "%s", what);
}

/* Whether run `got` is factor times the sum of others; -1: no run. */
static int meta_is_sum(struct meta *m, int got, float factor, int a, int b, const char *what)
{
    for (size_t i = 0; i < m->k->output_count; i++) {
        const float sum = m->output[a][i] + (b < 0 ? 0.0f : m->output[b][i]);
        if (!meta_is(m, check_point_of(m->last, i), m->output[got][i], factor * sum, what))
            return 0;
    }
    return 1;
}

static float meta_bias(const struct meta *m, int channel)
{
    return m->k->bias_count ? m->check->bias[channel] : 0.0f;
}

/* f(x + y) + f(0) = f(x) + f(y), and f(0) is the bias. */
static int meta_linear_input(struct meta *m)
{
    meta_all(m, meta_integers);
    meta_put_aside(m, META_INPUT);
    if (!meta_run(m, 0))
        return 0;
    meta_integers(m, META_INPUT);
    if (!meta_run(m, 1))
        return 0;
    meta_add_aside(m, META_INPUT);
    if (!meta_run(m, 2))
        return 0;
    meta_constant(m, META_INPUT, 0.0f);
    if (!meta_run(m, 3))
        return 0;
    for (size_t i = 0; i < m->k->output_count; i++) {
        const struct check_point p = check_point_of(m->last, i);
        m->output[2][i] += m->output[3][i];
        if (!meta_is(m, p, m->output[3][i], meta_bias(m, p.c), "no input: not the bias"))
            return 0;
    }
    return meta_is_sum(m, 2, 1.0f, 0, 1, "not linear in the input");
}

static int meta_linear_weights(struct meta *m)
{
    meta_all(m, meta_integers);
    meta_put_aside(m, META_WEIGHTS);
    meta_put_aside(m, META_BIAS);
    if (!meta_run(m, 0))
        return 0;
    meta_integers(m, META_WEIGHTS);
    meta_integers(m, META_BIAS);
    if (!meta_run(m, 1))
        return 0;
    meta_add_aside(m, META_WEIGHTS);
    meta_add_aside(m, META_BIAS);
    return meta_run(m, 2) && meta_is_sum(m, 2, 1.0f, 0, 1, "not linear in the weights and the bias");
}

/* Twice the input and the bias, then also twice the weights: reals, the same bits but for the exponent. */
static int meta_double(struct meta *m)
{
    meta_all(m, meta_reals);
    if (!meta_run(m, 0))
        return 0;
    meta_change(m, META_INPUT, 2.0f, 0.0f);
    meta_change(m, META_BIAS, 2.0f, 0.0f);
    if (!meta_run(m, 1) || !meta_is_sum(m, 1, 2.0f, 0, -1, "twice the input is not twice the output"))
        return 0;
    meta_change(m, META_WEIGHTS, 2.0f, 0.0f);
    meta_change(m, META_BIAS, 2.0f, 0.0f);
    const float factor = m->layer->kind == CONV_CONVOLUTION ? 2.0f : 1.0f;
    return meta_run(m, 2) && meta_is_sum(m, 2, factor, 1, -1, "twice the weights are not twice the output");
}

/* Whether the window of an output lies in the input, and behind the convolution in its map. */
static int meta_is_inner(struct check_axis a, struct check_axis behind, int fused, int output)
{
    int first = output, last = output;
    if (fused) {
        first = output * behind.stride - behind.pad;
        last = first + (behind.kernel - 1) * behind.dilation;
        if (first < 0 || last >= behind.in)
            return 0;
    }
    return output >= 0 && first * a.stride - a.pad >= 0
        && last * a.stride - a.pad + (a.kernel - 1) * a.dilation < a.in;
}

static int meta_is_inside(const struct meta *m, struct check_point p)
{
    const int fused = m->last != m->layer;
    return meta_is_inner(check_rows(m->layer), check_rows(m->last), fused, p.h)
        && meta_is_inner(check_columns(m->layer), check_columns(m->last), fused, p.w);
}

/* Moves the input down, or to the right; behind it comes other data. */
static void meta_move(struct meta *m, int down, int right)
{
    const struct conv_layer *const l = m->layer;
    for (int n = 0; n < l->batch; n++)
        for (int h = down; h < l->in_h; h++)
            for (int w = right; w < l->in_w; w++)
                for (int i = 0; i < l->in_channels; i++)
                    m->check->input[reference_input_at(l, n, h, w, i)] =
                        m->aside[META_INPUT][reference_input_at(l, n, h - down, w - right, i)];
}

/* The input moved by the strides moves the output by one, where windows do not touch the border. */
static int meta_shift(struct meta *m)
{
    const struct conv_layer *const l = m->layer, *const last = m->last;
    const int fused = last != l;
    if (last->out_h == 1 && last->out_w == 1)
        m->compared++; /* it has nowhere to move */
    meta_all(m, meta_integers);
    for (size_t i = 0; i < m->k->input_count; i++)
        if (isnan(m->check->input[i]))
            m->check->input[i] = 1.0f; /* not read here, but perhaps where it is moved to */
    meta_put_aside(m, META_INPUT);
    if (!meta_run(m, 0))
        return 0;
    for (int right = 0; right < 2; right++) {
        meta_integers(m, META_INPUT);
        meta_move(m, right ? 0 : l->stride_h * (fused ? last->stride_h : 1),
                  right ? l->stride_w * (fused ? last->stride_w : 1) : 0);
        check_poison_unread(m->check);
        if (!meta_run(m, 1))
            return 0;
        for (size_t i = 0; i < m->k->output_count; i++) {
            const struct check_point p = check_point_of(last, i);
            struct check_point from = p;
            *(right ? &from.w : &from.h) -= 1;
            if (!meta_is_inside(m, p) || !meta_is_inside(m, from))
                continue;
            const size_t at = reference_output_at(last, from.n, from.h, from.w, from.c);
            if (!meta_is(m, p, m->output[1][i], m->output[0][at],
                         right ? "the input moved to the right: not its output"
                               : "the input moved down: not its output"))
                return 0;
        }
    }
    return 1;
}

/* The tap of an output that reads input i of an axis, or -1. */
static int meta_tap(struct check_axis a, int output, int i)
{
    const int distance = i + a.pad - output * a.stride;
    return distance >= 0 && distance % a.dilation == 0 && distance / a.dilation < a.kernel
        ? distance / a.dilation : -1;
}

/* One pixel is 1: the outputs that read it are its weights. */
static int meta_impulse_at(struct meta *m, struct check_point x)
{
    const struct conv_layer *const l = m->layer;
    meta_constant(m, META_INPUT, 0.0f);
    m->check->input[reference_input_at(l, x.n, x.h, x.w, x.c)] = 1.0f;
    check_poison_unread(m->check);
    if (!meta_run(m, 0))
        return 0;
    const int group_inputs = l->in_channels / l->groups, group_outputs = l->out_channels / l->groups;
    for (size_t i = 0; i < m->k->output_count; i++) {
        const struct check_point p = check_point_of(l, i);
        const int kh = meta_tap(check_rows(l), p.h, x.h), kw = meta_tap(check_columns(l), p.w, x.w);
        float want = meta_bias(m, p.c);
        if (p.n == x.n && p.c / group_outputs == x.c / group_inputs && kh >= 0 && kw >= 0)
            want += m->check->weights[reference_weight_at(l, p.c, kh, kw, x.c % group_inputs)];
        if (!meta_is(m, p, m->output[0][i], want, "an impulse does not give its weight"))
            return 0;
    }
    return 1;
}

/* A pixel that some output reads with a tap; if there is none, a corner. */
static int meta_pixel_of(struct meta *m, struct check_axis a, int tap)
{
    int i = 0;
    for (int attempt = 0; attempt < 20; attempt++) {
        i = check_integer(m->check, 0, a.out - 1) * a.stride - a.pad + tap * a.dilation;
        if (i >= 0 && i < a.in)
            return i;
    }
    return i < 0 ? 0 : a.in - 1;
}

static int meta_larger(int a, int b)
{
    return a > b ? a : b;
}

/* Impulses that each tap reads, in each channel, and in the corners. */
static int meta_impulse(struct meta *m)
{
    const struct conv_layer *const l = m->layer;
    meta_all(m, meta_integers);
    const int taps = l->kernel_h * l->kernel_w, count = meta_larger(taps, l->in_channels);
    for (int i = 0; i < count + 4; i++) {
        const int corner = i - count, tap = i % taps;
        struct check_point x;
        x.n = check_integer(m->check, 0, l->batch - 1);
        x.c = i % l->in_channels;
        x.h = corner < 0 ? meta_pixel_of(m, check_rows(l), tap / l->kernel_w) : corner / 2 * (l->in_h - 1);
        x.w = corner < 0 ? meta_pixel_of(m, check_columns(l), tap % l->kernel_w) : corner % 2 * (l->in_w - 1);
        if (!meta_impulse_at(m, x))
            return 0;
    }
    return 1;
}

/* A single weight is 1: its channel is the input as the tap sees it, the others have their bias. */
static int meta_weight_at(struct meta *m, int oc, int kh, int kw, int ic)
{
    const struct conv_layer *const l = m->layer;
    const int channel = oc / (l->out_channels / l->groups) * (l->in_channels / l->groups) + ic;
    meta_constant(m, META_WEIGHTS, 0.0f);
    m->check->weights[reference_weight_at(l, oc, kh, kw, ic)] = 1.0f;
    if (!meta_run(m, 0))
        return 0;
    for (size_t i = 0; i < m->k->output_count; i++) {
        const struct check_point p = check_point_of(l, i);
        const int h = p.h * l->stride_h - l->pad_top + kh * l->dilation_h;
        const int w = p.w * l->stride_w - l->pad_left + kw * l->dilation_w;
        float want = meta_bias(m, p.c);
        if (p.c == oc && h >= 0 && h < l->in_h && w >= 0 && w < l->in_w)
            want += m->check->input[reference_input_at(l, p.n, h, w, channel)];
        if (!meta_is(m, p, m->output[0][i], want, "one weight does not give the input"))
            return 0;
    }
    return 1;
}

static int meta_weight(struct meta *m)
{
    const struct conv_layer *const l = m->layer;
    const int taps = l->kernel_h * l->kernel_w, channels = l->in_channels / l->groups;
    const int count = meta_larger(taps, meta_larger(channels, l->out_channels));
    meta_all(m, meta_integers);
    for (int i = 0; i < count; i++)
        if (!meta_weight_at(m, i % l->out_channels, i % taps / l->kernel_w, i % taps % l->kernel_w, i % channels))
            return 0;
    return 1;
}

/* order[i] = a random one of first .. first + count - 1, each once. */
static void meta_shuffle(struct meta *m, int *order, int first, int count)
{
    for (int i = 0; i < count; i++) {
        const int j = check_integer(m->check, 0, i);
        order[i] = order[j];
        order[j] = first + i;
    }
}

/* Tasks one by one in a random order, and ranges of them: reals, the same bits. */
static int meta_tasks(struct meta *m)
{
    static const struct check_pass whole = { "all tasks", 0, 0, CHECK_WHOLE, 0 };
    static const struct check_pass empty = { "no task", 1, 0, CHECK_EMPTY, 0 };
    static const struct check_pass ranges = { "ranges of tasks", 0, 0, CHECK_RANDOM, 0 };
    struct check *const c = m->check;
    meta_all(m, meta_reals);
    if (!check_first_pass(c, &whole))
        return 0;
    int *const order = malloc((size_t)m->k->tasks * sizeof *order);
    if (!order)
        return check_fail(c, "out of memory");
    meta_shuffle(m, order, 0, m->k->tasks);
    int good = check_run_pass(c, &empty); /* the data are there, no output is */
    for (int i = 0; good && i < m->k->tasks; i++)
        check_run(c, order[i], order[i] + 1);
    free(order);
    m->compared += 2 * m->k->output_count;
    return good && check_same_bits(c, check_floats(c, CHECK_OUTPUT), "single tasks, shuffled")
        && check_same_pass(c, &ranges);
}

/* Channels in another order: inputs[i] and outputs[o] say which they were. */
static int meta_permuted(struct meta *m, const int *inputs, const int *outputs, const char *what)
{
    const struct conv_layer *const l = m->layer;
    const int group_inputs = l->in_channels / l->groups;
    meta_all(m, meta_integers);
    for (int array = 0; array < META_ARRAYS; array++)
        meta_put_aside(m, array);
    if (!meta_run(m, 0))
        return 0;
    for (int n = 0; n < l->batch; n++)
        for (int h = 0; h < l->in_h; h++)
            for (int w = 0; w < l->in_w; w++)
                for (int i = 0; i < l->in_channels; i++)
                    m->check->input[reference_input_at(l, n, h, w, i)] =
                        m->aside[META_INPUT][reference_input_at(l, n, h, w, inputs[i])];
    for (int o = 0; m->k->bias_count && o < l->out_channels; o++)
        m->check->bias[o] = m->aside[META_BIAS][outputs[o]];
    for (int o = 0; m->k->weight_count && o < l->out_channels; o++)
        for (int tap = 0; tap < l->kernel_h * l->kernel_w; tap++)
            for (int i = 0; i < group_inputs; i++) {
                const int kh = tap / l->kernel_w, kw = tap % l->kernel_w;
                const int from = inputs[o / (l->out_channels / l->groups) * group_inputs + i] % group_inputs;
                m->check->weights[reference_weight_at(l, o, kh, kw, i)] =
                    m->aside[META_WEIGHTS][reference_weight_at(l, outputs[o], kh, kw, from)];
            }
    if (!meta_run(m, 1))
        return 0;
    for (size_t i = 0; i < m->k->output_count; i++) {
        const struct check_point p = check_point_of(m->last, i);
        const float want = m->output[0][reference_output_at(m->last, p.n, p.h, p.w, outputs[p.c])];
        if (!meta_is(m, p, m->output[1][i], want, what))
            return 0;
    }
    return 1;
}

/* Output channels within their groups, input channels within theirs, whole groups. */
static int meta_permute(struct meta *m)
{
    static const char *const names[3] = { "outputs in another order", "inputs in another order",
                                          "groups in another order" };
    const int counts[2] = { m->layer->out_channels, m->layer->in_channels }, groups = m->layer->groups;
    int *const orders[3] = { malloc((size_t)counts[0] * sizeof(int)), malloc((size_t)counts[1] * sizeof(int)),
                             malloc((size_t)groups * sizeof(int)) };
    int good = orders[0] && orders[1] && orders[2];
    if (!good)
        check_fail(m->check, "out of memory");
    for (int which = 0; good && which < 3; which++) {
        if (which == 2 ? groups == 1 : counts[which] == groups)
            continue;
        for (int g = 0; g < groups; g++)
            orders[2][g] = g;
        if (which == 2)
            meta_shuffle(m, orders[2], 0, groups);
        for (int side = 0; side < 2; side++) {
            const int size = counts[side] / groups;
            for (int i = 0; i < counts[side]; i++)
                orders[side][i] = orders[2][i / size] * size + i % size;
            for (int g = 0; side == which && g < groups; g++)
                meta_shuffle(m, orders[side] + g * size, g * size, size);
        }
        good = meta_permuted(m, orders[1], orders[0], names[which]);
    }
    for (int i = 0; i < 3; i++)
        free(orders[i]);
    return good;
}

/* Pooling of a constant is the constant; zeros that count, in the padding, are another matter. */
static int meta_constant_stays(struct meta *m)
{
    meta_constant(m, META_INPUT, -17.0f);
    if (!meta_run(m, 0))
        return 0;
    for (size_t i = 0; i < m->k->output_count; i++) {
        const struct check_point p = check_point_of(m->last, i);
        if ((!m->layer->include_pad || meta_is_inside(m, p))
            && !meta_is(m, p, m->output[0][i], -17.0f, "of a constant another value"))
            return 0;
    }
    return 1;
}

/* What is added to all pixels of a maximum or an average, here through the bias, is added to it. */
static int meta_raise(struct meta *m)
{
    const int to = m->layer->kind == CONV_CONVOLUTION ? META_BIAS : META_INPUT;
    meta_all(m, meta_integers);
    if (!meta_run(m, 0))
        return 0;
    meta_change(m, to, 1.0f, -7.0f * 2520.0f);
    if (!meta_run(m, 1))
        return 0;
    for (size_t i = 0; i < m->k->output_count; i++) {
        const struct check_point p = check_point_of(m->last, i);
        if ((!m->last->include_pad || meta_is_inside(m, p))
            && !meta_is(m, p, m->output[1][i], m->output[0][i] - 7.0f * 2520.0f,
                        "a constant added to all is not added to the output"))
            return 0;
    }
    return 1;
}

/* What the properties hold for, as bits. */
enum {
    META_PLAIN = 1, META_THEN_MAX = 2, META_THEN_AVERAGE = 4, META_MAX = 8, META_AVERAGE = 16,
    META_LINEAR = META_PLAIN | META_THEN_AVERAGE, META_POOLING = META_MAX | META_AVERAGE, META_EACH = 31
};

static int meta_kind(const struct meta *m)
{
    const int max = m->last->kind == CONV_MAX_POOLING;
    if (m->layer->kind != CONV_CONVOLUTION)
        return max ? META_MAX : META_AVERAGE;
    return m->layer == m->last ? META_PLAIN : max ? META_THEN_MAX : META_THEN_AVERAGE;
}

static const struct {
    const char *name;
    int kinds;
    int integers; /* reals: the same bits, whatever the algorithm */
    int (*holds)(struct meta *m);
} meta_properties[] = {
    { "linear", META_LINEAR | META_AVERAGE, 1, meta_linear_input },
    { "linear-weights", META_LINEAR, 1, meta_linear_weights },
    { "double", META_EACH, 0, meta_double },
    { "shift", META_EACH, 1, meta_shift },
    { "impulse", META_PLAIN, 1, meta_impulse },
    { "weight", META_PLAIN, 1, meta_weight },
    { "tasks", META_EACH, 0, meta_tasks },
    { "permute", META_EACH, 1, meta_permute },
    { "constant", META_POOLING, 1, meta_constant_stays },
    { "raise", META_POOLING | META_THEN_MAX | META_THEN_AVERAGE, 1, meta_raise },
};

static int meta_is_wanted(const char *property)
{
    const char *const only = getenv("CHECK_PROPERTY");
    return !only || strcmp(only, property) == 0;
}

static int meta_hold_all(struct meta *m)
{
    int known = meta_is_wanted("pair");
    for (size_t i = 0; i < sizeof meta_properties / sizeof *meta_properties; i++) {
        if (!meta_is_wanted(meta_properties[i].name))
            continue;
        known = 1;
        if (!(meta_properties[i].kinds & meta_kind(m)))
            continue;
        m->compared = 0;
        m->largest = 0.0f;
        m->rounds = meta_properties[i].integers && !m->k->exact;
        if (!meta_properties[i].holds(m))
            return 0;
        if (m->compared == 0)
            return check_fail(m->check, "%s: no output to compare", meta_properties[i].name);
    }
    return known || check_fail(m->check, "CHECK_PROPERTY is not known");
}

static int meta_with(struct check *c, int (*body)(struct meta *m))
{
    struct meta m;
    memset(&m, 0, sizeof m);
    m.check = c;
    m.k = c->kernel;
    m.layer = c->layer;
    m.last = c->last;
    int good = 1;
    for (int i = 0; i < META_ARRAYS; i++)
        good = (m.aside[i] = malloc(meta_count(m.k, i) * sizeof(float) + 1)) != NULL && good;
    for (int i = 0; i < META_RUNS; i++)
        good = (m.output[i] = malloc((size_t)m.k->output_count * sizeof(float))) != NULL && good;
    good = good ? body(&m) : check_fail(c, "out of memory");
    for (int i = 0; i < META_ARRAYS; i++)
        free(m.aside[i]);
    for (int i = 0; i < META_RUNS; i++)
        free(m.output[i]);
    return good;
}

static int meta_alone(struct check *c)
{
    return meta_with(c, meta_hold_all);
}

/* What the kernel `of` made of some data, for its partner. */
static struct {
    const struct conv_kernel *of;
    const char *ending;
    float *data[META_ARRAYS], *output;
} meta_first;

static int meta_is_ending(const char *ending)
{
    return strcmp(meta_first.ending, ending) == 0;
}

static int meta_record(struct meta *m)
{
    meta_all(m, meta_is_ending("_direct") ? meta_integers : meta_reals);
    if (!meta_run(m, 0))
        return 0;
    for (int a = 0; a < META_ARRAYS; a++)
        memcpy(meta_first.data[a], meta_data(m, a), meta_count(m->k, a) * sizeof(float));
    memcpy(meta_first.output, m->output[0], (size_t)m->k->output_count * sizeof(float));
    return 1;
}

/* The same data, image by image, where the first had a batch: the same bits. */
static int meta_compare(struct meta *m)
{
    const struct conv_kernel *const k = m->k, *const of = meta_first.of;
    const size_t images = (size_t)(of->layer.batch / k->layer.batch), inputs = (size_t)k->input_count;
    if (inputs * images != of->input_count || k->output_count * images != of->output_count
        || k->weight_count != of->weight_count || k->bias_count != of->bias_count
        || (images > 1) != meta_is_ending("_single")
        || (strcmp(k->algorithm, of->algorithm) != 0) != meta_is_ending("_direct"))
        return check_fail(m->check, "not a partner of %s", of->name);
    memcpy(m->check->weights, meta_first.data[META_WEIGHTS], (size_t)k->weight_count * sizeof(float));
    memcpy(m->check->bias, meta_first.data[META_BIAS], (size_t)k->bias_count * sizeof(float));
    for (size_t n = 0; n < images; n++) {
        memcpy(m->check->input, meta_first.data[META_INPUT] + n * inputs, inputs * sizeof(float));
        if (!meta_run(m, 0))
            return 0;
        for (size_t i = 0; i < k->output_count; i++) {
            const float want = meta_first.output[n * (size_t)k->output_count + i];
            if (check_bits(m->output[0][i]) != check_bits(want))
                return check_fail_at(m->check, check_point_of(m->last, i), (double)m->output[0][i],
                                     (double)want, "another result than of %s", of->name);
        }
    }
    return 1;
}

static int meta_record_body(struct check *c)
{
    return meta_with(c, meta_record);
}

static int meta_compare_body(struct check *c)
{
    return meta_with(c, meta_compare);
}

static const char *meta_ending(const char *name)
{
    static const char *const endings[3] = { "_explicit", "_direct", "_single" };
    for (int i = 0; i < 3; i++) {
        const char *const at = strstr(name, endings[i]);
        if (at && strlen(at) == strlen(endings[i]))
            return at;
    }
    return NULL;
}

static const struct conv_kernel *meta_named(const char *name, size_t length)
{
    for (int i = 0; i < REGISTRY_COUNT; i++)
        if (strlen(REGISTRY[i].name) == length && memcmp(REGISTRY[i].name, name, length) == 0)
            return &REGISTRY[i];
    return NULL;
}

static struct check_result meta_pair(const struct conv_kernel *kernel, const char *ending, uint64_t seed)
{
    const struct conv_kernel *const of = meta_named(kernel->name, (size_t)(ending - kernel->name));
    struct check_result result;
    memset(&result, 0, sizeof result);
    meta_first.of = of;
    meta_first.ending = ending;
    int good = of != NULL;
    for (int a = 0; good && a < META_ARRAYS; a++)
        good = (meta_first.data[a] = malloc(meta_count(of, a) * sizeof(float) + 1)) != NULL;
    if (good)
        good = (meta_first.output = malloc((size_t)of->output_count * sizeof(float))) != NULL;
    if (good) {
        result = check_kernel_by(meta_record_body, of, seed);
        if (result.status == CHECK_PASS)
            result = check_kernel_by(meta_compare_body, kernel, seed);
    } else {
        result.status = CHECK_FAIL;
        snprintf(result.what, sizeof result.what, "there is no partner, or no memory");
    }
    for (int a = 0; a < META_ARRAYS; a++)
        free(meta_first.data[a]);
    free(meta_first.output);
    memset(&meta_first, 0, sizeof meta_first);
    return result;
}

static struct check_result conformance_check(const struct conv_kernel *kernel, uint64_t seed)
{
    const char *const ending = meta_ending(kernel->name);
    if (ending && meta_is_wanted("pair")) {
        const struct check_result result = meta_pair(kernel, ending, seed);
        if (result.status != CHECK_PASS)
            return result;
    }
    return check_kernel_by(meta_alone, kernel, seed);
}

#endif
