import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.als import ALSModel
from recsys.bench import floor, serving
from recsys.bench.shapes import Shape, plays_like_music
from recsys.errors import ConfigError


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.setattr(floor, "_SQUARE", 128)
    monkeypatch.setattr(floor, "_COPY_BYTES", 1 << 20)
    pairs = plays_like_music(Shape("tiny", 300, 200, 6_000)).tocoo()
    pq.write_table(pa.table({"user": pairs.row, "artist": pairs.col, "plays": pairs.data}), tmp_path / "tiny.parquet")
    return str(tmp_path / "tiny.parquet")


def test_lists_are_timed_and_agree(tiny, tmp_path):
    report = serving.topk(tiny, [4, 6], places=10, repeats=2, date="2020-02-02", out=tmp_path)
    assert [(row["factors"], row["contestant"]) for row in report.table] == [
        (4, "recsys"), (4, "implicit"), (6, "recsys"), (6, "implicit"),
    ]  # fmt: skip
    assert all(row["seconds"] >= row["seconds_best"] > 0 and row["floor_ratio"] > 0 for row in report.table)
    assert [row["ratio"] for row in report.table[1::2]] == [1, 1]
    assert len(report.notes) == 1
    assert (tmp_path / "topk-tiny.md").read_text().startswith("## Top 10 for 300 users on tiny")


def test_lists_that_differ_are_told(tiny, monkeypatch):
    right = ALSModel.recommend

    def wrong(self, userid, user_items, N):
        ids, scores = right(self, userid, user_items, N=N)
        return ids, scores + np.float32(0.1)

    monkeypatch.setattr(ALSModel, "recommend", wrong)
    report = serving.topk(tiny, [4], places=10, repeats=1)
    assert report.notes[1].startswith("LISTS DO NOT AGREE: with 4 factors")


def test_lists_longer_than_what_is_left_are_compared_where_both_name_an_item(tiny):
    assert len(serving.topk(tiny, [4], places=200, repeats=1).notes) == 1


def test_members_are_folded_in_exactly(tiny, tmp_path):
    report = serving.foldin(tiny, [4], members=500, repeats=1, out=tmp_path)
    ours, theirs = report.table
    assert ours["error"] < 1e-5
    assert theirs["error"] < 1e-3
    assert (tmp_path / "foldin-tiny.json").exists()


@pytest.mark.parametrize("ask", [serving.topk, serving.foldin])
def test_something_is_measured(ask):
    with pytest.raises(ConfigError, match="0 repeats with 2 threads measure nothing"):
        ask("S", [4], repeats=0)
