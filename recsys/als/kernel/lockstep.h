// Long rows in lock-step: all of them take their next step over the same few fixed columns, which stay in the cache, before
// anybody goes on to the next columns. One by one, each row would fetch most of its columns from memory, in each of its passes.
//
// The pairs of a row lie in the order of their columns, so that its pairs in a tile of columns follow one another. A row's
// sums do not depend on which rows it is solved together with.
#pragma once

#include "primal.h"
#include "solution.h"

namespace RECSYS_LEVEL {

// Where one of the rows stands; `at` is its first pair that the pass has not come to.
struct Walker {
    int64_t row, at;
    double total;
    Search search;
};
static_assert(sizeof(Walker) <= kStateFloats * sizeof(float), "a row's state fits where the bindings reserve memory for it");

template <class Real, int64_t kStride>
class Together {
   public:
    Together(const HalfStep& given, int64_t first, int64_t every, int64_t rows, Scratch& memory)
        : step(given), scratch(memory), count(rows), stride(kStride ? kStride : given.stride),
          walkers(reinterpret_cast<Walker*>(memory.pairs)), vectors(memory.pairs + rows * kStateFloats) {
        for (int64_t i = 0; i < count; ++i) walkers[i].row = step.order[first + i * every];
    }

    void solve() {
        bring_in();
        begin_pass();
        for (int64_t i = 0; i < count; ++i) prepare(x(i), of(i));
        each_tile([&](int64_t i, const Row& row, const AtHand<Real>& pairs, auto meanwhile) RECSYS_INLINE_LAMBDA {
            walkers[i].total += look<held(kStride)>(step, row, pairs, meanwhile, x(i), of(i));
        });
        for (int64_t i = 0; i < count; ++i) walkers[i].search = Search(step, walkers[i].total, x(i), of(i));
        for (int s = 1; s <= step.steps && !over(); ++s) {
            if (s == step.steps) take_step<false>();
            else take_step<true>();
        }
        bring_out();
    }

   private:
    const HalfStep& step;
    Scratch& scratch;
    const int64_t count, stride;
    Walker* const walkers;
    float* const vectors;

    float* x(int64_t i) const { return vectors + i * kStateVectors * stride; }
    float* start_of(int64_t i) const { return x(i) + (kStateVectors - 1) * stride; }
    Vectors of(int64_t i) const { return {step, walkers[i].row, scratch.vectors, x(i) + stride, stride}; }

    bool over() const {
        for (int64_t i = 0; i < count; ++i)
            if (!walkers[i].search.over) return false;
        return true;
    }

    template <bool kGoesOn>
    void take_step() {
        begin_pass();
        for (int64_t i = 0; kGoesOn && i < count; ++i) spread(of(i));
        each_tile([&](int64_t i, const Row& row, const AtHand<Real>& pairs, auto meanwhile) RECSYS_INLINE_LAMBDA {
            if (!walkers[i].search.over) walkers[i].total += press<held(kStride), kGoesOn>(step, row, pairs, meanwhile, of(i));
        });
        for (int64_t i = 0; i < count; ++i)
            if (!walkers[i].search.over) walkers[i].search.advance(walkers[i].total, !kGoesOn, x(i), of(i));
    }

    void begin_pass() {
        for (int64_t i = 0; i < count; ++i) {
            walkers[i].at = step.indptr[walkers[i].row];
            walkers[i].total = 0;
        }
    }

    // Calls visit(i, row, pairs, meanwhile) for each row and each tile of columns of which it has pairs.
    template <class Visit>
    void each_tile(Visit visit) {
        const Real* fixed = static_cast<const Real*>(step.fixed);
        const int64_t wide = columns_in<Real>(kColumnTileBytes, stride) + 1;
        const auto place = [&](int64_t column) {
            return reinterpret_cast<const char*>(fixed + (column < step.columns ? column : step.columns) * stride);
        };
        for (int64_t first = 0; first < step.columns; first += wide) {
            const int64_t end = first + wide;
            Block next{place(end), place(end + wide)};
            const auto meanwhile = [&]() RECSYS_INLINE_LAMBDA { next.fetch(); };
            for (int64_t i = 0; i < count; ++i) {
                const int64_t begin = walkers[i].at, stop = step.indptr[walkers[i].row + 1];
                int64_t at = begin;
                while (at < stop && step.indices[at] < end) ++at;
                walkers[i].at = at;
                if (at == begin) continue;
                const Row row{step.values + begin, at - begin, scratch.zero};
                visit(i, row, AtHand<Real>{fixed, step.indices + begin, stride}, meanwhile);
            }
        }
    }

    void bring_in() {
        const int64_t k = step.factors;
        for (int64_t first = 0; first < count; first += kTile) {
            const int64_t rows = count - first < kTile ? count - first : kTile;
            for (int64_t i = 0; i < rows; ++i)
                copy_padded(step.solution + walkers[first + i].row * k, k, scratch.other + i * stride, stride);
            multiply(scratch.other, rows, step.into, scratch.tile);
            for (int64_t i = 0; i < rows; ++i) __builtin_memcpy(x(first + i), scratch.tile + i * stride, sizeof(float) * stride);
            if (!keeps_start(step)) continue;
            bring_back(step, scratch.tile, rows, scratch.start);
            for (int64_t i = 0; i < rows; ++i)
                __builtin_memcpy(start_of(first + i), scratch.start + i * stride, sizeof(float) * stride);
        }
    }

    void bring_out() {
        for (int64_t first = 0; first < count; first += kTile) {
            const int64_t rows = count - first < kTile ? count - first : kTile;
            for (int64_t i = 0; i < rows; ++i) __builtin_memcpy(scratch.tile + i * stride, x(first + i), sizeof(float) * stride);
            bring_back(step, scratch.tile, rows, scratch.other);
            for (int64_t i = 0; i < rows; ++i) {
                const int64_t row = walkers[first + i].row;
                const float* start = keeps_start(step) ? start_of(first + i) : step.solution + row * step.factors;
                step.objective[row] = walkers[first + i].search.objective;
                keep(step, row, scratch.other + i * stride, start, scratch.vectors);
            }
        }
    }
};

template <class Real>
static void solve_together(const HalfStep& step, int64_t first, int64_t every, int64_t count, Scratch& scratch) {
    switch (step.stride) {
        case 64: return Together<Real, 64>(step, first, every, count, scratch).solve();
        case 128: return Together<Real, 128>(step, first, every, count, scratch).solve();
        default: return Together<Real, 0>(step, first, every, count, scratch).solve();
    }
}

// Solves `count` rows, every so many in the order of rows from `first` on.
static void solve_together(const HalfStep& step, int64_t first, int64_t every, int64_t count, Scratch& scratch) {
    if (step.half) solve_together<Half>(step, first, every, count, scratch);
    else solve_together<float>(step, first, every, count, scratch);
}

}  // namespace RECSYS_LEVEL
