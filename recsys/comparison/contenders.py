"""Who takes part: each model with the settings that may be tried, behind one Protocol.

Ranges are wide on purpose and the same for every data set: nothing here is tuned to a name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any

import scipy.sparse as sp
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
)

from recsys.comparison import own, peers
from recsys.comparison.contender import Contender, Fit, Params, Training
from recsys.evaluation import Popularity, Recommender
from recsys.models import Scored, Weighed, Weighting, ease, neighbours


def _popularity(plays: sp.csr_matrix, params: Params, training: Training) -> Recommender:  # noqa: ARG001
    return Popularity(plays)


def _random(plays: sp.csr_matrix, params: Params, training: Training) -> Recommender:  # noqa: ARG001
    return peers.lot(plays, seed=training.seed)


def _knn(plays: sp.csr_matrix, *args: Any, **settings: Any) -> Recommender:  # noqa: ANN401 - those of `neighbours`
    return Scored(neighbours(plays, *args, **settings))


def _weighed(train: Callable[..., Recommender], *, seeded: bool = True) -> Fit:
    def fit(plays: sp.csr_matrix, params: Params, training: Training) -> Recommender:
        settings = {**params, **({"seed": training.seed} if seeded else {})}
        weighting = Weighting.learn(plays, settings.pop("weighting"))
        return Weighed(train(weighting(plays), **settings), weighting)

    return fit


def _of_too_many_items(plays: sp.csr_matrix) -> str | None:
    """Say why EASE is left out: a matrix of items by items, dense, in three copies while it is inverted."""
    n = plays.shape[1]
    if n <= _MOST_ITEMS:
        return None
    return (
        f"a dense matrix of {n:,} x {n:,} items takes {12 * n * n / 2**30:.0f} GiB while it is inverted; at most "
        f"{_MOST_ITEMS:,} items are taken: keep those that most listeners have"
    )


def _watched(train: Callable[..., Recommender]) -> Fit:
    """Weigh plays, and let what is trained be looked at sweep by sweep."""

    def fit(plays: sp.csr_matrix, params: Params, training: Training) -> Recommender:
        settings, watch = dict(params), training.watch
        weighting = Weighting.learn(plays, settings.pop("weighting"))
        look = watch and (lambda sweep, model: watch(sweep, Weighed(model, weighting)))
        return Weighed(train(weighting(plays), seed=training.seed, watch=look, **settings), weighting)

    return fit


def _of_plays(train: Callable[..., Recommender]) -> Fit:
    def fit(plays: sp.csr_matrix, params: Params, training: Training) -> Recommender:  # noqa: ARG001
        return train(plays, **params)

    return fit


_MOST_ITEMS = 20_000
_WEIGHTING = CategoricalDistribution(["binary", "log", "tfidf", "bm25"])
_FACTORS = (64, 128, 256, 512, 1024)
_NEIGHBOURS = own.BESIDE["neighbours"]

_ALS: Mapping[str, BaseDistribution] = {
    "weighting": _WEIGHTING,
    "unobserved_weight": FloatDistribution(0.003, 1.0, log=True),
    "regularization": FloatDistribution(3e-4, 0.1, log=True),
    "nu": FloatDistribution(0.0, 1.0),
}
_ALS_START: Params = {"weighting": "binary", "unobserved_weight": 0.1, "regularization": 0.003, "nu": 1.0}

_IRSPACK = (
    [
        Contender(
            "irspack-ials",
            "irspack iALS",
            _watched(peers.irspack_ials),
            _ALS,
            _ALS_START,
            ("factors", _FACTORS),
            own.of_mean_weight,
        )
    ]
    if find_spec("irspack")  # an extra: who does not have it is not told of it
    else []
)

ALL: Mapping[str, Contender] = MappingProxyType(
    {
        contender.name: contender
        for contender in (
            Contender(
                "als",
                "recsys ALS",
                own.fit,
                _ALS,
                _ALS_START,
                ("factors", _FACTORS),
                own.settled,
            ),
            Contender(
                "als+items",
                "recsys ALS + items",
                own.fit,
                _ALS,
                _ALS_START,
                ("factors", _FACTORS),
                own.settled,
                own.beside,
            ),
            Contender(
                "ease",
                "EASE",
                _weighed(ease, seeded=False),
                {"weighting": _WEIGHTING, "l2": FloatDistribution(1.0, 5_000.0, log=True)},
                {"weighting": "binary", "l2": 300.0},
                too_large=_of_too_many_items,
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
                _watched(peers.implicit_als),
                {
                    "weighting": _WEIGHTING,
                    "alpha": FloatDistribution(1.0, 300.0, log=True),
                    "regularization": FloatDistribution(0.001, 300.0, log=True),
                },
                {"weighting": "binary", "alpha": 10.0, "regularization": 1.0},
                ("factors", _FACTORS),
                own.of_mean_weight,
            ),
            *_IRSPACK,
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
