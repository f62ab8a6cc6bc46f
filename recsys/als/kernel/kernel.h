// What the levels offer to the bindings: plain structures and functions on one tile of work, no memory, no threads.
#pragma once

#include <cstdint>

struct Half {
    uint16_t bits;
};

// A tall matrix as it comes: single precision, or half precision in rows that are padded with zeros to whole vectors.
struct Tall {
    const void* data;
    bool half;
    int64_t row;  // numbers from one row to the next
    const float* floats(int64_t r) const { return static_cast<const float*>(data) + r * row; }
    const Half* halves(int64_t r) const { return static_cast<const Half*>(data) + r * row; }
};

// Rows handled together; a multiple of every level's register tile. A tile has room for one register tile more.
constexpr int64_t kTile = 96;
constexpr int64_t kTileRoom = kTile + 12;

// Rows whose products a Gram matrix sums in single precision before it adds them up in double.
constexpr int64_t kSlab = 192;

// Columns of the factors that a Gram matrix takes on together.
constexpr int64_t kBand = 192;

// Factors are stored in rows of a multiple of 32 floats, the rest zero, so that no inner loop has a tail.
constexpr int64_t kPad = 32;
inline int64_t padded(int64_t factors) { return (factors + kPad - 1) / kPad * kPad; }

// A k x k matrix cut into panels of one register tile's width, each panel's rows contiguous.
struct Panels {
    const float* data;
    int64_t stride;  // rows of a panel = padded factors
};

// Products of tall factors with a k x k matrix.
struct Rotation {
    Tall factors;
    int64_t factors_per_row;
    Panels into;
    void* out;      // null, or rows padded with zeros; may be where `factors` are, if its rows are as long and its numbers as wide
    bool half;      // what `out` holds
    float* turned;  // null, or rows of k: unit * the products in single precision; may be where `factors` are, too
    float unit;
};

// One half-step: the rows' factors are solved for while the columns' factors stay fixed.
struct HalfStep {
    const int64_t* indptr;   // rows + 1
    const int32_t* indices;  // columns of the stored pairs
    const float* values;
    const int64_t* order;  // rows, longest first
    int64_t rows;

    float alpha;
    float replaced;  // 1: an observed weight replaces the weight 1 of unobserved pairs; 0: it is added to theirs

    const void* fixed;  // columns x stride, in the basis of `into`
    bool half;          // fixed is stored in half precision
    const float* direct;  // columns x stride or null: what a unit of a column's dual variable adds to a solution
    int64_t columns, factors, stride;

    Panels into, back;    // row factors into the basis of the half-step, and back; null: solutions stay in that basis, ...
    float unit;           // ... multiplied by this, by which the fixed columns were multiplied, too
    const float* dense;   // stride: diagonal of the dense part without ridge
    const float* ridge;   // rows: what each row adds to it, or one value
    int64_t ridge_step;   // 1 or 0
    int steps;            // conjugate gradient steps at most
    double tolerance;     // stop once the residual, in the preconditioner's norm, has fallen to this part of the right side
    int64_t dual_limit;   // rows of at most this many pairs are solved exactly

    float* solution;    // rows x factors: warm start in, solution out
    void* extrapolated; // rows x stride or null: scale * (solution + momentum * (solution - warm start))
    bool extrapolated_half;
    float scale, momentum;
    double* objective;  // rows: x'Ax - 2b'x at the solution; NaN where there is none
    double* squares;    // rows: squared length of the solution, or of what was extrapolated before it was scaled
};

// Bytes of fixed columns that are to stay in a core's own second-level cache while they are worked on.
constexpr int64_t kSecondCacheBytes = 256 << 10;
constexpr int64_t kColumnTileBytes = 512 << 10;

// Rows of more pairs are solved in lock-step: they neither fit into the cache nor have few pairs in a tile of columns.
inline int64_t longest_alone(const HalfStep& step) {
    constexpr int64_t kPairsInTile = 6;
    const int64_t bytes = step.stride * (step.half ? 2 : 4), in_cache = kSecondCacheBytes / bytes;
    const int64_t tiles = step.columns * bytes / kColumnTileBytes + 1, of_some_use = kPairsInTile * tiles;
    return in_cache > of_some_use ? in_cache : of_some_use;
}

// Per-thread memory, parts of one block of floats that the bindings hold.
struct Scratch {
    float* tile;
    float* other;
    float* start;  // null, or a tile for the warm starts in the basis
    float* vectors;
    float* pairs;
    float* system;
    float* zero;
    int64_t room;  // pairs that `pairs` holds
};

// Rows that are solved in lock-step at once: their state takes the place of `pairs`.
constexpr int64_t kStateFloats = 32, kStateVectors = 6;
inline int64_t floats_together(int64_t stride, int64_t rows) { return rows * (kStateVectors * stride + kStateFloats); }
inline int64_t rows_together(const HalfStep& step, int64_t room) { return room * step.stride / floats_together(step.stride, 1); }

// Whether the warm starts are needed to the end, in the basis: where solutions stay there and are extrapolated.
inline bool keeps_start(const HalfStep& step) { return !step.back.data && step.extrapolated; }

// The best items of each user. Items lie in panels: panel p holds, factor by factor, items p * panel .. of `ids`.
struct TopK {
    const float* panels;
    const float* longest;  // per panel: length of its longest item; never increasing
    const int32_t* ids;    // id of each position
    int64_t items, factors, stride;

    const float* queries;         // users x factors
    const int64_t* seen_indptr;   // or null: items that a user is not to get, sorted
    const int32_t* seen_indices;

    int64_t wanted, room;  // places per user; candidates kept while searching
    int32_t* best_ids;     // users x wanted
    float* best_scores;
};

constexpr int64_t kCandidateBytes = 8;

struct Level {
    const char* name;
    int64_t panel;  // columns of a panel
    bool (*supported)();
    void (*gram)(Tall factors, int64_t begin, int64_t end, int64_t k, int64_t first, double* out, float* work);
    void (*rotate)(const Rotation& task, int64_t begin, int64_t end, float* work);
    void (*solve)(const HalfStep& step, int64_t begin, int64_t end, Scratch& scratch);
    void (*solve_together)(const HalfStep& step, int64_t first, int64_t every, int64_t count, Scratch& scratch);
    void (*best)(const TopK& task, int64_t begin, int64_t end, float* queries, void* memory);
};
