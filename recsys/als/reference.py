"""The half-step in ten lines of NumPy: what the compiled kernel computes, and what it is tested against.

It builds each row's k x k system in double precision and solves it densely, so it is exact and slow.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from recsys.als.objective import Float64s, Floats, Objective


def half_step(row_columns: sp.csr_matrix, fixed: Floats, objective: Objective) -> Float64s:
    """Minimise the loss over the rows' factors while the columns' factors stay fixed.

    Each row u solves ``(w0 Y'Y + lambda_u I + sum q_i y_i y_i') x = sum b_i y_i`` (Hu et al. 2008, eq. 4).

    Parameters
    ----------
    row_columns
        Values, shape (rows, columns): `user_items` for the users' half-step, its transpose for the items'.
    fixed
        Factors Y of the columns, shape (columns, factors).
    objective
        The loss.

    Returns
    -------
    Factors of the rows, shape (rows, factors).
    """
    Y = fixed.astype(np.float64)
    n_rows, (n_columns, k) = row_columns.shape[0], Y.shape
    ridge = np.broadcast_to(objective.ridge(np.diff(row_columns.indptr), n_columns), n_rows)
    dense = objective.w0 * Y.T @ Y
    X = np.zeros((n_rows, k))
    for u in range(n_rows):
        pairs = slice(row_columns.indptr[u], row_columns.indptr[u + 1])
        y = Y[row_columns.indices[pairs]]
        b, q = objective.weights(row_columns.data[pairs])
        if b.any():
            X[u] = np.linalg.solve(dense + ridge[u] * np.eye(k) + (y.T * q) @ y, y.T @ b)
    return X
