/* Compares a kernel with the reference, as the tests do.
 * SPDX-License-Identifier: MIT-0 */
#ifndef VERIFY_H
#define VERIFY_H

#include "registry.h"

#include <stddef.h>

struct verdict {
    int right;
    double max_error;       /* largest |difference| from the reference, data in [-1, 1) */
    double max_error_units; /* the same in units of 2^-24 (|bias| + sum |x w|) of that output */
    char what[512];         /* what is wrong */
};

struct verdict verify(const struct conv_kernel *kernel);

#endif
