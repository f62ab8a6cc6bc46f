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
from recsys.consent.headfile import HeadFile
from recsys.consent.keyring import Keyring
from recsys.consent.proofs import Evidence
from recsys.consent.recording import Appender, Draft, Opening
from recsys.errors import LedgerBrokenError, LogBrokenError, ProofInvalidError
from recsys.transparency import SigningKey
from recsys.transparency.database import Database
from recsys.transparency.heads import TreeHead


@dataclass(frozen=True)
class Seen:
    """The ledger at one instant, not empty."""

    connection: sa.Connection
    head: TreeHead


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
        with self.told(), self.database.writing() as connection:
            noted, new = self._noted(), store.is_new(connection)
            operator = self.keyring.operator(new=new)
            if new and self.file and noted is None:
                self.file.begin(operator)
            if not new:
                self._checked_end(connection, noted)
            elif noted and noted.size:
                raise _gone(noted)
            opening = Opening(self.keyring.pseudonyms.key_id, operator.public)
            appender = Appender(connection, operator, opening, self.keyring)
            head = appender.append(drafts(operator), at)
        self._note()
        return Head(head.size, head.root) if head else NOTHING

    def _note(self) -> None:
        """Write the last head to its file, while nobody else can write."""
        if self.file:
            with self.told(), self.database.writing() as connection:
                found = store.LOG.head(connection, self.keyring.operator_public)
                if found:
                    self.file.write(found[1])

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
        with self.told():
            noted = self._noted()
            with self.database.reading() as connection:
                if connection is not None and not store.is_new(connection):
                    yield Seen(connection, self._checked_end(connection, noted))
                elif noted is None or noted.size == 0:
                    yield None
                else:
                    raise _gone(noted)

    def _noted(self) -> TreeHead | None:
        """Read the head file, if there is one."""
        if self.file is None or not self.file.path.exists():
            return None
        return self.file.read(self.keyring.operator_public)

    def _checked_end(self, connection: sa.Connection, noted: TreeHead | None) -> TreeHead:
        """Check the end of the ledger against its signed head, the head file and the keys."""
        head, _ = store.LOG.signed(connection, self.keyring.operator_public)
        if self.file and noted is None:
            raise LogBrokenError(
                f"{self.file.path.name} is missing beside a ledger of {head.size} entries, so nobody can tell whether "
                "its end was cut off; restore both files from a backup"
            )
        if noted and (noted.size > head.size or store.LOG.root(connection, noted.size) != noted.root):
            raise LogBrokenError(
                f"it has {head.size} entries, but its head file knows of {noted.size} of another history: entries were "
                "cut off or replaced; restore both files from a backup"
            )
        opening = store.opening(connection)
        if opening.member != self.keyring.pseudonyms.key_id or opening.key != self.keyring.operator_public.raw.hex():
            raise LogBrokenError("it was written with another member key or operator key; put its keys back")
        return head

    @contextmanager
    def told(self) -> Iterator[None]:
        """Say of which ledger it is that something is wrong."""
        try:
            yield
        except (LogBrokenError, ProofInvalidError) as error:
            raise LedgerBrokenError(f"{self.database.name}: {error}") from error


def _gone(noted: TreeHead) -> LogBrokenError:
    return LogBrokenError(f"it is empty, but its head file knows of {noted.size} entries; restore both from a backup")
