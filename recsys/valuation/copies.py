"""How often a history was handed in: a list that comes n times is worth what it is worth once.

No measure of what a member adds can tell a copy from what it copies, since both add the same. So whoever has all but
the same history as others shares its worth with them. Who came first, the proof of contribution tells, which sees plays
and their times (:mod:`recsys.proof`); here are only artists and weights, and listeners who merely like the same artists
differ in how much they play each.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.preprocessing import normalize

SAME = 0.98
"""Cosine of two histories from which on they count as one."""

_AT_ONCE = 256


def times_handed_in(members: sp.csr_matrix, *, same: float = SAME) -> NDArray[np.int64]:
    """Count for each member how many have the same history, itself included.

    Parameters
    ----------
    members
        Weights, shape (members, artists).
    same
        Cosine from which on two histories are the same.

    Returns
    -------
    Counts, shape (members,); 1 for an empty history.
    """
    unit = normalize(sp.csr_matrix(members, dtype=np.float64))
    counts = [
        np.bincount(alike.row[alike.data >= same], minlength=alike.shape[0])
        for first in range(0, unit.shape[0], _AT_ONCE)
        for alike in [(unit[first : first + _AT_ONCE] @ unit.T).tocoo()]
    ]
    return np.maximum(np.concatenate(counts), 1)
