"""What was heard lately says more of what will be heard next: weights that halve with age.

Age is counted back from each listener's own last listen, so that whoever left years ago is not weighed less than who is
still there. A weight halves with every half-life (as the time weights of Ding and Li, "Time Weight Collaborative
Filtering", CIKM 2005), down to a twentieth, since what was once loved is never as good as unknown.

Dataset versions keep no times, so this serves who has them beside the matrix: researchers with files of events.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

_LEAST = 0.05


def latest(
    row: NDArray[np.int64], column: NDArray[np.int64], time: NDArray[np.float64], like: sp.csr_matrix
) -> sp.csr_matrix:
    """Find when each pair was heard last.

    Parameters
    ----------
    row, column, time
        Event e is user ``row[e]`` with item ``column[e]`` at ``time[e]``, in any unit; all of shape (events,).
    like
        Plays of the same events, CSR in canonical form, shape (users, items).

    Returns
    -------
    Matrix of the pairs of `like`, float64, whose values are times.
    """
    width = like.shape[1]
    pairs = np.repeat(np.arange(like.shape[0], dtype=np.int64), np.diff(like.indptr)) * width + like.indices
    last = np.full(like.nnz, -np.inf)
    np.maximum.at(last, np.searchsorted(pairs, row * width + column), time)
    return sp.csr_matrix((last, like.indices, like.indptr), shape=like.shape)


def recent(weights: sp.csr_matrix, times: sp.csr_matrix, half_life: float) -> sp.csr_matrix:
    """Halve weights with age.

    Parameters
    ----------
    weights
        Row r is a history, shape (users, items); not changed.
    times
        When each of these pairs was heard last: as :func:`latest` gives it, the same pairs in the same order.
    half_life
        Age at which a weight counts half, in the unit of `times`.

    Returns
    -------
    Matrix of the same pairs, float32. A row's age is counted from its own latest time.
    """
    if half_life <= 0:
        raise ValueError(f"half_life is {half_life}; it must be above 0")
    decay = np.maximum(np.exp2(-ages(times) / half_life), _LEAST)
    return sp.csr_matrix(((weights.data * decay).astype(np.float32), weights.indices, weights.indptr), weights.shape)


def ages(times: sp.csr_matrix) -> NDArray[np.float64]:
    """Give the age of each stored pair, counted back from the latest of its row; shape (pairs,)."""
    counts = np.diff(times.indptr)
    last = np.zeros(len(counts))
    filled = np.flatnonzero(counts)
    if len(filled):
        last[filled] = np.maximum.reduceat(times.data, times.indptr[filled])
    age: NDArray[np.float64] = np.repeat(last, counts) - times.data
    return age
