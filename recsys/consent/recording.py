"""How decisions come into the ledger: signed here with a key kept for the member, or signed elsewhere by the member."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol

import sqlalchemy as sa

from recsys.canonical import Pseudonym, parse_json, sha256_hex
from recsys.consent.bindings import Bindings
from recsys.consent.controller import Controller
from recsys.consent.events import FIELDS, OPEN, Event, Word, word_of
from recsys.consent.keyring import Keyring
from recsys.consent.members import MemberKeys
from recsys.consent.records import sign_decision
from recsys.consent.store import ENTRIES, LOG, RECORDS, event_of
from recsys.consent.terms import Decision, Kind
from recsys.errors import LogBrokenError, RecordInvalidError
from recsys.transparency import Envelope, SigningKey, VerifyKey
from recsys.transparency.heads import TreeHead
from recsys.transparency.log import Writer, pieces

_AT_ONCE = 5_000


class Draft(Protocol):
    """A decision on its way into the ledger."""

    @property
    def claims(self) -> tuple[Pseudonym, str]:
        """Whose decision it says it is, and the key it names, in hex."""
        ...

    @property
    def signed_here_for(self) -> Pseudonym | None:
        """The member in whose name it will be signed here, if it is not signed already."""
        ...

    def word(self, bound: Bindings) -> Word:
        """Give what it says, if who says it may."""
        ...

    def envelope(self) -> bytes:
        """Give the signed record; :meth:`word` was asked before."""
        ...


@dataclass(frozen=True)
class Opening:
    """The first entry: names the key of the pseudonyms and the operator's key."""

    key_id: str
    operator: VerifyKey

    @property
    def word(self) -> Word:
        """Say it as an entry does; there is no record of it."""
        return (Pseudonym(self.key_id), OPEN, "", "", "", "", self.operator.raw.hex())


@dataclass(frozen=True)
class Told:
    """A decision that a member told the collective, which signs it with the key that it keeps for the member."""

    decision: Decision
    keys: MemberKeys
    operator: SigningKey
    controller: Controller

    @cached_property
    def _member(self) -> Pseudonym:
        return Pseudonym(self.decision.member)

    @cached_property
    def _key(self) -> SigningKey:
        return self.operator if self.decision.kind is Kind.REVOKE else self.keys.of(self._member)

    @property
    def claims(self) -> tuple[Pseudonym, str]:
        """The member; the key is not asked for, so that none is made before it is needed."""
        return self._member, ""

    @property
    def signed_here_for(self) -> Pseudonym | None:
        """The member, unless the collective speaks for itself."""
        return None if self.decision.kind is Kind.REVOKE else self._member

    def word(self, bound: Bindings) -> Word:
        """Refuse to speak for a member who signs with a key of their own."""
        known = None if self.decision.kind is Kind.REVOKE else bound.keys.get(self._member)
        if known is not None and not (self.keys.has(self._member) and self._key.public == known):
            raise RecordInvalidError(
                f"{self._member[:12]} signs with a key of their own ({known.id[:12]}), which is not kept here; "
                "only they can say this: recsys consent sign"
            )
        return word_of(self.decision, self._member, self._key.public)

    def envelope(self) -> bytes:
        """Sign it."""
        return sign_decision(self.decision, self._key, self.controller).envelope


@dataclass
class Signed:
    """A record that was signed elsewhere."""

    data: bytes
    signed_here_for: Pseudonym | None = None

    @cached_property
    def claims(self) -> tuple[Pseudonym, str]:
        """Look into the record without believing it."""
        try:
            subject = parse_json(Envelope.from_json(self.data).payload)["dpv:hasDataSubject"]
            did = subject.get("@id")
            key = VerifyKey.from_did(did).raw.hex() if did else ""
            return Pseudonym.read(subject["dct:identifier"]), key
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise RecordInvalidError(f"this is no consent record: {str(error)[:200]}") from error

    def word(self, bound: Bindings) -> Word:
        """Check it."""
        word, signed = bound.read(self.data)
        self.data = signed.envelope
        return word

    def envelope(self) -> bytes:
        """Give it in its one spelling."""
        return self.data


