"""A book at one instant, as its readers and its writers see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from recsys.collective.entries import Entry, leads, read_row
from recsys.errors import LogBrokenError
from recsys.transparency.heads import TreeHead
from recsys.transparency.log import Log, pieces


class Shown:
    """What a book holds at one instant.

    Parameters
    ----------
    log, rows, connection
        The log, the table of its entries, and a transaction.
    head
        The last signed head; ``None`` of an empty book.
    """

    def __init__(self, log: Log, rows: sa.Table, connection: sa.Connection, head: TreeHead | None) -> None:
        self._log, self._rows, self._connection, self._head = log, rows, connection, head

    @property
    def size(self) -> int:
        """How many entries it has."""
        return self._head.size if self._head else 0

    def about(self, owner: str) -> list[Entry]:
        """Read the entries of one owner, oldest first, proved to be all.

        Raises
        ------
        LogBrokenError
            If what is read is not what was signed.
        """
        if self._head is None:
            return []
        query = sa.select(self._rows).where(self._rows.c.owner == owner).order_by(self._rows.c.seq)
        entries = [read_row(row) for row in self._connection.execute(query)]
        last = -1
        for entry in entries:
            self.path(entry)
            if entry.previous != last:
                raise LogBrokenError(
                    f"entry {entry.seq} of {self._log.name} names {entry.previous} before it, not {last}"
                )
            last = entry.seq
        self._check_last(owner, last)
        return entries

    def numbered(self, numbers: Sequence[int]) -> list[Entry]:
        """Read entries by their numbers.

        Raises
        ------
        LogBrokenError
            If one is not there.
        """
        found: dict[int, Entry] = {}
        for some in pieces(numbers):
            rows = self._connection.execute(sa.select(self._rows).where(self._rows.c.seq.in_(some)))
            found.update((row.seq, read_row(row)) for row in rows)
        if missing := [number for number in numbers if number not in found]:
            raise LogBrokenError(f"the book of {self._log.name} has no entry {missing[0]}")
        return [found[number] for number in numbers]

    def of(self, owners: Iterable[str]) -> dict[str, list[Entry]]:
        """Read the entries of many owners, oldest first, as they are stored: not proved to be all.

        For a writer, in bulk: the whole book is checked by whoever reads it (:meth:`recsys.collective.book.Book.scan`).
        """
        found: dict[str, list[Entry]] = {}
        for some in pieces(owners):
            query = sa.select(self._rows).where(self._rows.c.owner.in_(some)).order_by(self._rows.c.seq)
            for row in self._connection.execute(query):
                found.setdefault(row.owner, []).append(read_row(row))
        return found

    def recorded(self, records: Iterable[str]) -> set[str]:
        """Tell which of these documents, named by the SHA-256 of their envelopes, stand in the book already."""
        found: set[str] = set()
        for some in pieces(records):
            query = sa.select(self._rows.c.record).where(self._rows.c.record.in_(some))
            found.update(self._connection.execute(query).scalars())
        return found

    def path(self, entry: Entry) -> tuple[str, ...]:
        """Give the hashes that lead from an entry to the signed root.

        Raises
        ------
        LogBrokenError
            If they do not.
        """
        if self._head is None or entry.seq >= self._head.size:
            raise LogBrokenError(f"entry {entry.seq} of {self._log.name} is in no signed head")
        path = tuple(self._log.inclusion(self._connection, entry.seq, self._head.size))
        if not leads(entry, path, self._head):
            raise LogBrokenError(f"entry {entry.seq} of {self._log.name} is not the one that was signed")
        return path

    def _check_last(self, owner: str, last: int) -> None:
        told: int | None = None
        try:
            told = self._log.last(self._connection, owner).last(owner, self._head.latest if self._head else "")
        except ValueError as error:
            raise LogBrokenError(f"the map of last entries in {self._log.name}: {error}") from error
        if (-1 if told is None else told) != last:
            raise LogBrokenError(f"{self._log.name} has entry {told} as the last about {owner!r:.14}; {last} was read")
