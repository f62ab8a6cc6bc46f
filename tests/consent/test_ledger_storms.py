"""Writers at the same time, power cuts and a full disk: nothing is lost, doubled or half there."""

import multiprocessing
import os
import signal
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from recsys.consent import Decision, Kind, Ledger
from recsys.errors import StorageError

PURPOSE = "train-recommender"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SPAWN = multiprocessing.get_context("spawn")


def write_many(database, folder, name, batches, size):
    """Record batches of decisions, and say after each that it was recorded."""
    ledger = Ledger(database, folder=folder)
    for batch in range(batches):
        minutes = range(batch * size, (batch + 1) * size)
        times = [NOON + timedelta(minutes=minute) for minute in minutes]
        ledger.record(Decision(name, Kind.GRANT, PURPOSE, at, at + timedelta(days=1)) for at in times)
        with (folder / f"{name}.done").open("a") as done:
            done.write("x")


def test_writers_at_the_same_time_lose_and_double_nothing(ledger, database, tmp_path):
    names = ("bob", "cyd", "dan", "eve")
    writers = [SPAWN.Process(target=write_many, args=(database, tmp_path, name, 5, 3)) for name in names]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * len(names)
    assert ledger.verify().count == 1 + len(names) * 15
    assert [event.seq for event in ledger.events()] == list(range(61))
    for name in names:
        assert len(ledger.history(name)) == 15


def recorded(path):
    return len(path.read_text()) if path.exists() else 0


def test_what_was_recorded_before_a_power_cut_is_there_after_it(ledger, database, tmp_path):
    ledger.grant("ada", PURPOSE, at=NOON)
    for turn in range(3):
        name, done = f"bob{turn}", tmp_path / f"bob{turn}.done"
        writer = SPAWN.Process(target=write_many, args=(database, tmp_path, name, 10_000, 2))
        writer.start()
        while recorded(done) < 3:
            assert writer.is_alive()
            os.sched_yield()
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        entries = ledger.history(name)
        assert len(entries) % 2 == 0
        assert len(entries) >= 2 * recorded(done)
        ledger.verify()
        ledger.withdraw(name, at=NOON)
    assert ledger.verify().count == len(ledger.events())


def test_a_database_server_that_loses_power_keeps_what_it_confirmed(postgres, tmp_path):
    postgres.ask("CREATE SCHEMA power")
    ledger = Ledger(postgres.url("power"), folder=tmp_path)
    ledger.grant("ada", PURPOSE, at=NOON)
    before = ledger.grant("bob", PURPOSE, at=NOON)
    postgres.stop()
    with pytest.raises(StorageError, match="cannot be used now"):
        ledger.grant("cyd", PURPOSE, at=NOON)
    with pytest.raises(StorageError, match="cannot be used now"):
        ledger.events()
    postgres.start()
    assert ledger.verify() == before
    assert ledger.grant("cyd", PURPOSE, at=NOON).count == before.count + 1


def test_a_crash_before_the_head_was_noted_loses_nothing(ledger, tmp_path):
    ledger.grant("ada", PURPOSE, at=NOON)
    note = (tmp_path / "ledger.head").read_bytes()
    ledger.grant("bob", PURPOSE, at=NOON)
    (tmp_path / "ledger.head").write_bytes(note)
    assert ledger.head().count == 3
    assert ledger.grant("cyd", PURPOSE, at=NOON).count == 4


def test_a_full_disk_is_said_and_leaves_the_ledger_whole(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.grant("ada", PURPOSE, at=NOON)
    before = ledger.head()

    def full(connection, _record):
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")

    sa.event.listen(sa.Pool, "connect", full)
    try:
        with pytest.raises(StorageError, match="full"):
            ledger.record(Decision(f"m{n}", Kind.GRANT, PURPOSE, NOON, NOON + timedelta(1)) for n in range(50))
    finally:
        sa.event.remove(sa.Pool, "connect", full)
    assert ledger.verify() == before
    assert ledger.grant("bob", PURPOSE, at=NOON).count == before.count + 1


def test_a_ledger_that_somebody_locks_is_not_called_broken(tmp_path, monkeypatch):
    monkeypatch.setattr("recsys.transparency.database._LOCK_WAIT_SECONDS", 0)
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.grant("ada", PURPOSE, at=NOON)
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="locked"):
        Ledger(tmp_path / "ledger.db").grant("bob", PURPOSE, at=NOON)
    other.close()
    assert ledger.verify().count == 2
