/* SPDX-License-Identifier: MIT-0 */
#define _POSIX_C_SOURCE 200809L
#include "peers.h"
#include "peak.h"
#include "peers/peer.h"
#include "progress.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a peer's kernel gets in place of packed weights. */
struct rival {
    const struct peer *peer;
    void *opened;
};

static void run_rival(const float *input, const void *packed, float *output, void *workspace,
                      int begin, int end)
{
    const struct rival *r = packed;
    (void)workspace, (void)begin, (void)end;
    r->peer->run(r->opened, input, output);
}

static void *must(void *allocated)
{
    if (!allocated)
        abort();
    return allocated;
}

/* A processor that OpenBLAS does not know gets its kernels for SSE3; OPENBLAS_CORETYPE names others (its USAGE.md).
 * Those that this one can run, where it took such; or NULL. */
static const char *better_core(void *object)
{
    /* ISO C has no conversion between pointers to objects and to functions. */
    union { void *object; char *(*function)(void); } core = { dlsym(object, "openblas_get_corename") };
    if (!core.object || strcmp(core.function(), "Prescott") != 0)
        return NULL;
    return peak_probe("avx512") ? "SkylakeX" : peak_probe("avx2") ? "Haswell" : NULL;
}

static const struct peer *load(const char *path)
{
    /* One thread, and the kernels that each thinks best: they ask the environment when loaded. */
    static const char *const limits[] = { "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE",
                                          "DNNL_MAX_CPU_ISA", "ONEDNN_MAX_CPU_ISA" };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; ++i)
        unsetenv(limits[i]);
    setenv("OMP_NUM_THREADS", "1", 1);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL); /* two versions of a library get along */
    const char *core = object ? better_core(object) : NULL;
    if (core) {
        dlclose(object);
        setenv("OPENBLAS_CORETYPE", core, 1);
        object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    const struct peer *p = object ? dlsym(object, "peer") : NULL;
    if (!p) {
        fprintf(stderr, "bench: %s\n", dlerror());
        exit(4);
    }
    return p;
}

/* ---- is it right? --------------------------------------------------------------------------- */

enum { SAMPLES = 400 };

/* A layer's data and what some of its outputs should be. */
struct question {
    const struct conv_layer *layer;
    size_t inputs, outputs, weight_count;
    float *input, *weights, *bias; /* NHWC, OIHW */
    size_t at[SAMPLES];
    double want[SAMPLES];
};

static float *random_array(size_t count, unsigned state)
{
    float *array = must(malloc(count * sizeof *array));
    for (size_t i = 0; i < count; ++i) {
        state = state * 1664525u + 1013904223u;
        array[i] = (float)(state >> 8) * 0x1p-23f - 1.0f; /* [-1, 1) */
    }
    return array;
}

static double reference(const struct question *q, size_t at)
{
    const struct conv_layer *l = q->layer;
    const int oc = (int)(at % (size_t)l->out_channels), in = l->in_channels / l->groups;
    const size_t pixel = at / (size_t)l->out_channels;
    const int ow = (int)(pixel % (size_t)l->out_w), oh = (int)(pixel / (size_t)l->out_w) % l->out_h;
    const size_t n = pixel / (size_t)(l->out_h * l->out_w);
    const int first = oc / (l->out_channels / l->groups) * in;
    double sum = (double)q->bias[oc];
    for (int kh = 0; kh < l->kernel_h; ++kh)
        for (int kw = 0; kw < l->kernel_w; ++kw) {
            const int h = oh * l->stride_h - l->pad_top + kh * l->dilation_h;
            const int w = ow * l->stride_w - l->pad_left + kw * l->dilation_w;
            if (h < 0 || h >= l->in_h || w < 0 || w >= l->in_w)
                continue;
            const size_t there = (n * (size_t)l->in_h + (size_t)h) * (size_t)l->in_w + (size_t)w;
            const float *x = q->input + there * (size_t)l->in_channels + first;
            const float *k = q->weights + (size_t)oc * (size_t)(in * l->kernel_h * l->kernel_w)
                + kh * l->kernel_w + kw;
            for (int c = 0; c < in; ++c)
                sum += (double)x[c] * (double)k[c * l->kernel_h * l->kernel_w];
        }
    return sum > 0 ? sum : 0;
}

