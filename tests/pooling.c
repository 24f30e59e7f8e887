/* Pooling as a user calls it, with results worked out by hand: what ONNX and PyTorch give, too.
 * One channel, so NHWC and NCHW are the same. The suite 'pooling' says how the kernels are emitted.
 * SPDX-License-Identifier: MIT-0 */
#include <math.h>
#include <stdio.h>

#include "max_ceil.h"
#include "average_ceil.h"
#include "max_dilated.h"
#include "average_dilated.h"
#include "average_padded.h"
#include "average_counted.h"
#include "row_counted.h"
#include "dilated_counted.h"
#include "ceil_one_less.h"
#include "ceil_on_padding.h"
#include "max_global.h"
#include "average_global.h"
#include "max_nan.h"

static int tests;

/* Ascending inputs 1, 2, 3 ... into what is wanted. */
static void check(const char *name, const char *algorithm, int inputs, int outputs,
                  void (*run)(const float *, const void *, float *, void *, int, int), int tasks,
                  const float *want)
{
    float input[32], output[32];
    int good = algorithm[0] == 'p';
    for (int i = 0; i < inputs; ++i) input[i] = (float)(i + 1);
    run(input, NULL, output, NULL, 0, tasks);
    for (int i = 0; i < outputs; ++i) {
        if (output[i] == want[i]) continue;
        printf("# output %d is %.9g, want %.9g\n", i, (double)output[i], (double)want[i]);
        good = 0;
    }
    printf("%sok %d - %s\n", good ? "" : "not ", ++tests, name);
}

#define CHECK(name, ...) do { \
        static const float want[name##_OUTPUT_COUNT] = { __VA_ARGS__ }; \
        check(#name, name##_ALGORITHM, name##_INPUT_COUNT, name##_OUTPUT_COUNT, name##_run, \
              name##_TASKS, want); \
    } while (0)

#if max_ceil_WEIGHT_COUNT || max_ceil_BIAS_COUNT || max_ceil_PACKED_BYTES || !max_ceil_EXACT
#error "a pooling layer has no weights, and is exact"
#endif

int main(void)
{
    /* 4 x 4: windows of 3 x 3, stride 2; in ceil mode the last ones reach beyond the edge */
    CHECK(max_ceil, 11, 12, 15, 16);
    CHECK(average_ceil, 6, 7.5f, 12, 13.5f);
    /* 4 x 4: windows of 2 x 2 with a pixel left out between, stride 1 */
    CHECK(max_dilated, 11, 12, 15, 16);
    CHECK(average_dilated, 6, 7, 10, 11);
    /* 3 x 3: windows of 3 x 3, stride 2, padding 1: each holds a corner of 2 x 2 pixels */
    CHECK(average_padded, 3, 4, 6, 7);
    CHECK(average_counted, 12 / 9.0f, 16 / 9.0f, 24 / 9.0f, 28 / 9.0f);
    /* 1 x 9: windows of 7, stride 3, padding 3, ceil mode: the last one counts its 3 pixels and the 3 of
     * the padding, but not what lies behind */
    CHECK(row_counted, 10 / 7.0f, 28 / 7.0f, 39 / 7.0f, 24 / 6.0f);
    /* 1 x 7: of every other pixel, stride 3, ceil mode: the last tap of the last one lies behind the edge */
    CHECK(dilated_counted, 3, 5);
    /* 2 x 2: a second window would begin behind the edge, or in the padding there */
    CHECK(ceil_one_less, 1);
    CHECK(ceil_on_padding, 10 / 9.0f);
    CHECK(max_global, 9);
    CHECK(average_global, 5);

    /* 1 x 6, windows of 2: NaN wins, whichever comes first, and -inf is larger than no pixel */
    const float input[max_nan_INPUT_COUNT] = { NAN, 1, 1, NAN, -INFINITY, -INFINITY };
    float output[max_nan_OUTPUT_COUNT];
    max_nan_run(input, NULL, output, NULL, 0, max_nan_TASKS);
    const int good = isnan(output[0]) && isnan(output[1]) && output[2] == -INFINITY;
    printf("%sok %d - max_nan\n1..%d\n", good ? "" : "not ", tests + 1, tests + 1);
    return 0;
}
