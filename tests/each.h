/* Runs one test on each of some kernels and prints TAP. The test gives a struct check_result.
 * SPDX-License-Identifier: MIT-0 */
#ifndef CONV_EACH_H
#define CONV_EACH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry.h"
#include "reference.h"
#include "check.h"

/* The seed of the data: CHECK_SEED, or 1. */
static uint64_t each_seed(void)
{
    const char *const number = getenv("CHECK_SEED");
    return number ? strtoull(number, NULL, 10) : 1;
}

/* One line, and what is wrong before it. Gives 1 for a failure. */
static int each_line(int number, const char *name, const struct check_result *result)
{
    char text[512] = "";
    check_describe(result, text, sizeof text);
    if (result->status != CHECK_PASS)
        printf("# %s: %s\n", name, text);
    printf("%sok %d - %s%s\n", result->status == CHECK_FAIL ? "not " : "", number, name,
           result->status == CHECK_SKIP ? " # SKIP" : "");
    fflush(stdout);
    return result->status == CHECK_FAIL;
}

#endif
