/* What kernels include for their instruction set.
 * SPDX-License-Identifier: MIT-0 */
#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif
