/* What the parts of a check share: its limits, its result, its state, random numbers, geometry.
 * SPDX-License-Identifier: MIT-0 */
#ifndef CHECK_STATE_H
#define CHECK_STATE_H

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef CONV_REFERENCE_H
#include "../reference.h"
#endif
#ifndef CHECK_BUFFER_H
#include "buffer.h"
#endif

/* Up to this many multiply-adds every output is compared and every pass is run; above, a sample of
 * the outputs (borders first, at least CHECK_SAMPLES) and fewer passes; far above, or with so many
 * elements, two passes, and nothing is kept twice. */
#define CHECK_SMALL 4e6
#define CHECK_HUGE 2e9
#define CHECK_MANY 1e8
#define CHECK_SAMPLES 1024

/* How many comparisons of pixels the peaks of maxima may cost. */
#define CHECK_PEAKS 1e7

/* Outputs of which each may be a sum that cancels: see check_values_bilinear(). */
#define CHECK_FEW_OUTPUTS 16

/* What a smooth activation (sigmoid, tanh, silu, hardswish) may add: so many ulps of its value. */
#define CHECK_ACTIVATION_ULPS 8.0

/* No more than this share of the expected outputs of exact data may be zero. */
#define CHECK_ZEROS 0.75

/* 1: kernels were compiled with -ffast-math, under which nothing is promised of NaN and infinities. */
#ifndef CHECK_FINITE
#define CHECK_FINITE 0
#endif
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error "compile the check without -ffast-math; kernels may have it, then the check needs -DCHECK_FINITE=1"
#endif

/* A kernel that takes longer hangs. */
#define CHECK_SECONDS(macs) (20u + (unsigned)((macs) / 5e7))

#define CHECK_UNIT 5.9604644775390625e-08 /* u = 2^-24 */

enum check_status { CHECK_PASS, CHECK_FAIL, CHECK_SKIP };

struct check_result {
    enum check_status status;
    char what[256];              /* of a failure or a skip: one line */
    int located, n, oh, ow, oc;  /* where: the first wrong output, if located */
    double got, want;
    double max_error;            /* over real data */
    double max_error_units;      /* the same in units of u*S */
    double rms_error_units;
    double relative_error;       /* over real data, of a bilinear kernel: in the Euclidean norm */
    unsigned long long compared; /* outputs compared with the reference */
};

struct check_point { int n, h, w, c; };

struct check {
    const struct conv_kernel *kernel;
    const struct conv_layer *layer;
    const struct conv_layer *last; /* whose outputs they are: the pooling behind it, or itself */
    size_t window;                 /* sums of the layer for an output of the last: its taps, or 1 */
    struct check_result result;
    struct check_buffer buffers[CHECK_BUFFERS];
    uint64_t random;
    double macs;
    int small, huge;
    /* the data, of which the buffers get copies; a huge layer's input is the buffer itself */
    float *input, *weights, *bias;
    unsigned char *row_read, *column_read;
    /* the outputs to compare and what the reference says of them */
    size_t points;
    struct check_point *point;
    struct reference_sum *sum;
    /* the outputs of the first pass over the data; the others must give the same bits. A huge layer
     * has no others, and this is the buffer. */
    float *first;
    float *gathered; /* task by task, */
    int *owner;      /* and the task that wrote each output */
    int null_workspace;
};

static int check_fail(struct check *c, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    c->result.status = CHECK_FAIL;
    vsnprintf(c->result.what, sizeof c->result.what, format, arguments);
    va_end(arguments);
    return 0;
}

static int check_fail_at(struct check *c, struct check_point p, double got, double want,
                         const char *format, const char *pass)
{
    c->result.located = 1;
    c->result.n = p.n;
    c->result.oh = p.h;
    c->result.ow = p.w;
    c->result.oc = p.c;
    c->result.got = got;
    c->result.want = want;
    return check_fail(c, format, pass);
}

