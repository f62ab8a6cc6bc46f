"""An append-only log: a Merkle tree, the map of last entries and signed heads, beside the entries of whoever keeps it.

The log keeps hashes; what an entry says is kept once, by its room, in the same database and the same transaction.
Several logs live in one database, each in tables of its own name.

Appending looks at the right edge of the tree and at the touched paths of the map, and only at them: both must come to
the roots of the last signed head, or nothing is appended. Whether everything else is still what it was, a
:class:`~recsys.transparency.checking.Check` tells, which recomputes it all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from recsys.canonical import utc_text
from recsys.errors import LogBrokenError, SignatureInvalidError
from recsys.transparency.database import grows_only
from recsys.transparency.dsse import Envelope
from recsys.transparency.heads import TreeHead
from recsys.transparency.keys import SigningKey, VerifyKey
from recsys.transparency.latest import DEPTH, NOTHING, ROOT, LatestProof, beside, bucket_hash, bucket_of, folded, node
from recsys.transparency.merkle import (
    Frontier,
    consistency_ranges,
    inclusion_ranges,
    joined,
    leaf_hash,
    nodes_of,
    subtrees,
)

_ASKED_AT_ONCE = 500
INTEGER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_T = TypeVar("_T")


def pieces(values: Iterable[_T], size: int = _ASKED_AT_ONCE) -> Iterator[list[_T]]:
    """Give values some at a time."""
    rest = iter(values)
    while piece := list(islice(rest, size)):
        yield piece


class Log:
    """The tables of one log, and what can be asked of them.

    Parameters
    ----------
    name
        Names the log in its heads, and its tables.
    metadata
        Takes the tables in.
    """

    def __init__(self, name: str, metadata: sa.MetaData) -> None:
        self.name = name
        self.nodes = grows_only(
            sa.Table(
                f"{name}_nodes",
                metadata,
                sa.Column("id", INTEGER, primary_key=True, autoincrement=False),
                sa.Column("hash", sa.LargeBinary, nullable=False),
            )
        )
        self.heads = grows_only(
            sa.Table(
                f"{name}_heads",
                metadata,
                sa.Column("size", INTEGER, primary_key=True, autoincrement=False),
                sa.Column("envelope", sa.Text, nullable=False),
            )
        )
        self.latest = sa.Table(
            f"{name}_latest",
            metadata,
            sa.Column("bucket", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("owner", sa.Text, primary_key=True),
            sa.Column("seq", INTEGER, nullable=False),
            sqlite_with_rowid=False,
        )
        self.map = sa.Table(
            f"{name}_map",
            metadata,
            sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("hash", sa.LargeBinary, nullable=False),
        )

    def head(self, connection: sa.Connection, key: VerifyKey) -> tuple[TreeHead, Envelope] | None:
        """Give the last signed head, its signature checked; ``None`` if nothing was ever appended.

        Raises
        ------
        LogBrokenError
            If it is not a head of this log that `key` signed.
        """
        query = sa.select(self.heads).order_by(self.heads.c.size.desc()).limit(1)
        row = connection.execute(query).first()
        return self.read_head(row, key) if row else None

    def signed(self, connection: sa.Connection, key: VerifyKey) -> tuple[TreeHead, Envelope]:
        """Give the last signed head of a log that has one.

        Raises
        ------
        LogBrokenError
            If it has none, or as in :meth:`head`.
        """
        found = self.head(connection, key)
        if found is None:
            raise LogBrokenError(f"the signed heads in {self.heads.name} are gone; restore them from a backup")
        return found

    def read_head(self, row: sa.Row[Any], key: VerifyKey) -> tuple[TreeHead, Envelope]:
        """Check a row of the table of heads."""
        try:
            envelope = Envelope.from_json(str(row.envelope).encode())
            head = TreeHead.verified(envelope, key)
        except SignatureInvalidError as error:
            raise LogBrokenError(f"the signed head of {row.size} entries in {self.heads.name}: {error}") from error
        if (head.log, head.size) != (self.name, row.size):
            raise LogBrokenError(f"{self.heads.name} has a head of {head.size} entries of {head.log!r} at {row.size}")
        return head, envelope

    def root(self, connection: sa.Connection, size: int) -> str:
        """Give the root that the tree had at `size` entries, in hex."""
        return joined(self._perfect(connection, [(0, size)])[0]).hex()

    def inclusion(self, connection: sa.Connection, index: int, size: int) -> list[str]:
        """Give the hashes, in hex, that prove entry `index` in the tree of `size` entries."""
        return self._roots(connection, inclusion_ranges(index, size))

    def consistency(self, connection: sa.Connection, old: int, new: int) -> list[str]:
        """Give the hashes, in hex, that prove that the tree of `old` entries begins the tree of `new`."""
        return self._roots(connection, consistency_ranges(old, new))

    def last(self, connection: sa.Connection, owner: str) -> LatestProof:
        """Show which entry is now the last about `owner`."""
        place = node(0, bucket_of(owner))
        ids = [place >> level ^ 1 for level in range(DEPTH)]
        known = self._hashes(connection, self.map, ids)
        path = [known.get(one, NOTHING[level]).hex() for level, one in enumerate(ids)]
        return LatestProof(self._buckets(connection, [bucket_of(owner)])[bucket_of(owner)], path)

    def _roots(self, connection: sa.Connection, ranges: Sequence[tuple[int, int]]) -> list[str]:
        return [joined(perfect).hex() for perfect in self._perfect(connection, ranges)]

    def _perfect(self, connection: sa.Connection, ranges: Sequence[tuple[int, int]]) -> list[list[bytes]]:
        """Read the perfect subtrees of each range."""
        wanted = [subtrees(*one) for one in ranges]
        found = self._hashes(connection, self.nodes, [id_ for ids in wanted for id_ in ids])
        if missing := [id_ for ids in wanted for id_ in ids if id_ not in found]:
            raise LogBrokenError(f"node {missing[0]} is missing from {self.nodes.name}")
        return [[found[id_] for id_ in ids] for ids in wanted]

    @staticmethod
    def _hashes(connection: sa.Connection, table: sa.Table, ids: Iterable[int]) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        for piece in pieces(ids):
            rows = connection.execute(sa.select(table.c.id, table.c.hash).where(table.c.id.in_(piece)))
            found.update((id_, bytes(hashed)) for id_, hashed in rows)
        return found

    def _buckets(self, connection: sa.Connection, buckets: Iterable[int]) -> dict[int, dict[str, int]]:
        found: dict[int, dict[str, int]] = {bucket: {} for bucket in buckets}
        for piece in pieces(list(found)):
            for bucket, owner, seq in connection.execute(sa.select(self.latest).where(self.latest.c.bucket.in_(piece))):
                found[bucket][owner] = seq
        return found


class Writer:
    """Appends to a log inside a transaction that holds the write lock; ends with :meth:`sign`.

    Raises
    ------
    LogBrokenError
        If the edge of the tree is not what the last head says.
    """

    def __init__(self, log: Log, connection: sa.Connection, key: VerifyKey) -> None:
        self._log, self._connection = log, connection
        found = log.head(connection, key)
        self.head = found[0] if found else None
        size = self.head.size if self.head else 0
        self._frontier = Frontier(size, tuple(log._perfect(connection, [(0, size)])[0]))  # noqa: SLF001 - its other half
        if self.head and self._frontier.root.hex() != self.head.root:
            raise LogBrokenError(f"the edge of {log.nodes.name} is not what was signed for {size} entries")
        self._map = bytes.fromhex(self.head.latest) if self.head else NOTHING[DEPTH]

    @property
    def size(self) -> int:
        """How many entries the log has, with those that were added."""
        return self._frontier.size

    def before(self, owners: Sequence[str]) -> list[int]:
        """Give, for entries about these owners in this order, the number of the one before it; -1 for the first."""
        buckets = self._log._buckets(self._connection, {bucket_of(owner) for owner in owners})  # noqa: SLF001
        last = {owner: seq for bucket in buckets.values() for owner, seq in bucket.items()}
        found = []
        for seq, owner in enumerate(owners, self.size):
            found.append(last.get(owner, -1))
            last[owner] = seq
        return found

    def add(self, entries: Sequence[tuple[str, bytes]]) -> None:
        """Append entries: the owner of each, and the bytes of its leaf.

        Raises
        ------
        LogBrokenError
            If the map of last entries is not what was signed, where it is touched.
        """
        first, start = self.size, nodes_of(self.size)
        nodes, self._frontier = self._frontier.grown(leaf_hash(leaf) for _, leaf in entries)
        rows = [{"id": id_, "hash": hashed} for id_, hashed in enumerate(nodes, start)]
        self._insert(self._log.nodes, rows)
        self._move({owner: seq for seq, (owner, _) in enumerate(entries, first)})

    def _move(self, last: Mapping[str, int]) -> None:
        """Let the map say that these are the last entries of their owners."""
        log, connection = self._log, self._connection
        buckets = log._buckets(connection, {bucket_of(owner) for owner in last})  # noqa: SLF001
        known = log._hashes(connection, log.map, beside(buckets))  # noqa: SLF001
        if folded({one: bucket_hash(held) for one, held in buckets.items()}, known)[ROOT] != self._map:
            raise LogBrokenError(f"the map of last entries in {log.map.name} is not what was signed")
        for owner, seq in last.items():
            buckets[bucket_of(owner)][owner] = seq
        nodes = folded({one: bucket_hash(held) for one, held in buckets.items()}, known)
        self._map = nodes[ROOT]
        self._put(log.latest, [{"bucket": bucket_of(owner), "owner": owner, "seq": last[owner]} for owner in last])
        self._put(log.map, [{"id": id_, "hash": hashed} for id_, hashed in nodes.items()])

    def sign(self, key: SigningKey, at: datetime) -> tuple[TreeHead, Envelope]:
        """Sign what the log is now."""
        head = TreeHead(self._log.name, self.size, self._frontier.root.hex(), self._map.hex(), utc_text(at))
        envelope = head.signed(key)
        self._insert(self._log.heads, [{"size": head.size, "envelope": envelope.to_json().decode()}])
        return head, envelope

    def _insert(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._connection.execute(sa.insert(table), rows)

    def _put(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        """Insert rows, over those of the same key."""
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(table)
        value = next(column for column in table.columns if not column.primary_key)
        statement = statement.on_conflict_do_update(
            index_elements=list(table.primary_key), set_={value.name: statement.excluded[value.name]}
        )
        self._connection.execute(statement, rows)
