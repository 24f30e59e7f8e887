/* ONNX Runtime: a model of one Conv and one Relu, which it fuses, and for which it converts NCHW to
 * blocks of channels and back. Setting native is its own operator on blocks, without conversions.
 * SPDX-License-Identifier: MIT-0 */
#include "peer.h"

#include <onnxruntime_c_api.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLAIN, NATIVE };
static const struct peer_setting settings[] = { { "all-optimizations", "nchw" },
                                                { "nchwc", "native" }, { NULL, NULL } };

static const OrtApi *api;
static OrtEnv *environment;
static OrtMemoryInfo *memory;

struct opened {
    struct conv_layer layer;
    int in_block, out_block; /* of channels; 1 is NCHW */
    OrtSession *session;
    OrtValue *values[2];
    const float *input; /* what the values are for */
    float *output;
};

static void must(OrtStatus *status)
{
    if (!status)
        return;
    fprintf(stderr, "ONNX Runtime: %s\n", api->GetErrorMessage(status));
    exit(1);
}

/* ---- the model, as protocol buffers --------------------------------------------------------- */

struct bytes { unsigned char *data; size_t size; };

static void put(struct bytes *b, const void *data, size_t size)
{
    b->data = realloc(b->data, b->size + size + 1);
    if (!b->data)
        abort();
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

static void put_varint(struct bytes *b, uint64_t value)
{
    for (; value > 127; value >>= 7)
        put(b, &(unsigned char){ (unsigned char)(value | 128) }, 1);
    put(b, &(unsigned char){ (unsigned char)value }, 1);
}

static void put_int(struct bytes *b, unsigned field, uint64_t value)
{
    put_varint(b, field << 3);
    put_varint(b, value);
}

static void put_data(struct bytes *b, unsigned field, const void *data, size_t size)
{
    put_varint(b, field << 3 | 2);
    put_varint(b, size);
    put(b, data, size);
}

static void put_text(struct bytes *b, unsigned field, const char *text)
{
    put_data(b, field, text, strlen(text));
}

static void put_message(struct bytes *b, unsigned field, struct bytes *message)
{
    put_data(b, field, message->data, message->size);
    free(message->data);
    *message = (struct bytes){ NULL, 0 };
}

static void put_ints(struct bytes *node, const char *name, int count, const int *values)
{
    struct bytes a = { NULL, 0 };
    put_text(&a, 1, name);
    for (int i = 0; i < count; ++i)
        put_int(&a, 8, (uint64_t)values[i]);
    put_int(&a, 20, 7); /* INTS */
    put_message(node, 5, &a);
}

static void put_value(struct bytes *graph, unsigned field, const char *name, const int64_t dims[4])
{
    struct bytes value = { NULL, 0 }, type = { NULL, 0 }, tensor = { NULL, 0 }, shape = { NULL, 0 };
    for (int i = 0; i < 4; ++i) {
        struct bytes dim = { NULL, 0 };
        put_int(&dim, 1, (uint64_t)dims[i]);
        put_message(&shape, 1, &dim);
    }
    put_int(&tensor, 1, 1); /* FLOAT */
    put_message(&tensor, 2, &shape);
    put_message(&type, 1, &tensor);
    put_text(&value, 1, name);
    put_message(&value, 2, &type);
    put_message(graph, field, &value);
}

static void put_tensor(struct bytes *graph, const char *name, int count, const int64_t *dims,
                       const float *data)
{
    struct bytes tensor = { NULL, 0 };
    size_t floats = 1;
    for (int i = 0; i < count; ++i) {
        put_int(&tensor, 1, (uint64_t)dims[i]);
        floats *= (size_t)dims[i];
    }
    put_int(&tensor, 2, 1); /* FLOAT */
    put_text(&tensor, 8, name);
    put_data(&tensor, 9, data, floats * sizeof *data);
    put_message(graph, 5, &tensor);
}

/* X and W, B to Y: Conv and Relu, or the native operator, which has both. */
static struct bytes model_of(const struct conv_layer *l, int native, const int64_t in[4],
                             const int64_t out[4], const int64_t filter[4], const float *weights,
                             const float *bias)
{
    struct bytes model = { NULL, 0 }, graph = { NULL, 0 }, node = { NULL, 0 }, set = { NULL, 0 };
    put_text(&node, 1, "X");
    put_text(&node, 1, "W");
    put_text(&node, 1, "B");
    put_text(&node, 2, native ? "Y" : "sum");
    put_text(&node, 4, "Conv");
    put_ints(&node, "kernel_shape", 2, (const int[]){ l->kernel_h, l->kernel_w });
    put_ints(&node, "strides", 2, (const int[]){ l->stride_h, l->stride_w });
    put_ints(&node, "dilations", 2, (const int[]){ l->dilation_h, l->dilation_w });
    put_ints(&node, "pads", 4, (const int[]){ l->pad_top, l->pad_left, peer_pad_end(l->pad_bottom),
                                              peer_pad_end(l->pad_right) });
    struct bytes group = { NULL, 0 };
    put_text(&group, 1, "group");
    put_int(&group, 3, (uint64_t)l->groups);
    put_int(&group, 20, 2); /* INT */
    put_message(&node, 5, &group);
    if (native) {
        struct bytes activation = { NULL, 0 };
        put_text(&activation, 1, "activation");
        put_text(&activation, 4, "Relu");
        put_int(&activation, 20, 3); /* STRING */
        put_message(&node, 5, &activation);
        put_text(&node, 7, "com.microsoft.nchwc");
    }
    put_message(&graph, 1, &node);
    if (!native) {
        put_text(&node, 1, "sum");
        put_text(&node, 2, "Y");
        put_text(&node, 4, "Relu");
        put_message(&graph, 1, &node);
    }
    put_text(&graph, 2, "layer");
    put_tensor(&graph, "W", 4, filter, weights);
    put_tensor(&graph, "B", 1, filter, bias);
    put_value(&graph, 11, "X", in);
    put_value(&graph, 12, "Y", out);
    put_int(&model, 1, 8);
    put_message(&model, 7, &graph);
    put_text(&set, 1, "");
    put_int(&set, 2, 13);
    put_message(&model, 8, &set);
    put_text(&set, 1, "com.microsoft.nchwc");
    put_int(&set, 2, 1);
    put_message(&model, 8, &set);
    return model;
}

/* ---- blocks of channels --------------------------------------------------------------------- */

static int block_size(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512f") ? 16 : __builtin_cpu_supports("avx") ? 8 : 0;
#else
    return 0; /* not known */
#endif
}

static int rounded(int n, int block) { return (n + block - 1) / block * block; }

/* Weights [O / block][I / inner][H][W][inner][block], filled up with zeros. */
static float *blocked_weights(const struct conv_layer *l, const float *oihw, int inner, int block)
{
    const int in = l->in_channels / l->groups, taps = l->kernel_h * l->kernel_w;
    const int ins = rounded(in, inner), outs = rounded(l->out_channels, block);
    float *to = calloc((size_t)outs * (size_t)ins * (size_t)taps, sizeof *to);
    if (!to)
        abort();
    for (int o = 0; o < l->out_channels; ++o)
        for (int i = 0; i < in; ++i)
            for (int t = 0; t < taps; ++t)
                to[(((o / block * (ins / inner) + i / inner) * taps + t) * inner + i % inner) * block
                   + o % block] = oihw[(o * in + i) * taps + t];
    return to;
}

/* Whether there are blocks for a layer: as the library's own graph transformation decides. */
static int fits_blocks(const struct conv_layer *l, int block)
{
    const int in = l->in_channels / l->groups, out = l->out_channels / l->groups;
    if (block == 0 || l->out_channels % 4 != 0)
        return 0;
    if (l->groups > 1)
        return l->out_channels % block == 0
            && ((in == 1 && out == 1) || (in % block == 0 && out % block == 0));
    return in < block || in % 4 == 0;
}

/* ---- the adapter ---------------------------------------------------------------------------- */

static int start(void)
{
    if (api)
        return 1;
    api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
    if (!api)
        return 0;
    must(api->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "peers", &environment));
    must(api->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &memory));
    return 1;
}