static uint64_t check_random(struct check *c) /* splitmix64 */
{
    uint64_t z = c->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Do some data give a bilinear kernel's exact result? With up to 4 points (F(2, 3): 0, 1, -1, infinity)
 * transformed weights are integers where weights are multiples of 4. */
static int check_is_exact(const struct check *c)
{
    return c->kernel->exact || c->kernel->points <= 4;
}

static int check_integer(struct check *c, int low, int high)
{
    return low + (int)(check_random(c) % (uint64_t)((int64_t)high - low + 1));
}

static float check_real(struct check *c) /* [-1, 1) */
{
    return (float)(check_random(c) >> 40) * 0x1p-23f - 1.0f;
}

static uint32_t check_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float *check_floats(struct check *c, int buffer)
{
    return (float *)(void *)c->buffers[buffer].data;
}

static size_t check_taps(const struct conv_layer *l)
{
    return (size_t)l->kernel_h * (size_t)l->kernel_w * (size_t)(l->in_channels / l->groups);
}

static size_t check_output_at(const struct check *c, struct check_point p)
{
    return reference_output_at(c->last, p.n, p.h, p.w, p.c);
}

/* The point whose output is element `at`. */
static struct check_point check_point_of(const struct conv_layer *l, size_t at)
{
    const size_t H = (size_t)l->out_h, W = (size_t)l->out_w, C = (size_t)l->out_channels;
    struct check_point p;
    if (l->layout == CONV_NHWC) {
        p.c = (int)(at % C), at /= C;
        p.w = (int)(at % W), at /= W;
        p.h = (int)(at % H), at /= H;
    } else {
        p.w = (int)(at % W), at /= W;
        p.h = (int)(at % H), at /= H;
        p.c = (int)(at % C), at /= C;
    }
    p.n = (int)at;
    return p;
}

/* One axis of a layer. */
struct check_axis { int in, out, kernel, stride, dilation, pad; };

static struct check_axis check_rows(const struct conv_layer *l)
{
    const struct check_axis a = { l->in_h, l->out_h, l->kernel_h, l->stride_h, l->dilation_h,
                                  l->pad_top };
    return a;
}

static struct check_axis check_columns(const struct conv_layer *l)
{
    const struct check_axis a = { l->in_w, l->out_w, l->kernel_w, l->stride_w, l->dilation_w,
                                  l->pad_left };
    return a;
}

/* Is input i read by output o, for some tap? */
static int check_axis_reads(struct check_axis a, int i, int o)
{
    const long long tap = (long long)i + a.pad - (long long)o * a.stride;
    return tap >= 0 && tap % a.dilation == 0 && tap / a.dilation < a.kernel;
}

/* The output that reads input i with tap k, or -1. */
static int check_axis_reader(struct check_axis a, int i, int k)
{
    const long long start = (long long)i + a.pad - (long long)k * a.dilation;
    return start >= 0 && start % a.stride == 0 && start / a.stride < a.out ? (int)(start / a.stride)
                                                                            : -1;
}

/* The same through two layers: does an output of `behind`, one of them, read input i of `a`? */
static int check_axes_read(struct check_axis a, struct check_axis behind, int i, int o)
{
    for (int k = 0; k < a.kernel; k++) {
        const int between = check_axis_reader(a, i, k);
        if (between >= 0 && check_axis_reads(behind, between, o))
            return 1;
    }
    return 0;
}

static int check_axis_read_at_all(struct check_axis a, int i)
{
    for (int k = 0; k < a.kernel; k++)
        if (check_axis_reader(a, i, k) >= 0)
            return 1;
    return 0;
}

static int check_axes_read_at_all(struct check_axis a, struct check_axis behind, int i)
{
    for (int k = 0; k < a.kernel; k++) {
        const int between = check_axis_reader(a, i, k);
        if (between >= 0 && check_axis_read_at_all(behind, between))
            return 1;
    }
    return 0;
}

static int check_row_is_read(const struct check *c, int h)
{
    const struct check_axis a = check_rows(c->layer);
    return c->last == c->layer ? check_axis_read_at_all(a, h)
                               : check_axes_read_at_all(a, check_rows(c->last), h);
}

static int check_column_is_read(const struct check *c, int w)
{
    const struct check_axis a = check_columns(c->layer);
    return c->last == c->layer ? check_axis_read_at_all(a, w)
                               : check_axes_read_at_all(a, check_columns(c->last), w);
}

static int check_reads(const struct check *c, struct check_point output, struct check_point input)
{
    const struct conv_layer *l = c->layer;
    const struct check_axis rows = check_rows(l), columns = check_columns(l);
    if (output.n != input.n
        || output.c / (l->out_channels / l->groups) != input.c / (l->in_channels / l->groups))
        return 0;
    if (c->last == l)
        return check_axis_reads(rows, input.h, output.h)
            && check_axis_reads(columns, input.w, output.w);
    return check_axes_read(rows, check_rows(c->last), input.h, output.h)
        && check_axes_read(columns, check_columns(c->last), input.w, output.w);
}

#endif
