"""A log of bytes, without people: several live in one database and do not see one another."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from recsys.errors import LogBrokenError
from recsys.transparency import SigningKey
from recsys.transparency.checking import Check
from recsys.transparency.database import Database
from recsys.transparency.log import Log, Writer
from recsys.transparency.merkle import consistent, leaf_hash, root_by_inclusion

KEY = SigningKey(b"k" * 32)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OWNERS = [f"m{number % 5}" for number in range(23)]
ENTRIES = [(owner, b"%d" % number) for number, owner in enumerate(OWNERS)]


@pytest.fixture
def logs(database):
    metadata = sa.MetaData()
    return Log("ballots", metadata), Log("payouts", metadata), Database(database, "logs", metadata)


def append(log, database, entries):
    with database.writing() as connection:
        writer = Writer(log, connection, KEY.public)
        before = writer.before([owner for owner, _ in entries])
        writer.add(entries)
        return writer.sign(KEY, NOON)[0], before


def check(log, database, entries, before):
    with database.reading() as connection:
        checking = Check(log, connection, KEY.public)
        checking.take(entries, before)
        return checking.done()


def test_two_logs_in_one_database_grow_apart_and_prove_all_they_hold(logs):
    ballots, payouts, database = logs
    befores, heads = [], []
    for start in range(0, len(ENTRIES), 7):
        head, before = append(ballots, database, ENTRIES[start : start + 7])
        heads.append(head)
        befores += before
    other, _ = append(payouts, database, ENTRIES[:3])
    assert (other.log, other.size) == ("payouts", 3)
    assert check(ballots, database, ENTRIES, befores) == heads[-1]
    last = heads[-1]
    with database.reading() as connection:
        for index, (_, leaf) in enumerate(ENTRIES):
            path = [bytes.fromhex(one) for one in ballots.inclusion(connection, index, last.size)]
            assert root_by_inclusion(leaf_hash(leaf), index, last.size, path).hex() == last.root
        for head in heads:
            path = [bytes.fromhex(one) for one in ballots.consistency(connection, head.size, last.size)]
            assert consistent(head.size, last.size, bytes.fromhex(head.root), bytes.fromhex(last.root), path)
            assert ballots.root(connection, head.size) == head.root
        for owner in set(OWNERS):
            expected = max(place for place, one in enumerate(OWNERS) if one == owner)
            assert ballots.last(connection, owner).last(owner, last.latest) == expected


def test_entries_that_were_not_recorded_are_found_out(logs):
    ballots, _, database = logs
    _, before = append(ballots, database, ENTRIES)
    for wrong in (ENTRIES[:-1], [*ENTRIES[:-1], ("m2", b"other")], [*ENTRIES, ("m9", b"more")]):
        with pytest.raises(LogBrokenError):
            check(ballots, database, wrong, [*before, -1][: len(wrong)])
    with pytest.raises(LogBrokenError, match="as the one before it"):
        check(ballots, database, ENTRIES, [*before[:-1], -1])


def test_nothing_is_appended_under_another_key(logs):
    ballots, _, database = logs
    append(ballots, database, ENTRIES)
    with pytest.raises(LogBrokenError, match="no signature of key"), database.writing() as connection:
        Writer(ballots, connection, SigningKey(b"x" * 32).public)
