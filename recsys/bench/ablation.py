"""What each addition to plain ALS is worth, on one file of interactions.

Additions are made one after the other. Each is tuned for the same time by the same validation listeners, judged by the
same other listeners, and kept only if the paired interval of its gain lies above 0; what comes next stands on what was
kept. The test listeners of ``recsys compare`` with the same seed are not touched.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import scipy.sparse as sp
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from recsys.bench.machine import circumstances
from recsys.bench.panel import METRIC, Fold, columns, filled, folds, judged, row_of
from recsys.bench.recency import recency
from recsys.bench.report import Column, Report, Row, silent
from recsys.comparison import ALL, Contender, Training, Tuned, own, tune
from recsys.dataset import import_benchmark
from recsys.errors import DatasetTooSmallError
from recsys.evaluation import Referee, Scores, strong_generalization

_FEWEST_USERS, _MOST_TEST, _MOST_VALIDATION = 50, 10_000, 5_000
_FIRST_FACTORS = 64


@dataclass(frozen=True)
class Addition:
    """Something that is added to what was kept so far: what may be tried for it, and what is tried first."""

    title: str
    space: Mapping[str, BaseDistribution] = field(default_factory=dict)
    start: Mapping[str, Any] = field(default_factory=dict)
    ladder: tuple[str, tuple[int, ...]] = ("factors", (_FIRST_FACTORS,))


_PLAIN = Addition(
    f"iALS: plays as they are, nu 0, {_FIRST_FACTORS} factors",
    {
        **ALL["als"].space,
        "weighting": CategoricalDistribution(["linear"]),
        "nu": CategoricalDistribution([0.0]),
    },
    {**ALL["als"].start, "weighting": "linear", "nu": 0.0},
)
_ADDITIONS = (
    Addition("+ regularization by frequency", {"nu": FloatDistribution(0.0, 1.0)}, {"nu": 1.0}),
    Addition(
        "+ shaped confidence",
        {"weighting": CategoricalDistribution(["linear", "binary", "log", "tfidf", "bm25"])},
        {"weighting": "log"},
    ),
    Addition("+ more factors", ladder=ALL["als"].ladder or _PLAIN.ladder),
)
_SEARCHES = 1 + len(_ADDITIONS) + 2  # neighbours, EASE


_COLUMNS = (*columns("NDCG@100"), Column("trials", "trials"), Column("words", "settings"))
_NOTES = (
    "difference: to the last row that was kept, paired by listener; intervals by bootstrap over listeners",
    "kept: the interval of the difference lies above 0",
    "settings were chosen by validation listeners, figures are those of other listeners, and none of them tests",
    "EASE is compared with the model that was kept, recency with the same model without it; neither is part of it",
)


@dataclass(frozen=True, eq=False)
class Bench:
    """One file, divided.

    Attributes
    ----------
    plays
        All of it.
    referee
        Asks those by whom settings are chosen.
    panel
        Those who judge.
    seed
        Decides starts and searches.
    seconds, max_trials
        Time of each search, and at most so many trials of each of its stages.
    """

    plays: sp.csr_matrix
    referee: Referee
    panel: tuple[Fold, ...]
    seed: int
    seconds: float
    max_trials: int | None

    def tune(self, contender: Contender) -> Tuned:
        """Search a contender's settings."""
        return tune(contender, self.referee, seconds=self.seconds, seed=self.seed, max_trials=self.max_trials)

    def judge(self, contender: Contender, settings: Mapping[str, Any]) -> Scores:
        """Train with these settings for each fold of judges, and score."""
        return judged(
            self.panel,
            lambda train: contender.fit(train, settings, Training(self.seed)),
            lambda _: lambda places: filled(places, self.plays.data),
        )


@dataclass(frozen=True, eq=False)
class Kept:
    """The model that additions are made to.

    Attributes
    ----------
    settings
        What it is trained with.
    scores
        What the judges found.
    space, start
        What was searched for it, and where the next search starts.
    """

    settings: Mapping[str, Any]
    scores: Scores
    space: Mapping[str, BaseDistribution]
    start: Mapping[str, Any]


