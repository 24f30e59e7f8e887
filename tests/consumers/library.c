/* A project that copied the folder generated/ and compiled it with one command: checks every kernel that
 * this processor runs, and what conv_find() chooses. Prints TAP. Arguments: the instruction set that
 * must have been chosen, and perhaps 'part of parts', as two numbers: which of the kernels to check.
 * SPDX-License-Identifier: MIT-0 */
#define _GNU_SOURCE
#include "conv_kernels.h"
#include "runtime.h"

int main(int count, char **arguments)
{
    const int part = count > 3 ? atoi(arguments[2]) : 0, parts = count > 3 ? atoi(arguments[3]) : 1;
    int number = 0;
    for (int i = part; i < conv_kernel_count(); i += parts) {
        const struct conv_library_kernel *k = conv_kernel(i);
        char layout[5], padding[6], name[80];
        int kernel, stride;
        const char *filter = k->contract + 5; /* after "nhwc_" */
        const int depthwise = strncmp(filter, "dw", 2) == 0;
        if (sscanf(k->contract, "%4[a-z]_", layout) != 1
            || sscanf(filter + 2 * depthwise, "%dx%*ds%d_%5[a-z]", &kernel, &stride, padding) != 3) return 1;
        snprintf(name, sizeof name, "%s %s", k->contract, k->isa);
        if (!conv_runs(k)) {
            printf("ok %d - %s # SKIP\n", ++number, name);
            continue;
        }
        const struct runtime_kernel r = {
            name, { kernel, kernel, stride, stride, 1, 1, padding[0] == 's' ? SAME : VALID, 0, 0, 0, 0,
                layout[1] == 'c', 0, 1, depthwise },
            k->shape, k->packed_bytes, k->workspace_bytes, k->tasks, k->pack, k->run,
        };
        check_runtime(&r, &number);
        const struct conv_library_kernel *found = conv_find(k->contract);
        const int best = found != NULL && (count < 2 || strcmp(found->isa, arguments[1]) == 0);
        printf("%s %d - %s is found, as %s\n", best ? "ok" : "not ok", ++number, k->contract, found ? found->isa : "none");
    }
    printf("%s %d - no such contract\n", conv_find("nhwc_9x9s1_same") == NULL && conv_find("") == NULL
        && conv_find("nhwc_3x3s1_sam") == NULL && conv_find("nhwc_3x3s1_same_") == NULL ? "ok" : "not ok", ++number);
    printf("1..%d\n", number);
    return 0;
}
