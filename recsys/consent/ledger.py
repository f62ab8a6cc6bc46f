"""The append-only, hash-chained record of what members decided.

A chain (:mod:`recsys.consent.chain`) alone does not show that its end was cut off; so the last head is also kept in a
file beside the database (``ledger.head``), and each dataset version names the head it was built at.
The first entry names the key of the pseudonyms: opened with another key, the ledger says so instead of taking every
member for a stranger.

The head file is there before the first entry, and is written again after the database has each new one, under the
database's write lock; a reader reads it before the database. So neither a crash nor a writer at work can leave it ahead
of what a reader sees: if it is ahead, entries are gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from recsys.canonical import Pseudonym, Pseudonyms, canonical_json, utc_text, write_atomically
from recsys.consent.chain import NO_HASH, OPEN, Event, Head, Word, first_false, head_of, sealed_next, standings
from recsys.consent.terms import Decision, Kind, Standing, default_until
from recsys.errors import LedgerBrokenError

_LOCK_WAIT_SECONDS = 60

_metadata = sa.MetaData()
_events = sa.Table(
    "events",
    _metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("member", sa.String, nullable=False, index=True),
    sa.Column("purpose", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("until", sa.String, nullable=False),
    sa.Column("hash", sa.String, nullable=False, unique=True),
    sa.UniqueConstraint("member", "kind", "purpose", "at", "until", name="once"),
)
for _verb in ("UPDATE", "DELETE"):
    sa.event.listen(
        _events,
        "after_create",
        sa.DDL(  # type: ignore[no-untyped-call]
            f"CREATE TRIGGER no_{_verb.lower()} BEFORE {_verb} ON events "
            "BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END"
        ),
    )


class Ledger:
    """The consent ledger of a collective, in SQLite.

    Nothing is created before the first decision is recorded.

    Parameters
    ----------
    path
        The database file.
    pseudonyms
        Names members; by default with the key ``keys/member.key`` beside the database.
    """

    def __init__(self, path: str | Path, *, pseudonyms: Pseudonyms | None = None) -> None:
        self.path = Path(path)
        self._head_path = self.path.with_suffix(".head")
        self._pseudonyms = pseudonyms

    def grant(self, member: str, purpose: str, *, at: datetime, until: datetime | None = None) -> Head:
        """Record that `member` agrees to `purpose` from `at` until `until` (by default two years on)."""
        return self.record([Decision(member, Kind.GRANT, purpose, at, until or default_until(at))])

    def withdraw(self, member: str, purpose: str | None = None, *, at: datetime) -> Head:
        """Record that `member` no longer agrees to `purpose`, or to anything at all."""
        return self.record([Decision(member, Kind.WITHDRAW, purpose, at)])

    def record(self, decisions: Iterable[Decision]) -> Head:
        """Append decisions, all or none. One that stands in the ledger already is not written again.

        Raises
        ------
        LedgerBrokenError
            If the ledger is not whole; nothing is appended to a broken ledger.
        """
        with self._writing() as connection:
            events = self._checked(connection, self._noted())
            if not events:
                self._note(Head(0, NO_HASH))
                events.append(sealed_next(events, (Pseudonym(self.pseudonyms.key_id), OPEN, "", "", "")))
                connection.execute(sa.insert(_events), [vars(events[0])])
            known = {(e.member, e.kind, e.purpose, e.at, e.until) for e in events}
            fresh = []
            for decision in decisions:
                word = self._word(decision)
                if word not in known:
                    known.add(word)
                    events.append(sealed_next(events, word))
                    fresh.append(vars(events[-1]))
            if fresh:
                connection.execute(sa.insert(_events), fresh)
        self._note_head()
        return head_of(events)

    def events(self) -> list[Event]:
        """Read every entry, oldest first, having checked the whole chain.

        Raises
        ------
        LedgerBrokenError
            If an entry was edited, removed or added by hand, the end was cut off, or the key is another one.
        """
        if not self.path.exists():
            self._check_against([], self._noted())
            return []
        noted = self._noted()
        with self._connected("BEGIN") as connection:
            return self._checked(connection, noted)

    def head(self) -> Head:
        """Check the whole ledger and tell how far it reaches."""
        return head_of(self.events())

    def check_reaches(self, count: int, hash: str) -> None:  # noqa: A002 - the key in manifests
        """Check the whole ledger, and that entry `count` still ends in `hash`: that a version's head is in it.

        Raises
        ------
        LedgerBrokenError
            If the ledger is not whole or is not the one that the head was taken from.
        """
        events = self.events()
        if not 0 < count <= len(events) or events[count - 1].hash != hash:
            raise LedgerBrokenError(
                f"{self.path.name} does not hold the head {hash[:12]} of {count} entries that the version was built "
                "at; it is another ledger, or its history was rewritten"
            )

    def standings(self, purpose: str, at: datetime) -> dict[Pseudonym, Standing]:
        """Tell how each member who ever decided on `purpose` stands to it at the instant `at`."""
        return standings(self.events(), purpose, at)

    def history(self, member: str) -> list[Event]:
        """Give the entries about one member, oldest first."""
        pseudonym = self.pseudonym(member)
        return [event for event in self.events() if event.member == pseudonym]

    def pseudonym(self, member: str) -> Pseudonym:
        """Give the name under which `member` stands in this ledger and in every dataset version."""
        return self.pseudonyms.of(member)

    @property
    def pseudonyms(self) -> Pseudonyms:
        """The key holder; its key file is made on first use."""
        if self._pseudonyms is None:
            self._pseudonyms = Pseudonyms.at(self.path.parent / "keys" / "member.key")
        return self._pseudonyms

    def _word(self, decision: Decision) -> Word:
        until = utc_text(decision.until) if decision.until else ""
        return (
            self.pseudonym(decision.member),
            decision.kind.value,
            decision.purpose or "",
            utc_text(decision.at),
            until,
        )

    def _checked(self, connection: sa.Connection, noted: Head | None) -> list[Event]:
        events = _stored(connection)
        if (place := first_false(events)) is not None:
            raise LedgerBrokenError(
                f"{self.path.name}: entry {place} is not the one that was recorded there (edited, removed or "
                "added by hand); restore the ledger from a backup"
            )
        self._check_against(events, noted or self._noted())
        self._check_key(events)
        return events

    def _check_against(self, events: list[Event], noted: Head | None) -> None:
        if noted is None:
            if events:
                raise LedgerBrokenError(
                    f"{self._head_path.name} is missing beside a ledger of {len(events)} entries, so nobody can tell "
                    "whether its end was cut off; restore both files from a backup"
                )
            return
        if noted.count > len(events) or (noted.count and events[noted.count - 1].hash != noted.hash):
            raise LedgerBrokenError(
                f"{self.path.name} has {len(events)} entries, but {self._head_path.name} knows of {noted.count} of "
                "another history: entries were cut off or replaced; restore both files from a backup"
            )

    def _noted(self) -> Head | None:
        try:
            note = json.loads(self._head_path.read_bytes())
            return Head(int(note["count"]), str(note["hash"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise LedgerBrokenError(f"{self._head_path.name} is not a ledger head ({error}); restore it") from error

    def _note(self, head: Head) -> None:
        write_atomically(self._head_path, canonical_json({"count": head.count, "hash": head.hash}))

    def _check_key(self, events: list[Event]) -> None:
        if events and self._pseudonyms is not None and events[0].member != self._pseudonyms.key_id:
            raise LedgerBrokenError(
                f"{self.path.name} was written with another member key; put the key file of this collective back"
            )

    def _note_head(self) -> None:
        with self._writing() as connection:
            last = connection.execute(sa.select(_events.c.seq, _events.c.hash).order_by(_events.c.seq.desc())).first()
            if last is not None:
                self._note(Head(last.seq + 1, last.hash))

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._connected("BEGIN IMMEDIATE") as connection:
            _metadata.create_all(connection)
            yield connection

    @contextmanager
    def _connected(self, begin: str) -> Iterator[sa.Connection]:
        engine = sa.create_engine(
            f"sqlite:///{self.path}", poolclass=sa.NullPool, connect_args={"timeout": _LOCK_WAIT_SECONDS}
        )
        sa.event.listen(engine, "connect", _prepare)
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        try:
            with engine.begin() as connection:
                yield connection
        except sa.exc.DatabaseError as error:
            raise LedgerBrokenError(f"{self.path.name} cannot be used as a ledger: {error.__cause__}") from error
        finally:
            engine.dispose()


def _prepare(connection: object, _record: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined] # transactions begin where this file says
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")  # type: ignore[attr-defined]


def _stored(connection: sa.Connection) -> list[Event]:
    if not sa.inspect(connection).has_table(_events.name):
        return []
    rows = connection.execute(sa.select(_events).order_by(_events.c.seq)).mappings()
    return [Event(**{**row, "member": Pseudonym(row["member"])}) for row in rows]
