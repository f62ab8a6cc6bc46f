"""Listeners who judge: each by a model that was trained on everybody else, and none of them a test listener.

A comparison needs many judges, and a small set has few. So all listeners judge but those who test and those by whom
settings are chosen; a fold at a time is left out of training, as in cross-validation over users.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.bench.report import Column, Row
from recsys.evaluation import NDCG, Bootstrap, HeldOut, Recommender, Score, Scores, Split, evaluate
from recsys.ranking import drawn_places, entries

METRIC = NDCG(100)
_LARGEST_FOLD = 5  # at most a fifth of the listeners is missing while a model is trained
_FOLD_IN = 0.8
_LEAST_ITEMS = 2

Order = Callable[[sp.csr_matrix], NDArray[np.int64]]
"""Given pairs, their places from 0 within each row: the first of them are shown, the last are to be found."""


@dataclass(frozen=True, eq=False)
class Fold:
    """Some of the judges. The values of all three matrices say where a pair stands in the matrix of all plays.

    Attributes
    ----------
    users
        Who they are, int64.
    train, fold_in, target
        Pairs of those who train, pairs that a model is shown of the judges, and those it should find.
    """

    users: NDArray[np.int64]
    train: sp.csr_matrix
    fold_in: sp.csr_matrix
    target: sp.csr_matrix


def folds(plays: sp.csr_matrix, split: Split, most: int, seed: int, order: Order | None = None) -> tuple[Fold, ...]:
    """Divide those who neither test nor validate into folds of judges.

    Parameters
    ----------
    plays
        Row u is the history of user u, shape (users, items).
    split
        Says who tests and who validates.
    most
        Judges at most.
    seed
        Decides who judges, and what of their histories is shown.
    order
        Says which pairs of a history are shown; drawn by lot unless given.
    """
    draw, divide = (np.random.default_rng(one) for one in np.random.SeedSequence(seed).spawn(2))
    places = sp.csr_matrix((np.arange(plays.nnz), plays.indices, plays.indptr), shape=plays.shape)
    able = split.train_users[np.diff(plays.indptr)[split.train_users] >= _LEAST_ITEMS]
    judges = draw.permutation(able)[:most]
    trainable = np.sort(np.concatenate([split.train_users, split.validation.users]))
    n_folds = math.ceil(len(judges) * _LARGEST_FOLD / len(trainable))
    made = []
    for part in np.array_split(judges, n_folds):
        users = np.sort(part)
        fold_in, target = parts(places[users], order or (lambda rows: drawn_places(rows, divide)[1]))
        made.append(Fold(users.astype(np.int64), places[np.setdiff1d(trainable, users)], fold_in, target))
    return tuple(made)


def parts(rows: sp.csr_matrix, order: Order) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Divide each history into the first four fifths of an order and the rest, at least one pair each."""
    counts = np.diff(rows.indptr)
    shown = np.clip(np.rint(counts * _FOLD_IN).astype(np.int64), 1, np.maximum(counts - 1, 1))
    folded = order(rows) < np.repeat(shown, counts)
    of = np.repeat(np.arange(rows.shape[0]), counts)
    return entries(rows, of, folded), entries(rows, of, ~folded)


def filled(places: sp.csr_matrix, values: NDArray[np.floating]) -> sp.csr_matrix:
    """Put values where a matrix of places says that they stand."""
    return sp.csr_matrix((values[places.data], places.indices, places.indptr), shape=places.shape)


def judged(
    panel: Sequence[Fold],
    train: Callable[[sp.csr_matrix], Recommender],
    values: Callable[[Fold], Callable[[sp.csr_matrix], sp.csr_matrix]],
) -> Scores:
    """Train once for each fold, and let its judges judge.

    Parameters
    ----------
    panel
        The judges.
    train
        Trains a model on what `values` makes of the others' pairs.
    values
        Given a fold, what turns places into what the model takes.
    """
    found = []
    for fold in panel:
        fill = values(fold)
        held = HeldOut(fold.users, fill(fold.fold_in), fill(fold.target))
        found.append(evaluate(train(fill(fold.train)), held, [METRIC], n_bootstrap=1))
    users = np.concatenate([one.users for one in found])
    per_user = {name: np.concatenate([one[name].per_user for one in found]) for name in found[0]}
    return Scores(users, per_user, Bootstrap())


def columns(metric: str) -> tuple[Column, ...]:
    """Lay out the rows of :func:`row_of`."""
    return (
        Column("model", "model"),
        Column("figure", metric, "{:.4f}".format),
        Column("interval", "95% interval", _interval),
        Column("gain", "difference", "{:+.4f}".format),
        Column("gain_interval", "95% interval", _interval),
        Column("kept", "kept"),
    )


def row_of(
    model: str,
    scores: Scores,
    before: Scores | None,
    settings: Mapping[str, Any],
    *,
    trials: int | None = None,
    metric: str = METRIC.name,
) -> Row:
    """Make a row of the table: a model's figures beside those of what it is added to."""
    found = scores[metric]
    gain: Score | None = scores.difference(before)[metric] if before else None
    return {
        "model": model,
        "figure": found.mean,
        "interval": (found.low, found.high),
        "gain": gain.mean if gain else None,
        "gain_interval": (gain.low, gain.high) if gain else None,
        "kept": "yes" if gain is None or gain.low > 0 else "no",
        "trials": trials,
        "settings": dict(settings),
        "words": ", ".join(f"{name} {_short(value)}" for name, value in settings.items()),
    }


def _interval(ends: tuple[float, float]) -> str:
    return "[{:.4f}, {:.4f}]".format(*ends)


def _short(value: Any) -> str:  # noqa: ANN401 - any setting
    return f"{value:.3g}" if isinstance(value, float) else str(value)
