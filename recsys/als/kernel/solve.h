// The half-step of implicit-feedback ALS: one small linear system per row, without any dense k x k work per row.
//
// With the columns' factors Y fixed, the loss of row u is a quadratic in x_u whose minimum solves
//
//     A x = r,    A = w0 Y'Y + lambda_u I + sum over stored pairs i of q_i y_i y_i',    r = sum of b_i y_i      (1)
//
// (Hu, Koren, Volinsky 2008, eq. 4; objective.py says how b and q follow from a value). The caller hands over the columns in
// a basis T, z = T'y, in which the dense part is a diagonal D_u, the same matrix for all rows but for its ridge:
//
//     A x = D x + sum q_i z_i (z_i . x)                                                                        (2)
//
// so a product with A costs only the row's own pairs. Two ways to solve (2):
//
//   primal   conjugate gradients (Takacs, Pilaszy, Tikk 2011) from a warm start, preconditioned by the diagonal of A;
//   dual     for rows of few pairs, exactly: x = D^-1 Z' t, where t = sqrt(q) s and s solves the n x n system
//            (I + R R') s = b / sqrt(q)  with  R = sqrt(q) Z D^-1/2. Where there are more such rows than columns, the
//            columns Z D^-1 are brought back to the caller's coordinates once, instead of every row's x.
//
// Rows are taken on one by one, tile by tile of rows, but for the longest, which go in lock-step.
#pragma once

#include "dual.h"
#include "lockstep.h"

namespace RECSYS_LEVEL {

// Row u, and `next` the one that comes after it; `back` says whether x is to be brought back from the half-step's basis. kStride is the padded row length where it is known while compiling, else 0.
template <class Real, int64_t kStride>
static double solve_row(const HalfStep& step, int64_t u, int64_t next, float* x, Scratch& scratch, bool& back) {
    const int64_t begin = step.indptr[u], count = step.indptr[u + 1] - begin, stride = kStride ? kStride : step.stride;
    constexpr int kHeld = held(kStride);
    const Vectors v(step, u, scratch.vectors, scratch.vectors + stride, stride);
    const Row row{step.values + begin, count, scratch.zero};
    const Real* fixed = static_cast<const Real*>(step.fixed);
    const Gathered<Real> gathered{fixed, step.indices + begin, count, stride};
    Upcoming<Real> upcoming(fixed, step.indices + step.indptr[next], step.indptr[next + 1] - step.indptr[next], stride,
                            count / kGroup);
    const auto meanwhile = [&]() RECSYS_INLINE_LAMBDA { upcoming.fetch(); };
    double objective = __builtin_nan("");
    back = true;
    if (count <= step.dual_limit) {
        const Copying<Real, float> copying{gathered, scratch.pairs};
        for (int64_t i = 0; i < count; ++i) copying(i);
        upcoming.fetch_all();
        objective = solve_dual(step, row, gathered.columns, scratch.pairs, x, v, scratch.system);
        back = !(step.direct && objective <= 0);
        if (step.tolerance == 0 && objective <= 0) return objective;
        if (!(objective <= 0)) __builtin_memset(x, 0, sizeof(float) * stride);
    }
    if (count * stride <= kShortFloats) {
        const Copying<Real, float> copying{gathered, scratch.pairs};
        objective = solve_primal<kHeld>(step, row, copying, Copied<float>{scratch.pairs, stride}, meanwhile, x, v);
    } else if (count <= scratch.room) {
        Real* pairs = reinterpret_cast<Real*>(scratch.pairs);
        objective = solve_primal<kHeld>(step, row, Copying<Real, Real>{gathered, pairs}, Copied<Real>{pairs, stride}, meanwhile, x, v);
    } else {
        objective = solve_primal<kHeld>(step, row, gathered, gathered, meanwhile, x, v);
    }
    upcoming.fetch_all();
    return objective;
}

template <class Real>
static double solve_row(const HalfStep& step, int64_t u, int64_t next, float* x, Scratch& scratch, bool& back) {
    switch (step.stride) {
        case 64: return solve_row<Real, 64>(step, u, next, x, scratch, back);
        case 128: return solve_row<Real, 128>(step, u, next, x, scratch, back);
        case 256: return solve_row<Real, 256>(step, u, next, x, scratch, back);
        default: return solve_row<Real, 0>(step, u, next, x, scratch, back);
    }
}

static void solve(const HalfStep& step, int64_t begin, int64_t end, Scratch& scratch) {
    const int64_t k = step.factors, stride = step.stride, count = end - begin;
    const auto pairs = [&](int64_t row) { return step.indptr[row + 1] - step.indptr[row]; };
    int64_t rows[kTile], warm = 0;  // those that need their warm start come first
    const auto needs_start = [&](int64_t row) { return pairs(row) > step.dual_limit || (step.tolerance > 0 && pairs(row) > 0); };
    for (int64_t i = 0; i < count; ++i)
        if (needs_start(step.order[begin + i])) rows[warm++] = step.order[begin + i];
    for (int64_t i = 0, last = warm; i < count; ++i)
        if (!needs_start(step.order[begin + i])) rows[last++] = step.order[begin + i];
    const int64_t starts = keeps_start(step) ? count : warm;
    for (int64_t i = 0; i < starts; ++i) copy_padded(step.solution + rows[i] * k, k, scratch.other + i * stride, stride);
    multiply(scratch.other, starts, step.into, scratch.tile);
    if (keeps_start(step)) bring_back(step, scratch.tile, starts, scratch.start);
    __builtin_memset(scratch.tile + warm * stride, 0, sizeof(float) * (kTile - warm) * stride);
    const int64_t together = step.direct ? warm : count;  // rows that are brought back in one go
    bool back[kTile];
    for (int64_t i = 0; i < count; ++i) {
        const int64_t row = rows[i], next = rows[i + 1 < count ? i + 1 : i];
        float* x = scratch.tile + i * stride;
        back[i] = false;
        if (pairs(row) == 0) step.objective[row] = 0;
        else if (step.half) step.objective[row] = solve_row<Half>(step, row, next, x, scratch, back[i]);
        else step.objective[row] = solve_row<float>(step, row, next, x, scratch, back[i]);
    }
    bring_back(step, scratch.tile, together, scratch.other);
    for (int64_t i = together; i < count; ++i) {  // what a product writes beyond its last row is written again
        float *x = scratch.tile + i * stride, *out = scratch.other + i * stride;
        if (back[i]) multiply(x, 1, step.back, out);
        else __builtin_memcpy(out, x, sizeof(float) * stride);
    }
    for (int64_t i = 0; i < count; ++i) {
        const float* start = keeps_start(step) ? scratch.start + i * stride : step.solution + rows[i] * k;
        keep(step, rows[i], scratch.other + i * stride, start, scratch.vectors);
    }
}

}  // namespace RECSYS_LEVEL