static void *open_layer(int setting, const struct conv_layer *l, const float *weights,
                        const float *bias)
{
    const int block = block_size(), native = setting == NATIVE;
    if (!start() || (native && !fits_blocks(l, block)))
        return NULL;
    struct opened *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->layer = *l;
    c->in_block = c->out_block = native ? block : 1;
    if (native && l->groups == 1 && l->in_channels < block)
        c->in_block = 1; /* the first layer reads NCHW */
    const int inner = c->in_block == 1 || peer_is_depthwise(l) ? 1 : block;
    const int64_t filter[4] = { rounded(l->out_channels, c->out_block),
                                rounded(l->in_channels / l->groups, inner), l->kernel_h,
                                l->kernel_w };
    const int64_t in[4] = { l->batch, rounded(l->in_channels, c->in_block), l->in_h, l->in_w };
    const int64_t out[4] = { l->batch, filter[0], l->out_h, l->out_w };
    float *ordered = blocked_weights(l, weights, native ? inner : 1, c->out_block);
    float *filled = calloc((size_t)filter[0], sizeof *filled);
    if (!filled)
        abort();
    memcpy(filled, bias, (size_t)l->out_channels * sizeof *filled);
    struct bytes model = model_of(l, native, in, out, filter, ordered, filled);

    OrtSessionOptions *options;
    must(api->CreateSessionOptions(&options));
    must(api->SetIntraOpNumThreads(options, 1));
    must(api->SetInterOpNumThreads(options, 1));
    must(api->SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL));
    must(api->CreateSessionFromArray(environment, model.data, model.size, options, &c->session));
    api->ReleaseSessionOptions(options);
    free(model.data);
    free(ordered);
    free(filled);
    return c;
}

