"""The model that a run logs, asked over HTTP by somebody who knows only artists' names."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import NamedTuple

import pytest
from people import PURPOSE, admitted
from servers import running

from recsys.dataset import build
from recsys.experiment import Experiment, Outcome, run
from recsys.home import Home


class Served(NamedTuple):
    home: Path
    outcome: Outcome


TASTES = (("Óró", "Nocturne", "Ferrous"), ("Slow Tide", "Hollow Pines", "岡崎"))


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("home"))
    plays = {f"m{i}": [(artist, 60_000) for artist in TASTES[i % 2]] for i in range(40)}
    home.datasets.save(build(admitted(home.path, plays)))
    return Served(home.path, run(Experiment(purpose=PURPOSE, als={"factors": 4, "iterations": 5}), home))


@pytest.fixture(scope="module")
def server(served, tmp_path_factory):
    model = ("models", "serve", "-m", f"runs:/{served.outcome.run_id}/model", "--env-manager", "local")
    folder = tmp_path_factory.mktemp("server")
    with running(*model, folder=folder, alive="/ping", MLFLOW_TRACKING_URI=served.outcome.tracking_uri) as address:
        yield f"{address}/invocations"


def ask(server, question):
    request = urllib.request.Request(server, json.dumps(question).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["predictions"]


def test_a_posted_list_of_artists_is_answered(server):
    (answer,) = ask(server, {"dataframe_records": [{"artists": ["Óró", "nocturne", "Nobody"]}], "params": {"n": 1}})
    assert answer["artists"] == ["Ferrous"]
    assert answer["unknown"] == ["Nobody"]
    assert len(answer["scores"]) == 1


def test_several_listeners_are_answered_in_their_order(server):
    answers = ask(server, {"dataframe_split": {"columns": ["artists"], "data": [[["Slow Tide"]], [["Óró"]]]}})
    assert set(answers[0]["artists"][:2]) == {"Hollow Pines", "岡崎"}
    assert set(answers[1]["artists"][:2]) == {"Nocturne", "Ferrous"}


def test_a_tracking_server_keeps_runs_as_the_folder_does(served, tmp_path):
    """The team's story: everybody's runs on one server, named by the environment."""
    store = ("server", "--backend-store-uri", f"sqlite:///{tmp_path / 'server.db'}")
    kept = ("--artifacts-destination", str(tmp_path / "kept"))
    with running(*store, *kept, folder=tmp_path, alive="/health") as address:
        environment = {**os.environ, "MLFLOW_TRACKING_URI": address, "RECSYS_HOME": str(served.home)}
        command = [sys.executable, "-m", "recsys"]
        trained, tested = (
            json.loads(
                subprocess.run([*command, *words, "--json"], capture_output=True, check=True, env=environment).stdout
            )
            for words in (("train", "--factors", "4"), ("evaluate",))
        )
    assert trained["tracking_uri"] == address
    assert tested["run_id"] == trained["run_id"]
    assert tested["als"] == trained["als"]
    assert (tmp_path / "kept").is_dir()
