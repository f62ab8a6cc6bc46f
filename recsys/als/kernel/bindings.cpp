// Python's door to the kernel: checks shapes, owns memory and threads, and calls one level's functions on tiles of work.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernel.h"
#include "threads.h"

namespace nb = nanobind;

#define RECSYS_DECLARE(name) \
    namespace name {         \
    extern const Level level; \
    }
RECSYS_DECLARE(baseline)
#ifdef RECSYS_HAS_v3
RECSYS_DECLARE(v3)
#endif
#ifdef RECSYS_HAS_v4
RECSYS_DECLARE(v4)
#endif

namespace {

template <class T>
using Matrix = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Anything = nb::ndarray<nb::ro, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using Array = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

std::vector<const Level*> supported_levels() {
    std::vector<const Level*> levels;
    for (const Level* level : {
#ifdef RECSYS_HAS_v4
             &v4::level,
#endif
#ifdef RECSYS_HAS_v3
             &v3::level,
#endif
             &baseline::level})
        if (level->supported()) levels.push_back(level);
    return levels;
}

const Level& find_level(const std::string& name) {
    for (const Level* level : supported_levels())
        if (name == level->name) return *level;
    throw std::invalid_argument("this processor or build has no level '" + name + "'");
}

void require(bool holds, const char* what) {
    if (!holds) throw std::invalid_argument(what);
}

// Floats aligned to a cache line, all zero; pages that are never touched cost nothing.
class Memory {
   public:
    explicit Memory(size_t floats) : storage_(static_cast<float*>(std::calloc(floats + 16, sizeof(float))), &std::free) {
        if (!storage_) throw std::bad_alloc();
    }
    float* data() {
        const auto address = reinterpret_cast<uintptr_t>(storage_.get());
        return reinterpret_cast<float*>((address + 63) / 64 * 64);
    }

   private:
    std::unique_ptr<float, decltype(&std::free)> storage_;
};

constexpr int64_t kDualLimit = 256;  // rows of more pairs are never solved in their dual form

size_t gram_floats(const Level& level, const Tall& factors) {
    return kSlab * (kBand + level.panel + (factors.half ? factors.row : 0));
}

// Takes single precision in rows of `k`, or half precision in padded rows.
Tall tall(const Anything& factors, int64_t k) {
    const bool half = factors.dtype() == nb::dtype<uint16_t>();
    require(half || factors.dtype() == nb::dtype<float>(), "factors are float32 or uint16");
    const int64_t row = factors.shape(1);
    require(row == padded(k) || (!half && row == k), "factors have k columns, or padded rows");
    return Tall{factors.data(), half, row};
}

// Borders of tiles of rows: at most kTile rows, fewer where rows are long, so that no thread is left with the last long rows.
std::vector<int64_t> cut_tiles(const int64_t* indptr, const int64_t* order, int64_t first, int64_t rows) {
    constexpr int64_t kPairs = 16384;
    std::vector<int64_t> borders{first};
    for (int64_t at = first; at < rows;) {
        int64_t pairs = 0, end = at;
        while (end < rows && end - at < kTile && (end == at || pairs < kPairs)) {
            pairs += indptr[order[end] + 1] - indptr[order[end]];
            ++end;
        }
        borders.push_back(at = end);
    }
    return borders;
}

// The rows at the beginning of the order that are long enough to be solved in lock-step.
int64_t count_long(const HalfStep& step) {
    const int64_t longest = std::max(longest_alone(step), step.dual_limit);
    int64_t count = 0;
    while (count < step.rows && step.indptr[step.order[count] + 1] - step.indptr[step.order[count]] > longest) ++count;
    return count;
}

// Cuts a multiple of a k x k matrix into panels; what lies beyond k is zero.
class PackedBasis {
   public:
    PackedBasis(Matrix<const float> matrix, int64_t panel, float times)
        : stride_(padded(matrix.shape(0))), memory_(stride_ * stride_) {
        require(matrix.shape(0) == matrix.shape(1), "a basis is square");
        const int64_t k = matrix.shape(0);
        for (int64_t row = 0; row < k; ++row)
            for (int64_t col = 0; col < k; col += panel)
                std::transform(matrix.data() + row * k + col, matrix.data() + row * k + std::min(col + panel, k),
                               memory_.data() + col * stride_ + row * panel, [&](float x) { return times * x; });
    }
    Panels panels() { return {memory_.data(), stride_}; }

