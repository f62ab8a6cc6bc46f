"""A few names in, recommendations with their reasons out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from recsys.bundle.names import NameIndex, Taken
from recsys.bundle.sample import SampleModel
from recsys.errors import ConfigError
from recsys.named import told_apart

_REASONS = 3


@dataclass(frozen=True)
class Recommended:
    """One recommendation.

    Attributes
    ----------
    artist, score
        Who, and the model's score.
    why
        The liked artists that speak for it most, each with its part of the score, largest first.
    """

    artist: str
    score: float
    why: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Tasted:
    """What a sample recommends to somebody.

    Attributes
    ----------
    taken
        For each name that was given what it was taken for.
    recommended
        Best first.
    """

    taken: tuple[Taken, ...]
    recommended: tuple[Recommended, ...]

    @property
    def unknown(self) -> dict[str, list[str]]:
        """Names that are not known, each with known ones that look like it."""
        return {one.asked: list(one.near) for one in self.taken if one.column is None}

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        return {
            "taken": {one.asked: one.name for one in self.taken if one.column is not None},
            "unknown": self.unknown,
            "recommendations": [asdict(one) | {"why": dict(one.why)} for one in self.recommended],
        }


def taste(sample: SampleModel, names: Sequence[str], n: int = 10, *, index: NameIndex | None = None) -> Tasted:
    """Recommend to somebody who likes these artists, and say why.

    Parameters
    ----------
    sample
        The sample.
    names
        Artists' names as people type them; see :meth:`recsys.bundle.names.NameIndex.resolve`.
    n
        How many to recommend.
    index
        The sample's names, if they were indexed already.

    Raises
    ------
    ConfigError
        If `n` is less than 1, or none of the names is known.
    """
    if n < 1:
        raise ConfigError(f"{n} recommendations were asked for; ask for 1 or more")
    index = index or NameIndex.of(sample)
    taken = tuple(index.resolve(name) for name in names)
    liked = list(dict.fromkeys(one.name for one in taken if one.column is not None))
    if not liked:
        near = told_apart({one.asked: one.near for one in taken}) or "none was named"
        raise ConfigError(f"the sample knows none of these artists: {near}; {sample.named.known}")
    found = sample.recommend(liked, n).artists
    return Tasted(taken, tuple(Recommended(name, score, _why(sample, liked, name)) for name, score in found))


def _why(sample: SampleModel, liked: Sequence[str], artist: str) -> tuple[tuple[str, float], ...]:
    parts = sample.explain(liked, artist, _REASONS).artists
    return tuple((name, part) for name, part in parts if part > 0)
