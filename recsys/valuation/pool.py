"""Everybody in a pool valued: members are dealt into folds, each fold tests a model that the others trained.

So every member has a value from the models that were trained on them and tests the one that was not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import clone

from recsys.als import ALS
from recsys.evaluation import user_folds
from recsys.valuation.artists import artist_shares
from recsys.valuation.copies import times_handed_in
from recsys.valuation.knn import knn_shapley
from recsys.valuation.leave_one_out import leave_one_out
from recsys.valuation.values import Floats, Values

FOLDS = 5
METHODS = ("leave-one-out", "knn-shapley")


def valuer(*, iterations: int = 30, warm_up: int | None = None) -> ALS:
    """Give the factorization that members are valued by.

    It is small and well regularized: what a member adds is measured by how all others answer, and a factorization that
    has room for each member's own list answers to nobody.
    """
    als = ALS(factors=16, alpha=2.0, regularization=5.0, iterations=iterations)
    return als if warm_up is None else als.set_params(warm_up=warm_up)


@dataclass(frozen=True, eq=False)
class PoolValues:
    """What a pool's members and artists are worth.

    Attributes
    ----------
    members
        Method -> a value for each row; members of one history share its value.
    artists
        Share of each artist in what the models found.
    times
        How many members handed in each row's history.
    """

    members: dict[str, Values]
    artists: Floats
    times: NDArray[np.int64]

    @property
    def paid(self) -> Values:
        """The values that money is divided by: those among neighbours.

        Two halves of the listeners agree on them far better than on leave-one-out (``recsys bench valuation``), and
        hardly anybody's is below zero: a member is not paid by who happened to test.
        """
        return self.members["knn-shapley"]


def value_pool(
    user_items: sp.csr_matrix,
    als: ALS | None = None,
    *,
    folds: int = FOLDS,
    seed: int = 0,
    threads: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> PoolValues:
    """Value every member and every artist of a pool.

    Parameters
    ----------
    user_items
        Weights as a model is trained on, shape (members, artists).
    als
        How models are trained; as :func:`valuer` says unless given.
    folds
        Into how many parts members are dealt; 3 or more.
    seed
        Decides who is in which, and what listeners are shown.
    threads
        0 takes all processors; any number gives the same bits.
    progress
        Called with folds done and all.

    Raises
    ------
    ValueError
        If the pool is too small for so many folds.
    """
    parts: dict[str, list[Values]] = {method: [] for method in METHODS}
    shares, times = np.zeros(user_items.shape[1]), times_handed_in(user_items)
    for done, (train, rows, fold_in, target) in enumerate(_folds(user_items, folds, seed), start=1):
        model = clone(als or valuer()).set_params(num_threads=threads).fit(train).model_
        found = {
            "leave-one-out": leave_one_out(train, fold_in, target, model, threads=threads),
            "knn-shapley": knn_shapley(train, fold_in, target),
        }
        for method, values in found.items():
            spread = np.full((len(values.parts), user_items.shape[0]), np.nan)
            spread[:, rows] = values.parts
            parts[method].append(Values(spread))
        shares += artist_shares(model, fold_in, target)
        if progress is not None:
            progress(done, folds)
    shared = {method: Values.together(several).shared(times) for method, several in parts.items()}
    return PoolValues(shared, shares / (shares.sum() or 1), times)


def _folds(
    user_items: sp.csr_matrix, folds: int, seed: int
) -> Iterator[tuple[sp.csr_matrix, np.ndarray, sp.csr_matrix, sp.csr_matrix]]:
    """Give for each fold the training rows, where they stand, and what the others are shown and should be given."""
    for split in user_folds(user_items, folds, seed=seed):
        rows = np.setdiff1d(np.arange(user_items.shape[0]), split.test.users)
        yield sp.csr_matrix(user_items[rows]), rows, split.test.fold_in, split.test.target
