/* Checks a kernel against oneDNN, version 2: each output, on integers that both sum exactly.
 * Algorithms that are not exact may differ by T2's bound on the largest error (see check/compare.h).
 * SPDX-License-Identifier: MIT-0 */
#ifndef CONFORMANCE_ONEDNN_H
#define CONFORMANCE_ONEDNN_H

#include <dnnl.h>
#if DNNL_VERSION_MAJOR != 2
#error "written for oneDNN 2"
#endif

enum { ONEDNN_INPUT, ONEDNN_WEIGHTS, ONEDNN_BIAS, ONEDNN_OUTPUT, ONEDNN_ARRAYS };

struct onednn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_attr_t attributes;
    dnnl_primitive_desc_t description;
    dnnl_primitive_t primitive, reorder;
    dnnl_memory_t memory[ONEDNN_ARRAYS];
    dnnl_memory_t packed; /* the weights, in the order that oneDNN wants */
    dnnl_status_t status;
};

/* A call, unless one before failed. */
#define ONEDNN(call) do { \
        if (d->status == dnnl_success) \
            d->status = (call); \
    } while (0)

/* One axis as oneDNN takes it, which knows no padding below 0: pixels that are not read are cut off. */
struct onednn_axis { int cut, size, begin, end; };

static struct onednn_axis onednn_axis(int in, int out, int kernel, int stride, int dilation, int pad)
{
    const int end = (out - 1) * stride + (kernel - 1) * dilation + 1 - in - pad;
    struct onednn_axis a = { pad < 0 ? -pad : 0, in, pad > 0 ? pad : 0, end > 0 ? end : 0 };
    a.size -= a.cut + (end < 0 ? -end : 0);
    return a;
}

static struct onednn_axis onednn_height(const struct conv_layer *l)
{
    return onednn_axis(l->in_h, l->out_h, l->kernel_h, l->stride_h, l->dilation_h, l->pad_top);
}

static struct onednn_axis onednn_width(const struct conv_layer *l)
{
    return onednn_axis(l->in_w, l->out_w, l->kernel_w, l->stride_w, l->dilation_w, l->pad_left);
}

static void onednn_relu(struct onednn *d, const struct conv_layer *l)
{
    dnnl_post_ops_t operations = NULL;
    ONEDNN(dnnl_primitive_attr_create(&d->attributes));
    if (l->activation != CONV_RELU)
        return;
    ONEDNN(dnnl_post_ops_create(&operations));
    ONEDNN(dnnl_post_ops_append_eltwise(operations, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f));
    ONEDNN(dnnl_primitive_attr_set_post_ops(d->attributes, operations));
    if (operations)
        dnnl_post_ops_destroy(operations);
}

