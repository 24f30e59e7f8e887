/* XNNPACK's NHWC convolution operator. Reads a few bytes behind its input.
 * SPDX-License-Identifier: MIT-0 */
#include "peer.h"

#include <math.h>
#include <stdlib.h>
#include <xnnpack.h>

static const struct peer_setting settings[] = { { "operator", "nhwc" }, { NULL, NULL } };

struct opened {
    struct conv_layer layer;
    xnn_operator_t convolution;
    const float *input; /* what it is set up for */
    float *output;
};

/* Weights as OHWI of each group; of depthwise layers as HWO. */
static float *reordered(const struct conv_layer *l, const float *oihw)
{
    const int out = l->out_channels, in = l->in_channels / l->groups;
    const int taps = l->kernel_h * l->kernel_w;
    float *to = malloc((size_t)out * (size_t)in * (size_t)taps * sizeof *to);
    if (!to)
        abort();
    for (int o = 0; o < out; ++o)
        for (int i = 0; i < in; ++i)
            for (int t = 0; t < taps; ++t)
                to[peer_is_depthwise(l) ? t * out + o : (o * taps + t) * in + i]
                    = oihw[(o * in + i) * taps + t];
    return to;
}

static void *open_layer(int setting, const struct conv_layer *l, const float *weights,
                        const float *bias)
{
    (void)setting;
    if (xnn_initialize(NULL) != xnn_status_success)
        return NULL;
    struct opened *c = calloc(1, sizeof *c);
    float *ohwi = reordered(l, weights);
    if (!c)
        abort();
    c->layer = *l;
    const enum xnn_status status = xnn_create_convolution2d_nhwc_f32(
        (uint32_t)l->pad_top, (uint32_t)peer_pad_end(l->pad_right),
        (uint32_t)peer_pad_end(l->pad_bottom), (uint32_t)l->pad_left, (uint32_t)l->kernel_h,
        (uint32_t)l->kernel_w, (uint32_t)l->stride_h, (uint32_t)l->stride_w,
        (uint32_t)l->dilation_h, (uint32_t)l->dilation_w, (uint32_t)l->groups,
        (size_t)(l->in_channels / l->groups), (size_t)(l->out_channels / l->groups),
        (size_t)l->in_channels, (size_t)l->out_channels, ohwi, bias, 0.0f, INFINITY,
        peer_is_depthwise(l) ? XNN_FLAG_DEPTHWISE_CONVOLUTION : 0, &c->convolution);
    free(ohwi);
    if (status == xnn_status_success)
        return c;
    free(c);
    return NULL;
}

static void close_layer(void *opened)
{
    struct opened *c = opened;
    xnn_delete_operator(c->convolution);
    free(c);
}

static void run(void *opened, const float *input, float *output)
{
    struct opened *c = opened;
    const struct conv_layer *l = &c->layer;
    if (c->input != input || c->output != output) {
        if (xnn_setup_convolution2d_nhwc_f32(c->convolution, (size_t)l->batch, (size_t)l->in_h,
                                             (size_t)l->in_w, input, output, NULL)
            != xnn_status_success)
            abort();
        c->input = input;
        c->output = output;
    }
    xnn_run_operator(c->convolution, NULL);
}

static size_t input_floats(const void *opened)
{
    const struct conv_layer *l = &((const struct opened *)opened)->layer;
    return peer_blocked_floats(l->batch, l->in_channels, l->in_h, l->in_w, l->in_channels)
        + XNN_EXTRA_BYTES / sizeof(float);
}
static size_t output_floats(const void *opened)
{
    const struct conv_layer *l = &((const struct opened *)opened)->layer;
    return peer_blocked_floats(l->batch, l->out_channels, l->out_h, l->out_w, l->out_channels);
}
static void import_input(void *opened, const float *nhwc, float *input)
{
    const struct conv_layer *l = &((const struct opened *)opened)->layer;
    peer_to_blocked(nhwc, input, l->batch, l->in_channels, l->in_h, l->in_w, l->in_channels);
}
static void export_output(void *opened, const float *output, float *nhwc)
{
    const struct conv_layer *l = &((const struct opened *)opened)->layer;
    peer_from_blocked(output, nhwc, l->batch, l->out_channels, l->out_h, l->out_w,
                      l->out_channels);
}

static const char *version(void) { return ""; } /* it does not tell */
static const char *describe(const void *opened) { return opened ? "" : NULL; }

const struct peer peer = { "XNNPACK", version, settings, open_layer, close_layer, describe,
                           input_floats, output_floats, import_input, run, export_output };
