/* Decides whether a kernel keeps its contract. check_kernel() is the whole interface.
 *
 * Every buffer lies between two unmapped pages and touches one of them, so that a single element
 * read or written outside faults; what is left over is filled with canaries. A kernel is run
 * several times ('passes') over two kinds of data:
 *   exact  integers (times a power of two) so small that every order of summation gives the same
 *          sum: the outputs are compared with ==;
 *   real   random reals: |error| <= (taps + 2) u S + taps FLT_MIN, with u = 2^-24 and
 *          S = |b| + sum |x*w|, which holds for every order of summation, FMA or not.
 * Where the buffers lie, how they are aligned and how the tasks are split must not change one bit.
 *
 * C99; guard pages and the report of faults need POSIX (define _DEFAULT_SOURCE before the first
 * include). Elsewhere buffers come from malloc() and the canaries remain.
 * SPDX-License-Identifier: MIT-0 */
#ifndef CONV_CHECK_H
#define CONV_CHECK_H

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef CHECK_POSIX
#if defined(__unix__) || defined(__APPLE__)
#define CHECK_POSIX 1
#else
#define CHECK_POSIX 0
#endif
#endif
#if CHECK_POSIX
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>
#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif
#endif

/* The address sanitizer is told what surrounds the data: it sees more than guard pages do. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CHECK_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define CHECK_SANITIZED 1
#endif
#ifdef CHECK_SANITIZED
void __asan_poison_memory_region(const volatile void *address, size_t size);
void __asan_unpoison_memory_region(const volatile void *address, size_t size);
#define CHECK_HIDE(from, to) __asan_poison_memory_region(from, (size_t)((to) - (from)))
#define CHECK_SHOW(from, to) __asan_unpoison_memory_region(from, (size_t)((to) - (from)))
#else
#define CHECK_HIDE(from, to) ((void)0)
#define CHECK_SHOW(from, to) ((void)0)
#endif

#ifndef CONV_REFERENCE_H
#include "reference.h"
#endif

/* Up to this many multiply-adds every output is compared and every pass is run; above, a sample of
 * the outputs (borders first, at least CHECK_SAMPLES) and fewer passes; far above, or with so many
 * elements, two passes, and nothing is kept twice. */
#define CHECK_SMALL 4e6
#define CHECK_HUGE 2e9
#define CHECK_MANY 1e8
#define CHECK_SAMPLES 1024

/* What a smooth activation (sigmoid, tanh, silu, hardswish) may add: so many ulps of its value. */
#define CHECK_ACTIVATION_ULPS 8.0

/* No more than this share of the expected outputs of exact data may be zero. */
#define CHECK_ZEROS 0.75

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
    unsigned long long compared; /* outputs compared with the reference */
};

/* ---- buffers between guard pages ------------------------------------------------------------ */

enum { CHECK_INPUT, CHECK_WEIGHTS, CHECK_BIAS, CHECK_PACKED, CHECK_OUTPUT, CHECK_WORKSPACE,
       CHECK_BUFFERS };

static const char *const check_buffer_names[CHECK_BUFFERS] = {
    "input", "weights", "bias", "packed", "output", "workspace"
};

#define CHECK_CANARY 0xff /* as a float: NaN */

struct check_buffer {
    unsigned char *map;   /* guard page, body, guard page */
    size_t map_bytes, page;
    unsigned char *body;  /* what may be touched; the data lie somewhere in it */
    size_t body_bytes;
    unsigned char *low, *high; /* where canaries begin and end */
    unsigned char *data;  /* what the kernel is given */
    size_t bytes;
#if !CHECK_POSIX
    uint32_t read_only_hash;
    int read_only;
#endif
};

#if !CHECK_POSIX
static uint32_t check_hash(const struct check_buffer *b)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < b->bytes; i++)
        hash = (hash ^ b->data[i]) * 16777619u;
    return hash;
}
#endif

