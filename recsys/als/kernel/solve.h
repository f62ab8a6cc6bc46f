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
//            (I + R R') s = b / sqrt(q)  with  R = sqrt(q) Z D^-1/2.
#pragma once

#include "dense.h"

namespace RECSYS_LEVEL {

constexpr int kGroup = 4;  // pairs handled together in the inner loops

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

// A row's pairs where they lie in the matrix of fixed factors.
template <class Real>
struct Gathered {
    const Real* fixed;
    const int32_t* columns;
    int64_t count, stride;
    const int32_t* next_columns;  // the row that comes after this one: its first pairs are fetched in time
    int64_t next_count;
    RECSYS_INLINE const Real* operator()(int64_t i) const {
        const int64_t ahead = i + kAhead, beyond = ahead - count;
        if (beyond < 0) prefetch(fixed + columns[ahead] * stride, stride);
        else if (beyond < next_count) prefetch(fixed + next_columns[beyond] * stride, stride);
        return fixed + columns[i] * stride;
    }
    static constexpr int64_t kAhead = 32;
};

// The same, copied in single precision to a buffer on the way.
template <class Real>
struct Copying {
    Gathered<Real> from;
    float* to;
    RECSYS_INLINE const float* operator()(int64_t i) const {
        const Real* z = from(i);
        float* copy = to + i * from.stride;
        for (int64_t j = 0; j < from.stride; j += kWidth) store(copy + j, load(z + j));
        return copy;
    }
};

// The pairs in that buffer.
struct Copied {
    const float* pairs;
    int64_t stride;
    RECSYS_INLINE const float* operator()(int64_t i) const { return pairs + i * stride; }
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
        using Pointer = decltype(pairs(0));
        int64_t i = 0;
        Quad value;
        for (; i + kGroup <= count; i += kGroup) {
            const Pointer z[kGroup] = {pairs(i), pairs(i + 1), pairs(i + 2), pairs(i + 3)};
            __builtin_memcpy(&value, values + i, sizeof value);
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
    Vectors(float* memory, int64_t n)
        : stride(n), diagonal(memory), inverse(memory + n), residual(memory + 2 * n), direction(memory + 3 * n),
          image(memory + 4 * n) {}
};

static RECSYS_INLINE float weighted_square(const float* a, const float* weight, int64_t stride) {
    Vec total{};
    for (int64_t j = 0; j < stride; j += kWidth) total += load(a + j) * load(a + j) * load(weight + j);
    return sum(total);
}

static RECSYS_INLINE float dot(const float* a, const float* b, int64_t stride) {
    Vec total{};
    for (int64_t j = 0; j < stride; j += kWidth) total += load(a + j) * load(b + j);
    return sum(total);
}

// Residual r - A x and the inverse of A's diagonal, in one pass over the pairs; returns r'x.
template <class Pairs>
static RECSYS_INLINE double start(const HalfStep& step, const Row& row, const Pairs& pairs, const float* x, const Vectors& v) {
    for (int64_t j = 0; j < v.stride; j += kWidth) {
        store(v.residual + j, -load(v.diagonal + j) * load(x + j));
        store(v.inverse + j, load(v.diagonal + j));
    }
    Wide right_side_x{};
    row.each_group(pairs, [&](const auto& z, Quad value, int64_t) RECSYS_INLINE_LAMBDA {
        const Weights w(step, value);
        const Quad s = dots(z, x, v.stride);
        right_side_x += __builtin_convertvector(w.b * s, Wide);
        add_with_squares(z, w.b - w.q * s, w.q, v.stride, v.residual, v.inverse);
    });
    for (int64_t j = 0; j < v.stride; j += kWidth) {
        const Vec d = load(v.inverse + j);
        store(v.inverse + j, d > 0 ? 1 / d : Vec{});
    }
    return sum(right_side_x);
}

// direction' A direction, and A direction in v.image where it is wanted.
template <bool kWanted, class Pairs>
static RECSYS_INLINE double apply(const HalfStep& step, const Row& row, const Pairs& pairs, const Vectors& v) {
    if (kWanted)
        for (int64_t j = 0; j < v.stride; j += kWidth) store(v.image + j, load(v.diagonal + j) * load(v.direction + j));
    Wide curvature{};
    row.each_group(pairs, [&](const auto& z, Quad value, int64_t) RECSYS_INLINE_LAMBDA {
        const Quad s = dots(z, v.direction, v.stride), c = Weights(step, value).q * s;
        curvature += __builtin_convertvector(c * s, Wide);
        if (kWanted) add(z, c, v.stride, v.image);
    });
    return sum(curvature) + weighted_square(v.direction, v.diagonal, v.stride);
}

// Preconditioned conjugate gradients from x; returns x'Ax - 2r'x. The last step needs the curvature only, not A's image.
template <class First, class Pairs>
static RECSYS_INLINE double solve_primal(const HalfStep& step, const Row& row, const First& first, const Pairs& pairs, float* x,
                                  const Vectors& v) {
    const double right_side_x = start(step, row, first, x, v);
    double objective = -right_side_x - dot(x, v.residual, v.stride);
    double rho = weighted_square(v.residual, v.inverse, v.stride);
    constexpr double kRounding = 1e-14;  // square of the relative residual that single precision can reach
    const double wanted = step.tolerance * step.tolerance;
    const double enough = (wanted > kRounding ? wanted : kRounding) * (rho + (right_side_x > 0 ? right_side_x : 0));
    for (int64_t j = 0; j < v.stride; j += kWidth) store(v.direction + j, load(v.inverse + j) * load(v.residual + j));
    for (int s = 1; s <= step.steps && rho > enough; ++s) {
        const bool last = s == step.steps;
        const double curvature = last ? apply<false>(step, row, pairs, v) : apply<true>(step, row, pairs, v);
        if (!(curvature > 0)) return curvature == 0 ? objective : __builtin_nan("");
        const double length = rho / curvature;
        const float a = static_cast<float>(length);
        objective -= length * rho;
        for (int64_t j = 0; j < v.stride; j += kWidth) store(x + j, load(x + j) + a * load(v.direction + j));
        if (last) break;
        for (int64_t j = 0; j < v.stride; j += kWidth) store(v.residual + j, load(v.residual + j) - a * load(v.image + j));
        const double before = rho;
        rho = weighted_square(v.residual, v.inverse, v.stride);
        const float turn = static_cast<float>(rho / before);
        for (int64_t j = 0; j < v.stride; j += kWidth)
            store(v.direction + j, load(v.inverse + j) * load(v.residual + j) + turn * load(v.direction + j));
    }
    return objective;
}

// Solves U'U s = right in place for the upper triangle U of a positive definite matrix; false if it is not one.
static bool solve_positive(float* matrix, int64_t n, int64_t stride, float* right) {
    for (int64_t j = 0; j < n; ++j) {
        float* pivot_row = matrix + j * stride;
        if (!(pivot_row[j] > 0)) return false;
        const float scale = 1 / __builtin_sqrtf(pivot_row[j]);
        for (int64_t c = j; c < n; ++c) pivot_row[c] *= scale;
        right[j] *= scale;
        for (int64_t i = j + 1; i < n; ++i) {
            const float factor = pivot_row[i];
            float* row = matrix + i * stride;
            for (int64_t c = i; c < n; ++c) row[c] -= factor * pivot_row[c];
            right[i] -= factor * right[j];
        }
    }
    for (int64_t j = n - 1; j >= 0; --j) {
        right[j] /= matrix[j * stride + j];
        for (int64_t i = 0; i < j; ++i) right[i] -= matrix[i * stride + j] * right[j];
    }
    return true;
}

// The dual form of few pairs, whose columns lie in `pairs`: x, and x'Ax - 2r'x; NaN where it does not apply.
static RECSYS_INLINE double solve_dual(const HalfStep& step, const Row& row, float* pairs, float* x, const Vectors& v,
                                       float* system) {
    const int64_t n = row.count, width = (n + kGroup - 1) / kGroup * kGroup;
    float *b = system + width * width, *root = b + width, *t = root + width;
    for (int64_t j = 0; j < v.stride; j += kWidth) {
        const Vec d = load(v.diagonal + j);
        Vec scale = d > 0 ? 1 / d : Vec{};
        for (int lane = 0; lane < kWidth; ++lane) scale[lane] = __builtin_sqrtf(scale[lane]);
        store(v.inverse + j, scale);
    }
    for (int64_t i = 0; i < n; ++i) {
        const float c = step.alpha * row.values[i], q = (c > 0 ? c : -c) - step.replaced;
        if (q < 0) return __builtin_nan("");
        b[i] = c > 0 ? c : 0;
        root[i] = __builtin_sqrtf(q > 1e-10f * b[i] ? q : 1e-10f * b[i]) + 1e-15f;  // q = 0 has no root to divide by
        t[i] = b[i] / root[i];
        for (int64_t j = 0; j < v.stride; j += kWidth)
            store(pairs + i * v.stride + j, load(pairs + i * v.stride + j) * load(v.inverse + j));
    }
    const Copied scaled{pairs, v.stride};
    for (int64_t j = 0; j < n; ++j)  // R R' without its weights
        row.prefix(j + 1).each_group(scaled, [&](const auto& z, Quad, int64_t i) RECSYS_INLINE_LAMBDA {
            const Quad products = dots(z, scaled(j), v.stride);
            for (int64_t g = 0; g < kGroup && i + g <= j; ++g)
                system[j * width + i + g] = system[(i + g) * width + j] = products[g];
        });
    for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j < n; ++j) system[i * width + j] *= root[i] * root[j];
        system[i * width + i] += 1;
    }
    if (!solve_positive(system, n, width, t)) return __builtin_nan("");
    for (int64_t i = 0; i < n; ++i) t[i] *= root[i];
    for (int64_t i = n; i < width; ++i) t[i] = 0;
    __builtin_memset(x, 0, sizeof(float) * v.stride);
    row.each_group(scaled, [&](const auto& z, Quad, int64_t i) RECSYS_INLINE_LAMBDA {
        add(z, Quad{t[i], t[i + 1], t[i + 2], t[i + 3]}, v.stride, x);
    });
    double objective = 0;  // -r'x at the solution
    row.each_group(scaled, [&](const auto& z, Quad, int64_t i) RECSYS_INLINE_LAMBDA {
        const Quad scores = dots(z, x, v.stride);
        for (int64_t g = 0; g < kGroup && i + g < n; ++g) objective -= static_cast<double>(b[i + g]) * scores[g];
    });
    for (int64_t j = 0; j < v.stride; j += kWidth) store(x + j, load(x + j) * load(v.inverse + j));
    return objective;
}

