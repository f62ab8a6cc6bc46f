import json

import pytest

from recsys.bench.pages import run
from recsys.bench.room import names
from recsys.errors import ConfigError


def test_the_pages_are_asked_over_real_connections(tmp_path):
    told = []
    report = run(300, 4, rate=20, seconds=1, out=tmp_path, progress=told.append)
    assert [row["requests"] for row in report.table[3:]] == [20, 20]
    for row in report.table:
        assert 0 < row["median_ms"] <= row["late_ms"] * 1.001
        assert row["processor_ms"] >= 0
        assert row["rate"] > 0
    assert "300 artists" in report.title
    assert json.loads((tmp_path / "pages.json").read_text())["table"] == report.table
    assert told[0].startswith("making")


@pytest.mark.parametrize("wrong", [{"artists": 5}, {"factors": 0}, {"rate": 0}, {"seconds": 0}])
def test_nothing_cannot_be_asked(wrong):
    with pytest.raises(ConfigError, match="must be 1 or more"):
        run(**{"artists": 300, "factors": 4, **wrong})


def test_made_up_names_are_each_one_artist():
    made = names(5_000, 0)
    assert len(made) == len(set(made)) == 5_000
    assert made == names(5_000, 0)
