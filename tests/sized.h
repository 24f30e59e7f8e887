/* Checks kernels with run-time sizes, each with several shapes, as check.h does those with fixed ones.
 * Include the kernels' headers first. SIZED() is an entry of the table that check_sized() takes.
 * SPDX-License-Identifier: MIT-0 */
#ifndef CONV_SIZED_H
#define CONV_SIZED_H

#include <stddef.h>

#include "each.h"

struct sized {
    const char *name, *shape_name;
    int runs;             /* on this processor */
    int named_bounds;     /* a clamp's bounds are in the shape */
    struct conv_layer layer; /* what it computes for this shape */
    enum conv_shape_error (*shape)(struct conv_shape *, int, int, int, int, int);
    size_t (*packed_bytes)(const struct conv_shape *);
    size_t (*workspace_bytes)(const struct conv_shape *);
    int (*tasks)(const struct conv_shape *);
    void (*pack)(const struct conv_shape *, const float *, const float *, void *);
    void (*run)(const struct conv_shape *, const float *, const void *, float *, void *, int, int);
    unsigned align;
};

#define SIZED(name, shape_name, runs, named, ...) { #name, shape_name, runs, named, __VA_ARGS__, \
    name##_shape, name##_packed_bytes, name##_workspace_bytes, name##_tasks, name##_pack, name##_run, \
    name##_ALIGN }

/* The kernel and the shape at hand: what conv_kernel's functions, which have no shape, stand for. */
static const struct sized *sized_kernel;
static struct conv_shape sized_shape;

static void sized_pack(const float *weights, const float *bias, void *packed)
{
    sized_kernel->pack(&sized_shape, weights, bias, packed);
}

static void sized_run(const float *input, const void *packed, float *output, void *workspace,
                      int task_begin, int task_end)
{
    sized_kernel->run(&sized_shape, input, packed, output, workspace, task_begin, task_end);
}

static int sized_supported(void) { return sized_kernel->runs; }

static struct check_result check_one_sized(const struct sized *s, uint64_t seed)
{
    const struct conv_layer *const l = &s->layer;
    struct check check;
    memset(&check, 0, sizeof check);
    const enum conv_shape_error error =
        s->shape(&sized_shape, l->batch, l->in_h, l->in_w, l->in_channels, l->out_channels);
    sized_kernel = s;
    if (error != CONV_SHAPE_OK) {
        check_fail(&check, "its shape is refused with error %d", (int)error);
        return check.result;
    }
    if (sized_shape.out_h != l->out_h || sized_shape.out_w != l->out_w
        || sized_shape.pad_top != l->pad_top || sized_shape.pad_left != l->pad_left) {
        check_fail(&check, "it computes %dx%d outputs with padding %d, %d, want %dx%d, %d, %d",
                   sized_shape.out_h, sized_shape.out_w, sized_shape.pad_top, sized_shape.pad_left,
                   l->out_h, l->out_w, l->pad_top, l->pad_left);
        return check.result;
    }
    if (s->named_bounds) {
        sized_shape.clamp_low = l->activation_a;
        sized_shape.clamp_high = l->activation_b;
    }
    struct conv_kernel k;
    memset(&k, 0, sizeof k);
    k.name = s->name;
    k.supported = sized_supported;
    k.layer = *l;
    k.exact = 1;
    k.tasks = s->tasks(&sized_shape);
    const unsigned long long N = (unsigned)l->batch, C = (unsigned)l->in_channels;
    k.input_count = N * C * (unsigned)l->in_h * (unsigned)l->in_w;
    k.output_count = N * (unsigned)l->out_channels * (unsigned)l->out_h * (unsigned)l->out_w;
    k.weight_count = (unsigned)l->out_channels * (unsigned long long)check_taps(l);
    k.bias_count = l->has_bias ? (unsigned)l->out_channels : 0;
    k.packed_bytes = s->packed_bytes(&sized_shape);
    k.workspace_bytes = s->workspace_bytes(&sized_shape);
    k.align = s->align;
    k.pack = sized_pack;
    k.run = sized_run;
    return check_kernel(&k, seed);
}

/* Prints TAP; with an argument only kernels of that name. */
static int check_sized(const struct sized *list, size_t count, int argc, char **argv)
{
    int failed = 0, tests = 0;
    for (size_t i = 0; i < count; i++) {
        if (argc > 1 && strcmp(argv[1], list[i].name) != 0)
            continue;
        char name[128];
        snprintf(name, sizeof name, "%s %s", list[i].name, list[i].shape_name);
        const struct check_result result = check_one_sized(&list[i], each_seed());
        failed += each_line(++tests, name, &result);
    }
    printf("1..%d\n", tests);
    return failed != 0;
}

#endif
