import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.dataset import PUBLIC_BENCHMARK, benchmark_events, benchmark_targets, import_benchmark
from recsys.errors import ConfigError, DatasetTooSmallError

ROWS = {"user": ["u1", "u1", "u2"], "artist": ["Björk", "AC/DC", "Björk"], "plays": [3, 1, 2]}


def parquet(folder, columns, name="plays.parquet"):
    pq.write_table(pa.table(columns), folder / name)
    return folder / name


def test_pairs_are_read_as_they_stand(tmp_path):
    version = import_benchmark([parquet(tmp_path, ROWS)], name="tiny")
    assert version.artists.names == ("AC/DC", "Björk")
    assert version.user_items.toarray().tolist() == [[1, 3], [0, 2]]
    assert version.manifest.provenance == PUBLIC_BENCHMARK
    assert not version.consented


def test_csv_says_the_same_as_parquet(tmp_path):
    (tmp_path / "plays.csv").write_text("user,artist,plays\nu1,Björk,3\nu1,AC/DC,1\nu2,Björk,2\n", encoding="utf-8")
    from_csv = import_benchmark([tmp_path / "plays.csv"], name="tiny")
    assert from_csv.manifest.content == import_benchmark([parquet(tmp_path, ROWS)], name="tiny").manifest.content


def test_without_plays_each_row_is_one_and_equal_rows_add_up(tmp_path):
    path = parquet(tmp_path, {"user_id": [7, 7, 7], "item": [1, 1, 2]})
    assert import_benchmark([path], name="tiny").user_items.toarray().tolist() == [[2, 1]]


def test_several_files_are_one_benchmark(tmp_path):
    more = parquet(tmp_path, {"user": ["u3"], "artist": ["Björk"], "plays": [9]}, "more.parquet")
    version = import_benchmark([parquet(tmp_path, ROWS), more], name="tiny")
    assert version.user_items.shape == (3, 2)
    assert set(version.manifest.source["files"]) == {"plays.parquet", "more.parquet"}


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"who": [1], "artist": [1]}, "columns who, artist; one of user"),
        ({"user": [1], "what": [1]}, "one of artist"),
        ({"user": [None, 1], "artist": [1, 1]}, "'user' has 1 empty places"),
        ({"user": [1], "artist": [1], "plays": ["many"]}, "whole numbers"),
        ({"user": [1], "artist": [1], "plays": [1.5]}, "whole numbers"),
        ({"user": [1], "artist": [1], "plays": [float("nan")]}, "whole numbers"),
        ({"user": [1], "artist": [1], "plays": [0]}, "from 1 to"),
        ({"user": [1], "artist": [1], "plays": [-2]}, "from 1 to"),
        ({"user": [1, 1], "artist": [1, 2], "plays": [1, None]}, "without gaps"),
        ({"user": [1], "artist": [1], "plays": [2**40]}, "from 1 to"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_by_name_and_column(tmp_path, columns, words):
    with pytest.raises(ConfigError, match=words):
        import_benchmark([parquet(tmp_path, columns)], name="tiny")


@pytest.mark.parametrize("data", [b"", b"PAR1", b"\x00" * 99])
def test_a_file_that_is_no_table_is_refused(tmp_path, data):
    (tmp_path / "plays.parquet").write_bytes(data)
    with pytest.raises(ConfigError, match=r"plays\.parquet"):
        import_benchmark([tmp_path / "plays.parquet"], name="tiny")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="there is no file"):
        import_benchmark([tmp_path / "none.parquet"], name="tiny")
    with pytest.raises(ConfigError, match="names no files"):
        import_benchmark([], name="tiny")


LINES = "User ID,Track,plays\n007,Björk,3\n007,NA,1\n7,Björk,2\n"


def test_ids_keep_their_digits_and_names_that_look_like_nothing_are_names(tmp_path):
    (tmp_path / "plays.csv").write_text(LINES, encoding="utf-8")
    version = import_benchmark([tmp_path / "plays.csv"], name="tiny")
    assert version.members == ("007", "7")
    assert version.artists.names == ("Björk", "NA")


@pytest.mark.parametrize("huge", [2**63, 10**25])
def test_numbers_that_no_integer_holds_are_names(tmp_path, huge):
    (tmp_path / "plays.csv").write_text(f"user,item\n{huge},1\n{huge + 1},1\n")
    assert import_benchmark([tmp_path / "plays.csv"], name="tiny").members == (str(huge), str(huge + 1))


