"""The model that a run logs, asked over HTTP by somebody who knows only artists' names."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from people import PURPOSE, admitted

from recsys.dataset import build
from recsys.experiment import Experiment, run
from recsys.home import Home

TASTES = (("Óró", "Nocturne", "Ferrous"), ("Slow Tide", "Hollow Pines", "岡崎"))


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("home"))
    plays = {f"m{i}": [(artist, 60_000) for artist in TASTES[i % 2]] for i in range(40)}
    home.datasets.save(build(admitted(home.path, plays)))
    return run(Experiment(purpose=PURPOSE, als={"factors": 4, "iterations": 5}), home)


@pytest.fixture(scope="module")
def server(outcome, tmp_path_factory):
    """Start the real server on a free port of the loopback, and end it afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path_factory.mktemp("log") / "server.log").open("wb")
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", f"runs:/{outcome.run_id}/model"]
    process = subprocess.Popen(
        [*command, "--env-manager", "local", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
        env={**os.environ, "MLFLOW_TRACKING_URI": outcome.tracking_uri},
        stdout=log,
        stderr=log,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/ping", process)
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        process.terminate()
        process.wait()
        log.close()


def wait_for(url, process):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            continue
        return
    pytest.fail("the model server did not come up")


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
