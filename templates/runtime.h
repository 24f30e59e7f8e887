@ -- SPDX-License-Identifier: MIT-0
$(banner)
/* $(signature)
 *
$(contract)
 */
#ifndef $(name)_H
#define $(name)_H

#include <stddef.h>

#define $(name)_ALIGN $(align)
#define $(name)_EXACT $(plan.exact and 1 or 0)
#define $(name)_ALGORITHM "$(plan.algorithm)"

$(include("shape.h"))

#ifdef __cplusplus
extern "C" {
#endif

CONV_DECLARE($(name));

#ifdef __cplusplus
}
#endif

#endif
