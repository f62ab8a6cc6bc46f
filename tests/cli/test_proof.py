"""recsys proof, as a person types it."""

import json
from collections import Counter

import pytest
from proof.plays import listens, person

from recsys.cli import app
from recsys.cli.exits import explained
from recsys.home import Home

AT = ("--at", "2026-01-15T12:00:00Z")


@pytest.fixture
def recsys(tmp_path, capsys):
    def call(*arguments, code=0):
        assert explained(app, ["proof", *arguments, "--home", str(tmp_path)]) == code
        captured = capsys.readouterr()
        return captured.err if code else captured.out

    return call


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path)
    for seed, name in enumerate(["ada", "bob"]):
        hand_in(home, name, person(seed))
    return home


def hand_in(home, name, rows):
    home.contributions.add(listens(rows, home.pseudonyms.of(name)), "a" * 64)


def test_a_proof_reads_well_and_as_json(recsys, home):
    said = recsys("ada", *AT)
    for words in ("Proof of the contribution of ada", "valid", "points by measured", "copied blocks", "not proved"):
        assert words in said
    document = json.loads(recsys("ada", *AT, "--json"))
    assert list(document) == [
        "valid",
        "score",
        "authenticity",
        "ownership",
        "quality",
        "uniqueness",
        "attributes",
        "metadata",
    ]
    assert document["metadata"]["member"] == home.pseudonyms.of("ada")
    assert json.loads(recsys(home.pseudonyms.of("ada")[:8], *AT, "--json")) == document


def test_points_are_awarded_once(recsys, home):
    said = recsys("ada", *AT, "--scorer", "unwrapped", "--award")
    assert "unique artists" in said
    points = home.proofs.awards(home.pseudonyms.of("ada"))[0].points
    assert f"awarded: {points} points" in said
    assert "awarded: 0 points" in recsys("ada", *AT, "--scorer", "unwrapped", "--award")
    assert f"{points} points by unwrapped, 0 of them not awarded before" in recsys("ada", *AT, "--scorer", "unwrapped")


def test_all_are_proved_and_the_doubtful_come_first(recsys, home):
    recsys("--all", *AT)
    hand_in(home, "copy", person(1))
    said = recsys("--all", *AT)
    assert "3 contributions proved, 2 valid" in said
    first = next(line for line in said.splitlines() if " no " in line)
    assert first.startswith(home.pseudonyms.of("copy")[:12])
    assert first.rstrip().endswith("partial")
    assert len(json.loads(recsys("--all", *AT, "--json"))) == 3


@pytest.mark.usefixtures("home")
def test_asking_for_nobody_says_what_to_do(recsys):
    assert "'zoe' handed nothing in; 2 members did" in recsys("zoe", code=2)
    assert "recsys proof MEMBER, or recsys proof --all" in recsys(code=2)
    assert "recsys proof MEMBER, or recsys proof --all" in recsys("ada", "--all", code=2)


def test_a_beginning_that_fits_two_is_refused(recsys, tmp_path):
    home = Home(tmp_path)
    for number in range(17):  # of 17 pseudonyms two begin with the same digit
        hand_in(home, f"m{number}", person(0, plays=1))
    first = Counter(member[0] for member in home.contributions.members).most_common(1)[0][0]
    assert f"pseudonyms begin with '{first}'; give more of it" in recsys(first, code=2)
