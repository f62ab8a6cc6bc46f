"""Models of items alone: what somebody likes is told by what they have, through one matrix of items by items."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.models.scored import Scored

_ITEMS_AT_ONCE = 1024

Likeness = Literal["cosine", "tfidf", "bm25"]


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Item-kNN: an item's score is the sum of its likeness to what a listener has (Deshpande and Karypis 2004).

    Attributes
    ----------
    alike
        Likeness of items, CSR, shape (items, items).
    """

    alike: sp.csr_matrix

    def scores(self, user_items: sp.csr_matrix) -> NDArray[np.float32]:
        """Score every item for each row, shape (rows, items)."""
        return np.asarray((user_items @ self.alike).toarray(), dtype=np.float32)


def neighbours(
    train: sp.csr_matrix,
    likeness: Likeness = "cosine",
    *,
    k: int = 200,
    k1: float = 1.2,
    b: float = 0.75,
    together: int = 1,
) -> Neighbours:
    """Find each item's `k` nearest ones, by ``implicit``'s item models.

    Parameters
    ----------
    train
        Row u is the history of training user u, shape (users, items).
    likeness
        Cosine of the items' columns as they are, or weighted by TF-IDF, or by BM25.
    k
        Neighbours of an item, itself among them.
    k1, b
        Of BM25: how soon more plays stop counting for more, and how much a long history counts for less.
    together
        Fewest users who have both items of a pair; rarer pairs are left out, since they say little of the items and
        may point at somebody.
    """
    from implicit import nearest_neighbours as theirs  # noqa: PLC0415 - takes a second to load

    model = {
        "cosine": lambda: theirs.CosineRecommender(K=k),
        "tfidf": lambda: theirs.TFIDFRecommender(K=k),
        "bm25": lambda: theirs.BM25Recommender(K=k, K1=k1, B=b),
    }[likeness]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it hands itself a matrix of a form that it warns of
        model.fit(train.copy(), show_progress=False)
    alike = sp.csr_matrix(model.similarity).astype(np.float32)
    alike.setdiag(0)
    if together > 1:
        alike = shared_by(train, alike, together)
    alike.eliminate_zeros()
    across = sp.csr_matrix(alike.T)
    across.sort_indices()
    return Neighbours(across)


def shared_by(train: sp.csr_matrix, alike: sp.csr_matrix, together: int) -> sp.csr_matrix:
    """Keep those pairs of items that at least so many users have; a block of items at a time, to bound memory."""
    has = sp.csr_matrix((np.ones(train.nnz, np.float32), train.indices, train.indptr), shape=train.shape)
    items, blocks = has.T.tocsr(), []
    for start in range(0, alike.shape[0], _ITEMS_AT_ONCE):
        users = items[start : start + _ITEMS_AT_ONCE] @ has
        users.data = np.where(users.data >= together, np.float32(1), np.float32(0))
        blocks.append(alike[start : start + _ITEMS_AT_ONCE].multiply(users))
    return sp.csr_matrix(sp.vstack(blocks))


@dataclass(frozen=True, eq=False)
class Ease:
    """EASE^R: the linear item-item model whose diagonal is zero, in closed form (Steck, WWW 2019, eq. 8).

    Attributes
    ----------
    weights
        B of the paper for the kept items, float32, shape (kept, kept).
    kept
        Their columns; an item that is not among them is never recommended.
    n_items
        Size of the catalogue.
    """

    weights: NDArray[np.float32]
    kept: NDArray[np.int64]
    n_items: int

    def scores(self, user_items: sp.csr_matrix) -> NDArray[np.float32]:
        """Score every item for each row, shape (rows, items); -inf where the model does not know the item."""
        known = user_items[:, self.kept] @ self.weights
        if len(self.kept) == self.n_items:
            return np.asarray(known, dtype=np.float32)
        scores = np.full((user_items.shape[0], self.n_items), -np.inf, dtype=np.float32)
        scores[:, self.kept] = known
        return scores


@dataclass(frozen=True, eq=False)
class EaseOfUsers:
    """EASE^R where there are fewer users than items: the same scores from a matrix of users by users.

    With ``P = (X'X + l2 I)^-1`` the paper's weights are ``-P_ij / P_jj`` off the diagonal, so that scores are
    ``x - x P / diag(P)``; and ``l2 P = I - X' (XX' + l2 I)^-1 X`` (Woodbury).

    Attributes
    ----------
    train
        X, CSR, shape (users, items).
    inverse
        (XX' + l2 I)^-1, float64, shape (users, users).
    diagonal
        l2 P_jj of each item, float64, shape (items,).
    """

    train: sp.csr_matrix
    inverse: NDArray[np.float64]
    diagonal: NDArray[np.float64]

    def scores(self, user_items: sp.csr_matrix) -> NDArray[np.float32]:
        """Score every item for each row, shape (rows, items)."""
        history = user_items.astype(np.float64)
        scores = (history @ self.train.T) @ self.inverse @ self.train
        rows = np.repeat(np.arange(history.shape[0]), np.diff(history.indptr))
        scores[rows, history.indices] += history.data * (self.diagonal[history.indices] - 1)
        scores /= self.diagonal
        return np.asarray(scores, dtype=np.float32)


def ease(train: sp.csr_matrix, *, l2: float = 500.0, max_items: int = 20_000) -> Scored:
    """Solve EASE for the items that most users have.

    Parameters
    ----------
    train
        Row u is the history of training user u, shape (users, items).
    l2
        Penalty lambda on the squared weights.
    max_items
        The most listened-to items that are kept: memory grows with their square (twelve bytes each pair), time with
        their cube. Where users are fewer than half of that, all are kept and it is the users that count.
    """
    if 2 * train.shape[0] < min(train.shape[1], max_items):
        return Scored(_of_users(train.astype(np.float64), l2))
    listeners = np.bincount(train.indices, minlength=train.shape[1])
    kept = np.sort(np.argsort(-listeners, kind="stable")[:max_items])
    history = train[:, kept].astype(np.float32)
    gram = np.asfortranarray((history.T @ history).toarray(), dtype=np.float32)
    gram[np.diag_indices_from(gram)] += l2
    inverse = _inverse(gram)
    weights = np.ascontiguousarray(inverse / -np.diag(inverse)[None, :])
    np.fill_diagonal(weights, 0)
    return Scored(Ease(weights.astype(np.float32, copy=False), kept.astype(np.int64), train.shape[1]))


def _of_users(train: sp.csr_matrix, l2: float) -> EaseOfUsers:
    gram = np.asfortranarray((train @ train.T).toarray())
    gram[np.diag_indices_from(gram)] += l2
    inverse = _inverse(gram)
    explained = np.zeros(train.shape[1])
    for start in range(0, train.shape[1], _ITEMS_AT_ONCE):
        part = train[:, start : start + _ITEMS_AT_ONCE].tocsc()
        explained[start : start + part.shape[1]] = part.multiply(inverse @ part).sum(axis=0)
    return EaseOfUsers(train, inverse, 1 - explained)


def _inverse(gram: NDArray[Any]) -> NDArray[Any]:
    """Invert a positive definite matrix in Fortran order, which is overwritten."""
    lapack = scipy.linalg.lapack
    single = gram.dtype == np.float32
    potrf, potri = (lapack.spotrf, lapack.spotri) if single else (lapack.dpotrf, lapack.dpotri)
    factor, _ = potrf(gram, lower=1, overwrite_a=1)
    inverse, _ = potri(factor, lower=1, overwrite_c=1)
    whole: NDArray[Any] = np.tril(inverse) + np.tril(inverse, -1).T
    return whole