static void onednn_make(struct onednn *d, const struct conv_layer *l, float *const *arrays)
{
    const int groups = l->groups, grouped = groups > 1 && l->kind == CONV_CONVOLUTION;
    const dnnl_format_tag_t layout = l->layout == CONV_NHWC ? dnnl_nhwc : dnnl_nchw;
    const struct onednn_axis h = onednn_height(l), w = onednn_width(l);
    const dnnl_dims_t input = { l->batch, l->in_channels, h.size, w.size };
    const dnnl_dims_t output = { l->batch, l->out_channels, l->out_h, l->out_w };
    const dnnl_dims_t dense = { l->out_channels, l->in_channels, l->kernel_h, l->kernel_w };
    const dnnl_dims_t split = { groups, l->out_channels / groups, l->in_channels / groups,
                                l->kernel_h, l->kernel_w };
    const dnnl_dims_t bias = { l->out_channels };
    const dnnl_dims_t kernel = { l->kernel_h, l->kernel_w }, stride = { l->stride_h, l->stride_w };
    const dnnl_dims_t dilation = { l->dilation_h - 1, l->dilation_w - 1 };
    const dnnl_dims_t begin = { h.begin, w.begin }, end = { h.end, w.end };
    dnnl_memory_desc_t given[ONEDNN_ARRAYS], any;
    const int dims = grouped ? 5 : 4;
    ONEDNN(dnnl_memory_desc_init_by_tag(&given[ONEDNN_INPUT], 4, input, dnnl_f32, layout));
    ONEDNN(dnnl_memory_desc_init_by_tag(&given[ONEDNN_OUTPUT], 4, output, dnnl_f32, layout));
    ONEDNN(dnnl_memory_desc_init_by_tag(&given[ONEDNN_WEIGHTS], dims, grouped ? split : dense, dnnl_f32,
                                        grouped ? dnnl_goihw : dnnl_oihw));
    ONEDNN(dnnl_memory_desc_init_by_tag(&any, dims, grouped ? split : dense, dnnl_f32,
                                        dnnl_format_tag_any));
    ONEDNN(dnnl_memory_desc_init_by_tag(&given[ONEDNN_BIAS], 1, bias, dnnl_f32, dnnl_x));

    dnnl_convolution_desc_t convolution;
    dnnl_pooling_v2_desc_t pooling;
    const_dnnl_op_desc_t what = &pooling;
    if (l->kind == CONV_CONVOLUTION) {
        what = &convolution;
        ONEDNN(dnnl_dilated_convolution_forward_desc_init(&convolution, dnnl_forward_inference,
               dnnl_convolution_direct, &given[ONEDNN_INPUT], &any,
               l->has_bias ? &given[ONEDNN_BIAS] : NULL, &given[ONEDNN_OUTPUT], stride, dilation,
               begin, end));
    } else {
        ONEDNN(dnnl_pooling_v2_forward_desc_init(&pooling, dnnl_forward_inference,
               l->kind == CONV_MAX_POOLING ? dnnl_pooling_max
               : l->include_pad ? dnnl_pooling_avg_include_padding
               : dnnl_pooling_avg_exclude_padding,
               &given[ONEDNN_INPUT], &given[ONEDNN_OUTPUT], stride, kernel, dilation, begin, end));
    }
    onednn_relu(d, l);
    ONEDNN(dnnl_primitive_desc_create(&d->description, what, d->attributes, d->engine, NULL));
    ONEDNN(dnnl_primitive_create(&d->primitive, d->description));
    for (int i = 0; i < ONEDNN_ARRAYS; i++)
        if (arrays[i])
            ONEDNN(dnnl_memory_create(&d->memory[i], &given[i], d->engine, arrays[i]));
}

static void onednn_run(struct onednn *d)
{
    if (d->memory[ONEDNN_WEIGHTS]) {
        dnnl_primitive_desc_t description = NULL;
        const dnnl_memory_desc_t *wanted = NULL, *given = NULL;
        if (d->status == dnnl_success)
            wanted = dnnl_primitive_desc_query_md(d->description, dnnl_query_weights_md, 0);
        ONEDNN(dnnl_memory_get_memory_desc(d->memory[ONEDNN_WEIGHTS], &given));
        ONEDNN(dnnl_memory_create(&d->packed, wanted, d->engine, DNNL_MEMORY_ALLOCATE));
        ONEDNN(dnnl_reorder_primitive_desc_create(&description, given, d->engine, wanted, d->engine,
                                                  NULL));
        ONEDNN(dnnl_primitive_create(&d->reorder, description));
        const dnnl_exec_arg_t arguments[] = {
            { DNNL_ARG_FROM, d->memory[ONEDNN_WEIGHTS] }, { DNNL_ARG_TO, d->packed },
        };
        ONEDNN(dnnl_primitive_execute(d->reorder, d->stream, 2, arguments));
        if (description)
            dnnl_primitive_desc_destroy(description);
    }
    dnnl_exec_arg_t arguments[4] = {
        { DNNL_ARG_SRC, d->memory[ONEDNN_INPUT] }, { DNNL_ARG_DST, d->memory[ONEDNN_OUTPUT] },
    };
    int count = 2;
    if (d->packed)
        arguments[count++] = (dnnl_exec_arg_t){ DNNL_ARG_WEIGHTS, d->packed };
    if (d->memory[ONEDNN_BIAS])
        arguments[count++] = (dnnl_exec_arg_t){ DNNL_ARG_BIAS, d->memory[ONEDNN_BIAS] };
    ONEDNN(dnnl_primitive_execute(d->primitive, d->stream, count, arguments));
    ONEDNN(dnnl_stream_wait(d->stream));
}

static void onednn_end_all(struct onednn *d)
{
    for (int i = 0; i < ONEDNN_ARRAYS; i++)
        dnnl_memory_destroy(d->memory[i]);
    dnnl_memory_destroy(d->packed);
    if (d->reorder)
        dnnl_primitive_destroy(d->reorder);
    if (d->primitive)
        dnnl_primitive_destroy(d->primitive);
    if (d->description)
        dnnl_primitive_desc_destroy(d->description);
    if (d->attributes)
        dnnl_primitive_attr_destroy(d->attributes);
    if (d->stream)
        dnnl_stream_destroy(d->stream);
    if (d->engine)
        dnnl_engine_destroy(d->engine);
}

