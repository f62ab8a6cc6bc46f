// How solutions go where they belong.
#pragma once

#include "dense.h"

namespace RECSYS_LEVEL {

// A tile of solutions as they are kept: brought back from the basis, or left there.
static void bring_back(const HalfStep& step, const float* tile, int64_t rows, float* out) {
    if (step.back.data) return multiply(tile, rows, step.back, out);
    for (int64_t j = 0; j < rows * step.stride; j += kWidth) store(out + j, step.unit * load(tile + j));
}

// Writes a solution, and what is extrapolated from the way it went from `start`, in rows that end with zeros.
static void keep(const HalfStep& step, int64_t row, const float* x, const float* start, float* work) {
    const int64_t k = step.factors, stride = step.stride;
    float* kept = step.solution + row * k;
    const float* told = x;
    if (step.extrapolated) {
        for (int64_t j = 0; j < k; ++j) work[j] = x[j] + step.momentum * (x[j] - start[j]);
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

}  // namespace RECSYS_LEVEL
