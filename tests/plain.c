/* Checks every kernel of a registry, in TAP: harness.c for where there is no cmocka, such as under an
 * emulator of another processor, or for another check than check_kernel(): conformance_check() of the
 * header CONFORMANCE.
 *
 *   cc -DREGISTRY=kernels plain.c kernels.c ... -lm
 *   CHECK_SEED=7 ./plain [name]
 * SPDX-License-Identifier: MIT-0 */
#define _DEFAULT_SOURCE
#include "each.h"

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define REGISTRY_COUNT PASTE(REGISTRY, _count)

extern const struct conv_kernel REGISTRY[];
extern const int REGISTRY_COUNT;

#ifdef CONFORMANCE
#include CONFORMANCE
#else
#define conformance_check check_kernel
#endif

int main(int argc, char **argv)
{
    int failed = 0, tests = 0;
    (void)check_kernel; /* where conformance_check() is another */
    for (int i = 0; i < REGISTRY_COUNT; i++) {
        const struct conv_kernel *const kernel = &REGISTRY[i];
        if (argc > 1 && strcmp(argv[1], kernel->name) != 0)
            continue;
        const struct check_result result = conformance_check(kernel, each_seed());
        failed += each_line(++tests, kernel->name, &result);
    }
    printf("1..%d\n", tests);
    return failed != 0;
}
