"""The newcomer's story: one command, and the table is right."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import mlflow
import numpy as np
import pyarrow.parquet as pq
import pytest

from recsys.dataset import DatasetStore
from recsys.synthetic import SECRETS
from recsys.tracking import Tracker

MEMBERS = 160
COMMAND = [sys.executable, "-m", "recsys"]


def play(home, *more):
    done = subprocess.run(
        [*COMMAND, "demo", "--home", str(home), "--members", str(MEMBERS), "--json", *more],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("demo") / "home"


@pytest.fixture(scope="module")
def told(home):
    return play(home, "--threads", "1")


def test_everybody_is_accounted_for(told):
    assert told["members"] == MEMBERS
    assert told["admitted"] + told["broken_exports"] + sum(told["refused"].values()) == MEMBERS
    assert told["broken_exports"] == 2
    assert set(told["refused"]) == {"never given", "expired", "withdrawn"}
    assert told["counts"]["members"] == told["admitted"]


def test_who_is_refused_is_who_did_not_agree(told, home):
    decisions = [json.loads(line) for line in (home / "demo" / "consents.jsonl").read_text().splitlines()]
    withdrew = {one["member"] for one in decisions if one["kind"] == "withdraw"}
    said = {one["member"] for one in decisions}
    exports = {path.stem for path in (home / "demo" / "exports").iterdir()}
    broken = {f"member-{index:05}" for index in (50, 150)}
    assert told["refused"]["withdrawn"] == len(withdrew - broken)
    assert told["refused"]["never given"] == len(exports - said - broken)


def test_the_model_beats_popularity_beyond_doubt(told):
    for name, score in told["als"]["metrics"].items():
        assert score["low"] > 1.2 * told["popularity"]["metrics"][name]["mean"], name


def test_the_run_names_the_version_and_gives_it_back(told, home):
    found = Tracker(home).find(told["run_id"])
    assert found.dataset_digest == told["dataset_version"]
    run = mlflow.get_run(told["run_id"])
    version = mlflow.data.get_source(run.inputs.dataset_inputs[0]).load()
    assert version.digest == told["dataset_version"]
    assert version.user_items.shape[0] == told["admitted"]
    losses = [point.value for point in mlflow.MlflowClient().get_metric_history(told["run_id"], "loss")]
    assert len(losses) > 5
    assert losses == sorted(losses, reverse=True)
    assert run.data.metrics["ndcg_at_100"] == pytest.approx(told["als"]["metrics"]["ndcg_at_100"]["mean"])


def test_the_same_seed_gives_the_same_version_and_bits_whatever_the_threads(told, tmp_path):
    again = play(tmp_path / "other", "--threads", "2")
    assert again["dataset_version"] == told["dataset_version"]
    assert again["factors_sha256"] == told["factors_sha256"]
    assert again["als"] == told["als"]


def test_another_seed_gives_another_collective(told, tmp_path):
    assert play(tmp_path, "--seed", "1")["dataset_version"] != told["dataset_version"]


def test_playing_again_reads_nothing_twice_and_changes_nothing(told, home):
    again = play(home)
    assert again["dataset_version"] == told["dataset_version"]
    assert again["factors_sha256"] == told["factors_sha256"]
    assert len(DatasetStore(home / "datasets").digests()) == 1


def test_another_collective_is_not_played_over_this_one(told, home):
    assert told
    done = subprocess.run(
        [*COMMAND, "demo", "--home", str(home), "--members", "70"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "another folder" in done.stderr


def test_two_demos_at_once_in_one_folder_come_to_the_same(told, tmp_path):
    command = [*COMMAND, "demo", "--home", str(tmp_path / "home"), "--members", str(MEMBERS), "--json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], answers
    for answer, _ in answers:
        assert json.loads(answer)["dataset_version"] == told["dataset_version"]
        assert json.loads(answer)["factors_sha256"] == told["factors_sha256"]


def reached(home, stage):
    """Tell whether a demo has come as far as a stage."""
    match stage:
        case "exports":
            return len(list((home / "demo" / "exports").glob("*.zip"))) > MEMBERS // 3
        case "contributions":
            return len(list((home / "contributions").glob("*/*"))) > MEMBERS // 3
        case "ledger":
            return (home / "ledger.head").exists()
        case "version":
            return (home / "datasets").exists()
        case _:
            return (home / "mlflow.db").exists()


@pytest.mark.parametrize("stage", ["exports", "contributions", "ledger", "version", "training"])
def test_a_demo_killed_anywhere_loses_nothing(told, tmp_path, stage):
    home = tmp_path / "home"
    victim = subprocess.Popen(
        [*COMMAND, "demo", "--home", str(home), "--members", str(MEMBERS)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not reached(home, stage) and victim.poll() is None and time.monotonic() < deadline:
        os.sched_yield()
    with suppress(ProcessLookupError):  # it may have come to its end
        os.killpg(victim.pid, signal.SIGKILL)
    victim.wait()
    again = play(home)
    assert again["dataset_version"] == told["dataset_version"]
    assert again["factors_sha256"] == told["factors_sha256"]
    assert again["admitted"] == told["admitted"]


def everything_in(path):
    """Give a file's bytes, and of a Parquet file also what its compression hides."""
    data = path.read_bytes()
    if path.suffix == ".parquet":
        data += repr(pq.read_table(path).to_pydict()).encode() + repr(pq.read_metadata(path).metadata).encode()
    return data


def test_no_secret_of_an_export_is_anywhere_in_the_state(told, home):
    assert told
    files = [path for path in home.rglob("*") if path.is_file() and (home / "demo") not in path.parents]
    assert len(files) > MEMBERS
    for path in files:
        data = everything_in(path)
        assert not [secret for secret in (*SECRETS, b"member-0") if secret in data], path


def test_factors_of_listeners_are_in_no_artifact(told, home):
    found = Tracker(home).find(told["run_id"]).model()
    assert found.model.user_factors.shape[0] == 0
    assert np.isfinite(found.model.item_factors).all()
