"""A buyer's own listeners: which tables are read, and which are refused."""

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listeners import pairs

from recsys.bundle.trying import Bounds, read_histories
from recsys.errors import ConfigError

BOUNDS = Bounds(rows=1_000, text=1_000_000, letters=100)


def written(folder, name, content):
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        pq.write_table(content, path)
    return path


def test_spellings_of_one_artist_are_one_and_ids_are_dropped(tmp_path):
    text = "User,Artist,Plays\n007,Björk,3\n007,bjork,2\n7,BJÖRK,1\n7,1975,4\n7,bjork,1\n"
    found = read_histories(written(tmp_path, "a.csv", text.encode()))
    assert pairs(found) == [(0, "bjork", 5), (1, "1975", 4), (1, "bjork", 2)]
    assert found.counted
    assert "007" not in str(vars(found))


def test_names_are_taken_where_there_are_ids_too_and_without_plays_a_pair_is_one(tmp_path):
    table = pa.table({"user_id": [1, 1, 2], "artist_id": [9, 9, 8], "artist_name": ["a", "A", "b"]})
    found = read_histories(written(tmp_path, "a.parquet", table))
    assert pairs(found) == [(0, "A", 1), (1, "b", 1)]
    assert not found.counted


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bom.csv", b"\xef\xbb\xbfuser,artist\n1,a\n2,b\n"),
        ("tab.tsv", b"user\tartist\n1\ta\n2\tb\n"),
        ("semicolon.csv", b"user;artist\n1;a\n2;b\n"),
        ("packed.csv.gz", gzip.compress(b"user,artist\n1,a\n2,b\n")),
        ("numbers.parquet", pa.table({"user": [1, 2], "artist": ["a", "b"]})),
        ("large.parquet", pa.table({"user": pa.array(["1", "2"], pa.large_string()), "artist": ["a", "b"]})),
        ("coded.parquet", pa.table({"user": pa.array(["1", "2"]).dictionary_encode(), "artist": ["a", "b"]})),
        ("odd.parquet", pa.table({"user": [1, 2], "artist": ["a", "b"], "secret": ["x" * 9_999] * 2})),
    ],
)
def test_many_ways_to_write_one_table(tmp_path, name, content):
    assert pairs(read_histories(written(tmp_path, name, content), BOUNDS)) == [(0, "a", 1), (1, "b", 1)]


def long_texts(letters, lines):
    return pa.table({"user": [1] * lines, "artist": pa.array(["x" * letters] * lines).dictionary_encode()})


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "neither a Parquet nor a CSV"),
        ("a.csv", b"user,artist\n", "a head and no lines"),
        ("a.csv", b"user,artist\n1,\n", "1 empty places"),
        ("a.csv", b'user,artist\n1," "\n', "an artist without a name"),
        ("a.csv", b"who,artist\n1,2\n", "one of user"),
        ("a.csv", b"user,artist,artist\n1,2,3\n", "2 times"),
        ("a.csv", b"user,artist,plays\n1,2,-3\n", "numbers from 1"),
        ("a.csv", b"user,artist,plays\n1,2,nan\n", "whole numbers"),
        ("a.csv", b"user,artist\n1,Bj\xf6rk\n", "invalid UTF8"),
        ("a.csv", "user,artist\n1,2\n".encode("utf-16"), "neither a Parquet nor a CSV"),
        ("a.csv", b"user,artist\n1," + b"x" * 500 + b"\n", "a name of 500 letters"),
        ("a.csv", b"user,artist\n" + b"1,2\n" * 1_001, "more than 1,000 lines"),
        ("bomb.csv.gz", gzip.compress(b"user,artist\n" + b"1,2\n" * 300_000), "more than 1,000,000 bytes"),
        ("a.parquet", b"PAR1" + bytes(50) + b"PAR1", "cannot be read"),
        ("a.parquet", pa.table({"user": [1], "artist": [["a"]]}), "names or numbers"),
        ("a.parquet", pa.table({"user": [1], "artist": pa.array([b"\xff"])}), "names or numbers"),
        ("a.parquet", pa.table({"user": pa.nulls(2), "artist": ["a", "b"]}), "2 empty places"),
        ("lines.parquet", long_texts(5, 1_001), "more than 1,000 lines"),
        ("bomb.parquet", long_texts(99_999, 1_000), "more than 1,000,000 bytes"),
        ("name.parquet", long_texts(101, 1), "a name of 101 letters"),
    ],
)
def test_what_is_no_table_within_bounds_is_refused_in_words(tmp_path, name, content, words):
    with pytest.raises(ConfigError, match=words):
        read_histories(written(tmp_path, name, content), BOUNDS)


def test_folders_and_missing_files_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="no file"):
        read_histories(tmp_path, BOUNDS)
    with pytest.raises(ConfigError, match="there is no file"):
        read_histories(tmp_path / "none.csv", BOUNDS)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.sampled_from([".csv", ".csv.gz", ".parquet"])
)
def test_any_bytes_are_read_or_refused(tmp_path, content, suffix):
    for told in (content, b"user,artist,plays\n" + content, b"PAR1" + content + b"PAR1"):
        try:
            found = read_histories(written(tmp_path, f"any{suffix}", told), BOUNDS)
        except ConfigError:
            continue
        assert found.plays.shape[1] == len(found.artists)
