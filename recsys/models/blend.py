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
from recsys.models.items import Neighbours
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


@dataclass(frozen=True, eq=False)
class Beside:
    """Neighbours that stand beside a factorization.

    Attributes
    ----------
    neighbours
        Likeness of items.
    weight
        What they count for; see :class:`Blend`.
    """

    neighbours: Neighbours
    weight: float

    def blended(self, model: ALSModel) -> Scored:
        """Give the model that recommends by both."""
        return Scored(Blend(Factors(model), self.neighbours, self.weight))

    def explain(self, model: ALSModel, row: sp.csr_matrix, item: int) -> list[tuple[int, float]]:
        """Divide the blended score of an item among the items of a history.

        Parameters
        ----------
        model
            The factorization.
        row
            The history as weights, shape (1, items).
        item
            The item whose score is divided.

        Returns
        -------
        Items of the history with their parts, largest first; all parts add up to the score.
        """
        _, parts = model.explain(0, row, item, N=row.nnz)
        first, second = (float(_spread(one.scores(row))[0, 0]) for one in (Factors(model), self.neighbours))
        beside = np.asarray(self.neighbours.alike[:, [item]].toarray()).ravel()[row.indices] * row.data
        total = {int(i): self.weight * float(part) / second for i, part in zip(row.indices, beside, strict=True)}
        for i, part in parts:
            total[i] += part / first
        return sorted(total.items(), key=lambda one: -one[1])


def _in_spreads(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Divide each row by its standard deviation; changes and gives back `scores`."""
    scores /= _spread(scores)
    return scores


def _spread(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    spread: NDArray[np.float32] = np.std(scores, axis=1, keepdims=True)
    return np.maximum(spread, np.float32(_SMALLEST))
