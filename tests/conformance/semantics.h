/* What kernels do with values that are no ordinary numbers, as gen/README.md declares it: NaN, infinities,
 * zeros with a sign, subnormal numbers; and that results depend on nothing but the data.
 * SPDX-License-Identifier: MIT-0 */
#ifndef CONV_SEMANTICS_H
#define CONV_SEMANTICS_H

#include <fenv.h>

struct semantics {
    struct check check; /* for its result and its random numbers */
    const struct conv_kernel *k;
    float *input, *weights, *bias, *output, *first;
    void *packed, *workspace;
};

static void *semantics_room(unsigned long long bytes, unsigned long long align)
{
    const size_t step = align < sizeof(void *) ? sizeof(void *) : (size_t)align;
    void *room = NULL;
    return posix_memalign(&room, step, (size_t)bytes + step) == 0 ? room : NULL;
}

static void semantics_run(struct semantics *s, int dirt)
{
    const struct conv_kernel *const k = s->k;
    if (k->pack)
        k->pack(s->weights, k->bias_count ? s->bias : NULL, s->packed);
    memset(s->workspace, dirt, (size_t)k->workspace_bytes);
    memset(s->output, dirt, (size_t)k->output_count * sizeof(float));
    k->run(s->input, s->packed, s->output, s->workspace, 0, k->tasks);
}

static void semantics_fill(float *array, unsigned long long count, float value)
{
    for (size_t i = 0; i < count; i++)
        array[i] = value;
}

static int semantics_is_covered(const struct conv_layer *l, struct check_point p) /* reads no padding */
{
    const long long h = (long long)p.h * l->stride_h - l->pad_top, w = (long long)p.w * l->stride_w - l->pad_left;
    return h >= 0 && w >= 0 && h + (long long)(l->kernel_h - 1) * l->dilation_h < l->in_h
        && w + (long long)(l->kernel_w - 1) * l->dilation_w < l->in_w;
}

/* Compares all outputs with the activation of the definition's sum, exactly; infinities and NaN, too. */
static int semantics_compare(struct semantics *s, const char *what, double tolerance)
{
    const struct conv_layer *const l = s->k->layer.batch ? &s->k->layer : NULL;
    for (size_t i = 0; i < s->k->output_count; i++) {
        const struct check_point p = check_point_of(l, i);
        const struct reference_sum r = l->kind == CONV_CONVOLUTION
            ? reference_conv(l, s->input, s->weights, p.n, p.h, p.w, p.c)
            : reference_pool(l, s->input, p.n, p.h, p.w, p.c);
        const double sum = r.sum + (s->k->bias_count ? (double)s->bias[p.c] : 0.0);
        const double want = reference_activation(l, sum), got = (double)s->output[i];
        if (isnan(want) ? isnan(got) : isinf(want) ? got == want : fabs(got - want) <= tolerance)
            continue;
        return check_fail_at(&s->check, p, got, want, "%s: wrong value", what);
    }
    return 1;
}

/* A NaN bias or weight reaches the outputs of its channel, through the activation. */
static int semantics_nan(struct semantics *s)
{
    const struct conv_layer *const l = &s->k->layer;
    if (l->kind != CONV_CONVOLUTION)
        return 1; /* of the input: check_nan_rule() */
    const int channel = l->out_channels / 2;
    for (int which = 0; which < 2; which++) {
        if (which == 1 && s->k->bias_count == 0)
            break;
        semantics_fill(s->input, s->k->input_count, 1.0f);
        semantics_fill(s->weights, s->k->weight_count, 1.0f);
        semantics_fill(s->bias, s->k->bias_count, 1.0f);
        float *const at = which ? &s->bias[channel]
                                : &s->weights[reference_weight_at(l, channel, l->kernel_h / 2, l->kernel_w / 2, 0)];
        *at = NAN;
        semantics_run(s, 0x4b);
        for (size_t i = 0; i < s->k->output_count; i++) {
            const struct check_point p = check_point_of(l, i);
            const float y = s->output[i];
            if (p.c == channel ? (which || semantics_is_covered(l, p)) && !isnan(y) : !isfinite(y))
                return check_fail_at(&s->check, p, (double)y, p.c == channel ? (double)NAN : 0.0, "%s",
                                     which ? "a NaN in the bias" : "a NaN in the weights");
        }
    }
    return 1;
}