   private:
    int64_t stride_;
    Memory memory_;
};

// F'F in double precision. Each band of its rows is summed by one thread at a time, in an order that depends on the shape only.
void gram(Anything factors, Matrix<double> out, const std::string& level_name, int threads) {
    const Level& level = find_level(level_name);
    const int64_t rows = factors.shape(0), k = out.shape(0);
    const Tall given = tall(factors, k);
    require(static_cast<int64_t>(out.shape(1)) == k, "out is factors x factors");
    nb::gil_scoped_release release;
    const int64_t bands = (k + kBand - 1) / kBand, slabs = std::max<int64_t>(2, 512 / k);
    std::vector<double> partial(slabs * k * k);
    std::vector<Memory> work;
    for (int t = 0; t < threads; ++t) work.emplace_back(gram_floats(level, given));
    run_tasks(slabs * bands, threads, [&](int64_t task, int worker) {
        const int64_t slab = task / bands, first = task % bands * kBand;
        level.gram(given, rows * slab / slabs, rows * (slab + 1) / slabs, k, first,
                   partial.data() + slab * k * k, work[worker].data());
    });
    for (int64_t i = 0; i < k; ++i)
        for (int64_t j = i; j < k; ++j) {
            double total = 0;
            for (int64_t slab = 0; slab < slabs; ++slab) total += partial[(slab * k + i) * k + j];
            out.data()[i * k + j] = out.data()[j * k + i] = total;
        }
}

// out = factors * into, in rows padded with zeros; `out` holds float32, or uint16 for half precision. `turned` receives
// unit * factors * into. Either may be missing.
void rotate(Anything factors, Matrix<const float> into,
            std::optional<nb::ndarray<nb::ndim<2>, nb::c_contig, nb::device::cpu>> out, std::optional<Matrix<float>> turned, float unit, const std::string& level_name, int threads) {
    const Level& level = find_level(level_name);
    const int64_t rows = factors.shape(0), k = into.shape(0), stride = padded(k);
    const Tall given = tall(factors, k);
    const bool half = out && out->dtype() == nb::dtype<uint16_t>();
    require(!out || half || out->dtype() == nb::dtype<float>(), "out is float32 or uint16");
    require(!out || (static_cast<int64_t>(out->shape(0)) == rows && static_cast<int64_t>(out->shape(1)) == stride),
            "out has one padded row for each row of factors");
    require(!out || out->data() != factors.data() || (given.row == stride && given.half == half), "out in place is as large as factors");
    require(!turned || (static_cast<int64_t>(turned->shape(0)) == rows && static_cast<int64_t>(turned->shape(1)) == k),
            "turned has the shape of factors");
    nb::gil_scoped_release release;
    PackedBasis basis(into, level.panel, 1);
    const Rotation task{given, k, basis.panels(), out ? out->data() : nullptr, half, turned ? turned->data() : nullptr, unit};
    std::vector<Memory> work;
    for (int t = 0; t < threads; ++t) work.emplace_back(2 * kTile * stride);
    run_tasks((rows + kTile - 1) / kTile, threads, [&](int64_t tile, int worker) {
        level.rotate(task, tile * kTile, std::min(rows, (tile + 1) * kTile), work[worker].data());
    });
}

// One thread's memory for `solve`.
class SolveMemory {
   public:
    // `pairs` is how many the longest row has that is solved alone, `together` how many rows are solved in lock-step.
    SolveMemory(int64_t stride, int64_t pairs, int64_t together, bool start)
        : start_(start),
          room_(std::max(kDualLimit, std::min(std::max(pairs, floats_together(stride, together) / stride + 1), kPairFloats / stride))),
          memory_(stride * ((2 + start) * kTileRoom + 8 + room_) + kDualLimit * (kDualLimit + 8)) {}
    int64_t room() const { return room_; }
    Scratch scratch(int64_t stride) {
        float* at = memory_.data();
        const auto take = [&](int64_t floats) { return std::exchange(at, at + floats); };
        Scratch s;
        s.tile = take(kTileRoom * stride);
        s.other = take(kTileRoom * stride);
        s.start = start_ ? take(kTileRoom * stride) : nullptr;
        s.vectors = take(7 * stride);
        s.zero = take(stride);
        s.pairs = take(room_ * stride);
        s.system = take(kDualLimit * (kDualLimit + 8));
        s.room = room_;
        return s;
    }

