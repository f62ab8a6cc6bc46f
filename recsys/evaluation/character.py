"""What lists are like, whatever they find: popular or not, alike or not, true to the listener's own mix or not.

Each figure is one per user, so that intervals and comparisons work as for what lists find; what only a whole set of
lists has (coverage, concentration) is in :func:`catalogue`. "Listeners" of an item are its users in the training part.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import rel_entr

from recsys.evaluation.lists import Lists
from recsys.evaluation.metrics import AtK, check_places
from recsys.ranking import Floats

_TAIL = 2
_SHARES = (0.2, 0.8)
_SMOOTHING = 0.01


@dataclass(frozen=True, eq=False)
class Fame:
    """How well known each item is among the users that a model was trained on.

    Attributes
    ----------
    listeners
        Users of each item, shape (items,).
    n_users
        Training users.
    """

    listeners: NDArray[np.int64]
    n_users: int

    @classmethod
    def among(cls, train: sp.csr_matrix) -> Fame:
        """Count the listeners in a training matrix, shape (users, items)."""
        return cls(np.bincount(train.indices, minlength=train.shape[1]).astype(np.int64), train.shape[0])

    @cached_property
    def group(self) -> NDArray[np.int64]:
        """Head (0), middle (1) or tail (2) of each item, shape (items,).

        Items stand in the order of their listeners; the head are the first that together have a fifth of all pairs, the
        tail the last that together have a fifth (Abdollahpouri et al., "The Unfairness of Popularity Bias", RMSE 2019).
        """
        order = np.argsort(-self.listeners, kind="stable")
        before = np.cumsum(self.listeners[order]) - self.listeners[order]
        total = max(int(self.listeners.sum()), 1)
        places = np.searchsorted(np.array(_SHARES), before / total, side="right")
        group = np.empty(len(order), dtype=np.int64)
        group[order] = places
        return group


@dataclass(frozen=True)
class _Character(AtK, ABC):
    """The mean over a list of a figure that each item has."""

    fame: Fame = field(compare=False, repr=False)

    def __call__(self, lists: Lists) -> Floats:
        """Return each user's figure; 0 for an empty list."""
        return _mean(lists.ids[:, : self.k], self._of_items())

    @abstractmethod
    def _of_items(self) -> Floats:
        """Give the figure of each item, shape (items,)."""


class Novelty(_Character):
    """Mean surprise of a list in bits: ``-log2(listeners / users)`` (Zhou et al., PNAS 2010).

    An item without listeners counts as if it had one.
    """

    stem = "novelty"

    def _of_items(self) -> Floats:
        rarity = self.fame.n_users / np.maximum(self.fame.listeners, 1)
        return np.log2(rarity).astype(np.float64)


class Popular(_Character):
    """Average recommendation popularity: mean number of listeners of what is listed (Yin et al., VLDB 2012)."""

    stem = "popularity"

    def _of_items(self) -> Floats:
        return self.fame.listeners.astype(np.float64)


class LongTail(_Character):
    """Share of a list that comes from the tail of :attr:`Fame.group`."""

    stem = "long_tail"

    def _of_items(self) -> Floats:
        return np.where(self.fame.group == _TAIL, 1.0, 0.0)


@dataclass(frozen=True)
class Miscalibration(AtK):
    """How far a list's mix of head, middle and tail is from the listener's own: 0 is alike.

    ``KL(p || (1 - a) q + a p)`` with a = 0.01, p the mix of what was folded in, q that of the list (Steck, "Calibrated
    Recommendations", RecSys 2018, eq. 5-6), natural logarithm.
    """

    fame: Fame = field(compare=False, repr=False)

    stem = "miscalibration"

    def __call__(self, lists: Lists) -> Floats:
        """Return each user's divergence; 0 where nothing was folded in, ``-ln a`` for an empty list."""
        rows = np.repeat(np.arange(len(lists.users)), np.diff(lists.fold_in.indptr))
        own = _mix(rows, self.fame.group[lists.fold_in.indices], len(lists.users))
        ids = lists.ids[:, : self.k]
        listed = np.nonzero(ids >= 0)
        given = _mix(listed[0], self.fame.group[ids[listed]], len(lists.users))
        blended = (1 - _SMOOTHING) * given + _SMOOTHING * own
        return np.asarray(rel_entr(own, blended).sum(axis=1), dtype=np.float64)


