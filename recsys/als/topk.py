"""The best items for many users at once: exact inner products, what is known or excluded left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from recsys.als.halfstep import Machine
from recsys.als.objective import Float32s

Ids = NDArray[np.int32]

_BLOCK_SCORES = 1 << 22


@dataclass(frozen=True)
class Choice:
    """Which items may be recommended: True where they may. `limit` is the largest number of places that makes sense."""

    allowed: NDArray[np.bool_] | None
    limit: int

    @classmethod
    def of(cls, n_items: int, items: ArrayLike | None, filter_items: ArrayLike | None) -> Choice:
        """Choose from `items` only, or from all but `filter_items`, or from all; not both."""
        if items is not None and filter_items is not None:
            raise ValueError("both items and filter_items are given; pass one of them")
        if items is not None:
            listed = _checked(items, n_items, "items")
            allowed = np.zeros(n_items, dtype=np.bool_)
            allowed[listed] = True
            return cls(allowed, len(listed))
        if filter_items is not None:
            allowed = np.ones(n_items, dtype=np.bool_)
            allowed[_checked(filter_items, n_items, "filter_items")] = False
            return cls(allowed, np.iinfo(np.int32).max)
        return cls(None, np.iinfo(np.int32).max)


def _checked(items: ArrayLike, n_items: int, name: str) -> NDArray[np.int64]:
    listed = np.asarray(items).ravel()
    if listed.size and (listed.dtype.kind not in "iu" or listed.min() < 0 or listed.max() >= n_items):
        raise IndexError(f"{name} holds ids that are not in the model; expected integers from 0 to {n_items - 1}")
    return listed.astype(np.int64)


def best(
    query: Float32s, factors: Float32s, N: int, seen: sp.csr_matrix | None, choice: Choice, machine: Machine
) -> tuple[Ids, Float32s]:
    """Find the N rows of `factors` with the largest inner product with each row of `query`.

    Parameters
    ----------
    query, factors
        Shapes (users, factors) and (items, factors).
    N
        Places to fill for each row of `query`.
    seen
        Items that a row is not to get, shape (users, items), canonical.
    choice
        Items that anyone may get.
    machine
        Unused threads and instruction set.

    Returns
    -------
    ids, scores
        Shape (users, N), best first, ties by lower id; -1 and -inf where nothing is left.
    """
    ids = np.full((len(query), N), -1, dtype=np.int32)
    scores = np.full((len(query), N), -np.inf, dtype=np.float32)
    places = min(N, len(factors))
    size = max(1, _BLOCK_SCORES // max(1, len(factors)))
    for first in range(0, len(query), size):
        block = query[first : first + size] @ factors.T
        if choice.allowed is not None:
            block[:, ~choice.allowed] = -np.inf
        if seen is not None:
            rows = seen[first : first + size].tocoo()
            block[rows.row, rows.col] = -np.inf
        order = np.argsort(-block, axis=1, kind="stable")[:, :places]
        top = np.take_along_axis(block, order, axis=1)
        ids[first : first + size, :places] = np.where(top > -np.inf, order, -1)
        scores[first : first + size, :places] = top
    return ids, scores
