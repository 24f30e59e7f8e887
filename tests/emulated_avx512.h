/* AVX-512F on processors without it: the intrinsics that kernels use, by AVX2. Included before a kernel, which
 * then sees a compiler without GNU C: nothing of it is inline assembly or asks for the instruction set.
 *
 * What a mask leaves out is not touched, as the instructions would not.
 * SPDX-License-Identifier: MIT-0 */
#ifndef EMULATED_AVX512_H
#define EMULATED_AVX512_H

#include <float.h>
#include <immintrin.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct { __m256 half[2]; } emulated_vector;
typedef struct { __m256d half[2]; } emulated_doubles;
typedef struct { int lane[16]; } emulated_integers;
typedef struct { float lane[16]; } emulated_lanes;

static inline emulated_lanes emulated_to_lanes(emulated_vector v)
{
    emulated_lanes lanes;
    memcpy(&lanes, &v, sizeof lanes);
    return lanes;
}

static inline emulated_vector emulated_of_lanes(emulated_lanes lanes)
{
    emulated_vector v;
    memcpy(&v, &lanes, sizeof v);
    return v;
}

static inline emulated_vector emulated_pair(__m256 low, __m256 high)
{
    emulated_vector v;
    v.half[0] = low;
    v.half[1] = high;
    return v;
}

/* Half by half, as AVX2 does it; r is the result, h a half. */
#define EMULATED_HALVES(name, parameters, expression) \
    static inline emulated_vector name parameters \
    { \
        emulated_vector r; \
        for (int h = 0; h < 2; h++) r.half[h] = expression; \
        return r; \
    }
EMULATED_HALVES(emulated_set1, (float s), _mm256_set1_ps(s))
EMULATED_HALVES(emulated_loadu, (const float *p), _mm256_loadu_ps(p + 8 * h))
EMULATED_HALVES(emulated_add, (emulated_vector a, emulated_vector b), _mm256_add_ps(a.half[h], b.half[h]))
EMULATED_HALVES(emulated_sub, (emulated_vector a, emulated_vector b), _mm256_sub_ps(a.half[h], b.half[h]))
EMULATED_HALVES(emulated_mul, (emulated_vector a, emulated_vector b), _mm256_mul_ps(a.half[h], b.half[h]))
EMULATED_HALVES(emulated_div, (emulated_vector a, emulated_vector b), _mm256_div_ps(a.half[h], b.half[h]))
EMULATED_HALVES(emulated_max, (emulated_vector a, emulated_vector b), _mm256_max_ps(a.half[h], b.half[h]))
EMULATED_HALVES(emulated_min, (emulated_vector a, emulated_vector b), _mm256_min_ps(a.half[h], b.half[h]))
EMULATED_HALVES(emulated_fmadd, (emulated_vector a, emulated_vector b, emulated_vector c),
    _mm256_fmadd_ps(a.half[h], b.half[h], c.half[h]))
EMULATED_HALVES(emulated_unpacklo, (emulated_vector a, emulated_vector b),
    _mm256_unpacklo_ps(a.half[h], b.half[h]))
EMULATED_HALVES(emulated_unpackhi, (emulated_vector a, emulated_vector b),
    _mm256_unpackhi_ps(a.half[h], b.half[h]))
#undef EMULATED_HALVES

static inline void emulated_storeu(float *p, emulated_vector v)
{
    for (int h = 0; h < 2; h++) _mm256_storeu_ps(p + 8 * h, v.half[h]);
}

/* Lane by lane; x, y: the lanes of a and b, r: those of the result. */
#define EMULATED_LANES(name, parameters, x_of, y_of, expression) \
    static inline emulated_vector name parameters \
    { \
        const emulated_lanes x = emulated_to_lanes(x_of), y = emulated_to_lanes(y_of); \
        emulated_lanes r; \
        (void)x, (void)y; \
        for (int l = 0; l < 16; l++) r.lane[l] = expression; \
        return emulated_of_lanes(r); \
    }
EMULATED_LANES(emulated_permutexvar, (emulated_integers index, emulated_vector a), a, a, x.lane[index.lane[l] & 15])
EMULATED_LANES(emulated_permutex2var, (emulated_vector a, emulated_integers index, emulated_vector b), a, b,
    (index.lane[l] & 16 ? y : x).lane[index.lane[l] & 15])
EMULATED_LANES(emulated_permute, (emulated_vector a, int imm), a, a, x.lane[(l & ~3) + (imm >> 2 * (l & 3) & 3)])
EMULATED_LANES(emulated_shuffle, (emulated_vector a, emulated_vector b, int imm), a, b,
    (l & 2 ? y : x).lane[(l & ~3) + (imm >> 2 * (l & 3) & 3)])
EMULATED_LANES(emulated_shuffle_parts, (emulated_vector a, emulated_vector b, int imm), a, b,
    (l & 8 ? y : x).lane[4 * (imm >> 2 * (l / 4) & 3) + (l & 3)])
