// Vectors of one instruction set. This header is compiled once per level, in a namespace of that level, so that no
// function compiled for a newer processor can be linked into the code of an older one.
#pragma once

#include <cstdint>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "kernel.h"

// The inner loops are inlined into each row's solver, where the length of a row of factors is a constant.
#define RECSYS_INLINE __attribute__((always_inline)) inline
#define RECSYS_INLINE_LAMBDA __attribute__((always_inline))

namespace RECSYS_LEVEL {

#if defined(__AVX512F__)
constexpr int kWidth = 16;      // floats in a vector
constexpr int kRegisterRows = 12;  // rows of a register tile that is two vectors wide
#elif defined(__AVX2__)
constexpr int kWidth = 8;
constexpr int kRegisterRows = 6;
#else
constexpr int kWidth = 4;
constexpr int kRegisterRows = 4;
#endif

typedef float Vec __attribute__((vector_size(4 * kWidth)));
typedef float Quad __attribute__((vector_size(16)));
typedef double Wide __attribute__((vector_size(32)));

static inline Vec load(const float* from) {
    Vec v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
}

static inline void store(float* to, Vec v) { __builtin_memcpy(to, &v, sizeof v); }

#if defined(__AVX512F__)
static inline Vec load(const Half* from) {
    return (Vec)_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
static inline void store(Half* to, Vec v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtps_ph((__m512)v, _MM_FROUND_TO_NEAREST_INT));
}
#elif defined(__AVX2__)
static inline Vec load(const Half* from) {
    return (Vec)_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}
static inline void store(Half* to, Vec v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_cvtps_ph((__m256)v, _MM_FROUND_TO_NEAREST_INT));
}
#else
// Half precision by arithmetic on bits, exact for finite values below 2^16: a half is a float whose exponent is 112 less.
typedef uint32_t Bits __attribute__((vector_size(4 * kWidth)));
static inline Vec load(const Half* from) {
    Bits h;
    for (int i = 0; i < kWidth; ++i) h[i] = from[i].bits;
    return (Vec)((h & 0x7fffu) << 13) * 0x1p112f * (Vec)(((h & 0x8000u) << 16) | 0x3f800000u);
}
static inline void store(Half* to, Vec v) {
    const Bits sign = ((Bits)v >> 16) & 0x8000u;
    const Bits scaled = (Bits)((Vec)((Bits)v & 0x7fffffffu) * 0x1p-112f);
    const Bits rounded = (scaled + 0xfffu + ((scaled >> 13) & 1u)) >> 13;  // to nearest, ties to even
    for (int i = 0; i < kWidth; ++i) to[i].bits = static_cast<uint16_t>(rounded[i] | sign[i]);
}
#endif

// One bit for each lane that is at least `least`.
static inline unsigned at_least(Vec v, float least) {
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask((__m512)v, _mm512_set1_ps(least), _CMP_GE_OQ);
#elif defined(__AVX2__)
    return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps((__m256)v, _mm256_set1_ps(least), _CMP_GE_OQ)));
#else
    unsigned lanes = 0;
    for (int i = 0; i < kWidth; ++i) lanes |= static_cast<unsigned>(v[i] >= least) << i;
    return lanes;
#endif
}

// Adds up the lanes in fours: the first step of a horizontal sum, always in the same order.
static inline Quad fold(Vec v) {
    Quad parts[kWidth / 4];
    __builtin_memcpy(parts, &v, sizeof v);
#pragma GCC unroll 4
    for (int step = kWidth / 8; step > 0; step /= 2)
#pragma GCC unroll 4
        for (int i = 0; i < step; ++i) parts[i] += parts[i + step];
    return parts[0];
}

// In each four lanes: a0 + a2, b0 + b2, a1 + a3, b1 + b3.
static inline Vec halve(Vec a, Vec b) {
#if defined(__AVX512F__)
    return (Vec)(_mm512_unpacklo_ps((__m512)a, (__m512)b) + _mm512_unpackhi_ps((__m512)a, (__m512)b));
#elif defined(__AVX2__)
    return (Vec)(_mm256_unpacklo_ps((__m256)a, (__m256)b) + _mm256_unpackhi_ps((__m256)a, (__m256)b));
#else
    typedef int32_t Pick __attribute__((vector_size(16)));
    return __builtin_shuffle(a, b, Pick{0, 4, 1, 5}) + __builtin_shuffle(a, b, Pick{2, 6, 3, 7});
#endif
}

// In each four lanes, of two that were halved: ab0 + ab2, ab1 + ab3, cd0 + cd2, cd1 + cd3.
static inline Vec quarter(Vec ab, Vec cd) {
#if defined(__AVX512F__)
    const __m512d x = (__m512d)ab, y = (__m512d)cd;
    return (Vec)_mm512_unpacklo_pd(x, y) + (Vec)_mm512_unpackhi_pd(x, y);
#elif defined(__AVX2__)
    const __m256d x = (__m256d)ab, y = (__m256d)cd;
    return (Vec)_mm256_unpacklo_pd(x, y) + (Vec)_mm256_unpackhi_pd(x, y);
#else
    typedef int32_t Pick __attribute__((vector_size(16)));
    return __builtin_shuffle(ab, cd, Pick{0, 1, 4, 5}) + __builtin_shuffle(ab, cd, Pick{2, 3, 6, 7});
#endif
}

// Four horizontal sums at once.
static inline Quad sums(const Vec (&v)[4]) { return fold(quarter(halve(v[0], v[1]), halve(v[2], v[3]))); }

static inline float sum(Vec v) {
    const Quad q = fold(v);
    return (q[0] + q[2]) + (q[1] + q[3]);
}

static inline double sum(Wide w) { return (w[0] + w[2]) + (w[1] + w[3]); }

}  // namespace RECSYS_LEVEL
