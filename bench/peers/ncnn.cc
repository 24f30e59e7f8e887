// ncnn: one layer, in every form of Winograd's algorithm that it has. Setting native takes and gives
// its packed layout; nchw converts before and after. Its outputs lie where its allocator puts them.
// SPDX-License-Identifier: MIT-0
#include "peer.h"

#if __has_include(<ncnn/layer.h>)
#include <ncnn/cpu.h>
#include <ncnn/layer.h>
#include <ncnn/modelbin.h>
#include <ncnn/paramdict.h>
#include <ncnn/platform.h>
#else
#include <cpu.h>
#include <layer.h>
#include <modelbin.h>
#include <paramdict.h>
#include <platform.h>
#endif

#include <cstring>

namespace {

enum Form { AUTO, F23, F43, F63, NONE };

const peer_setting settings[] = {
    { "auto", "native" }, { "winograd23", "native" }, { "winograd43", "native" },
    { "winograd63", "native" }, { "no-winograd", "native" }, { "auto", "nchw" },
    { "winograd23", "nchw" }, { "winograd43", "nchw" }, { "winograd63", "nchw" },
    { nullptr, nullptr },
};
const struct { Form form; bool native; } meaning[] = {
    { AUTO, true }, { F23, true }, { F43, true }, { F63, true }, { NONE, true },
    { AUTO, false }, { F23, false }, { F43, false }, { F63, false },
};

struct Opened {
    conv_layer layer;
    ncnn::Layer *op;
    ncnn::Option options;
    ncnn::UnlockedPoolAllocator blobs, workspace;
    int pack; // channels of an input pixel that are together
    bool native;
    ncnn::Mat packed, result, output;
};

int pack_of(int channels)
{
    if (channels % 16 == 0 && ncnn::cpu_support_x86_avx512()) return 16;
    if (channels % 8 == 0 && ncnn::cpu_support_x86_avx()) return 8;
    return channels % 4 == 0 ? 4 : 1;
}

// The caller's input as a matrix of ncnn's, which begins each channel at a multiple of 16 bytes.
ncnn::Mat view(const Opened *c, float *data)
{
    const conv_layer &l = c->layer;
    const int pack = c->native ? c->pack : 1;
    return ncnn::Mat(l.in_w, l.in_h, l.in_channels / pack, data,
                     static_cast<size_t>(pack) * sizeof(float), pack);
}

void *open_layer(int setting, const conv_layer *l, const float *weights, const float *bias)
{
    const Form form = meaning[setting].form;
    const bool winograd = l->kernel_h == 3 && l->kernel_w == 3 && l->stride_h == 1
        && l->stride_w == 1 && l->dilation_h == 1 && l->dilation_w == 1 && l->groups == 1;
    if (l->batch != 1 || (form != AUTO && !winograd)) return nullptr;

    Opened *c = new Opened;
    c->layer = *l;
    c->native = meaning[setting].native;
    c->pack = pack_of(l->in_channels);
    ncnn::Option &o = c->options;
    o.num_threads = 1;
    o.blob_allocator = &c->blobs;
    o.workspace_allocator = &c->workspace;
    o.use_fp16_packed = o.use_fp16_storage = o.use_fp16_arithmetic = false;
    o.use_bf16_storage = false;
    o.use_winograd_convolution = form != NONE;
    o.use_winograd23_convolution = form == AUTO || form == F23;
    o.use_winograd43_convolution = form == AUTO || form == F43;
    o.use_winograd63_convolution = form == AUTO || form == F63;

    const int count = l->out_channels * (l->in_channels / l->groups) * l->kernel_h * l->kernel_w;
    ncnn::ParamDict p;
    p.set(0, l->out_channels);
    p.set(1, l->kernel_w);
    p.set(11, l->kernel_h);
    p.set(2, l->dilation_w);
    p.set(12, l->dilation_h);
    p.set(3, l->stride_w);
    p.set(13, l->stride_h);
    p.set(4, l->pad_left);
    p.set(14, l->pad_top);
    p.set(15, peer_pad_end(l->pad_right));
    p.set(16, peer_pad_end(l->pad_bottom));
    p.set(5, 1);
    p.set(6, count);
    p.set(7, l->groups);
    p.set(9, 1); // ReLU
    ncnn::Mat data[2] = { ncnn::Mat(count), ncnn::Mat(l->out_channels) };
    std::memcpy(data[0], weights, static_cast<size_t>(count) * sizeof(float));
    std::memcpy(data[1], bias, static_cast<size_t>(l->out_channels) * sizeof(float));
    c->op = ncnn::create_layer(l->groups > 1 ? "ConvolutionDepthWise" : "Convolution");
    if (!c->op || c->op->load_param(p) != 0
        || c->op->load_model(ncnn::ModelBinFromMatArray(data)) != 0
        || c->op->create_pipeline(o) != 0) {
        delete c->op;
        delete c;
        return nullptr;
    }
    return c;
}

void close_layer(void *opened)
{
    Opened *c = static_cast<Opened *>(opened);
    c->op->destroy_pipeline(c->options);
    delete c->op;
    c->packed = c->result = c->output = ncnn::Mat();
    delete c;
}

void run(void *opened, const float *input, float *)
{
    Opened *c = static_cast<Opened *>(opened);
    const ncnn::Mat in = view(c, const_cast<float *>(input));
    if (c->native) {
        c->op->forward(in, c->output, c->options);
        return;
    }
    ncnn::convert_packing(in, c->packed, c->pack, c->options);
    c->op->forward(c->packed, c->result, c->options);
    ncnn::convert_packing(c->result, c->output, 1, c->options);
}

size_t input_floats(const void *opened)
{
    return view(static_cast<const Opened *>(opened), nullptr).total()
        * static_cast<size_t>(static_cast<const Opened *>(opened)->native
                                  ? static_cast<const Opened *>(opened)->pack : 1);
}
size_t output_floats(const void *opened)
{
    const conv_layer &l = static_cast<const Opened *>(opened)->layer;
    return peer_blocked_floats(l.batch, l.out_channels, l.out_h, l.out_w, 1);
}

void import_input(void *opened, const float *nhwc, float *input)
{
    const Opened *c = static_cast<Opened *>(opened);
    const conv_layer &l = c->layer;
    ncnn::Mat m = view(c, input);
    const size_t channels = static_cast<size_t>(l.in_channels);
    const size_t pixels = static_cast<size_t>(l.in_h) * static_cast<size_t>(l.in_w);
    for (int k = 0; k < l.in_channels; ++k) {
        float *to = m.channel(k / m.elempack);
        for (size_t p = 0; p < pixels; ++p)
            to[p * static_cast<size_t>(m.elempack) + static_cast<size_t>(k % m.elempack)]
                = nhwc[p * channels + static_cast<size_t>(k)];
    }
}

void export_output(void *opened, const float *, float *nhwc)
{
    const Opened *c = static_cast<Opened *>(opened);
    const conv_layer &l = c->layer;
    const size_t channels = static_cast<size_t>(l.out_channels);
    const size_t pixels = static_cast<size_t>(l.out_h) * static_cast<size_t>(l.out_w);
    for (int k = 0; k < l.out_channels; ++k) {
        const float *from = c->output.channel(k / c->output.elempack);
        for (size_t p = 0; p < pixels; ++p)
            nhwc[p * channels + static_cast<size_t>(k)] = from[p
                * static_cast<size_t>(c->output.elempack) + static_cast<size_t>(k % c->output.elempack)];
    }
}

const char *version() { return NCNN_VERSION_STRING; }
const char *describe(const void *) { return ""; }

} // namespace

const struct peer peer = { "ncnn", version, settings, open_layer, close_layer, describe,
                           input_floats, output_floats, import_input, run, export_output };
