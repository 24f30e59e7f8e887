/* The C face of another library, as an adapter in this folder implements it: convolution in fp32 with
 * bias and ReLU, on one thread. Each adapter is a shared object of its own that exports `peer`.
 * SPDX-License-Identifier: MIT-0 */
#ifndef PEER_H
#define PEER_H

#include "registry.h"

#include <stddef.h>

/* One way to use the library that its documentation knows. */
struct peer_setting {
    const char *name;   /* "winograd" */
    const char *layout; /* of input and output: nhwc, nchw, or native: its own, conversions excluded */
};

struct peer {
    const char *name;                   /* of the library, without spaces */
    const char *(*version)(void);
    const struct peer_setting *settings; /* one without a name ends them */

    /* Prepares a layer in a setting, its weights (OIHW) brought into the library's order. NULL where
     * the library cannot, has only reference code, or does the same in an earlier setting. */
    void *(*open)(int setting, const struct conv_layer *layer, const float *weights, const float *bias);
    void (*close)(void *opened);
    const char *(*describe)(const void *opened); /* what it chose, or "" */

    /* Floats of input and output in the setting's layout; what a run may read behind them included. */
    size_t (*input_floats)(const void *opened);
    size_t (*output_floats)(const void *opened);
    void (*take)(void *opened, const float *nhwc, float *input);
    void (*run)(void *opened, const float *input, float *output);
    void (*give)(void *opened, const float *output, float *nhwc);
};

#ifdef __cplusplus
extern "C" const struct peer peer;
#else
extern const struct peer peer;
#endif

/* Between NHWC and an order whose channels are in blocks of `block`: [N][C / block][H][W][block], the
 * last block filled up. Blocks of 1 are NCHW, a single one is NHWC. */
static inline size_t peer_blocked_floats(int n, int c, int h, int w, int block)
{
    return (size_t)n * (size_t)((c + block - 1) / block * block) * (size_t)h * (size_t)w;
}

static inline size_t peer_blocked_at(int c, int h, int w, int block, int at_n, int at_c, size_t pixel)
{
    const size_t blocks = (size_t)((c + block - 1) / block), pixels = (size_t)h * (size_t)w;
    return (((size_t)at_n * blocks + (size_t)(at_c / block)) * pixels + pixel) * (size_t)block
        + (size_t)(at_c % block);
}

static inline void peer_to_blocked(const float *nhwc, float *blocked, int n, int c, int h, int w,
                                   int block)
{
    const size_t pixels = (size_t)h * (size_t)w;
    const int filled = (c + block - 1) / block * block;
    for (int i = 0; i < n; ++i)
        for (size_t p = 0; p < pixels; ++p)
            for (int k = 0; k < filled; ++k)
                blocked[peer_blocked_at(c, h, w, block, i, k, p)]
                    = k < c ? nhwc[((size_t)i * pixels + p) * (size_t)c + (size_t)k] : 0.0f;
}

static inline void peer_from_blocked(const float *blocked, float *nhwc, int n, int c, int h, int w,
                                     int block)
{
    const size_t pixels = (size_t)h * (size_t)w;
    for (int i = 0; i < n; ++i)
        for (size_t p = 0; p < pixels; ++p)
            for (int k = 0; k < c; ++k)
                nhwc[((size_t)i * pixels + p) * (size_t)c + (size_t)k]
                    = blocked[peer_blocked_at(c, h, w, block, i, k, p)];
}

static inline int peer_is_depthwise(const struct conv_layer *l)
{
    return l->groups > 1 && l->groups == l->in_channels && l->groups == l->out_channels;
}

/* Padding at the end; where trailing input is not read it is 0, not negative. */
static inline int peer_pad_end(int pad) { return pad > 0 ? pad : 0; }

#endif
