"""What makes a ranked list good, on plain arrays: shared by the estimator's `score` and by `evaluation`.

Definitions follow Liang et al., "Variational Autoencoders for Collaborative Filtering" (WWW 2018), section 4.2:
``recall@k = hits / min(k, targets)``; ``ndcg@k`` discounts rank r (from 1) by ``1 / log2(r + 1)`` and divides by the
best that ``min(k, targets)`` hits could reach. ``map@k`` adds up the precision at each hit and divides by
``min(k, targets)``, so that it too can reach 1; ``mrr@k`` is one over the rank of the first hit.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def hold_out_part(
    user_items: sp.csr_matrix, fold_in_fraction: float, rng: np.random.Generator
) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Divide each user's items at random into a part to fold in and a part to find again.

    Parameters
    ----------
    user_items
        Row r is the history of user r, shape (users, items).
    fold_in_fraction
        Share of each history that is folded in, between 0 and 1; rounded to the nearest item. A history of two or
        more items keeps at least one on each side; a history of one item is folded in whole and has no target.
    rng
        Decides the division.

    Returns
    -------
    fold_in, target
        Two matrices of the shape of `user_items`, disjoint, that add up to it.
    """
    if not 0 < fold_in_fraction < 1:
        raise ValueError(f"fold_in_fraction is {fold_in_fraction}; it must lie between 0 and 1")
    counts = np.diff(user_items.indptr)
    rows, place = drawn_places(user_items, rng)
    kept = np.rint(counts * fold_in_fraction).astype(np.int64)
    kept = np.where(counts >= 2, np.clip(kept, 1, counts - 1), counts)  # noqa: PLR2004 - one for each side
    folded = place < np.repeat(kept, counts)
    return entries(user_items, rows, folded), entries(user_items, rows, ~folded)


def drawn_places(user_items: sp.csr_matrix, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Put each user's items into a random order.

    Returns
    -------
    rows, place
        For each stored entry its row, and its place from 0 in the order drawn for that row; shape (entries,).
    """
    counts = np.diff(user_items.indptr)
    rows = np.repeat(np.arange(user_items.shape[0], dtype=np.int64), counts)
    order = np.lexsort((rng.random(user_items.nnz), rows))
    place = np.empty(user_items.nnz, dtype=np.int64)
    place[order] = np.arange(user_items.nnz) - np.repeat(user_items.indptr[:-1], counts)
    return rows, place


def entries(matrix: sp.csr_matrix, rows: NDArray[np.int64], chosen: Bools) -> sp.csr_matrix:
    """Keep the chosen entries of a CSR matrix whose entry e stands in row ``rows[e]``."""
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows[chosen], minlength=matrix.shape[0]))])
    return sp.csr_matrix((matrix.data[chosen], matrix.indices[chosen], indptr), shape=matrix.shape)


def hits(ids: NDArray[np.integer], target: sp.csr_matrix) -> Bools:
    """Tell which recommended places hold a target.

    Parameters
    ----------
    ids
        Recommended items, best first, shape (users, k); -1, or any other id outside the catalogue, hits nothing.
    target
        The items to find, shape (users, items).

    Returns
    -------
    Boolean array of the shape of `ids`.
    """
    n_items = target.shape[1]
    rows = np.arange(ids.shape[0], dtype=np.int64)[:, None]
    if not target.has_sorted_indices:
        target = target.sorted_indices()
    wanted = np.repeat(rows[:, 0], np.diff(target.indptr)) * n_items + target.indices
    if not len(wanted):
        return np.zeros(ids.shape, dtype=np.bool_)
    asked = rows * n_items + ids
    place = np.searchsorted(wanted, asked)
    there = wanted[np.minimum(place, len(wanted) - 1)] == asked
    return np.asarray(there & (ids >= 0) & (ids < n_items))


def recall(hit: Bools, n_targets: NDArray[np.integer], k: int) -> Floats:
    """Recall@k of each user; NaN for a user without targets.

    `hit` comes from :func:`hits`, shape (users, at least k); `n_targets` counts each user's targets.
    """
    return _ratio(hit[:, :k].sum(axis=1), np.minimum(n_targets, k))


def found(hit: Bools, n_targets: NDArray[np.integer], k: int) -> Floats:
    """Hits within `k` places over all targets; NaN for a user without targets. Arguments as in :func:`recall`."""
    return _ratio(hit[:, :k].sum(axis=1), n_targets)


def ndcg(hit: Bools, n_targets: NDArray[np.integer], k: int) -> Floats:
    """NDCG@k of each user, binary relevance; NaN for a user without targets. Arguments as in :func:`recall`."""
    discount = 1 / np.log2(np.arange(2, k + 2))
    best = np.concatenate([[0.0], np.cumsum(discount)])
    gained = hit[:, :k] @ discount[: hit.shape[1]]
    return _ratio(gained, best[np.minimum(n_targets, k)])


def average_precision(hit: Bools, n_targets: NDArray[np.integer], k: int) -> Floats:
    """Average precision@k of each user; NaN for a user without targets. Arguments as in :func:`recall`."""
    first = hit[:, :k]
    precision = np.cumsum(first, axis=1) / np.arange(1, first.shape[1] + 1)
    return _ratio((precision * first).sum(axis=1), np.minimum(n_targets, k))


def reciprocal_rank(hit: Bools, n_targets: NDArray[np.integer], k: int) -> Floats:
    """One over the rank of each user's first hit within `k` places, 0 without one; NaN for a user without targets."""
    first = np.pad(hit[:, :k], ((0, 0), (0, 1)))  # a place that hits nothing, for lists without any
    rank = np.where(first.any(axis=1), 1 / (first.argmax(axis=1) + 1.0), 0.0)
    return _ratio(rank, np.minimum(n_targets, 1))


def hit_rate(hit: Bools, n_targets: NDArray[np.integer], k: int) -> Floats:
    """1 for each user with a hit within `k` places, else 0; NaN for a user without targets."""
    return _ratio(np.asarray(hit[:, :k].any(axis=1)), np.minimum(n_targets, 1))


def _ratio(gained: NDArray[np.generic], best: NDArray[np.generic]) -> Floats:
    out = np.full(len(gained), np.nan)
    np.divide(gained, best, out=out, where=np.asarray(best) > 0)
    return out
