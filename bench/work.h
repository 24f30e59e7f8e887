/* How much a layer has to do, and how people call it.
 * SPDX-License-Identifier: MIT-0 */
#ifndef WORK_H
#define WORK_H

#include "registry.h"

#include <stddef.h>

double work_flops(const struct conv_layer *layer);        /* 2 per tap, those in the padding too */
double work_flops_inside(const struct conv_layer *layer); /* 2 per tap inside the image */
double work_bytes(const struct conv_kernel *kernel);      /* every array once */

/* "3x3/2 128-128 @56": filter/stride, channels in-out, size of the input. */
void work_describe(const struct conv_layer *layer, char *text, size_t size);

#endif
