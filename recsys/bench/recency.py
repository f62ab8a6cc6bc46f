"""What it is worth to weigh recent listens more, where a file has times.

Recency can only help to tell the future, so it is judged twice: by pairs drawn by lot, as everything else is, and by
the latest fifth of each history, shown the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.bench.panel import METRIC, Fold, filled, folds, judged, parts, row_of
from recsys.bench.report import Row
from recsys.comparison import Training, own
from recsys.dataset import DatasetVersion, benchmark_events
from recsys.errors import ConfigError
from recsys.evaluation import Recommender, Scores, Split
from recsys.models import Weighting, ages, latest, recent

_HALF_LIVES = (0.1, 0.3, 0.5, 0.8, 0.95)  # quantiles of the ages of pairs


def recency(
    data: Path, version: DatasetVersion, split: Split, settings: Mapping[str, Any], *, judges: int, seed: int
) -> list[Row]:
    """Compare a model with and without recency; no rows if the file has no times.

    Parameters
    ----------
    data, version
        The file, and the version that was made of it.
    split
        Its validation users choose the half-life, by the latest fifth of their histories.
    settings
        What the model is trained with.
    judges, seed
        As in :func:`recsys.bench.panel.folds`.
    """
    plays = version.user_items
    try:
        row, column, _, time = benchmark_events(data, version)
    except ConfigError:
        return []
    times = latest(row, column, time, plays)
    old = ages(times[split.train_users])
    if not old.any():
        return []
    trial = _Trial(plays, times, settings, seed)
    lives = [float(life) for life in np.unique(np.quantile(old[old > 0], _HALF_LIVES)) if life > 0]
    chosen = max(lives, key=lambda life: trial.scores(_validating(trial, split), life)[METRIC.name].mean)
    rows = []
    for words, order in (("targets by lot", None), ("the latest fifth is the target", trial.by_time)):
        panel = folds(plays, split, judges, seed, order)
        without, with_it = trial.scores(panel, None), trial.scores(panel, chosen)
        rows.append(row_of(f"recency, {words}", with_it, without, {"half_life": chosen}, trials=len(lives)))
    return rows


class _Trial:
    """Trains one model on weights as they are, or halved with age."""

    def __init__(self, plays: sp.csr_matrix, times: sp.csr_matrix, settings: Mapping[str, Any], seed: int) -> None:
        self.plays, self.times, self.seed = plays, times, seed
        self.kind = settings["weighting"]
        self.settings = {**settings, "weighting": "linear"}  # weights are made here

    def by_time(self, places: sp.csr_matrix) -> NDArray[np.int64]:
        """Order each history by time."""
        counts = np.diff(places.indptr)
        order = np.lexsort((self.times.data[places.data], np.repeat(np.arange(len(counts)), counts)))
        rank = np.empty(places.nnz, dtype=np.int64)
        rank[order] = np.arange(places.nnz) - np.repeat(places.indptr[:-1], counts)
        return rank

    def scores(self, panel: tuple[Fold, ...], half_life: float | None) -> Scores:
        """Let the judges judge the model with this half-life, or with none."""
        return judged(panel, self._train, lambda fold: self._weights(fold, half_life))

    def _weights(self, fold: Fold, half_life: float | None) -> Callable[[sp.csr_matrix], sp.csr_matrix]:
        weighting = Weighting.learn(filled(fold.train, self.plays.data), self.kind)

        def weigh(places: sp.csr_matrix) -> sp.csr_matrix:
            weights = weighting(filled(places, self.plays.data))
            return recent(weights, filled(places, self.times.data), half_life) if half_life else weights

        return weigh

    def _train(self, weights: sp.csr_matrix) -> Recommender:
        return own.fit(weights, self.settings, Training(self.seed))


def _validating(trial: _Trial, split: Split) -> tuple[Fold, ...]:
    plays = trial.plays
    places = sp.csr_matrix((np.arange(plays.nnz), plays.indices, plays.indptr), shape=plays.shape)
    users = split.validation.users
    return (Fold(users, places[split.train_users], *parts(places[users], trial.by_time)),)
