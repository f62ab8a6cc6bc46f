import multiprocessing
import os
import signal
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from recsys.canonical import Pseudonyms
from recsys.consent import Decision, Kind, Ledger, Standing
from recsys.errors import LedgerBrokenError

PURPOSE = "train-recommender"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger.db")


def edit(ledger, statement):
    with sqlite3.connect(ledger.path) as connection:
        connection.execute("DROP TRIGGER IF EXISTS no_update")
        connection.execute("DROP TRIGGER IF EXISTS no_delete")
        connection.execute(statement)
    connection.close()


def standing(ledger, member, at):
    return ledger.standings(PURPOSE, at).get(ledger.pseudonym(member), Standing.NEVER_GIVEN)


def test_looking_at_a_ledger_that_is_not_there_creates_nothing(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    assert ledger.events() == []
    assert ledger.head().count == 0
    assert list(tmp_path.iterdir()) == []


def test_a_grant_holds_from_its_beginning_until_its_end(ledger):
    ledger.grant("ada", PURPOSE, at=NOON, until=NOON + HOUR)
    assert standing(ledger, "ada", NOON - HOUR) is Standing.NEVER_GIVEN
    assert standing(ledger, "ada", NOON) is Standing.GIVEN
    assert standing(ledger, "ada", NOON + HOUR - timedelta(microseconds=1)) is Standing.GIVEN
    assert standing(ledger, "ada", NOON + HOUR) is Standing.EXPIRED


def test_a_grant_lasts_two_years_unless_it_says_otherwise(ledger):
    ledger.grant("ada", PURPOSE, at=datetime(2024, 2, 29, tzinfo=UTC))
    assert ledger.history("ada")[0].until == "2026-02-28T00:00:00.000000Z"


def test_withdrawing_everything_ends_each_purpose(ledger):
    ledger.grant("ada", PURPOSE, at=NOON)
    ledger.grant("ada", "research", at=NOON)
    ledger.withdraw("ada", at=NOON + HOUR)
    assert standing(ledger, "ada", NOON + HOUR) is Standing.WITHDRAWN
    assert ledger.standings("research", NOON + HOUR) == {ledger.pseudonym("ada"): Standing.WITHDRAWN}


def test_withdrawing_one_purpose_leaves_the_others(ledger):
    ledger.grant("ada", PURPOSE, at=NOON)
    ledger.grant("ada", "research", at=NOON)
    ledger.withdraw("ada", "research", at=NOON + HOUR)
    assert standing(ledger, "ada", NOON + HOUR) is Standing.GIVEN


def test_an_old_grant_said_again_cannot_undo_a_withdrawal(ledger):
    ledger.grant("ada", PURPOSE, at=NOON)
    ledger.withdraw("ada", at=NOON + HOUR)
    before = ledger.head()
    assert ledger.grant("ada", PURPOSE, at=NOON) == before
    assert standing(ledger, "ada", NOON + 2 * HOUR) is Standing.WITHDRAWN
    ledger.grant("ada", PURPOSE, at=NOON + HOUR / 2, until=NOON + 9 * HOUR)
    assert standing(ledger, "ada", NOON + 2 * HOUR) is Standing.WITHDRAWN


def test_a_withdrawal_recorded_last_wins_over_a_clock_that_ran_ahead(ledger):
    ledger.grant("ada", PURPOSE, at=NOON + HOUR)
    ledger.withdraw("ada", at=NOON)
    assert standing(ledger, "ada", NOON + 2 * HOUR) is Standing.WITHDRAWN


def test_names_are_nowhere_in_the_files(ledger, tmp_path):
    ledger.grant("Zoë Quill", PURPOSE, at=NOON)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"Quill" not in path.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"purpose": "world-peace", "at": NOON}, "no purpose"),
        ({"purpose": PURPOSE, "at": NOON, "until": NOON}, "before it begins"),
        ({"purpose": PURPOSE, "at": datetime(2026, 1, 1)}, "no time zone"),  # noqa: DTZ001
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(ledger, arguments, words):
    with pytest.raises(ValueError, match=words):
        ledger.grant("ada", **arguments)
    assert ledger.events() == []


def test_instants_are_the_same_in_every_time_zone(ledger):
    from datetime import timezone  # noqa: PLC0415

    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    ledger.grant("ada", PURPOSE, at=NOON)
    assert ledger.grant("ada", PURPOSE, at=tokyo).count == 2


