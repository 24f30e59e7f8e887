/* The multiply-add peak of each instruction set: independent chains a = a * x + y, in assembly so
 * that no compiler merges, drops or vectorises them. Twelve chains hide a latency of four cycles on
 * three units and of six on two; twenty-four one of six on four.
 * SPDX-License-Identifier: MIT-0 */
#include "peak.h"
#include "clock.h"

#include <string.h>

#define TWELVE(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#if defined(__x86_64__)
#include <immintrin.h>
#define CHAINS TWELVE /* with x and y no more than 14 of the 16 registers */
#define LINKS 48.0    /* four of each chain in a step */
#elif defined(__aarch64__)
#include <arm_neon.h>
#define CHAINS(DO)                                                                                 \
    TWELVE(DO)                                                                                     \
    DO(12) DO(13) DO(14) DO(15) DO(16) DO(17) DO(18) DO(19) DO(20) DO(21) DO(22) DO(23)
#define LINKS 96.0
#endif

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
#define SAME(value) value

/* One chain alone, whose time is that of waiting for each result. */
#define PROBE_CHAIN(isa, target, vector, splat, instruction)                                       \
    target static void chain_##isa(long steps)                                                     \
    {                                                                                              \
        const vector x = splat(0.9999f), y = splat(0.001f);                                        \
        vector a0 = x;                                                                             \
        for (long step = 0; step < steps; ++step) {                                                \
            instruction(0) instruction(0) instruction(0) instruction(0)                            \
        }                                                                                          \
        (void)a0;                                                                                  \
    }
#define CHAIN_LINKS 4.0

#if defined(__x86_64__)
#define TARGET(name) __attribute__((target(name)))
#define MUL_ADD(i, mul, add)                                                                       \
    __asm__ volatile(mul " %1, %0\n\t" add " %2, %0" : "+x"(a##i) : "x"(x), "x"(y));
#define MUL_ADD_SS(i) MUL_ADD(i, "mulss", "addss")
#define MUL_ADD_PS(i) MUL_ADD(i, "mulps", "addps")
#define FMA(i) __asm__ volatile("vfmadd213ps %2, %1, %0" : "+x"(a##i) : "x"(x), "x"(y));

PROBE(scalar, , float, SAME, MUL_ADD_SS)
PROBE(sse2, , __m128, _mm_set1_ps, MUL_ADD_PS)
PROBE(avx2, TARGET("avx2,fma"), __m256, _mm256_set1_ps, FMA)
PROBE(avx512, TARGET("avx512f"), __m512, _mm512_set1_ps, FMA)
PROBE_CHAIN(avx2, TARGET("avx2,fma"), __m256, _mm256_set1_ps, FMA)
PROBE_CHAIN(avx512, TARGET("avx512f"), __m512, _mm512_set1_ps, FMA)

static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
static int has_avx512(void) { return __builtin_cpu_supports("avx512f") != 0; }

static const struct peak_probe probes[] = {
    { "scalar", "scalar multiply and add", LINKS * 2, NULL, run_scalar, NULL },
    { "sse2", "128-bit multiply and add", LINKS * 2 * 4, NULL, run_sse2, NULL },
    { "avx2", "256-bit fused multiply-add", LINKS * 2 * 8, has_avx2, run_avx2,
      chain_avx2 },
    { "avx512", "512-bit fused multiply-add", LINKS * 2 * 16, has_avx512, run_avx512,
      chain_avx512 },
};

#elif defined(__aarch64__)
/* Chains tell nothing here, where sums are handed on before they are finished.
 * The scalar kernels are C, whose a * b + c the compiler may fuse here. */
#define FMADD(i) __asm__ volatile("fmadd %s0, %s0, %s1, %s2" : "+w"(a##i) : "w"(x), "w"(y));
#define FMLA(i) __asm__ volatile("fmla %0.4s, %1.4s, %2.4s" : "+w"(a##i) : "w"(x), "w"(y));

PROBE(scalar, , float, SAME, FMADD)
PROBE(neon, , float32x4_t, vdupq_n_f32, FMLA)

static const struct peak_probe probes[] = {
    { "scalar", "scalar fused multiply-add", LINKS * 2, NULL, run_scalar, NULL },
    { "neon", "128-bit fused multiply-add", LINKS * 2 * 4, NULL, run_neon, NULL },
};

#else
static const struct peak_probe probes[] = { { NULL, NULL, 0, NULL, NULL, NULL } }; /* none known */
#endif

const struct peak_probe *peak_at(int index)
{
    for (size_t i = 0; i < sizeof probes / sizeof *probes; ++i)
        if (probes[i].isa && (!probes[i].supported || probes[i].supported()) && index-- == 0)
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

double peak_chain(const struct peak_probe *probe)
{
    const int steps = 3000; /* of 16 cycles or so */
    if (!probe->chain)
        return 0;
    double begin = clock_seconds();
    probe->chain(steps);
    return steps * probe->flops * CHAIN_LINKS / LINKS / (clock_seconds() - begin);
}