@pytest.mark.parametrize("parted", [",", "\t", ";"])
@pytest.mark.parametrize("packed", [False, True])
def test_fields_may_be_parted_otherwise_and_the_file_be_compressed(tmp_path, parted, packed):
    data = LINES.replace(",", parted).encode("utf-8-sig")
    path = tmp_path / ("plays.csv.gz" if packed else "plays.csv")
    path.write_bytes(gzip.compress(data) if packed else data)
    assert import_benchmark([path], name="tiny").user_items.toarray().tolist() == [[3, 1], [2, 0]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Empty CSV"),
        ("user,artist\n", "a head and no lines"),
        ("1,2\n3,4\n", "named in the first line"),
        ("user,artist\n1,2\n,3\n", "'user' has 1 empty places"),
        ("user,artist\n1,2,3\n", "Expected 2 columns, got 3"),
        ("user,artist,plays\n1,2,nan\n", "leave such lines out, or the column"),
        ("user,artist,plays\n1,2,-3\n", "leave such lines out, or the column"),
    ],
)
def test_csv_that_makes_no_sense_is_refused_with_what_to_do(tmp_path, text, words):
    (tmp_path / "plays.csv").write_text(text)
    with pytest.raises(ConfigError, match=words):
        import_benchmark([tmp_path / "plays.csv"], name="tiny")


def test_artists_that_many_have_are_kept_and_users_without_any_are_not(tmp_path):
    rows = {"user": ["a", "a", "b", "b", "c", "c", "d"], "item": ["x", "y", "x", "z", "x", "z", "w"]}
    path = parquet(tmp_path, rows)
    top = import_benchmark([path], name="tiny", top_items=2)
    assert (top.members, top.artists.names) == (("a", "b", "c"), ("x", "z"))
    assert top.manifest.rules["top_items"] == 2
    often = import_benchmark([path], name="tiny", min_listeners=3)
    assert (often.members, often.artists.names) == (("a", "b", "c"), ("x",))
    ties = import_benchmark([path], name="tiny", top_items=3)
    assert ties.artists.names == ("w", "x", "z")  # w and y have one listener each; w comes first
    with pytest.raises(DatasetTooSmallError, match="no artist has 4 listeners, the most that one has is 3"):
        import_benchmark([path], name="tiny", min_listeners=4)


def test_events_of_artists_that_are_not_kept_are_left_out(tmp_path):
    rows = {"user": ["a", "b", "b"], "item": ["x", "x", "y"], "time": [1, 2, 3]}
    version = import_benchmark([parquet(tmp_path, rows)], name="tiny", top_items=1)
    row, column, plays, times = benchmark_events(tmp_path / "plays.parquet", version)
    assert [part.tolist() for part in (row, column, plays, times)] == [[0, 1], [0, 0], [1, 1], [1, 2]]


def test_pairs_of_another_file_are_placed_in_the_version(tmp_path):
    version = import_benchmark([parquet(tmp_path, {"user": ["a", "b"], "item": ["x", "y"]})], name="tiny")
    test = parquet(tmp_path, {"user": ["b", "who", "a"], "item": ["x", "x", "new"]}, "test.parquet")
    row, column, unknown = benchmark_targets(test, version)
    assert (row.tolist(), column.tolist(), unknown) == ([1, 0], [0, 2], 1)


def test_negatives_may_be_lists(tmp_path):
    version = import_benchmark([parquet(tmp_path, {"user": ["a", "b"], "item": ["1", "2"]})], name="tiny")
    path = parquet(tmp_path, {"user": ["b", "a"], "negatives": [[1, 9], [2]]}, "negatives.parquet")
    row, column, _ = benchmark_targets(path, version)
    assert (row.tolist(), column.tolist()) == ([1, 1, 0], [0, 2, 1])


@pytest.mark.parametrize("wrong", [{"top_items": 0}, {"top_items": -5}, {"min_listeners": 0}])
def test_no_artist_cannot_be_kept(tmp_path, wrong):
    with pytest.raises(ConfigError, match="each must be 1 or more"):
        import_benchmark([parquet(tmp_path, ROWS)], name="tiny", **wrong)
