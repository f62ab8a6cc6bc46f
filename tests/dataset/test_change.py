"""Version numbers follow from the data, by Croissant's rule."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.canonical import Pseudonym
from recsys.dataset.change import Change, compare, next_version, succeed
from recsys.dataset.version import Pairs, Parts, assemble

FACTS = {
    "provenance": "consented",
    "purpose": "train-recommender",
    "at": "2026-01-15T12:00:00.000000Z",
    "ledger": {"count": 1, "hash": "0" * 64},
    "parent": None,
    "rules": {"min_listeners": 1},
    "counts": {},
}


def version(pairs, contributions=(), **facts):
    """Make a version of {(member, artist): (plays, ms)}."""
    members = sorted({member for member, _ in pairs})
    artists = sorted({artist for _, artist in pairs})
    rows = sorted((members.index(m), artists.index(a), plays, ms) for (m, a), (plays, ms) in pairs.items())
    columns = [np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)] or [np.zeros(0, np.int64)] * 4
    parts = Parts([Pseudonym(m) for m in members], artists, Pairs(*columns), (), sorted(contributions))
    return assemble(parts, {**FACTS, **facts})


BEFORE = {("ada", "Óró"): (3, 900), ("ada", "Nocturne"): (1, 300), ("bob", "Óró"): (2, 600)}


@pytest.mark.parametrize(
    ("after", "level"),
    [
        (BEFORE, "patch"),
        ({**BEFORE, ("cyd", "Óró"): (1, 1)}, "minor"),
        ({**BEFORE, ("bob", "Nocturne"): (1, 1)}, "minor"),
        ({**BEFORE, ("bob", "New"): (1, 1)}, "minor"),
        ({**BEFORE, ("ada", "Óró"): (4, 900)}, "major"),
        ({**BEFORE, ("ada", "Óró"): (3, 901)}, "major"),
        ({pair: n for pair, n in BEFORE.items() if pair[0] != "bob"}, "major"),
        ({pair: n for pair, n in BEFORE.items() if pair != ("ada", "Nocturne")}, "major"),
        ({("ada", "Oro") if pair == ("ada", "Óró") else pair: n for pair, n in BEFORE.items()}, "major"),
    ],
)
def test_each_kind_of_change_moves_its_part_of_the_number(after, level):
    assert compare(version(BEFORE), version(after)).level == level


def test_a_contribution_that_is_used_no_more_is_a_removal_though_no_row_went():
    assert compare(version(BEFORE, ["x", "y"]), version(BEFORE, ["x"])).level == "major"
    assert compare(version(BEFORE, ["x"]), version(BEFORE, ["x", "y"])).level == "minor"


@pytest.mark.parametrize(("level", "number"), [("major", "3.0.0"), ("minor", "2.5.0"), ("patch", "2.4.10")])
def test_numbers_count_on_as_semantic_versions_do(level, number):
    assert next_version("2.4.9", level) == number


PAIR = st.tuples(st.sampled_from("abcd"), st.sampled_from("ABCDE"))
MATRIX = st.dictionaries(PAIR, st.tuples(st.integers(1, 3), st.integers(0, 2)), min_size=1, max_size=12)


@settings(max_examples=200, deadline=None)
@given(before=MATRIX, after=MATRIX)
def test_the_change_is_what_a_comparison_by_hand_finds(before, after):
    found = compare(version(before), version(after))
    shared = before.keys() & after.keys()
    assert (found.pairs_added, found.pairs_removed) == (len(after.keys() - shared), len(before.keys() - shared))
    assert found.pairs_changed == sum(before[pair] != after[pair] for pair in shared)
    for place, (plus, minus) in enumerate([("members_joined", "members_left"), ("artists_added", "artists_removed")]):
        old, new = ({pair[place] for pair in pairs} for pairs in (before, after))
        assert (getattr(found, plus), getattr(found, minus)) == (len(new - old), len(old - new))
    lost = any(after.get(pair) != counts for pair, counts in before.items())
    assert found.level == ("major" if lost else "minor" if len(after) > len(before) else "patch")


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(MATRIX, min_size=1, max_size=6), heads=st.integers(1, 9))
def test_a_line_of_random_versions_is_numbered_without_gaps(steps, heads):
    latest, numbers = None, []
    for place, pairs in enumerate(steps):
        ledger = {"count": heads + place, "hash": f"{place:064x}"}
        following = succeed(version(pairs, ledger=ledger), latest)
        assert following.manifest.parent == (latest.digest if latest else None)
        latest = following
        numbers.append(latest.manifest.version)
    assert numbers[0] == "1.0.0"
    for old, new in itertools.pairwise(numbers):
        assert new in {next_version(old, level) for level in ("major", "minor", "patch")}
    assert len(set(numbers)) == len(numbers)


def test_where_nothing_changed_the_version_before_is_still_the_latest():
    first = succeed(version(BEFORE), None)
    assert succeed(version(BEFORE, at="2027-01-01T00:00:00.000000Z"), first) is first
    again = succeed(version(BEFORE, ledger={"count": 2, "hash": "1" * 64}), first)
    assert again.manifest.version == "1.0.1"
    assert again.manifest.change == {}


def test_a_change_says_what_moved_and_why():
    change = Change(members_joined=2, members_left=1, pairs_added=7, pairs_changed=1_500)
    assert change.words({"members_left": {"withdrew": 1}}) == [
        "members: 2 joined, 1 left (1 withdrew)",
        "pairs: 7 added",
        "pairs with other counts: 1,500",
    ]
    assert change.as_facts() == {"members_joined": 2, "members_left": 1, "pairs_added": 7, "pairs_changed": 1_500}
    assert Change().words() == []
