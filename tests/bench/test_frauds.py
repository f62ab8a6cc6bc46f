"""The benchmark of planted frauds on a small pool: what it counts, and that it is a pool to be trusted."""

import json
from collections import Counter

import pytest

from recsys.bench import frauds
from recsys.errors import ConfigError
from recsys.synthetic.frauds import Kind, make_pool, plan


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    made = frauds.run(120, seed=2, date="today", out=out, workers=1)
    assert json.loads((out / "frauds.json").read_text())["table"] == made.table
    return made


def test_the_honest_are_not_accused(report):
    honest = [row for row in report.table if row["kind"] in {Kind.HONEST.value, Kind.TWIN.value}]
    assert [row["found"] for row in honest] == [0, 0]
    assert [row["recall"] for row in honest] == [None, None]


def test_frauds_are_found_by_the_measures_that_are_there_for_them(report):
    rows = {row["kind"]: row for row in report.table}
    for kind in Kind:
        row = rows[kind.value]
        if kind.honest or kind is Kind.SPLIT:
            continue
        assert row["planted"] == 4
        assert row["recall"] == row["found"] / 4
        assert row["found"] > 0, kind
        assert row["precision"] == 1.0


def test_what_cannot_be_found_is_planted_and_said(report):
    split = next(row for row in report.table if row["kind"] == Kind.SPLIT.value)
    assert (split["planted"], split["found"], split["precision"]) == (4, 0, None)
    assert any("cannot be found" in note for note in report.notes)


def test_a_pool_holds_everything_in_known_numbers():
    people = plan(2_000, seed=0)
    kinds = Counter(member.kind for member in people)
    assert kinds.pop(Kind.TWIN) == 200
    assert kinds.pop(Kind.HONEST) == 2_000 - 200 - 12 * 20
    assert set(kinds.values()) == {20}
    assert [member.index for member in people] == list(range(2_000))
    copied = [people[member.source] for member in people if member.kind is Kind.SHUFFLED]
    assert {member.kind for member in copied} == {Kind.HONEST}


def test_the_same_seed_makes_the_same_pool_on_any_number_of_processes(tmp_path):
    people = plan(120, seed=1)[100:]
    for workers in (1, 2):
        make_pool(tmp_path / str(workers), people, seed=1, workers=workers)
    first, again = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.zip")}
        for name in "12"
    )
    assert first == again
    assert len(first) == 20


def test_a_pool_too_small_to_hide_in_is_refused():
    with pytest.raises(ConfigError, match="take 100 or more"):
        plan(99, seed=0)
