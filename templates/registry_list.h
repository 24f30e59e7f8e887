/* $(count) generated kernels, as tests and benchmarks see them. Written by convgen $(version), do not edit.
 * SPDX-License-Identifier: MIT-0 */
#ifndef $(registry)_H
#define $(registry)_H

#include "registry.h"

extern const struct conv_kernel $(registry)[];
extern const int $(registry)_count;

#endif
