import json

import pytest

from recsys.bench.evaluation import run
from recsys.errors import ConfigError


def test_the_table_has_both_times_and_their_ratio(tmp_path):
    report = run("S", 8, users=50, repeats=1, threads=1, out=tmp_path)
    product, evaluation = report.table
    assert product["ratio"] == 1
    assert evaluation["ratio"] == pytest.approx(evaluation["seconds"] / product["seconds"])
    assert json.loads((tmp_path / "evaluation-S.json").read_text())["about"]["users"] == 10_000
    assert "50 users and 20,000 items" in report.title


@pytest.mark.parametrize("wrong", [{"users": 0}, {"factors": 0}, {"repeats": 0}])
def test_nothing_cannot_be_measured(wrong):
    with pytest.raises(ConfigError, match="must be 1 or more"):
        run("S", **{"factors": 8, **wrong})
