"""Everything that is stored of a log, recomputed from its entries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from recsys.errors import LogBrokenError
from recsys.transparency.heads import TreeHead
from recsys.transparency.keys import VerifyKey
from recsys.transparency.latest import DEPTH, NOTHING, ROOT, bucket_hash, bucket_of, folded
from recsys.transparency.log import Log
from recsys.transparency.merkle import Frontier, leaf_hash

_ROWS_AT_ONCE = 10_000


def streamed(connection: sa.Connection, query: sa.Select[Any], key: sa.Column[Any]) -> Iterator[sa.Row[Any]]:
    """Read rows in the order of a unique integer `key`, a page at a time, leaving nothing open in between."""
    page = query.order_by(key).limit(_ROWS_AT_ONCE)
    rows = connection.execute(page).all()
    while rows:
        yield from rows
        rows = connection.execute(page.where(key > getattr(rows[-1], key.name))).all()


class Check:
    """Takes every entry of a log in order and compares what they come to with all that is stored.

    Memory grows with the owners, not with the entries.

    Parameters
    ----------
    log, connection
        The log, in a transaction that sees one instant.
    key
        Whose heads are believed.
    """

    def __init__(self, log: Log, connection: sa.Connection, key: VerifyKey) -> None:
        self._log, self._connection, self._key = log, connection, key
        self._frontier = Frontier()
        self._last: dict[str, int] = {}
        self._nodes = streamed(connection, sa.select(log.nodes), log.nodes.c.id)
        self._seen = 0

    def take(self, entries: Sequence[tuple[str, bytes]], before: Sequence[int]) -> None:
        """Take the next entries: the owner and leaf of each, and the number that it gives of the one before it.

        Raises
        ------
        LogBrokenError
            If an entry is not the one that was recorded in its place.
        """
        first = self._frontier.size
        nodes, self._frontier = self._frontier.grown(leaf_hash(leaf) for _, leaf in entries)
        for hashed in nodes:
            row = next(self._nodes, None)
            if row is None or row.id != self._seen or row.hash != hashed:
                raise LogBrokenError(
                    f"node {self._seen} of {self._log.nodes.name}, around entry {self._seen // 2}, is not the hash "
                    "of what is stored: an entry or the node was edited, removed or added by hand"
                )
            self._seen += 1
        for seq, ((owner, _), told) in enumerate(zip(entries, before, strict=True), first):
            if told != self._last.get(owner, -1):
                raise LogBrokenError(f"entry {seq} names {told} as the one before it; it was {self._last.get(owner)}")
            self._last[owner] = seq

    def done(self) -> TreeHead:
        """Compare with the signed head and the map; give the head.

        Raises
        ------
        LogBrokenError
            If anything is not what was signed.
        """
        if next(self._nodes, None) is not None:
            raise LogBrokenError(f"{self._log.nodes.name} has nodes of entries that are not there: the end was cut off")
        size = self._frontier.size
        head, _ = self._log.signed(self._connection, self._key)
        if (head.size, head.root) != (size, self._frontier.root.hex()):
            raise LogBrokenError(f"{size} entries are not the {head.size} that {self._log.heads.name} was signed for")
        self._check_map(head)
        return head

    def check_heads(self) -> int:
        """Check every head that was ever signed; give their number. Comes after :meth:`done`."""
        count = 0
        for row in self._connection.execute(sa.select(self._log.heads)):
            head, _ = self._log.read_head(row, self._key)
            if self._log.root(self._connection, head.size) != head.root:
                raise LogBrokenError(f"the head that was signed for {head.size} entries is of another history")
            count += 1
        return count

    def _check_map(self, head: TreeHead) -> None:
        buckets: defaultdict[int, dict[str, int]] = defaultdict(dict)
        for owner, seq in self._last.items():
            buckets[bucket_of(owner)][owner] = seq
        nodes = folded({one: bucket_hash(held) for one, held in buckets.items()}, {})
        if nodes.get(ROOT, NOTHING[DEPTH]).hex() != head.latest:
            raise LogBrokenError(f"the map of last entries that was signed for {head.size} entries is a false one")
        log = self._log
        for row in streamed(self._connection, sa.select(log.map), log.map.c.id):
            if nodes.pop(row.id, None) != row.hash:
                raise LogBrokenError(f"node {row.id} of {log.map.name} is not what the entries come to")
        rows = self._connection.execute(sa.select(log.latest)).all()
        if nodes or len(rows) != len(self._last):
            raise LogBrokenError(f"{log.map.name} or {log.latest.name} has not the rows that the entries come to")
        for bucket, owner, seq in rows:
            if self._last.get(owner) != seq or bucket != bucket_of(owner):
                raise LogBrokenError(f"{log.latest.name} names entry {seq} as the last about {owner!r:.14}; it is not")
