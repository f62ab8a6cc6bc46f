"""Where the ledger's entries and signed records are kept, beside their Merkle log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from recsys.canonical import Pseudonym, sha256_hex
from recsys.consent.events import FIELDS, Event
from recsys.consent.proofs import Evidence
from recsys.errors import LogBrokenError
from recsys.transparency import VerifyKey
from recsys.transparency.checking import Check, streamed
from recsys.transparency.database import Database, grows_only
from recsys.transparency.heads import TreeHead
from recsys.transparency.log import INTEGER, Log, pieces

NAME = "consent"
_AT_ONCE = 5_000

METADATA = sa.MetaData()
LOG = Log(NAME, METADATA)
ENTRIES = grows_only(
    sa.Table(
        f"{NAME}_entries",
        METADATA,
        sa.Column("seq", INTEGER, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in FIELDS[1:-1]),
        sa.Column("previous", INTEGER, nullable=False),
        sa.Index(f"{NAME}_entries_member", "member"),
        sa.Index(f"{NAME}_entries_key", "key"),
    )
)
RECORDS = grows_only(
    sa.Table(
        f"{NAME}_records",
        METADATA,
        sa.Column("seq", INTEGER, primary_key=True, autoincrement=False),
        sa.Column("envelope", sa.Text, nullable=False),
    )
)
_OLD = "events"


Take = Callable[[Sequence[Event], Sequence[str]], None]
"""Takes some entries and their signed records; the opening entry has an empty one."""


def database(where: object) -> Database:
    """Open the place of a ledger; nothing is made yet."""
    return Database(str(where), NAME, METADATA)


def refuse_old(connection: sa.Connection) -> None:
    """Refuse a ledger of the first, unreleased format.

    Raises
    ------
    LogBrokenError
        Says what to do.
    """
    if sa.inspect(connection).has_table(_OLD):
        raise LogBrokenError(
            "it is a ledger of an older format, without signed records, which no release ever wrote; "
            "move it away and record the decisions again: recsys consent import"
        )


def opening(connection: sa.Connection) -> Event:
    """Give the first entry.

    Raises
    ------
    LogBrokenError
        If it is gone.
    """
    row = connection.execute(sa.select(ENTRIES).where(ENTRIES.c.seq == 0)).first()
    if row is None:
        raise LogBrokenError("its first entry is gone; restore it from a backup")
    return event_of(row)


def event_of(row: sa.Row[Any]) -> Event:
    """Make an entry of a row that begins with the columns of the table of entries."""
    seq, kind, member, *rest = row[: len(FIELDS)]
    return Event(seq, kind, Pseudonym(member) if type(member) is str else member, *rest)


def scan(connection: sa.Connection, key: VerifyKey, take: Take, *, heads: bool = False) -> TreeHead:
    """Read the whole ledger, handing over entries with their records, and compare it with its log.

    What was handed over may be believed only once this has returned the head.

    Raises
    ------
    LogBrokenError
        If anything is not what was recorded and signed.
    """
    check = Check(LOG, connection, key)
    query = sa.select(ENTRIES, RECORDS.c.envelope).join(RECORDS, RECORDS.c.seq == ENTRIES.c.seq, isouter=True)
    seen = 0
    for rows in pieces(streamed(connection, query, ENTRIES.c.seq), _AT_ONCE):
        events = [event_of(row) for row in rows]
        for place, (event, row) in enumerate(zip(events, rows, strict=True), seen):
            if event.seq != place or type(row.envelope) is not str or sha256_hex(row.envelope.encode()) != event.record:
                raise LogBrokenError(f"entry {place} or its signed record was edited, removed or added by hand")
        check.take([(event.member, leaf_of(event)) for event in events], [event.previous for event in events])
        take(events, [row.envelope for row in rows])
        seen += len(rows)
    records = connection.execute(sa.select(sa.func.count()).select_from(RECORDS)).scalar_one()
    if records != seen:
        raise LogBrokenError(f"there are {records} signed records for {seen} entries")
    head = check.done()
    if heads:
        check.check_heads()
    return head


def leaf_of(event: Event) -> bytes:
    """Give the leaf of an entry that was read from a database, whatever it may hold."""
    try:
        return event.leaf
    except (TypeError, ValueError) as error:
        raise LogBrokenError(f"entry {event.seq} holds what no entry does: {error}") from error


def evidence(connection: sa.Connection, key: VerifyKey, member: Pseudonym) -> Evidence:
    """Read everything about one member in O(log n) for each entry."""
    head, envelope = LOG.signed(connection, key)
    query = sa.select(ENTRIES, RECORDS.c.envelope).join(RECORDS, RECORDS.c.seq == ENTRIES.c.seq)
    rows = connection.execute(query.where(ENTRIES.c.member == member).order_by(ENTRIES.c.seq)).all()
    events = tuple(event_of(row) for row in rows)
    paths = tuple(tuple(LOG.inclusion(connection, event.seq, head.size)) for event in events)
    return Evidence(member, envelope, LOG.last(connection, member), events, paths, tuple(row.envelope for row in rows))
