"""The models of ``implicit`` and ``irspack``, trained as their own users would, and a list drawn by lot.

Factorizations are looked at while they are trained, as ours is: what stops early for one does so for all.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recsys.als import ALSModel, Objective
from recsys.comparison.contender import Watch
from recsys.evaluation import Recommender
from recsys.models import Scored


@dataclass(frozen=True)
class Lot:
    """Scores drawn by lot: what knowing nothing is worth.

    Attributes
    ----------
    n_items
        Size of the catalogue.
    seed
        Decides the draws.
    """

    n_items: int
    seed: int = 0

    def scores(self, user_items: sp.csr_matrix) -> NDArray[np.float32]:
        """Draw a score for every item, shape (rows, items)."""
        rng = np.random.default_rng([self.seed, user_items.nnz])
        return rng.random((user_items.shape[0], self.n_items), dtype=np.float32)


def lot(train: sp.csr_matrix, *, seed: int = 0) -> Scored:
    """Recommend at random."""
    return Scored(Lot(train.shape[1], seed))


def implicit_als(
    train: sp.csr_matrix, *, factors: int, seed: int, watch: Watch | None = None, **params: Any  # noqa: ANN401
) -> Recommender:  # fmt: skip
    """Train ``implicit``'s ALS; `params` are those of its ``AlternatingLeastSquares``."""
    from implicit.cpu.als import AlternatingLeastSquares  # noqa: PLC0415 - takes a second to load

    model: Recommender = _trained(AlternatingLeastSquares, train, watch, factors=factors, random_state=seed, **params)
    return model


def irspack_ials(
    train: sp.csr_matrix,
    *,
    factors: int,
    seed: int,
    alpha: float,
    unobserved_weight: float,
    regularization: float,
    nu: float,
    iterations: int = 16,
    watch: Watch | None = None,
) -> Recommender:
    """Train ``irspack``'s iALS, which has the objective of Rendle et al. (RecSys 2022) as ours has.

    Parameters
    ----------
    train
        Weights, shape (users, items).
    factors, seed, unobserved_weight, nu, iterations
        As its own users would say ``n_components``, ``random_seed``, ``alpha0``, ``nu``, ``train_epochs``; the
        default is its own.
    alpha
        What weights are multiplied by.
    regularization
        That of ``nu = 1``, its ``nu_star``.
    watch
        Looks on.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of its own ways with pydantic
        from irspack import IALSRecommender  # noqa: PLC0415 - is an extra, and takes a second to load

    model = IALSRecommender(
        train * np.float32(alpha),
        n_components=factors,
        alpha0=unobserved_weight,
        reg=regularization,
        nu=nu,
        nu_star=1.0,
        random_seed=seed,
        n_threads=len(os.sched_getaffinity(0)),
    )
    found = Scored(_Irspack(model, alpha))
    model.start_learning()
    for sweep in range(1, iterations + 1):
        model.run_epoch()
        if watch is not None and watch(sweep, found):
            break
    return found


@dataclass(frozen=True, eq=False)
class _Irspack:
    """Scores of irspack's model for listeners who are folded in."""

    model: Any
    alpha: float

    def scores(self, user_items: sp.csr_matrix) -> NDArray[np.float32]:
        scores = self.model.get_score_cold_user(user_items * np.float32(self.alpha))
        return np.array(scores, dtype=np.float32)


class _EnoughError(Exception):
    """A look at a model that is being trained ends its training."""


def implicit_bpr(train: sp.csr_matrix, *, factors: int, seed: int, **params: Any) -> Recommender:  # noqa: ANN401
    """Train ``implicit``'s Bayesian personalized ranking (Rendle et al., UAI 2009); see :func:`_folding`."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking as Model  # noqa: PLC0415 - as above

    # Several threads write to shared factors without locks, so only one thread gives the same model twice.
    return _folding(_trained(Model, train, factors=factors, random_state=seed, num_threads=1, **params).item_factors)


def implicit_lmf(train: sp.csr_matrix, *, factors: int, seed: int, **params: Any) -> Recommender:  # noqa: ANN401
    """Train ``implicit``'s logistic factorization (Johnson, NIPS workshop 2014); see :func:`_folding`."""
    from implicit.cpu.lmf import LogisticMatrixFactorization as Model  # noqa: PLC0415 - as above

    return _folding(_trained(Model, train, factors=factors, random_state=seed, num_threads=1, **params).item_factors)


def _trained(
    kind: Callable[..., Any], train: sp.csr_matrix, watch: Watch | None = None, **settings: Any  # noqa: ANN401
) -> Any:  # noqa: ANN401 - it has no types # fmt: skip
    with threadpool_limits(1, "blas"):  # it warns otherwise: its own threads and those of BLAS would fight
        model = kind(**settings)
        with suppress(_EnoughError):
            model.fit(train.copy(), show_progress=False, callback=_looking(model, watch) if watch else None)
    return model


def _looking(model: Any, watch: Watch) -> Callable[..., None]:  # noqa: ANN401 - as above
    def swept(sweep: int, *_: object) -> None:
        model._YtY = None  # noqa: SLF001 - what it keeps of the items is of an earlier sweep
        if watch(sweep + 1, model):
            raise _EnoughError

    return swept


def _folding(item_factors: NDArray[np.float32]) -> Recommender:
    """Recommend to people who were not trained on, with factors whose own method has no way to take them in.

    Their factors are solved by least squares against the items' (Hu, Koren and Volinsky 2008), which is what ALS would
    do; the biases that these models append to the factors are treated like any other factor.
    """
    nobody = np.empty((0, item_factors.shape[1]), dtype=np.float32)
    objective = Objective(kind="ials", unobserved_weight=0.1, regularization=1.0)
    return ALSModel(nobody, np.asarray(item_factors, dtype=np.float32), objective)