static void ask(struct question *q, const struct conv_kernel *k)
{
    unsigned state = 7;
    q->layer = &k->layer;
    q->inputs = (size_t)k->input_count;
    q->outputs = (size_t)k->output_count;
    q->weight_count = (size_t)k->weight_count;
    q->input = random_array(q->inputs, 1);
    q->weights = random_array(q->weight_count, 2);
    q->bias = random_array((size_t)k->layer.out_channels, 3);
    for (int i = 0; i < SAMPLES; ++i) {
        state = state * 1664525u + 1013904223u;
        q->at[i] = i == 0 ? 0 : i == 1 ? q->outputs - 1 : (state >> 4) % q->outputs;
        q->want[i] = reference(q, q->at[i]);
    }
}

static void forget(struct question *q)
{
    free(q->input);
    free(q->weights);
    free(q->bias);
}

/* Right is what Winograd's convolution with tiles of up to eight points can reach: nobody says which
 * algorithm a library uses. */
static struct verdict judge(const struct question *q, struct rival *r)
{
    struct verdict v = { 0, 0, 0, "" };
    const size_t floats = r->peer->output_floats(r->opened);
    float *input = must(aligned_alloc(64, (r->peer->input_floats(r->opened) / 16 + 2) * 64));
    float *output = must(aligned_alloc(64, (floats / 16 + 2) * 64));
    float *plain = must(malloc(q->outputs * sizeof *plain));
    double errors = 0, wants = 0, largest = 0;
    memset(output, 0xff, floats * sizeof *output); /* NaN */
    r->peer->take(r->opened, q->input, input);
    r->peer->run(r->opened, input, output);
    r->peer->give(r->opened, output, plain);
    for (int i = 0; i < SAMPLES; ++i) {
        const double want = q->want[i], error = fabs((double)plain[q->at[i]] - want);
        v.max_error = error <= v.max_error ? v.max_error : error; /* NaN stays */
        largest = fmax(largest, want);
        errors += error * error;
        wants += want * want;
    }
    v.right = v.max_error <= 4e-5 * largest && sqrt(errors) <= 2e-5 * sqrt(wants);
    if (!v.right)
        snprintf(v.what, sizeof v.what, "largest error %g of %g, L2 %g", v.max_error, largest,
                 sqrt(errors / wants));
    free(input);
    free(output);
    free(plain);
    return v;
}

/* ---- settings of layers --------------------------------------------------------------------- */

static struct conv_kernel *kernel_of(const struct conv_kernel *like, const struct rival *r,
                                     const char *isa, const struct peer_setting *setting)
{
    struct conv_kernel *k = must(malloc(sizeof *k));
    *k = *like;
    k->algorithm = setting->name;
    k->isa = isa;
    k->tile = r->peer->describe(r->opened);
    k->tasks = 1;
    k->input_count = r->peer->input_floats(r->opened);
    k->output_count = r->peer->output_floats(r->opened);
    k->packed_bytes = k->workspace_bytes = 0;
    k->pack = NULL;
    k->run = run_rival;
    return k;
}

struct measured *peers_add(const char *path, struct measured *all, int *count,
                           int (*wanted)(const char *name))
{
    const struct peer *p = load(path);
    const int layers = *count;
    char *isa = must(malloc(80)), name[MEASURED_NAME];
    snprintf(isa, 80, "%s%s%s", p->name, *p->version() ? "-" : "", p->version());
    for (int i = 0; i < layers; ++i) {
        const struct conv_kernel *like = all[i].kernel;
        struct question question;
        int asked = 0;
        progress(isa, i + 1, layers);
        if (like->run == run_rival || like->layer.kind != CONV_CONVOLUTION
            || like->after.batch != 0 || like->layer.layout != CONV_NHWC)
            continue;
        for (int s = 0; p->settings[s].name; ++s) {
            struct conv_kernel title = *like;
            struct measured m = { all[i].set, &title, p->settings[s].layout, .packed = NULL };
            title.isa = isa;
            title.algorithm = p->settings[s].name;
            measured_name(&m, name);
            if (!wanted(name))
                continue;
            if (!asked++)
                ask(&question, like);
            struct rival rival = { p, p->open(s, &like->layer, question.weights, question.bias) };
            if (!rival.opened)
                continue;
            struct rival *kept = must(malloc(sizeof *kept));
            *kept = rival;
            m.kernel = kernel_of(like, kept, isa, &p->settings[s]);
            m.packed = kept;
            m.verdict = judge(&question, kept);
            if (!m.verdict.right)
                fprintf(stderr, "\n%s is wrong: %s\n", name, m.verdict.what);
            all = must(realloc(all, (size_t)(*count + 1) * sizeof *all));
            all[(*count)++] = m;
        }
        if (asked)
            forget(&question);
    }
    return all;
}
