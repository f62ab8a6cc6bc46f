"""A measured part of a figure: its value, and what was found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

Found = Mapping[str, "int | float | str | None"]


@dataclass(frozen=True)
class Part:
    """One measure of a contribution.

    Parameters
    ----------
    value
        In [0, 1]; ``None`` where the contribution does not hold what the measure needs.
    found
        The figures behind it, for people.
    """

    value: float | None
    found: Found = field(default_factory=dict)

    def document(self) -> dict[str, int | float | str | None]:
        """Give the value and the figures, rounded so that they read well."""
        figures = {"value": self.value, **self.found}
        return {name: round(figure, 4) if isinstance(figure, float) else figure for name, figure in figures.items()}


def falling(amount: float, allowed: float, most: float) -> float:
    """Give 1 up to what is allowed, 0 from `most` on, and a straight line between."""
    return 1.0 - rising(amount, allowed, most)


def rising(amount: float, least: float, enough: float) -> float:
    """Give 0 up to `least`, 1 from `enough` on, and a straight line between."""
    return min(1.0, max(0.0, (amount - least) / (enough - least)))


def measured(parts: Mapping[str, Part]) -> list[float]:
    """Give the values that could be measured."""
    return [part.value for part in parts.values() if part.value is not None]


def product(values: list[float]) -> float:
    """Multiply; nothing gives 1."""
    return math.prod(values)
