"""Where the artists' declarations are kept: a Merkle log of their own, with signed heads, like that of the consents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from recsys.canonical import canonical_json
from recsys.consent.declaration import Declaration
from recsys.errors import LogBrokenError
from recsys.transparency import SigningKey
from recsys.transparency.checking import Check
from recsys.transparency.database import Database, grows_only
from recsys.transparency.log import Log, Writer
from recsys.transparency.merkle import EMPTY

_NAME = "artists"
_METADATA = sa.MetaData()
_LOG = Log(_NAME, _METADATA)
_FIELDS = ("artist", "statement", "by", "at", "source")
_ENTRIES = grows_only(
    sa.Table(
        f"{_NAME}_entries",
        _METADATA,
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in _FIELDS),
        sa.Column("previous", sa.Integer, nullable=False),
    )
)


@dataclass(frozen=True)
class RegistryHead:
    """How far the registry reaches: the number of its declarations and the root of their Merkle tree, in hex."""

    count: int
    hash: str


NOTHING = RegistryHead(0, EMPTY.hex())


class ArtistLog:
    """An append-only log of declarations.

    Parameters
    ----------
    where
        Path of a SQLite file, or the URL of a database.
    operator
        Gives the key that signs the log's heads; asked for only when there is something to sign or to check.
    """

    def __init__(self, where: str | Path, operator: Callable[[], SigningKey]) -> None:
        self._database = Database(where, _NAME, _METADATA)
        self._operator = operator

    def append(self, declarations: Sequence[Declaration]) -> RegistryHead:
        """Append those that are not there yet, all or none."""
        with self._database.writing() as connection:
            known, head = self._read(connection)
            fresh = [one for one in dict.fromkeys(declarations) if one not in set(known)]
            if not fresh:
                return head
            key = self._operator()
            writer = Writer(_LOG, connection, key.public)
            before = writer.before([one.subject for one in fresh])
            rows = [
                {**asdict(one), "seq": seq, "previous": previous}
                for seq, (one, previous) in enumerate(zip(fresh, before, strict=True), len(known))
            ]
            writer.add([(one.subject, canonical_json(row)) for one, row in zip(fresh, rows, strict=True)])
            connection.execute(sa.insert(_ENTRIES), rows)
            signed, _ = writer.sign(key, datetime.fromisoformat(max(one.at for one in [*known, *fresh])))
        return RegistryHead(signed.size, signed.root)

    def read(self) -> tuple[list[Declaration], RegistryHead]:
        """Read all declarations, oldest first, having checked the whole log.

        Raises
        ------
        LogBrokenError
            If anything is not what was recorded and signed.
        """
        with self._database.reading() as connection:
            return self._read(connection) if connection else ([], NOTHING)

    def root(self, count: int) -> str | None:
        """Give the root that the log had at `count` declarations; ``None`` if it never had as many."""
        if count == 0:
            return NOTHING.hash
        with self._database.reading() as connection:
            if connection is None or len(self._read(connection)[0]) < count:
                return None
            return _LOG.root(connection, count)

    def _read(self, connection: sa.Connection) -> tuple[list[Declaration], RegistryHead]:
        rows = connection.execute(sa.select(_ENTRIES).order_by(_ENTRIES.c.seq)).mappings().all()
        if not rows and _LOG.head(connection, self._operator().public) is None:
            return [], NOTHING
        found = [_declaration(dict(row)) for row in rows]
        check = Check(_LOG, connection, self._operator().public)
        leaves = [(one.subject, canonical_json(dict(row))) for one, row in zip(found, rows, strict=True)]
        check.take(leaves, [row["previous"] for row in rows])
        head = check.done()
        return found, RegistryHead(head.size, head.root) if head else NOTHING


def _declaration(row: dict[str, str]) -> Declaration:
    try:
        return Declaration(**{name: row[name] for name in _FIELDS})
    except (ValueError, TypeError, AttributeError) as error:
        raise LogBrokenError(f"the artists' registry holds an entry that is no declaration ({error})") from error