def run(
    data: Path,
    *,
    seconds: float = 600.0,
    held_out: float = 0.1,
    judges: int = 2_000,
    max_trials: int | None = None,
    seed: int = 0,
    date: str = "",
    out: Path | None = None,
    progress: Callable[[str], object] = silent,
) -> Report:
    """Make the table for one file.

    Parameters
    ----------
    data
        Parquet or CSV as :func:`recsys.dataset.import_benchmark` takes it; recency is looked at if it has times.
    seconds
        Time for all searches together, shared alike; training for the judges comes on top.
    held_out
        Share of the listeners that ``recsys compare`` would test on, and of those by whom settings are chosen.
    judges
        Of the others so many judge at most.
    max_trials
        As in :func:`recsys.comparison.tune`.
    seed, date, out, progress
        As in :func:`recsys.bench.als.run`.

    Raises
    ------
    ConfigError
        If the file cannot be read.
    DatasetTooSmallError
        If there are too few listeners.
    """
    version = import_benchmark([data], name=data.stem)
    plays = version.user_items
    if plays.shape[0] < _FEWEST_USERS:
        raise DatasetTooSmallError(f"{data.name} has {plays.shape[0]} listeners; give {_FEWEST_USERS} or more")
    n_test = min(max(round(plays.shape[0] * held_out), 1), _MOST_TEST)
    split = strong_generalization(plays, n_test, n_validation=min(n_test, _MOST_VALIDATION), seed=seed)
    panel = folds(plays, split, judges, seed)
    bench = Bench(plays, Referee(split, [METRIC]), panel, seed, seconds / _SEARCHES, max_trials)
    rows: list[Row] = []
    kept = _additions(bench, rows, progress)
    progress("EASE")
    rows.append(_ease(bench, kept))
    progress("recency")
    rows += recency(data, version, split, kept.settings, judges=judges, seed=seed)
    about = circumstances([], len(os.sched_getaffinity(0)), date) | {
        "seed": seed,
        "seconds of each search": round(bench.seconds),
        "validation listeners": len(split.validation.users),
        "judges": sum(len(fold.users) for fold in panel),
        "folds": len(panel),
        "items": plays.shape[1],
        "pairs": plays.nnz,
    }
    title = f"What each addition to ALS is worth: {data.stem}, {plays.shape[0]:,} listeners"
    return Report(title, about, _COLUMNS, rows, list(_NOTES)).saved(out, f"ablation-{data.stem}")


def _additions(bench: Bench, rows: list[Row], progress: Callable[[str], object]) -> Kept:
    """Make one addition after the other; each row goes to `rows`."""
    progress(_PLAIN.title)
    kept, row = _try(bench, _PLAIN, None)
    rows.append(row)
    for addition in _ADDITIONS:
        progress(addition.title)
        better, row = _try(bench, addition, kept)
        rows.append(row)
        kept = better if row["kept"] == "yes" else kept
    progress("+ neighbours")
    adds = own.beside(kept.settings)
    tuned = bench.tune(adds)
    settings = {**kept.settings, **tuned.params}
    scores = bench.judge(ALL["als+items"], settings)
    rows.append(row_of("+ neighbours", scores, kept.scores, settings, trials=tuned.trials))
    return Kept(settings, scores, kept.space, kept.start) if rows[-1]["kept"] == "yes" else kept


def _try(bench: Bench, addition: Addition, kept: Kept | None) -> tuple[Kept, Row]:
    space = {**(kept.space if kept else {}), **addition.space}
    start = {**(kept.start if kept else {}), **addition.start}
    tuned = bench.tune(Contender("als", addition.title, own.fit, space, start, addition.ladder, own.settled))
    scores = bench.judge(ALL["als"], tuned.params)
    next_start = {name: value for name, value in tuned.tried.items() if name in space}
    row = row_of(addition.title, scores, kept.scores if kept else None, tuned.params, trials=tuned.trials)
    return Kept(tuned.params, scores, space, next_start), row


def _ease(bench: Bench, kept: Kept) -> Row:
    tuned = bench.tune(ALL["ease"])
    scores = bench.judge(ALL["ease"], tuned.params)
    return {**row_of("EASE", scores, kept.scores, tuned.params, trials=tuned.trials), "kept": None}
