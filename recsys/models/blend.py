"""Two views of one taste: factors see the whole catalogue through a few numbers, neighbours what stands side by side.

A factorization of few factors blurs pairs of items that are often heard together; neighbours keep them sharp, and know
nothing beyond. Their errors differ, so a sum of both is better than either (Bell, Koren and Volinsky, "The BellKor
Solution to the Netflix Prize", 2007, blend them for that reason).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.als import ALSModel
from recsys.models.scored import Scored, Scorer

_SMALLEST = 1e-12


@dataclass(frozen=True, eq=False)
class Factors:
    """Scores of a factorization for listeners who are folded in.

    Attributes
    ----------
    model
        The factorization.
    """

    model: ALSModel

    def scores(self, user_items: sp.csr_matrix) -> NDArray[np.float32]:
        """Score every item for each row, shape (rows, items)."""
        return np.asarray(self.model.fold_in(user_items) @ self.model.item_factors.T, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Blend:
    """The sum of two models' scores, each in units of its own spread over the items.

    Attributes
    ----------
    first, second
        The models.
    weight
        What the second counts for; 0 leaves the first alone.
    """

    first: Scorer
    second: Scorer
    weight: float

    def scores(self, user_items: sp.csr_matrix) -> NDArray[np.float32]:
        """Score every item for each row, shape (rows, items)."""
        scores = _in_spreads(self.first.scores(user_items))
        second = _in_spreads(self.second.scores(user_items))
        second *= np.float32(self.weight)
        scores += second
        return scores


def _in_spreads(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Divide each row by its standard deviation; changes and gives back `scores`."""
    scores /= np.maximum(scores.std(axis=1, keepdims=True), np.float32(_SMALLEST))
    return scores


def blend(model: ALSModel, neighbours: Scored, weight: float) -> Scored:
    """Blend a factorization with neighbours."""
    return Scored(Blend(Factors(model), neighbours.scorer, weight))
