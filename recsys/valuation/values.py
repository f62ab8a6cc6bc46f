"""What was measured for each member: a value, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Values:
    """Contribution values, in units of the utility of an average listener who tests.

    Attributes
    ----------
    parts
        Shape (parts, members): each part measured on other listeners; NaN where a member was not measured.
    """

    parts: Floats

    @property
    def value(self) -> Floats:
        """Mean over the parts, shape (members,); 0 for who was never measured."""
        counted = np.maximum(self._counted, 1)
        return np.asarray(np.nansum(self.parts, axis=0) / counted)

    @property
    def error(self) -> Floats:
        """Standard error of the mean, by the spread between the parts: what other test listeners would change.

        Infinite for who was measured in fewer than two parts.
        """
        counted = self._counted
        squares = np.nansum((self.parts - self.value) ** 2, axis=0)
        out = np.full(self.parts.shape[1], np.inf)
        np.divide(squares, counted * (counted - 1), out=out, where=counted > 1)
        return np.asarray(np.sqrt(out))

    def shared(self, among: NDArray[np.int64]) -> Values:
        """Divide each member's value by a number, shape (members,)."""
        return Values(self.parts / among)

    @property
    def _counted(self) -> NDArray[np.int64]:
        return np.asarray(np.sum(~np.isnan(self.parts), axis=0))

    @classmethod
    def together(cls, several: Sequence[Values]) -> Values:
        """Join the parts of several measurements of the same members."""
        return cls(np.concatenate([one.parts for one in several]))


def groups_of(listeners: int, groups: int) -> NDArray[np.int64]:
    """Deal listeners into groups, in turn."""
    return np.arange(listeners) % max(1, min(groups, listeners))
