"""The story of a sale, told again: what it writes, that it adds up, and that it can be interrupted."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.bundle import SealPublic, open_sample
from recsys.canonical import Pseudonym
from recsys.cli import main
from recsys.collective import verify
from recsys.erasure import usable
from recsys.errors import ConfigError, VersionWithdrawnError
from recsys.experiment import Experiment
from recsys.payouts import plan
from recsys.replay import Stage, tell
from recsys.replay.cast import BUYER, DAYS, PRICE_CENTS, Cast
from recsys.replay.review import review
from recsys.replay.story import ACTS

MEMBERS = 200
ALS = {"objective": "ials", "factors": 8, "unobserved_weight": 0.3, "iterations": 4, "nu": 1.0}


def quiet(_name):
    return lambda *_: None


def stage(out, kind=Stage):
    return kind(out, MEMBERS, 0, Experiment(name="replay", als=ALS), quiet)


@dataclass(frozen=True, eq=False)
class Interrupted(Stage):
    """A stage on which the power fails after each act, before what it found is noted: once for each."""

    failed: set[str] = field(default_factory=set)

    def open(self):
        facts = super().open()
        self._fail_after("opening")
        return facts

    def note(self, facts):
        self._fail_after(facts["acts"][-1])
        super().note(facts)

    def _fail_after(self, what):
        if what not in self.failed:
            self.failed.add(what)
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """The story with every act played twice."""
    out = tmp_path_factory.mktemp("story") / "out"
    failing = stage(out, Interrupted)
    for _ in range(len(ACTS) + 1):
        with pytest.raises(KeyboardInterrupt):
            tell(failing)
    return out, tell(failing)


def test_everything_holds_in_the_end(played):
    _, told = played
    assert told.verdict.failed == ()
    assert told.verdict.sound
    assert len(told.words()) == 8


def test_the_cents_add_up(played):
    out, told = played
    with (out / "payouts.csv").open(newline="", encoding="utf-8") as file:
        cents = [int(row["cents"]) for row in csv.DictReader(file)]
    assert sum(cents) == PRICE_CENTS == 5_500_000
    assert len(cents) == told.facts["sharing"] == told.facts["payees"]
    assert min(cents) > 0


def test_the_papers_can_be_checked_without_the_collective(played):
    out, told = played
    home = stage(out).home
    recount = verify((out / "ballots.json").read_bytes(), home.operator.public)
    assert recount.verdict.sound
    assert recount.tally.passed
    assert recount.tally.yes / (recount.tally.yes + recount.tally.no) == pytest.approx(0.995, abs=0.001)
    model = open_sample(out / "model.recsys", SealPublic.load(out / "seal.pub"), at=DAYS.packed)
    assert model.terms.buyer == BUYER
    assert model.terms.proposal == told.facts["proposal"]
    licence = (out / "licence.json").read_text()
    assert json.loads(licence)["payloadType"] == "application/vnd.in-toto+json"
    assert {"audit.md", "audit.json", "sample.recsys", "erasure-receipt.json"} <= {one.name for one in out.iterdir()}


def test_who_left_is_gone_from_all_that_comes_after(played):
    out, told = played
    home, leaver = stage(out).home, Pseudonym(told.facts["leaver"])
    assert leaver in home.datasets.members(told.facts["version"])
    assert leaver not in home.datasets.members(told.facts["version_after"])
    with pytest.raises(VersionWithdrawnError):
        usable(home, told.facts["version"])


def test_somebody_who_left_before_it_was_paid_has_nothing_and_the_others_have_all(played):
    out, told = played
    home = stage(out).home
    division = plan(home, told.facts["proposal"], at=DAYS.audited)
    assert sum(one.cents for one in division.payments) == PRICE_CENTS
    assert len(division.payments) == told.facts["payees"] - 1


def test_a_review_finds_what_was_changed(played, tmp_path):
    out = shutil.copytree(played[0], tmp_path / "out")
    payee, cents, *_ = (out / "payouts.csv").read_text().splitlines()[1].split(",")
    changed = (out / "payouts.csv").read_text().replace(f"{payee},{cents}", f"{payee},{int(cents) + 1}")
    (out / "payouts.csv").write_text(changed)
    (out / "ballots.json").write_bytes((out / "ballots.json").read_bytes().replace(b'"yes"', b'"no"', 1))
    (out / "model.recsys").write_bytes((out / "model.recsys").read_bytes()[:-1])
    found = review(stage(out), played[1].facts)
    assert {"payouts", "votes", "model", "licence"} <= set(found.failed)


def test_the_command_tells_a_story_that_is_over_again(played, capsys):
    out, told = played
    with pytest.raises(SystemExit) as ended:
        main(["replay", "--members", str(MEMBERS), "--out", str(out)])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(line in said for line in told.words())
    assert "the story: every check holds" in said


@pytest.mark.parametrize(("members", "seed", "said"), [(199, 0, "give 200 or more"), (200, -1, "seed from 0 up")])
def test_too_few_make_no_story(tmp_path, members, seed, said):
    with pytest.raises(ConfigError, match=said):
        tell(Stage(tmp_path / "out", members, seed, Experiment(), quiet))
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_else_is_left_alone(played, tmp_path):
    (tmp_path / "letter").write_text("dear")
    with pytest.raises(ConfigError, match="holds something that is not a story; give the story another folder"):
        tell(stage(tmp_path))
    with pytest.raises(ConfigError, match="holds the story of 200 members with seed 0"):
        tell(Stage(played[0], 300, 0, Experiment(), quiet))


@given(st.integers(200, 20_000), st.integers(0, 5))
def test_the_cast_votes_as_the_news_had_it(members, seed):
    cast = Cast(tuple(f"member-{number}" for number in range(members)), seed)
    votes = list(cast.choices.values())
    assert len(votes) == members - members // 20
    assert abs(votes.count("yes") / len(votes) - 0.995) <= 0.5 / len(votes) + 1e-9
    assert len(cast.sharing) == members - members // 20
    assert cast.leaver in cast.sharing
    assert not {name for name, choice in cast.choices.items() if choice == "no"} & set(cast.sharing)
