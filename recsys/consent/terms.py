"""What can be agreed to, and what a row of decisions comes to at an instant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from recsys.canonical import utc_text

PURPOSES = {
    "train-recommender": "train a model that recommends artists",
    "sell-insights": "sell summaries in which no single person can be made out",
    "share-with-buyer": "let a named buyer use a model made with my listening",
    "research": "let researchers study listening, without selling anything",
}
"""Purposes, each a toggle of its own, and what saying yes to it means."""

_DEFAULT_TERM_YEARS = 2


class Kind(StrEnum):
    """What a member decides."""

    GRANT = "grant"
    WITHDRAW = "withdraw"


class Standing(StrEnum):
    """How a member stands to a purpose at an instant."""

    GIVEN = "given"
    NEVER_GIVEN = "never given"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Decision:
    """A member's word, before it is recorded.

    Parameters
    ----------
    member
        The member's name or pseudonym.
    kind
        Grant or withdraw.
    purpose
        A key of :data:`PURPOSES`; ``None``, only in a withdrawal, means every purpose.
    at
        The instant at which the member decided.
    until
        The first instant at which a grant no longer holds; ``None`` in a withdrawal.
    """

    member: str
    kind: Kind
    purpose: str | None
    at: datetime
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.purpose is not None and self.purpose not in PURPOSES:
            raise ValueError(f"{self.purpose!r} is no purpose; the purposes are {', '.join(PURPOSES)}")
        if self.kind is Kind.WITHDRAW:
            if self.until is not None:
                raise ValueError("a withdrawal has no end: leave `until` out")
            return
        if self.purpose is None:
            raise ValueError(f"a grant names one purpose of {', '.join(PURPOSES)}")
        if self.until is None:
            raise ValueError("a grant has an end: give `until`")
        if utc_text(self.until) <= utc_text(self.at):
            raise ValueError(f"the grant would end at {utc_text(self.until)}, before it begins at {utc_text(self.at)}")


def default_until(at: datetime) -> datetime:
    """Give the end of a grant that names none: two years on, 28 February for 29 February."""
    year = at.year + _DEFAULT_TERM_YEARS
    try:
        return at.replace(year=year)
    except ValueError:
        return at.replace(year=year, day=28)


@dataclass(frozen=True)
class Said:
    """One recorded decision on one purpose, as :func:`standing` reads it; times as :func:`utc_text` writes them."""

    seq: int
    kind: Kind
    at: str
    until: str


def standing(decisions: Iterable[Said], at: str) -> Standing:
    """Tell what decisions come to at an instant.

    Decisions later than `at` are not yet made. Of the others, the last by the member's clock (a withdrawal wins a
    tie) and the last by the order of recording must both be grants that have not ended.
    """
    made = [said for said in decisions if said.at <= at]
    if not made:
        return Standing.NEVER_GIVEN
    last = (max(made, key=lambda said: (said.at, said.kind is Kind.WITHDRAW, said.seq)), max(made, key=lambda s: s.seq))
    if any(said.kind is Kind.WITHDRAW for said in last):
        return Standing.WITHDRAWN
    if any(said.until <= at for said in last):
        return Standing.EXPIRED
    return Standing.GIVEN
