/* SPDX-License-Identifier: MIT-0 */
#include "work.h"

#include <stdarg.h>
#include <stdio.h>

static double multiply_adds(const struct conv_layer *l, double taps_h, double taps_w)
{
    return (double)l->batch * l->out_channels * (l->in_channels / l->groups) * taps_h * taps_w;
}

double work_flops(const struct conv_layer *l)
{
    return 2 * multiply_adds(l, (double)l->out_h * l->kernel_h, (double)l->out_w * l->kernel_w);
}

/* Pairs of output and tap along one axis whose input is inside the image. */
static double pairs_inside(int in, int out, int kernel, int stride, int dilation, int pad)
{
    double pairs = 0;
    for (int o = 0; o < out; ++o)
        for (int k = 0; k < kernel; ++k) {
            const long long at = (long long)o * stride + (long long)k * dilation - pad;
            pairs += at >= 0 && at < in;
        }
    return pairs;
}

double work_flops_inside(const struct conv_layer *l)
{
    return 2 * multiply_adds(l,
        pairs_inside(l->in_h, l->out_h, l->kernel_h, l->stride_h, l->dilation_h, l->pad_top),
        pairs_inside(l->in_w, l->out_w, l->kernel_w, l->stride_w, l->dilation_w, l->pad_left));
}

double work_bytes(const struct conv_kernel *k)
{
    return (double)sizeof(float)
        * ((double)k->input_count + (double)k->weight_count + (double)k->bias_count
           + (double)k->output_count);
}

/* Appends to a text of `size` bytes, of which *used are taken. */
static void append(char *text, size_t size, size_t *used, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text + *used, size - *used, format, arguments);
    va_end(arguments);
    if (length > 0)
        *used = *used + (size_t)length < size ? *used + (size_t)length : size - 1;
}

/* "3", or "3x5" where the two differ */
static void append_pair(char *text, size_t size, size_t *used, int h, int w)
{
    append(text, size, used, "%d", h);
    if (w != h)
        append(text, size, used, "x%d", w);
}

void work_describe(const struct conv_layer *l, char *text, size_t size)
{
    size_t used = 0;
    const int pooling = l->kind != CONV_CONVOLUTION;
    if (pooling)
        append(text, size, &used, l->kind == CONV_MAX_POOLING ? "max " : "average ");
    append(text, size, &used, "%dx%d", l->kernel_h, l->kernel_w);
    if (l->stride_h != 1 || l->stride_w != 1) {
        append(text, size, &used, "/");
        append_pair(text, size, &used, l->stride_h, l->stride_w);
    }
    if (l->dilation_h != 1 || l->dilation_w != 1) {
        append(text, size, &used, " d");
        append_pair(text, size, &used, l->dilation_h, l->dilation_w);
    }
    if (l->groups > 1 && l->groups == l->in_channels)
        append(text, size, &used, pooling ? "" : " dw");
    else if (l->groups > 1)
        append(text, size, &used, " g%d", l->groups);
    append(text, size, &used, " %d", l->in_channels);
    if (l->out_channels != l->in_channels || l->groups == 1)
        append(text, size, &used, "-%d", l->out_channels);
    append(text, size, &used, " @");
    append_pair(text, size, &used, l->in_h, l->in_w);
    if (l->batch > 1)
        append(text, size, &used, " x%d", l->batch);
}
