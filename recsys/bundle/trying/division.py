"""Listeners who are strangers to a model: what is shown of each, what is hidden, and what is listed for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.bundle.trying.histories import Histories, Matched
from recsys.errors import ConfigError
from recsys.evaluation import NDCG, HeldOut, Lists, Metric, Recall, Recommender, Scores, ask, measure
from recsys.named import NamedModel
from recsys.ranking import Bools, hits, hold_out_part

METRICS: tuple[Metric, ...] = (NDCG(100), Recall(20), Recall(50))
"""What is measured; the first is what verdicts are about."""

LENGTH = max(metric.k for metric in METRICS)

_FEWEST = 2  # listeners: an interval over one is none
_SHOWN = 0.8
_BLOCK = 1024


@dataclass(frozen=True, eq=False)
class Division:
    """Histories in two parts.

    Attributes
    ----------
    histories
        All of them.
    users
        Rows of the listeners who have something to show and something to find, ascending, shape (tested,).
    shown, hidden
        The two parts of ``users[r]``'s history, shape (tested, artists); disjoint.
    """

    histories: Histories
    users: NDArray[np.int64]
    shown: sp.csr_matrix
    hidden: sp.csr_matrix

    @classmethod
    def of(cls, histories: Histories, *, seed: int = 0) -> Division:
        """Show a drawn 80% of each listener's artists and hide the rest, at least one of each.

        Raises
        ------
        ConfigError
            If fewer than two listeners have two artists.
        """
        counts = np.diff(histories.plays.indptr)
        users = np.flatnonzero(counts >= 2)  # noqa: PLR2004 - one to show, one to find
        if len(users) < _FEWEST:
            raise ConfigError(
                f"only {len(users)} of {len(counts)} listeners have two artists or more; an evaluation needs at least "
                f"{_FEWEST} of them, and says little with fewer than some hundred"
            )
        shown, hidden = hold_out_part(histories.plays[users], _SHOWN, np.random.default_rng(seed))
        return cls(histories, users, shown, hidden)

    @property
    def n_hidden(self) -> NDArray[np.int64]:
        """How many artists are hidden of each listener, shape (tested,)."""
        return np.diff(self.hidden.indptr).astype(np.int64)

    def n_hidden_among(self, artists: Bools) -> NDArray[np.int64]:
        """Count those among some of the artists, shape (tested,)."""
        return np.asarray(self.hidden.astype(bool) @ artists.astype(np.int64), dtype=np.int64)


def listed_by_model(
    recommender: Recommender, division: Division, matched: Matched, named: NamedModel, *, blindly: bool = False
) -> Lists:
    """Ask a model that knows some of the artists; ids are its columns, targets everything that was hidden.

    Parameters
    ----------
    recommender
        The model, or another one of the same columns.
    division
        Of ``matched.histories``.
    matched
        The histories beside the artists of `named`.
    named
        Whose columns they are.
    blindly
        Also give a list to a listener of whom nothing that it knows is shown; a model has nothing to go on there.
    """
    shown, hidden = (
        matched.in_bundle(part, len(named.artists), named.typical_plays) for part in (division.shown, division.hidden)
    )
    able = np.flatnonzero(np.diff(hidden.indptr) * (blindly or np.diff(shown.indptr)))
    ids = np.full((len(division.users), min(LENGTH, len(named.artists))), -1, dtype=np.int32)
    hit = np.zeros(ids.shape, dtype=np.bool_)
    if len(able):
        lists = ask(recommender, HeldOut(division.users[able], shown[able], hidden[able]), LENGTH)
        ids[able], hit[able] = lists.ids, lists.hit
    return Lists(division.users, ids, hit, division.n_hidden, shown)


def listed_by_fame(division: Division, among: Bools) -> Lists:
    """List what most *other* listeners of these histories have, of some of the artists.

    Each listener's own artists are taken off the counts, the hidden ones too; of equally many listeners the artist
    that comes first in the alphabet of keys comes first, so that nothing of the listener decides.
    """
    plays = division.histories.plays
    listeners = np.where(among, np.bincount(plays.indices, minlength=plays.shape[1]), -1)
    order = np.argsort(-listeners, kind="stable")
    ids = np.full((len(division.users), min(LENGTH, plays.shape[1])), -1, dtype=np.int32)
    for start in range(0, len(ids), _BLOCK):
        rows = slice(start, start + _BLOCK)
        own, shown = plays[division.users[rows]], division.shown[rows]
        reach = min(len(order), ids.shape[1] + int(np.diff(own.indptr).max(initial=0)))
        candidates = np.sort(order[:reach])
        counts = np.where(
            listeners[candidates] < 0, -np.inf, listeners[candidates] - own[:, candidates].astype(bool).toarray()
        )
        counts[shown[:, candidates].astype(bool).toarray()] = -np.inf
        best = np.argsort(-counts, axis=1, kind="stable")[:, : ids.shape[1]]
        found = np.isfinite(np.take_along_axis(counts, best, axis=1))
        ids[rows] = np.where(found, candidates[best], -1)
    return Lists(division.users, ids, hits(ids, division.hidden), division.n_hidden, division.shown)


def scored(lists: Lists, n_targets: NDArray[np.int64] | None = None, metrics: Sequence[Metric] = METRICS) -> Scores:
    """Measure lists, against fewer targets if `n_targets` says so; listeners without any are left out."""
    wanted = lists.n_targets if n_targets is None else n_targets
    some = np.flatnonzero(wanted)
    part = Lists(lists.users[some], lists.ids[some], lists.hit[some], wanted[some], lists.fold_in[some])
    return measure(part, metrics)
