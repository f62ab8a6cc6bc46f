import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.errors import ModelInvalidError
from recsys.experiment import load_experiment, report_run, run
from recsys.experiment.run import SPLIT, choose_version, divide, split_of
from recsys.home import Home
from recsys.tracking import Tracker


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    rng = np.random.default_rng(1)
    user, item = np.nonzero(rng.random((60, 20)) < 0.4)
    folder = tmp_path_factory.mktemp("data")
    pq.write_table(
        pa.table({"user": user, "artist": item, "plays": rng.integers(1, 9, len(user))}), folder / "c.parquet"
    )
    (folder / "run.toml").write_text('files = ["c.parquet"]\nfactors = 4\niterations = 2\nseed = 3\n')
    home, experiment = Home(folder / "home"), load_experiment(folder / "run.toml", {})
    outcome = run(experiment, home)
    return outcome, Tracker(home.path).find(outcome.run_id), experiment, choose_version(experiment, home)


def test_the_split_is_stored_with_the_run_and_names_no_member(trained):
    outcome, found, experiment, version = trained
    told = json.loads(found.document(SPLIT))
    split = divide(experiment, version)
    assert told["dataset_version"] == outcome.version
    assert told["seed"] == 3
    assert told["test"]["users"] == split.test.users.tolist()
    assert told["validation"]["users"] == split.validation.users.tolist()
    assert not any(member in json.dumps(told["test"]["users"]) for member in version.members if len(member) > 9)


def test_a_run_is_tested_again_on_the_listeners_that_are_stored(trained, monkeypatch):
    """Another way of drawing makes no difference to a run that has been."""

    outcome, found, _, version = trained

    def other(*_):
        raise AssertionError("drawn anew")

    monkeypatch.setattr(sys.modules["recsys.experiment.run"], "divide", other)
    again = report_run(found, version).findings.finding
    assert again.as_dict() == outcome.scores.as_dict()


def test_a_split_that_does_not_match_is_refused(trained, monkeypatch):
    _, found, _, version = trained
    told = json.loads(found.document(SPLIT))
    told["test"]["users"][0] = next(row for row in range(60) if row not in told["test"]["users"])
    monkeypatch.setattr(type(found), "document", lambda _self, _name: json.dumps(told).encode())
    with pytest.raises(ModelInvalidError, match="does not fit dataset version"):
        report_run(found, version)


def test_a_run_without_a_stored_split_is_divided_by_its_seed(trained, monkeypatch):
    _, found, experiment, version = trained
    monkeypatch.setattr(type(found), "document", lambda _self, _name: None)
    assert np.array_equal(split_of(found, version).test.users, divide(experiment, version).test.users)
