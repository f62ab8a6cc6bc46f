import json
import os
import subprocess
import sys

import mlflow
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from people import admitted

from recsys.als import ALS
from recsys.dataset import DatasetStore, build
from recsys.errors import RunNotFoundError, VersionBrokenError, VersionNotFoundError
from recsys.models import Weighting
from recsys.named import NamedModel
from recsys.tracking import DatasetVersionSource, Tracker, VersionDataset

SONG = [("Óró", 60_000), ("Nocturne", 40_000)]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def version(home):
    return build(admitted(home, dict.fromkeys(("ada", "bob", "cyd"), SONG)), min_listeners=2)


@pytest.fixture(scope="module")
def path(home, version):
    return DatasetStore(home / "datasets").save(version)


@pytest.fixture(scope="module")
def named(version):
    model = ALS(factors=2, iterations=2).fit(version.user_items).model_
    return NamedModel(model, version.artists, Weighting.plain("log"), 3.0)


@pytest.fixture(scope="module")
def run_id(home, version, path, named):
    with Tracker(home).run(version, path, name="a run", params={"seed": 3}) as run:
        run.sweep(1, {"loss": 2.0})
        run.sweep(2, {"loss": 1.0})
        run.metrics({"ndcg_at_100": 0.5})
        run.document("evaluation.json", {"so": "it was"})
        run.picture("loss.png", Figure())
        run.model(named)
    return run.id


def test_a_run_gives_back_the_exact_version_it_used(run_id, version):
    run = mlflow.get_run(run_id)
    dataset = run.inputs.dataset_inputs[0].dataset
    assert dataset.digest == f"sha256:{version.digest[:29]}"
    assert run.data.tags["recsys.dataset_digest"] == version.digest
    found = mlflow.data.get_source(run.inputs.dataset_inputs[0]).load()
    assert found.digest == version.digest
    assert (found.user_items != version.user_items).nnz == 0


def test_what_mlflow_shows_of_a_version(version, path):
    shown = VersionDataset(version, path).to_dict()
    assert shown["name"] == "consented-train-recommender"
    assert len(shown["digest"]) == 36
    assert json.loads(shown["profile"])["members"] == 3
    assert "member" in shown["schema"]


def test_a_source_survives_json_and_a_mere_path_is_not_taken_for_one(path, version):
    source = DatasetVersionSource(str(path), version.digest)
    assert DatasetVersionSource.from_json(source.to_json()).to_dict() == source.to_dict()
    assert not DatasetVersionSource._can_resolve(str(path))
    with pytest.raises(NotImplementedError, match="no dataset version"):
        DatasetVersionSource._resolve(str(path))


def test_a_version_that_moved_is_found_in_the_home_of_the_environment(home, version, path, monkeypatch):
    assert path.is_dir()
    elsewhere = DatasetVersionSource("/nowhere/datasets/" + version.digest, version.digest)
    with pytest.raises(VersionNotFoundError):
        elsewhere.load()
    monkeypatch.setenv("RECSYS_HOME", str(home))
    assert elsewhere.load().digest == version.digest


def test_a_version_that_was_changed_is_refused(tmp_path, version):
    folder = DatasetStore(tmp_path).save(version)
    (folder / "artists.parquet").write_bytes(b"")
    with pytest.raises(VersionBrokenError):
        DatasetVersionSource(str(folder), version.digest).load()


def test_loss_metrics_params_and_pictures_are_kept(run_id):
    client = mlflow.MlflowClient()
    run = mlflow.get_run(run_id)
    assert [(m.step, m.value) for m in client.get_metric_history(run_id, "loss")] == [(1, 2.0), (2, 1.0)]
    assert run.data.params == {"seed": "3"}
    assert {file.path for file in client.list_artifacts(run_id)} >= {"evaluation.json", "loss.png"}


def test_nothing_is_written_to_mlruns(home, run_id):
    assert (home / "mlflow.db").exists()
    assert not (home / "mlruns").exists()
    assert run_id


def test_the_logged_model_answers_and_holds_no_listeners_factors(home, run_id):
    found = Tracker(home).find(run_id)
    assert found.model().recommend(["Óró"], 1).artists[0][0] == "Nocturne"
    served = mlflow.pyfunc.load_model(f"runs:/{run_id}/model")
    answer = served.predict(pd.DataFrame({"artists": [["Óró", "Nobody"]]}), params={"n": 1})
    assert answer["artists"][0] == ["Nocturne"]
    assert answer["unknown"][0] == ["Nobody"]


def test_the_latest_run_is_found_and_one_that_is_not_there_is_not(home, run_id):
    assert Tracker(home).find().id == run_id
    for name in ("f" * 32, "it's", "' or 1=1"):
        with pytest.raises(RunNotFoundError):
            Tracker(home).find(name)


def test_a_home_without_runs_says_what_to_do(tmp_path):
    with pytest.raises(RunNotFoundError, match="recsys train"):
        Tracker(tmp_path / "new").find()


def test_a_run_whose_process_died_is_closed_by_the_next(tmp_path, version):
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from recsys.dataset import DatasetStore\n"
        "from recsys.tracking import Tracker\n"
        "store = DatasetStore(Path(sys.argv[1]) / 'datasets')\n"
        "version = store.load(store.digests()[0])\n"
        "with Tracker(Path(sys.argv[1])).run(version, store.path(version.digest), name='x', params={}) as run:\n"
        "    print(run.id, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    folder = DatasetStore(tmp_path / "datasets").save(version)
    died = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False, env={**os.environ}
    )
    orphan = died.stdout.strip()
    tracker = Tracker(tmp_path)
    with tracker.run(version, folder, name="next", params={}) as run:
        assert mlflow.get_run(orphan).info.status == "KILLED"
    assert tracker.find().id == run.id


def test_a_run_that_fails_is_not_taken_for_a_finished_one(tmp_path, version):
    folder = DatasetStore(tmp_path / "datasets").save(version)
    tracker = Tracker(tmp_path)
    with pytest.raises(RuntimeError), tracker.run(version, folder, name="x", params={}):
        raise RuntimeError
    with pytest.raises(RunNotFoundError):
        tracker.find()


def test_importing_mlflow_first_loads_our_source_without_complaint():
    script = (
        "import warnings; warnings.simplefilter('error', UserWarning)\n"
        "import mlflow.data, sys\n"
        "from mlflow.data.dataset_source_registry import get_registered_sources as found\n"
        "assert 'recsys_dataset_version' in [source._get_source_type() for source in found()]\n"
        "assert 'recsys.dataset' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_named_model_is_the_same_after_saving_and_loading(tmp_path, named):
    named.save(tmp_path / "model")
    again = NamedModel.load(tmp_path / "model")
    assert np.array_equal(again.model.item_factors, named.model.item_factors)
    assert (again.artists, again.weighting.kind, again.typical_plays) == (named.artists, "log", 3.0)
