"""Which items of a history speak for a score (Hu, Koren and Volinsky 2008, section 5)."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from recsys.als.objective import Float32s, Objective


def parts(
    factors: Float32s, gram: NDArray[np.float64], objective: Objective, history: sp.csr_matrix, items: ArrayLike
) -> NDArray[np.float64]:
    """Divide a folded-in user's scores of some items among the items of the history.

    Parameters
    ----------
    factors
        The items' factors, shape (items, factors).
    gram
        Their Gram matrix, shape (factors, factors).
    objective
        The loss that the user's factors minimise.
    history
        One row, shape (1, items).
    items
        Whose scores are divided; one system is solved for all of them.

    Returns
    -------
    Shape (items of the history, `items`): columns add up to the scores.
    """
    b, q = objective.weights(history.data)
    mine = factors[history.indices].astype(np.float64)
    theirs = factors[np.asarray(items, dtype=np.int64)].astype(np.float64)
    ridge = objective.ridge(np.array([history.nnz]), len(factors))
    A = objective.w0 * gram + ridge * np.eye(factors.shape[1]) + (mine.T * q) @ mine
    divided: NDArray[np.float64] = b[:, None] * (mine @ np.linalg.solve(A, theirs.T))
    return divided