@dataclass(frozen=True)
class Diversity(AtK):
    """Intra-list diversity: mean of ``1 - cosine`` over the pairs of a list (Ziegler et al., WWW 2005).

    Attributes
    ----------
    k
        Places that are read.
    features
        Row i describes item i, CSR, shape (items, features); an item whose row is empty is unlike all others.
    """

    features: sp.csr_matrix = field(compare=False, repr=False)

    stem = "diversity"

    def __call__(self, lists: Lists) -> Floats:
        """Return each user's diversity; 0 for a list of fewer than two items.

        The cosines of all pairs add up to ``(|sum of unit rows|^2 - number of rows that are not empty) / 2``.
        """
        ids = lists.ids[:, : self.k]
        listed = np.nonzero(ids >= 0)
        shape = (len(ids), self.features.shape[0])
        chosen = sp.csr_matrix((np.ones(len(listed[0])), (listed[0], ids[listed])), shape=shape)
        total = chosen @ self._unit
        alike = (_squared(total) - chosen @ np.minimum(_squared(self._unit), 1).round()) / 2
        n = (ids >= 0).sum(axis=1)
        pairs = n * (n - 1) / 2
        return _ratio(pairs - alike, pairs)

    @cached_property
    def _unit(self) -> sp.csr_matrix:
        length = np.sqrt(_squared(self.features))
        scale = np.repeat(_ratio(np.ones(len(length)), length), np.diff(self.features.indptr))
        return sp.csr_matrix(
            (self.features.data * scale, self.features.indices, self.features.indptr), shape=self.features.shape
        )


def _squared(rows: sp.csr_matrix) -> Floats:
    """Return the squared length of each row."""
    of = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    return np.bincount(of, np.asarray(rows.data, dtype=np.float64) ** 2, rows.shape[0]).astype(np.float64)


def catalogue(lists: Lists, k: int) -> dict[str, float]:
    """Give what only a whole set of lists has.

    Parameters
    ----------
    lists
        What a model recommended.
    k
        Places that are read.

    Returns
    -------
    ``coverage_at_<k>``, the share of the catalogue that somebody was recommended, and ``gini_at_<k>``, how unevenly
    recommendations fall on items: 0 if all are recommended equally often, near 1 if few take all. No interval: a
    resample of users repeats users and so covers less than any sample does, which makes percentile ends meaningless.
    """
    check_places(k)
    ids = lists.ids[:, :k]
    times = np.sort(np.bincount(ids[ids >= 0], minlength=lists.n_items))
    n, total = len(times), int(times.sum())
    weighted = float(((2 * np.arange(1, n + 1) - n - 1) * times).sum())
    return {
        f"coverage_at_{k}": float((times > 0).mean()),
        f"gini_at_{k}": weighted / (n * total) if total else 0.0,
    }


def _mean(ids: NDArray[np.int32], of_items: Floats) -> Floats:
    there = ids >= 0
    values = np.where(there, of_items[np.where(there, ids, 0)], 0.0)
    return _ratio(values.sum(axis=1), there.sum(axis=1))


def _mix(rows: NDArray[np.int64], groups: NDArray[np.int64], n_rows: int) -> Floats:
    counts = np.bincount(rows * (_TAIL + 1) + groups, minlength=n_rows * (_TAIL + 1)).reshape(n_rows, _TAIL + 1)
    return _ratio(counts, counts.sum(axis=1, keepdims=True))


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    """Divide, giving 0 where there is nothing to divide by."""
    out = np.zeros(np.shape(part))
    np.divide(part, whole, out=out, where=np.asarray(whole) > 0)
    return out
