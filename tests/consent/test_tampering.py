"""Whatever is changed behind the ledger's back is noticed, or makes no difference; never is it believed."""

import sqlite3
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from recsys.canonical import Pseudonyms
from recsys.consent import Kind, Ledger, MemberKeys, Standing
from recsys.errors import LedgerBrokenError, RecsysError
from recsys.transparency import SigningKey

PURPOSE = "train-recommender"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GROWING = ("entries", "records", "nodes", "heads")


@pytest.fixture
def filled(ledger):
    for name in ("ada", "bob", "cyd"):
        ledger.grant(name, PURPOSE, at=NOON)
    ledger.withdraw("ada", at=NOON + HOUR)
    return ledger


def edit(database, *statements):
    """Change a database as somebody who owns it can."""
    if "://" in str(database):
        with psycopg.connect(database) as connection:
            for name in GROWING:
                connection.execute(f"ALTER TABLE consent_{name} DISABLE TRIGGER ALL")
            for statement in statements:
                connection.execute(statement)
        return
    connection = sqlite3.connect(database)
    for name in GROWING:
        for verb in ("update", "delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS consent_{name}_no_{verb}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


TAMPERINGS = {
    "a grant is made longer": "UPDATE consent_entries SET until = '2999-01-01T00:00:00.000000Z' WHERE seq = 2",
    "a withdrawal becomes a grant": "UPDATE consent_entries SET kind = 'grant' WHERE seq = 4",
    "an entry is given to somebody else": "UPDATE consent_entries SET member = (SELECT member FROM consent_entries "
    "WHERE seq = 2) WHERE seq = 1",
    "an entry is moved in time": "UPDATE consent_entries SET at = '2026-01-02T00:00:00.000000Z' WHERE seq = 4",
    "a purpose is changed": "UPDATE consent_entries SET purpose = 'sell-insights' WHERE seq = 3",
    "the link to the entry before is cut": "UPDATE consent_entries SET previous = -1 WHERE seq = 4",
    "another key is named": "UPDATE consent_entries SET key = '00' WHERE seq = 3",
    "another record is named": "UPDATE consent_entries SET record = '00' WHERE seq = 3",
    "the last entry is gone": "DELETE FROM consent_entries WHERE seq = 4",
    "an entry is gone": "DELETE FROM consent_entries WHERE seq = 2",
    "the first entry is gone": "DELETE FROM consent_entries WHERE seq = 0",
    "all entries are gone": "DELETE FROM consent_entries",
    "an entry is moved": "UPDATE consent_entries SET seq = 9 WHERE seq = 4",
    "an entry is added": "INSERT INTO consent_entries SELECT 5, kind, member, 'research', recipient, at, until, key, "
    "record, 1 FROM consent_entries WHERE seq = 1",
    "a record is changed": "UPDATE consent_records SET envelope = '{}' WHERE seq = 2",
    "a record is gone": "DELETE FROM consent_records WHERE seq = 2",
    "a record is added": "INSERT INTO consent_records VALUES (5, '{}')",
    "two records are swapped": "UPDATE consent_records SET envelope = (SELECT other.envelope FROM consent_records "
    "other WHERE other.seq = 5 - consent_records.seq) WHERE seq IN (2, 3)",
    "a node is changed": "UPDATE consent_nodes SET hash = (SELECT hash FROM consent_nodes WHERE id = 0) WHERE id = 2",
    "a node is gone": "DELETE FROM consent_nodes WHERE id = 1",
    "a node is added": "INSERT INTO consent_nodes SELECT 99, hash FROM consent_nodes WHERE id = 0",
    "a head is changed": "UPDATE consent_heads SET envelope = '{}'",
    "the last head is gone": "DELETE FROM consent_heads WHERE size = 5",
    "all heads are gone": "DELETE FROM consent_heads",
    "a head is moved": "UPDATE consent_heads SET size = 6 WHERE size = 5",
    "the map forgets somebody": "DELETE FROM consent_latest WHERE seq = 4",
    "the map names an older entry": "UPDATE consent_latest SET seq = 1 WHERE seq = 4",
    "the map names somebody more": "INSERT INTO consent_latest VALUES (70000, 'eve', 1)",
    "the map's hashes are gone": "DELETE FROM consent_map",
    "a hash of the map is changed": "UPDATE consent_map SET hash = (SELECT hash FROM consent_map WHERE id = 1) "
    "WHERE id = (SELECT max(id) FROM consent_map)",
    "the table of entries is gone": "DROP TABLE consent_entries",
    "the table of nodes is gone": "DROP TABLE consent_nodes",
}


@pytest.mark.parametrize("statement", TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_every_tampering_is_found_before_anybody_is_admitted(filled, database, statement):
    edit(database, statement)
    for question in (lambda: filled.standings(PURPOSE, NOON + 2 * HOUR), filled.head, filled.verify, filled.events):
        with pytest.raises(LedgerBrokenError, match=r"ledger\.db|postgres at"):
            question()


ENDS = [
    "the last entry is gone",
    "the last head is gone",
    "all heads are gone",
    "a head is changed",
    "an entry is added",
]


@pytest.mark.parametrize("what", ENDS)
def test_nothing_is_appended_behind_an_end_that_is_not_what_was_signed(filled, database, what):
    edit(database, TAMPERINGS[what])
    with pytest.raises(LedgerBrokenError):
        filled.grant("dan", PURPOSE, at=NOON)


def test_an_older_head_that_was_changed_is_found_by_the_deep_check(filled, database):
    edit(
        database,
        "DELETE FROM consent_heads WHERE size = 3",
        "INSERT INTO consent_heads SELECT 3, envelope FROM consent_heads WHERE size = 4",
    )
    with pytest.raises(LedgerBrokenError, match="has a head of 4 entries"):
        filled.verify()


def cut_to(database, size):
    """Cut the end off so that the database itself is whole: as it was before."""
    nodes = 2 * size - size.bit_count()
    edit(
        database,
        f"DELETE FROM consent_entries WHERE seq >= {size}",
        f"DELETE FROM consent_records WHERE seq >= {size}",
        f"DELETE FROM consent_heads WHERE size > {size}",
        f"DELETE FROM consent_nodes WHERE id >= {nodes}",
    )


def test_an_end_that_was_cut_off_is_noticed_by_the_head_file(filled, database):
    cut_to(database, 4)
    for act in (filled.events, lambda: filled.history("bob"), lambda: filled.grant("dan", PURPOSE, at=NOON)):
        with pytest.raises(LedgerBrokenError, match="cut off"):
            act()


def test_an_older_file_put_back_is_noticed(tmp_path):
    filled = Ledger(tmp_path / "ledger.db")
    filled.grant("ada", PURPOSE, at=NOON)
    older = {path: path.read_bytes() for path in tmp_path.glob("ledger.db*")}
    filled.grant("dan", PURPOSE, at=NOON)
    for path, data in older.items():
        path.write_bytes(data)
    with pytest.raises(LedgerBrokenError, match="cut off"):
        filled.events()


@pytest.mark.parametrize("damage", ["missing", "nonsense", "of another key", "of another log"])
def test_a_lost_or_damaged_head_file_is_noticed(filled, tmp_path, damage):
    head = tmp_path / "ledger.head"
    match damage:
        case "missing":
            head.unlink()
        case "nonsense":
            head.write_text("[1]")
        case "of another key":
            from recsys.transparency.heads import TreeHead  # noqa: PLC0415

            head.write_bytes(TreeHead("consent", 0, "0" * 64, "0" * 64, "").signed(SigningKey(b"x" * 32)).to_json())
        case "of another log":
            from recsys.transparency.heads import TreeHead  # noqa: PLC0415

            key = SigningKey.read(tmp_path / "keys" / "operator.key")
            head.write_bytes(TreeHead("ballots", 0, "0" * 64, "0" * 64, "").signed(key).to_json())
    with pytest.raises(LedgerBrokenError, match=r"ledger\.head"):
        filled.events()
    with pytest.raises(LedgerBrokenError, match=r"ledger\.head"):
        filled.grant("dan", PURPOSE, at=NOON)


def test_a_database_that_is_gone_is_noticed(filled, database, tmp_path):
    if filled.path:
        for path in tmp_path.glob("ledger.db*"):
            path.unlink()
    else:
        edit(database, *(f"DROP TABLE consent_{name} CASCADE" for name in (*GROWING, "latest", "map")))
    for act in (filled.events, lambda: filled.grant("dan", PURPOSE, at=NOON)):
        with pytest.raises(LedgerBrokenError, match="knows of 5 entries"):
            act()


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "ledger.db").write_bytes(b"not a database at all, and longer than its header " * 40)
    with pytest.raises(LedgerBrokenError, match="does not hold what it should"):
        Ledger(tmp_path / "ledger.db").events()


def test_a_ledger_of_the_first_format_is_named_as_one(tmp_path):
    connection = sqlite3.connect(tmp_path / "ledger.db")
    connection.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, hash TEXT)")
    connection.commit()
    connection.close()
    with pytest.raises(LedgerBrokenError, match=r"older format.*recsys consent import"):
        Ledger(tmp_path / "ledger.db").events()
    with pytest.raises(LedgerBrokenError, match="older format"):
        Ledger(tmp_path / "ledger.db").grant("ada", PURPOSE, at=NOON)


