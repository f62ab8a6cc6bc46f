"""The append-only record of what members decided: signed records under a Merkle log with signed tree heads.

The log alone does not show that its end was cut off together with the last heads; so the last head is also kept in a
file beside the database, each dataset version names the head it was built at, and anybody may keep a head. The first
entry names the key of the pseudonyms: opened with another key, the ledger says so instead of taking every member for a
stranger. How that file and the database go together: :mod:`recsys.transparency.kept`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from recsys.canonical import Pseudonym, Pseudonyms, utc_text
from recsys.consent import store
from recsys.consent.access import Access
from recsys.consent.bindings import Bindings
from recsys.consent.events import OPEN, Event, Head, Standings
from recsys.consent.keyring import Keyring
from recsys.consent.members import MemberKeys
from recsys.consent.proofs import ConsentProof, Earlier, Question
from recsys.consent.recording import Draft, Signed, Told
from recsys.consent.terms import Decision, Kind, Standing, default_until
from recsys.errors import LedgerBrokenError, LogBrokenError
from recsys.transparency import Envelope, SigningKey, VerifyKey
from recsys.transparency.headfile import HeadFile


@dataclass(frozen=True)
class Answers:
    """How members stand to a purpose at an instant, and how far the ledger reached when it was asked."""

    head: Head
    standings: dict[Pseudonym, Standing]


class Ledger:
    """The consent ledger of a collective, in a SQLite file or in PostgreSQL.

    Nothing is created before the first decision is recorded.

    Parameters
    ----------
    where
        The database file, or a URL: ``postgresql://user@host/name``.
    folder
        Holds what no database should: ``keys/`` and, for PostgreSQL, ``ledger.head``. The database file's own folder
        unless given; a ledger by URL without one keeps no head file and must be given all keys.
    pseudonyms
        Names members; by default with the key ``keys/member.key``.
    keys
        Members' signing keys; by default ``keys/members/``.
    operator
        The collective's key, ``keys/operator.key`` unless given; with the public half alone the ledger can be read.
    """

    def __init__(
        self,
        where: str | Path,
        *,
        folder: Path | None = None,
        pseudonyms: Pseudonyms | None = None,
        keys: MemberKeys | None = None,
        operator: SigningKey | VerifyKey | None = None,
    ) -> None:
        database = store.database(where)
        self.path = database.path
        folder = folder or (self.path.parent if self.path else None)
        beside = self.path or (folder / "ledger" if folder else None)
        file = HeadFile(beside.with_suffix(".head"), store.NAME) if beside else None
        self._access = Access(database, file, Keyring(folder, pseudonyms, keys, operator))

    def grant(
        self, member: str, purpose: str, *, at: datetime, until: datetime | None = None, recipient: str | None = None
    ) -> Head:
        """Record that `member` agrees to `purpose` from `at` until `until` (by default two years on)."""
        return self.record([Decision(member, Kind.GRANT, purpose, at, until or default_until(at), recipient)])

    def withdraw(self, member: str, purpose: str | None = None, *, at: datetime, recipient: str | None = None) -> Head:
        """Record that `member` no longer agrees to `purpose`, or to anything at all."""
        return self.record([Decision(member, Kind.WITHDRAW, purpose, at, recipient=recipient)])

    def record(self, decisions: Iterable[Decision], *, at: datetime | None = None) -> Head:
        """Append decisions that members told the collective, all or none, signed with the keys it keeps for them.

        One that stands in the ledger already is not written again. The new head is signed as of `at`, or else as of the
        latest decision.

        Raises
        ------
        LedgerBrokenError
            If the ledger does not end as it was signed; nothing is appended to it then.
        RecordInvalidError
            If a member signs with a key of their own.
        StorageError
            If the database cannot be written now.
        """

        def drafts(operator: SigningKey) -> Iterator[Draft]:
            keys, controller = self._access.keyring.members, self._access.keyring.controller
            for decision in decisions:
                yield Told(replace(decision, member=self.pseudonym(decision.member)), keys, operator, controller)

        return self._access.append(drafts, at)

    def record_signed(self, envelopes: Iterable[bytes], *, at: datetime | None = None) -> Head:
        """Append records that members signed themselves (DSSE envelopes as JSON), all or none.

        Raises
        ------
        LedgerBrokenError, StorageError
            As in :meth:`record`.
        SignatureInvalidError, RecordInvalidError
            If one is not the word of whom it names.
        """
        return self._access.append(lambda _: map(Signed, envelopes), at)

    def events(self, count: int | None = None) -> list[Event]:
        """Read the first `count` entries, or all, oldest first, having checked the whole ledger.

        Raises
        ------
        LedgerBrokenError
            If anything in it is not what was recorded and signed, the end was cut off, or the key is another one.
        """
        events: list[Event] = []
        self._access.scan(lambda more, _: events.extend(more))
        return events[:count]

    def head(self) -> Head:
        """Check the whole ledger and tell how far it reaches."""
        return self._access.scan(lambda _events, _records: None)

    def verify(self) -> Head:
        """Check the whole ledger, every signature of a member and every head that was ever signed.

        Raises
        ------
        LedgerBrokenError
            If anything is not what its signer signed.
        """
        bound: list[Bindings] = []

        def read(events: Sequence[Event], records: Sequence[str]) -> None:
            bound[:] = bound or [Bindings(self.operator_key)]
            for event, record in zip(events, records, strict=True):
                if event.kind != OPEN and bound[0].read(record.encode())[0] != event.word:
                    raise LogBrokenError(f"entry {event.seq} does not say what its signed record says")
                bound[0].follow(event.word)

        return self._access.scan(read, heads=True)

    def signed_head(self) -> Envelope | None:
        """Give the last signed tree head, its signature and the ledger's end checked; ``None`` of an empty ledger."""
        with self._access.reading() as seen:
            return store.LOG.signed(seen.connection, self.operator_key)[1] if seen else None

    def check_reaches(self, count: int, hash: str) -> None:  # noqa: A002 - the key in manifests
        """Check the whole ledger, and that it begins with `count` entries of this root: that a version's head is in it.

        Raises
        ------
        LedgerBrokenError
            If the ledger is not whole or is not the one that the head was taken from.
        """
        head = self.head()
        if not 0 < count <= head.count or self._head_at(count).hash != hash:
            raise LedgerBrokenError(
                f"the ledger does not begin with the {count} entries of root {hash[:12]} that the version was built "
                "at; it is another one, or its history was rewritten"
            )

    def _head_at(self, count: int) -> Head:
        with self._access.reading() as seen:
            if not seen or not 0 < count <= seen.head.size:
                raise LogBrokenError(f"it has {seen.head.size if seen else 0} entries; {count} are asked about")
            return Head(count, store.LOG.root(seen.connection, count))

    def answers(
        self, purpose: str, at: datetime, recipient: str | None = None, *, count: int | None = None
    ) -> Answers:  # fmt: skip
        """Tell how each member who ever decided on `purpose` stands to it at the instant `at`.

        Parameters
        ----------
        purpose, at
            What is asked, and for which instant.
        recipient
            The buyer, for a purpose that names one.
        count
            Look at the first so many entries only: at what was recorded when a version was built. All unless given.

        Raises
        ------
        LedgerBrokenError
            As in :meth:`events`.
        """
        asked = Standings(purpose, at, recipient)
        head = self._access.scan(lambda events, _: asked.take(e for e in events if count is None or e.seq < count))
        return Answers(head if count is None else self._head_at(count), asked.tell())

    def standings(
        self, purpose: str, at: datetime, recipient: str | None = None, *, count: int | None = None
    ) -> dict[Pseudonym, Standing]:  # fmt: skip
        """Give the standings of :meth:`answers`."""
        return self.answers(purpose, at, recipient, count=count).standings

    def recipients(self) -> tuple[str, ...]:
        """Name every buyer whom an entry names, sorted, having checked the whole ledger."""
        named: set[str] = set()
        self._access.scan(lambda events, _: named.update(event.recipient for event in events))
        return tuple(sorted(named - {""}))

    def prove(
        self,
        member: str,
        purpose: str,
        at: datetime,
        *,
        recipient: str | None = None,
        since: Head | None = None,
        version: str = "",
    ) -> ConsentProof:
        """Prove to anybody what a member decided; reads O(log n) for each of the member's entries.

        Parameters
        ----------
        member, purpose, at, recipient
            Whose standing to what, when and for whom.
        since
            An earlier head: the question is answered for the entries up to it. The last one unless given.
        version
            Name of the dataset version that was built at that head.

        Raises
        ------
        LedgerBrokenError
            If what is read is not what was signed, if it does not go on from `since`, or if there is nothing to prove.
        """
        question = Question(purpose, recipient or "", utc_text(at))
        with self._access.reading() as seen:
            if not seen:
                raise LogBrokenError("nothing was ever recorded, so there is nothing to prove")
            earlier = None
            if since is not None:
                if since.count > seen.head.size:
                    raise LogBrokenError(f"it has {seen.head.size} entries, the head that is asked about {since.count}")
                path = store.LOG.consistency(seen.connection, since.count, seen.head.size)
                earlier = Earlier(since, tuple(path), version)
            proof = ConsentProof(question, self._access.evidence(seen, self.pseudonym(member)), earlier)
            proof.check(self.operator_key)
        return proof

    def history(self, member: str) -> list[Event]:
        """Give the entries about one member, oldest first, proved to be all.

        Raises
        ------
        LedgerBrokenError
            If what is read is not what was signed.
        """
        with self._access.reading() as seen:
            if not seen:
                return []
            return list(self._access.evidence(seen, self.pseudonym(member)).entries)

    def pseudonym(self, member: str) -> Pseudonym:
        """Give the name under which `member` stands in this ledger and in every dataset version."""
        return self._access.keyring.pseudonyms.of(member)

    def kept_key(self, member: str) -> VerifyKey | None:
        """Give the public half of the signing key that is kept here for a member; ``None`` if there is none."""
        keys, pseudonym = self._access.keyring.members, self.pseudonym(member)
        return keys.of(pseudonym).public if keys.has(pseudonym) else None

    @property
    def operator_key(self) -> VerifyKey:
        """The public key that this ledger's heads are signed with."""
        return self._access.keyring.operator_public
