r"""The loss that ALS minimises, stated once for both conventions of the literature.

Rows u are users, columns i items, S the stored pairs with value v, scores s = x_u . y_i:

.. math::

    L = \sum_{(u,i) \in S} (q s^2 - 2 b s + b) + w_0 \sum_{u,i} s^2
        + \sum_u \lambda_u |x_u|^2 + \sum_i \lambda_i |y_i|^2

==============  =======================  ===========  =======  =====================================================
``kind``        b (0 where v < 0)        q            w0       reads as
==============  =======================  ===========  =======  =====================================================
``implicit``    c = alpha v              |c| - 1      1        a stored pair costs c (1 - s)^2, any other s^2
``ials``        c = alpha v              |c|          given    a stored pair costs c (1 - s)^2 on top of w0 s^2
==============  =======================  ===========  =======  =====================================================

``implicit`` is Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (2008), eq. 3, as the
`implicit` package computes it; ``ials`` is Rendle et al., "Revisiting the Performance of iALS on Item Recommendation
Benchmarks" (2022), eq. 1-4. A negative value is a dislike: preference 0, held with confidence ``|c|``.

Regularization is scaled by frequency, in either convention: a user with n stored pairs among m items has
``lambda_u = regularization (n + w0 m)^nu`` (Rendle et al. 2022, section 4.2, recommend nu = 1), and an item likewise
with the number of users. With ``nu = 0`` every row has ``regularization`` itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Kind = Literal["implicit", "ials"]
KINDS: tuple[Kind, ...] = ("implicit", "ials")
Float32s = NDArray[np.float32]
Float64s = NDArray[np.float64]
Floats = NDArray[np.floating]
Counts = NDArray[np.integer]

_BLOCK_FLOATS = 1 << 21  # floats of each side that the evaluator gathers at once


@dataclass(frozen=True)
class Objective:
    """The parameters of the loss; the module says what they mean."""

    kind: Kind = "implicit"
    alpha: float = 1.0
    regularization: float = 0.01
    unobserved_weight: float = 1.0
    nu: float = 0.0

    @property
    def w0(self) -> float:
        """Weight of the squared score of a pair that is not stored."""
        return 1.0 if self.kind == "implicit" else self.unobserved_weight

    @property
    def replaces(self) -> bool:
        """Whether a stored pair's weight replaces the weight of unobserved pairs, rather than being added to it."""
        return self.kind == "implicit"

    def weights(self, values: NDArray[np.generic]) -> tuple[Float64s, Float64s]:
        """Give b and q of stored pairs with these values."""
        c = self.alpha * np.asarray(values, dtype=np.float64)
        return np.maximum(c, 0), np.abs(c) - self.replaces

    def ridge(self, counts: Counts, n_others: int) -> Float64s:
        """Give lambda of rows with these numbers of stored pairs, among `n_others` columns; one value if all agree."""
        if self.nu == 0:
            return np.array([self.regularization])
        return self.regularization * (counts.astype(np.float64) + self.w0 * n_others) ** self.nu

    def constant(self, values: NDArray[np.generic]) -> float:
        """Sum b over stored pairs with these values: the part of the loss that no factors can change."""
        size = 1 << 20
        parts = (np.maximum(values[i : i + size], 0) for i in range(0, len(values), size))
        return self.alpha * float(sum(np.sum(part, dtype=np.float64) for part in parts))

    def loss(self, user_items: sp.csr_matrix, user_factors: Floats, item_factors: Floats) -> float:
        """Evaluate L in double precision; the sum over all pairs is the inner product of the two Gram matrices.

        Parameters
        ----------
        user_items
            Values v, shape (users, items); row r belongs to row r of `user_factors`.
        user_factors, item_factors
            Shapes (users, factors) and (items, factors).
        """
        everywhere = float(np.sum(gram(user_factors) * gram(item_factors)))
        stored = sum(self._stored(*block) for block in _pair_scores(user_items, user_factors, item_factors))
        user_counts, item_counts = pair_counts(user_items)
        n_users, n_items = user_items.shape
        return (
            stored
            + self.w0 * everywhere
            + penalty(self.ridge(user_counts, n_items), user_factors)
            + penalty(self.ridge(item_counts, n_users), item_factors)
        )

    def _stored(self, values: Float64s, scores: Float64s) -> float:
        b, q = self.weights(values)
        return float(np.sum((q * scores - 2 * b) * scores + b))

    def gradient(
        self, user_items: sp.csr_matrix, user_factors: Floats, item_factors: Floats
    ) -> tuple[Float64s, Float64s]:
        """Differentiate L by both factor matrices, in double precision; zero at a converged solution."""
        X, Y = user_factors.astype(np.float64), item_factors.astype(np.float64)
        scores = np.concatenate([np.empty(0), *(scores for _, scores in _pair_scores(user_items, X, Y))])
        b, q = self.weights(user_items.data)
        pulls = sp.csr_matrix((q * scores - b, user_items.indices, user_items.indptr), shape=user_items.shape)
        user_counts, item_counts = pair_counts(user_items)
        user_ridge = self.ridge(user_counts, len(Y))[:, None]
        item_ridge = self.ridge(item_counts, len(X))[:, None]
        by_users = pulls @ Y + self.w0 * X @ (Y.T @ Y) + user_ridge * X
        by_items = pulls.T @ X + self.w0 * Y @ (X.T @ X) + item_ridge * Y
        return 2 * by_users, 2 * by_items


def pair_counts(user_items: sp.csr_matrix) -> tuple[Counts, Counts]:
    """Count the stored pairs of each row and of each column."""
    return np.diff(user_items.indptr), np.bincount(user_items.indices, minlength=user_items.shape[1])


def gram(factors: Floats) -> Float64s:
    """Multiply ``factors' factors`` in double precision, in blocks of rows."""
    total = np.zeros((factors.shape[1],) * 2)
    for first in range(0, len(factors), 4096):
        block = factors[first : first + 4096].astype(np.float64)
        total += block.T @ block
    return total


def penalty(ridge: Floats, factors: Floats) -> float:
    """Sum ``ridge_r |factors_r|^2`` over the rows."""
    squares = np.einsum("rk,rk->r", factors, factors, dtype=np.float64)
    return float(np.sum(ridge * squares))


def _pair_scores(
    user_items: sp.csr_matrix, user_factors: Floats, item_factors: Floats
) -> Iterator[tuple[Float64s, Float64s]]:
    """Give values and scores of the stored pairs, block by block in their stored order."""
    size = max(1, _BLOCK_FLOATS // user_factors.shape[1])
    for first in range(0, user_items.nnz, size):
        pairs = np.arange(first, min(first + size, user_items.nnz))
        rows = np.searchsorted(user_items.indptr, pairs, side="right") - 1
        columns = user_items.indices[pairs]
        scores = np.einsum("pk,pk->p", user_factors[rows], item_factors[columns], dtype=np.float64)
        yield user_items.data[pairs].astype(np.float64), scores
