// Conjugate gradients on the system of one row, A x = D x + sum of q_i z_i (z_i . x); solve.h says what the letters mean.
//
// Each step is a pass over the row's pairs and some work on vectors between the passes, so that one row may be worked on
// from its first step to its last (here), or many rows together, pass by pass (lockstep.h).
#pragma once

#include "pairs.h"

namespace RECSYS_LEVEL {

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

// Before the first pass: what the residual r - A x and the diagonal of A are without any pairs.
static RECSYS_INLINE void prepare(const float* x, const Vectors& v) {
    for (int64_t j = 0; j < v.stride; j += kWidth) {
        store(v.residual + j, -load(v.diagonal + j) * load(x + j));
        store(v.inverse + j, load(v.diagonal + j));
    }
}

// The first pass: adds some pairs to the residual and to the diagonal; returns their part of r'x.
template <int kHeld, class Pairs, class Meanwhile>
static RECSYS_INLINE double look(const HalfStep& step, const Row& row, const Pairs& pairs, Meanwhile meanwhile, float* x,
                                 const Vectors& v) {
    const Operand<kHeld> at(x, v.stride);
    Operand<kHeld> residual(v.residual, v.stride), diagonal(v.inverse, v.stride);
    Wide right_side_x{};
    row.each_group(pairs, meanwhile, [&](const auto& z, Quad value, int64_t) RECSYS_INLINE_LAMBDA {
        const Weights w(step, value);
        const Quad s = dots(z, at);
        right_side_x += __builtin_convertvector(w.b * s, Wide);
        add_with_squares(z, w.b - w.q * s, w.q, residual, diagonal);
    });
    residual.keep(v.residual);
    diagonal.keep(v.inverse);
    return sum(right_side_x);
}

// Before each later pass: what A direction is without any pairs.
static RECSYS_INLINE void spread(const Vectors& v) {
    for (int64_t j = 0; j < v.stride; j += kWidth) store(v.image + j, load(v.diagonal + j) * load(v.direction + j));
}

// A later pass: adds some pairs to A direction, where it is wanted; returns their part of direction' A direction.
template <int kHeld, bool kWanted, class Pairs, class Meanwhile>
static RECSYS_INLINE double press(const HalfStep& step, const Row& row, const Pairs& pairs, Meanwhile meanwhile,
                                  const Vectors& v) {
    const Operand<kHeld> direction(v.direction, v.stride);
    Operand<kHeld> image(v.image, v.stride);
    Wide curvature{};
    row.each_group(pairs, meanwhile, [&](const auto& z, Quad value, int64_t) RECSYS_INLINE_LAMBDA {
        const Quad s = dots(z, direction), c = Weights(step, value).q * s;
        curvature += __builtin_convertvector(c * s, Wide);
        if (kWanted) add(z, c, image);
    });
    if (kWanted) image.keep(v.image);
    return sum(curvature);
}

// How far a row has come between two passes.
struct Search {
    double objective;  // x'Ax - 2r'x
    double rho, enough;  // squared length of the residual, in the preconditioner's norm, and the one that is small enough
    bool over;

    // After the first pass: inverts the diagonal and chooses the first direction.
    RECSYS_INLINE Search(const HalfStep& step, double right_side_x, const float* x, const Vectors& v) {
        constexpr double kRounding = 1e-14;  // square of the relative residual that single precision can reach
        for (int64_t j = 0; j < v.stride; j += kWidth) {
            const Vec d = load(v.inverse + j);
            store(v.inverse + j, d > 0 ? 1 / d : Vec{});
        }
        objective = -right_side_x - dot(x, v.residual, v.stride);
        rho = weighted_square(v.residual, v.inverse, v.stride);
        const double wanted = step.tolerance * step.tolerance;
        enough = (wanted > kRounding ? wanted : kRounding) * (rho + (right_side_x > 0 ? right_side_x : 0));
        over = step.steps < 1 || !(rho > enough);
        for (int64_t j = 0; j < v.stride; j += kWidth) store(v.direction + j, load(v.inverse + j) * load(v.residual + j));
    }

    // After a later pass, which gave the pairs' part of the curvature: goes there, and turns unless it was the last.
    RECSYS_INLINE void advance(double curvature, bool last, float* x, const Vectors& v) {
        curvature += weighted_square(v.direction, v.diagonal, v.stride);
        over = last || !(curvature > 0);
        if (!(curvature > 0)) {
            if (curvature != 0) objective = __builtin_nan("");
            return;
        }
        const double length = rho / curvature;
        const float a = static_cast<float>(length);
        objective -= length * rho;
        for (int64_t j = 0; j < v.stride; j += kWidth) store(x + j, load(x + j) + a * load(v.direction + j));
        if (last) return;
        for (int64_t j = 0; j < v.stride; j += kWidth) store(v.residual + j, load(v.residual + j) - a * load(v.image + j));
        const double before = rho;
        rho = weighted_square(v.residual, v.inverse, v.stride);
        over = !(rho > enough);
        const float turn = static_cast<float>(rho / before);
        for (int64_t j = 0; j < v.stride; j += kWidth)
            store(v.direction + j, load(v.inverse + j) * load(v.residual + j) + turn * load(v.direction + j));
    }
};

// Preconditioned conjugate gradients from x; returns x'Ax - 2r'x. The last step needs the curvature only, not A's image.
template <int kHeld, class First, class Pairs, class Meanwhile>
static RECSYS_INLINE double solve_primal(const HalfStep& step, const Row& row, const First& first, const Pairs& pairs,
                                         Meanwhile meanwhile, float* x, const Vectors& v) {
    prepare(x, v);
    Search search(step, look<kHeld>(step, row, first, meanwhile, x, v), x, v);
    for (int s = 1; !search.over; ++s) {
        const bool last = s == step.steps;
        if (last) {
            search.advance(press<kHeld, false>(step, row, pairs, meanwhile, v), last, x, v);
        } else {
            spread(v);
            search.advance(press<kHeld, true>(step, row, pairs, meanwhile, v), last, x, v);
        }
    }
    return search.objective;
}

}  // namespace RECSYS_LEVEL