static void drop_values(struct opened *c)
{
    for (int i = 0; i < 2; ++i)
        if (c->values[i])
            api->ReleaseValue(c->values[i]);
}

static void close_layer(void *opened)
{
    struct opened *c = opened;
    drop_values(c);
    api->ReleaseSession(c->session);
    free(c);
}

static size_t input_floats(const void *opened)
{
    const struct opened *c = opened;
    const struct conv_layer *l = &c->layer;
    return peer_blocked_floats(l->batch, l->in_channels, l->in_h, l->in_w, c->in_block);
}
static size_t output_floats(const void *opened)
{
    const struct opened *c = opened;
    const struct conv_layer *l = &c->layer;
    return peer_blocked_floats(l->batch, l->out_channels, l->out_h, l->out_w, c->out_block);
}

static void make_values(struct opened *c, const float *input, float *output)
{
    const struct conv_layer *l = &c->layer;
    const int64_t in[4] = { l->batch, rounded(l->in_channels, c->in_block), l->in_h, l->in_w };
    const int64_t out[4] = { l->batch, rounded(l->out_channels, c->out_block), l->out_h, l->out_w };
    union { const float *read; void *data; } cast = { input };
    drop_values(c);
    must(api->CreateTensorWithDataAsOrtValue(memory, cast.data, input_floats(c) * sizeof(float), in,
                                             4, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
                                             &c->values[0]));
    must(api->CreateTensorWithDataAsOrtValue(memory, output, output_floats(c) * sizeof(float), out,
                                             4, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
                                             &c->values[1]));
    c->input = input;
    c->output = output;
}

static void run(void *opened, const float *input, float *output)
{
    static const char *const x[] = { "X" }, *const y[] = { "Y" };
    struct opened *c = opened;
    if (c->input != input || c->output != output)
        make_values(c, input, output);
    const OrtValue *in[] = { c->values[0] };
    must(api->Run(c->session, NULL, x, in, 1, y, 1, &c->values[1]));
}

static void import_input(void *opened, const float *nhwc, float *input)
{
    const struct opened *c = opened;
    const struct conv_layer *l = &c->layer;
    peer_to_blocked(nhwc, input, l->batch, l->in_channels, l->in_h, l->in_w, c->in_block);
}
static void export_output(void *opened, const float *output, float *nhwc)
{
    const struct opened *c = opened;
    const struct conv_layer *l = &c->layer;
    peer_from_blocked(output, nhwc, l->batch, l->out_channels, l->out_h, l->out_w, c->out_block);
}

static const char *version(void) { return OrtGetApiBase()->GetVersionString(); }
static const char *describe(const void *opened) { return opened ? "" : NULL; }

const struct peer peer = { "ONNXRuntime", version, settings, open_layer, close_layer, describe,
                           input_floats, output_floats, import_input, run, export_output };
