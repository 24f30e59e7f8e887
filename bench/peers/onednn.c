/* oneDNN, 2.x and 3.x. Its guide advises layouts of its own choice ('any'), conversions kept out of
 * the way: setting native. 'blocked' is nChw16c, which it does not always choose.
 * SPDX-License-Identifier: MIT-0 */
#include "peer.h"

#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t description; /* a pointer */
typedef const_dnnl_memory_desc_t const_description;
typedef dnnl_primitive_desc_t primitive_description;
#define VIEW(d) (d)
#else
typedef dnnl_memory_desc_t description;
typedef const dnnl_memory_desc_t *const_description;
typedef dnnl_primitive_desc_t primitive_description;
#define VIEW(d) (&(d))
#endif

enum order { ANY, BLOCKED, NHWC, NCHW, NCHW_REORDERED };
enum method { DIRECT, WINOGRAD, AUTO };

static const struct peer_setting settings[] = {
    { "direct", "native" }, { "direct-blocked", "native" }, { "direct", "nhwc" },
    { "direct", "nchw" }, { "direct-reordered", "nchw" }, { "winograd", "native" },
    { "winograd-reordered", "nchw" }, { "auto", "native" }, { "auto", "nchw" }, { NULL, NULL },
};
static const struct { enum method method; enum order order; } meaning[] = {
    { DIRECT, ANY }, { DIRECT, BLOCKED }, { DIRECT, NHWC }, { DIRECT, NCHW },
    { DIRECT, NCHW_REORDERED }, { WINOGRAD, ANY }, { WINOGRAD, NCHW_REORDERED }, { AUTO, ANY },
    { AUTO, NCHW },
};

static dnnl_engine_t engine;
static dnnl_stream_t stream;

struct step {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arguments[4];
    int count;
};

struct opened {
    char name[100];
    description plain[2]; /* of input and output as NHWC */
    const_description outer[2]; /* as the caller sees them */
    dnnl_memory_t user[2], inner[2], weights, bias;
    struct step in, convolution, out; /* in and out may have no primitive */
    primitive_description kept;       /* owns what outer points to */
    description nchw[2];
};

static void must(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success)
        return;
    fprintf(stderr, "oneDNN: %s fails with %d\n", what, (int)status);
    exit(1);
}

static description describe_memory(int count, const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
    description d;
#if DNNL_VERSION_MAJOR >= 3
    must(dnnl_memory_desc_create_with_tag(&d, count, dims, dnnl_f32, tag), "a memory description");
#else
    must(dnnl_memory_desc_init_by_tag(&d, count, dims, dnnl_f32, tag), "a memory description");
#endif
    return d;
}

static description describe_weights(const struct conv_layer *l, int any)
{
    const dnnl_dim_t g = l->groups, o = l->out_channels / g, i = l->in_channels / g;
    const dnnl_dims_t grouped = { g, o, i, l->kernel_h, l->kernel_w };
    const dnnl_dims_t dense = { o, i, l->kernel_h, l->kernel_w };
    if (g > 1)
        return describe_memory(5, grouped, any ? dnnl_format_tag_any : dnnl_goihw);
    return describe_memory(4, dense, any ? dnnl_format_tag_any : dnnl_oihw);
}

static dnnl_memory_t memory_of(const_description d, void *data)
{
    dnnl_memory_t memory;
    must(dnnl_memory_create(&memory, d, engine, data), "memory");
    return memory;
}

static void add(struct step *step, int index, dnnl_memory_t memory)
{
    step->arguments[step->count].arg = index;
    step->arguments[step->count++].memory = memory;
}

static void perform(const struct step *step)
{
    if (step->primitive)
        must(dnnl_primitive_execute(step->primitive, stream, step->count, step->arguments), "a run");
}

static struct step reorder(const_description from, dnnl_memory_t source, const_description to,
                           dnnl_memory_t target)
{
    struct step step = { NULL, { { 0, NULL } }, 0 };
    primitive_description pd;
    must(dnnl_reorder_primitive_desc_create(&pd, from, engine, to, engine, NULL), "a reorder");
    must(dnnl_primitive_create(&step.primitive, pd), "a reorder");
    dnnl_primitive_desc_destroy(pd);
    add(&step, DNNL_ARG_FROM, source);
    add(&step, DNNL_ARG_TO, target);
    return step;
}

