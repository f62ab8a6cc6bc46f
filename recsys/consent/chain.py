"""Entries that seal one another: what is in the ledger, apart from where it is kept.

Entry n holds ``hash_n = SHA-256(RFC 8785 JSON of its fields, among them hash_{n-1})``, so an edited, removed or
reordered entry breaks every hash after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from recsys.canonical import Pseudonym, canonical_json, sha256_hex, utc_text
from recsys.consent.terms import PURPOSES, Kind, Said, Standing, standing

OPEN = "open"
"""Kind of the first entry, whose member is the name of the pseudonyms' key."""

NO_HASH = "0" * 64


@dataclass(frozen=True)
class Event:
    """One entry of the ledger. Empty text stands for "none"; an empty `purpose` in a withdrawal means every one."""

    seq: int
    kind: str
    member: Pseudonym
    purpose: str
    at: str
    until: str
    hash: str

    def sealed(self, previous: str) -> str:
        """Compute the hash that this entry must have behind `previous`."""
        fields = {name: getattr(self, name) for name in ("seq", "kind", "member", "purpose", "at", "until")}
        return sha256_hex(canonical_json({**fields, "previous": previous}))


Word = tuple[Pseudonym, str, str, str, str]
"""What an entry says: member, kind, purpose, at, until."""


@dataclass(frozen=True)
class Head:
    """How far the ledger reaches: the number of its entries and the hash of the last."""

    count: int
    hash: str


def first_false(events: list[Event]) -> int | None:
    """Find the first entry that is not the one that was sealed in its place; ``None`` if all are."""
    previous = NO_HASH
    for place, event in enumerate(events):
        if event.seq != place or event.hash != event.sealed(previous):
            return place
        previous = event.hash
    return None


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
        previous = _NO_HASH
        for place, event in enumerate(events):
            if event.seq != place or event.hash != event.sealed(previous):
                raise LedgerBrokenError(
                    f"{self.path.name}: entry {place} is not the one that was recorded there (edited, removed or "
                    "added by hand); restore the ledger from a backup"
                )
            previous = event.hash
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


def _sealed_next(events: list[Event], word: Word) -> Event:
    member, kind, purpose, at, until = word
    event = Event(len(events), kind, member, purpose, at, until, "")
    return replace(event, hash=event.sealed(events[-1].hash if events else _NO_HASH))


def _head(events: list[Event]) -> Head:
    return Head(len(events), events[-1].hash if events else _NO_HASH)


def standings(events: Iterable[Event], purpose: str, at: datetime) -> dict[Pseudonym, Standing]:
    """Tell from checked entries how each member who decided on `purpose` stands to it at the instant `at`."""
    if purpose not in PURPOSES:
        raise ValueError(f"{purpose!r} is no purpose; the purposes are {', '.join(PURPOSES)}")
    said: dict[Pseudonym, list[Said]] = {}
    for event in events:
        if event.kind != OPEN and event.purpose in {purpose, ""}:
            said.setdefault(event.member, []).append(Said(event.seq, Kind(event.kind), event.at, event.until))
    instant = utc_text(at)
    return {member: standing(decisions, instant) for member, decisions in said.items()}
