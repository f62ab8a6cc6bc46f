// The best items of many users: scores in register tiles, selected while they are hot, never written to memory.
//
// Items come in panels, longest factors first. By Cauchy-Schwarz no item of a panel scores more than |x| times the length of
// the panel's longest; once that lies below the N-th best score so far for every user of a register tile, the tile is done.
// Nothing is approximate: each score is one sum over the factors in their order, whatever the tile, thread or panel.
#pragma once

#include <algorithm>

#include "dense.h"

namespace RECSYS_LEVEL {

struct Candidate {
    float score;
    int32_t id;
    bool operator<(const Candidate& other) const {  // "comes before": higher scores, then lower ids
        return score > other.score || (score == other.score && id < other.id);
    }
};

// A user's best items so far: a buffer that is cut back to the N best whenever it is full.
struct Shortlist {
    Candidate* candidates;
    int64_t count = 0, room = 0, wanted = 0;
    float threshold = -__builtin_inff();  // what an item must reach to matter

    void offer(float score, int32_t id) {
        candidates[count++] = {score, id};
        if (count == room) cut();
    }

    void cut() {
        if (count <= wanted) return;
        std::nth_element(candidates, candidates + wanted - 1, candidates + count);
        count = wanted;
        threshold = candidates[wanted - 1].score;
    }
};

static bool contains(const int32_t* first, const int32_t* last, int32_t id) {
    while (first < last) {
        const int32_t* middle = first + (last - first) / 2;
        if (*middle == id) return true;
        if (*middle < id) first = middle + 1;
        else last = middle;
    }
    return false;
}

static void offer_tile(const TopK& task, int64_t user, int64_t panel, const Vec (&scores)[2], Shortlist& list) {
    const int32_t* seen = task.seen_indptr ? task.seen_indices + task.seen_indptr[user] : nullptr;
    const int32_t* seen_end = task.seen_indptr ? task.seen_indices + task.seen_indptr[user + 1] : nullptr;
    for (int part = 0; part < 2; ++part)
        for (unsigned lanes = at_least(scores[part], list.threshold); lanes; lanes &= lanes - 1) {
            const int lane = __builtin_ctz(lanes);
            const int64_t position = panel * kPanel + part * kWidth + lane;
            if (position >= task.items) return;
            if (!contains(seen, seen_end, task.ids[position])) list.offer(scores[part][lane], task.ids[position]);
        }
}

// Scores kRegisterRows users, from `user` on, against panels first .. last; users beyond the last have no threshold to reach.
static void score_panels(const TopK& task, int64_t user, int64_t count, const float* queries, int64_t first, int64_t last,
                         Shortlist* lists) {
    Vec c[kRegisterRows][2];
    for (int64_t panel = first; panel < last; ++panel) {
        product(queries, task.stride, 1, task.panels + panel * task.stride * kPanel, task.stride, c);
        for (int64_t m = 0; m < count; ++m)
            if (at_least(c[m][0], lists[m].threshold) | at_least(c[m][1], lists[m].threshold))
                offer_tile(task, user + m, panel, c[m], lists[m]);
    }
}

static bool settled(const Shortlist* lists, const float* lengths, int64_t count, float longest) {
    for (int64_t m = 0; m < count; ++m)
        if (lengths[m] * longest >= lists[m].threshold) return false;
    return true;
}

static void write_best(const TopK& task, int64_t user, Shortlist& list) {
    list.cut();
    std::sort(list.candidates, list.candidates + list.count);
    for (int64_t i = 0; i < task.wanted; ++i) {
        const bool present = i < list.count;
        task.best_ids[user * task.wanted + i] = present ? list.candidates[i].id : -1;
        task.best_scores[user * task.wanted + i] = present ? list.candidates[i].score : -__builtin_inff();
    }
}

// Users begin .. end, at most kTile; `queries` and `lengths` hold kTile rows, `memory` room candidates for each.
static void best(const TopK& task, int64_t begin, int64_t end, float* queries, void* memory) {
    constexpr int64_t kBlockFloats = 1 << 16;  // a block of panels stays in the second-level cache
    const int64_t count = end - begin, panels = (task.items + kPanel - 1) / kPanel;
    const int64_t block = std::max<int64_t>(1, kBlockFloats / (task.stride * kPanel));
    float lengths[kTile];
    Shortlist lists[kTile];
    for (int64_t i = 0; i < count; ++i) {
        copy_padded(task.queries + (begin + i) * task.factors, task.factors, queries + i * task.stride, task.stride);
        double square = 0;
        for (int64_t j = 0; j < task.factors; ++j) square += static_cast<double>(queries[i * task.stride + j]) * queries[i * task.stride + j];
        lengths[i] = static_cast<float>(__builtin_sqrt(square) * (1 + 2e-7 * static_cast<double>(task.factors + 8)));  // rounding
        lists[i].candidates = static_cast<Candidate*>(memory) + i * task.room;
        lists[i].room = task.room;
        lists[i].wanted = task.wanted;
    }
    for (int64_t panel = 0; panel < panels; panel += block) {
        const int64_t last = std::min(panels, panel + block);
        bool busy = false;
        for (int64_t i = 0; i < count; i += kRegisterRows) {
            const int64_t rows = std::min<int64_t>(kRegisterRows, count - i);
            if (settled(lists + i, lengths + i, rows, task.longest[panel])) continue;
            busy = true;
            score_panels(task, begin + i, rows, queries + i * task.stride, panel, last, lists + i);
        }
        if (!busy) break;
    }
    for (int64_t i = 0; i < count; ++i) write_best(task, begin + i, lists[i]);
}

}  // namespace RECSYS_LEVEL