/* Room for `bytes` and for moving them by `slack`; 0 if there is no memory. */
static int check_open(struct check_buffer *b, size_t bytes, size_t slack)
{
#if CHECK_POSIX
    b->page = (size_t)sysconf(_SC_PAGESIZE);
#else
    b->page = 4096;
#endif
    b->bytes = bytes;
    b->body_bytes = (bytes + slack + b->page) / b->page * b->page;
    b->map_bytes = b->body_bytes + 2 * b->page;
#if CHECK_POSIX
    void *map = mmap(NULL, b->map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                     -1, 0);
    if (map == MAP_FAILED)
        return 0;
    b->map = map;
    b->body = b->low = b->map + b->page;
    b->high = b->body + b->body_bytes;
    return mprotect(b->map, b->page, PROT_NONE) == 0
        && mprotect(b->high, b->page, PROT_NONE) == 0;
#else
    b->map = malloc(b->map_bytes + b->page);
    if (!b->map)
        return 0;
    b->low = b->map + b->page - (uintptr_t)b->map % b->page; /* pages of canaries for guards */
    b->body = b->low + b->page;
    b->high = b->body + b->body_bytes + b->page;
    return 1;
#endif
}

static void check_close(struct check_buffer *b)
{
    if (!b->map)
        return;
    CHECK_SHOW(b->low, b->high);
#if CHECK_POSIX
    munmap(b->map, b->map_bytes);
#else
    free(b->map);
#endif
    b->map = NULL;
}

static void check_read_only(struct check_buffer *b, int on)
{
#if CHECK_POSIX
    mprotect(b->body, b->body_bytes, on ? PROT_READ : PROT_READ | PROT_WRITE);
#else
    b->read_only = on;
    b->read_only_hash = on ? check_hash(b) : 0;
#endif
}

/* Puts the data against the page behind (as near as `align` allows), or `shift` bytes after the
 * page before, and canaries around it. */
static void check_place(struct check_buffer *b, int at_end, size_t shift, size_t align)
{
    check_read_only(b, 0);
    CHECK_SHOW(b->low, b->high);
    if (at_end)
        b->data = b->body + (b->body_bytes - b->bytes) / align * align;
    else
        b->data = b->body + shift;
    memset(b->low, CHECK_CANARY, (size_t)(b->data - b->low));
    unsigned char *const end = b->data + b->bytes;
    memset(end, CHECK_CANARY, (size_t)(b->high - end));
    CHECK_HIDE(b->low, b->data);
    CHECK_HIDE(end, b->high);
}

static int check_all_canaries(const unsigned char *from, const unsigned char *to)
{
    while (from < to)
        if (*from++ != CHECK_CANARY)
            return 0;
    return 1;
}

static int check_intact(const struct check_buffer *b)
{
#if !CHECK_POSIX
    if (b->read_only && b->read_only_hash != check_hash(b))
        return 0;
#endif
    CHECK_SHOW(b->low, b->high);
    return check_all_canaries(b->low, b->data)
        && check_all_canaries(b->data + b->bytes, b->high);
}

/* ---- the state of one check ----------------------------------------------------------------- */

struct check_point { int n, h, w, c; };

