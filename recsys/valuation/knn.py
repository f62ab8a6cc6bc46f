r"""Shapley values of members where listeners are served by their nearest neighbours: exact, and without training.

Served so, a listener's utility is the share of the own targets that the nearest K of a set of members know, over K.
For that utility the Shapley value of every member has a closed form (Jia et al., "Efficient task-specific data
valuation for nearest neighbor algorithms", PVLDB 2019, theorem 1): with members ordered by likeness, the nearest first,
y the share of the targets that each knows, and ``w_i = min(K, i) / (i K)``,

.. math::

    s_i = y_i w_i - \sum_{l > i} y_l (w_{l-1} - w_l)

Members who are equally like the listener stand in every order equally often, and who has nothing in common with the
listener is no neighbour. So members of one history have one value, and an empty history is worth exactly nothing.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.preprocessing import normalize

from recsys.valuation.values import Floats, Values, groups_of

NEIGHBOURS = 20
_GROUPS = 4
_LISTENERS_AT_ONCE = 256


def knn_shapley(
    members: sp.csr_matrix,
    fold_in: sp.csr_matrix,
    target: sp.csr_matrix,
    *,
    k: int = NEIGHBOURS,
    groups: int = _GROUPS,
) -> Values:
    """Value every member by the neighbours that they are to listeners.

    Parameters
    ----------
    members
        Row u is the history of member u: weights, shape (members, artists).
    fold_in, target
        Listeners: what neighbours are found by (cosine), and what neighbours should know.
    k
        How many neighbours serve a listener.
    groups
        Into how many parts the listeners are dealt; each gives a value, and their spread the error.

    Returns
    -------
    Values
        One for each row of `members`; all of a part add up to the mean utility with everybody there.
    """
    group = groups_of(fold_in.shape[0], groups)
    total = np.zeros((int(group.max()) + 1, members.shape[0]))
    near = normalize(sp.csr_matrix(members, dtype=np.float64))
    known = sp.csr_matrix((np.ones(members.nnz), members.indices, members.indptr), shape=members.shape)
    shown = normalize(sp.csr_matrix(fold_in, dtype=np.float64))
    wanted = normalize(sp.csr_matrix((np.ones(target.nnz), target.indices, target.indptr), target.shape), norm="l1")
    for first in range(0, fold_in.shape[0], _LISTENERS_AT_ONCE):
        rows = slice(first, first + _LISTENERS_AT_ONCE)
        likeness, share = (shown[rows] @ near.T).toarray(), (wanted[rows] @ known.T).toarray()
        for number, like, y in zip(group[rows], likeness, share, strict=True):
            (there,) = np.nonzero(like > 0)
            total[number, there] += ranked_values(like[there], y[there], k)
    return Values(total / np.maximum(np.bincount(group)[:, None], 1))


def ranked_values(likeness: Floats, share: Floats, k: int) -> Floats:
    """Give the Shapley values of a listener's neighbours, those equally like in every order.

    Parameters
    ----------
    likeness, share
        How like each is, and what share of the targets each knows; shape (neighbours,).
    k
        How many serve the listener.
    """
    n = len(likeness)
    if not n:
        return np.zeros(0)
    order = np.lexsort((np.arange(n), -likeness))
    place = np.arange(1, n + 1)
    w = np.minimum(k, place) / (place * k)
    first, size = _runs(likeness[order])
    y = share[order]
    run_y, run_w, last_w = np.add.reduceat(y, first), np.add.reduceat(w, first) / size, w[first + size - 1]
    before = np.where(first > 0, w[first - 1], w[0])
    mean_w = run_w
    lost = np.concatenate([np.cumsum((run_y / size * (before - last_w))[::-1])[::-1][1:], [0.0]])
    others = np.divide(
        np.repeat(run_y, size) - y, np.repeat(size - 1, size), out=np.zeros(n), where=np.repeat(size, size) > 1
    )
    value = y * np.repeat(mean_w, size) - others * np.repeat(mean_w - last_w, size) - np.repeat(lost, size)
    out = np.empty(n)
    out[order] = value
    return out


def _runs(ordered: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find runs of equal values: where each begins, and how long it is."""
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return first, np.diff(np.concatenate([first, [len(ordered)]]))
