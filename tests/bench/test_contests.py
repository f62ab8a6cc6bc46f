import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.bench.contests import report_of
from recsys.cli import app
from recsys.experiment.contest import Plan, contest
from recsys.experiment.stated import Stated
from recsys.home import Home


@pytest.fixture(scope="module")
def interactions(tmp_path_factory):
    rng = np.random.default_rng(1)
    user, item = np.nonzero((rng.random((200, 30)) < 0.4) & (np.indices((200, 30)).sum(axis=0) % 2 == 0))
    path = tmp_path_factory.mktemp("data") / "camps.parquet"
    pq.write_table(pa.table({"user": user, "item": item}), path)
    return path


def test_the_table_has_figures_marks_choices_and_what_others_stated(interactions, tmp_path):
    outcome = contest(interactions, Plan(models=["itemknn-cosine", "popularity"], seconds=1), Home(tmp_path / "home"))
    stated = [Stated("iALS", "a paper", {"ndcg_at_100": 0.25})]
    report = report_of(outcome, command="recsys compare", date="2030-01-01", stated=stated)
    report.save(tmp_path, "camps")
    told = json.loads((tmp_path / "camps.json").read_text())
    assert [row["model"] for row in told["table"]] == ["item-kNN, cosine", "popularity", "iALS (a paper)"]
    first = outcome.contest.entries[0].scores["ndcg_at_100"]
    assert told["table"][0]["ndcg_at_100"] == {"mean": first.mean, "low": first.low, "high": first.high}
    assert [row["touches"] for row in told["table"][:2]] == [1, 1]
    assert told["about"]["dataset_version"] == outcome.version.digest
    page = (tmp_path / "camps.md").read_text()
    assert f"| item-kNN, cosine | {first.mean:.4f} [{first.low:.4f}, {first.high:.4f}] |" in page
    assert "| iALS (a paper) | 0.2500 | - |" in page
    assert "item-kNN, cosine: weighting " in page
    assert "command recsys compare" in page
    behind = outcome.contest.comparisons[0]
    assert f"{-behind.difference.mean:+.4f}**" in page


def test_a_stranger_gets_a_table_and_keeps_it(interactions, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "others.toml").write_text('[[stated]]\nmodel = "iALS"\nsource = "a paper"\nndcg_at_100 = 0.25\n')
    options = ["--models", "itemknn-cosine,popularity", "--budget", "1s", "--beside", "others.toml", "--save", "out"]
    app(["compare", "--data", str(interactions), "--home", "home", *options], result_action="return_value")
    printed = capsys.readouterr().out
    assert "iALS: stated by a paper" in printed
    assert "stated" in printed
    assert (tmp_path / "out" / "camps.md").read_text().startswith("## strong generalization")
    assert json.loads((tmp_path / "out" / "camps.json").read_text())["about"]["command"].startswith("recsys")
