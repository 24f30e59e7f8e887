/* SPDX-License-Identifier: MIT-0 */
#define _DEFAULT_SOURCE
#include "verify.h"

#include "check.h"

struct verdict verify(const struct conv_kernel *kernel)
{
    const uint64_t seed = 1;
    const struct check_result result = check_kernel(kernel, seed);
    struct verdict verdict = { result.status == CHECK_PASS, result.max_error,
                               result.max_error_units, "" };
    if (!verdict.right)
        check_describe(&result, verdict.what, sizeof verdict.what);
    return verdict;
}
