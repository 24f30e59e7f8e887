/* What a registry says of a generated kernel. Tests and benchmarks iterate over an array of these
 * and include nothing else of a kernel. Written beside the registry by 'convgen emit --registry'.
 * SPDX-License-Identifier: MIT-0 */
#ifndef CONV_REGISTRY_H
#define CONV_REGISTRY_H

enum conv_layout { CONV_NHWC, CONV_NCHW };                 /* of input and output */
enum conv_weights { CONV_OIHW, CONV_OHWI, CONV_HWIO };     /* of the weights given to pack() */
enum conv_activation {
    CONV_NONE, CONV_RELU, CONV_CLAMP /* relu6 is clamp 0,6 */, CONV_LEAKY,
    CONV_SIGMOID, CONV_TANH, CONV_SILU, CONV_HARDSWISH
};

enum conv_kind { CONV_CONVOLUTION, CONV_MAX_POOLING, CONV_AVERAGE_POOLING };

/* The layer, as the field writes it. Sizes in elements; padding in pixels, and at the end (bottom,
 * right) it may be negative: trailing input is not read. Dilation 1 is dense. */
struct conv_layer {
    int batch, in_h, in_w, in_channels;
    int out_h, out_w, out_channels;
    int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, groups;
    int pad_top, pad_left, pad_bottom, pad_right;
    enum conv_layout layout;
    enum conv_weights weights;
    enum conv_activation activation;
    float activation_a, activation_b; /* clamp: low, high; leaky: slope, 0 */
    int has_bias;
    /* Pooling layers have as many groups as channels, neither weights nor bias, and windows that may
     * reach over the padding at the end (ceil mode). */
    enum conv_kind kind;
    int include_pad; /* of averages: padding counts, as zeros */
};

struct conv_kernel {
    const char *name;        /* of its functions, prefix included */
    const char *layer_name;  /* the same without the prefix */
    const char *algorithm;   /* NAME_ALGORITHM */
    const char *isa;         /* as 'convgen list' has it */
    const char *tile;        /* its register tile, for people */
    int (*supported)(void);  /* whether this processor can run it; if not, run may be NULL */
    struct conv_layer layer;
    struct conv_layer after; /* pooling of the layer's output in the same kernel; batch 0: there is none */
    int exact;               /* NAME_EXACT */
    int points;              /* of a bilinear algorithm in one dimension, infinity included; 0: none */
    int tasks;               /* NAME_TASKS */
    unsigned long long input_count, weight_count, bias_count, output_count; /* elements */
    unsigned long long packed_bytes, workspace_bytes, align;
    void (*pack)(const float *weights, const float *bias, void *packed); /* NULL: no weights */
    void (*run)(const float *input, const void *packed, float *output, void *workspace,
                int task_begin, int task_end);
};

#endif
