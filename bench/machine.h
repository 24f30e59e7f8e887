/* What the figures depend on besides the kernels.
 * SPDX-License-Identifier: MIT-0 */
#ifndef MACHINE_H
#define MACHINE_H

#include "memory.h"

#include <stddef.h>

void machine_context(void); /* adds CPU, caches, page policy of the system to the results */

/* Registers the machine's limits as benchmarks: 'fma/ISA' of each instruction set, 'read/LEVEL' and
 * 'copy/LEVEL' of each level of the memory. */
void machine_register(int repetitions, enum memory_pages pages);

#endif
