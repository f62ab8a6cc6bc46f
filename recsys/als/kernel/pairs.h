// The pairs of a row: where they lie, how they are copied and fetched in time, and the sums over them, in groups of four.
#pragma once

#include "dense.h"

namespace RECSYS_LEVEL {

constexpr int kGroup = 4;               // pairs handled together in the inner loops
constexpr int64_t kShortFloats = 8192;  // rows of at most this many floats are copied in single precision

// The weights b and q of equation (1) for a group of values.
struct Weights {
    Quad b, q;
    Weights(const HalfStep& step, Quad value) {
        const Quad c = step.alpha * value, none{};
        b = c > none ? c : none;
        q = (c > none ? c : -c) - step.replaced;
    }
};

template <class Real>
static RECSYS_INLINE void prefetch(const Real* row, int64_t stride) {
    const char* bytes = reinterpret_cast<const char*>(row);
    for (int64_t at = 0; at < stride * static_cast<int64_t>(sizeof(Real)); at += 64) __builtin_prefetch(bytes + at);
}

// Pairs of the row that comes next: fetched a few at a time while this row is worked on, so that no row waits for its own.
template <class Real>
struct Upcoming {
    const Real* fixed;
    const int32_t* columns;
    int64_t count, stride, rate;
    static constexpr int64_t kMost = 96;  // as many as stay in the first-level cache
    static constexpr int64_t kPasses = 3;

    Upcoming(const Real* all, const int32_t* ids, int64_t pairs, int64_t row_stride, int64_t groups)
        : fixed(all), columns(ids), count(pairs < kMost ? pairs : kMost), stride(row_stride),
          rate(count / (kPasses * groups + 1) + 1) {}

    RECSYS_INLINE void fetch() {
        for (int64_t end = count < rate ? 0 : count - rate; count > end;) prefetch(fixed + columns[--count] * stride, stride);
    }
    RECSYS_INLINE void fetch_all() {
        while (count > 0) prefetch(fixed + columns[--count] * stride, stride);
    }
};

// A row's pairs where they lie in the matrix of fixed factors. The first were fetched while the row before was worked on.
template <class Real>
struct Gathered {
    const Real* fixed;
    const int32_t* columns;
    int64_t count, stride;
    RECSYS_INLINE const Real* operator()(int64_t i) const {
        const int64_t ahead = i + kAhead;
        if (ahead < count && ahead >= Upcoming<Real>::kMost) prefetch(fixed + columns[ahead] * stride, stride);
        return fixed + columns[i] * stride;
    }
    static constexpr int64_t kAhead = 32;
};

// The same, copied to a buffer on the way: short rows in single precision, longer ones as they are.
template <class Real, class To>
struct Copying {
    Gathered<Real> from;
    To* to;
    RECSYS_INLINE const To* operator()(int64_t i) const {
        const Real* z = from(i);
        To* copy = to + i * from.stride;
        if constexpr (sizeof(Real) == sizeof(To)) __builtin_memcpy(copy, z, sizeof(To) * from.stride);
        else
            for (int64_t j = 0; j < from.stride; j += kWidth) store(copy + j, load(z + j));
        return copy;
    }
};

// The pairs in that buffer.
template <class Real>
struct Copied {
    const Real* pairs;
    int64_t stride;
    RECSYS_INLINE const Real* operator()(int64_t i) const { return pairs + i * stride; }
};

template <class Real>
static RECSYS_INLINE Quad dots(const Real* const (&z)[kGroup], const float* x, int64_t stride) {
    Vec even[kGroup] = {}, odd[kGroup] = {};
    for (int64_t j = 0; j < stride; j += 2 * kWidth) {
        const Vec first = load(x + j), second = load(x + j + kWidth);
#pragma GCC unroll 4
        for (int g = 0; g < kGroup; ++g) {
            even[g] += load(z[g] + j) * first;
            odd[g] += load(z[g] + j + kWidth) * second;
        }
    }
    for (int g = 0; g < kGroup; ++g) even[g] += odd[g];
    return sums(even);
}

template <class Real>
static RECSYS_INLINE void add(const Real* const (&z)[kGroup], Quad c, int64_t stride, float* to) {
    for (int64_t j = 0; j < stride; j += kWidth)
        store(to + j, load(to + j) + (c[0] * load(z[0] + j) + c[1] * load(z[1] + j)) +
                          (c[2] * load(z[2] + j) + c[3] * load(z[3] + j)));
}

template <class Real>
static RECSYS_INLINE void add_with_squares(const Real* const (&z)[kGroup], Quad c, Quad q, int64_t stride, float* to,
                                    float* squares) {
    for (int64_t j = 0; j < stride; j += kWidth) {
        Vec linear = load(to + j), square = load(squares + j);
#pragma GCC unroll 4
        for (int g = 0; g < kGroup; ++g) {
            const Vec y = load(z[g] + j);
            linear += c[g] * y;
            square += (q[g] * y) * y;
        }
        store(to + j, linear);
        store(squares + j, square);
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

}  // namespace RECSYS_LEVEL
