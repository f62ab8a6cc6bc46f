"""Models that score every item for a listener they have never seen, turned into lists block by block."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

_BLOCK_VALUES = 1 << 25  # scores in memory at once: 128 MB


class Scorer(Protocol):
    """What gives scores: all it needs is what is known of a listener."""

    def scores(self, user_items: sp.csr_matrix) -> NDArray[np.float32]:
        """Score every item for each row, shape (rows, items), larger is better; a new array that may be written to."""


class Scored:
    """Recommends by the scores of a :class:`Scorer`, with the manners of ``implicit``'s models.

    Parameters
    ----------
    scorer
        Asked for a block of listeners at a time.
    """

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer

    def recommend(
        self,
        userid: ArrayLike,
        user_items: sp.csr_matrix,
        N: int = 10,
        filter_already_liked_items: bool = True,
        *,
        recalculate_user: bool = False,  # noqa: ARG002 - a listener is always what the row says
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Recommend to each listener the `N` items of the highest scores; of equal ones the lower index comes first.

        Parameters
        ----------
        userid
            One user or several; only how many counts.
        user_items
            Row r is what ``userid[r]`` knows already, shape (users, items).
        N
            Length of a list.
        filter_already_liked_items
            Leave out what a user knows.
        recalculate_user
            Of no effect.

        Returns
        -------
        ids, scores
            Best first, shape (users, N), or (N,) for one user; id -1 and score -inf where nothing is left.
        """
        n_users, n_items = user_items.shape
        if np.size(userid) != n_users:
            raise ValueError(f"user_items has {n_users} rows for {np.size(userid)} users; give one row for each")
        ids = np.full((n_users, N), -1, dtype=np.int64)
        best = np.full((n_users, N), -np.inf, dtype=np.float32)
        block = max(1, _BLOCK_VALUES // max(n_items, 1))
        for start in range(0, n_users, block):
            rows = user_items[start : start + block]
            scores = self.scorer.scores(rows)
            if filter_already_liked_items:
                scores[np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr)), rows.indices] = -np.inf
            part = slice(start, start + rows.shape[0])
            k = min(N, n_items)
            ids[part, :k], best[part, :k] = highest(scores, k)
        ids[np.isneginf(best)] = -1
        return (ids[0], best[0]) if np.ndim(userid) == 0 else (ids, best)


def highest(scores: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Give the places and values of the `k` highest scores of each row, highest first, the lower place first if equal.

    Parameters
    ----------
    scores
        Shape (rows, items), `k` at most items.
    """
    n_rows, n_items = scores.shape
    if k < n_items:
        bound = -np.partition(-scores, k - 1, axis=1)[:, k - 1 : k]
        surely, perhaps = scores > bound, scores == bound
        room = k - surely.sum(axis=1)
        tied = np.flatnonzero(perhaps.sum(axis=1) > room)
        perhaps[tied] &= np.cumsum(perhaps[tied], axis=1) <= room[tied, None]
        places = np.nonzero(surely | perhaps)[1].reshape(n_rows, k)
    else:
        places = np.tile(np.arange(n_items), (n_rows, 1))
    values = np.take_along_axis(scores, places, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(places, order, axis=1), np.take_along_axis(values, order, axis=1)
