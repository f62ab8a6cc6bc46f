"""The best items for many users at once: exact inner products, what is known or excluded left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from recsys.als import _kernel
from recsys.als.halfstep import Machine
from recsys.als.objective import Float32s

Ids = NDArray[np.int32]


@dataclass(frozen=True)
class Shelf:
    """Items laid out for searching: longest factors first, in panels of one register tile.

    `longest` bounds the scores of a panel and of all behind it (Cauchy-Schwarz), so that a search can stop early.
    """

    panels: Float32s
    longest: Float32s
    ids: Ids
    machine: Machine

    @classmethod
    def of(cls, factors: Float32s, ids: Ids, machine: Machine) -> Shelf:
        """Lay out the items `ids` of `factors`, shape (items, factors)."""
        squares = np.einsum("rk,rk->r", factors, factors, dtype=np.float64)[ids]
        order = np.lexsort((ids, -squares))
        panel = _kernel.panel(machine.level)
        n_panels = -(-len(ids) // panel)
        panels = np.empty((n_panels, panel * _kernel.padded(factors.shape[1])), dtype=np.float32)
        sorted_ids = np.ascontiguousarray(ids[order], dtype=np.int32)
        _kernel.pack_items(factors, sorted_ids, panels, machine.level)
        longest = np.nextafter(np.sqrt(squares[order][::panel]).astype(np.float32), np.float32(np.inf))
        return cls(panels, longest, sorted_ids, machine)

    def best(self, queries: Float32s, N: int, seen: sp.csr_matrix | None = None) -> tuple[Ids, Float32s]:
        """Find the N items with the largest inner product with each query.

        Parameters
        ----------
        queries
            Shape (users, factors).
        N
            Places to fill for each query.
        seen
            Items that a query is not to get, shape (users, items), canonical.

        Returns
        -------
        ids, scores
            Shape (users, N), best first, ties by lower id; -1 and -inf where nothing is left.
        """
        ids = np.full((len(queries), N), -1, dtype=np.int32)
        scores = np.full((len(queries), N), -np.inf, dtype=np.float32)
        if ids.size and len(self.ids):
            _kernel.best(
                queries=np.ascontiguousarray(queries),
                panels=self.panels,
                longest=self.longest,
                ids=self.ids,
                seen_indptr=None if seen is None else seen.indptr.astype(np.int64, copy=False),
                seen_indices=None if seen is None else seen.indices.astype(np.int32, copy=False),
                best_ids=ids,
                best_scores=scores,
                level=self.machine.level,
                threads=self.machine.threads,
            )
        return ids, scores


def choose(n_items: int, items: ArrayLike | None, filter_items: ArrayLike | None) -> Ids:
    """Give the ids to choose from: `items` only, or all but `filter_items`, or all.

    Raises
    ------
    ValueError
        If both lists are given.
    IndexError
        If a list names an item that the model does not have.
    """
    if items is not None and filter_items is not None:
        raise ValueError("both items and filter_items are given; pass one of them")
    if items is not None:
        return np.unique(_checked(items, n_items, "items"))
    if filter_items is not None:
        barred = _checked(filter_items, n_items, "filter_items")
        return np.setdiff1d(np.arange(n_items, dtype=np.int32), barred)
    return np.arange(n_items, dtype=np.int32)


def _checked(items: ArrayLike, n_items: int, name: str) -> Ids:
    listed = np.asarray(items).ravel()
    if listed.size and (listed.dtype.kind not in "iu" or listed.min() < 0 or listed.max() >= n_items):
        raise IndexError(f"{name} holds ids that are not in the model; expected integers from 0 to {n_items - 1}")
    return listed.astype(np.int32)