// Row u, whose place in `order` is `place`. kStride is the padded row length where it is known while compiling, else 0.
template <class Real, int64_t kStride>
static double solve_row(const HalfStep& step, int64_t place, float* x, Scratch& scratch) {
    const int64_t u = step.order[place], next = step.order[place + 1 < step.rows ? place + 1 : place];
    const int64_t begin = step.indptr[u], count = step.indptr[u + 1] - begin, stride = kStride ? kStride : step.stride;
    const Vectors v(scratch.vectors, stride);
    const float ridge = step.ridge[u * step.ridge_step];
    for (int64_t j = 0; j < stride; j += kWidth) store(v.diagonal + j, load(step.dense + j) + ridge);
    const Row row{step.values + begin, count, scratch.zero};
    const Gathered<Real> gathered{static_cast<const Real*>(step.fixed), step.indices + begin, count, stride,
                                  step.indices + step.indptr[next], step.indptr[next + 1] - step.indptr[next]};
    const Copying<Real> copying{gathered, scratch.pairs};
    if (count > scratch.room) return solve_primal(step, row, gathered, gathered, x, v);
    if (count <= step.dual_limit) {
        for (int64_t i = 0; i < count; ++i) copying(i);
        const double objective = solve_dual(step, row, scratch.pairs, x, v, scratch.system);
        if (step.tolerance == 0 && objective <= 0) return objective;
        if (!(objective <= 0)) __builtin_memset(x, 0, sizeof(float) * stride);
    }
    return solve_primal(step, row, copying, Copied{scratch.pairs, stride}, x, v);
}