/* The pixels that oneDNN gets; what is not read between them is NaN, which it would not leave alone. */
static void onednn_cut(const struct check *c, float *input)
{
    const struct conv_layer *const l = c->layer;
    const struct onednn_axis height = onednn_height(l), width = onednn_width(l);
    for (int n = 0; n < l->batch; n++)
        for (int h = 0; h < height.size; h++)
            for (int w = 0; w < width.size; w++)
                for (int i = 0; i < l->in_channels; i++) {
                    const float x = c->input[reference_input_at(l, n, height.cut + h, width.cut + w, i)];
                    input[reference_at(l->layout, height.size, width.size, l->in_channels, n, h, w, i)] =
                        isnan(x) ? 0.0f : x;
                }
}

/* oneDNN's output for the data of a check. */
static dnnl_status_t onednn_compute(const struct check *c, float *input, float *output)
{
    struct onednn all = { .status = dnnl_success }, *const d = &all;
    const int convolution = c->layer->kind == CONV_CONVOLUTION;
    float *const arrays[ONEDNN_ARRAYS] = {
        input, convolution ? c->weights : NULL, c->layer->has_bias ? c->bias : NULL, output,
    };
    onednn_cut(c, input);
    for (size_t i = 0; i < c->kernel->output_count; i++)
        output[i] = NAN;
    ONEDNN(dnnl_engine_create(&d->engine, dnnl_cpu, 0));
    ONEDNN(dnnl_stream_create(&d->stream, d->engine, dnnl_stream_default_flags));
    onednn_make(d, c->layer, arrays);
    onednn_run(d);
    onednn_end_all(d);
    return d->status;
}

static int onednn_compare(struct check *c, const float *wanted)
{
    const size_t count = (size_t)c->kernel->output_count;
    double tolerance = 0.0;
    for (size_t i = 0; i < count && !c->kernel->exact; i++)
        tolerance = fmax(tolerance, 4e-5 * fabs((double)wanted[i]));
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)c->first[i] - (double)wanted[i]) <= tolerance))
            return check_fail_at(c, check_point_of(c->layer, i), (double)c->first[i],
                                 (double)wanted[i], "%s", "not what oneDNN computes");
    c->result.compared += (unsigned long long)count;
    return 1;
}

static int onednn_skip(struct check *c, const char *why)
{
    c->result.status = CHECK_SKIP;
    snprintf(c->result.what, sizeof c->result.what, "%s", why);
    return 0;
}

static int onednn_body(struct check *c)
{
    static const struct check_pass whole = { "whole, at the end page", 1, 0, CHECK_WHOLE, 0 };
    if (onednn_height(c->layer).size < 1 || onednn_width(c->layer).size < 1)
        return onednn_skip(c, "oneDNN wants a pixel that is read");
    if (c->kernel->after.batch != 0)
        return onednn_skip(c, "pooling behind the convolution is not compared");
    check_place_all(c, &whole);
    if (!check_data_exact(c) || !check_first_pass(c, &whole))
        return 0;
    float *const input = malloc((size_t)c->kernel->input_count * sizeof *input);
    float *const output = malloc((size_t)c->kernel->output_count * sizeof *output);
    int good = 0;
    if (!input || !output) {
        check_fail(c, "out of memory");
    } else {
        switch (onednn_compute(c, input, output)) {
        case dnnl_success: good = onednn_compare(c, output); break;
        case dnnl_unimplemented: onednn_skip(c, "oneDNN has no implementation"); break;
        case dnnl_invalid_arguments: check_fail(c, "oneDNN takes this layer for invalid"); break;
        case dnnl_out_of_memory: case dnnl_iterator_ends: case dnnl_runtime_error:
        case dnnl_not_required: check_fail(c, "oneDNN failed");
        }
    }
    free(input);
    free(output);
    return good;
}

static struct check_result conformance_check(const struct conv_kernel *kernel, uint64_t seed)
{
    (void)check_kernel; /* whose wanted values are our own */
    return check_kernel_by(onednn_body, kernel, seed);
}

#endif
