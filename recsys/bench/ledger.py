"""The consent ledger at scale: how fast it takes decisions in, proves them, and answers for a past instant."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from recsys.bench.machine import circumstances
from recsys.bench.report import Column, Report, Row, silent
from recsys.canonical import Pseudonym, Pseudonyms
from recsys.consent import Decision, Kind, Ledger, MemberKeys
from recsys.consent.controller import Controller
from recsys.consent.records import sign_decision
from recsys.synthetic import NOW, PURPOSE
from recsys.transparency import SigningKey
from recsys.transparency.database import Database
from recsys.transparency.log import Log, Writer, pieces

_SPOKEN_PER_MEMBER = 3
_BATCH = 50_000
_ASKED = 300
_COLUMNS = (Column("what", "what"), Column("count", "count", "{:,}".format), Column("figure", "figure"))
_NOTES = (
    "a decision is written as a DPV record, signed with its member's key (Ed25519) and appended with its hash",
    "every batch is one transaction under one signed head",
    "signed elsewhere: the record is read strictly and its signature is checked before it is appended",
    "a proof holds all entries of a member, from opening the database to having checked the proof",
    "replay and the whole check read every entry and every record and recompute every hash that is stored",
)


class HeldKeys(MemberKeys):
    """Members' keys that are kept in no file: nobody here exists."""

    def __init__(self) -> None:
        super().__init__(Path())

    def of(self, member: Pseudonym) -> SigningKey:
        """Derive the key from the pseudonym."""
        return _key(member)

    def has(self, member: Pseudonym) -> bool:
        """Every key is here."""
        return bool(member)


@cache
def _key(member: Pseudonym) -> SigningKey:
    return SigningKey(hashlib.sha256(member.encode()).digest())


@dataclass(frozen=True)
class _Trial:
    """A ledger on trial, and who stands in it."""

    ledger: Ledger
    where: str
    members: list[Pseudonym]

    def decisions(self, start: int, stop: int) -> Iterator[Decision]:
        """Make up what members decide: a grant, its withdrawal, a grant again, a minute apart from one to the next."""
        for number in range(start, stop):
            member = self.members[number % len(self.members)]
            at = NOW - timedelta(days=900) + timedelta(minutes=number)
            if number // len(self.members) % 2:
                yield Decision(member, Kind.WITHDRAW, PURPOSE, at)
            else:
                yield Decision(member, Kind.GRANT, PURPOSE, at, at + timedelta(days=3_000))


def run(
    events: int = 100_000,
    *,
    url: str | None = None,
    date: str = "",
    out: Path | None = None,
    progress: Callable[[str], object] = silent,
) -> Report:
    """Fill a ledger and measure it.

    Parameters
    ----------
    events
        How many decisions to record.
    url
        An empty PostgreSQL database; a SQLite file in a temporary folder unless given.
    date, out, progress
        As in :func:`recsys.bench.als.run`.
    """
    with TemporaryDirectory() as folder:
        where = url or str(Path(folder) / "ledger.db")
        operator, keys = SigningKey(bytes(32)), HeldKeys()
        ledger = Ledger(
            where, folder=Path(folder), pseudonyms=Pseudonyms(bytes(32)), keys=keys, operator=operator
        )  # fmt: skip
        count = max(events // _SPOKEN_PER_MEMBER, 1)
        members = [Pseudonym(hashlib.sha256(b"%d" % number).hexdigest()) for number in range(count)]
        trial = _Trial(ledger, where, members)
        table = [*_appending(trial, events, progress), *_asking(trial, events, progress)]
        if not url:
            size = sum(path.stat().st_size for path in Path(folder).iterdir())
            table.append(_row("on disk, an entry with its signed record", events, f"{size / events:,.0f} bytes"))
    about = circumstances([], 1, date) | {"database": "postgresql" if url else "sqlite", "members": len(members)}
    return Report("The consent ledger", about, _COLUMNS, table, list(_NOTES)).saved(out, "ledger")


def _appending(trial: _Trial, events: int, progress: Callable[[str], object]) -> Iterator[Row]:
    """Fill the ledger: nearly all is signed here, a tenth of a batch elsewhere, and some come one by one."""
    elsewhere, single = min(events // 10, _BATCH // 5), min(events // 10, 100)
    told, spent = events - elsewhere - single, 0.0
    for start in range(0, told, _BATCH):
        progress(f"recording {start:,} of {events:,}")
        decisions = list(trial.decisions(start, min(start + _BATCH, told)))
        spent += _timed(partial(trial.ledger.record, decisions))
    yield _rate("recorded, signing each here", told, spent)
    controller = Controller(trial.ledger.operator_key)
    signed = [
        sign_decision(one, _key(Pseudonym(one.member)), controller).envelope
        for one in trial.decisions(told, told + elsewhere)
    ]
    yield _rate("recorded, signed elsewhere", elsewhere, _timed(partial(trial.ledger.record_signed, signed)))
    ones = list(trial.decisions(told + elsewhere, events))
    each = [_timed(partial(trial.ledger.record, [one])) for one in ones]
    yield _spread("recorded one by one", each)
    yield _rate("appended to the Merkle log alone", told, _bare(trial, told))


def _bare(trial: _Trial, count: int) -> float:
    """Time the log without what its entries say."""
    metadata = sa.MetaData()
    log, key = Log("bare", metadata), SigningKey(bytes(32))
    place = trial.where if "://" in trial.where else str(Path(trial.where).with_name("bare.db"))
    database = Database(place, "bare", metadata)
    owners = trial.members
    leaves = ((owners[number % len(owners)], b"%d" % number) for number in range(count))

    def append(entries: Sequence[tuple[str, bytes]]) -> None:
        with database.writing() as connection:
            writer = Writer(log, connection, key.public)
            for piece in pieces(entries, 5_000):
                writer.before([owner for owner, _ in piece])
                writer.add(piece)
            writer.sign(key, NOW)

    return sum((_timed(partial(append, batch)) for batch in pieces(leaves, _BATCH)), 0.0)


def _asking(trial: _Trial, events: int, progress: Callable[[str], object]) -> Iterator[Row]:
    ledger, key = trial.ledger, trial.ledger.operator_key
    progress("proving")
    asked = [trial.members[number * 7919 % len(trial.members)] for number in range(_ASKED)]
    yield _spread("proof of a member's entries", [_timed(partial(ledger.prove, m, PURPOSE, NOW)) for m in asked])
    proofs = [ledger.prove(member, PURPOSE, NOW) for member in asked[:50]]
    yield _spread("checking a proof offline", [_timed(partial(p.check, key)) for p in proofs])
    progress("replaying")
    past = NOW - timedelta(days=900) + timedelta(minutes=events // 2)
    yield _rate("replayed to a past instant, all checked", events, _timed(partial(ledger.standings, PURPOSE, past)))
    progress("checking every signature")
    yield _rate("checked with every signature and head", events, _timed(ledger.verify))


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _row(what: str, count: int, figure: str, **more: Any) -> Row:  # noqa: ANN401 - any plain value
    return {"what": what, "count": count, "figure": figure, **more}


def _rate(what: str, count: int, seconds: float) -> Row:
    return _row(what, count, f"{count / seconds:,.0f} a second ({seconds:,.1f} s)", seconds=seconds)


def _spread(what: str, seconds: Iterable[float]) -> Row:
    found = sorted(seconds)
    late = quantiles(found, n=20)[-1] if len(found) > 1 else found[0]
    figure = f"median {median(found) * 1e3:.1f} ms, 95% within {late * 1e3:.1f} ms"
    return _row(what, len(found), figure, median_seconds=median(found), late_seconds=late)
