import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.dataset import PUBLIC_BENCHMARK, import_benchmark
from recsys.errors import ConfigError

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
