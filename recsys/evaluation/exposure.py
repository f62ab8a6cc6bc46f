"""How often one item is recommended, to how many who could get it, and at which places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.evaluation.lists import Lists

_PEERS = 20


@dataclass(frozen=True, eq=False)
class Exposure:
    """What lists do with one item.

    Attributes
    ----------
    n_eligible
        Users who were not shown with the item, so that it could be recommended to them.
    places
        Its place in each list that holds it, 1 is the top, ascending.
    n_hidden
        Users with the item in the part that was hidden from the model.
    found
        In how many of their lists it is.
    """

    n_eligible: int
    places: NDArray[np.int64]
    n_hidden: int
    found: int

    def within(self, k: int) -> int:
        """Count the lists that hold the item among their first `k` places."""
        return int(np.searchsorted(self.places, k, side="right"))


def exposure(lists: Lists, item: int, target: NDArray[np.int64]) -> Exposure:
    """Tell what lists do with an item.

    Parameters
    ----------
    lists
        What users were recommended.
    item
        The item's number.
    target
        The users of `lists`, by row, who have the item in the part that was hidden.
    """
    known = np.diff(lists.fold_in[:, [item]].tocsr().indptr) > 0
    rows, places = np.nonzero(lists.ids == item)
    found = int(np.isin(target, rows).sum())
    return Exposure(int((~known).sum()), np.sort(places) + 1, len(target), found)


def peers_within(lists: Lists, item: int, listeners: NDArray[np.int64], k: int) -> float:
    """Give the mean number of lists that hold a like item among their first `k` places.

    Like items are the 20 others whose numbers of listeners come nearest to the item's.
    """
    shown = np.bincount(lists.ids[:, :k][lists.ids[:, :k] >= 0], minlength=lists.n_items)
    distance = np.abs(listeners - listeners[item]).astype(np.float64)
    distance[item] = np.inf
    nearest = np.argsort(distance, kind="stable")[: min(_PEERS, lists.n_items - 1)]
    return float(shown[nearest].mean()) if len(nearest) else 0.0