EMULATED_LANES(emulated_scalef, (emulated_vector a, emulated_vector b), a, b, ldexpf(x.lane[l], (int)floorf(y.lane[l])))
EMULATED_LANES(emulated_mask_max, (emulated_vector other, unsigned mask, emulated_vector a, emulated_vector b),
    other, emulated_max(a, b), (mask >> l & 1 ? y : x).lane[l])
EMULATED_LANES(emulated_maskz_loadu, (unsigned mask, const float *p), emulated_set1(0), emulated_set1(0),
    mask >> l & 1 ? p[l] : 0.0f)
EMULATED_LANES(emulated_mask_gather, (emulated_vector other, unsigned mask, emulated_integers index, const float *p),
    other, other, mask >> l & 1 ? p[index.lane[l]] : x.lane[l])
EMULATED_LANES(emulated_insert_part, (emulated_vector a, __m128 part, int at), a,
    emulated_pair(_mm256_set_m128(part, part), _mm256_set_m128(part, part)), (l / 4 == at ? y : x).lane[l])
#undef EMULATED_LANES

static inline emulated_vector emulated_maskz_expandloadu(unsigned mask, const float *p)
{
    emulated_lanes r;
    for (int l = 0; l < 16; l++) r.lane[l] = mask >> l & 1 ? *p++ : 0.0f;
    return emulated_of_lanes(r);
}

static inline void emulated_mask_storeu(float *p, unsigned mask, emulated_vector v)
{
    const emulated_lanes x = emulated_to_lanes(v);
    for (int l = 0; l < 16; l++) {
        if (mask >> l & 1) p[l] = x.lane[l];
    }
}

/* Of comparisons those that kernels make: whether no lane is NaN, or one is. */
static inline __mmask16 emulated_cmp(emulated_vector a, emulated_vector b, int how)
{
    const emulated_lanes x = emulated_to_lanes(a), y = emulated_to_lanes(b);
    unsigned mask = 0;
    for (int l = 0; l < 16; l++) mask |= (unsigned)(x.lane[l] == x.lane[l] && y.lane[l] == y.lane[l]) << l;
    return (__mmask16)(how == _CMP_ORD_Q ? mask : ~mask);
}

static inline emulated_integers emulated_setr(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j,
    int k, int l, int m, int n, int o, int p)
{
    return (emulated_integers) {{ a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p }};
}

static inline emulated_vector emulated_broadcast_part(__m128 part)
{
    return emulated_pair(_mm256_set_m128(part, part), _mm256_set_m128(part, part));
}

static inline emulated_vector emulated_broadcast_two(__m128i two)
{
    return emulated_broadcast_part(_mm_castsi128_ps(_mm_unpacklo_epi64(two, two)));
}

#define __m512 emulated_vector
#undef _mm512_cmp_ps_mask
#undef _mm512_insertf32x4
#undef _mm512_mask_i32gather_ps
#undef _mm512_permute_ps
#undef _mm512_scalef_ps
#undef _mm512_setr_epi32
#undef _mm512_shuffle_f32x4
#undef _mm512_shuffle_ps
#define _mm512_setzero_ps() emulated_set1(0)
#define _mm512_set1_ps emulated_set1
#define _mm512_loadu_ps emulated_loadu
#define _mm512_storeu_ps emulated_storeu
#define _mm512_add_ps emulated_add
#define _mm512_sub_ps emulated_sub
#define _mm512_mul_ps emulated_mul
#define _mm512_div_ps emulated_div
#define _mm512_max_ps emulated_max
#define _mm512_min_ps emulated_min
#define _mm512_fmadd_ps emulated_fmadd
#define _mm512_unpacklo_ps emulated_unpacklo
#define _mm512_unpackhi_ps emulated_unpackhi
#define _mm512_permutexvar_ps emulated_permutexvar
#define _mm512_permutex2var_ps emulated_permutex2var
#define _mm512_permute_ps emulated_permute
#define _mm512_shuffle_ps emulated_shuffle
#define _mm512_shuffle_f32x4 emulated_shuffle_parts
#define _mm512_scalef_ps emulated_scalef
#define _mm512_mask_max_ps emulated_mask_max
#define _mm512_maskz_loadu_ps emulated_maskz_loadu
#define _mm512_maskz_expandloadu_ps emulated_maskz_expandloadu
#define _mm512_mask_storeu_ps emulated_mask_storeu
#define _mm512_mask_i32gather_ps(other, mask, index, p, scale) emulated_mask_gather(other, mask, index, p)
#define _mm512_cmp_ps_mask emulated_cmp
#define _mm512_setr_epi32 emulated_setr
#define _mm512_castps128_ps512 emulated_broadcast_part /* what it leaves undefined may be anything */
#define _mm512_insertf32x4 emulated_insert_part
#define _mm512_broadcast_f32x4 emulated_broadcast_part
#define _mm512_broadcast_f64x4(half) (half)
#define _mm512_castpd_ps(half) emulated_pair(_mm256_castpd_ps(half), _mm256_castpd_ps(half))
#define _mm512_broadcastq_epi64(two) (two)
#define _mm512_castsi512_ps emulated_broadcast_two

#undef __GNUC__

#endif
