/* What bench/build.lua writes into sets.c: the registries to measure, and how they were built.
 * SPDX-License-Identifier: MIT-0 */
#ifndef SETS_H
#define SETS_H

#include "registry.h"

struct bench_set {
    const char *name; /* of the layer list: resnet50 */
    const struct conv_kernel *kernels;
    const int *count;
    void (*prepare)(void); /* if not NULL, fills in the kernels, which have run-time sizes */
};

extern const struct bench_set bench_sets[];
extern const int bench_set_count;
extern const char bench_version[]; /* of convgen */
extern const char bench_flags[];   /* that the kernels were compiled with */
extern const char bench_profile[]; /* of 'convgen emit', that they were chosen by; "none" */

#endif