def tamper_cases():
    return [
        "UPDATE events SET until = '2999-01-01T00:00:00.000000Z' WHERE seq = 2",
        "UPDATE events SET kind = 'grant' WHERE seq = 4",
        "DELETE FROM events WHERE seq = 4",
        "DELETE FROM events WHERE seq = 2",
        "DELETE FROM events WHERE seq > 0",
        "DELETE FROM events",
        "DROP TABLE events",
        "UPDATE events SET seq = 9 WHERE seq = 4",
        (
            "INSERT INTO events SELECT 5, kind, member, 'research', at, until, "
            "(CASE WHEN hash LIKE 'f%' THEN '0' ELSE 'f' END) || substr(hash, 2) FROM events WHERE seq = 1"
        ),
    ]


@pytest.mark.parametrize("statement", tamper_cases())
def test_every_tampering_is_detected_and_refused(ledger, statement):
    for name in ("ada", "bob", "cyd"):
        ledger.grant(name, PURPOSE, at=NOON)
    ledger.withdraw("ada", at=NOON + HOUR)
    edit(ledger, statement)
    with pytest.raises(LedgerBrokenError, match=r"ledger\.db|ledger\.head"):
        ledger.standings(PURPOSE, NOON + 2 * HOUR)
    with pytest.raises(LedgerBrokenError):
        ledger.grant("dan", PURPOSE, at=NOON)


@pytest.mark.parametrize("damage", ["missing", "nonsense", "gone"])
def test_a_lost_or_damaged_file_is_detected(ledger, damage):
    ledger.grant("ada", PURPOSE, at=NOON)
    head = ledger.path.with_suffix(".head")
    match damage:
        case "missing":
            head.unlink()
        case "nonsense":
            head.write_text("[1]")
        case "gone":
            for path in ledger.path.parent.glob("ledger.db*"):
                path.unlink()
    with pytest.raises(LedgerBrokenError):
        ledger.events()


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "ledger.db").write_bytes(b"not a database at all, and longer than its header " * 40)
    with pytest.raises(LedgerBrokenError, match="cannot be used as a ledger"):
        Ledger(tmp_path / "ledger.db").events()


def test_another_key_is_noticed(ledger):
    ledger.grant("ada", PURPOSE, at=NOON)
    with pytest.raises(LedgerBrokenError, match="another member key"):
        Ledger(ledger.path, pseudonyms=Pseudonyms(b"x" * 32)).events()


def test_the_database_itself_refuses_to_change_an_entry(ledger):
    ledger.grant("ada", PURPOSE, at=NOON)
    connection = sqlite3.connect(ledger.path)
    for statement in ("UPDATE events SET at = ''", "DELETE FROM events"):
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            connection.execute(statement)
    connection.close()


def write_many(path, name, count):
    ledger = Ledger(path)
    for minute in range(count):
        ledger.grant(name, PURPOSE, at=NOON + timedelta(minutes=minute))


def test_writers_at_the_same_time_lose_nothing(ledger):
    ledger.grant("ada", PURPOSE, at=NOON)
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(ledger.path, name, 15)) for name in ("bob", "cyd")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert ledger.head().count == 2 + 2 * 15


def test_killing_a_writer_leaves_a_whole_ledger(ledger):
    context = multiprocessing.get_context("spawn")
    ledger.grant("ada", PURPOSE, at=NOON)
    seen = ledger.head().count
    for _ in range(3):
        writer = context.Process(target=write_many, args=(ledger.path, f"bob{seen}", 10_000))
        writer.start()
        while ledger.head().count < seen + 5:
            assert writer.is_alive()
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        seen = ledger.head().count
    assert len(ledger.events()) == seen


def test_recording_many_is_all_or_none(ledger):
    def decisions():
        yield Decision("ada", Kind.GRANT, PURPOSE, NOON, NOON + HOUR)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        ledger.record(decisions())
    assert ledger.events() == []


def test_a_crash_before_the_head_was_noted_loses_nothing(ledger):
    ledger.grant("ada", PURPOSE, at=NOON)
    note = ledger.path.with_suffix(".head").read_bytes()
    ledger.grant("bob", PURPOSE, at=NOON)
    ledger.path.with_suffix(".head").write_bytes(note)
    assert ledger.head().count == 3
    assert ledger.grant("cyd", PURPOSE, at=NOON).count == 4
