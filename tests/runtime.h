/* Checks kernels with run-time sizes against the definition, over many sizes: exact integer data,
 * arrays that end or begin at an unmapped page, tasks in reverse, a NaN, sizes that must be refused. Prints
 * TAP. Include the header that declares struct conv_shape first.
 * SPDX-License-Identifier: MIT-0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum padding { VALID, SAME, SAME_LOWER, EXPLICIT };

/* What is known of the layer when the kernel is made. */
struct filter {
    int kh, kw, sh, sw, dh, dw;
    enum padding padding;
    int top, left, bottom, right; /* of EXPLICIT */
    int nchw, relu, clamps; /* clamps: bounds are given in the shape */
    int depthwise;
};

struct runtime_kernel {
    const char *name;
    struct filter filter;
    enum conv_shape_error (*shape)(struct conv_shape *, int, int, int, int, int);
    size_t (*packed_bytes)(const struct conv_shape *), (*workspace_bytes)(const struct conv_shape *);
    int (*tasks)(const struct conv_shape *);
    void (*pack)(const struct conv_shape *, const float *, const float *, void *);
    void (*run)(const struct conv_shape *, const float *, const void *, float *, void *, int, int);
};

struct sizes { int batch, h, w, ic, oc; };

static unsigned state = 1;
static float small(void)
{
    state = state * 1664525u + 1013904223u;
    return (float)((int)((state >> 16) % 17) - 8);
}

static void no_memory(void)
{
    puts("Bail out! no memory");
    exit(1);
}

struct guarded { char *map; size_t bytes; void *at; };

/* `bytes` bytes that end (or begin) at an unmapped page, as near as `align` lets them. */
static struct guarded guard(size_t bytes, size_t align, int end)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (bytes + page - 1) / page * page;
    struct guarded g;
    g.bytes = room + 2 * page;
    g.map = mmap(NULL, g.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g.map == MAP_FAILED || mprotect(g.map, page, PROT_NONE)
        || mprotect(g.map + page + room, page, PROT_NONE)) no_memory();
    g.at = g.map + page + (end ? (room - bytes) / align * align : 0);
    return g;
}

/* Output size and begin padding along an axis; 0 where the filter does not fit. */
static int out_size(const struct filter *f, int in, int k, int s, int d, int *begin, int end)
{
    const int reach = (k - 1) * d + 1;
    if (f->padding == SAME || f->padding == SAME_LOWER) {
        const int out = (in + s - 1) / s, total = (out - 1) * s + reach - in;
        *begin = total <= 0 ? 0 : f->padding == SAME ? total / 2 : total - total / 2;
        return out;
    }
    if (f->padding == VALID) *begin = end = 0;
    return in + *begin + end < reach ? 0 : (in + *begin + end - reach) / s + 1;
}

/* Steps from one element of an image to the next one along each dimension. */
struct steps { size_t n, h, w, c; };

static struct steps steps_of(const struct filter *f, int h, int w, int c)
{
    const size_t H = (size_t)h, W = (size_t)w, C = (size_t)c;
    const struct steps nchw = { H * W * C, W, 1, H * W }, nhwc = { H * W * C, W * C, C, 1 };
    return f->nchw ? nchw : nhwc;
}

/* The data as integers, of which sums are exact in any order, and fast where floats are emulated. */
struct integers { int *x, *weights; size_t nan; }; /* the index of a pixel that is not a number, or behind the last */

static int *integers_of(const float *from, size_t count)
{
    int *to = malloc(count * sizeof *to);
    if (!to) no_memory();
    for (size_t i = 0; i < count; ++i) to[i] = (int)from[i];
    return to;
}

/* The sum over a window whose first pixel is (top, left) of image n, for output channel o; *nan: it has that pixel. */
static int sum_of(const struct filter *f, struct sizes z, struct steps by, const struct integers *data, int n, int o,
    int top, int left, int *nan)
{
    const size_t group = f->depthwise ? 1 : (size_t)z.ic, taps = (size_t)f->kh * (size_t)f->kw;
    int sum = 0;
    for (int kh = 0; kh < f->kh; ++kh)
    for (int kw = 0; kw < f->kw; ++kw) {
        const int h = top + kh * f->dh, w = left + kw * f->dw;
        if (h < 0 || h >= z.h || w < 0 || w >= z.w) continue;
        const size_t channel = f->depthwise ? (size_t)o * by.c : 0;
        const size_t first = (size_t)n * by.n + (size_t)h * by.h + (size_t)w * by.w + channel;
        const int *x = data->x + first;
        const int *weight = data->weights + (size_t)o * group * taps + (size_t)(kh * f->kw + kw);
        for (size_t c = 0; c < group; ++c) sum += x[c * by.c] * weight[c * taps];
        *nan |= data->nan >= first && (data->nan - first) % by.c == 0 && (data->nan - first) / by.c < group;
    }
    return sum;
}

