"""The models of ``implicit``, trained as its own users would, and a list drawn by lot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recsys.als import ALSModel, Objective
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


def implicit_als(train: sp.csr_matrix, *, factors: int, seed: int, **params: Any) -> Recommender:  # noqa: ANN401
    """Train ``implicit``'s ALS; `params` are those of its ``AlternatingLeastSquares``."""
    from implicit.cpu.als import AlternatingLeastSquares  # noqa: PLC0415 - takes a second to load

    model: Recommender = _trained(AlternatingLeastSquares, train, factors=factors, random_state=seed, **params)
    return model


def implicit_bpr(train: sp.csr_matrix, *, factors: int, seed: int, **params: Any) -> Recommender:  # noqa: ANN401
    """Train ``implicit``'s Bayesian personalized ranking (Rendle et al., UAI 2009); see :func:`_folding`."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking as Model  # noqa: PLC0415 - as above

    # Several threads write to shared factors without locks, so only one thread gives the same model twice.
    return _folding(_trained(Model, train, factors=factors, random_state=seed, num_threads=1, **params).item_factors)


def implicit_lmf(train: sp.csr_matrix, *, factors: int, seed: int, **params: Any) -> Recommender:  # noqa: ANN401
    """Train ``implicit``'s logistic factorization (Johnson, NIPS workshop 2014); see :func:`_folding`."""
    from implicit.cpu.lmf import LogisticMatrixFactorization as Model  # noqa: PLC0415 - as above

    return _folding(_trained(Model, train, factors=factors, random_state=seed, num_threads=1, **params).item_factors)


def _trained(kind: Callable[..., Any], train: sp.csr_matrix, **settings: Any) -> Any:  # noqa: ANN401 - it has no types
    with threadpool_limits(1, "blas"):  # it warns otherwise: its own threads and those of BLAS would fight
        model = kind(**settings)
        model.fit(train.copy(), show_progress=False)
    return model


def _folding(item_factors: NDArray[np.float32]) -> Recommender:
    """Recommend to people who were not trained on, with factors whose own method has no way to take them in.

    Their factors are solved by least squares against the items' (Hu, Koren and Volinsky 2008), which is what ALS would
    do; the biases that these models append to the factors are treated like any other factor.
    """
    nobody = np.empty((0, item_factors.shape[1]), dtype=np.float32)
    objective = Objective(kind="ials", unobserved_weight=0.1, regularization=1.0)
    return ALSModel(nobody, np.asarray(item_factors, dtype=np.float32), objective)
