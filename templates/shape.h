@ -- SPDX-License-Identifier: MIT-0
#ifndef CONV_SHAPE
#define CONV_SHAPE
/* The sizes of a layer that are known only at run time; made by a kernel's shape function. */
struct conv_shape {
    int batch, in_h, in_w, in_channels, out_channels; /* as given */
    int out_h, out_w, pad_top, pad_left;               /* as the kernel's padding makes them */
    float clamp_low, clamp_high; /* for kernels that clamp at run time: -inf and inf, until set afterwards */
};
enum conv_shape_error {
    CONV_SHAPE_OK = 0,
    CONV_SHAPE_NOT_POSITIVE, /* a size is below 1 */
    CONV_SHAPE_TOO_LARGE,    /* an array, or what the kernel makes of one, has 2^31 elements or more */
    CONV_SHAPE_NO_OUTPUT,    /* the filter is larger than the padded input */
    CONV_SHAPE_CHANNELS      /* depthwise: out_channels is not in_channels */
};

/* The functions of a kernel with run-time sizes:
 *
 * NAME_shape fills in a shape from its sizes, the padding and the output's size included. It gives
 * CONV_SHAPE_OK, or what is wrong: such a shape is not to be used.
 *
 * NAME_packed_bytes, NAME_workspace_bytes, NAME_tasks: what the other functions need for a shape: bytes
 * of packed weights; bytes of workspace for each concurrent caller; how many tasks there are, 1 where
 * there is little to do.
 *
 * NAME_pack brings weights and bias[OC] into the order in which this kernel reads them for this shape:
 * of another one, only batch and clamp may differ. Call it once for each height and width. packed is
 * aligned to $(align) bytes, and only read afterwards. A NULL bias means zeros.
 *
 * NAME_run computes the tasks [task_begin, task_end) of [0, NAME_tasks(shape)). Any split among threads,
 * in any order, gives the same output. workspace is aligned to $(align) bytes, needs no initialisation, and
 * may be NULL when its size is 0. input, weights, bias and output need only the alignment of a float.
 * output must not overlap the other arrays. Nothing outside the arrays is read or written. */
#define CONV_DECLARE(NAME) \
    enum conv_shape_error NAME##_shape(struct conv_shape *shape, int batch, int in_h, int in_w, \
        int in_channels, int out_channels); \
    size_t NAME##_packed_bytes(const struct conv_shape *shape); \
    size_t NAME##_workspace_bytes(const struct conv_shape *shape); \
    int NAME##_tasks(const struct conv_shape *shape); \
    void NAME##_pack(const struct conv_shape *shape, const float *weights, const float *bias, \
        void *packed); \
    void NAME##_run(const struct conv_shape *shape, const float *input, const void *packed, \
        float *output, void *workspace, int task_begin, int task_end)
#endif