struct check {
    const struct conv_kernel *kernel;
    const struct conv_layer *layer;
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
    return reference_output_at(c->layer, p.n, p.h, p.w, p.c);
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

/* ---- which input an output reads ------------------------------------------------------------ */

/* Along one axis: is input i read by output o, for some tap? */
static int check_axis_reads(int i, int o, int kernel, int stride, int dilation, int pad)
{
    const long long tap = (long long)i + pad - (long long)o * stride;
    return tap >= 0 && tap % dilation == 0 && tap / dilation < kernel;
}

static int check_axis_read_at_all(int i, int outputs, int kernel, int stride, int dilation, int pad)
{
    for (int k = 0; k < kernel; k++) {
        const long long start = (long long)i + pad - (long long)k * dilation;
        if (start >= 0 && start % stride == 0 && start / stride < outputs)
            return 1;
    }
    return 0;
}

static int check_reads(const struct conv_layer *l, struct check_point output,
                       struct check_point input)
{
    return output.n == input.n
        && output.c / (l->out_channels / l->groups) == input.c / (l->in_channels / l->groups)
        && check_axis_reads(input.h, output.h, l->kernel_h, l->stride_h, l->dilation_h, l->pad_top)
        && check_axis_reads(input.w, output.w, l->kernel_w, l->stride_w, l->dilation_w,
                            l->pad_left);
}

/* ---- data ----------------------------------------------------------------------------------- */

static int check_is_smooth(const struct conv_layer *l)
{
    return l->activation == CONV_SIGMOID || l->activation == CONV_TANH
        || l->activation == CONV_SILU || l->activation == CONV_HARDSWISH;
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
 * small sums. taps * range^2 + |bias| <= 2^24 units, so every partial sum is exact. */
static int check_fill_exact(struct check *c)
{
    const struct conv_kernel *k = c->kernel;
    const double taps = (double)check_taps(c->layer), limit = 16777216.0;
    int range = 32;
    while (range > 1 && taps * range * range + range > limit)
        range /= range == 32 ? 4 : 2;
    if (taps * range * range + range > limit)
        return 0;
    double centre;
    const double target = check_target(c->layer, &centre);
    int exponent = 0;
    if (target > 0.0)
        frexp(target / (range * (range + 1) / 3.0 * sqrt(taps)), &exponent);
    const float scale = ldexpf(1.0f, exponent);
    double offset = floor(ldexp(centre, -exponent));
    if (!(taps * range * range + range + fabs(offset) <= limit))
        offset = 0.0;
    for (size_t i = 0; i < k->input_count; i++)
        c->input[i] = (float)check_integer(c, -range, range);
    for (size_t i = 0; i < k->weight_count; i++)
        c->weights[i] = (float)check_integer(c, -range, range) * scale;
    for (size_t i = 0; i < k->bias_count; i++)
        c->bias[i] = ((float)check_integer(c, -range, range) + (float)offset) * scale;
    check_poison_unread(c);
    return 1;
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

/* Asks the reference. */
static void check_expect(struct check *c)
{
    for (size_t i = 0; i < c->points; i++) {
        const struct check_point p = c->point[i];
        c->sum[i] = reference_conv(c->layer, c->input, c->weights, p.n, p.h, p.w, p.c);
    }
}

static double check_bias_of(const struct check *c, size_t i, int with_bias)
{
    return with_bias && c->kernel->bias_count ? (double)c->bias[c->point[i].c] : 0.0;
}

static double check_wanted(const struct check *c, size_t i, int with_bias)
{
    return reference_activation(c->layer, c->sum[i].sum + check_bias_of(c, i, with_bias));
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
            if (c->sum[i].taps == 0 && c->kernel->bias_count == 0)
                continue;
            all++;
            zeros += check_wanted(c, i, 1) == 0.0;
        }
        if (constant || (double)zeros <= CHECK_ZEROS * (double)all)
            return 1;
    }
    return check_fail(c, "the data would not show anything: nearly all outputs are zero");
}

/* ---- comparing ------------------------------------------------------------------------------ */

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
        const double bound = (taps + 2.0) * unit + taps * (double)FLT_MIN;
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

/* ---- passes --------------------------------------------------------------------------------- */

enum check_split { CHECK_WHOLE, CHECK_ONE_BY_ONE, CHECK_RANDOM, CHECK_EMPTY };

struct check_pass {
    const char *name;
    int at_end;        /* buffers touch the page behind, else the page before ... */
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

/* A workspace of size 0 is NULL or, in odd passes, an address where any access faults. */
static void check_run(struct check *c, int begin, int end)
{
    void *workspace = c->buffers[CHECK_WORKSPACE].data;
    if (c->null_workspace && c->kernel->workspace_bytes == 0)
        workspace = NULL;
    c->kernel->run(check_floats(c, CHECK_INPUT), c->buffers[CHECK_PACKED].data,
                   check_floats(c, CHECK_OUTPUT), workspace, begin, end);
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
            return check_fail_at(c, check_point_of(c->layer, i), (double)output[i],
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
            return check_fail_at(c, check_point_of(c->layer, i), (double)output[i], (double)NAN,
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
            return check_fail_at(c, check_point_of(c->layer, i), (double)output[i], (double)NAN,
                                 "%s: an output was not written", pass->name);
    if (!c->huge)
        memcpy(c->first, output, c->buffers[CHECK_OUTPUT].bytes);
    return 1;
}

static int check_same_pass(struct check *c, const struct check_pass *pass)
{
    return check_run_pass(c, pass) && check_same_bits(c, check_floats(c, CHECK_OUTPUT), pass->name);
}

/* One NaN in the input: NaN in exactly the outputs that read it, the others as they were. */
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
        if (check_reads(c->layer, c->point[i], input)) {
            if (!isnan(output[at]) || check_bits(output[at]) == CHECK_FILL_NAN)
                return check_fail_at(c, c->point[i], (double)output[at], (double)NAN,
                                     "%s: it does not reach an output that reads it", pass.name);
        } else if (check_bits(output[at]) != check_bits(c->first[at])) {
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
    if (top > bottom || left > right)
        return 1; /* all is padding */
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
    return check_run_pass(c, &unbiased)
        && check_values_exact(c, check_floats(c, CHECK_OUTPUT), unbiased.name, 0);
}

/* All passes over real data; of the misaligned ones all fifteen only where that is quick. */
static int check_inexact(struct check *c)
{
    static const struct check_pass begin = { "whole, at the begin page", 0, 0, CHECK_WHOLE, 0 };
    static const struct check_pass empty = { "no task", 1, 0, CHECK_EMPTY, 0 };
    struct check_pass odd = { "split at random, misaligned", 0, 1, CHECK_RANDOM, 0 };
    const struct check_pass *const first = c->huge ? &odd : &begin;
    check_place_all(c, first);
    check_fill_real(c);
    check_expect(c);
    if (!check_first_pass(c, first))
        return 0;
    if (!(c->kernel->exact ? check_values_real(c, c->first, first->name)
                           : check_values_bilinear(c, c->first, first->name)))
        return 0;
    if (c->huge)
        return 1;
    if (!c->kernel->exact && !check_run_pass(c, &empty))
        return 0;
    const int all = c->macs <= CHECK_SMALL / 16;
    odd.shift = all ? 1 : check_integer(c, 1, 15);
    do {
        if (!check_same_pass(c, &odd))
            return 0;
    } while (all && ++odd.shift < 16);
    odd.name = "split at random, at the end page";
    odd.at_end = 1;
    odd.shift = 0;
    return check_same_pass(c, &odd);
}

/* ---- which outputs are compared ------------------------------------------------------------- */

static int check_sample_axis(int i, int size) /* first, second, middle, last but one, last */
{
    const int at[5] = { 0, size > 1, size / 2, size > 1 ? size - 2 : 0, size - 1 };
    return at[i];
}

static int check_choose_points(struct check *c)
{
    const struct conv_layer *l = c->layer;
    const size_t count = (size_t)c->kernel->output_count;
    size_t wanted = count;
    if (c->macs > CHECK_SMALL) {
        wanted = (size_t)(CHECK_SMALL / (double)check_taps(l));
        wanted = wanted < CHECK_SAMPLES ? CHECK_SAMPLES : wanted;
        wanted = wanted < count ? wanted : count;
    }
    c->point = malloc(wanted * sizeof *c->point);
    c->sum = malloc(wanted * sizeof *c->sum);
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

/* ---- the facts of the header ---------------------------------------------------------------- */

static int check_count(struct check *c, const char *what, unsigned long long got, double want)
{
    return (double)got == want
        || check_fail(c, "%s is %llu, the layer says %.0f", what, got, want);
}

static int check_facts(struct check *c)
{
    const struct conv_kernel *k = c->kernel;
    const struct conv_layer *l = c->layer;
    const double batch = l->batch;
    if (!check_count(c, "INPUT_COUNT", k->input_count, batch * l->in_h * l->in_w * l->in_channels)
        || !check_count(c, "OUTPUT_COUNT", k->output_count,
                        batch * l->out_h * l->out_w * l->out_channels)
        || !check_count(c, "WEIGHT_COUNT", k->weight_count,
                        (double)l->out_channels * (double)check_taps(l))
        || !check_count(c, "BIAS_COUNT", k->bias_count, l->has_bias ? l->out_channels : 0))
        return 0;
    if (k->tasks < 1)
        return check_fail(c, "TASKS is %d, want 1 or more", k->tasks);
    if (k->align < 4 || k->align > 4096 || (k->align & (k->align - 1)) != 0)
        return check_fail(c, "ALIGN is %llu, want a power of two of 4..4096", k->align);
    return 1;
}

/* ---- faults --------------------------------------------------------------------------------- */

#if CHECK_POSIX
static sigjmp_buf check_jump;
static const volatile void *volatile check_fault_address;
static volatile int check_fault_signal;

static void check_on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    check_fault_address = info->si_addr;
    check_fault_signal = number;
    siglongjmp(check_jump, 1);
}

static const int check_signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGALRM };
enum { CHECK_SIGNALS = sizeof check_signals / sizeof *check_signals };

static void check_describe_fault(struct check *c)
{
    const int number = check_fault_signal;
    const uintptr_t at = (uintptr_t)check_fault_address;
    if (number == SIGALRM) {
        check_fail(c, "it hangs");
        return;
    }
    for (int i = 0; i < CHECK_BUFFERS && (number == SIGSEGV || number == SIGBUS); i++) {
        const struct check_buffer *b = &c->buffers[i];
        const uintptr_t map = (uintptr_t)b->map, data = (uintptr_t)b->data, end = data + b->bytes;
        if (!b->map || at < map || at >= map + b->map_bytes)
            continue;
        if (at >= end)
            check_fail(c, "a fault %zu bytes behind the end of %s", (size_t)(at - end),
                       check_buffer_names[i]);
        else if (at < data)
            check_fail(c, "a fault %zu bytes before the begin of %s", (size_t)(data - at),
                       check_buffer_names[i]);
        else
            check_fail(c, "it writes into %s, which is constant", check_buffer_names[i]);
        return;
    }
    check_fail(c, "signal %d at address %p%s", number, (void *)at,
               at == 0 && number == SIGSEGV ? " (NULL, or an access wants more alignment)" : "");
}
#endif

static void check_everything(struct check *c)
{
#if CHECK_POSIX
    struct sigaction handler, saved[CHECK_SIGNALS];
    memset(&handler, 0, sizeof handler);
    handler.sa_sigaction = check_on_signal;
    handler.sa_flags = SA_SIGINFO;
    sigemptyset(&handler.sa_mask);
    for (int i = 0; i < CHECK_SIGNALS; i++)
        sigaction(check_signals[i], &handler, &saved[i]);
    alarm(CHECK_SECONDS(c->macs));
    if (sigsetjmp(check_jump, 1) != 0)
        check_describe_fault(c);
    else if (!c->kernel->exact || check_exact(c))
        check_inexact(c);
    alarm(0);
    for (int i = 0; i < CHECK_SIGNALS; i++)
        sigaction(check_signals[i], &saved[i], NULL);
#else
    if (!c->kernel->exact || check_exact(c))
        check_inexact(c);
#endif
}

/* ---- the interface -------------------------------------------------------------------------- */

static int check_allocate(struct check *c)
{
    const struct conv_kernel *k = c->kernel;
    const struct conv_layer *l = c->layer;
    const unsigned long long floats[4] = {
        k->input_count, k->weight_count, k->bias_count, k->output_count
    };
    for (int i = 0; i < 4; i++)
        if (floats[i] > SIZE_MAX / 8)
            return 0;
    const size_t size = sizeof(float), odd = 16 * size, align = (size_t)k->align;
    c->weights = malloc((size_t)k->weight_count * size);
    c->bias = malloc((size_t)k->bias_count * size + 1);
    c->row_read = malloc((size_t)l->in_h);
    c->column_read = malloc((size_t)l->in_w);
    if (!c->weights || !c->bias || !c->row_read || !c->column_read)
        return 0;
    if (!c->huge) {
        c->input = malloc((size_t)k->input_count * size);
        c->first = malloc((size_t)k->output_count * size);
        if (!c->input || !c->first)
            return 0;
    }
    if (c->small) {
        c->gathered = malloc((size_t)k->output_count * size);
        c->owner = malloc((size_t)k->output_count * sizeof(int));
        if (!c->gathered || !c->owner)
            return 0;
    }
    for (int h = 0; h < l->in_h; h++)
        c->row_read[h] = (unsigned char)check_axis_read_at_all(
            h, l->out_h, l->kernel_h, l->stride_h, l->dilation_h, l->pad_top);
    for (int w = 0; w < l->in_w; w++)
        c->column_read[w] = (unsigned char)check_axis_read_at_all(
            w, l->out_w, l->kernel_w, l->stride_w, l->dilation_w, l->pad_left);
    return check_open(&c->buffers[CHECK_INPUT], (size_t)k->input_count * size, odd)
        && check_open(&c->buffers[CHECK_WEIGHTS], (size_t)k->weight_count * size, odd)
        && check_open(&c->buffers[CHECK_BIAS], (size_t)k->bias_count * size, odd)
        && check_open(&c->buffers[CHECK_PACKED], (size_t)k->packed_bytes, align)
        && check_open(&c->buffers[CHECK_OUTPUT], (size_t)k->output_count * size, odd)
        && check_open(&c->buffers[CHECK_WORKSPACE], (size_t)k->workspace_bytes, align)
        && check_choose_points(c);
}

/* Checks one kernel, with data drawn from `seed`. The same seed gives the same data. */
static struct check_result check_kernel(const struct conv_kernel *kernel, uint64_t seed)
{
    struct check c;
    memset(&c, 0, sizeof c);
    c.kernel = kernel;
    c.layer = &kernel->layer;
    c.random = seed;
    c.macs = (double)kernel->output_count * (double)check_taps(c.layer);
    c.huge = c.macs > CHECK_HUGE
        || (double)kernel->input_count + (double)kernel->output_count > CHECK_MANY;
    c.small = c.macs <= CHECK_SMALL && !c.huge;
    if (!kernel->supported()) {
        c.result.status = CHECK_SKIP;
        snprintf(c.result.what, sizeof c.result.what, "this processor lacks %s", kernel->isa);
        return c.result;
    }
    if (check_facts(&c)) {
        if (check_allocate(&c))
            check_everything(&c);
        else
            check_fail(&c, "out of memory");
    }
    for (int i = 0; i < CHECK_BUFFERS; i++)
        check_close(&c.buffers[i]);
    if (!c.huge) {
        free(c.input);
        free(c.first);
    }
    free(c.weights);
    free(c.bias);
    free(c.gathered);
    free(c.owner);
    free(c.row_read);
    free(c.column_read);
    free(c.point);
    free(c.sum);
    return c.result;
}

/* The result of a failure or a skip as one line, without the kernel's name. */
static void check_describe(const struct check_result *r, char *text, size_t size)
{
    char values[64] = "";
    if (!r->located) {
        snprintf(text, size, "%s", r->what);
        return;
    }
    if (!(isnan(r->got) && isnan(r->want)))
        snprintf(values, sizeof values, ": got %.9g, want %.9g", r->got, r->want);
    snprintf(text, size, "%s at n=%d oh=%d ow=%d oc=%d%s", r->what, r->n, r->oh, r->ow, r->oc,
             values);
}

#endif
