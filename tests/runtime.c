/* Checks one kernel with run-time sizes. NAME is the kernel, HEADER its header, FILTER the initialiser
 * of its struct filter.
 * SPDX-License-Identifier: MIT-0 */
#define _GNU_SOURCE
#include HEADER
#include "runtime.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define F(what) JOIN(NAME, what)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

int main(void)
{
    const struct runtime_kernel kernel = {
        TEXT(NAME), FILTER, F(_shape), F(_packed_bytes), F(_workspace_bytes), F(_tasks), F(_pack), F(_run),
    };
    int number = 0;
    check_runtime(&kernel, &number);
    printf("1..%d\n", number);
    return 0;
}
