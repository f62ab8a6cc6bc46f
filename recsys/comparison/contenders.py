"""Who takes part: each model with the settings that may be tried, behind one Protocol.

Ranges are wide on purpose and the same for every data set: nothing here is tuned to a name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from recsys.als import ALS, ALSModel
from recsys.comparison import peers
from recsys.evaluation import Popularity, Recommender
from recsys.models import Beside, Scored, Weighed, Weighting, ease, neighbours

Params = Mapping[str, Any]
Watch = Callable[[int, Recommender], bool]
"""Called with the sweep and the model so far; a true answer ends training."""


@dataclass(frozen=True)
class Training:
    """What training is told beside its data and settings.

    Attributes
    ----------
    seed
        Decides what is drawn.
    watch
        Looks on, where a model comes about sweep by sweep.
    keys
        Stable numbers of the items, by which their factors start; their places unless given.
    """

    seed: int = 0
    watch: Watch | None = None
    keys: NDArray[np.uint64] | None = None


class Fit(Protocol):
    """Trains a model on the plays of training users."""

    def __call__(self, plays: sp.csr_matrix, params: Params, training: Training) -> Recommender:
        """Return a model that takes plays."""


@dataclass(frozen=True)
class Contender:
    """A kind of model.

    Attributes
    ----------
    name
        What tables and options call it.
    title
        What it is, in a few words.
    fit
        Trains it.
    space
        What may be tried; empty if there is nothing to choose.
    start
        The settings that are tried first.
    ladder
        For a setting that costs more the larger it is: its values, smallest first. The others are searched at the
        first; then it is raised as long as that helps.
    """

    name: str
    title: str
    fit: Fit
    space: Mapping[str, BaseDistribution] = field(default_factory=dict)
    start: Params = field(default_factory=dict)
    ladder: tuple[str, tuple[int, ...]] | None = None


def _popularity(plays: sp.csr_matrix, params: Params, training: Training) -> Recommender:  # noqa: ARG001
    return Popularity(plays)


def _random(plays: sp.csr_matrix, params: Params, training: Training) -> Recommender:  # noqa: ARG001
    return peers.lot(plays, seed=training.seed)


def _als(plays: sp.csr_matrix, params: Params, training: Training) -> Recommender:
    settings = dict(params)
    weighting = Weighting.learn(plays, settings.pop("weighting"))
    estimator = ALS(objective="ials", random_state=training.seed, **settings)

    def swept(sweep: int, _loss: float, model: ALSModel) -> bool:
        return training.watch is not None and training.watch(sweep, Weighed(model, weighting))

    return Weighed(estimator.fit(weighting(plays), item_keys=training.keys, callback=swept).model_, weighting)


def _als_and_items(plays: sp.csr_matrix, params: Params, training: Training) -> Recommender:
    settings = dict(params)
    weight, k = settings.pop("neighbours_weight"), settings.pop("neighbours")
    weighting = Weighting.learn(plays, settings.pop("weighting"))
    weights = weighting(plays)
    beside = Beside(neighbours(weights, k=k), weight)

    def swept(sweep: int, _loss: float, model: ALSModel) -> bool:
        return training.watch is not None and training.watch(sweep, Weighed(beside.blended(model), weighting))

    model = (
        ALS(objective="ials", random_state=training.seed, **settings)
        .fit(weights, item_keys=training.keys, callback=swept)
        .model_
    )
    return Weighed(beside.blended(model), weighting)


def _knn(plays: sp.csr_matrix, *args: Any, **settings: Any) -> Recommender:  # noqa: ANN401 - those of `neighbours`
    return Scored(neighbours(plays, *args, **settings))


def _weighed(train: Callable[..., Recommender], *, seeded: bool = True) -> Fit:
    def fit(plays: sp.csr_matrix, params: Params, training: Training) -> Recommender:
        settings = {**params, **({"seed": training.seed} if seeded else {})}
        weighting = Weighting.learn(plays, settings.pop("weighting"))
        return Weighed(train(weighting(plays), **settings), weighting)

    return fit


def _of_plays(train: Callable[..., Recommender]) -> Fit:
    def fit(plays: sp.csr_matrix, params: Params, training: Training) -> Recommender:  # noqa: ARG001
        return train(plays, **params)

    return fit


_WEIGHTING = CategoricalDistribution(["binary", "log", "tfidf", "bm25"])
_FACTORS = (64, 128, 256, 512, 1024)
_NEIGHBOURS = IntDistribution(20, 500, log=True)

_ALS: Mapping[str, BaseDistribution] = {
    "weighting": _WEIGHTING,
    "unobserved_weight": FloatDistribution(0.003, 1.0, log=True),
    "regularization": FloatDistribution(3e-4, 0.1, log=True),
    "nu": FloatDistribution(0.0, 1.0),
}
_ALS_START: Params = {"weighting": "binary", "unobserved_weight": 0.1, "regularization": 0.003, "nu": 1.0}

ALL: Mapping[str, Contender] = MappingProxyType(
    {
        contender.name: contender
        for contender in (
            Contender(
                "als",
                "recsys ALS",
                _als,
                _ALS,
                _ALS_START,
                ("factors", _FACTORS),
            ),
            Contender(
                "als+items",
                "recsys ALS + items",
                _als_and_items,
                {
                    **_ALS,
                    "neighbours": _NEIGHBOURS,
                    "neighbours_weight": FloatDistribution(0.02, 1.0, log=True),
                },
                {**_ALS_START, "neighbours": 200, "neighbours_weight": 0.3},
                ("factors", _FACTORS),
            ),
            Contender(
                "ease",
                "EASE",
                _weighed(ease, seeded=False),
                {"weighting": _WEIGHTING, "l2": FloatDistribution(1.0, 5_000.0, log=True)},
                {"weighting": "binary", "l2": 300.0},
            ),
            Contender(
                "itemknn-cosine",
                "item-kNN, cosine",
                _weighed(_knn, seeded=False),
                {"weighting": CategoricalDistribution(["binary", "log"]), "k": _NEIGHBOURS},
                {"weighting": "binary", "k": 200},
            ),
            Contender(
                "itemknn-tfidf",
                "item-kNN, TF-IDF",
                _of_plays(lambda plays, k: _knn(plays, "tfidf", k=k)),
                {"k": _NEIGHBOURS},
                {"k": 200},
            ),
            Contender(
                "itemknn-bm25",
                "item-kNN, BM25",
                _of_plays(lambda plays, **settings: _knn(plays, "bm25", **settings)),
                {"k": _NEIGHBOURS, "k1": FloatDistribution(0.5, 200, log=True), "b": FloatDistribution(0, 1)},
                {"k": 200, "k1": 1.2, "b": 0.75},
            ),
            Contender(
                "implicit-als",
                "implicit ALS",
                _weighed(peers.implicit_als),
                {
                    "weighting": _WEIGHTING,
                    "alpha": FloatDistribution(1.0, 300.0, log=True),
                    "regularization": FloatDistribution(0.001, 300.0, log=True),
                },
                {"weighting": "binary", "alpha": 10.0, "regularization": 1.0},
                ("factors", _FACTORS),
            ),
            Contender(
                "implicit-bpr",
                "implicit BPR",
                _weighed(peers.implicit_bpr),
                {
                    "weighting": CategoricalDistribution(["binary"]),
                    "learning_rate": FloatDistribution(0.005, 0.2, log=True),
                    "regularization": FloatDistribution(1e-4, 0.1, log=True),
                },
                {"weighting": "binary", "learning_rate": 0.05, "regularization": 0.01},
                ("factors", _FACTORS[:3]),
            ),
            Contender(
                "implicit-lmf",
                "implicit LMF",
                _weighed(peers.implicit_lmf),
                {
                    "weighting": CategoricalDistribution(["binary", "log"]),
                    "learning_rate": FloatDistribution(0.1, 2.0, log=True),
                    "regularization": FloatDistribution(0.01, 10.0, log=True),
                },
                {"weighting": "binary", "learning_rate": 1.0, "regularization": 0.6},
                ("factors", _FACTORS[:3]),
            ),
            Contender("popularity", "popularity", _popularity),
            Contender("random", "random", _random),
        )
    }
)
"""Every contender by its name."""
