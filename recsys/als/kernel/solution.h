// How solutions go where they belong.
#pragma once

#include "dense.h"

namespace RECSYS_LEVEL {

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

}  // namespace RECSYS_LEVEL