template <class Real>
static double solve_row(const HalfStep& step, int64_t place, float* x, Scratch& scratch) {
    switch (step.stride) {
        case 64: return solve_row<Real, 64>(step, place, x, scratch);
        case 128: return solve_row<Real, 128>(step, place, x, scratch);
        case 256: return solve_row<Real, 256>(step, place, x, scratch);
        default: return solve_row<Real, 0>(step, place, x, scratch);
    }
}

static void solve(const HalfStep& step, int64_t begin, int64_t end, Scratch& scratch) {
    const int64_t k = step.factors, stride = step.stride, count = end - begin;
    for (int64_t i = 0; i < count; ++i)
        copy_padded(step.solution + step.order[begin + i] * k, k, scratch.other + i * stride, stride);
    const int64_t longest = step.indptr[step.order[begin] + 1] - step.indptr[step.order[begin]];
    if (longest > step.dual_limit || step.tolerance > 0) multiply(scratch.other, count, step.into, scratch.tile);
    else __builtin_memset(scratch.tile, 0, sizeof(float) * kTile * stride);
    for (int64_t i = 0; i < count; ++i) {
        const int64_t row = step.order[begin + i];
        float* x = scratch.tile + i * stride;
        if (step.indptr[row] == step.indptr[row + 1]) {
            __builtin_memset(x, 0, sizeof(float) * stride);
            step.objective[row] = 0;
        } else {
            step.objective[row] = step.half ? solve_row<Half>(step, begin + i, x, scratch)
                                            : solve_row<float>(step, begin + i, x, scratch);
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
