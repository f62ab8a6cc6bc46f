"""A log in its database, with its head file and the key that signs it: appended to, and read at one instant.

A log alone does not show that its end was cut off together with the last heads; so the last head is also kept in a file
outside the database. That file is there before the first entry, and is written again after the database has each new
head, under the database's write lock; a reader reads it before the database. So neither a crash nor a writer at work
can leave it ahead of what a reader sees: if it is ahead, entries are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from recsys.errors import LogBrokenError
from recsys.transparency.database import Database
from recsys.transparency.headfile import HeadFile
from recsys.transparency.heads import TreeHead
from recsys.transparency.keys import SigningKey, VerifyKey
from recsys.transparency.log import Log


class Signer(Protocol):
    """Who signs the heads of a log."""

    @property
    def operator_public(self) -> VerifyKey:
        """The key that heads are checked with."""
        ...

    def operator(self, *, new: bool) -> SigningKey:
        """Give the key that signs heads; one is made only for a `new` log."""
        ...


@dataclass(frozen=True)
class Seen:
    """A log at one instant, not empty."""

    connection: sa.Connection
    head: TreeHead


@dataclass(frozen=True)
class Appending:
    """A transaction in which nobody else appends; `new` says that the log is still empty."""

    connection: sa.Connection
    key: SigningKey
    new: bool


@dataclass(frozen=True)
class Kept:
    """The parts.

    Parameters
    ----------
    database
        Holds the log and its entries.
    log
        The log.
    entries
        The table of what the entries say.
    metadata
        All tables of the log.
    file
        Keeps the last head, if it is kept in a file.
    signer
        Has the key.
    refuse
        Raises if the database of an empty log holds what this log must not be begun beside.
    """

    database: Database
    log: Log
    entries: sa.Table
    metadata: sa.MetaData
    file: HeadFile | None
    signer: Signer
    refuse: Callable[[sa.Connection], None] | None = None

    @contextmanager
    def writing(self) -> Iterator[Appending]:
        """Give a transaction to append in, the log's end checked; a clean exit commits it and notes the new head.

        Raises
        ------
        LogBrokenError
            If the log does not end as it was signed.
        StorageError
            If the database cannot be written now; nothing was written.
        """
        with self.database.writing() as connection:
            noted, new = self._noted(), self.is_new(connection)
            key = self.signer.operator(new=new)
            if new and self.file and noted is None:
                self.file.begin(key)
            if not new:
                self._checked_end(connection, noted)
            elif noted and noted.size:
                raise _gone(noted)
            yield Appending(connection, key, new)
        self._note()

    @contextmanager
    def reading(self) -> Iterator[Seen | None]:
        """See the log at one instant, its end checked; ``None`` if it is empty.

        Raises
        ------
        LogBrokenError
            If the log does not end as it was signed.
        """
        noted = self._noted()
        with self.database.reading() as connection:
            if connection is not None and not self.is_new(connection):
                yield Seen(connection, self._checked_end(connection, noted))
            elif noted is None or noted.size == 0:
                yield None
            else:
                raise _gone(noted)

    def is_new(self, connection: sa.Connection) -> bool:
        """Tell whether nothing was ever appended.

        Raises
        ------
        LogBrokenError
            If some of the tables are gone.
        """
        tables = set(sa.inspect(connection).get_table_names())
        ours = {table.name for table in self.metadata.tables.values()}
        if ours & tables and not ours <= tables:
            raise LogBrokenError(f"the table {min(ours - tables)} is gone; restore the ledger from a backup")
        asked = (self.entries, self.log.heads) if ours <= tables else ()
        new = all(connection.execute(sa.select(table).limit(1)).first() is None for table in asked)
        if new and self.refuse:
            self.refuse(connection)
        return new

    def _note(self) -> None:
        """Write the last head to its file, while nobody else can write."""
        if self.file:
            with self.database.writing() as connection:
                found = self.log.head(connection, self.signer.operator_public)
                if found:
                    self.file.write(found[1])

    def _noted(self) -> TreeHead | None:
        """Read the head file, if there is one."""
        if self.file is None or not self.file.path.exists():
            return None
        return self.file.read(self.signer.operator_public)

    def _checked_end(self, connection: sa.Connection, noted: TreeHead | None) -> TreeHead:
        """Check the end of the log against its signed head and the head file."""
        head, _ = self.log.signed(connection, self.signer.operator_public)
        if self.file and noted is None:
            raise LogBrokenError(
                f"{self.file.path.name} is missing beside a ledger of {head.size} entries, so nobody can tell whether "
                "its end was cut off; restore both files from a backup"
            )
        if noted and (noted.size > head.size or self.log.root(connection, noted.size) != noted.root):
            raise LogBrokenError(
                f"it has {head.size} entries, but its head file knows of {noted.size} of another history: entries were "
                "cut off or replaced; restore both files from a backup"
            )
        return head


def _gone(noted: TreeHead) -> LogBrokenError:
    return LogBrokenError(f"it is empty, but its head file knows of {noted.size} entries; restore both from a backup")
