/* The runs of a kernel: where the buffers lie, how the tasks are split, what must come out.
 * SPDX-License-Identifier: MIT-0 */
#ifndef CHECK_PASSES_H
#define CHECK_PASSES_H

#ifndef CHECK_COMPARE_H
#include "compare.h"
#endif

enum check_split { CHECK_WHOLE, CHECK_ONE_BY_ONE, CHECK_RANDOM, CHECK_EMPTY };

struct check_pass {
    const char *name;
    int at_end;        /* buffers touch the page behind, else the page before, ... */
    int shift;         /* ... from which they are moved by as many elements (or alignments) */
    enum check_split split;
    int null_bias;
};

#define CHECK_FILL_NAN 0x7fedbeefu   /* of the output: a NaN that no kernel makes */
#define CHECK_FILL_LARGE 0x4b4b4b4bu /* a large number: what max(0, NaN) would hide shows */

static void check_fill_words(struct check_buffer *b, uint32_t word)
{
    for (size_t i = 0; i + sizeof word <= b->bytes; i += sizeof word)
        memcpy(b->data + i, &word, sizeof word);
}

/* A workspace of size 0 is NULL or, in odd passes, an address where any access faults; so is packed,
 * of a kernel without weights. */
static void check_run(struct check *c, int begin, int end)
{
    void *workspace = c->buffers[CHECK_WORKSPACE].data;
    const void *packed = c->buffers[CHECK_PACKED].data;
    if (c->null_workspace && c->kernel->workspace_bytes == 0)
        workspace = NULL;
    if (c->null_workspace && c->kernel->packed_bytes == 0)
        packed = NULL;
    c->kernel->run(check_floats(c, CHECK_INPUT), packed, check_floats(c, CHECK_OUTPUT), workspace,
                   begin, end);
}

/* Runs one task and gives the outputs that it wrote to `owner`, which must not have another; their
 * values go to `gathered`, and the output is filled with NaN again. */
static int check_run_owned(struct check *c, int task, const char *pass)
{
    static const uint32_t fill = CHECK_FILL_NAN;
    float *output = check_floats(c, CHECK_OUTPUT);
    check_run(c, task, task + 1);
    for (size_t i = 0; i < c->kernel->output_count; i++) {
        if (check_bits(output[i]) == fill)
            continue;
        if (c->owner[i] >= 0 && c->owner[i] != task)
            return check_fail_at(c, check_point_of(c->last, i), (double)output[i],
                                 (double)c->gathered[i], "%s: written by two tasks", pass);
        c->owner[i] = task;
        c->gathered[i] = output[i];
        memcpy(&output[i], &fill, sizeof fill);
    }
    return 1;
}

/* The last task first. Where it is quick to see: each output must be written by one task only, or
 * threads would race, and by the same one in another order. */
static int check_run_one_by_one(struct check *c, const char *pass)
{
    const size_t count = (size_t)c->kernel->output_count;
    const int tasks = c->kernel->tasks;
    const int look = (double)count * tasks <= 2e7;
    memcpy(c->gathered, check_floats(c, CHECK_OUTPUT), count * sizeof(float));
    for (size_t i = 0; i < count; i++)
        c->owner[i] = -1;
    for (int task = tasks - 1; task >= 0; task--) {
        if (!look)
            check_run(c, task, task + 1);
        else if (!check_run_owned(c, task, pass))
            return 0;
    }
    for (int task = 1; look && task < tasks; task += 2)
        if (!check_run_owned(c, task, pass))
            return 0;
    if (look)
        memcpy(check_floats(c, CHECK_OUTPUT), c->gathered, count * sizeof(float));
    return 1;
}

/* A few ranges in a shuffled order. */
static void check_run_randomly(struct check *c)
{
    int begins[17], ranges = 0;
    const int tasks = c->kernel->tasks;
    for (int at = 0; at < tasks && ranges < 16; ranges++) {
        begins[ranges] = at;
        at += ranges == 15 ? tasks - at : check_integer(c, 1, (tasks - at + 1) / 2);
    }
    begins[ranges] = tasks;
    int order[16];
    for (int i = 0; i < ranges; i++) {
        const int j = check_integer(c, 0, i);
        order[i] = order[j];
        order[j] = i;
    }
    for (int i = 0; i < ranges; i++)
        check_run(c, begins[order[i]], begins[order[i] + 1]);
}

