/* SPDX-License-Identifier: MIT-0 */
#define _DEFAULT_SOURCE
#include "memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

const char *const memory_pages_name[MEMORY_POLICIES] = { "small", "huge", "default" };

void *memory_new(size_t bytes, size_t offset, enum memory_pages pages)
{
    const size_t unit = (size_t)2 << 20; /* a huge page */
    const size_t size = (offset + bytes + unit - 1) / unit * unit;
    char *map = mmap(NULL, size + unit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) {
        fprintf(stderr, "bench: no memory for %zu bytes\n", size);
        exit(4);
    }
    char *begin = map + (unit - (uintptr_t)map % unit) % unit;
#ifdef MADV_HUGEPAGE
    if (pages != MEMORY_DEFAULT)
        madvise(begin, size, pages == MEMORY_HUGE ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
#endif
    memset(begin + offset, 0, bytes);
    return begin + offset;
}
