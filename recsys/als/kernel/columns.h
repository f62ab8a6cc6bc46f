// The fixed columns that a row's pairs name: fetched before they are needed, and copied where they are read again.
//
// Memory answers late and only so many questions at a time. So the columns of the next row are asked for line by line, evenly
// over all passes of this row: all at once they would make the arithmetic wait, and later they would make the next row wait.
#pragma once

#include "simd.h"

namespace RECSYS_LEVEL {

constexpr int64_t kFirstCacheBytes = 24 << 10;  // of columns that are to stay in a core's first-level cache
constexpr int64_t kShortFloats = 8192;  // rows of at most this many floats are copied in single precision
constexpr int64_t kLineBytes = 64;

static RECSYS_INLINE void fetch_near(const void* at) { __builtin_prefetch(at, 0, 3); }
static RECSYS_INLINE void fetch_far(const void* at) { __builtin_prefetch(at, 0, 2); }  // into the second-level cache

template <class Real>
static RECSYS_INLINE int64_t columns_in(int64_t bytes, int64_t stride) {
    return bytes / static_cast<int64_t>(sizeof(Real)) / stride;
}

// The columns of the row that comes next: the first into the first-level cache, then as many as the second one is to hold.
template <class Real>
struct Upcoming {
    static constexpr int64_t kPasses = 3, kLine = kLineBytes / sizeof(Real);
    const Real* fixed;
    const int32_t* columns;
    int64_t stride, lines, near, total, rate, at = 0;

    // `groups` is how often fetch() will be called in each pass.
    Upcoming(const Real* all, const int32_t* ids, int64_t pairs, int64_t row_stride, int64_t groups)
        : fixed(all), columns(ids), stride(row_stride), lines(stride / kLine),
          near(columns_in<Real>(kFirstCacheBytes, stride) * lines) {
        const int64_t most = columns_in<Real>(kSecondCacheBytes, stride);
        total = (pairs < most ? pairs : most) * lines;
        rate = total / (kPasses * groups + 1) + 1;
    }

    RECSYS_INLINE void fetch() {
        for (const int64_t end = at + rate < total ? at + rate : total; at < end; ++at) {
            const Real* line = fixed + columns[at / lines] * stride + at % lines * kLine;
            if (at < near) fetch_near(line);
            else fetch_far(line);
        }
    }
    RECSYS_INLINE void fetch_all() {
        while (at < total) fetch();
    }
};

// A row's columns where they lie, fetched by the row before; those that found no place near are called nearer in time.
template <class Real>
struct Gathered {
    static constexpr int64_t kAhead = 32;
    const Real* fixed;
    const int32_t* columns;
    int64_t count, stride;

    RECSYS_INLINE const Real* operator()(int64_t i) const {
        const int64_t ahead = i + kAhead;
        if (ahead < count && ahead >= columns_in<Real>(kFirstCacheBytes, stride)) {
            const char* column = reinterpret_cast<const char*>(fixed + columns[ahead] * stride);
            const int64_t bytes = stride * static_cast<int64_t>(sizeof(Real));
            for (int64_t line = 0; line < bytes; line += kLineBytes) fetch_near(column + line);
        }
        return fixed + columns[i] * stride;
    }
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

// The columns in that buffer.
template <class Real>
struct Copied {
    const Real* pairs;
    int64_t stride;
    RECSYS_INLINE const Real* operator()(int64_t i) const { return pairs + i * stride; }
};

// A row's columns where they lie, all of them near.
template <class Real>
struct AtHand {
    const Real* fixed;
    const int32_t* columns;
    int64_t stride;
    RECSYS_INLINE const Real* operator()(int64_t i) const { return fixed + columns[i] * stride; }
};

// A block of columns that will all be needed, fetched line by line.
struct Block {
    const char *at, *end;
    RECSYS_INLINE void fetch() {
        if (at >= end) return;
        fetch_far(at);
        at += kLineBytes;
    }
};

}  // namespace RECSYS_LEVEL