static int check_run_empty(struct check *c, const char *pass)
{
    const float *output = check_floats(c, CHECK_OUTPUT);
    const int tasks = c->kernel->tasks;
    check_run(c, 0, 0);
    check_run(c, tasks / 2, tasks / 2);
    check_run(c, tasks, tasks);
    for (size_t i = 0; i < c->kernel->output_count; i++)
        if (check_bits(output[i]) != CHECK_FILL_NAN)
            return check_fail_at(c, check_point_of(c->last, i), (double)output[i], (double)NAN,
                                 "%s: an empty range of tasks wrote an output", pass);
    return 1;
}

/* Different misalignments for the four arrays of floats; the others are aligned as promised and no
 * better. */
static void check_place_all(struct check *c, const struct check_pass *pass)
{
    const size_t align = (size_t)c->kernel->align;
    for (int i = 0; i < CHECK_BUFFERS; i++) {
        const int aligned = i == CHECK_PACKED || i == CHECK_WORKSPACE;
        const size_t elements = (size_t)(pass->shift * (2 * i + 1)) % 16;
        check_place(&c->buffers[i], pass->at_end,
                    aligned ? pass->shift ? align : 0 : elements * sizeof(float),
                    aligned ? align : sizeof(float));
    }
    if (c->huge) {
        c->input = check_floats(c, CHECK_INPUT);
        c->first = check_floats(c, CHECK_OUTPUT);
    }
}

/* Places and fills the buffers, packs, runs. The outputs are left in the output buffer. */
static int check_run_pass(struct check *c, const struct check_pass *pass)
{
    const struct conv_kernel *k = c->kernel;
    struct check_buffer *b = c->buffers;
    check_place_all(c, pass);
    if (!c->huge)
        memcpy(b[CHECK_INPUT].data, c->input, b[CHECK_INPUT].bytes);
    memcpy(b[CHECK_WEIGHTS].data, c->weights, b[CHECK_WEIGHTS].bytes);
    memcpy(b[CHECK_BIAS].data, c->bias, b[CHECK_BIAS].bytes);
    memset(b[CHECK_PACKED].data, CHECK_CANARY, b[CHECK_PACKED].bytes);
    c->null_workspace = pass->shift == 0;
    check_fill_words(&b[CHECK_WORKSPACE], pass->at_end ? CHECK_FILL_NAN : CHECK_FILL_LARGE);
    check_fill_words(&b[CHECK_OUTPUT],
                     pass->split == CHECK_RANDOM ? CHECK_FILL_LARGE : CHECK_FILL_NAN);
    check_read_only(&b[CHECK_INPUT], 1);
    check_read_only(&b[CHECK_WEIGHTS], 1);
    check_read_only(&b[CHECK_BIAS], 1);
    if (k->pack)
        k->pack(check_floats(c, CHECK_WEIGHTS),
                pass->null_bias ? NULL : check_floats(c, CHECK_BIAS), b[CHECK_PACKED].data);
    check_read_only(&b[CHECK_PACKED], 1);
    switch (pass->split) {
    case CHECK_WHOLE: check_run(c, 0, k->tasks); break;
    case CHECK_RANDOM: check_run_randomly(c); break;
    case CHECK_ONE_BY_ONE:
        if (!check_run_one_by_one(c, pass->name))
            return 0;
        break;
    case CHECK_EMPTY:
        if (!check_run_empty(c, pass->name))
            return 0;
        break;
    }
    for (int i = 0; i < CHECK_BUFFERS; i++)
        if (!check_intact(&b[i]))
            return check_fail(c, "%s: wrote outside (or into the constant) %s", pass->name,
                              check_buffer_names[i]);
    return 1;
}