/* Once, from data to data. */
static void convert(const_description from, const void *source, const_description to, void *target)
{
    union { const void *read; void *handle; } cast = { source };
    dnnl_memory_t a = memory_of(from, cast.handle), b = memory_of(to, target);
    const struct step step = reorder(from, a, to, b);
    perform(&step);
    dnnl_stream_wait(stream);
    dnnl_primitive_destroy(step.primitive);
    dnnl_memory_destroy(a);
    dnnl_memory_destroy(b);
}

static primitive_description create(enum method method, dnnl_format_tag_t tag,
                                    const struct conv_layer *l)
{
    static const dnnl_alg_kind_t kinds[] = { dnnl_convolution_direct, dnnl_convolution_winograd,
                                             dnnl_convolution_auto };
    const dnnl_dims_t src = { l->batch, l->in_channels, l->in_h, l->in_w };
    const dnnl_dims_t dst = { l->batch, l->out_channels, l->out_h, l->out_w };
    const dnnl_dims_t bias = { l->out_channels };
    const dnnl_dims_t strides = { l->stride_h, l->stride_w };
    const dnnl_dims_t dilation = { l->dilation_h - 1, l->dilation_w - 1 };
    const dnnl_dims_t begin = { l->pad_top, l->pad_left };
    const dnnl_dims_t end = { peer_pad_end(l->pad_bottom), peer_pad_end(l->pad_right) };
    description s = describe_memory(4, src, tag), d = describe_memory(4, dst, tag);
    description w = describe_weights(l, 1), b = describe_memory(1, bias, dnnl_a);
    dnnl_post_ops_t operations;
    dnnl_primitive_attr_t attributes;
    primitive_description pd = NULL;
    dnnl_status_t status;
    must(dnnl_primitive_attr_create(&attributes), "attributes");
    must(dnnl_post_ops_create(&operations), "post-operations");
#if DNNL_VERSION_MAJOR >= 3
    must(dnnl_post_ops_append_eltwise(operations, dnnl_eltwise_relu, 0, 0), "ReLU");
    must(dnnl_primitive_attr_set_post_ops(attributes, operations), "ReLU");
    status = dnnl_convolution_forward_primitive_desc_create(&pd, engine, dnnl_forward_inference,
        kinds[method], s, w, b, d, strides, dilation, begin, end, attributes);
    dnnl_memory_desc_destroy(s);
    dnnl_memory_desc_destroy(d);
    dnnl_memory_desc_destroy(w);
    dnnl_memory_desc_destroy(b);
#else
    dnnl_convolution_desc_t convolution;
    must(dnnl_post_ops_append_eltwise(operations, 1, dnnl_eltwise_relu, 0, 0), "ReLU");
    must(dnnl_primitive_attr_set_post_ops(attributes, operations), "ReLU");
    status = dnnl_dilated_convolution_forward_desc_init(&convolution, dnnl_forward_inference,
        kinds[method], &s, &w, &b, &d, strides, dilation, begin, end);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(&pd, &convolution, attributes, engine, NULL);
#endif
    dnnl_post_ops_destroy(operations);
    dnnl_primitive_attr_destroy(attributes);
    return status == dnnl_success ? pd : NULL;
}

static const char *implementation(primitive_description pd)
{
    const char *name = "";
    dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name);
    return name;
}

static const dnnl_format_tag_t tags[] = { dnnl_format_tag_any, dnnl_nChw16c, dnnl_nhwc, dnnl_nchw,
                                          dnnl_format_tag_any };

/* Whether the method adds nothing to direct convolution in the same order. */
static int is_plain_direct(primitive_description pd, enum method method, enum order order,
                           const struct conv_layer *l)
{
    primitive_description direct = method == DIRECT ? NULL : create(DIRECT, tags[order], l);
    const int same = direct && strcmp(implementation(direct), implementation(pd)) == 0;
    if (direct)
        dnnl_primitive_desc_destroy(direct);
    return same;
}

