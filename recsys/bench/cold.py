"""What tags are worth for artists whom nobody has heard yet, on one file of interactions and one of tags.

Some artists lose all their listeners before training. Held-out listeners, of whom only the others are known, are then
asked about these artists alone; without tags a factorization ranks them by lot.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.als import ALS, ALSModel
from recsys.bench.machine import circumstances
from recsys.bench.panel import columns, row_of
from recsys.bench.report import Column, Report, Row, silent
from recsys.dataset import import_benchmark
from recsys.errors import ConfigError, DatasetTooSmallError
from recsys.evaluation import NDCG, HeldOut, Scores, Split, evaluate, strong_generalization
from recsys.models import Factors, Scored, warmed

_METRIC = NDCG(20)
_RIDGES = (1.0, 10.0, 30.0, 100.0, 300.0, 1_000.0)
_IDS, _TAGS = ("item", "item_id", "artist", "artist_id"), ("tags", "genres")
_BETWEEN = re.compile(r"[\s|,;]+")
_FEWEST = 10
_SETTINGS: dict[str, Any] = {"objective": "ials", "unobserved_weight": 0.1, "regularization": 0.003, "nu": 1.0}
_NOTES = (
    "difference: to the row above, paired by listener; only artists without listeners in training are ranked",
    "likeness of tags: cosine of the listener's and the artist's tags, the rarer a tag the more it counts",
    "the ridge was chosen on other listeners and other artists without listeners",
)

Score = Callable[[sp.csr_matrix], NDArray[np.float32]]


@dataclass(frozen=True)
class _Only:
    """Scores by a function, and only these artists."""

    score: Score
    artists: NDArray[np.bool_]

    def scores(self, user_items: sp.csr_matrix) -> NDArray[np.float32]:
        found = np.array(self.score(user_items), dtype=np.float32)
        found[:, ~self.artists] = -np.inf
        return found


@dataclass(frozen=True, eq=False)
class _Trial:
    """A file without the listeners of some artists.

    Attributes
    ----------
    has
        1 for each pair, shape (users, artists).
    tags
        Shape (artists, tags).
    choosing, judging
        The artists without listeners by whom the ridge is chosen, and those who judge it.
    split
        Likewise the listeners.
    """

    has: sp.csr_matrix
    tags: sp.csr_matrix
    choosing: NDArray[np.bool_]
    judging: NDArray[np.bool_]
    split: Split

    def known(self, rows: sp.csr_matrix) -> sp.csr_matrix:
        """Leave out artists without listeners."""
        return _without(rows, self.choosing | self.judging)

    def scores(self, users: NDArray[np.int64], cold: NDArray[np.bool_], score: Score) -> Scores:
        """Ask for some of the artists without listeners, showing what is known of others."""
        held = HeldOut(users, self.known(self.has[users]), _without(self.has[users], ~cold))
        return evaluate(Scored(_Only(score, cold)), held, [_METRIC])


def run(
    data: Path,
    tags: Path,
    *,
    share: float = 0.2,
    factors: int = 64,
    seed: int = 0,
    date: str = "",
    out: Path | None = None,
    progress: Callable[[str], object] = silent,
) -> Report:
    """Make the table.

    Parameters
    ----------
    data
        Parquet or CSV as :func:`recsys.dataset.import_benchmark` takes it.
    tags
        Parquet or CSV with a column item, item_id, artist or artist_id, and a column tags or genres: words with blanks,
        commas, semicolons or bars between them.
    share
        Of the artists: as many lose their listeners, half of them to choose the ridge by.
    factors
        Size of the model.
    seed, date, out, progress
        As in :func:`recsys.bench.als.run`.

    Raises
    ------
    ConfigError
        If a file cannot be read.
    DatasetTooSmallError
        If there are too few artists.
    """
    version = import_benchmark([data], name=data.stem)
    has = sp.csr_matrix(version.user_items > 0, dtype=np.float32)
    trial = _divided(has, _tags(tags, version.artists.names), share, seed)
    progress("training")
    train = trial.known(has[trial.split.train_users])
    model = ALS(factors=factors, random_state=seed, **_SETTINGS).fit(train).model_
    listeners = np.bincount(train.indices, minlength=has.shape[1])
    progress("judging")
    rows = _rows(trial, model, listeners, seed)
    about = circumstances([], len(os.sched_getaffinity(0)), date) | {
        "seed": seed,
        "listeners": len(trial.split.test.users),
        "artists without listeners": int(trial.judging.sum()),
        "tags": trial.tags.shape[1],
        "factors": factors,
    }
    title = f"Artists whom nobody has heard yet: {data.stem}"
    shown = (*columns("NDCG@20"), Column("words", "settings"))
    return Report(title, about, shown, rows, list(_NOTES)).saved(out, f"cold-{data.stem}")


def _divided(has: sp.csr_matrix, tags: sp.csr_matrix, share: float, seed: int) -> _Trial:
    n_users, n_artists = has.shape
    drawn = np.random.default_rng(seed).permutation(n_artists)[: round(n_artists * share)]
    if len(drawn) < _FEWEST or n_users < _FEWEST:
        raise DatasetTooSmallError(
            f"{n_users} listeners, and {len(drawn)} artists to take theirs from: there must be {_FEWEST} of both"
        )
    choosing, judging = (np.isin(np.arange(n_artists), half) for half in np.array_split(drawn, 2))
    return _Trial(has, tags, choosing, judging, strong_generalization(has, n_users // 5, seed=seed))


def _rows(trial: _Trial, model: ALSModel, listeners: NDArray[np.int64], seed: int) -> list[Row]:
    def from_tags(ridge: float) -> Score:
        return Factors(warmed(model, trial.tags, listeners, ridge=ridge)).scores

    def chosen_by(ridge: float) -> float:
        return trial.scores(trial.split.validation.users, trial.choosing, from_tags(ridge))[_METRIC.name].mean

    ridge = max(_RIDGES, key=chosen_by)
    rows: list[Row] = []
    before: Scores | None = None
    contestants: list[tuple[str, Score, dict[str, float]]] = [
        ("by lot: a factorization knows nothing of them", _lot(seed), {}),
        ("likeness of tags", _likeness(trial.tags), {}),
        ("factors from tags", from_tags(ridge), {"ridge": ridge}),
    ]
    for words, score, settings in contestants:
        found = trial.scores(trial.split.test.users, trial.judging, score)
        rows.append(row_of(words, found, before, settings, metric=_METRIC.name))
        before = found
    return rows


def _lot(seed: int) -> Score:
    rng = np.random.default_rng(seed)
    return lambda rows: rng.random(rows.shape, dtype=np.float32)


def _likeness(tags: sp.csr_matrix) -> Score:
    rarity = np.log(tags.shape[0] / np.maximum(tags.sum(axis=0), 1.0))
    weighed = sp.csr_matrix(tags @ sp.diags_array(np.asarray(rarity).ravel()))
    length = np.sqrt(weighed.multiply(weighed).sum(axis=1)).clip(1e-12)
    unit = sp.csr_matrix(sp.diags_array(1 / np.asarray(length).ravel()) @ weighed)
    return lambda rows: np.asarray(((rows @ unit) @ unit.T).toarray(), dtype=np.float32)


def _without(matrix: sp.csr_matrix, artists: NDArray[np.bool_]) -> sp.csr_matrix:
    kept = sp.csr_matrix(matrix @ sp.diags_array((~artists).astype(np.float32)))
    kept.eliminate_zeros()
    return kept


def _tags(path: Path, names: Sequence[str]) -> sp.csr_matrix:
    """Read tags of these artists, shape (artists, tags)."""
    ids, words = _columns(path)
    told = {artist: set(filter(None, _BETWEEN.split(text))) for artist, text in zip(ids, words, strict=True)}
    place = {tag: number for number, tag in enumerate(sorted(set().union(*told.values())))}
    pairs = [(row, place[tag]) for row, name in enumerate(names) for tag in told.get(name, ())]
    if not pairs:
        raise ConfigError(f"{path.name} has no tags of the artists in the other file; they must share their ids")
    rows, columns_ = np.array(pairs).T
    return sp.csr_matrix((np.ones(len(pairs)), (rows, columns_)), shape=(len(names), len(place)))


def _columns(path: Path) -> tuple[list[str], list[str]]:
    try:
        table = pyarrow.csv.read_csv(path) if path.suffix.lower() == ".csv" else pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise ConfigError(f"{path.name} is neither a Parquet nor a CSV file that can be read: {error}") from error
    found = [next((name for name in wanted if name in table.column_names), None) for wanted in (_IDS, _TAGS)]
    if None in found:
        raise ConfigError(f"{path.name} has the columns {', '.join(table.column_names)}; item and tags are needed")
    ids, words = (["" if value is None else str(value) for value in table[name].to_pylist()] for name in found)
    return ids, words
