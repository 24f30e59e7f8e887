/* The multiply-add peak of each instruction set: a dozen or so independent chains a = a * x + y, in
 * assembly so that no compiler merges, drops or vectorises them. Twelve chains hide a latency of
 * four cycles on three units and of six on two.
 * SPDX-License-Identifier: MIT-0 */
#include "peak.h"
#include "clock.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

/* 12 chains (with x and y no more than 14 of the 16 registers), 4 links each per step. */
#define CHAINS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define LINKS 48.0

#define DECLARE(i) a##i = x,
#define PROBE(isa, target, vector, splat, instructions)                                            \
    target static void run_##isa(long steps)                                                       \
    {                                                                                              \
        const vector x = splat(0.9999f), y = splat(0.001f);                                        \
        vector CHAINS(DECLARE) last = x;                                                           \
        for (long step = 0; step < steps; ++step) {                                                \
            CHAINS(instructions)                                                                   \
            CHAINS(instructions)                                                                   \
            CHAINS(instructions)                                                                   \
            CHAINS(instructions)                                                                   \
        }                                                                                          \
        (void)last;                                                                                \
    }

#define TARGET(name) __attribute__((target(name)))
#define MUL_ADD(i, mul, add)                                                                       \
    __asm__ volatile(mul " %1, %0\n\t" add " %2, %0" : "+x"(a##i) : "x"(x), "x"(y));
#define MUL_ADD_SS(i) MUL_ADD(i, "mulss", "addss")
#define MUL_ADD_PS(i) MUL_ADD(i, "mulps", "addps")
#define FMA(i) __asm__ volatile("vfmadd213ps %2, %1, %0" : "+x"(a##i) : "x"(x), "x"(y));
#define SAME(value) value

PROBE(scalar, , float, SAME, MUL_ADD_SS)
PROBE(sse2, , __m128, _mm_set1_ps, MUL_ADD_PS)
PROBE(avx2, TARGET("avx2,fma"), __m256, _mm256_set1_ps, FMA)
PROBE(avx512, TARGET("avx512f"), __m512, _mm512_set1_ps, FMA)

static int always(void) { return 1; }
static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
static int has_avx512(void) { return __builtin_cpu_supports("avx512f") != 0; }

static const struct peak_probe probes[] = {
    { "scalar", "scalar multiply and add", LINKS * 2, always, run_scalar },
    { "sse2", "128-bit multiply and add", LINKS * 2 * 4, always, run_sse2 },
    { "avx2", "256-bit fused multiply-add", LINKS * 2 * 8, has_avx2, run_avx2 },
    { "avx512", "512-bit fused multiply-add", LINKS * 2 * 16, has_avx512, run_avx512 },
};

#else
static const struct peak_probe probes[] = { { NULL, NULL, 0, NULL, NULL } }; /* none known */
#endif

const struct peak_probe *peak_at(int index)
{
    for (size_t i = 0; i < sizeof probes / sizeof *probes; ++i)
        if (probes[i].isa && probes[i].supported() && index-- == 0)
            return &probes[i];
    return NULL;
}

const struct peak_probe *peak_probe(const char *isa)
{
    for (int i = 0; peak_at(i); ++i)
        if (strcmp(peak_at(i)->isa, isa) == 0)
            return peak_at(i);
    return NULL;
}

double peak_measure(const struct peak_probe *probe)
{
    const int steps = 2000; /* of 24 to 48 cycles */
    double begin = clock_seconds();
    probe->run(steps);
    return steps * probe->flops / (clock_seconds() - begin);
}
