"""A trained factorization taken apart: how it answers when a member is not there.

With w0, q and b of the loss (:mod:`recsys.als.objective`) and ``c = w0 + q``, an artist's factors solve
``A_i y_i = sum b x`` with ``A_i = sum c x x' + lambda I``, a member's ``M_u x_u = sum b y`` with
``M_u = sum c y y' + lambda I``. One sweep of training maps the artists' factors to themselves at the end: Y = F(Y).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from recsys.als import ALSModel
from recsys.als.objective import Objective
from recsys.valuation.values import Floats

_AT_ONCE = 64
_LEAST = 1e-9  # 1 - c h is above 0 but for rounding: without the member the matrix still has its ridge


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a factorization: its own factors, and what they were solved from.

    Attributes
    ----------
    factors
        Of the rows of this side, shape (rows, k).
    inverses
        The inverse of each row's matrix, shape (rows, k, k).
    """

    factors: Floats
    inverses: Floats

    @classmethod
    def solved(cls, pairs: sp.csr_matrix, others: Floats, objective: Objective, pool: ThreadPoolExecutor) -> Side:
        """Solve the rows of `pairs`, shape (rows, others), against the others' factors."""
        gram, k = objective.w0 * (others.T @ others), others.shape[1]
        ridge = np.broadcast_to(objective.ridge(np.diff(pairs.indptr), len(others)), pairs.shape[0])
        inverses, factors = np.empty((pairs.shape[0], k, k)), np.empty((pairs.shape[0], k))

        def solve(first: int) -> None:
            for row in range(first, min(first + _AT_ONCE, pairs.shape[0])):
                stored = slice(pairs.indptr[row], pairs.indptr[row + 1])
                b, q = objective.weights(pairs.data[stored])
                other = others[pairs.indices[stored]]
                inverses[row] = np.linalg.inv(gram + ridge[row] * np.eye(k) + (other.T * q) @ other)
                factors[row] = inverses[row] @ (other.T @ b)

        list(pool.map(solve, range(0, pairs.shape[0], _AT_ONCE)))
        return cls(factors, inverses)

    def divided(self, pulls: Floats) -> Floats:
        """Multiply each row's pull by its inverse matrix."""
        return np.asarray(np.einsum("rkl,rl->rk", self.inverses, pulls))


@dataclass(frozen=True, eq=False)
class Trained:
    """Members and artists of a factorization that further sweeps change little.

    Attributes
    ----------
    members, artists
        The two sides: the artists' factors are solved from those of the members.
    pairs
        Weights, shape (members, artists).
    objective
        The loss.
    """

    members: Side
    artists: Side
    pairs: sp.csr_matrix
    objective: Objective

    @classmethod
    def of(cls, pairs: sp.csr_matrix, model: ALSModel, sweeps: int, pool: ThreadPoolExecutor) -> Trained:
        """Take a model through some more sweeps, and then apart."""
        pairs = sp.csr_matrix(pairs, dtype=np.float32)
        by_artist = sp.csr_matrix(pairs.T)
        Y = model.item_factors
        for _ in range(sweeps):
            X = ALSModel(model.user_factors[:0], Y, model.objective, model.num_threads).fold_in(pairs)
            Y = ALSModel(model.user_factors[:0], X, model.objective, model.num_threads).fold_in(by_artist)
        members = Side.solved(pairs, Y.astype(np.float64), model.objective, pool)
        artists = Side.solved(by_artist, members.factors, model.objective, pool)
        return cls(members, artists, pairs, model.objective)

    def answered(self, pulls: Floats, rounds: int) -> Floats:
        """Add to each pull on the artists' factors what all further sweeps make of it.

        With J the Jacobian of a sweep F this is ``(I - J')^-1 pulls``, by `rounds` terms of ``pulls + J' pulls + J'J'
        pulls + ...``: implicit differentiation of the fixed point.
        """
        total = pulls
        for _ in range(rounds):
            total = pulls + self._swept(total)
        return total

    def _swept(self, pulls: Floats) -> Floats:
        """Multiply by J': from the artists back to the members, and from the members back to the artists."""
        X, Y = self.members.factors, self.artists.factors
        back = _felt(self.pairs, X, Y, self.artists.divided(pulls), self.objective)
        by_artist = sp.csr_matrix(self.pairs.T)
        return _felt(by_artist, Y, X, self.members.divided(back), self.objective)

    def without(self, pulls: Floats, artists: range) -> Floats:
        """Add up what each member's absence does through these artists, shape (groups, members).

        Parameters
        ----------
        pulls
            How the utility of each group moves with the artists' factors, shape (groups, artists, k).
        artists
            Which of them.
        """
        X = self.members.factors
        out = np.zeros((len(pulls), len(X)))
        columns = sp.csc_matrix(self.pairs[:, artists.start : artists.stop])
        for place, i in enumerate(artists):
            Z = X @ self.artists.inverses[i]
            stored = slice(columns.indptr[place], columns.indptr[place + 1])
            c, b = np.full(len(X), self.objective.w0), np.zeros(len(X))
            who = columns.indices[stored]
            b[who], q = self.objective.weights(columns.data[stored])
            c[who] += q
            h = np.einsum("uk,uk->u", Z, X)
            step = (c * (X @ self.artists.factors[i]) - b) / np.maximum(1 - c * h, _LEAST)
            out -= step * (Z @ pulls[:, i].T).T
        return out


def _felt(pairs: sp.csr_matrix, rows: Floats, others: Floats, divided: Floats, objective: Objective) -> Floats:
    """Give what a pull on the others' factors, divided by their matrices, makes of the factors of the rows.

    With w the divided pull of the other side, a row x feels ``sum over others (b - c s) w - c (w'x) y``.
    """
    row = np.repeat(np.arange(pairs.shape[0]), np.diff(pairs.indptr))
    b, q = objective.weights(pairs.data)
    x = rows[row]
    s = np.einsum("pk,pk->p", x, others[pairs.indices])
    along = np.einsum("pk,pk->p", x, divided[pairs.indices])
    own = sp.csr_matrix((b - q * s, pairs.indices, pairs.indptr), shape=pairs.shape)
    bent = sp.csr_matrix((q * along, pairs.indices, pairs.indptr), shape=pairs.shape)
    both = others.T @ divided
    return np.asarray(own @ divided - bent @ others - objective.w0 * (rows @ (both + both.T)))
