"""Scores: what a contribution is worth, by a table that everybody can read.

A scorer turns what was measured into a score; :data:`SCORERS` names them, and any object with the attributes of
:class:`Scorer` is one.

``measured``
    quality x authenticity x uniqueness.
``unwrapped``
    The point table of Unwrapped's proof of contribution (unwrapped_proof/scoring.py, version of 3 June 2025), to the
    letter: volume by minutes, diversity by artists, history by days; 1,000 points make a score of 1, and 750 can be
    reached. Minutes here are minutes heard, where Unwrapped takes whole tracks, and made-up times make no history.

What a member contributes again is worth the difference only: points now, less all awarded before, not below zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from recsys.proof.history import History
from recsys.proof.quality import artists_heard, days_spanned, minutes_heard

FULL_SCORE = 1_000

_VOLUME = ((5_000, 500), (1_000, 150), (500, 50), (100, 25), (30, 5))
_DIVERSITY = ((50, 150), (25, 75), (10, 30), (5, 10), (3, 5))
_HISTORY = ((180, 100), (90, 50), (30, 25), (7, 10))


@dataclass(frozen=True)
class Figures:
    """The four figures of a proof, each in [0, 1]."""

    quality: float
    authenticity: float
    uniqueness: float
    ownership: float


@dataclass(frozen=True)
class Score:
    """What a scorer found.

    Attributes
    ----------
    points
        Of :data:`FULL_SCORE`.
    attributes
        How they came about.
    """

    points: int
    attributes: Mapping[str, Any]


class Scorer(Protocol):
    """Turns a contribution into points."""

    @property
    def name(self) -> str:
        """What it is called in documents and commands."""
        ...

    def score(self, history: History, figures: Figures) -> Score:
        """Give the points."""
        ...


@dataclass(frozen=True)
class Measured:
    """Points by the figures themselves."""

    name: str = "measured"

    def score(self, history: History, figures: Figures) -> Score:  # noqa: ARG002 - of the protocol
        """Multiply quality, authenticity and uniqueness."""
        score = figures.quality * figures.authenticity * figures.uniqueness
        return Score(round(FULL_SCORE * score), {"rule": "quality x authenticity x uniqueness"})


@dataclass(frozen=True)
class Unwrapped:
    """Points by Unwrapped's table."""

    name: str = "unwrapped"

    def score(self, history: History, figures: Figures) -> Score:  # noqa: ARG002 - of the protocol
        """Add up the points for minutes, artists and days."""
        measures = {
            "volume": (minutes_heard(history), _VOLUME, "minutes"),
            "diversity": (artists_heard(history), _DIVERSITY, "unique artists"),
            "history": (days_spanned(history), _HISTORY, "days"),
        }
        breakdown: dict[str, int | str] = {}
        for name, (amount, table, unit) in measures.items():
            breakdown[f"{name}_points"] = points_for(amount, table)
            breakdown[f"{name}_reason"] = f"{amount:,.0f} {unit}"
        total = sum(points for points in breakdown.values() if isinstance(points, int))
        return Score(total, {"points_breakdown": breakdown})


def points_for(amount: float, table: Sequence[tuple[int, int]]) -> int:
    """Give the points of the first limit that is reached; none below the last."""
    return next((points for limit, points in table if amount >= limit), 0)


SCORERS: Mapping[str, Scorer] = {scorer.name: scorer for scorer in (Measured(), Unwrapped())}


def differential(points: int, awarded_before: Sequence[int]) -> int:
    """Give what is still to be awarded: points now, less all points awarded before, not below zero."""
    return max(0, points - sum(awarded_before))
