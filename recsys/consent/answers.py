"""How a member stands to each question, and how to say it to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from recsys.canonical import utc_text
from recsys.consent.events import Event
from recsys.consent.terms import NAMES_RECIPIENT, PURPOSES, Kind, Standing, deciding, standing


def spoken(instant: datetime, zone: tzinfo) -> str:
    """Say an instant as people of a time zone do, and in UTC."""
    here, utc = instant.astimezone(zone), instant.astimezone(UTC)
    day = f"{here:%A}, {here.day} {here:%B} {here.year}, {here:%H:%M}"
    if not here.utcoffset():
        return f"{day} UTC"
    other_day = "" if here.date() == utc.date() else f" on {utc.day} {utc:%B}"
    return f"{day} {here.tzname()} ({utc:%H:%M} UTC{other_day})"


@dataclass(frozen=True)
class Answer:
    """How a member stands to one question, and the entries of the ledger that it comes from.

    Parameters
    ----------
    purpose, recipient
        The question; the recipient is empty where it names none.
    standing
        What the member's decisions come to.
    entries
        The one or two entries that count.
    ever
        Whether the member ever said yes to this.
    """

    purpose: str
    recipient: str
    standing: Standing
    entries: tuple[Event, ...]
    ever: bool

    @property
    def question(self) -> str:
        """What it answers, as commands name it."""
        return f"{self.purpose}: {self.recipient}" if self.recipient else self.purpose

    def words(self, zone: tzinfo) -> str:
        """Say it to the member."""
        if not self.entries or not self.ever:
            return "**No.** You have not said yes to this."
        since = _moment(max(entry.at for entry in self.entries), zone)
        if self.standing is Standing.GIVEN:
            return (
                f"**Yes**, said on {since}. It lasts until {_moment(min(entry.until for entry in self.entries), zone)}."
            )
        if self.standing is Standing.EXPIRED:
            ended = _moment(min(entry.until for entry in self.entries), zone)
            return f"**No.** Your yes ended on {ended}."
        ending = next(entry for entry in self.entries if not Kind(entry.kind).gives)
        who = "We ended your yes" if ending.kind == Kind.REVOKE else "You took your yes back"
        return f"**No.** {who} on {_moment(ending.at, zone)}."


def answers(entries: Iterable[Event], at: datetime) -> Iterator[Answer]:
    """Give the answer to every question at an instant; for each buyer that was ever named, one of its own.

    Parameters
    ----------
    entries
        All entries about one member.
    at
        The instant.
    """
    told, instant = list(entries), utc_text(at)
    buyers = sorted({entry.recipient for entry in told} - {""}) or [""]
    for purpose in PURPOSES:
        for recipient in buyers if purpose == NAMES_RECIPIENT else [""]:
            said = [entry for entry in told if entry.about(purpose, recipient)]
            last = {one.seq for one in deciding((entry.said for entry in said), instant)}
            counting = tuple(entry for entry in said if entry.seq in last)
            ever = any(entry.said.kind.gives for entry in said)
            yield Answer(purpose, recipient, standing((entry.said for entry in said), instant), counting, ever)


def _moment(text: str, zone: tzinfo) -> str:
    return spoken(datetime.fromisoformat(text), zone)
