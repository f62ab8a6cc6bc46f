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
//   dual     for rows of few pairs, exactly: with R = sqrt(q) Z D^-1/2 (n x k), the weighted scores s = sqrt(q) Z x solve
//            (I + R R') s = R R' (b / sqrt(q)), an n x n system, and then x = D^-1 Z' (b - sqrt(q) s).
#pragma once

#include "dense.h"

namespace RECSYS_LEVEL {

constexpr int kGroup = 4;  // pairs handled together in the inner loops

struct Weights {
    float b, q;
};

static inline Weights weigh(const HalfStep& step, float value) {
    const float c = step.alpha * value;
    return {c > 0 ? c : 0, (c > 0 ? c : -c) - step.replaced};
}

// The row's pairs where they lie in the matrix of fixed factors.
template <class Real>
struct Gathered {
    const Real* fixed;
    const int32_t* columns;
    int64_t stride;
    const Real* operator()(int64_t i) const { return fixed + columns[i] * stride; }
};

// The row's pairs copied to a buffer, in single precision.
struct Copied {
    const float* pairs;
    int64_t stride;
    const float* operator()(int64_t i) const { return pairs + i * stride; }
};

template <class Real>
static inline void prefetch(const Real* row, int64_t stride) {
    const char* bytes = reinterpret_cast<const char*>(row);
    for (int64_t at = 0; at < stride * static_cast<int64_t>(sizeof(Real)); at += 64) __builtin_prefetch(bytes + at);
}

template <class Real>
static inline void dots(const Real* const (&z)[kGroup], const float* x, int64_t stride, float (&s)[kGroup]) {
    Vec even[kGroup] = {}, odd[kGroup] = {};
    for (int64_t j = 0; j < stride; j += 2 * kWidth) {
        const Vec first = load(x + j), second = load(x + j + kWidth);
        for (int g = 0; g < kGroup; ++g) {
            even[g] += load(z[g] + j) * first;
            odd[g] += load(z[g] + j + kWidth) * second;
        }
    }
    for (int g = 0; g < kGroup; ++g) s[g] = sum(even[g] + odd[g]);
}

template <class Real>
static inline void add(const Real* const (&z)[kGroup], const float (&c)[kGroup], int64_t stride, float* to) {
    for (int64_t j = 0; j < stride; j += kWidth) {
        Vec v = load(to + j);
        for (int g = 0; g < kGroup; ++g) v += c[g] * load(z[g] + j);
        store(to + j, v);
    }
}

template <class Real>
static inline void add_squares(const Real* const (&z)[kGroup], const float (&q)[kGroup], int64_t stride, float* to) {
    for (int64_t j = 0; j < stride; j += kWidth) {
        Vec v = load(to + j);
        for (int g = 0; g < kGroup; ++g) {
            const Vec y = load(z[g] + j);
            v += q[g] * y * y;
        }
        store(to + j, v);
    }
}

// For the row's pairs in groups: calls body(z, first pair, pairs in the group); a short last group is filled with zero rows.
template <class Pairs, class Body>
static inline void each_group(const Pairs& pairs, int64_t count, const float* zero, Body body) {
    using Pointer = decltype(pairs(0));
    for (int64_t i = 0; i < count; i += kGroup) {
        const int present = count - i < kGroup ? static_cast<int>(count - i) : kGroup;
        Pointer z[kGroup];
        for (int g = 0; g < kGroup; ++g) z[g] = g < present ? pairs(i + g) : reinterpret_cast<Pointer>(zero);
        body(z, i, present);
    }
}

// The vectors of one system, each `stride` floats.
struct Vectors {
    float *diagonal, *inverse, *residual, *direction, *image;
    Vectors(float* memory, int64_t stride)
        : diagonal(memory), inverse(memory + stride), residual(memory + 2 * stride), direction(memory + 3 * stride),
          image(memory + 4 * stride) {}
};

static inline double weighted_square(const float* a, const float* weight, int64_t stride) {
    Vec total{};
    for (int64_t j = 0; j < stride; j += kWidth) total += load(a + j) * load(a + j) * load(weight + j);
    return sum(total);
}

static inline float dot(const float* a, const float* b, int64_t stride) {
    Vec total{};
    for (int64_t j = 0; j < stride; j += kWidth) total += load(a + j) * load(b + j);
    return sum(total);
}

// Residual r - A x and diagonal of A in one pass; returns r'x.
template <class Pairs>
static double start(const HalfStep& step, const Pairs& pairs, const float* values, int64_t count, const float* x,
                    const Vectors& v, const float* zero) {
    const int64_t stride = step.stride;
    for (int64_t j = 0; j < stride; j += kWidth) {
        store(v.residual + j, -load(v.diagonal + j) * load(x + j));
        store(v.inverse + j, load(v.diagonal + j));
    }
    double right_side_x = 0;
    each_group(pairs, count, zero, [&](const auto& z, int64_t first, int present) {
        float s[kGroup], c[kGroup] = {}, q[kGroup] = {};
        dots(z, x, stride, s);
        for (int g = 0; g < present; ++g) {
            const Weights w = weigh(step, values[first + g]);
            c[g] = w.b - w.q * s[g];
            q[g] = w.q;
            right_side_x += static_cast<double>(w.b) * s[g];
        }
        add(z, c, stride, v.residual);
        add_squares(z, q, stride, v.inverse);
    });
    for (int64_t j = 0; j < stride; j += kWidth) {
        const Vec d = load(v.inverse + j);
        store(v.inverse + j, d > 0 ? 1 / d : Vec{});
    }
    return right_side_x;
}

// direction' A direction, and A direction in v.image where it is wanted.
template <bool kWanted, class Pairs>
static double apply(const HalfStep& step, const Pairs& pairs, const float* values, int64_t count, const Vectors& v,
                    const float* zero) {
    const int64_t stride = step.stride;
    if (kWanted)
        for (int64_t j = 0; j < stride; j += kWidth) store(v.image + j, load(v.diagonal + j) * load(v.direction + j));
    double curvature = weighted_square(v.direction, v.diagonal, stride);
    each_group(pairs, count, zero, [&](const auto& z, int64_t first, int present) {
        float s[kGroup], c[kGroup] = {};
        dots(z, v.direction, stride, s);
        for (int g = 0; g < present; ++g) {
            c[g] = weigh(step, values[first + g]).q * s[g];
            curvature += static_cast<double>(c[g]) * s[g];
        }
        if (kWanted) add(z, c, stride, v.image);
    });
    return curvature;
}

// Preconditioned conjugate gradients from x; returns x'Ax - 2r'x. The last step needs the curvature only, not A's image.
template <class Pairs>
static double solve_primal(const HalfStep& step, const Pairs& pairs, const float* values, int64_t count, float* x,
                           const Vectors& v, const float* zero) {
    const int64_t stride = step.stride;
    const double right_side_x = start(step, pairs, values, count, x, v, zero);
    double objective = -right_side_x - dot(x, v.residual, stride);
    double rho = weighted_square(v.residual, v.inverse, stride);
    const double enough = step.tolerance * step.tolerance * (rho + (right_side_x > 0 ? right_side_x : 0));
    for (int64_t j = 0; j < stride; j += kWidth) store(v.direction + j, load(v.inverse + j) * load(v.residual + j));
    for (int s = 1; s <= step.steps && rho > enough; ++s) {
        const bool last = s == step.steps;
        const double curvature = last ? apply<false>(step, pairs, values, count, v, zero)
                                      : apply<true>(step, pairs, values, count, v, zero);
        if (!(curvature > 0)) return curvature == 0 ? objective : __builtin_nan("");
        const double length = rho / curvature;
        const float a = static_cast<float>(length);
        objective -= length * rho;
        for (int64_t j = 0; j < stride; j += kWidth) store(x + j, load(x + j) + a * load(v.direction + j));
        if (last) break;
        for (int64_t j = 0; j < stride; j += kWidth) store(v.residual + j, load(v.residual + j) - a * load(v.image + j));
        const double before = rho;
        rho = weighted_square(v.residual, v.inverse, stride);
        const float turn = static_cast<float>(rho / before);
        for (int64_t j = 0; j < stride; j += kWidth)
            store(v.direction + j, load(v.inverse + j) * load(v.residual + j) + turn * load(v.direction + j));
    }
    return objective;
}

template <class Real>
static void copy_pairs(const Gathered<Real>& from, int64_t count, float* to, int64_t stride) {
    constexpr int64_t kAhead = 8;
    for (int64_t i = 0; i < count; ++i) {
        if (i + kAhead < count) prefetch(from(i + kAhead), stride);
        const Real* z = from(i);
        for (int64_t j = 0; j < stride; j += kWidth) store(to + i * stride + j, load(z + j));
    }
}

template <class Real>
static double solve_row(const HalfStep& step, int64_t row, float* x, Scratch& scratch) {
    const int64_t begin = step.indptr[row], count = step.indptr[row + 1] - begin, stride = step.stride;
    const float* values = step.values + begin;
    const Vectors v(scratch.vectors, stride);
    const float ridge = step.ridge[row * step.ridge_step];
    for (int64_t j = 0; j < stride; j += kWidth) store(v.diagonal + j, load(step.dense + j) + ridge);
    const Gathered<Real> gathered{static_cast<const Real*>(step.fixed), step.indices + begin, stride};
    if (count > scratch.room) return solve_primal(step, gathered, values, count, x, v, scratch.zero);
    copy_pairs(gathered, count, scratch.pairs, stride);
    return solve_primal(step, Copied{scratch.pairs, stride}, values, count, x, v, scratch.zero);
}

static void solve(const HalfStep& step, int64_t begin, int64_t end, Scratch& scratch) {
    const int64_t k = step.factors, stride = step.stride, count = end - begin;
    for (int64_t i = 0; i < count; ++i)
        copy_padded(step.solution + step.order[begin + i] * k, k, scratch.other + i * stride, stride);
    multiply(scratch.other, count, step.into, scratch.tile);
    for (int64_t i = 0; i < count; ++i) {
        const int64_t row = step.order[begin + i];
        float* x = scratch.tile + i * stride;
        if (step.indptr[row] == step.indptr[row + 1]) {
            __builtin_memset(x, 0, sizeof(float) * stride);
            step.objective[row] = 0;
        } else {
            step.objective[row] = step.half ? solve_row<Half>(step, row, x, scratch) : solve_row<float>(step, row, x, scratch);
        }
    }
    multiply(scratch.tile, count, step.back, scratch.other);
    for (int64_t i = 0; i < count; ++i) {
        const int64_t row = step.order[begin + i];
        const float* x = scratch.other + i * stride;
        float* kept = step.solution + row * k;
        if (step.extrapolated)
            for (int64_t j = 0; j < k; ++j) step.extrapolated[row * k + j] = x[j] + step.momentum * (x[j] - kept[j]);
        __builtin_memcpy(kept, x, sizeof(float) * k);
    }
}

}  // namespace RECSYS_LEVEL