/* A way to run a kernel. */
struct pass {
    int end;   /* arrays end at an unmapped page; else they begin at one */
    int given; /* bias and bounds of the clamp; else the bias is NULL, and the bounds stay as they are */
    int whole; /* all tasks at once; else one by one, backwards */
    int nan;   /* one pixel is not a number */
};

/* Whether a kernel is right for some sizes. */
static int right_for(const struct runtime_kernel *k, struct sizes z, struct pass pass)
{
    const struct filter *f = &k->filter;
    struct conv_shape s;
    int top = f->top, left = f->left, right = 1;
    const int OH = out_size(f, z.h, f->kh, f->sh, f->dh, &top, f->bottom);
    const int OW = out_size(f, z.w, f->kw, f->sw, f->dw, &left, f->right);
    enum conv_shape_error error = k->shape(&s, z.batch, z.h, z.w, z.ic, z.oc);
    if (f->depthwise && z.ic != z.oc) {
        if (error != CONV_SHAPE_CHANNELS) return 0;
        z.ic = z.oc;
        error = k->shape(&s, z.batch, z.h, z.w, z.ic, z.oc);
    }
    if (OH < 1 || OW < 1) return error == CONV_SHAPE_NO_OUTPUT;
    if (error || s.out_h != OH || s.out_w != OW) return 0;
    const int clamps = f->clamps && pass.given;
    if (clamps) {
        s.clamp_low = -40.0f;
        s.clamp_high = 300.0f;
    }
    const size_t ins = (size_t)z.batch * (size_t)z.h * (size_t)z.w * (size_t)z.ic;
    const size_t outs = (size_t)z.batch * (size_t)OH * (size_t)OW * (size_t)z.oc;
    const size_t taps = (size_t)z.oc * (size_t)(f->depthwise ? 1 : z.ic) * (size_t)f->kh * (size_t)f->kw;
    struct guarded all[6] = {
        guard(ins * 4, 4, pass.end), guard(outs * 4, 4, pass.end), guard(taps * 4, 4, pass.end), guard((size_t)z.oc * 4, 4, pass.end),
        guard(k->packed_bytes(&s), 64, pass.end), guard(k->workspace_bytes(&s), 64, pass.end),
    };
    float *x = all[0].at, *y = all[1].at, *weights = all[2].at, *bias = all[3].at;
    for (size_t i = 0; i < ins; ++i) x[i] = small();
    for (size_t i = 0; i < taps; ++i) weights[i] = small();
    for (int i = 0; i < z.oc; ++i) bias[i] = pass.given ? small() : 0.0f;
    const struct integers data = { integers_of(x, ins), integers_of(weights, taps), pass.nan ? ins / 2 : ins };
    if (pass.nan) x[ins / 2] = NAN;
    memset(y, pass.nan ? 0x7f : 0xff, outs * 4); /* large numbers, or NaN */
    memset(all[5].at, 0xff, k->workspace_bytes(&s));
    struct conv_shape packing; /* for one image, unclamped: other numbers and bounds take the same weights */
    if (k->shape(&packing, 1, z.h, z.w, z.ic, z.oc) || k->packed_bytes(&packing) != k->packed_bytes(&s)) right = 0;
    else k->pack(&packing, weights, pass.given ? bias : NULL, all[4].at);
    const int tasks = k->tasks(&s);
    if (pass.whole) k->run(&s, x, all[4].at, y, all[5].at, 0, tasks);
    else for (int task = tasks; task-- > 0;) k->run(&s, x, all[4].at, y, all[5].at, task, task + 1);
    const struct steps in = steps_of(f, z.h, z.w, z.ic), out = steps_of(f, OH, OW, z.oc);
    for (int n = 0; n < z.batch && right; ++n)
    for (int o = 0; o < z.oc && right; ++o)
    for (int oh = 0; oh < OH && right; ++oh)
    for (int ow = 0; ow < OW && right; ++ow) {
        int nan = 0;
        double sum = (double)bias[o] + sum_of(f, z, in, &data, n, o, oh * f->sh - top, ow * f->sw - left, &nan);
        if (f->relu && sum < 0) sum = 0;
        if (clamps) sum = sum < -40 ? -40 : sum > 300 ? 300 : sum;
        const double got = (double)y[(size_t)n * out.n + (size_t)oh * out.h + (size_t)ow * out.w + (size_t)o * out.c];
        right = nan ? isnan(got) : got >= sum && got <= sum;
        if (!right) printf("# n %d oc %d oh %d ow %d: %g, should be %g\n", n, o, oh, ow, got, nan ? (double)NAN : sum);
    }
    free(data.x);
    free(data.weights);
    for (int i = 0; i < 6; ++i) munmap(all[i].map, all[i].bytes);
    return right;
}

