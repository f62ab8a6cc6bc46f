"""Whatever is in an export, what comes out is listens that hold together, or one kind of error."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from listens.made import EXTENDED_2025, NO_MEDIA, account_row, extended_row

from recsys.errors import UnreadableExportError
from recsys.listens import SCHEMA, read_export

pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name")
checked = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
good_rows = st.sampled_from([account_row(), extended_row(), extended_row(**NO_MEDIA)])
odd_rows = st.builds(
    lambda row, keys, value: row | dict.fromkeys(keys & row.keys(), value),
    good_rows,
    st.sets(st.sampled_from(sorted({*account_row(), *extended_row()})), max_size=2),
    values,
)
times = st.datetimes(datetime(2006, 1, 1), datetime(2099, 12, 31))  # noqa: DTZ001 - hypothesis wants them so
plays = st.builds(
    lambda time, artist, ms: extended_row(
        ts=time.strftime("%Y-%m-%dT%H:%M:%SZ"), master_metadata_album_artist_name=artist, ms_played=ms
    ),
    times,
    st.text(max_size=20),
    st.integers(0, 10**8),
)


UNKNOWN_ELSEWHERE = {"played_at", "track", "ms_played"}
"""What services beside Spotify may leave unsaid."""


def read(path, content):
    path.write_bytes(content)
    try:
        listens = read_export(path)
    except UnreadableExportError:
        return None
    hold_together(listens)
    return listens


def hold_together(listens):
    table, report = listens.table, listens.report
    assert table.schema == SCHEMA
    table.validate(full=True)
    assert all(table[name].null_count == 0 for name in {*SCHEMA.names} - {"artist_id", *UNKNOWN_ELSEWHERE})
    assert report.rows_used == table.num_rows == report.rows_read - sum(report.left_out.values())
    for row in table.to_pylist():
        assert row["artist"].strip() == row["artist"] != ""
        assert row["plays"] >= 1
        if row["source"].startswith("spotify") or row["clock"] != "none":
            assert datetime(2002, 1, 1, tzinfo=UTC) <= row["played_at"] < datetime(2100, 1, 1, tzinfo=UTC)
        if row["source"].startswith("spotify"):
            assert row["played_at"].year >= 2006
            assert row["ms_played"] >= 0
            assert row["track"]


def packed(content, name=EXTENDED_2025):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


@checked
@given(st.binary(max_size=200))
def test_any_bytes_as_a_history(tmp_path, content):
    read(tmp_path / "a.zip", packed(content))


@checked
@given(values)
def test_any_json_as_a_history(tmp_path, value):
    read(tmp_path / "a.zip", packed(json.dumps(value)))


@checked
@given(st.lists(odd_rows, max_size=4))
def test_rows_with_any_value_in_any_field(tmp_path, rows):
    read(tmp_path / "a.zip", packed(json.dumps(rows, ensure_ascii=True)))


@checked
@given(st.lists(plays, max_size=6))
def test_any_plays_that_can_be_are_read(tmp_path, rows):
    assert read(tmp_path / "a.zip", packed(json.dumps(rows, ensure_ascii=True))) is not None


@checked
@given(st.binary(max_size=200))
def test_any_bytes_as_a_zip(tmp_path, content):
    read(tmp_path / "a.zip", content)


WHOLE = packed(json.dumps([extended_row(), extended_row(ms_played=5)]))
changes = st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=4)
headers = st.lists(
    st.tuples(st.integers(1, len(WHOLE) - WHOLE.rindex(b"PK\x01\x02")), st.integers(0, 255)), min_size=1, max_size=3
)


@checked
@given(changes)
def test_a_zip_with_changed_bytes(tmp_path, changes):
    content = bytearray(WHOLE)
    for place, value in changes:
        content[place] = value
    read(tmp_path / "a.zip", bytes(content))


@checked
@given(headers)
def test_a_zip_with_changed_bytes_in_its_directory(tmp_path, changes):
    content = bytearray(WHOLE)
    for place, value in changes:
        content[-place] = value
    read(tmp_path / "a.zip", bytes(content))


@checked
@given(st.lists(st.text(max_size=12), max_size=4), st.sampled_from(["StreamingHistory0.json", "x", ""]))
def test_any_entry_names(tmp_path, folders, base):
    name = "/".join([*folders, base]).encode()
    assume(name)
    blank = "#" * len(name)
    read(tmp_path / "a.zip", packed("[]", blank).replace(blank.encode(), name))


SEEDS = sorted((Path(__file__).parents[1] / "fuzz" / "seeds").iterdir())
pieces = st.one_of(
    st.binary(max_size=12), st.sampled_from([b"null", b"-1", b"1e308", b"9" * 20, b'"', b"\n", b",,,", b"{}"])
)
edits = st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 20), pieces), min_size=1, max_size=3)


@checked
@given(st.sampled_from(SEEDS), edits, st.booleans())
def test_a_file_of_any_source_that_was_edited(tmp_path, seed, edits, zipped):
    """The files that the long fuzzing of tests/fuzz starts from, one by one and in a zip inside a zip."""
    content = seed.read_bytes()
    for place, length, piece in edits:
        at = place % (len(content) + 1)
        content = content[:at] + piece + content[at + length :]
    if zipped:
        read(tmp_path / "a.zip", packed(packed(content, seed.name), "b.zip"))
    else:
        read(tmp_path / seed.name, content)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("recenttracks-u-1709280000.csv", b'"track"', b'"r"'),
        ("lastfm.csv", b"01 Mar", b"9" * 20 + b" Mar"),
    ],
)
def test_what_the_long_fuzzing_found_is_refused_by_name(tmp_path, name, old, new):
    content = next(seed for seed in SEEDS if seed.name == name).read_bytes()
    assert read(tmp_path / name, content) is not None
    assert read(tmp_path / name, content.replace(old, new)) is None
