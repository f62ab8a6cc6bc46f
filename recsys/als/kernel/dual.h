// The system of one row of few pairs, solved exactly in as many unknowns as it has pairs; solve.h says what the letters mean.
#pragma once

#include "pairs.h"

namespace RECSYS_LEVEL {

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
            const Quad products = dots(z, Operand<0>(pairs + j * v.stride, v.stride));
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
    Operand<0> solution(x, v.stride);
    const auto add_up = [&](const auto& z, Quad, int64_t i) RECSYS_INLINE_LAMBDA {
        add(z, Quad{s[i], s[i + 1], s[i + 2], s[i + 3]}, solution);
    };
    if (step.direct) {
        row.each_group([&](int64_t i) { return step.direct + columns[i] * v.stride; }, add_up);
        return objective;
    }
    row.each_group(scaled, add_up);
    for (int64_t j = 0; j < v.stride; j += kWidth) store(x + j, load(x + j) * load(v.inverse + j));
    return objective;
}

}  // namespace RECSYS_LEVEL