/* All checks of a kernel, as TAP lines numbered from *number on. */
static void check_runtime(const struct runtime_kernel *k, int *number)
{
    static const struct sizes list[] = {
        { 1, 1, 1, 1, 1 }, { 1, 2, 3, 1, 1 }, { 2, 5, 4, 3, 5 }, { 1, 7, 7, 16, 16 }, { 1, 7, 7, 17, 33 },
        { 1, 8, 6, 4, 64 }, { 3, 9, 13, 5, 80 }, { 1, 14, 14, 20, 100 }, { 1, 12, 23, 33, 17 },
        { 1, 3, 40, 2, 130 }, { 1, 30, 5, 19, 10 }, { 2, 11, 16, 16, 48 }, { 1, 6, 6, 8, 31 }, { 1, 33, 34, 1, 6 },
        { 1, 5, 40, 22, 7 }, { 1, 6, 36, 7, 3 }, { 2, 4, 70, 32, 2 }, { 1, 5, 53, 11, 12 }, { 1, 4, 32, 3, 1 },
        { 1, 5, 37, 32, 3 }, { 1, 4, 40, 16, 1 }, { 1, 6, 23, 48, 2 }, { 2, 3, 33, 64, 4 }, { 1, 9, 31, 3, 10 },
        { 1, 9, 31, 3, 6 }, { 1, 40, 33, 5, 5 }, { 1, 7, 7, 250, 70 }, { 1, 4, 4, 530, 512 },
        { 1, 5, 13, 530, 260 },
        { 1, 1, 1, 37, 61 }, { 1, 6, 4, 7, 61 }, { 1, 21, 41, 9, 40 }, { 1, 21, 16, 400, 40 },
        { 2, 11, 16, 400, 400 }, /* of depthwise kernels: the last one */
    };
    const size_t count = sizeof list / sizeof *list - (k->filter.depthwise ? 0 : 1);
    static const struct pass passes[] = { { 1, 1, 0, 0 }, { 0, 1, 1, 0 }, { 0, 0, 0, 0 }, { 1, 1, 1, 1 } };
    static const struct { struct sizes sizes; enum conv_shape_error error; } bad[] = {
        { { 0, 1, 1, 1, 1 }, CONV_SHAPE_NOT_POSITIVE }, { { 1, 0, 9, 1, 1 }, CONV_SHAPE_NOT_POSITIVE },
        { { 1, 9, 0, 1, 1 }, CONV_SHAPE_NOT_POSITIVE }, { { 1, 9, 9, 0, 1 }, CONV_SHAPE_NOT_POSITIVE },
        { { 1, 9, 9, 1, 0 }, CONV_SHAPE_NOT_POSITIVE }, { { 1, -5, 9, 1, 1 }, CONV_SHAPE_NOT_POSITIVE },
        { { 1, 2147483647, 2147483647, 1, 1 }, CONV_SHAPE_TOO_LARGE },
        { { 1, 65536, 65536, 16, 16 }, CONV_SHAPE_TOO_LARGE }, { { 1, 65536, 65536, 16, 1 }, CONV_SHAPE_TOO_LARGE },
        { { 2147483647, 9, 9, 1, 1 }, CONV_SHAPE_TOO_LARGE },
        { { 1, 9, 9, 2147483647, 2147483647 }, CONV_SHAPE_TOO_LARGE },
        { { 1, 9, 9, 1, 2147483647 }, CONV_SHAPE_TOO_LARGE },
    };
    for (size_t i = 0; i < count; ++i) {
        const struct sizes z = list[i];
        int right = 1;
        for (size_t p = 0; p < sizeof passes / sizeof *passes && right; ++p) right = right_for(k, z, passes[p]);
        printf("%s %d - %s %dx%dx%dx%d to %d\n", right ? "ok" : "not ok", ++*number, k->name, z.batch, z.h, z.w,
            z.ic, z.oc);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
        struct conv_shape s;
        const struct sizes z = bad[i].sizes;
        const int channels = k->filter.depthwise && z.ic > 0 && z.oc > 0 && z.ic != z.oc;
        const int refused = k->shape(&s, z.batch, z.h, z.w, z.ic, z.oc)
            == (channels ? CONV_SHAPE_CHANNELS : bad[i].error);
        printf("%s %d - %s refuses %dx%dx%dx%d to %d\n", refused ? "ok" : "not ok", ++*number, k->name, z.batch,
            z.h, z.w, z.ic, z.oc);
    }
}