static void *open_layer(int setting, const struct conv_layer *l, const float *weights,
                        const float *bias)
{
    const enum method method = meaning[setting].method;
    const enum order order = meaning[setting].order;
    if (!engine) {
        must(dnnl_engine_create(&engine, dnnl_cpu, 0), "an engine");
        must(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "a stream");
    }
    primitive_description pd = create(method, tags[order], l);
    if (!pd)
        return NULL;
    if (strstr(implementation(pd), "ref") || is_plain_direct(pd, method, order, l)) {
        dnnl_primitive_desc_destroy(pd);
        return NULL;
    }

    struct opened *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    snprintf(c->name, sizeof c->name, "%s", implementation(pd));
    c->kept = pd;
    const dnnl_dims_t dims[2] = { { l->batch, l->in_channels, l->in_h, l->in_w },
                                  { l->batch, l->out_channels, l->out_h, l->out_w } };
    const const_description inner[2] = { dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0),
                                         dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0) };
    for (int k = 0; k < 2; ++k) {
        c->plain[k] = describe_memory(4, dims[k], dnnl_nhwc);
        c->nchw[k] = describe_memory(4, dims[k], dnnl_nchw);
        c->outer[k] = order == NCHW_REORDERED ? VIEW(c->nchw[k]) : inner[k];
        c->user[k] = memory_of(c->outer[k], DNNL_MEMORY_NONE);
        c->inner[k] = order == NCHW_REORDERED ? memory_of(inner[k], DNNL_MEMORY_ALLOCATE)
                                              : c->user[k];
    }
    const const_description wanted = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    const_description vector = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 1);
    description oihw = describe_weights(l, 0);
    void *data;
    c->weights = memory_of(wanted, DNNL_MEMORY_ALLOCATE);
    must(dnnl_memory_get_data_handle(c->weights, &data), "weights");
    convert(VIEW(oihw), weights, wanted, data);
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_destroy(oihw);
#endif
    c->bias = memory_of(vector, DNNL_MEMORY_ALLOCATE);
    must(dnnl_memory_get_data_handle(c->bias, &data), "bias");
    memcpy(data, bias, (size_t)l->out_channels * sizeof(float));

    must(dnnl_primitive_create(&c->convolution.primitive, pd), "a convolution");
    add(&c->convolution, DNNL_ARG_SRC, c->inner[0]);
    add(&c->convolution, DNNL_ARG_WEIGHTS, c->weights);
    add(&c->convolution, DNNL_ARG_BIAS, c->bias);
    add(&c->convolution, DNNL_ARG_DST, c->inner[1]);
    if (order == NCHW_REORDERED) {
        c->in = reorder(c->outer[0], c->user[0], inner[0], c->inner[0]);
        c->out = reorder(inner[1], c->inner[1], c->outer[1], c->user[1]);
    }
    return c;
}

static void close_layer(void *opened)
{
    struct opened *c = opened;
    const struct step *steps[] = { &c->in, &c->convolution, &c->out };
    for (int k = 0; k < 3; ++k)
        if (steps[k]->primitive)
            dnnl_primitive_destroy(steps[k]->primitive);
    for (int k = 0; k < 2; ++k) {
        if (c->inner[k] != c->user[k])
            dnnl_memory_destroy(c->inner[k]);
        dnnl_memory_destroy(c->user[k]);
#if DNNL_VERSION_MAJOR >= 3
        dnnl_memory_desc_destroy(c->plain[k]);
        dnnl_memory_desc_destroy(c->nchw[k]);
#endif
    }
    dnnl_memory_destroy(c->weights);
    dnnl_memory_destroy(c->bias);
    dnnl_primitive_desc_destroy(c->kept);
    free(c);
}

static void run(void *opened, const float *input, float *output)
{
    const struct opened *c = opened;
    union { const float *read; void *handle; } cast = { input };
    dnnl_memory_set_data_handle(c->user[0], cast.handle);
    dnnl_memory_set_data_handle(c->user[1], output);
    perform(&c->in);
    perform(&c->convolution);
    perform(&c->out);
    dnnl_stream_wait(stream);
}

static const char *version(void)
{
    static char text[40];
    const dnnl_version_t *v = dnnl_version();
    snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
    return text;
}

static const char *describe(const void *opened) { return ((const struct opened *)opened)->name; }
static size_t input_floats(const void *opened)
{
    return dnnl_memory_desc_get_size(((const struct opened *)opened)->outer[0]) / sizeof(float);
}
static size_t output_floats(const void *opened)
{
    return dnnl_memory_desc_get_size(((const struct opened *)opened)->outer[1]) / sizeof(float);
}
static void import_input(void *opened, const float *nhwc, float *input)
{
    struct opened *c = opened;
    convert(VIEW(c->plain[0]), nhwc, c->outer[0], input);
}
static void export_output(void *opened, const float *output, float *nhwc)
{
    struct opened *c = opened;
    convert(c->outer[1], output, VIEW(c->plain[1]), nhwc);
}

const struct peer peer = { "oneDNN", version, settings, open_layer, close_layer, describe,
                           input_floats, output_floats, import_input, run, export_output };
