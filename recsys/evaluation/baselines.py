"""What a model has to beat."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray


class Popularity:
    """Recommends to everybody what most people listen to, leaving out what they know.

    Parameters
    ----------
    train
        Row u is the history of training user u, shape (users, items). An item's popularity is the number of its
        listeners, whatever the values; among equals the lower index comes first.
    """

    def __init__(self, train: sp.csr_matrix) -> None:
        self._count(np.bincount(train.indices, minlength=train.shape[1]))

    @classmethod
    def of(cls, listeners: ArrayLike) -> Popularity:
        """Recommend by numbers or shares of listeners that somebody else counted, shape (items,)."""
        made = cls.__new__(cls)
        made._count(np.asarray(listeners))  # noqa: SLF001 - its own
        return made

    def _count(self, listeners: NDArray[Any]) -> None:
        self._order = np.argsort(-listeners, kind="stable")
        self._rank = np.argsort(self._order)
        self._listeners = listeners.astype(np.float32)

    def recommend(
        self,
        userid: ArrayLike,
        user_items: sp.csr_matrix,
        N: int = 10,
        filter_already_liked_items: bool = True,
        recalculate_user: bool = False,  # noqa: ARG002 - nothing is known of a user, so nothing needs recalculating
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Recommend the `N` most popular items.

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
            Best first, shape (users, N), or (N,) for one user. A score is the number of listeners. Where nothing is
            left to recommend the id is -1 and the score -inf.
        """
        n_users = np.size(userid)
        if filter_already_liked_items and user_items.shape[0] != n_users:
            raise ValueError(f"user_items has {user_items.shape[0]} rows for {n_users} users; give one row for each")
        places = self._unknown(user_items, N) if filter_already_liked_items else np.tile(np.arange(N), (n_users, 1))
        there = places < len(self._order)
        ids = np.where(there, self._order[np.where(there, places, 0)], -1)
        scores = np.where(there, self._listeners[ids], np.float32(-np.inf))
        return (ids[0], scores[0]) if np.ndim(userid) == 0 else (ids, scores)

    def _unknown(self, user_items: sp.csr_matrix, N: int) -> NDArray[np.int64]:
        """Return the places, in order of popularity, of each user's first `N` unknown items.

        If a user's known items stand at places p_0 < p_1 < ..., then p_i - i unknown ones stand before p_i, so the
        j-th unknown one is preceded by as many known ones as there are i with p_i - i <= j.
        """
        users = np.arange(user_items.shape[0])
        stride = len(self._order) + 1
        rows = np.repeat(users, np.diff(user_items.indptr))
        known = np.unique(rows * stride + self._rank[user_items.indices])
        first = np.searchsorted(known, users * stride)
        before = known - (np.arange(len(known)) - first[known // stride])
        wanted = users[:, None] * stride + np.minimum(np.arange(N), stride - 1)
        return np.arange(N) + np.searchsorted(before, wanted, side="right") - first[:, None]