/* Infinite inputs: infinite sums of their sign, and the activation's limit; pooling, too. */
static int semantics_infinity(struct semantics *s, float sign)
{
    semantics_fill(s->input, s->k->input_count, sign * INFINITY);
    semantics_fill(s->weights, s->k->weight_count, 1.0f);
    semantics_fill(s->bias, s->k->bias_count, 1.0f);
    semantics_run(s, 0xff);
    for (size_t i = 0; i < s->k->output_count; i++) {
        const struct conv_layer *const l = &s->k->layer;
        const struct check_point p = check_point_of(l, i);
        double limit = (double)(sign * INFINITY);
        if (l->kind == CONV_CONVOLUTION && !semantics_is_covered(l, p))
            continue; /* other outputs may be all padding */
        switch (l->activation) {
        case CONV_SIGMOID: limit = sign > 0 ? 1.0 : 0.0; break;
        case CONV_TANH: limit = (double)sign; break;
        case CONV_SILU: case CONV_HARDSWISH: limit = sign > 0 ? limit : 0.0; break;
        default: limit = reference_activation(l, limit); break;
        }
        const double got = (double)s->output[i];
        if (!(isinf(limit) ? got == limit : fabs(got - limit) <= 1e-6))
            return check_fail_at(&s->check, p, got, limit, "%s: wrong limit",
                                 sign > 0 ? "infinite input" : "negative infinite input");
    }
    return 1;
}

/* Zeros are zeros, whatever their signs. */
static int semantics_zero(struct semantics *s)
{
    for (int which = 0; which < 2; which++) {
        semantics_fill(s->input, s->k->input_count, which ? -0.0f : 0.0f);
        semantics_fill(s->weights, s->k->weight_count, 1.0f);
        semantics_fill(s->bias, s->k->bias_count, -0.0f);
        semantics_run(s, 0xff);
        if (!semantics_compare(s, which ? "zeros with a sign" : "zeros", 1e-7))
            return 0;
    }
    return 1;
}

/* Sums of subnormal numbers are exact, and stay. */
static int semantics_subnormal(struct semantics *s)
{
    const enum conv_activation a = s->k->layer.activation;
    if (a != CONV_NONE && a != CONV_RELU)
        return 1;
    const int average = s->k->layer.kind == CONV_AVERAGE_POOLING;
    for (size_t i = 0; i < s->k->input_count; i++)
        s->input[i] = (float)check_integer(&s->check, 1, 8) * 0x1p-149f;
    for (size_t i = 0; i < s->k->weight_count; i++)
        s->weights[i] = (float)check_integer(&s->check, 1, 3);
    semantics_fill(s->bias, s->k->bias_count, 0x1p-149f);
    semantics_run(s, 0xff);
    return semantics_compare(s, "subnormal numbers", average ? 0x1p-149 : 0.0);
}

/* Reals: the same bits from a workspace with other dirt, again, and from arrays that lie elsewhere. */
static int semantics_same(struct semantics *s)
{
    const struct conv_kernel *const k = s->k;
    float *const arrays[3] = { s->input, s->weights, s->bias };
    const unsigned long long counts[3] = { k->input_count, k->weight_count, k->bias_count };
    for (int a = 0; a < 3; a++)
        for (size_t i = 0; i < counts[a]; i++)
            arrays[a][i] = check_real(&s->check);
    const size_t bytes = (size_t)k->output_count * sizeof(float);
    static const int dirt[4] = { 0xff, 0x4b, 0, 0x7f };
    for (int i = 0; i < 4; i++) {
        semantics_run(s, dirt[i]);
        if (i == 0)
            memcpy(s->first, s->output, bytes);
        else if (memcmp(s->first, s->output, bytes) != 0)
            return check_fail(&s->check, "another result with other dirt in the workspace");
        for (int task = k->tasks - 1; task >= 0; task--)
            k->run(s->input, s->packed, s->output, s->workspace, task, task + 1);
        if (memcmp(s->first, s->output, bytes) != 0)
            return check_fail(&s->check, "another result task by task");
    }
    return 1;
}

static struct check_result conformance_check(const struct conv_kernel *k, uint64_t seed)
{
    struct semantics s;
    memset(&s, 0, sizeof s);
    s.k = k;
    s.check.random = seed;
    if (!k->supported()) {
        s.check.result.status = CHECK_SKIP;
        return s.check.result;
    }
    s.input = semantics_room(k->input_count * 4, 4);
    s.weights = semantics_room(k->weight_count * 4, 4);
    s.bias = semantics_room(k->bias_count * 4, 4);
    s.output = semantics_room(k->output_count * 4, 4);
    s.first = semantics_room(k->output_count * 4, 4);
    s.packed = semantics_room(k->packed_bytes, k->align);
    s.workspace = semantics_room(k->workspace_bytes, k->align);
    const int rounding = fegetround();
    if (!s.input || !s.weights || !s.bias || !s.output || !s.first || !s.packed || !s.workspace)
        check_fail(&s.check, "out of memory");
    else if (semantics_nan(&s) && semantics_infinity(&s, 1.0f) && semantics_infinity(&s, -1.0f)
             && semantics_zero(&s) && semantics_subnormal(&s) && semantics_same(&s)
             && fegetround() != rounding)
        check_fail(&s.check, "it changes the rounding mode");
    free(s.input);
    free(s.weights);
    free(s.bias);
    free(s.output);
    free(s.first);
    free(s.packed);
    free(s.workspace);
    return s.check.result;
}

#endif
