"""An artist's story and a version's line, as a person types them."""

import json

import numpy as np
import pytest
from collective import SETTINGS, found_collective, next_version

from recsys.cli import app
from recsys.cli.exits import explained
from recsys.experiment import load_experiment, run

LATER = "2026-02-01T12:00:00Z"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = found_collective(tmp_path_factory.mktemp("artists"), members=120)
    next_version(home)
    run(load_experiment(None, dict(SETTINGS)), home)
    return home


@pytest.fixture
def recsys(home, capsys):
    def call(*arguments, code=0):
        found = explained(app, [*arguments, "--home", str(home.path)])
        captured = capsys.readouterr()
        assert found == code, captured.err + captured.out
        return captured.err if code not in {0, 9} else captured.out

    return call


def test_an_artist_opts_out_and_is_told_what_models_did_before(home, recsys):
    first = home.datasets.latest("consented-train-recommender")
    version = home.datasets.load(first)
    famous = version.artists.names[int(np.argmax(np.bincount(version.user_items.indices)))]

    told = recsys("artists", "report", famous.upper())
    assert f"{famous} is number 1 of {len(version.artists):,} artists by listeners" in told
    assert not [member for member in version.members if member in told]
    report = json.loads(recsys("artists", "report", famous, "--json"))
    assert report["known"]
    assert report["recommended"].keys() == {"10", "20", "50", "100"}
    assert all(count in {"none", "fewer than 5"} or int(count) >= 5 for count in report["recommended"].values())

    assert "nobody has said anything" in recsys("artists", "check", famous)
    assert "no declarations yet" in recsys("artists", "list")
    recsys("artists", "optout", famous, "--by", "their label", "--source", "https://example.org/letter", "--at", LATER)
    assert "opted out" in recsys("artists", "check", famous.lower(), "--at", LATER)
    assert "their label" in recsys("artists", "list")

    built = json.loads(recsys("dataset", "build", "--at", LATER, "--json"))
    assert (built["version"], built["counts"]["left_out"]["artists_opted_out"]) == ("2.0.0", 1)
    assert famous not in home.datasets.load(built["digest"]).artists
    card = (home.datasets.path(built["digest"]) / "datasheet.md").read_text()
    assert "1 artist was left out for having opted out" in card
    assert "artists: 1 removed (1 opted out)" in recsys("dataset", "diff", first, built["digest"])
    assert "artists: 1 removed" in recsys("dataset", "log")

    recsys("artists", "optin", famous, "--by", "somebody else", "--at", LATER)
    assert "opted out" in recsys("artists", "check", famous, "--at", LATER)
    recsys("artists", "declare", famous, "train-ai=n, x-recsys-ranking=y", "--by", "Their Label", "--at", "2026-02-02")
    assert "may be recommended" in recsys("artists", "check", famous, "--at", "2026-02-03")
    assert "is no statement of preference" in recsys("artists", "declare", famous, "Nope=", "--by", "x", code=2)


def test_an_artist_who_is_in_no_model_is_told_why(recsys):
    told = recsys("artists", "report", "Nobody Ever Heard Of")
    assert "fewer than 5 members listen to them, or the name is another one" in told


def test_a_version_is_built_again_and_its_cards_are_written_and_checked(home, recsys, tmp_path):
    digest = home.datasets.digests()[0]
    again = json.loads(recsys("dataset", "reproduce", digest[:12], "--json"))
    assert (again["same"], again["rebuilt"]) == (True, digest)
    assert "built again to the same digest" in recsys("dataset", "reproduce", digest)
    written = json.loads(recsys("dataset", "card", digest, "--out", str(tmp_path), "--format", "eu-summary", "--json"))
    assert written == [str(tmp_path / "training-content.md")]
    assert "is no kind of card" in recsys("dataset", "card", digest, "--format", "pdf", code=2)
    sheet = home.datasets.path(digest) / "datasheet.md"
    sheet.write_text(sheet.read_text().replace("members", "robots"))
    assert "datasheet.md is not what the facts say" in recsys("dataset", "verify", digest)
    recsys("dataset", "card", digest)
    assert "datasheet.md" not in recsys("dataset", "verify", digest)
    member = home.datasets.load(digest).members[0]
    for path in (home.contributions.folder / member).iterdir():
        path.unlink()
    assert "1 whose contributions are not in the store" in recsys("dataset", "reproduce", digest, code=9)
