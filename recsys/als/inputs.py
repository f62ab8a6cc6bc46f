"""From the matrix that a caller has to the one form that the kernel reads: canonical CSR in single precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.als.objective import Float32s, Objective

_LARGEST_INDEX = np.iinfo(np.int32).max
_LONG = 1000  # pairs


def canonical(user_items: Any, n_items: int | None = None) -> sp.csr_matrix:  # noqa: ANN401 - whatever callers bring
    """Bring a matrix to sorted CSR of float32 without duplicates and zeros; the caller's matrix stays as it is.

    Values given twice for a pair are added up, in an order that depends on the values alone, so that the result has
    the same bits however the pairs were ordered. An explicit zero says the same as an absent pair and is dropped.

    Parameters
    ----------
    user_items
        Any SciPy sparse matrix or array, or a dense array, of numbers, shape (users, items).
    n_items
        The number of columns expected, if it is known.

    Raises
    ------
    TypeError
        If the values are not numbers.
    ValueError
        If a value is NaN or infinite (naming its row and column), or the shape does not fit.
    """
    matrix = _as_sparse(user_items)
    _check_shape(matrix, n_items)
    matrix = _in_order(matrix)
    _check_finite(matrix, matrix.data)
    with np.errstate(over="ignore"):
        values = matrix.data.astype(np.float32, copy=False)
    if values is not matrix.data:
        _check_finite(matrix, values)
    out = sp.csr_matrix((values, matrix.indices, matrix.indptr), shape=matrix.shape, copy=False)
    if np.count_nonzero(values) < len(values):
        out = out.copy()
        out.eliminate_zeros()
    out.has_canonical_format = True
    return out


def _as_sparse(user_items: Any) -> Any:  # noqa: ANN401 - whatever callers bring
    if not sp.issparse(user_items):
        user_items = np.asarray(user_items)
    if user_items.ndim != 2:  # noqa: PLR2004 - users and items
        raise ValueError(
            f"user_items has {user_items.ndim} dimension(s); expected 2: one row per user, one column per item"
        )
    if user_items.dtype.kind not in "fiub":
        raise TypeError(f"user_items holds {user_items.dtype}; expected real numbers, for example float32")
    return user_items if sp.issparse(user_items) else sp.csr_matrix(user_items)


def _check_shape(matrix: Any, n_items: int | None) -> None:  # noqa: ANN401 - any sparse form
    if matrix.shape[1] > _LARGEST_INDEX:
        raise ValueError(f"user_items has {matrix.shape[1]} columns; at most {_LARGEST_INDEX} are supported")
    if n_items is not None and matrix.shape[1] != n_items:
        turned = " (its transpose has: are its rows items?)" if matrix.shape[0] == n_items else ""
        raise ValueError(
            f"user_items has {matrix.shape[1]} columns, the model has {n_items} items{turned}; "
            "pass one row per user and one column per item"
        )


def _in_order(matrix: Any) -> sp.csr_matrix:  # noqa: ANN401 - any sparse form
    """Sort the columns of each row; add duplicates up where there are any, which takes longer."""
    csr = sp.csr_matrix(matrix)
    csr.check_format(full_check=True)
    if csr.has_canonical_format and csr.nnz == matrix.nnz:
        return csr
    in_order = csr.sorted_indices()
    added_up = csr.nnz < matrix.nnz  # by the conversion, in the order in which they were given
    return _sorted(matrix.tocoo()) if added_up or not in_order.has_canonical_format else in_order


def _sorted(matrix: sp.coo_matrix) -> sp.csr_matrix:
    order = np.lexsort((matrix.data, matrix.col, matrix.row))
    rows, columns, values = matrix.row[order], matrix.col[order], matrix.data[order]
    first = np.flatnonzero(np.r_[True, (np.diff(rows) != 0) | (np.diff(columns) != 0)][: len(rows)])
    if len(first) < len(rows):
        values = np.add.reduceat(values.astype(np.float64), first)
        rows, columns = rows[first], columns[first]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=matrix.shape[0]))])
    return sp.csr_matrix((values, columns, indptr), shape=matrix.shape)


def _check_finite(matrix: sp.csr_matrix, values: NDArray[Any]) -> None:
    finite = np.isfinite(values)
    if finite.all():
        return
    at = int(np.argmin(finite))
    row = int(np.searchsorted(matrix.indptr, at, side="right")) - 1
    raise ValueError(
        f"user_items holds {matrix.data[at]} at row {row}, column {matrix.indices[at]}; "
        "NaN, infinity and numbers beyond float32 have no meaning here: remove or repair that value"
    )


@dataclass(frozen=True)
class Side:
    """One orientation of the pairs as the kernel reads it: rows are solved for, columns are fixed.

    `order` lists the rows as they are taken on; `ridge` holds each row's lambda, or one value for all.
    """

    name: str
    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: Float32s
    order: NDArray[np.int64]
    ridge: Float32s

    @classmethod
    def of(cls, name: str, matrix: sp.csr_matrix, objective: Objective) -> Side:
        """Describe the rows of a canonical matrix; shares its memory where the types allow."""
        counts = np.diff(matrix.indptr)
        return cls(
            name=name,
            indptr=matrix.indptr.astype(np.int64, copy=False),
            indices=matrix.indices.astype(np.int32, copy=False),
            values=matrix.data,
            order=_order(counts),
            ridge=objective.ridge(counts, matrix.shape[1]).astype(np.float32),
        )


def _order(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Take the longest rows first, so that no thread is left with one, and the others as their pairs lie in memory."""
    long = counts > _LONG
    longest = np.flatnonzero(long)
    longest = longest[np.argsort(-counts[longest], kind="stable")]
    return np.concatenate([longest, np.flatnonzero(~long)]).astype(np.int64, copy=False)
