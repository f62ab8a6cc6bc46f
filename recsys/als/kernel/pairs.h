// The pairs of a row and the sums over them, in groups of four.
#pragma once

#include "columns.h"

namespace RECSYS_LEVEL {

constexpr int kGroup = 4;               // pairs handled together in the inner loops

// The weights b and q of equation (1) for a group of values.
struct Weights {
    Quad b, q;
    Weights(const HalfStep& step, Quad value) {
        const Quad c = step.alpha * value, none{};
        b = c > none ? c : none;
        q = (c > none ? c : -c) - step.replaced;
    }
};

// A vector of factors that a pass over pairs reads or adds to: in registers, where `kVectors` says how many it takes ...
template <int kVectors>
struct Operand {
    Vec at[kVectors];
    RECSYS_INLINE Operand(const float* from, int64_t) {
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) at[j] = load(from + j * kWidth);
    }
    RECSYS_INLINE int64_t size() const { return kVectors * kWidth; }
    RECSYS_INLINE Vec get(int64_t j) const { return at[j / kWidth]; }
    RECSYS_INLINE void set(int64_t j, Vec v) { at[j / kWidth] = v; }
    RECSYS_INLINE void keep(float* to) const {
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) store(to + j * kWidth, at[j]);
    }
};

// ... and in memory, where it is too long for that.
template <>
struct Operand<0> {
    float* at;
    int64_t stride;
    RECSYS_INLINE Operand(float* from, int64_t n) : at(from), stride(n) {}
    RECSYS_INLINE int64_t size() const { return stride; }
    RECSYS_INLINE Vec get(int64_t j) const { return load(at + j); }
    RECSYS_INLINE void set(int64_t j, Vec v) const { store(at + j, v); }
    RECSYS_INLINE void keep(float*) const {}
};

// Vectors of an operand of this many floats: three of them and the columns of a group are to fit into the registers.
constexpr int held(int64_t stride) { return (kGroup + 3) * stride <= 32 * kWidth && kWidth == 16 ? stride / kWidth : 0; }

template <class Real, class Vector>
static RECSYS_INLINE Quad dots(const Real* const (&z)[kGroup], const Vector& x) {
    Vec even[kGroup] = {}, odd[kGroup] = {};
    for (int64_t j = 0; j < x.size(); j += 2 * kWidth) {
        const Vec first = x.get(j), second = x.get(j + kWidth);
#pragma GCC unroll 4
        for (int g = 0; g < kGroup; ++g) {
            even[g] += load(z[g] + j) * first;
            odd[g] += load(z[g] + j + kWidth) * second;
        }
    }
    for (int g = 0; g < kGroup; ++g) even[g] += odd[g];
    return sums(even);
}

template <class Real, class Vector>
static RECSYS_INLINE void add(const Real* const (&z)[kGroup], Quad c, Vector& to) {
    for (int64_t j = 0; j < to.size(); j += kWidth)
        to.set(j, to.get(j) + (c[0] * load(z[0] + j) + c[1] * load(z[1] + j)) +
                      (c[2] * load(z[2] + j) + c[3] * load(z[3] + j)));
}

template <class Real, class Vector>
static RECSYS_INLINE void add_with_squares(const Real* const (&z)[kGroup], Quad c, Quad q, Vector& to, Vector& squares) {
    for (int64_t j = 0; j < to.size(); j += kWidth) {
        Vec linear = to.get(j), square = squares.get(j);
#pragma GCC unroll 4
        for (int g = 0; g < kGroup; ++g) {
            const Vec y = load(z[g] + j);
            linear += c[g] * y;
            square += (q[g] * y) * y;
        }
        to.set(j, linear);
        squares.set(j, square);
    }
}

// The pairs of one row in groups; the last group is filled up with pairs of value zero with a column of zeros.
struct Row {
    const float* values;
    int64_t count;
    const float* zero;

    Row prefix(int64_t length) const { return {values, length, zero}; }

    // Calls body(columns of the group, values of the group, first pair) for each group.
    template <class Pairs, class Body>
    RECSYS_INLINE void each_group(const Pairs& pairs, Body body) const {
        each_group(pairs, [] {}, body);
    }

    // The same; calls meanwhile() once for each group too.
    template <class Pairs, class Meanwhile, class Body>
    RECSYS_INLINE void each_group(const Pairs& pairs, Meanwhile meanwhile, Body body) const {
        using Pointer = decltype(pairs(0));
        int64_t i = 0;
        Quad value;
        for (; i + kGroup <= count; i += kGroup) {
            const Pointer z[kGroup] = {pairs(i), pairs(i + 1), pairs(i + 2), pairs(i + 3)};
            __builtin_memcpy(&value, values + i, sizeof value);
            meanwhile();
            body(z, value, i);
        }
        if (i == count) return;
        Pointer z[kGroup];
        value = Quad{};
        for (int g = 0; g < kGroup; ++g) z[g] = i + g < count ? pairs(i + g) : reinterpret_cast<Pointer>(zero);
        for (int g = 0; i + g < count; ++g) value[g] = values[i + g];
        body(z, value, i);
    }
};

// The vectors of one system, each `stride` floats.
struct Vectors {
    int64_t stride;
    float *diagonal, *inverse, *residual, *direction, *image;

    // The diagonal of row u's dense part is written to `dense`; the others have `memory`.
    Vectors(const HalfStep& step, int64_t u, float* dense, float* memory, int64_t n)
        : stride(n), diagonal(dense), inverse(memory), residual(memory + n), direction(memory + 2 * n), image(memory + 3 * n) {
        const float ridge = step.ridge[u * step.ridge_step];
        for (int64_t j = 0; j < n; j += kWidth) store(diagonal + j, load(step.dense + j) + ridge);
    }
};

}  // namespace RECSYS_LEVEL
