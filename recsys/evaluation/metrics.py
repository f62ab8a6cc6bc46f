"""Metrics of ranked lists, as things that can be named, listed and passed around.

The formulas stand in :mod:`recsys.ranking`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recsys import ranking
from recsys.ranking import Bools, Floats


class Metric(Protocol):
    """A figure for each user, read off the places at which a list hits."""

    @property
    def k(self) -> int:
        """Length of the list that the metric reads."""

    @property
    def name(self) -> str:
        """What the metric is called in tables and tracked runs; MLflow refuses ``@``."""

    def __call__(self, hit: Bools, n_targets: NDArray[np.integer]) -> Floats:
        """Return one figure per user.

        `hit` tells which places hold a target, shape (users, at least k unless the catalogue is smaller);
        `n_targets` counts each user's targets.
        """


@dataclass(frozen=True)
class _AtK:
    k: int

    def __post_init__(self) -> None:
        if isinstance(self.k, bool) or not isinstance(self.k, (int, np.integer)) or self.k < 1:
            raise ValueError(f"k is {self.k!r}; it must be a whole number of places, 1 or more")


class NDCG(_AtK):
    """Normalized discounted cumulative gain of the first `k` places; see :func:`recsys.ranking.ndcg`."""

    @property
    def name(self) -> str:
        """``ndcg_at_<k>``."""
        return f"ndcg_at_{self.k}"

    def __call__(self, hit: Bools, n_targets: NDArray[np.integer]) -> Floats:
        """Return each user's NDCG, between 0 and 1."""
        return ranking.ndcg(hit, n_targets, self.k)


class Recall(_AtK):
    """Share of what could be found in `k` places that was found; see :func:`recsys.ranking.recall`."""

    @property
    def name(self) -> str:
        """``recall_at_<k>``."""
        return f"recall_at_{self.k}"

    def __call__(self, hit: Bools, n_targets: NDArray[np.integer]) -> Floats:
        """Return each user's recall, between 0 and 1."""
        return ranking.recall(hit, n_targets, self.k)
