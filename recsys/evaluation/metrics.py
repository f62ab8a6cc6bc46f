"""Metrics of ranked lists, as things that can be named, listed and passed around: what a list finds.

The formulas stand in :mod:`recsys.ranking`. What a list is like, whatever it finds, is measured in
:mod:`recsys.evaluation.character`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from recsys import ranking
from recsys.evaluation.lists import Lists
from recsys.ranking import Floats


class Metric(Protocol):
    """A figure for each user, read off the lists that a model gave."""

    @property
    def k(self) -> int:
        """Length of the list that the metric reads."""

    @property
    def name(self) -> str:
        """What the metric is called in tables and tracked runs; MLflow refuses ``@``."""

    def __call__(self, lists: Lists) -> Floats:
        """Return one figure per user, shape (users,). Lists are shorter than `k` only if the catalogue is."""


def check_places(k: int) -> None:
    """Refuse a length that no list has."""
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise ValueError(f"k is {k!r}; it must be a whole number of places, 1 or more")


@dataclass(frozen=True)
class AtK:
    """A metric of the first `k` places, called ``<stem>_at_<k>``."""

    k: int

    stem: ClassVar[str]

    def __post_init__(self) -> None:
        check_places(self.k)

    @property
    def name(self) -> str:
        """What the metric is called."""
        return f"{self.stem}_at_{self.k}"


class NDCG(AtK):
    """Normalized discounted cumulative gain of the first `k` places; see :func:`recsys.ranking.ndcg`."""

    stem = "ndcg"

    def __call__(self, lists: Lists) -> Floats:
        """Return each user's NDCG, between 0 and 1."""
        return ranking.ndcg(lists.hit, lists.n_targets, self.k)


class Recall(AtK):
    """Share of what could be found in `k` places that was found; see :func:`recsys.ranking.recall`."""

    stem = "recall"

    def __call__(self, lists: Lists) -> Floats:
        """Return each user's recall, between 0 and 1."""
        return ranking.recall(lists.hit, lists.n_targets, self.k)


class Found(AtK):
    """Share of all that was to be found that is among `k` places: recall whose divisor is not cut at `k`.

    Papers that divide each user's items by share (He et al., "LightGCN", SIGIR 2020) call this one recall. Where a user
    has more than `k` targets it cannot reach 1, and is at most what :class:`Recall` is.
    """

    stem = "found"

    def __call__(self, lists: Lists) -> Floats:
        """Return each user's share, between 0 and 1."""
        return ranking.found(lists.hit, lists.n_targets, self.k)


class MAP(AtK):
    """Mean average precision of the first `k` places; see :func:`recsys.ranking.average_precision`."""

    stem = "map"

    def __call__(self, lists: Lists) -> Floats:
        """Return each user's average precision, between 0 and 1."""
        return ranking.average_precision(lists.hit, lists.n_targets, self.k)


class MRR(AtK):
    """Mean reciprocal rank of the first hit in `k` places; see :func:`recsys.ranking.reciprocal_rank`."""

    stem = "mrr"

    def __call__(self, lists: Lists) -> Floats:
        """Return one over the rank of each user's first hit, or 0."""
        return ranking.reciprocal_rank(lists.hit, lists.n_targets, self.k)


class HitRate(AtK):
    """Share of users with a hit in `k` places; see :func:`recsys.ranking.hit_rate`."""

    stem = "hit_rate"

    def __call__(self, lists: Lists) -> Floats:
        """Return 1 for each user with a hit, else 0."""
        return ranking.hit_rate(lists.hit, lists.n_targets, self.k)


STANDARD: tuple[Metric, ...] = (NDCG(100), Recall(20), Recall(50), MAP(20), MRR(20), HitRate(20))
"""What a model is measured by unless somebody asks for something else; the first is what models are chosen by."""