class Appender:
    """Appends drafts inside a transaction that holds the write lock.

    Parameters
    ----------
    connection
        The transaction.
    key
        The operator's: its last head must stand in the database, and it signs the next.
    opening
        Opens a ledger that is empty.
    keyring
        Has the keys of members.

    Raises
    ------
    LogBrokenError
        If the end of the ledger is not what was signed.
    """

    def __init__(self, connection: sa.Connection, key: SigningKey, opening: Opening, keyring: Keyring) -> None:
        self._connection, self._key, self._opening, self._keyring = connection, key, opening, keyring
        self._writer = Writer(LOG, connection, key.public)
        self.head = self._writer.head
        last = connection.execute(sa.select(sa.func.max(ENTRIES.c.seq))).scalar_one()
        if (-1 if last is None else last) != self._writer.size - 1:
            raise LogBrokenError(f"{ENTRIES.name} ends with entry {last}; {self._writer.size} entries were signed")

    def append(self, drafts: Iterable[Draft], at: datetime | None) -> TreeHead | None:
        """Append, and sign the new head as of `at`, or of the latest decision; give the ledger's head.

        A draft whose words stand in the ledger already is left out. ``None`` means that the ledger is still empty.

        Raises
        ------
        RecordInvalidError, SignatureInvalidError
            If a draft is not the word of whom it names.
        """
        latest = self.head.at if self.head else ""
        for piece in pieces(drafts, _AT_ONCE):
            if fresh := self._fresh(piece):
                opening = [] if self._writer.size else [(self._opening.word, b"")]
                self._add([*opening, *((word, draft.envelope()) for word, draft in fresh)])
                latest = max(latest, *(word[4] for word, _ in fresh))
        if self._writer.size > (self.head.size if self.head else 0):
            self.head, _ = self._writer.sign(self._key, at or datetime.fromisoformat(latest))
        return self.head

    def _fresh(self, drafts: Sequence[Draft]) -> list[tuple[Word, Draft]]:
        """Check drafts one after the other, and leave out what stands there already."""
        bound, known = Bindings(self._key.public), set()
        claims = [draft.claims for draft in drafts]
        events = [
            *self._where("key", {key for _, key in claims if key}),
            *self._where("member", {m for m, _ in claims}),
        ]
        for event in events:
            known.add(event.word)
            bound.follow(event.word)
        here = dict.fromkeys(draft.signed_here_for for draft in drafts)
        if unbound := [member for member in here if member and member not in bound.keys]:
            self._keyring.members.make_missing(unbound)
        fresh = []
        for draft in drafts:
            word = draft.word(bound)
            if word not in known:
                known.add(word)
                bound.follow(word)
                fresh.append((word, draft))
        return fresh

    def _where(self, column: str, values: Iterable[str]) -> Iterator[Event]:
        for piece in pieces(sorted(values)):
            query = sa.select(ENTRIES).where(ENTRIES.c[column].in_(piece)).order_by(ENTRIES.c.seq)
            yield from map(event_of, self._connection.execute(query))

    def _add(self, entries: Sequence[tuple[Word, bytes]]) -> None:
        """Append entries and their records."""
        before = self._writer.before([word[0] for word, _ in entries])
        events = [
            _event(seq, word, envelope, previous)
            for seq, ((word, envelope), previous) in enumerate(zip(entries, before, strict=True), self._writer.size)
        ]
        self._writer.add([(event.member, event.leaf) for event in events])
        self._insert(ENTRIES, [{name: getattr(event, name) for name in FIELDS} for event in events])
        records = zip(events, entries, strict=True)
        self._insert(RECORDS, [{"seq": event.seq, "envelope": record.decode()} for event, (_, record) in records])

    def _insert(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        self._connection.execute(sa.insert(table), rows)


def _event(seq: int, word: Word, envelope: bytes, previous: int) -> Event:
    member, kind, purpose, recipient, at, until, key = word
    return Event(seq, kind, member, purpose, recipient, at, until, key, sha256_hex(envelope), previous)
