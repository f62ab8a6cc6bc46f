"""Entries that seal one another: what is in the ledger, apart from where it is kept.

Entry n holds ``hash_n = SHA-256(RFC 8785 JSON of its fields, among them hash_{n-1})``, so an edited, removed or
reordered entry breaks every hash after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from recsys.canonical import Pseudonym, canonical_json, sha256_hex, utc_text
from recsys.consent.terms import PURPOSES, Kind, Said, Standing, standing

OPEN = "open"
"""Kind of the first entry, whose member is the name of the pseudonyms' key."""

NO_HASH = "0" * 64


@dataclass(frozen=True)
class Event:
    """One entry of the ledger. Empty text stands for "none"; an empty `purpose` in a withdrawal means every one."""

    seq: int
    kind: str
    member: Pseudonym
    purpose: str
    at: str
    until: str
    hash: str

    def sealed(self, previous: str) -> str:
        """Compute the hash that this entry must have behind `previous`."""
        fields = {name: getattr(self, name) for name in ("seq", "kind", "member", "purpose", "at", "until")}
        return sha256_hex(canonical_json({**fields, "previous": previous}))


Word = tuple[Pseudonym, str, str, str, str]
"""What an entry says: member, kind, purpose, at, until."""


@dataclass(frozen=True)
class Head:
    """How far the ledger reaches: the number of its entries and the hash of the last."""

    count: int
    hash: str


def sealed_next(events: list[Event], word: Word) -> Event:
    """Make the entry that says `word` and follows `events`."""
    member, kind, purpose, at, until = word
    event = Event(len(events), kind, member, purpose, at, until, "")
    return replace(event, hash=event.sealed(events[-1].hash if events else NO_HASH))


def head_of(events: list[Event]) -> Head:
    """Tell how far these entries reach."""
    return Head(len(events), events[-1].hash if events else NO_HASH)


def first_false(events: list[Event]) -> int | None:
    """Find the first entry that is not the one that was sealed in its place; ``None`` if all are."""
    previous = NO_HASH
    for place, event in enumerate(events):
        if event.seq != place or event.hash != event.sealed(previous):
            return place
        previous = event.hash
    return None


def standings(events: Iterable[Event], purpose: str, at: datetime) -> dict[Pseudonym, Standing]:
    """Tell from checked entries how each member who decided on `purpose` stands to it at the instant `at`."""
    if purpose not in PURPOSES:
        raise ValueError(f"{purpose!r} is no purpose; the purposes are {', '.join(PURPOSES)}")
    said: dict[Pseudonym, list[Said]] = {}
    for event in events:
        if event.kind != OPEN and event.purpose in {purpose, ""}:
            said.setdefault(event.member, []).append(Said(event.seq, Kind(event.kind), event.at, event.until))
    instant = utc_text(at)
    return {member: standing(decisions, instant) for member, decisions in said.items()}
