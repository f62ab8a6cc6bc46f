"""By how much listening to each artist carried a model: what a share for artists is divided by.

A score of a folded-in listener is a sum over the listener's own artists, exactly (Hu, Koren and Volinsky 2008, section
5): ``s_j = sum over i of y_j' M^-1 b_i y_i``. Each artist that was to be found and stands in the list counts by NDCG's
discount for its place, and what it counts is divided among the listener's artists in proportion to what they added to
its score; what spoke against it counts nothing.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from recsys.als import ALSModel
from recsys.valuation.values import Floats

PLACES = 100


def artist_shares(model: ALSModel, fold_in: sp.csr_matrix, target: sp.csr_matrix, *, places: int = PLACES) -> Floats:
    """Divide what a model finds for listeners among the artists whose listening led to it.

    Parameters
    ----------
    model
        The model.
    fold_in, target
        Listeners whom it was not trained on: what they are folded in with, and what is to be found.
    places
        Length of the lists.

    Returns
    -------
    Shares, shape (artists,): none below zero, together 1; all zero if nothing was found.
    """
    Y, objective = model.item_factors.astype(np.float64), model.objective
    dense = objective.w0 * (Y.T @ Y)
    out = np.zeros(len(Y))
    for t in range(fold_in.shape[0]):
        pairs = slice(fold_in.indptr[t], fold_in.indptr[t + 1])
        own, wanted = fold_in.indices[pairs], target.indices[target.indptr[t] : target.indptr[t + 1]]
        b, q = objective.weights(fold_in.data[pairs])
        y = Y[own]
        matrix = dense + objective.ridge(np.array([len(own)]), len(Y))[0] * np.eye(Y.shape[1]) + (y.T * q) @ y
        added = Y @ np.linalg.solve(matrix, (y * b[:, None]).T)
        worth = _discounts(added.sum(axis=1), own, wanted, places)
        spoke_for = np.maximum(added[wanted], 0)
        whole = spoke_for.sum(axis=1)
        out[own] += np.divide(worth, whole, out=np.zeros_like(worth), where=whole > 0) @ spoke_for
    return out / (out.sum() or 1)


def _discounts(scores: Floats, own: np.ndarray, wanted: np.ndarray, places: int) -> Floats:
    """Give what each artist to be found counts in the list: NDCG's discount for its place, 0 beyond the last."""
    scores = scores.copy()
    scores[own] = -np.inf
    rank = (scores[None, :] > scores[wanted, None]).sum(axis=1)
    return np.where(rank < places, 1 / np.log2(rank + 2), 0.0)
