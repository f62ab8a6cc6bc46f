"""What singles a person out: how few artists are enough, and how few people stand behind what is shared.

Unicity is the share of people whom a few things known of them tell from all others (de Montjoye et al., "Unique in the
Crowd", Scientific Reports 2013).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

_ROWS_AT_ONCE = 64
_ITEMS_AT_ONCE = 1024


@dataclass(frozen=True)
class SharedPairs:
    """How many listeners stand behind the pairs of items whose likeness is shared.

    Attributes
    ----------
    fewest
        Fewest listeners who have both items of such a pair; 0 where no pair is shared.
    unique
        Share of these pairs that exactly one listener has.
    """

    fewest: int
    unique: float


def singled_out(plays: sp.csr_matrix, known: int, *, at_most: int = 1000, seed: int = 0) -> float:
    """Give the share of listeners whom so many of their items, drawn at random, tell from everybody else.

    Parameters
    ----------
    plays
        Histories, shape (listeners, items).
    known
        Items known of a listener; those who have fewer are not drawn.
    at_most, seed
        How many listeners are looked at, and what decides the draws.

    Returns
    -------
    From 0 to 1; NaN where nobody has so many items.
    """
    rng = np.random.default_rng(seed)
    has = _ones(plays)
    able = np.flatnonzero(np.diff(has.indptr) >= known)
    drawn = rng.permutation(able)[:at_most]
    if not len(drawn):
        return float("nan")
    picks = np.concatenate([rng.choice(has.indices[has.indptr[u] : has.indptr[u + 1]], known, False) for u in drawn])
    asked = sp.csr_matrix(
        (np.ones(len(picks), np.float32), picks, np.arange(0, len(picks) + 1, known)), shape=(len(drawn), has.shape[1])
    )
    listeners, alone = has.T.tocsr(), 0
    for start in range(0, len(drawn), _ROWS_AT_ONCE):
        common = asked[start : start + _ROWS_AT_ONCE] @ listeners
        rows = np.repeat(np.arange(common.shape[0]), np.diff(common.indptr))
        alone += int((np.bincount(rows[common.data == known], minlength=common.shape[0]) == 1).sum())
    return alone / len(drawn)


def fewest_listeners(plays: sp.csr_matrix) -> int:
    """Count the listeners of the item that has fewest."""
    return int(np.bincount(_ones(plays).indices, minlength=plays.shape[1]).min(initial=plays.shape[0]))


def shared_pairs(plays: sp.csr_matrix, alike: sp.csr_matrix | None) -> SharedPairs:
    """Count who stands behind likenesses of items, shape (items, items); a block of items at a time.

    A likeness that nobody in `plays` stands behind counts as one of a single listener: it cannot be told whose it is.
    """
    if alike is None or not alike.nnz:
        return SharedPairs(0, 0.0)
    has = _ones(plays)
    items = has.T.tocsr()
    blocks = [slice(start, start + _ITEMS_AT_ONCE) for start in range(0, alike.shape[0], _ITEMS_AT_ONCE)]
    both = np.concatenate([_common(items[block] @ has, alike[block]) for block in blocks])
    return SharedPairs(int(both.min()), float((both <= 1).mean()))


def _common(together: sp.csr_matrix, alike: sp.csr_matrix) -> NDArray[np.float32]:
    """Look up how many listeners the stored pairs of `alike` have."""
    rows = np.repeat(np.arange(alike.shape[0]), np.diff(alike.indptr))
    return np.asarray(together[rows, alike.indices], dtype=np.float32).ravel()


def _ones(plays: sp.csr_matrix) -> sp.csr_matrix:
    return sp.csr_matrix((np.ones(plays.nnz, np.float32), plays.indices, plays.indptr), shape=plays.shape)
