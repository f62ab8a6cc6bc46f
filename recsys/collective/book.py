"""Named books of signed documents: each an append-only Merkle log in the database that holds the consents.

An entry is a DSSE envelope, the instant at which it was recorded and its owner: whom or what it is about. Its leaf in
the log is the canonical JSON of all that, with the envelope by its SHA-256 and the number of the entry before it of the
same owner; so from the signed head alone it can be shown that an entry is there, and that nothing about an owner is
left out. An entry may have a secret beside it, joined to the log by its hash alone: what must not be published with it.

A book keeps envelopes and does not read them: what they say, and whether it may be said, its writer decides, inside the
transaction that appends (:meth:`Book.append`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from recsys.canonical import sha256_hex, utc_text
from recsys.collective.entries import LEAF, Draft, Entry, Inclusion, read_row, sealed_hash
from recsys.collective.shown import Shown
from recsys.consent.keyring import Keyring
from recsys.errors import LogBrokenError
from recsys.home import Home
from recsys.transparency import Envelope
from recsys.transparency.checking import Check, streamed
from recsys.transparency.database import Database, grows_only
from recsys.transparency.headfile import HeadFile
from recsys.transparency.kept import Appending, Kept, Seen, Signer
from recsys.transparency.log import INTEGER, Log, Writer, pieces

_AT_ONCE = 5_000


Take = Callable[[Sequence[Entry]], None]


class Book:
    """A named book.

    Nothing is made before the first entry is appended.

    Parameters
    ----------
    name
        Names the book, its log and its tables.
    database
        Where it is kept: the path of a SQLite file, or a URL.
    signer
        Has the key that signs the log's heads.
    file
        Keeps the last head outside the database.
    """

    def __init__(self, name: str, database: object, signer: Signer, file: HeadFile | None) -> None:
        metadata = sa.MetaData()
        self.name, self._log = name, Log(name, metadata)
        self._rows = grows_only(
            sa.Table(
                f"{name}_entries",
                metadata,
                sa.Column("seq", INTEGER, primary_key=True, autoincrement=False),
                *(sa.Column(column, sa.Text, nullable=False) for column in LEAF[1:-1]),
                sa.Column("previous", INTEGER, nullable=False),
                sa.Column("text", sa.Text, nullable=False),
                sa.Column("secret", sa.LargeBinary, nullable=False),
                sa.Index(f"{name}_entries_owner", "owner"),
                sa.Index(f"{name}_entries_record", "record"),
            )
        )
        self._kept = Kept(Database(str(database), name, metadata), self._log, self._rows, metadata, file, signer)

    @classmethod
    def of(cls, home: Home, name: str) -> Book:
        """Open a book of a collective; its head file lies in the home folder."""
        keyring = Keyring(home.path, home.pseudonyms, None, None)
        return cls(name, home.database, keyring, HeadFile(home.path / f"{name}.head", name))

    def append(self, write: Callable[[Shown], Iterable[Draft]], *, at: datetime) -> tuple[Entry, ...]:
        """Append what `write` yields, all or none, and sign the new head; give the entries.

        Nobody else appends while `write` looks at what it is shown, so what it decides by that still holds.

        Raises
        ------
        LogBrokenError
            If the book does not end as it was signed, or what was looked at is not what was signed.
        StorageError
            If the database cannot be written now. Nothing was appended then, nor if `write` raises.
        """
        with self._kept.writing() as now:
            writer = Writer(self._log, now.connection, now.key.public)
            shown = Shown(self._log, self._rows, now.connection, writer.head)
            entries: list[Entry] = []
            for some in pieces(write(shown), _AT_ONCE):
                entries += self._add(now, writer, some, utc_text(at))
            if entries:
                latest = max(utc_text(at), writer.head.at if writer.head else "")
                writer.sign(now.key, datetime.fromisoformat(latest))
        return tuple(entries)

    def _add(self, now: Appending, writer: Writer, drafts: Sequence[Draft], at: str) -> list[Entry]:
        before = writer.before([draft.owner for draft in drafts])
        texts = [draft.envelope.to_json().decode() for draft in drafts]
        entries = [
            Entry(
                seq, draft.owner, at, sha256_hex(text.encode()), sealed_hash(draft.secret), previous, text, draft.secret
            )
            for seq, (draft, text, previous) in enumerate(zip(drafts, texts, before, strict=True), writer.size)
        ]
        writer.add([(entry.owner, entry.leaf) for entry in entries])
        rows = [{column.name: getattr(entry, column.name) for column in self._rows.columns} for entry in entries]
        now.connection.execute(sa.insert(self._rows), rows)
        return entries

    def entries(self, *, heads: bool = False) -> list[Entry]:
        """Read all entries, oldest first, having checked the whole book; with every head ever signed, if `heads`.

        Raises
        ------
        LogBrokenError
            If anything in it is not what was recorded and signed, or its end was cut off.
        """
        found: list[Entry] = []
        self.scan(found.extend, heads=heads)
        return found

    def scan(self, take: Take, *, heads: bool = False) -> Envelope | None:
        """Hand over all entries, some at a time, check everything, and give the signed head; ``None`` of an empty book.

        What was handed over may be believed only once this has returned.
        """
        with self._kept.reading() as seen:
            if not seen:
                return None
            check = Check(self._log, seen.connection, self._kept.signer.operator_public)
            for rows in pieces(streamed(seen.connection, sa.select(self._rows), self._rows.c.seq), _AT_ONCE):
                entries = [read_row(row) for row in rows]
                check.take([(entry.owner, entry.leaf) for entry in entries], [entry.previous for entry in entries])
                take(entries)
            check.done()
            if heads:
                check.check_heads()
            return self._signed(seen)

    def about(self, owner: str) -> list[Entry]:
        """Read the entries of one owner, oldest first, proved to be all; reads O(log n) for each.

        Raises
        ------
        LogBrokenError
            If what is read is not what was signed.
        """
        with self._kept.reading() as seen:
            return Shown(self._log, self._rows, seen.connection, seen.head).about(owner) if seen else []

    def prove(self, seq: int) -> Inclusion:
        """Show that an entry is in the book, under its last head."""
        return self.prove_many([seq])[0]

    def prove_many(self, numbers: Sequence[int]) -> list[Inclusion]:
        """Show of entries, all under one head, that they are in the book.

        Raises
        ------
        LogBrokenError
            If there is no such entry, or what is read is not what was signed.
        """
        with self._kept.reading() as seen:
            if not seen:
                raise LogBrokenError(f"nothing was ever written in the book of {self.name}")
            shown = Shown(self._log, self._rows, seen.connection, seen.head)
            head = self._signed(seen)
            return [Inclusion(replace(one, secret=b""), shown.path(one), head) for one in shown.numbered(numbers)]

    def signed_head(self) -> Envelope | None:
        """Give the last signed head, the book's end checked; ``None`` of an empty book."""
        with self._kept.reading() as seen:
            return self._signed(seen) if seen else None

    def _signed(self, seen: Seen) -> Envelope:
        return self._log.signed(seen.connection, self._kept.signer.operator_public)[1]
