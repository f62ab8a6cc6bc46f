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
#pragma once

#include "pairs.h"

namespace RECSYS_LEVEL {

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
template <class Pairs, class Meanwhile>
static RECSYS_INLINE double start(const HalfStep& step, const Row& row, const Pairs& pairs, Meanwhile meanwhile, const float* x,
                                  const Vectors& v) {
    for (int64_t j = 0; j < v.stride; j += kWidth) {
        store(v.residual + j, -load(v.diagonal + j) * load(x + j));
        store(v.inverse + j, load(v.diagonal + j));
    }
    Wide right_side_x{};
    row.each_group(pairs, meanwhile, [&](const auto& z, Quad value, int64_t) RECSYS_INLINE_LAMBDA {
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
template <bool kWanted, class Pairs, class Meanwhile>
static RECSYS_INLINE double apply(const HalfStep& step, const Row& row, const Pairs& pairs, Meanwhile meanwhile,
                                  const Vectors& v) {
    if (kWanted)
        for (int64_t j = 0; j < v.stride; j += kWidth) store(v.image + j, load(v.diagonal + j) * load(v.direction + j));
    Wide curvature{};
    row.each_group(pairs, meanwhile, [&](const auto& z, Quad value, int64_t) RECSYS_INLINE_LAMBDA {
        const Quad s = dots(z, v.direction, v.stride), c = Weights(step, value).q * s;
        curvature += __builtin_convertvector(c * s, Wide);
        if (kWanted) add(z, c, v.stride, v.image);
    });
    return sum(curvature) + weighted_square(v.direction, v.diagonal, v.stride);
}

// Preconditioned conjugate gradients from x; returns x'Ax - 2r'x. The last step needs the curvature only, not A's image.
template <class First, class Pairs, class Meanwhile>
static RECSYS_INLINE double solve_primal(const HalfStep& step, const Row& row, const First& first, const Pairs& pairs,
                                         Meanwhile meanwhile, float* x, const Vectors& v) {
    const double right_side_x = start(step, row, first, meanwhile, x, v);
    double objective = -right_side_x - dot(x, v.residual, v.stride);
    double rho = weighted_square(v.residual, v.inverse, v.stride);
    constexpr double kRounding = 1e-14;  // square of the relative residual that single precision can reach
    const double wanted = step.tolerance * step.tolerance;
    const double enough = (wanted > kRounding ? wanted : kRounding) * (rho + (right_side_x > 0 ? right_side_x : 0));
    for (int64_t j = 0; j < v.stride; j += kWidth) store(v.direction + j, load(v.inverse + j) * load(v.residual + j));
    for (int s = 1; s <= step.steps && rho > enough; ++s) {
        const bool last = s == step.steps;
        const double curvature = last ? apply<false>(step, row, pairs, meanwhile, v) : apply<true>(step, row, pairs, meanwhile, v);
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

// -u'As - s'Au over a symmetric n x n matrix A, of which the lower triangle and the diagonal are given, halved.
static double between(const float* lower, const float* diagonal, int64_t n, int64_t stride, const float* u, const float* s) {
    double total = 0;
    for (int64_t i = 0; i < n; ++i) {
        float with_s = 0, with_u = 0;
        for (int64_t j = 0; j < i; ++j) with_s += lower[i * stride + j] * s[j];
        for (int64_t j = 0; j < i; ++j) with_u += lower[i * stride + j] * u[j];
        total -= static_cast<double>(u[i] * with_s) + static_cast<double>(s[i] * with_u) +
                 static_cast<double>(u[i] * diagonal[i]) * s[i];
    }
    return total;
}

// The dual form of few pairs, whose columns lie in `pairs`: x, and x'Ax - 2r'x; NaN where it does not apply.
static RECSYS_INLINE double solve_dual(const HalfStep& step, const Row& row, const int32_t* columns, float* pairs, float* x,
                                       const Vectors& v, float* system) {
    const int64_t n = row.count, width = (n + kGroup - 1) / kGroup * kGroup;
    float *right = system + width * width, *root = right + width, *s = root + width, *diagonal = s + width;
    for (int64_t j = 0; j < v.stride; j += kWidth) {
        const Vec d = load(v.diagonal + j);
        Vec scale = d > 0 ? 1 / d : Vec{};
        for (int lane = 0; lane < kWidth; ++lane) scale[lane] = __builtin_sqrtf(scale[lane]);
        store(v.inverse + j, scale);
    }
    for (int64_t i = 0; i < n; ++i) {
        const float c = step.alpha * row.values[i], q = (c > 0 ? c : -c) - step.replaced;
        if (q < 0) return __builtin_nan("");
        const float b = c > 0 ? c : 0;
        root[i] = __builtin_sqrtf(q > 1e-10f * b ? q : 1e-10f * b) + 1e-15f;  // q = 0 has no root to divide by
        s[i] = right[i] = b / root[i];
        for (int64_t j = 0; j < v.stride; j += kWidth)
            store(pairs + i * v.stride + j, load(pairs + i * v.stride + j) * load(v.inverse + j));
    }
    const Copied<float> scaled{pairs, v.stride};
    for (int64_t j = 0; j < n; ++j)  // R R' without its weights
        row.prefix(j + 1).each_group(scaled, [&](const auto& z, Quad, int64_t i) RECSYS_INLINE_LAMBDA {
            const Quad products = dots(z, scaled(j), v.stride);
            for (int64_t g = 0; g < kGroup && i + g <= j; ++g)
                system[j * width + i + g] = system[(i + g) * width + j] = products[g];
        });
    for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j < n; ++j) system[i * width + j] *= root[i] * root[j];
        diagonal[i] = system[i * width + i];
        system[i * width + i] += 1;
    }
    if (!solve_positive(system, n, width, s)) return __builtin_nan("");
    const double objective = between(system, diagonal, n, width, right, s);  // -r'x at the solution
    for (int64_t i = 0; i < n; ++i) s[i] *= root[i];                           // t
    for (int64_t i = n; i < width; ++i) s[i] = 0;
    __builtin_memset(x, 0, sizeof(float) * v.stride);
    const auto add_up = [&](const auto& z, Quad, int64_t i) RECSYS_INLINE_LAMBDA {
        add(z, Quad{s[i], s[i + 1], s[i + 2], s[i + 3]}, v.stride, x);
    };
    if (step.direct) {
        row.each_group([&](int64_t i) { return step.direct + columns[i] * v.stride; }, add_up);
        return objective;
    }
    row.each_group(scaled, add_up);
    for (int64_t j = 0; j < v.stride; j += kWidth) store(x + j, load(x + j) * load(v.inverse + j));
    return objective;
}

// Row u, and `next` the one that comes after it; `back` says whether x is to be brought back from the half-step's basis. kStride is the padded row length where it is known while compiling, else 0.
template <class Real, int64_t kStride>
static double solve_row(const HalfStep& step, int64_t u, int64_t next, float* x, Scratch& scratch, bool& back) {
    const int64_t begin = step.indptr[u], count = step.indptr[u + 1] - begin, stride = kStride ? kStride : step.stride;
    const Vectors v(scratch.vectors, stride);
    const float ridge = step.ridge[u * step.ridge_step];
    for (int64_t j = 0; j < stride; j += kWidth) store(v.diagonal + j, load(step.dense + j) + ridge);
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
        objective = solve_primal(step, row, copying, Copied<float>{scratch.pairs, stride}, meanwhile, x, v);
    } else if (count <= scratch.room) {
        Real* pairs = reinterpret_cast<Real*>(scratch.pairs);
        objective = solve_primal(step, row, Copying<Real, Real>{gathered, pairs}, Copied<Real>{pairs, stride}, meanwhile, x, v);
    } else {
        objective = solve_primal(step, row, gathered, gathered, meanwhile, x, v);
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

// Writes a solution, and what is extrapolated from the way it went, in rows that end with zeros.
static void keep(const HalfStep& step, int64_t row, const float* x, float* work) {
    const int64_t k = step.factors, stride = step.stride;
    float* kept = step.solution + row * k;
    const float* told = x;
    if (step.extrapolated) {
        for (int64_t j = 0; j < k; ++j) work[j] = x[j] + step.momentum * (x[j] - kept[j]);
        for (int64_t j = k; j < stride; ++j) work[j] = 0;
        told = work;
    }
    Wide squares{};
    for (int64_t j = 0; j < stride; j += 4) {
        Quad q;
        __builtin_memcpy(&q, told + j, sizeof q);
        const Wide w = __builtin_convertvector(q, Wide);
        squares += w * w;
    }
    step.squares[row] = sum(squares);
    __builtin_memcpy(kept, x, sizeof(float) * k);
    if (!step.extrapolated) return;
    for (int64_t j = 0; j < stride; j += kWidth) {
        const Vec v = step.scale * load(work + j);
        if (step.extrapolated_half) store(static_cast<Half*>(step.extrapolated) + row * stride + j, v);
        else store(static_cast<float*>(step.extrapolated) + row * stride + j, v);
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
    for (int64_t i = 0; i < warm; ++i) copy_padded(step.solution + rows[i] * k, k, scratch.other + i * stride, stride);
    multiply(scratch.other, warm, step.into, scratch.tile);
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
    multiply(scratch.tile, together, step.back, scratch.other);
    for (int64_t i = together; i < count; ++i) {  // what a product writes beyond its last row is written again
        float *x = scratch.tile + i * stride, *out = scratch.other + i * stride;
        if (back[i]) multiply(x, 1, step.back, out);
        else __builtin_memcpy(out, x, sizeof(float) * stride);
    }
    for (int64_t i = 0; i < count; ++i) keep(step, rows[i], scratch.other + i * stride, scratch.vectors);
}

}  // namespace RECSYS_LEVEL
