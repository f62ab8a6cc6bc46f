"""The table of additions on planted data: what helps is kept, what does not is not."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.bench import cold
from recsys.bench.ablation import run
from recsys.errors import ConfigError, DatasetTooSmallError

KINDS = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Everybody changes taste half-way; each item's twin is had by the same people; tags say what kind an item is."""
    rng = np.random.default_rng(6)
    folder = tmp_path_factory.mktemp("planted")
    user, item, time = [], [], []
    for one in range(180):
        for half in range(2):
            liked = np.flatnonzero(
                rng.random(40) < np.where(np.arange(40) % KINDS == (one + 3 * half) % KINDS, 0.7, 0.02)
            )
            user += [one] * (2 * len(liked))
            item += [*liked, *(liked + 40)]
            time += [1_000 * half + int(t) for t in rng.integers(0, 100, 2 * len(liked))]
    pairs = {"user": user, "item": [f"i{i}" for i in item], "plays": rng.integers(1, 90, len(user)).tolist()}
    pq.write_table(pa.table(pairs), folder / "planted.parquet")
    pq.write_table(pa.table({**pairs, "time": time}), folder / "timed.parquet")
    names = [f"i{i}" for i in range(80)]
    tags = {"item": names, "tags": [f"music|kind{int(n[1:]) % 40 % KINDS}" for n in names]}
    pq.write_table(pa.table(tags), folder / "tags.parquet")
    return folder


@pytest.fixture(scope="module")
def report(folder):
    made = run(folder / "timed.parquet", seconds=3_600, max_trials=2, judges=90, date="today", out=folder / "out")
    told = json.loads((folder / "out" / "ablation-timed.json").read_text())
    assert [row["model"] for row in told["table"]] == [row["model"] for row in made.table]
    assert "NDCG@100" in (folder / "out" / "ablation-timed.md").read_text()
    return made


def test_each_addition_has_its_row_and_is_kept_only_above_doubt(report):
    names = [row["model"] for row in report.table]
    assert [name for name in names if name.startswith("+")] == [
        "+ regularization by frequency",
        "+ shaped confidence",
        "+ more factors",
        "+ neighbours",
    ]
    assert names[-3:] == ["EASE", "recency, targets by lot", "recency, the latest fifth is the target"]
    first, *others = report.table
    assert (first["kept"], first["gain"]) == ("yes", None)
    for row in others:
        low, high = row["gain_interval"]
        assert low <= row["gain"] <= high
        assert row["kept"] in ({"yes"} if low > 0 else {"no", None})
        assert row["trials"] >= 1


def test_a_gain_is_that_over_the_last_row_that_was_kept(report):
    kept = report.table[0]
    for row in report.table[1:6]:
        assert row["gain"] == pytest.approx(row["figure"] - kept["figure"])
        kept = row if row["kept"] == "yes" else kept


def test_recent_listens_tell_the_future_of_those_who_change(report):
    assert report.table[-1]["kept"] == "yes"
    assert report.table[-1]["gain"] > report.table[-2]["gain"]


def test_without_times_there_is_no_word_of_recency(folder):
    names = [row["model"] for row in run(folder / "planted.parquet", max_trials=1, judges=40).table]
    assert names[-1] == "EASE"


def test_too_few_listeners_are_refused(tmp_path):
    pq.write_table(pa.table({"user": [1, 2], "item": [1, 1]}), tmp_path / "few.parquet")
    with pytest.raises(DatasetTooSmallError, match="give 50 or more"):
        run(tmp_path / "few.parquet")
    pq.write_table(pa.table({"item": [1], "tags": ["a"]}), tmp_path / "tags.parquet")
    with pytest.raises(DatasetTooSmallError, match="there must be 10 of both"):
        cold.run(tmp_path / "few.parquet", tmp_path / "tags.parquet")


def test_tags_find_artists_whom_nobody_heard(folder):
    report = cold.run(folder / "planted.parquet", folder / "tags.parquet", factors=16, out=folder / "out")
    lot, likeness, factors = report.table
    assert likeness["figure"] > lot["figure"] + 0.1
    assert factors["figure"] > lot["figure"] + 0.2
    assert report.about["tags"] == KINDS + 1
    assert (folder / "out" / "cold-planted.md").exists()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"item": ["i1"], "colour": ["red"]}, "item and tags are needed"),
        ({"item": ["x"], "tags": ["rock"]}, "no tags of the artists"),
        (None, "neither a Parquet nor a CSV"),
    ],
)
def test_tags_that_are_none_are_refused(folder, tmp_path, table, message):
    path = tmp_path / "tags.parquet"
    if table:
        pq.write_table(pa.table(table), path)
    else:
        path.write_bytes(b"no table")
    with pytest.raises(ConfigError, match=message):
        cold.run(folder / "planted.parquet", path)