@pytest.mark.parametrize("table", GROWING)
def test_the_database_itself_refuses_to_change_what_stands_there(filled, database, table):
    column = {"nodes": "hash = hash", "entries": "at = at"}.get(table, "envelope = envelope")
    statements = [f"UPDATE consent_{table} SET {column}", f"DELETE FROM consent_{table}"]
    if filled.path is None:
        statements.append(f"TRUNCATE consent_{table}")
    for statement in statements:
        if filled.path is None:
            with psycopg.connect(database) as connection, pytest.raises(psycopg.Error, match="only grows"):
                connection.execute(statement)
        else:
            connection = sqlite3.connect(database)
            with pytest.raises(sqlite3.IntegrityError, match="only grows"):
                connection.execute(statement)
            connection.close()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A whole ledger in one SQLite file and its head, as bytes, and what it tells."""
    folder = tmp_path_factory.mktemp("small")
    keys = MemberKeys(folder / "members", make=bytes.fromhex)
    given = {"pseudonyms": Pseudonyms(b"p" * 32), "keys": keys, "operator": SigningKey(b"o" * 32)}
    ledger = Ledger(folder / "ledger.db", **given)
    for name in ("ada", "bob"):
        ledger.grant(name, PURPOSE, at=NOON)
    ledger.withdraw("bob", at=NOON + HOUR)
    connection = sqlite3.connect(folder / "ledger.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    return given, folder, ledger.standings(PURPOSE, NOON + HOUR), ledger.events()


def flips(size, count, salt):
    """Choose places and bits all over a file, always the same."""
    return [((number * size) // count + salt * 7 % 13, number % 8) for number in range(count)]


@pytest.mark.parametrize("name", ["ledger.db", "ledger.head"])
@pytest.mark.parametrize("salt", range(4))
def test_a_flipped_bit_is_found_or_makes_no_difference(small, tmp_path, name, salt):
    given, folder, standings, events = small
    files = {path: (folder / path).read_bytes() for path in ("ledger.db", "ledger.head")}
    found = 0
    for place, bit in flips(len(files[name]) - 16, 110, salt):
        for path, data in files.items():
            bent = bytearray(data)
            if path == name:
                bent[place] ^= 1 << bit
            (tmp_path / path).write_bytes(bytes(bent))
        for rest in ("-wal", "-shm", "-journal"):
            (tmp_path / f"ledger.db{rest}").unlink(missing_ok=True)
        ledger = Ledger(tmp_path / "ledger.db", **given)
        try:
            told = ledger.standings(PURPOSE, NOON + HOUR)
        except RecsysError:
            found += 1
            continue
        assert told == standings
        assert ledger.events() == events
    assert found > 20


def test_what_the_small_ledger_tells_is_what_was_said(small):
    _, _, standings, events = small
    assert sorted(standings.values()) == sorted([Standing.GIVEN, Standing.WITHDRAWN])
    assert [event.kind for event in events] == ["open", Kind.GRANT, Kind.GRANT, Kind.WITHDRAW]
