"""The story of a member who leaves, told by commands: what they are told, what is left, and who can check it."""

import json

import pytest

from recsys.cli import app
from recsys.cli.exits import UNSOUND, explained
from recsys.home import Home
from recsys.synthetic import make_collective

AT = ("--at", "2026-01-15T12:00:00Z")
LATER = ("--at", "2026-01-20T12:00:00Z")
CONFIG = ("--factors", "8", "--iterations", "3", "--held-out", "0.15")


@pytest.fixture
def recsys(tmp_path, capsys):
    def call(*arguments, code=0):
        found = explained(app, [*arguments, "--home", str(tmp_path / "home")])
        captured = capsys.readouterr()
        assert found == code, captured.err + captured.out
        return captured.err if code not in {0, UNSOUND} else captured.out

    return call


def told(text):
    return json.loads(text)


def names_in(home, digest):
    names = {home.pseudonyms.of(f"member-{index:05d}"): f"member-{index:05d}" for index in range(150)}
    return [names[member] for member in home.datasets.members(digest)]


def test_a_member_leaves_and_a_model_without_them_takes_the_place_of_the_old(recsys, tmp_path):
    exports = tmp_path / "world" / "exports"
    make_collective(tmp_path / "world", members=150, seed=5, workers=1)
    recsys("ingest", str(exports))
    recsys("consent", "import", str(tmp_path / "world" / "consents.jsonl"))
    first = told(recsys("dataset", "build", *AT, "--json"))["digest"]
    run = told(recsys("train", *CONFIG, "--json"))["run_id"]
    assert told(recsys("audit", "--json"))["sound"]
    home = Home(tmp_path / "home")
    leaver, stayer = names_in(home, first)[:2]

    assert told(recsys("consent", "affected", leaver, "--json"))["versions"][0]["withdrawn"] == 0
    recsys("consent", "grant", leaver, "research", *AT)
    assert "erased" not in recsys("consent", "withdraw", leaver, "train-recommender", *LATER, "--json")
    said = recsys("consent", "withdraw", leaver, "--at", "2026-01-20T13:00:00Z")
    assert "no copy of what they handed in can be read any more" in said
    assert f"recsys consent affected {leaver}" in said

    used = recsys("consent", "affected", leaver)
    assert first[:12] in used
    assert run in used
    assert "recsys retrain" in used
    assert "1 left" in recsys("dataset", "list")
    assert "has withdrawn since" in recsys("train", *CONFIG, code=5)
    assert "has withdrawn since" in recsys("evaluate", run, code=5)
    assert "FAILED   nobody has left" in recsys("audit", run, code=UNSOUND)
    assert "still agrees" in recsys("retrain", run, "--without", stayer, *LATER, code=4)

    again = told(recsys("retrain", run, "--without", leaver, "--at", "2026-01-21T12:00:00Z", "--json"))
    assert leaver not in names_in(home, again["dataset_version"])
    changed = told(recsys("dataset", "diff", first, again["dataset_version"], "--json"))["change"]
    assert (changed["members_left"], changed["members_joined"]) == (1, 0)
    assert told(recsys("audit", again["run_id"], "--json"))["sound"]
    assert told(recsys("retrain", "verify", again["receipt"], "--json"))["sound"]
    (tmp_path / "home" / "keys" / "public.pem").write_text(home.operator.public.pem)
    key = ("--key", str(tmp_path / "home" / "keys" / "public.pem"))
    assert "trained again, the model is the same, bit for bit" in recsys("retrain", "verify", again["receipt"], *key)

    report = told(recsys("ingest", str(exports / f"{leaver}.zip"), "--json", code=3) or "{}")
    assert report == {}
    recsys("consent", "grant", leaver, "--at", "2026-01-22T12:00:00Z")
    assert told(recsys("ingest", str(exports / f"{leaver}.zip"), "--json"))["exports"]["read"] == 1


def test_whoever_checks_a_receipt_that_is_none_is_told_so(recsys, tmp_path):
    (tmp_path / "receipt.json").write_text("{}")
    assert "FAILED   signature" in recsys("retrain", "verify", str(tmp_path / "receipt.json"), code=UNSOUND)
    assert "cannot be read" in recsys("retrain", "verify", str(tmp_path / "none.json"), code=2)
    assert "no finished run" in recsys("audit", code=7)
