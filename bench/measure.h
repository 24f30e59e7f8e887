/* Measures kernels and, in the same moments, the peak of their instruction set.
 * SPDX-License-Identifier: MIT-0 */
#ifndef MEASURE_H
#define MEASURE_H

#include "bench.h"
#include "memory.h"
#include "registry.h"
#include "verify.h"

enum { MEASURE_THREADS = 64, MEASURE_PARTS = 256, MEASURED_NAME = 300 };

struct measure_options {
    int threads;             /* 1 to MEASURE_THREADS */
    size_t offset;           /* bytes from the input to the output, beyond a multiple of 4 KiB */
    enum memory_pages pages;
    double seconds;          /* of one repetition, about */
    int whole;               /* time each call as a whole, however long it takes */
};

struct measured {
    const char *set; /* the layer list it comes from */
    const struct conv_kernel *kernel;
    const char *layout; /* of input and output */
    struct verdict verdict;
    void *packed;    /* if NULL, made at the first repetition */
    int parts;       /* into which one call is cut to be timed */
    double part_seconds[MEASURE_PARTS]; /* the smallest of each */
    double peak;     /* the largest seen between its calls: FLOP/s of its instruction set, or, of
                      * pooling, bytes/s of memcpy() */
};

/* "LIST/LAYER/LAYOUT/ISA/ALGORITHM" */
void measured_name(const struct measured *measured, char name[MEASURED_NAME]);

/* Makes the arrays that all kernels share, large enough for each of them. */
void measure_prepare(const struct measure_options *options, const struct measured *all, int count);

double measure_repetition(void *measured, struct bench_row *row); /* a bench_repetition */

#endif
