// The dense work: products of tall factor matrices with k x k matrices, and Gram matrices, in register tiles.
#pragma once

#include "simd.h"

namespace RECSYS_LEVEL {

constexpr int64_t kPanel = 2 * kWidth;

// c[m][:] += sum over d of a[m * row_step + d * depth_step] * b[d][:], for kRegisterRows rows and one panel of columns.
static inline void product(const float* a, int64_t row_step, int64_t depth_step, const float* b, int64_t depth,
                           Vec (&c)[kRegisterRows][2]) {
#pragma GCC unroll 16
    for (int m = 0; m < kRegisterRows; ++m) c[m][0] = c[m][1] = Vec{};
    for (int64_t d = 0; d < depth; ++d) {
        const Vec left = load(b + d * kPanel), right = load(b + d * kPanel + kWidth);
#pragma GCC unroll 16
        for (int m = 0; m < kRegisterRows; ++m) {
            const float x = a[m * row_step + d * depth_step];
            c[m][0] += x * left;
            c[m][1] += x * right;
        }
    }
}

// out = in * panels for up to kTile rows of `stride` floats; rows beyond the last are computed and harmless.
template <class Out>
static void multiply(const float* in, int64_t rows, Panels panels, Out* out) {
    const int64_t stride = panels.stride;
    Vec c[kRegisterRows][2];
    for (int64_t col = 0; col < stride; col += kPanel)
        for (int64_t row = 0; row < rows; row += kRegisterRows) {
            product(in + row * stride, stride, 1, panels.data + col * stride, stride, c);
            for (int m = 0; m < kRegisterRows; ++m) {
                store(out + (row + m) * stride + col, c[m][0]);
                store(out + (row + m) * stride + col + kWidth, c[m][1]);
            }
        }
}

// Copies `count` floats and fills up to `stride` with zeros.
static inline void copy_padded(const float* from, int64_t count, float* to, int64_t stride) {
    __builtin_memcpy(to, from, sizeof(float) * count);
    for (int64_t i = count; i < stride; ++i) to[i] = 0;
}

// Copies a row in single precision and fills up to `stride` with zeros.
static inline void copy_row(const Tall& factors, int64_t r, int64_t k, float* to, int64_t stride) {
    if (!factors.half) return copy_padded(factors.floats(r), k, to, stride);
    for (int64_t j = 0; j < stride; j += kWidth) store(to + j, load(factors.halves(r) + j));
}

static void rotate(const Rotation& task, int64_t begin, int64_t end, float* work) {
    const int64_t stride = task.into.stride, k = task.factors_per_row;
    float* tile = work;
    float* product_tile = work + kTile * stride;
    for (int64_t row = begin; row < end; row += kTile) {
        const int64_t count = end - row < kTile ? end - row : kTile;
        for (int64_t i = 0; i < count; ++i) copy_row(task.factors, row + i, k, tile + i * stride, stride);
        multiply(tile, count, task.into, product_tile);
        for (int64_t i = 0; task.out && i < count * stride; i += kWidth) {
            const Vec v = load(product_tile + i);
            if (task.half) store(static_cast<Half*>(task.out) + row * stride + i, v);
            else store(static_cast<float*>(task.out) + row * stride + i, v);
        }
        if (task.turned)
            for (int64_t i = 0; i < count; ++i)
                for (int64_t j = 0; j < k; ++j) task.turned[(row + i) * k + j] = task.unit * product_tile[i * stride + j];
    }
}

// Copies columns first .. first + kColumns of some rows; columns beyond k are zero.
template <int kColumns>
static void pack(const float* factors, int64_t rows, int64_t row, int64_t k, int64_t first, float* out) {
    if (first + kColumns <= k)
        for (int64_t r = 0; r < rows; ++r)
            __builtin_memcpy(out + r * kColumns, factors + r * row + first, sizeof(float) * kColumns);
    else
        for (int64_t r = 0; r < rows; ++r)
            copy_padded(factors + r * row + first, k > first ? k - first : 0, out + r * kColumns, kColumns);
}

// Adds to `out` (k x k) the rows first .. first + kBand of F'F from the diagonal on, over F's rows begin .. end.
static void gram(Tall factors, int64_t begin, int64_t end, int64_t k, int64_t first, double* out, float* work) {
    constexpr int64_t kBands = kBand / kRegisterRows;
    float* right = work + kSlab * kBand;
    float* single = right + kSlab * kPanel;
    float sums[kPanel];
    Vec c[kRegisterRows][2];
    for (int64_t row = begin; row < end; row += kSlab) {
        const int64_t depth = end - row < kSlab ? end - row : kSlab;
        const float* block = factors.half ? single : factors.floats(row);
        if (factors.half)
            for (int64_t r = 0; r < depth; ++r) copy_row(factors, row + r, k, single + r * factors.row, factors.row);
        for (int64_t band = 0; band < kBands && first + band * kRegisterRows < k; ++band)
            pack<kRegisterRows>(block, depth, factors.row, k, first + band * kRegisterRows, work + band * kSlab * kRegisterRows);
        for (int64_t col = first; col < k; col += kPanel) {
            pack<kPanel>(block, depth, factors.row, k, col, right);
            const int64_t wide = k - col < kPanel ? k - col : kPanel;
            for (int64_t top = first; top < first + kBand && top < k && top < col + kPanel; top += kRegisterRows) {
                product(work + (top - first) * kSlab, 1, kRegisterRows, right, depth, c);
                for (int64_t m = 0; m < kRegisterRows && top + m < k; ++m) {
                    __builtin_memcpy(sums, c[m], sizeof sums);
                    double* to = out + (top + m) * k + col;
                    for (int64_t j = 0; j < wide; ++j) to[j] += sums[j];
                }
            }
        }
    }
}

}  // namespace RECSYS_LEVEL
