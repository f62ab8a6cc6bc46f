import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.als import ALS, Objective
from recsys.bench import als, contestants, floor
from recsys.bench.contestants import CONTESTANTS
from recsys.bench.shapes import Shape, confidence_of, plays_like_music
from recsys.bench.worker import Order, ask, store
from recsys.errors import ConfigError, RecsysError

TINY = plays_like_music(Shape("tiny", 300, 200, 6_000))


@pytest.fixture
def folder(tmp_path):
    store(confidence_of(TINY), tmp_path)
    return str(tmp_path)


def losses(folder, name, sweeps=4, factors=6):
    found = ask(Order(name, folder, "trace", factors, 0.1, sweeps, 2, 0))
    assert [point.seconds for point in found.points] == sorted(point.seconds for point in found.points)
    return {point.sweep: point.loss for point in found.points}


@pytest.mark.parametrize("name", ["recsys", "implicit"])
def test_a_run_reports_every_sweep(folder, name):
    found = losses(folder, name)
    assert list(found) == [1, 2, 3, 4]
    assert sorted(found.values(), reverse=True) == list(found.values())


def test_all_minimise_the_same_loss_from_the_same_start(folder):
    """irspack takes implicit's very steps; ours and cmfrec's lead to the same valley."""
    theirs = losses(folder, "implicit", 30)
    assert losses(folder, "irspack", 30) == pytest.approx(theirs, rel=1e-3)
    assert losses(folder, "recsys", 30)[30] == pytest.approx(theirs[30], rel=0.05)
    cmfrec = losses(folder, "cmfrec", 30)
    assert list(cmfrec) == [10, 20, 30]
    assert cmfrec[30] == pytest.approx(theirs[30], rel=0.1)


def test_the_loss_is_that_of_the_objective(folder):
    """One sweep from the same start, taken and evaluated here."""
    confidence = confidence_of(TINY)
    rng = np.random.default_rng(0)
    start = tuple(np.float32(0.01) * rng.random((n, 6), dtype=np.float32) for n in confidence.shape)
    model = ALS(factors=6, regularization=0.1, iterations=1).fit(confidence, start=start).model_
    again = Objective(regularization=0.1).loss(confidence, model.user_factors, model.item_factors)
    assert losses(folder, "recsys", 1)[1] == pytest.approx(again, rel=1e-9)


def test_time_runs_know_their_last_loss_and_memory_runs_none(folder):
    timed = ask(Order("recsys", folder, "time", 6, 0.1, 3, 2, 0))
    assert [point.loss is None for point in timed.points] == [True, True, False]
    weighed = ask(Order("recsys", folder, "memory", 6, 0.1, 9, 2, 0))
    assert len(weighed.points) == 3
    assert weighed.peak_bytes > 0


def test_a_run_that_fails_says_why(folder):
    with pytest.raises(RecsysError, match=r"recsys did not finish with 0 factors: .*factors"):
        ask(Order("recsys", folder, "time", 0, 0.1, 3, 2, 0))


def test_from_a_parquet_file_to_a_saved_report(tmp_path, monkeypatch):
    monkeypatch.setattr(floor, "_SQUARE", 128)
    monkeypatch.setattr(floor, "_COPY_BYTES", 1 << 20)
    pairs = TINY.tocoo()
    data = pa.table({"user": pairs.row, "artist": pairs.col, "plays": pairs.data})
    pq.write_table(data, tmp_path / "tiny.parquet")
    told = []
    report = als.run(
        str(tmp_path / "tiny.parquet"), [4], ["implicit"], repeats=2, sweeps=3, date="2020-02-02", out=tmp_path,
        progress=told.append,
    )  # fmt: skip
    assert [(row["factors"], row["contestant"]) for row in report.table] == [(4, "recsys"), (4, "implicit")]
    content = json.loads((tmp_path / "als-tiny.json").read_text())
    assert content["table"] == report.table
    assert content["about"]["pairs"] == 6_000
    assert {"cpu", "implicit", "python", "date", "sgemm"} <= content["about"].keys()
    assert len(content["curves"]) == 2
    assert told[0].startswith("making")
    assert "4 factors, turn 2 of 2: implicit" in told


def test_who_is_not_known_is_refused():
    with pytest.raises(ConfigError, match="nobody to compare with is called 'lightfm'; take of recsys, implicit"):
        als.run("S", [8], ["lightfm"])


def test_who_is_not_installed_is_told_how_to_get(monkeypatch):
    monkeypatch.setitem(CONTESTANTS, "implicit", contestants.Contestant("no-such-package", "nothing", None))
    with pytest.raises(ConfigError, match=r"no-such-package is not installed.*pip install 'recsys\[bench\]'"):
        als.run("S", [8], ["implicit"])


@pytest.mark.parametrize("bad", [{"factors": []}, {"factors": [0]}, {"repeats": 0}, {"sweeps": 0}, {"threads": 0}])
def test_a_benchmark_measures_something(bad):
    with pytest.raises(ConfigError, match="give 1 or more"):
        als.run("S", **{"factors": [8], **bad})


def test_importing_the_bench_loads_no_peer():
    look = "import sys, recsys.bench.als; print({'implicit', 'irspack', 'cmfrec'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", look], capture_output=True, check=True).stdout.strip() == b"set()"
