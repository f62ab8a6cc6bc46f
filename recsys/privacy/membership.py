"""Whether a model shows who was trained on: membership inference by the leave-one-out rank score.

The attacker knows a listener's whole history and asks the model for each of its artists in turn as if it were missing.
Artists of those who were trained on tend to come back higher up, since the artists' factors were fitted to them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.stats import beta, rankdata
from threadpoolctl import threadpool_limits

from recsys.models import Weighting
from recsys.models.scored import Scorer

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BLOCK_VALUES = 1 << 23  # scores in memory at once: 32 MB
_RESAMPLES = 1000
_CONFIDENCE = 0.95
_FALSE_ALARMS = 0.01
_AT_ONCE = 50  # resamples


@dataclass(frozen=True)
class Figure:
    """A figure with the ends of its 95% interval."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Give it as plain values for JSON, to six digits: more would be noise."""
        return {"value": round(self.value, 6), "low": round(self.low, 6), "high": round(self.high, 6)}

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Membership:
    """How well members are told from listeners who were held out.

    Attributes
    ----------
    auc
        How often a member has a higher score than a held-out listener, ties half: 0.5 is chance.
    tpr
        Share of members recognised where at most 1% of held-out listeners are wrongly taken for members.
    epsilon
        A lower bound (95%) of the epsilon of differential privacy that fits these scores: 0 shows no leak. It is no
        guarantee: another attack may show more.
    members, held_out
        How many listeners of each kind were looked at.
    """

    auc: Figure
    tpr: Figure
    epsilon: float
    members: int
    held_out: int

    @classmethod
    def measure(cls, members: Floats, held_out: Floats, *, seed: int = 0) -> Membership:
        """Measure how well scores tell members from held-out listeners.

        Intervals are percentiles over 1,000 draws of listeners, of both kinds, with replacement; that of the true
        positive rate is at least as wide as Clopper and Pearson's.

        Parameters
        ----------
        members, held_out
            A score for each listener, larger where membership is likelier, shapes (members,) and (held-out,).
        seed
            Decides the draws.
        """
        aucs, tprs = _resampled(members, held_out, np.random.default_rng(seed))
        auc = float(_auc(members[None], held_out[None])[0])
        tpr = float(_tpr(members[None], held_out[None])[0])
        exact = clopper_pearson(round(tpr * len(members)), len(members))
        low, high = _ends(tprs)
        return cls(
            Figure(auc, *_ends(aucs)),
            Figure(tpr, min(low, exact[0]), max(high, exact[1])),
            _epsilon(members, held_out, np.random.default_rng(seed)),
            len(members),
            len(held_out),
        )

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        return {
            "attack": "leave-one-out rank score",
            "auc": self.auc.as_dict(),
            "tpr_at_1pct_fpr": self.tpr.as_dict(),
            "epsilon_at_least": round(self.epsilon, 6),
            "members": self.members,
            "held_out": self.held_out,
            "confidence": _CONFIDENCE,
        }


