/* Bytes per second from each level of the memory.
 * SPDX-License-Identifier: MIT-0 */
#include "clock.h"
#include "peak.h"

#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

/* Loads that no compiler drops, eight vectors a turn. */
#define LOADS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)
#define READER(isa, target, vector)                                                                \
    target static void read_##isa(const void *memory, size_t bytes)                                \
    {                                                                                              \
        const vector *p = memory, *end = p + bytes / sizeof *p;                                    \
        vector loaded;                                                                             \
        for (; p < end; p += 8) {                                                                  \
            LOADS(LOAD_##isa)                                                                      \
        }                                                                                          \
        (void)loaded;                                                                              \
    }
#define LOAD_sse2(i) __asm__ volatile("movaps %1, %0" : "=x"(loaded) : "m"(p[i]));
#define LOAD_avx(i) __asm__ volatile("vmovaps %1, %0" : "=x"(loaded) : "m"(p[i]));
#define LOAD_avx512 LOAD_avx
READER(sse2, , __m128)
READER(avx, __attribute__((target("avx"))), __m256)
READER(avx512, __attribute__((target("avx512f"))), __m512)

static void read_all(const void *memory, size_t bytes)
{
    if (__builtin_cpu_supports("avx512f"))
        read_avx512(memory, bytes);
    else if (__builtin_cpu_supports("avx"))
        read_avx(memory, bytes);
    else
        read_sse2(memory, bytes);
}

#else
static void read_all(const void *memory, size_t bytes)
{
    const volatile unsigned long *word = memory;
    for (size_t i = 0; i < bytes / sizeof *word; ++i)
        (void)word[i];
}
#endif

enum { ONE_MEASUREMENT = 1 << 20 }; /* bytes at least, so that the clock does not matter */

double bandwidth_read(const void *memory, size_t bytes)
{
    size_t passes = ONE_MEASUREMENT / bytes + 1;
    double begin = clock_seconds();
    for (size_t i = 0; i < passes; ++i)
        read_all(memory, bytes);
    return (double)passes * (double)bytes / (clock_seconds() - begin);
}

double bandwidth_copy(void *memory, size_t bytes)
{
    size_t passes = ONE_MEASUREMENT / bytes + 1;
    double begin = clock_seconds();
    for (size_t i = 0; i < passes; ++i) {
        memcpy(memory, (char *)memory + bytes / 2, bytes / 2);
        __asm__ volatile("" : : "r"(memory) : "memory");
    }
    return (double)passes * (double)bytes / (clock_seconds() - begin);
}

/* Linux tells: index0 is the first level's data cache, index1 its instruction cache. */
size_t cache_size(int level)
{
    char path[80], unit = 0;
    unsigned long size = 0;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size",
             level == 1 ? 0 : level);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    if (fscanf(file, "%lu%c", &size, &unit) < 1)
        size = 0;
    fclose(file);
    return (size_t)size << (unit == 'K' ? 10 : unit == 'M' ? 20 : 0);
}
