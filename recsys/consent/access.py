"""The ledger's database, head file and keys together: how it is appended to, and how it is read at one instant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from recsys.canonical import Pseudonym
from recsys.consent import store
from recsys.consent.events import NOTHING, Head
from recsys.consent.keyring import Keyring
from recsys.consent.proofs import Evidence
from recsys.consent.recording import Appender, Draft, Opening
from recsys.errors import LedgerBrokenError, LogBrokenError, ProofInvalidError
from recsys.transparency import SigningKey
from recsys.transparency.database import Database
from recsys.transparency.headfile import HeadFile
from recsys.transparency.kept import Kept, Seen


@dataclass(frozen=True)
class Access:
    """The parts of a ledger.

    Parameters
    ----------
    database
        Holds entries, records and their log.
    file
        Keeps the last head, if it is kept in a file.
    keyring
        The keys.
    """

    database: Database
    file: HeadFile | None
    keyring: Keyring

    def append(self, drafts: Callable[[SigningKey], Iterable[Draft]], at: datetime | None) -> Head:
        """Append what `drafts`, given the operator's key, yields, all or none; give the new head."""
        with self.told(), self._kept.writing() as now:
            if not now.new:
                self._check_keys(now.connection)
            opening = Opening(self.keyring.pseudonyms.key_id, now.key.public)
            appender = Appender(now.connection, now.key, opening, self.keyring)
            head = appender.append(drafts(now.key), at)
        return Head(head.size, head.root) if head else NOTHING

    def evidence(self, seen: Seen, member: Pseudonym) -> Evidence:
        """Read everything about one member, and check that it is all and as it was signed."""
        evidence = store.evidence(seen.connection, self.keyring.operator_public, member)
        evidence.check(self.keyring.operator_public)
        return evidence

    def scan(self, take: store.Take, *, heads: bool = False) -> Head:
        """Hand over everything and check all of it; what was handed over may be believed only afterwards."""
        with self.reading() as seen:
            if not seen:
                return NOTHING
            head = store.scan(seen.connection, self.keyring.operator_public, take, heads=heads)
        return Head(head.size, head.root)

    @contextmanager
    def reading(self) -> Iterator[Seen | None]:
        """See the ledger at one instant, its end checked; ``None`` if it is empty."""
        with self.told(), self._kept.reading() as seen:
            if seen:
                self._check_keys(seen.connection)
            yield seen

    @property
    def _kept(self) -> Kept:
        parts = (self.database, store.LOG, store.ENTRIES, store.METADATA, self.file, self.keyring)
        return Kept(*parts, refuse=store.refuse_old)

    def _check_keys(self, connection: sa.Connection) -> None:
        """Check that the ledger was written with the keys that are here."""
        opening = store.opening(connection)
        if opening.member != self.keyring.pseudonyms.key_id or opening.key != self.keyring.operator_public.raw.hex():
            raise LogBrokenError("it was written with another member key or operator key; put its keys back")

    @contextmanager
    def told(self) -> Iterator[None]:
        """Say of which ledger it is that something is wrong."""
        try:
            yield
        except (LogBrokenError, ProofInvalidError) as error:
            raise LedgerBrokenError(f"{self.database.name}: {error}") from error