   private:
    static constexpr int64_t kPairFloats = 1 << 20;  // rows up to 4 MB are copied once, longer ones gathered at every pass
    bool start_;
    int64_t room_;
    Memory memory_;
};

void solve(Array<const int64_t> indptr, Array<const int32_t> indices, Array<const float> values, Array<const int64_t> order,
           float alpha, bool replaces, nb::ndarray<nb::ro, nb::ndim<2>, nb::c_contig, nb::device::cpu> fixed,
           std::optional<Matrix<const float>> direct, Matrix<const float> into,
           std::optional<Matrix<const float>> back, float unit, Array<const float> dense, Array<const float> ridge, int steps,
           double tolerance, int64_t dual_limit, Matrix<float> solution,
           std::optional<nb::ndarray<nb::ndim<2>, nb::c_contig, nb::device::cpu>> extrapolated, float scale, float momentum,
           Array<double> objective, Array<double> squares, const std::string& level_name, int threads) {
    const Level& level = find_level(level_name);
    const int64_t rows = solution.shape(0), k = solution.shape(1), stride = padded(k);
    const bool half = fixed.dtype() == nb::dtype<uint16_t>();
    require(half || fixed.dtype() == nb::dtype<float>(), "fixed is float32 or uint16");
    require(static_cast<int64_t>(indptr.shape(0)) == rows + 1 && static_cast<int64_t>(order.shape(0)) == rows &&
                static_cast<int64_t>(objective.shape(0)) == rows && static_cast<int64_t>(squares.shape(0)) == rows &&
                indices.shape(0) == values.shape(0),
            "indptr, order, objective, squares and solution describe the same rows");
    require(static_cast<int64_t>(fixed.shape(1)) == stride && static_cast<int64_t>(dense.shape(0)) == stride,
            "fixed and dense have padded rows");
    require(!direct || (direct->shape(0) == fixed.shape(0) && direct->shape(1) == fixed.shape(1)), "direct has the shape of fixed");
    require(static_cast<int64_t>(into.shape(0)) == k && (!back || static_cast<int64_t>(back->shape(0)) == k), "bases are factors x factors");
    require(ridge.shape(0) == 1 || static_cast<int64_t>(ridge.shape(0)) == rows, "ridge is one value or one for each row");
    require(!extrapolated || (static_cast<int64_t>(extrapolated->shape(0)) == rows && static_cast<int64_t>(extrapolated->shape(1)) == stride),
            "extrapolated has one padded row for each row of solution");
    const bool extrapolated_half = extrapolated && extrapolated->dtype() == nb::dtype<uint16_t>();
    require(!extrapolated || extrapolated_half || extrapolated->dtype() == nb::dtype<float>(), "extrapolated is float32 or uint16");
    require(back || !direct, "a direct way back is of use where solutions are brought back");
    nb::gil_scoped_release release;
    PackedBasis in(into, level.panel, 1 / unit);
    std::optional<PackedBasis> out;
    if (back) out.emplace(*back, level.panel, unit);
    const HalfStep step{indptr.data(), indices.data(), values.data(), order.data(), rows, alpha, replaces ? 1.0f : 0.0f,
                        fixed.data(), half, direct ? direct->data() : nullptr,
                        static_cast<int64_t>(fixed.shape(0)), k, stride, in.panels(), out ? out->panels() : Panels{nullptr, stride}, unit, dense.data(), ridge.data(),
                        ridge.shape(0) == 1 ? 0 : 1, steps, tolerance, std::min(dual_limit, kDualLimit), solution.data(),
                        extrapolated ? extrapolated->data() : nullptr, extrapolated_half, scale, momentum, objective.data(), squares.data()};
    std::vector<SolveMemory> memory;
    const int64_t long_rows = count_long(step);
    int64_t longest = 0;
    for (int64_t i = long_rows; i < rows; ++i)
        longest = std::max(longest, indptr.data()[order.data()[i] + 1] - indptr.data()[order.data()[i]]);
    for (int t = 0; t < threads; ++t) memory.emplace_back(stride, longest, (long_rows + threads - 1) / threads, keeps_start(step));
    const int64_t most = rows_together(step, memory[0].room());
    const int64_t batches = long_rows ? std::max<int64_t>(std::min<int64_t>(threads, long_rows), (long_rows + most - 1) / most) : 0;
    const std::vector<int64_t> tiles = cut_tiles(indptr.data(), order.data(), long_rows, rows);
    run_tasks(batches + tiles.size() - 1, threads, [&](int64_t task, int worker) {
        Scratch scratch = memory[worker].scratch(stride);
        if (task < batches) level.solve_together(step, task, batches, (long_rows - task + batches - 1) / batches, scratch);
        else level.solve(step, tiles[task - batches], tiles[task - batches + 1], scratch);
    });
}

// Items in the order of `ids`, as panels for `best`; `out` has one row for each panel.
void pack_items(Matrix<const float> factors, Array<const int32_t> ids, Matrix<float> out, const std::string& level_name) {
    const Level& level = find_level(level_name);
    const int64_t items = ids.shape(0), k = factors.shape(1), stride = padded(k), panel = level.panel;
    require(static_cast<int64_t>(out.shape(0)) == (items + panel - 1) / panel &&
                static_cast<int64_t>(out.shape(1)) == stride * panel,
            "out has one row of padded factors x panel for each panel");
    nb::gil_scoped_release release;
    std::fill_n(out.data(), out.size(), 0.0f);
    for (int64_t i = 0; i < items; ++i)
        for (int64_t j = 0; j < k; ++j)
            out.data()[(i / panel * stride + j) * panel + i % panel] = factors.data()[ids.data()[i] * k + j];
}

void best(Matrix<const float> queries, Matrix<const float> panels, Array<const float> longest, Array<const int32_t> ids,
          std::optional<Array<const int64_t>> seen_indptr, std::optional<Array<const int32_t>> seen_indices,
          Matrix<int32_t> best_ids, Matrix<float> best_scores, const std::string& level_name, int threads) {
    const Level& level = find_level(level_name);
    const int64_t users = queries.shape(0), k = queries.shape(1), stride = padded(k), wanted = best_ids.shape(1);
    require(static_cast<int64_t>(panels.shape(1)) == stride * level.panel && longest.shape(0) == panels.shape(0) &&
                (static_cast<int64_t>(ids.shape(0)) + level.panel - 1) / level.panel == static_cast<int64_t>(panels.shape(0)),
            "panels were packed for this level and these ids");
    require(!seen_indptr || (seen_indices && static_cast<int64_t>(seen_indptr->shape(0)) == users + 1),
            "seen has one row for each query");
    require(wanted > 0 && best_scores.shape(1) == best_ids.shape(1) && static_cast<int64_t>(best_ids.shape(0)) == users &&
                best_scores.shape(0) == best_ids.shape(0),
            "best_ids and best_scores are users x places");
    nb::gil_scoped_release release;
    const TopK task{panels.data(), longest.data(), ids.data(), static_cast<int64_t>(ids.shape(0)), k, stride,
                    queries.data(), seen_indptr ? seen_indptr->data() : nullptr,
                    seen_indptr ? seen_indices->data() : nullptr, wanted, 2 * wanted + 64, best_ids.data(),
                    best_scores.data()};
    std::vector<Memory> memory;
    for (int t = 0; t < threads; ++t) memory.emplace_back(kTile * (stride + task.room * kCandidateBytes / sizeof(float)));
    run_tasks((users + kTile - 1) / kTile, threads, [&](int64_t tile, int worker) {
        float* queries_memory = memory[worker].data();
        level.best(task, tile * kTile, std::min(users, (tile + 1) * kTile), queries_memory, queries_memory + kTile * stride);
    });
}

std::vector<std::string> level_names() {
    std::vector<std::string> names;
    for (const Level* level : supported_levels()) names.emplace_back(level->name);
    return names;
}

}  // namespace

