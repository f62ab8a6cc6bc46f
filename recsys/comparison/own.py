"""Our own models, made of flat settings: the factorization, and neighbours beside it.

What may be tried is written so that one range suits every kind of data. ALS itself is told something else:

* *Weights* of pairs are divided by their mean. Only their ratio to the unobserved weight matters, and a play count, a
  logarithm and a BM25 weight are of different sizes by orders of magnitude.
* *Regularization* is that of ``nu = 1`` and is brought to any other ``nu`` so that all rows together are penalized
  alike: otherwise a range that is right for one exponent is wrong by orders of magnitude for another.

Neighbours are searched when the factorization is found: trained once, it stands while what is beside it is tried, so
that many more are tried in the same time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from recsys.als import ALS, ALSModel
from recsys.comparison.contender import Contender, Params, Training
from recsys.evaluation import Recommender
from recsys.models import Beside, Weighed, Weighting, neighbours

BESIDE: Mapping[str, BaseDistribution] = {
    "neighbours": IntDistribution(20, 500, log=True),
    "neighbours_weight": FloatDistribution(0.02, 2.0, log=True),
}
BESIDE_START: Params = {"neighbours": 200, "neighbours_weight": 0.3}


def fit(plays: sp.csr_matrix, params: Params, training: Training) -> Recommender:
    """Train ALS under Rendle's objective, and put neighbours beside it if they are wanted.

    Parameters
    ----------
    plays
        Row u is the history of training user u, shape (users, items).
    params
        ``weighting``; fields of :class:`recsys.ALS`; ``neighbours``, 0 unless given, and with them
        ``neighbours_weight``.
    training
        Seed, keys, and who watches: the factorization alone.
    """
    alone = {name: value for name, value in params.items() if name not in BESIDE}
    return _with_neighbours(*_factorization(plays, alone, training), plays, params)


def beside(found: Params) -> Contender:
    """Give the contender that adds neighbours to a factorization of these settings, which is trained once."""
    trained: list[tuple[sp.csr_matrix, ALSModel, Weighting]] = []

    def add(plays: sp.csr_matrix, params: Params, training: Training) -> Recommender:
        if not trained or trained[0][0] is not plays:
            trained[:] = [(plays, *_factorization(plays, found, replace(training, watch=None)))]
        return _with_neighbours(*trained[0][1:], plays, params)

    return Contender("neighbours", "neighbours", add, BESIDE, BESIDE_START)


def _factorization(plays: sp.csr_matrix, params: Params, training: Training) -> tuple[ALSModel, Weighting]:
    settings = dict(params)
    weighting = Weighting.learn(plays, settings.pop("weighting"))

    def swept(sweep: int, _loss: float, model: ALSModel) -> bool:
        return training.watch is not None and training.watch(sweep, Weighed(model, weighting))

    estimator = ALS(objective="ials", random_state=training.seed, **settings)
    return estimator.fit(weighting(plays), item_keys=training.keys, callback=swept).model_, weighting


def _with_neighbours(model: ALSModel, weighting: Weighting, plays: sp.csr_matrix, params: Params) -> Weighed:
    if not params.get("neighbours"):
        return Weighed(model, weighting)
    nearest = neighbours(weighting(plays), k=params["neighbours"])
    return Weighed(Beside(nearest, params["neighbours_weight"]).blended(model), weighting)


def settled(params: Params, plays: sp.csr_matrix) -> Mapping[str, Any]:
    """Say in ALS's own terms what was tried: adds ``alpha`` and brings ``regularization`` to ``nu``.

    Parameters
    ----------
    params
        What the search proposes.
    plays
        What is trained on, shape (users, items).
    """
    nu, w0 = params.get("nu", 1.0), params["unobserved_weight"]
    users, items = plays.shape
    rows = np.diff(plays.indptr) + w0 * items
    columns = np.bincount(plays.indices, minlength=items) + w0 * users
    seen = np.concatenate([rows, columns])
    scale = float(seen.sum() / (seen**nu).sum())
    return {**of_mean_weight(params, plays), "regularization": _digits(params["regularization"] * scale)}


def of_mean_weight(params: Params, plays: sp.csr_matrix) -> Mapping[str, Any]:
    """Divide ``alpha``, 1 unless given, by the mean weight of these plays, shape (users, items)."""
    weights = Weighting.learn(plays, params["weighting"])(plays)
    return {**params, "alpha": _digits(params.get("alpha", 1.0) / float(weights.data.mean(dtype=np.float64)))}


def _digits(value: float) -> float:
    """Keep five significant digits: more say nothing, and settings are read by people."""
    return float(f"{value:.5g}")
