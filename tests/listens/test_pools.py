"""Files of many members: Unwrapped's and Vana's SQLite, plain tables, and what strangers may do with them."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listens.made import as_bytes, column
from listens.told import BJORK_ID, REFINED, contribution, database

from recsys.canonical import Pseudonyms
from recsys.errors import UnreadableExportError
from recsys.listens import Contributions, Route, ingest, read_export, read_pool, table_pool
from recsys.listens.sources.refined import Refined

PSEUDONYMS = Pseudonyms(b"k" * 32)


def refused(path, reason, **options):
    with pytest.raises(UnreadableExportError, match=reason) as caught:
        read_pool(path, **options)
    assert str(caught.value).startswith(path.name)


def written(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def counts(pool):
    return {
        member: dict(zip(column(pool.read(member), "artist"), column(pool.read(member), "plays"), strict=True))
        for member in pool.members
    }


def test_the_refined_data_of_unwrapped(tmp_path):
    pool = read_pool(database(tmp_path / "refined.sqlite", *REFINED))
    assert counts(pool) == {"anna": {"Björk": 7, "spotify:artist:0000000000000000000002": 3}, "bo": {"Björk": 1}}
    rows = pool.read("bo").table.to_pylist()
    assert [(row["artist_id"], row["played_at"], row["clock"], row["source"], row["route"]) for row in rows] == [
        (f"spotify:artist:{BJORK_ID}", None, "none", "unwrapped", "api")
    ]
    with pytest.raises(KeyError):
        pool.read("cyd")


RESULTS = {
    "as refined": "CREATE TABLE results AS SELECT 'anna' AS user_id_hash, 'A' AS artist_name, 4 AS play_count",
    "as text": "CREATE TABLE results AS SELECT 'anna' AS user, 'A' AS artist, ' 4' AS plays",
    "as real": "CREATE TABLE results AS SELECT 'anna' AS USER_ID, 'A' AS Name, 4.0 AS Play_Count",
}


@pytest.mark.parametrize("statement", RESULTS.values(), ids=RESULTS.keys())
def test_the_result_of_a_vana_query(tmp_path, statement):
    assert counts(read_pool(database(tmp_path / "query_results.db", statement))) == {"anna": {"A": 4}}


def test_rows_of_one_artist_are_summed_and_none_is_left_out_unsaid(tmp_path):
    rows = "INSERT INTO results VALUES ('anna', 'A', 2), ('anna', ' A', 3), ('anna', 'B', 0), ('anna', NULL, 9)"
    path = database(tmp_path / "a.db", "CREATE TABLE results (user, artist, plays)", rows)
    listens = read_pool(path).read("anna")
    assert (column(listens, "artist"), column(listens, "plays")) == (["A"], [5])
    assert listens.report.left_out == {"no-plays": 1, "summed": 1, "unknown-artist": 1}
    assert (listens.report.rows_read, listens.report.rows_used) == (4, 1)


HOSTILE = {
    "a view": ["CREATE TABLE x (a)", "CREATE VIEW results AS SELECT 'a' AS user, 'A' AS artist, 1 AS plays"],
    "a view of another table": [
        "CREATE TABLE secret (user, artist, plays)",
        "CREATE VIEW results AS SELECT * FROM secret",
    ],
    "an endless view": [
        "CREATE VIEW results AS WITH n(user, artist) AS (SELECT 1, 1 UNION ALL SELECT * FROM n) SELECT * FROM n"
    ],
    "a generated column": [
        "CREATE TABLE results (user, artist, n, plays AS (length(zeroblob(n))))",
        "INSERT INTO results (user, artist, n) VALUES ('a', 'A', 1)",
    ],
    "a virtual table": [
        "CREATE VIRTUAL TABLE results USING fts5(user, artist, plays)",
        "INSERT INTO results VALUES ('a', 'A', '1')",
    ],
    "no such table": ["CREATE TABLE plays (user, artist, plays)"],
    "no such column": ["CREATE TABLE results (user, artist, length)"],
    "bytes for a name": ["CREATE TABLE results AS SELECT 'a' AS user, x'00ff' AS artist, 1 AS plays"],
    "text that is no text": ["CREATE TABLE results AS SELECT 'a' AS user, CAST(x'ff' AS TEXT) AS artist, 1 AS plays"],
    "a name of a megabyte": ["CREATE TABLE results AS SELECT 'a' AS user, hex(zeroblob(600000)) AS artist, 1 AS plays"],
    "a long name": ["CREATE TABLE results AS SELECT 'a' AS user, hex(zeroblob(9000)) AS artist, 1 AS plays"],
    "less than nothing": ["CREATE TABLE results AS SELECT 'a' AS user, 'A' AS artist, -1 AS plays"],
    "a huge number": ["CREATE TABLE results AS SELECT 'a' AS user, 'A' AS artist, 9e999 AS plays"],
    "a large number": ["CREATE TABLE results AS SELECT 'a' AS user, 'A' AS artist, 9223372036854775807 AS plays"],
    "half a play": ["CREATE TABLE results AS SELECT 'a' AS user, 'A' AS artist, 1.5 AS plays"],
    "a word": ["CREATE TABLE results AS SELECT 'a' AS user, 'A' AS artist, 'NaN' AS plays"],
    "no member": ["CREATE TABLE results AS SELECT ' ' AS user, 'A' AS artist, 1 AS plays"],
    "nobody": ["CREATE TABLE results (user, artist, plays)"],
}


@pytest.mark.parametrize(
    "name", [name for name in HOSTILE if "view" in name or "virtual" in name or "generated" in name]
)
def test_what_would_compute_its_rows_is_no_plain_table(tmp_path, name):
    refused(database(tmp_path / "a.db", *HOSTILE[name]), "found the plain tables")


def test_nothing_is_written_beside_a_database(tmp_path):
    path = database(tmp_path / "a.db", "PRAGMA journal_mode=wal", *REFINED)
    for _ in Refined().batches(path):
        assert [path.name for path in tmp_path.iterdir()] == ["a.db"]
    assert sorted(counts(read_pool(path))) == ["anna", "bo"]


@pytest.mark.parametrize("statements", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_database_that_is_not_as_it_should_be_is_refused(tmp_path, statements):
    before = database(tmp_path / "a.db", *statements).read_bytes()
    refused(
        tmp_path / "a.db",
        "found the plain tables|holds|no rows|names no member|damaged or not as it should be|expected 0 to 10,000,000",
    )
    assert (tmp_path / "a.db").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]


def test_a_trigger_in_the_file_does_nothing_and_names_may_be_odd(tmp_path):
    path = database(
        tmp_path / "what is this?mode=rw#x.db",
        'CREATE TABLE results ("user", "artist", "plays", "a""b")',
        "INSERT INTO results VALUES ('anna', 'A', 1, 0)",
        "CREATE TRIGGER t AFTER INSERT ON results BEGIN DELETE FROM results; END",
    )
    assert counts(read_pool(path)) == {"anna": {"A": 1}}


def test_the_names_of_artists_are_taken_from_a_plain_table_only(tmp_path):
    without = [
        statement for statement in REFINED if "artists (id VARCHAR" not in statement and "INTO artists" not in statement
    ]
    view = f"CREATE VIEW artists AS SELECT '{BJORK_ID}' AS id, 'Not Björk' AS name"
    pool = read_pool(database(tmp_path / "a.db", *without, view))
    assert column(pool.read("bo"), "artist") == [f"spotify:artist:{BJORK_ID}"]


WHOLE = sqlite3.connect(":memory:")
for _statement in REFINED:
    WHOLE.execute(_statement)
WHOLE.commit()
CONTENT = WHOLE.serialize()
WHOLE.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(16, len(CONTENT) - 1), st.integers(0, 255)), min_size=1, max_size=9))
def test_a_damaged_database_is_refused_or_holds_together(tmp_path, changes):
    content = bytearray(CONTENT)
    for place, value in changes:
        content[place] = value
    path = written(tmp_path / "a.db", bytes(content))
    try:
        pool = read_pool(path)
    except UnreadableExportError:
        return
    for member in pool.members:
        pool.read(member).table.validate(full=True)


TRIPLES = 'user,artist,plays\nanna,Björk,3\nbo,AC/DC,1\nanna,"Tyler, The Creator",2\n'
EXPECTED = {"anna": {"Björk": 3, "Tyler, The Creator": 2}, "bo": {"AC/DC": 1}}


@pytest.mark.parametrize("text", [TRIPLES, "\ufeff" + TRIPLES, TRIPLES.replace("\n", "\r\n")])
def test_a_plain_table(tmp_path, text):
    path = written(tmp_path / "a.csv", text)
    assert counts(read_pool(path, route=Route.SURVEY)) == EXPECTED
    refused(path, r"state its route \(--route\): gdpr-export")


def test_a_table_with_tabs_other_names_and_other_columns(tmp_path):
    text = "Item\textra\tUSER_ID\tweight\nBjörk\tx\tanna\t3\nAC/DC\tx\tbo\t1.0\nTyler, The Creator\tx\tanna\t2\n"
    assert counts(read_pool(written(tmp_path / "a.tsv", text), route=Route.SURVEY)) == EXPECTED


def test_a_parquet_table(tmp_path):
    columns = {"member": [1, 2, 1], "artist_id": [51, 7, 9], "plays": [3.0, 1.0, 2.0]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    pool = read_pool(tmp_path / "a.parquet", route=Route.PUBLIC_BENCHMARK)
    assert counts(pool) == {"1": {"51": 3, "9": 2}, "2": {"7": 1}}
    assert column(pool.read("2"), "route") == ["public-benchmark"]


def test_without_plays_a_row_is_a_play(tmp_path):
    path = written(tmp_path / "a.csv", "user,artist\nanna,A\nanna,A\nanna,B\n")
    assert counts(read_pool(path, route=Route.SURVEY)) == {"anna": {"A": 2, "B": 1}}


TIMES = {
    "seconds": ("1709278412", "1709278652"),
    "milliseconds": ("1709278412000", "1709278652000"),
    "iso": ("2024-03-01T07:33:32Z", "2024-03-01T08:37:32+01:00"),
    "plain": ("2024-03-01 07:33:32", "2024-03-01 07:37:32"),
}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES.keys())
def test_times_in_any_form(tmp_path, times):
    text = "user,artist,time\n" + "".join(f"anna,A,{time}\n" for time in times)
    listens = read_pool(written(tmp_path / "a.csv", text), route=Route.SURVEY).read("anna")
    assert column(listens, "played_at") == [datetime(2024, 3, 1, 7, minute, 32, tzinfo=UTC) for minute in (33, 37)]
    assert column(listens, "clock") == ["second", "second"]


def test_instants_of_parquet_and_times_of_a_broken_clock(tmp_path):
    for kind in (pa.timestamp("us"), pa.timestamp("ns", tz="Asia/Tokyo"), pa.date32()):
        times = pa.array([datetime(2024, 3, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)]).cast(kind)
        table = pa.table({"user": ["a", "a"], "artist": ["A", "B"], "time": times})
        pq.write_table(table, tmp_path / "a.parquet")
        listens = read_pool(tmp_path / "a.parquet", route=Route.SURVEY).read("a")
        assert column(listens, "played_at") == [datetime(2024, 3, 1, tzinfo=UTC), None]


WRONG = {
    "a cut row": TRIPLES + "anna,A",
    "half a file": TRIPLES[:-9] + '"',
    "not UTF-8": TRIPLES.encode() + b"anna,\xff\xfe,3\n",
    "a word": TRIPLES + "anna,A,many\n",
    "not a number": TRIPLES + "anna,A,nan\n",
    "no end": TRIPLES + "anna,A,inf\n",
    "beyond measure": TRIPLES + "anna,A,1e300\n",
    "less than nothing": TRIPLES + "anna,A,-1\n",
    "nobody": TRIPLES + ",A,1\n",
    "a long name": TRIPLES + f"anna,{'A' * 20_000},1\n",
    "a line without end": TRIPLES + f"anna,{'A' * 3_000_000},1\n",
    "a time in 2999": "user,artist,time\nanna,A,2999-01-01\n",
    "no time": "user,artist,time\nanna,A,soon\n",
    "a header only": "user,artist,plays\n",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_table_is_refused(tmp_path, text):
    refused(
        written(tmp_path / "a.csv", text), "not a table|holds|names no member|no rows|expected 0", route=Route.SURVEY
    )


def test_a_wrong_parquet_file_is_refused(tmp_path):
    pq.write_table(pa.table({"user": [["a"]], "artist": ["A"]}), tmp_path / "a.parquet")
    refused(tmp_path / "a.parquet", "not a Parquet table|holds", route=Route.SURVEY)
    pq.write_table(pa.table({"who": ["a"], "artist": ["A"]}), tmp_path / "a.parquet")
    refused(tmp_path / "a.parquet", "expected columns for the member", route=Route.SURVEY)
    refused(written(tmp_path / "a.parquet", b"PAR1 and no more"), "not a Parquet table", route=Route.SURVEY)


def test_too_many_rows_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(table_pool, "MAX_ROWS", 2)
    refused(written(tmp_path / "a.csv", TRIPLES), "more than 2 rows", route=Route.SURVEY)


@pytest.mark.parametrize("name", ["a.csv", "a.db", "a.parquet", "a.json", "a"])
def test_what_is_no_table_of_members_is_refused(tmp_path, name):
    refused(written(tmp_path / name, b"one,two\n1,2\n"), "not a table of many members", route=Route.SURVEY)
    refused(tmp_path / "missing.csv", "not a table of many members")


def test_a_pool_is_ingested_beside_exports_and_only_once(tmp_path):
    (tmp_path / "in").mkdir()
    database(tmp_path / "in" / "refined.db", *REFINED)
    written(tmp_path / "in" / "cyd.json", as_bytes(contribution([("t", BJORK_ID, "2025-03-01T07:34:12.123Z")])))
    written(tmp_path / "in" / "triples.csv", TRIPLES)
    store = Contributions(tmp_path / "home" / "contributions")
    report = ingest(tmp_path / "in", store, PSEUDONYMS)
    assert (report.members, report.read, report.skipped) == (3, 2, 0)
    assert ["--route" in one.reason for one in report.broken] == [True]
    assert report.rows.routes == {"api": 4}
    assert set(store.members) == {PSEUDONYMS.of(name) for name in ("anna", "bo", "cyd")}
    again = ingest(tmp_path / "in", store, PSEUDONYMS)
    assert (again.members, again.read, again.skipped, again.rows) == (3, 0, 2, report.rows)
    stated = ingest(tmp_path / "in" / "triples.csv", store, PSEUDONYMS, route=Route.SURVEY)
    assert (stated.members, stated.rows.plays) == (2, 6)
    assert store.read(PSEUDONYMS.of("anna")).report.routes == {"api": 1, "survey": 2}


def test_a_contribution_to_unwrapped(tmp_path):
    made_up = "2024-12-01T00:00:00.000Z"
    tracks = [
        ("one", BJORK_ID, "2025-03-01T07:34:12.123Z"),
        ("one", BJORK_ID, "2025-03-01T08:34:12.123Z"),
        ("two", "unknown_artist", "2025-03-01T09:34:12.123Z"),
        *((name, "0000000000000000000002", made_up) for name in ("three", "four")),
    ]
    favourites = [
        (BJORK_ID, "Björk", "9"),
        ("0000000000000000000003", "Other", None),
        ("0000000000000000000004", None, 2),
    ]
    path = written(tmp_path / "anna.json", as_bytes(contribution(tracks, favourites)))
    listens = read_export(path)
    rows = [(row["artist"], row["track"], row["plays"], row["clock"]) for row in listens.table.to_pylist()]
    other, nameless = "spotify:artist:0000000000000000000002", "spotify:artist:0000000000000000000004"
    assert rows == [
        (other, "spotify:track:four", 1, "synthetic"),
        (other, "spotify:track:three", 1, "synthetic"),
        ("Björk", "spotify:track:one", 1, "second"),
        ("Björk", "spotify:track:one", 1, "second"),
        ("Björk", None, 7, "none"),
        (nameless, None, 2, "none"),
    ]
    assert set(column(listens, "route")) == {"api"}
    assert listens.report.left_out == {"no-track": 1}


@pytest.mark.parametrize(
    ("tracks", "favourites", "reason"),
    [
        ([("t", "a", "2999-01-01T00:00:00Z")], [], "lies in the years"),
        ([("t", "a", "1970-01-01T00:00:00Z")], [], "lies in the years"),
        ([("t", "a", "yesterday")], [], "not a time with its zone"),
        ([("t", "a", 5)], [], "Expected `str`"),
        ([], [("a", "A", "many")], "play_count is 'many'"),
        ([], [("a", "A", "99999999999")], "expected 0 to 10,000,000"),
    ],
)
def test_a_wrong_contribution_is_refused(tmp_path, tracks, favourites, reason):
    path = written(tmp_path / "anna.json", as_bytes(contribution(tracks, favourites)))
    with pytest.raises(UnreadableExportError, match=reason):
        read_export(path)
