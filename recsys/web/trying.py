"""From what somebody likes to what they may like, with the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.errors import RecsysError
from recsys.web.room import Room

MOST_PICKS = 50
PLACES = 15
NEIGHBOURS = 15
OFFERED = 8
KNOWN = 12
LONGEST_NAME = 200
_REASONS = 3


class TooManyPicksError(RecsysError):
    """More artists were picked than are taken at once."""


@dataclass(frozen=True)
class Reason:
    """An artist among the picks, and its part of a recommendation's score."""

    artist: str
    part: float


@dataclass(frozen=True)
class Place:
    """A recommended or similar artist.

    Attributes
    ----------
    artist
        Its name.
    score
        The model's figure: predicted liking, or cosine.
    length
        The figure as a share of the first place's, between 0 and 1.
    reasons
        What speaks for it, most first; parts are shares of all that speaks for it.
    listeners
        Share of the members who listen to it.
    """

    artist: str
    score: float
    length: float
    reasons: tuple[Reason, ...]
    listeners: float


@dataclass(frozen=True)
class Picks:
    """What somebody said they like.

    Attributes
    ----------
    known
        Artists of the model, each once, in the order in which they were told.
    unknown
        Names that are none, each with names that look like it.
    """

    known: tuple[str, ...]
    unknown: tuple[tuple[str, tuple[str, ...]], ...]


def picks(room: Room, told: Sequence[str]) -> Picks:
    """Find the artists that names mean.

    Raises
    ------
    TooManyPicksError
        If there are more than :data:`MOST_PICKS` names.
    """
    names = list(dict.fromkeys(name.strip() for name in told if name.strip()))
    if len(names) > MOST_PICKS:
        raise TooManyPicksError(f"{len(names):,} artists are more than fit: pick up to {MOST_PICKS} at once.")
    found = {name: meant(room, name) for name in names}
    unknown = tuple((name[:LONGEST_NAME], tuple(offered(room, name))) for name, known in found.items() if known is None)
    return Picks(tuple(dict.fromkeys(known for known in found.values() if known is not None)), unknown)


def meant(room: Room, name: str) -> str | None:
    """Give the artist of the model that a name means beyond doubt: as written, by its artist key, or by an alias."""
    column = room.index.column(name.strip()[:LONGEST_NAME])
    return None if column is None else room.index.names[column]


def offered(room: Room, text: str, n: int = OFFERED) -> list[str]:
    """Give artists that somebody who typed this may mean, best first."""
    return [room.index.names[column] for column, _ in room.index.search(text, n)]


def well_known(room: Room, n: int = KNOWN) -> list[str]:
    """Give the artists with most listeners, to start from."""
    best = np.argsort(-room.sample.listeners, kind="stable")[:n]
    return [room.index.names[int(column)] for column in best]


def recommended(room: Room, liked: Sequence[str]) -> list[Place]:
    """Recommend to somebody who likes these artists of the model, and say why."""
    if not liked:
        return []
    listed = room.sample.recommend(liked, PLACES).artists
    parts = room.sample.named.reasons(liked, [artist for artist, _ in listed], MOST_PICKS)
    return _places(room, listed, [_reasons(one) for one in parts])


def similar(room: Room, artist: str) -> list[Place]:
    """Give the artists most like one of the model."""
    listed = room.sample.similar(artist, NEIGHBOURS).artists
    return _places(room, listed, [()] * len(listed))


def _places(room: Room, listed: Sequence[tuple[str, float]], reasons: Sequence[tuple[Reason, ...]]) -> list[Place]:
    top = max((score for _, score in listed), default=0.0)
    return [
        Place(artist, score, max(score, 0.0) / top if top > 0 else 0.0, why, listeners(room, artist))
        for (artist, score), why in zip(listed, reasons, strict=True)
    ]


def listeners(room: Room, artist: str) -> float:
    """Give the share of members who listen to an artist of the model."""
    column = room.index.column(artist)
    return 0.0 if column is None else float(room.sample.listeners[column])


def _reasons(parts: Sequence[tuple[str, float]]) -> tuple[Reason, ...]:
    spoken = [(name, part) for name, part in parts if part > 0]
    whole = sum(part for _, part in spoken)
    return tuple(Reason(name, part / whole) for name, part in spoken[:_REASONS])
