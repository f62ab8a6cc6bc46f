"""The Shapley value by its definition: over every subset, so for few members, or for groups of members."""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np
from numpy.typing import NDArray

_MOST = 16


def exact_shapley(
    utility: Callable[[NDArray[np.int64]], float], players: int, *, progress: Callable[[int, int], None] | None = None
) -> NDArray[np.float64]:
    """Give each player's mean marginal contribution over all orders (Shapley 1953), from the utility of every subset.

    Parameters
    ----------
    utility
        Called once with each subset, as ascending numbers of players, the empty one included.
    players
        How many; 2 to the power of that many utilities are asked for.
    progress
        Called with subsets done and all.

    Returns
    -------
    Values, shape (players,); they add up to the utility of all less that of nobody.

    Raises
    ------
    ValueError
        If there are too many players to go through every subset.
    """
    if not 1 <= players <= _MOST:
        raise ValueError(
            f"players are {players}; every subset can be gone through for 1 to {_MOST}: make groups of them"
        )
    everybody = np.arange(players)
    subsets = np.arange(1 << players)
    worth = np.empty(len(subsets))
    for subset in subsets:
        worth[subset] = utility(everybody[(subset >> everybody & 1).astype(bool)])
        if progress is not None:
            progress(int(subset) + 1, len(subsets))
    sizes = np.array([int(subset).bit_count() for subset in subsets])
    weight = np.array([1 / (players * comb(players - 1, size)) for size in range(players)])
    out = np.empty(players)
    for player in everybody:
        without = subsets[(subsets >> player & 1) == 0]
        out[player] = np.sum(weight[sizes[without]] * (worth[without | 1 << player] - worth[without]))
    return out