/* The first pass over some data: are all outputs written? (The sample sees only some.) */
static int check_first_pass(struct check *c, const struct check_pass *pass)
{
    if (!check_run_pass(c, pass))
        return 0;
    const float *output = check_floats(c, CHECK_OUTPUT);
    const uint32_t fill = pass->split == CHECK_RANDOM ? CHECK_FILL_LARGE : CHECK_FILL_NAN;
    for (size_t i = 0; i < c->kernel->output_count; i++)
        if (check_bits(output[i]) == fill)
            return check_fail_at(c, check_point_of(c->last, i), (double)output[i], (double)NAN,
                                 "%s: an output was not written", pass->name);
    if (!c->huge)
        memcpy(c->first, output, c->buffers[CHECK_OUTPUT].bytes);
    return 1;
}

static int check_same_pass(struct check *c, const struct check_pass *pass)
{
    return check_run_pass(c, pass) && check_same_bits(c, check_floats(c, CHECK_OUTPUT), pass->name);
}

/* One NaN in the input: NaN in exactly the outputs that read it, the others as they were; of a bilinear
 * kernel others of a tile may be NaN, too. */
static int check_nan_pass(struct check *c, struct check_point input, int at_end)
{
    const struct check_pass pass = { "a NaN in the input", at_end, 0, CHECK_WHOLE, 0 };
    float *const pixel =
        &c->input[reference_input_at(c->layer, input.n, input.h, input.w, input.c)];
    const float saved = *pixel;
    *pixel = NAN;
    const int ran = check_run_pass(c, &pass);
    *pixel = saved;
    if (!ran)
        return 0;
    const float *output = check_floats(c, CHECK_OUTPUT);
    for (size_t i = 0; i < c->points; i++) {
        const size_t at = check_output_at(c, c->point[i]);
        if (check_reads(c, c->point[i], input)) {
            if (!isnan(output[at]) || check_bits(output[at]) == CHECK_FILL_NAN)
                return check_fail_at(c, c->point[i], (double)output[at], (double)NAN,
                                     "%s: it does not reach an output that reads it", pass.name);
        } else if (check_bits(output[at]) != check_bits(c->first[at])
                   && (c->kernel->exact || !isnan(output[at]) || check_bits(output[at]) == CHECK_FILL_NAN)) {
            return check_fail_at(c, c->point[i], (double)output[at], (double)c->first[at],
                                 "%s: it changes an output that does not read it", pass.name);
        }
    }
    return 1;
}

/* NaN at the first and the last pixel that is read, and at one between. */
static int check_nan_rule(struct check *c)
{
    const struct conv_layer *l = c->layer;
    int top = 0, bottom = l->in_h - 1, left = 0, right = l->in_w - 1;
    while (top <= bottom && !c->row_read[top]) top++;
    while (bottom >= top && !c->row_read[bottom]) bottom--;
    while (left <= right && !c->column_read[left]) left++;
    while (right >= left && !c->column_read[right]) right--;
    if (CHECK_FINITE || top > bottom || left > right)
        return 1; /* nothing is promised, or all is padding */
    const struct check_point first = { 0, top, left, 0 };
    const struct check_point last = { l->batch - 1, bottom, right, l->in_channels - 1 };
    struct check_point between;
    between.n = check_integer(c, 0, l->batch - 1);
    between.h = check_integer(c, top, bottom);
    between.w = check_integer(c, left, right);
    between.c = check_integer(c, 0, l->in_channels - 1);
    return check_nan_pass(c, first, 0) && check_nan_pass(c, last, 1)
        && check_nan_pass(c, between, 1);
}

/* Every tap of every window is its maximum once; where that are too many runs, some of them. */
static int check_peaks(struct check *c)
{
    static const struct check_pass pass = { "a peak in each window", 0, 0, CHECK_WHOLE, 0 };
    const size_t taps = check_taps(c->layer);
    const double most = CHECK_PEAKS / (c->macs + (double)c->kernel->input_count);
    const size_t runs = most < (double)taps ? (size_t)most : taps;
    size_t tap = runs < taps ? (size_t)(check_random(c) % taps) : 0;
    for (size_t i = 0; i < runs; i++) {
        check_fill_peaks(c, tap);
        check_expect(c);
        if (!check_run_pass(c, &pass)
            || !check_values_exact(c, check_floats(c, CHECK_OUTPUT), pass.name, 0))
            return 0;
        tap = (tap + (runs < taps ? taps / 2 + 1 : 1)) % taps;
    }
    return 1;
}