NB_MODULE(_kernel, m) {
    m.def("panel", [](const std::string& level) { return find_level(level).panel; }, nb::arg("level"));
    m.def("pack_items", &pack_items, nb::arg("factors"), nb::arg("ids"), nb::arg("out"), nb::arg("level"));
    m.def("best", &best, nb::arg("queries"), nb::arg("panels"), nb::arg("longest"), nb::arg("ids"),
          nb::arg("seen_indptr").none(), nb::arg("seen_indices").none(), nb::arg("best_ids"), nb::arg("best_scores"),
          nb::arg("level"), nb::arg("threads"));
    m.def("levels", &level_names, "Instruction sets this processor can run, best first.");
    m.def("padded", &padded, nb::arg("factors"));
    m.def("gram", &gram, nb::arg("factors"), nb::arg("out"), nb::arg("level"), nb::arg("threads"));
    m.def("rotate", &rotate, nb::arg("factors"), nb::arg("into"), nb::arg("out").none(), nb::arg("turned").none(),
          nb::arg("unit"), nb::arg("level"), nb::arg("threads"));
    m.def("solve", &solve, nb::arg("indptr"), nb::arg("indices"), nb::arg("values"), nb::arg("order"), nb::arg("alpha"),
          nb::arg("replaces"), nb::arg("fixed"), nb::arg("direct").none(), nb::arg("into"), nb::arg("back").none(), nb::arg("unit"), nb::arg("dense"), nb::arg("ridge"),
          nb::arg("steps"), nb::arg("tolerance"), nb::arg("dual_limit"), nb::arg("solution"),
          nb::arg("extrapolated").none(), nb::arg("scale"), nb::arg("momentum"), nb::arg("objective"), nb::arg("squares"), nb::arg("level"), nb::arg("threads"));
}
