"""What stands in the ledger, apart from where it is kept.

An entry's leaf in the Merkle log is the canonical JSON of all its fields. Among them are the SHA-256 of the signed
record that it was made from and the number of the entry before it about the same member: from a member's last entry
backwards none can be left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recsys.canonical import Pseudonym, canonical_json, utc_text
from recsys.consent.terms import PURPOSES, Decision, Kind, Said, Standing, standing
from recsys.transparency import VerifyKey
from recsys.transparency.merkle import EMPTY

OPEN = "open"
"""Kind of the first entry, whose member is the name of the pseudonyms' key and whose key is the operator's."""

NONE_BEFORE = -1


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the ledger. Empty text stands for "none".

    Parameters
    ----------
    seq
        Its number, from 0.
    kind
        A :class:`~recsys.consent.Kind`, or :data:`OPEN`.
    member
        Whom it is about.
    purpose
        Empty where consent to every purpose ends.
    recipient
        The buyer a consent is for; empty where consent to every buyer ends, and for other purposes.
    at, until
        Instants as :func:`recsys.canonical.utc_text` writes them.
    key
        The 32 bytes of the Ed25519 public key that the record binds to the member, in hex; the operator's, where it is
        the collective that ends consent.
    record
        SHA-256 of the signed record.
    previous
        Number of the entry before it about the same member; -1 if there is none.
    """

    seq: int
    kind: str
    member: Pseudonym
    purpose: str
    recipient: str
    at: str
    until: str
    key: str
    record: str
    previous: int

    @property
    def leaf(self) -> bytes:
        """The bytes that the Merkle log hashes."""
        fields = {name: getattr(self, name) for name in FIELDS}
        return canonical_json(fields | {"member": _plain(self.member)})

    @property
    def word(self) -> Word:
        """What it says and whose key says so, without when it was recorded."""
        return (self.member, self.kind, self.purpose, self.recipient, self.at, self.until, self.key)

    def about(self, purpose: str, recipient: str) -> bool:
        """Tell whether this entry bears on consent to a purpose for a recipient (empty: for none by name).

        A consent is for its own recipient only; what ends consent may end it for every purpose or recipient.
        """
        if self.kind == OPEN:
            return False
        if Kind(self.kind).gives:
            return (self.purpose, self.recipient) == (purpose, recipient)
        return self.purpose in {purpose, ""} and self.recipient in {recipient, ""}

    @property
    def said(self) -> Said:
        """It as the rule of :func:`recsys.consent.terms.standing` reads it."""
        return Said(self.seq, Kind(self.kind), self.at, self.until)


FIELDS = tuple(Event.__slots__)


def _plain(text: Any) -> Any:  # noqa: ANN401 - what a database may hold
    """Give a pseudonym as the text that it is, which is written much faster; leave anything else for what it is."""
    return str(text) if isinstance(text, str) else text


Word = tuple[Pseudonym, str, str, str, str, str, str]
"""What an entry says: member, kind, purpose, recipient, at, until; and the key."""


def word_of(decision: Decision, member: Pseudonym, key: VerifyKey) -> Word:
    """Say a decision as an entry does."""
    until = utc_text(decision.until) if decision.until else ""
    purpose, recipient = decision.purpose or "", decision.recipient or ""
    return (member, decision.kind.value, purpose, recipient, utc_text(decision.at), until, key.raw.hex())


@dataclass(frozen=True)
class Head:
    """How far the ledger reaches: the number of its entries and the root of their Merkle tree, in hex."""

    count: int
    hash: str


NOTHING = Head(0, EMPTY.hex())


class Standings:
    """Gathers entries, a stretch at a time, and tells how members stand to one purpose at one instant.

    Parameters
    ----------
    purpose
        A key of :data:`recsys.consent.PURPOSES`.
    at
        The instant that is asked about.
    recipient
        The buyer, for a purpose that names one.

    Raises
    ------
    ValueError
        If there is no such purpose.
    """

    def __init__(self, purpose: str, at: datetime, recipient: str | None = None) -> None:
        if purpose not in PURPOSES:
            raise ValueError(f"{purpose!r} is no purpose; the purposes are {', '.join(PURPOSES)}")
        self._purpose, self._recipient, self._at = purpose, recipient or "", utc_text(at)
        self._said: dict[Pseudonym, list[Said]] = {}

    def take(self, events: Iterable[Event]) -> None:
        """Take the next entries."""
        for event in events:
            if event.about(self._purpose, self._recipient):
                self._said.setdefault(event.member, []).append(event.said)

    def tell(self) -> dict[Pseudonym, Standing]:
        """Tell how each member stands about whom an entry bears on the question."""
        return {member: standing(said, self._at) for member, said in self._said.items()}
