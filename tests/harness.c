/* Checks every kernel of a registry: one cmocka test each, in TAP. Processors that cannot run a
 * kernel skip it.
 *
 *   cc -DREGISTRY=problems harness.c problems.c ... -lcmocka -lm
 *   CHECK_SEED=7 CHECK_VERBOSE=1 ./harness [name with * and ?]
 * SPDX-License-Identifier: MIT-0 */
#define _DEFAULT_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "registry.h"
#include "reference.h"
#include "check.h"

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

extern const struct conv_kernel REGISTRY[];
extern const int PASTE(REGISTRY, _count);

static uint64_t seed = 1;
static int verbose;
static struct check_result worst;
static const char *worst_name = "none";

static void test_kernel(void **state)
{
    const struct conv_kernel *kernel = *state;
    const struct check_result result = check_kernel(kernel, seed);
    if (verbose && result.status == CHECK_PASS)
        printf("# %s: %llu outputs compared, largest error %.3g (%.2f u*S, rms %.2f), relative %.3g\n",
               kernel->name, result.compared, result.max_error, result.max_error_units,
               result.rms_error_units, result.relative_error);
    if (result.max_error_units > worst.max_error_units) {
        worst = result;
        worst_name = kernel->name;
    }
    if (result.status == CHECK_PASS)
        return;
    char text[512];
    check_describe(&result, text, sizeof text);
    printf("# %s: %s\n", kernel->name, text);
    fflush(stdout);
    if (result.status == CHECK_SKIP)
        skip();
    fail();
}

int main(int argc, char **argv)
{
    const char *number = getenv("CHECK_SEED");
    if (number)
        seed = strtoull(number, NULL, 10);
    verbose = getenv("CHECK_VERBOSE") != NULL;
    const size_t count = (size_t)PASTE(REGISTRY, _count);
    struct CMUnitTest *tests = calloc(count + 1, sizeof *tests);
    void **states = calloc(count + 1, sizeof *states);
    if (!tests || !states)
        return 2;
    for (size_t i = 0; i < count; i++) {
        const void *kernel = &REGISTRY[i];
        memcpy(&states[i], &kernel, sizeof kernel); /* cmocka's states are not const */
        tests[i].name = REGISTRY[i].name;
        tests[i].test_func = test_kernel;
        tests[i].initial_state = states[i];
    }
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    cmocka_set_message_output(CM_OUTPUT_TAP);
    printf("# seed %llu\n", (unsigned long long)seed);
    const int failed = _cmocka_run_group_tests("kernels", tests, count, NULL, NULL);
    printf("# largest error: %.2f u*S in %s\n", worst.max_error_units, worst_name);
    free(tests);
    free(states);
    return failed != 0;
}
