/* The textbook's layer, 32x32x3, ten 5x5 filters, stride 1, 'same', ReLU, as a user would call it,
 * and compared with what can be worked out by hand.
 *
 *   gen/convgen emit --input 32x32x3 --filters 10 --kernel 5x5 --pad same --activation relu \
 *       --name edge
 * SPDX-License-Identifier: MIT-0 */
#include "edge.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if edge_INPUT_COUNT != 3072 || edge_WEIGHT_COUNT != 750 || edge_BIAS_COUNT != 10
#error "the counts of the inputs"
#endif
#if edge_OUTPUT_COUNT != 10240 || edge_TASKS < 1 || edge_ALIGN % 4 != 0 || edge_EXACT != 1
#error "the counts of the output"
#endif

enum { SIZE = 32, CHANNELS = 3, FILTERS = 10, KERNEL = 5 };

#ifndef NCHW
#define NCHW 0
#endif

static float input[edge_INPUT_COUNT], weights[edge_WEIGHT_COUNT], bias[edge_BIAS_COUNT];
static float output[edge_OUTPUT_COUNT];
static unsigned char packed_space[edge_PACKED_BYTES + edge_ALIGN];
static unsigned char work_space[edge_WORKSPACE_BYTES + edge_ALIGN];
static int failures;

static void *aligned(unsigned char *space)
{
    return space + (edge_ALIGN - (uintptr_t)space % edge_ALIGN) % edge_ALIGN;
}

static int at(int row, int column, int channel, int channels)
{
    return NCHW ? (channel * SIZE + row) * SIZE + column
                : (row * SIZE + column) * channels + channel;
}

static void convolve(void)
{
    edge_pack(weights, bias, aligned(packed_space));
    edge_run(input, aligned(packed_space), output, aligned(work_space), 0, edge_TASKS);
}

static void expect(const char *what, int row, int column, int filter, float want)
{
    const float got = output[at(row, column, filter, FILTERS)];
    if (got == want)
        return;
    if (failures++ == 0)
        printf("# %s: output[%d][%d][%d] is %g, want %g\n", what, row, column, filter, (double)got,
               (double)want);
}

/* How many of the five taps around a pixel lie inside the image. */
static int inside(int position)
{
    int count = 0;
    for (int tap = position - 2; tap <= position + 2; tap++)
        count += tap >= 0 && tap < SIZE;
    return count;
}

static void report(const char *what)
{
    printf("%s - %s\n", failures ? "not ok" : "ok", what);
    failures = 0;
}

int main(void)
{
    int failed = 0;

    /* All ones: each output counts the taps inside the image. */
    for (int i = 0; i < edge_INPUT_COUNT; i++)
        input[i] = 1.0f;
    for (int i = 0; i < edge_WEIGHT_COUNT; i++)
        weights[i] = 1.0f;
    for (int f = 0; f < FILTERS; f++)
        bias[f] = (float)(-10 * f);
    convolve();
    for (int r = 0; r < SIZE; r++)
        for (int c = 0; c < SIZE; c++)
            for (int f = 0; f < FILTERS; f++) {
                const int sum = CHANNELS * inside(r) * inside(c) - 10 * f;
                expect("ones", r, c, f, sum > 0 ? (float)sum : 0.0f);
            }
    failed += failures;
    report("ones count the taps, ReLU cuts below zero");

    /* One bright pixel: the filters appear around it, rotated by half a turn. */
    memset(input, 0, sizeof input);
    memset(bias, 0, sizeof bias);
    input[at(15, 16, 1, CHANNELS)] = 1.0f;
    for (int i = 0; i < edge_WEIGHT_COUNT; i++)
        weights[i] = (float)(i + 1);
    convolve();
    for (int r = 0; r < SIZE; r++)
        for (int c = 0; c < SIZE; c++)
            for (int f = 0; f < FILTERS; f++) {
                const int kh = 15 - r + 2, kw = 16 - c + 2;
                const int hit = kh >= 0 && kh < KERNEL && kw >= 0 && kw < KERNEL;
                const int weight = ((f * CHANNELS + 1) * KERNEL + kh) * KERNEL + kw + 1;
                expect("impulse", r, c, f, hit ? (float)weight : 0.0f);
            }
    failed += failures;
    report("an impulse shows the filters");
    return failed != 0;
}
