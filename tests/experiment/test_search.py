from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.experiment import load_experiment, run
from recsys.experiment.run import choose_version, divide
from recsys.experiment.search import search
from recsys.home import Home


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    rng = np.random.default_rng(1)
    user, item = np.nonzero((rng.random((200, 30)) < 0.4) & (np.indices((200, 30)).sum(axis=0) % 2 == 0))
    folder = tmp_path_factory.mktemp("data")
    pq.write_table(
        pa.table({"user": user, "artist": item, "plays": rng.integers(1, 9, len(user))}), folder / "c.parquet"
    )
    path = folder / "run.toml"
    path.write_text('name = "a \\"quoted\\" run"\nfiles = ["c.parquet"]\nseed = 3\nfactors = 4\n')
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module", params=["als", "als+items"])
def found(request, config, home):
    return search(load_experiment(config, {}), home, model=request.param, seconds=2)


def test_what_is_written_is_what_was_found_wherever_it_is_put(found, tmp_path, config, monkeypatch):
    monkeypatch.chdir(config.parent)
    relative = replace(found.experiment, files=("c.parquet",))
    assert replace(found, experiment=relative).to_toml() == found.to_toml()
    path = tmp_path / "tuned.toml"
    path.write_text(found.to_toml(), encoding="utf-8")
    again = load_experiment(path, {})
    assert again == found.experiment
    assert again.als["factors"] == found.tuned.params["factors"]
    assert again.confidence == found.tuned.params["weighting"]
    assert again.neighbours == found.tuned.params.get("neighbours", 0)


def test_training_with_it_reaches_what_was_found_on_validation(found, home):
    from recsys.evaluation import NDCG, evaluate  # noqa: PLC0415
    from recsys.experiment.run import train  # noqa: PLC0415

    version = choose_version(found.experiment, home)
    trained = train(found.experiment, version)
    assert (trained.split.test.users == divide(found.experiment, version).test.users).all()
    reached = evaluate(trained.named.recommender, trained.split.validation, [NDCG(100)])["ndcg_at_100"].mean
    assert reached == pytest.approx(found.tuned.value, abs=1e-6)
    assert run(found.experiment, home).scores["ndcg_at_100"].mean > 0


def test_every_trial_is_a_run_inside_the_searchs_run_and_names_the_version(found):
    import mlflow  # noqa: PLC0415 - the tracking room has set it up

    runs = mlflow.search_runs(search_all_experiments=True, output_format="list")
    inside = [one for one in runs if one.data.tags.get("mlflow.parentRunId") == found.run_id]
    assert 0 < len(inside) <= found.tuned.trials
    assert {one.data.tags["recsys.dataset_digest"] for one in inside} == {found.version}
    assert max(one.data.metrics["validation_ndcg_at_100"] for one in inside) <= found.tuned.value + 1e-12