/* Padding and lanes without a pixel must not be larger than the smallest number. */
static int check_least(struct check *c)
{
    static const struct check_pass pass = { "all input least", 1, 0, CHECK_WHOLE, 0 };
    const float least = CHECK_FINITE ? -FLT_MAX : -INFINITY;
    for (size_t i = 0; i < c->kernel->input_count; i++)
        c->input[i] = least;
    check_poison_unread(c);
    check_expect(c);
    return check_run_pass(c, &pass)
        && check_values_exact(c, check_floats(c, CHECK_OUTPUT), pass.name, 0);
}

/* All passes over exact data. */
static int check_exact(struct check *c)
{
    static const struct check_pass whole = { "whole, at the end page", 1, 0, CHECK_WHOLE, 0 };
    static const struct check_pass single =
        { "task by task, at the begin page", 0, 0, CHECK_ONE_BY_ONE, 0 };
    static const struct check_pass unbiased = { "without bias", 0, 0, CHECK_WHOLE, 1 };
    static const struct check_pass empty = { "no task", 1, 0, CHECK_EMPTY, 0 };
    check_place_all(c, &whole);
    if (!check_data_exact(c) || !check_first_pass(c, &whole)
        || !check_values_exact(c, c->first, whole.name, 1))
        return 0;
    if (!c->small)
        return 1;
    if (!check_same_pass(c, &single) || !check_run_pass(c, &empty) || !check_nan_rule(c))
        return 0;
    switch (c->layer->kind) {
    case CONV_MAX_POOLING: return check_least(c) && check_peaks(c);
    case CONV_AVERAGE_POOLING: return 1;
    case CONV_CONVOLUTION: break;
    }
    return check_run_pass(c, &unbiased)
        && check_values_exact(c, check_floats(c, CHECK_OUTPUT), unbiased.name, 0);
}

/* All passes over real data, which `fill` makes; of the misaligned ones all fifteen only where that is
 * quick. */
static int check_real_data(struct check *c, void (*fill)(struct check *c))
{
    static const struct check_pass begin = { "whole, at the begin page", 0, 0, CHECK_WHOLE, 0 };
    static const struct check_pass empty = { "no task", 1, 0, CHECK_EMPTY, 0 };
    static const struct check_pass single =
        { "task by task, at the begin page", 0, 0, CHECK_ONE_BY_ONE, 0 };
    struct check_pass odd = { "split at random, misaligned", 0, 1, CHECK_RANDOM, 0 };
    const struct check_pass *const first = c->huge ? &odd : &begin;
    check_place_all(c, first);
    fill(c);
    check_expect(c);
    if (!check_first_pass(c, first))
        return 0;
    if (!(c->kernel->exact ? check_values_real(c, c->first, first->name)
                           : check_values_bilinear(c, c->first, first->name)))
        return 0;
    if (c->huge)
        return 1;
    if (!check_is_exact(c)
        && (!check_run_pass(c, &empty)
            || (c->small && !(check_same_pass(c, &single) && check_nan_rule(c)))))
        return 0;
    const int all = c->macs <= CHECK_SMALL / 16;
    odd.shift = all ? 1 : check_integer(c, 1, 15);
    do {
        if (!check_same_pass(c, &odd))
            return 0;
    } while (all && ++odd.shift < 16);
    odd.name = "split at random, near the end page";
    odd.at_end = 1;
    for (odd.shift = all ? 15 : 0; odd.shift >= 0; odd.shift--)
        if (!check_same_pass(c, &odd))
            return 0;
    return 1;
}

static int check_inexact(struct check *c)
{
    return check_real_data(c, check_fill_real);
}

#endif