def rank_scores(
    scorer: Scorer, weighting: Weighting, plays: sp.csr_matrix, *, at_most: int = 50, seed: int = 0
) -> Floats:
    """Score each listener by where the model puts each of their items when the rest is folded in.

    An item's rank is the share of the other items that the listener does not have which score lower, ties half; the
    listener's score is the mean.

    Parameters
    ----------
    scorer
        Scores weights.
    weighting
        How plays become weights.
    plays
        Row r is the whole history of a listener, shape (listeners, items), canonical, each row with two items or more.
    at_most
        Items of a listener that are left out in turn; of longer histories so many are drawn.
    seed
        Decides the draws.

    Returns
    -------
    From 0 to 1, shape (listeners,).
    """
    rows, places = _left_out(plays, at_most, np.random.default_rng(seed))
    ranks = np.empty(len(rows))
    block = max(1, _BLOCK_VALUES // plays.shape[1])
    with threadpool_limits(1, "blas"):  # bits must not depend on the number of threads
        for start in range(0, len(rows), block):
            part = slice(start, start + block)
            ranks[part] = _ranks(scorer, weighting, plays, rows[part], places[part])
    return np.asarray(np.bincount(rows, ranks, plays.shape[0]) / np.bincount(rows, minlength=plays.shape[0]))


def _left_out(plays: sp.csr_matrix, at_most: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Name the pairs that are left out in turn: their rows, and their places among the stored pairs."""
    pairs = np.arange(plays.nnz)
    rows = np.repeat(np.arange(plays.shape[0]), np.diff(plays.indptr))
    mixed = np.lexsort((rng.random(plays.nnz), rows))
    chosen = np.sort(mixed[pairs - plays.indptr[rows] < at_most])
    return rows[chosen], chosen


def _ranks(scorer: Scorer, weighting: Weighting, plays: sp.csr_matrix, rows: Ints, places: Ints) -> Floats:
    """Rank the item at each of these places for its listener, from 0 to 1, with the rest of the row folded in."""
    left = plays[rows]
    targets = plays.indices[places]
    gone = left.indptr[:-1] + places - plays.indptr[rows]
    keep = np.ones(left.nnz, dtype=bool)
    keep[gone] = False
    indptr = left.indptr - np.arange(len(rows) + 1)
    rest = sp.csr_matrix((left.data[keep], left.indices[keep], indptr), shape=left.shape)
    scores = scorer.scores(weighting(rest))
    each = np.arange(len(rows))
    target = scores[each, targets][:, None].copy()
    scores[np.repeat(each, np.diff(rest.indptr)), rest.indices] = -np.inf
    higher = (scores > target).sum(axis=1)
    equal = (scores == target).sum(axis=1) - 1
    others = plays.shape[1] - np.diff(rest.indptr) - 1
    return np.where(others > 0, 1 - (higher + equal / 2) / np.maximum(others, 1), 0.5)


def matched(lengths: Ints, wanted: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Choose as many members as held-out listeners, with histories as long: a longer one is ranked better.

    Parameters
    ----------
    lengths, wanted
        Lengths of the histories of members and of held-out listeners.
    rng
        Decides among equals.

    Returns
    -------
    Places of members and of the held-out listeners they stand for; of the larger group not all are chosen.
    """
    order = rng.permutation(len(lengths))
    order = order[np.argsort(lengths[order], kind="stable")]
    free, sizes = order.tolist(), lengths[order].tolist()
    asked = rng.permutation(len(wanted))[: len(lengths)]
    chosen = []
    for length in wanted[asked].tolist():
        place = bisect_left(sizes, length)
        if place == len(sizes) or (place and length - sizes[place - 1] < sizes[place] - length):
            place -= 1
        chosen.append(free.pop(place))
        sizes.pop(place)
    return np.array(chosen, dtype=np.int64), asked.astype(np.int64)


def clopper_pearson(found: int, of: int, confidence: float = _CONFIDENCE) -> tuple[float, float]:
    """Give the exact interval of a share (Clopper and Pearson, Biometrika 1934)."""
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, found, of - found + 1)) if found else 0.0
    high = float(beta.ppf(1 - tail, found + 1, of - found)) if found < of else 1.0
    return low, high


def _auc(members: Floats, held_out: Floats) -> Floats:
    """Mann and Whitney's statistic for each row, shapes (draws, members) and (draws, held-out)."""
    n, m = members.shape[1], held_out.shape[1]
    ranks = rankdata(np.concatenate([members, held_out], axis=1), axis=1)[:, :n]
    return np.asarray((ranks.sum(axis=1) - n * (n + 1) / 2) / (n * m))


def _tpr(members: Floats, held_out: Floats) -> Floats:
    """Give the share of members above all but 1% of the held-out, for each row."""
    m = held_out.shape[1]
    bound = np.sort(held_out, axis=1)[:, m - 1 - int(_FALSE_ALARMS * m)]
    return np.asarray((members > bound[:, None]).mean(axis=1))


def _resampled(members: Floats, held_out: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    def draws() -> Iterator[tuple[Floats, Floats]]:
        for _ in range(_RESAMPLES // _AT_ONCE):
            drawn = [one[rng.integers(0, len(one), (_AT_ONCE, len(one)))] for one in (members, held_out)]
            yield _auc(*drawn), _tpr(*drawn)

    aucs, tprs = zip(*draws(), strict=True)
    return np.concatenate(aucs), np.concatenate(tprs)


def _ends(draws: Floats) -> tuple[float, float]:
    tail = 50 * (1 - _CONFIDENCE)
    low, high = np.percentile(draws, [tail, 100 - tail])
    return float(low), float(high)


def _epsilon(members: Floats, held_out: Floats, rng: np.random.Generator) -> float:
    """Bound epsilon from below: a mechanism with epsilon has TPR <= e^epsilon FPR at every threshold (Kairouz 2015).

    The threshold is chosen on one half of the listeners and tried on the other, so that choosing it costs nothing; TPR
    and FPR are bounded at 97.5% each (Clopper and Pearson), 95% together.
    """
    halves = [np.array_split(rng.permutation(one), 2) for one in (members, held_out)]
    (first, second), (other_first, other_second) = halves
    if not all(map(len, (first, second, other_first, other_second))):
        return 0.0
    found = 0.0
    for sign in (1, -1):
        bounds = np.unique(sign * np.concatenate([first, other_first]))
        seen = [_log_ratio(sign * first, sign * other_first, bound) for bound in bounds.tolist()]
        found = max(found, _log_ratio(sign * second, sign * other_second, float(bounds[int(np.argmax(seen))])))
    return found


def _log_ratio(members: Floats, held_out: Floats, bound: float) -> float:
    low, _ = clopper_pearson(int((members >= bound).sum()), len(members))
    _, high = clopper_pearson(int((held_out >= bound).sum()), len(held_out))
    return max(0.0, float(np.log(low / high))) if low else 0.0
