@ -- SPDX-License-Identifier: MIT-0
#ifndef CONV_SHAPE
#define CONV_SHAPE
/* The sizes of a layer that are known only at run time; made by a kernel's shape function. */
struct conv_shape {
    int batch, in_h, in_w, in_channels, out_channels; /* as given */
    int out_h, out_w, pad_top, pad_left;               /* as the kernel's padding makes them */
    float clamp_low, clamp_high; /* for kernels that clamp at run time: -inf and inf, until set */
};
enum conv_shape_error {
    CONV_SHAPE_OK = 0,
    CONV_SHAPE_NOT_POSITIVE, /* a size is below 1 */
    CONV_SHAPE_TOO_LARGE,    /* an array has 2^31 elements or more */
    CONV_SHAPE_NO_OUTPUT,    /* the filter is larger than the padded input */
    CONV_SHAPE_CHANNELS      /* depthwise: out_channels is not in_channels */
};
#endif
