"""Listeners to whom artists are recommended, and how well they are served as artists' factors move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.als.objective import Objective
from recsys.valuation.utility import TEMPERATURE, soft_ndcg
from recsys.valuation.values import Floats


@dataclass(frozen=True, eq=False)
class Listeners:
    """Listeners to whom artists are recommended, as the utility sees them.

    Attributes
    ----------
    fold_in, target
        What they are folded in with, and what is to be found, shape (listeners, artists).
    objective
        The loss by which they are folded in.
    temperature
        As in :func:`recsys.valuation.utility.soft_ndcg`.
    """

    fold_in: sp.csr_matrix
    target: sp.csr_matrix
    objective: Objective
    temperature: float = TEMPERATURE

    def utility(self, Y: Floats) -> Floats:
        """Measure each listener's lists by these factors of artists, shape (listeners,)."""
        X = self._folded(Y, Y.T @ Y)[0]
        return soft_ndcg(X @ Y.T, self.fold_in, self.target, self.temperature)[0]

    def pull(self, Y: Floats, gram: Floats, rows: NDArray[np.int64]) -> Floats:
        """Differentiate the summed utility of some by the artists' factors, through the listeners' own factors, too.

        A listener's factors x solve ``M x = sum b y`` with ``M = sum c y y' + lambda I``; with g the derivatives by
        scores and ``a = M^-1 Y'g``, an artist's factors feel ``g x + b a - c (s a + (a'y) x)``.
        """
        some = Listeners(self.fold_in[rows], self.target[rows], self.objective, self.temperature)
        X, inverses, C, B = some._folded(Y, gram)
        scores = X @ Y.T
        gradient = soft_ndcg(scores, some.fold_in, some.target, self.temperature)[1]
        A = np.einsum("tkl,tl->tk", inverses, gradient @ Y)
        return np.asarray((gradient - C * (A @ Y.T)).T @ X + (B - C * scores).T @ A)

    def _folded(self, Y: Floats, gram: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Fold everybody in: factors, inverse matrices, and the weights c and b of all pairs, stored or not."""
        n, k = self.fold_in.shape[0], len(gram)
        C, B = np.full(self.fold_in.shape, self.objective.w0), np.zeros(self.fold_in.shape)
        inverses, X = np.empty((n, k, k)), np.empty((n, k))
        ridge = np.broadcast_to(self.objective.ridge(np.diff(self.fold_in.indptr), len(Y)), n)
        for t in range(n):
            stored = slice(self.fold_in.indptr[t], self.fold_in.indptr[t + 1])
            own = self.fold_in.indices[stored]
            B[t, own], q = self.objective.weights(self.fold_in.data[stored])
            C[t, own] += q
            y = Y[own]
            inverses[t] = np.linalg.inv(self.objective.w0 * gram + ridge[t] * np.eye(k) + (y.T * q) @ y)
            X[t] = inverses[t] @ (y.T @ B[t, own])
        return X, inverses, C, B
