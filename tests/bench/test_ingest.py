"""Taking in exports beside unzip and beside json + pandas: what is measured, not how fast it is."""

import json
import shutil
import sys

import pytest

from recsys.bench import by_hand, ingest
from recsys.bench.processes import timed
from recsys.errors import ConfigError


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    return ingest.run(3, 60, repeats=1, threads=1, out=folder), folder


def test_each_way_has_its_figures(report):
    rows, folder = report[0].table, report[1]
    inflating, ours, hand = rows
    assert [row["contestant"] for row in rows[1:]] == ["recsys ingest", "json + pandas loop"]
    assert inflating["to_inflating"] == hand["faster"] == 1
    assert ours["to_inflating"] == pytest.approx(ours["seconds"] / inflating["seconds"])
    assert ours["faster"] == pytest.approx(hand["seconds"] / ours["seconds"])
    assert ours["plays"] == pytest.approx(hand["plays"], rel=0.1)  # it keeps plays that two packages tell
    assert ours["peak_bytes"] > 20e6
    assert 0.1 < ours["processor_seconds"] < 60
    assert json.loads((folder / "ingest.json").read_text())["table"][1]["plays"] == ours["plays"]
    assert "MB of zips that hold" in (folder / "ingest.md").read_text()


def test_where_there_is_no_unzip_python_inflates(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    name, inflate = next(iter(ingest._contestants(1).items()))
    assert (name, inflate(tmp_path, tmp_path).seconds > 0) == ("zlib, inflating only", True)


def test_broken_exports_do_not_stop_the_loop_by_hand(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"<!doctype html>")
    assert by_hand.main(str(tmp_path), str(tmp_path / "out")) == 0


def test_a_command_that_fails_is_told():
    with pytest.raises(ConfigError, match="ended with 3: no luck"):
        timed([sys.executable, "-c", "import sys; sys.stderr.write('no luck'); sys.exit(3)"])


def test_the_memory_of_all_processes_counts():
    """Each of two holds 64 MB until it has been looked at a few times."""
    inner = "x = b'x' * (64 << 20); sum(range(30_000_000))"
    outer = f"import subprocess, sys; x = b'x' * (64 << 20); subprocess.run([sys.executable, '-c', {inner!r}])"
    assert timed([sys.executable, "-c", outer]).peak_bytes > 2 * (64 << 20)


def test_something_is_measured():
    with pytest.raises(ConfigError, match="give 1 or more"):
        ingest.run(0)
