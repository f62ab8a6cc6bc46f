"""What can be agreed to, and what a row of decisions comes to at an instant."""

from __future__ import annotations

import unicodedata
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

NAMES_RECIPIENT = "share-with-buyer"
"""The purpose that is agreed to for one named recipient at a time."""

_DEFAULT_TERM_YEARS = 2
_LONGEST_NAME = 200


class Kind(StrEnum):
    """What is decided: by the member, or, in a revocation, by the collective."""

    GRANT = "grant"
    RENEW = "renew"
    WITHDRAW = "withdraw"
    REVOKE = "revoke"

    @property
    def gives(self) -> bool:
        """Whether this lets data be used; the other kinds end that."""
        return self in {Kind.GRANT, Kind.RENEW}


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
        What was decided. A renewal is a grant to somebody who had given one before.
    purpose
        A key of :data:`PURPOSES`; ``None``, only where consent ends, means every purpose.
    at
        The instant at which the member decided.
    until
        The first instant at which a grant no longer holds; ``None`` where consent ends.
    recipient
        The buyer, by name, whom a grant of ``share-with-buyer`` is for; where that consent ends, ``None`` means every
        buyer; for other purposes always ``None``. Spaces and Unicode are brought into one form.
    """

    member: str
    kind: Kind
    purpose: str | None
    at: datetime
    until: datetime | None = None
    recipient: str | None = None

    def __post_init__(self) -> None:
        if self.recipient is not None:
            object.__setattr__(self, "recipient", one_line(self.recipient, "a recipient's name"))
        self._check_recipient()
        if self.purpose is not None and self.purpose not in PURPOSES:
            raise ValueError(f"{self.purpose!r} is no purpose; the purposes are {', '.join(PURPOSES)}")
        if not self.kind.gives:
            if self.until is not None:
                raise ValueError(f"a {self.kind} has no end: leave `until` out")
            return
        if self.purpose is None:
            raise ValueError(f"a grant names one purpose of {', '.join(PURPOSES)}")
        if self.until is None:
            raise ValueError("a grant has an end: give `until`")
        if utc_text(self.until) <= utc_text(self.at):
            raise ValueError(f"the grant would end at {utc_text(self.until)}, before it begins at {utc_text(self.at)}")

    def _check_recipient(self) -> None:
        if self.purpose == NAMES_RECIPIENT:
            if self.recipient is None and self.kind.gives:
                raise ValueError(f"a grant of {NAMES_RECIPIENT} is for one buyer: name it as the recipient")
        elif self.recipient is not None:
            raise ValueError(
                f"{self.recipient!r} cannot be the recipient of {self.purpose or 'every purpose'}; "
                f"only {NAMES_RECIPIENT} names one"
            )


def one_line(text: str, what: str) -> str:
    """Bring a name into one form (Unicode NFC, single spaces), so that the same name is always the same text.

    Raises
    ------
    ValueError
        If it is empty, too long, or holds signs that nobody sees.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise ValueError(f"{what} has 1 to {_LONGEST_NAME} visible letters; this is {name[:80]!r}")
    return name


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


def deciding(decisions: Iterable[Said], at: str) -> tuple[Said, ...]:
    """Give the two decisions that count at an instant, or none if none is made yet.

    Decisions later than `at` are not yet made. Of the others these are the last by the member's clock (what ends
    consent wins a tie) and the last by the order of recording; often they are the same.
    """
    made = [said for said in decisions if said.at <= at]
    if not made:
        return ()
    return max(made, key=lambda said: (said.at, not said.kind.gives, said.seq)), max(made, key=lambda said: said.seq)


def standing(decisions: Iterable[Said], at: str) -> Standing:
    """Tell what decisions come to at an instant: both that count (:func:`deciding`) must be grants, and not ended."""
    last = deciding(decisions, at)
    if not last:
        return Standing.NEVER_GIVEN
    if any(not said.kind.gives for said in last):
        return Standing.WITHDRAWN
    if any(said.until <= at for said in last):
        return Standing.EXPIRED
    return Standing.GIVEN
