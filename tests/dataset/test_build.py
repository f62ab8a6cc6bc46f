import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from people import NOW, PURPOSE, Crowd, admitted

from recsys.consent import Ledger, admit
from recsys.dataset import build, difference
from recsys.errors import DatasetTooSmallError
from recsys.listens import ArtistIds

MINUTE = 60_000
PLAYS = {
    "ada": [("Óró", MINUTE), ("Óró", 2 * MINUTE), ("Nocturne", MINUTE), ("Rare", MINUTE)],
    "bob": [("Óró", MINUTE), ("Nocturne", MINUTE), ("Nocturne", 10_000)],
    "cyd": [("Nocturne", MINUTE), ("岡崎", MINUTE)],
    "dan": [("岡崎", MINUTE), ("Óró", MINUTE)],
}


def test_a_version_holds_plays_and_milliseconds_of_each_pair(tmp_path):
    version = build(admitted(tmp_path, PLAYS), min_listeners=2)
    ada = version.members.index(Ledger(tmp_path / "ledger.db").pseudonym("ada"))
    column = version.artists.names.index("Óró")
    assert version.artists.names == ("Nocturne", "Óró", "岡崎")
    assert version.user_items[ada, column] == 2
    assert version.user_ms[ada, column] == 3 * MINUTE
    assert version.user_items.dtype == np.float32


def test_a_row_may_stand_for_many_plays_of_unknown_duration(tmp_path):
    totals = {"ada": [("Óró", None, 12), ("Óró", MINUTE), ("Ö", None, 3)], "bob": [("Óró", MINUTE), ("Ö", MINUTE)]}
    version = build(admitted(tmp_path, totals), min_listeners=2)
    ada = version.members.index(Ledger(tmp_path / "ledger.db").pseudonym("ada"))
    one, other = (version.artists.names.index(name) for name in ("Óró", "Ö"))
    assert (version.user_items[ada, one], version.user_ms[ada, one]) == (13, MINUTE)
    assert (version.user_items[ada, other], version.user_ms[ada, other]) == (3, 0)


def test_short_plays_and_rare_artists_are_left_out_and_counted(tmp_path):
    version = build(admitted(tmp_path, PLAYS), min_listeners=2)
    bob = version.members.index(Ledger(tmp_path / "ledger.db").pseudonym("bob"))
    assert version.user_items[bob, version.artists.names.index("Nocturne")] == 1
    counts = version.manifest.counts
    assert counts["left_out"] == {
        "artists_below_min_listeners": 1,
        "spellings_below_min_listeners": 0,
        "members_without_artists": 0,
        "artists_opted_out": 0,
    }
    assert (counts["members"], counts["artists"], counts["pairs"], counts["plays"]) == (4, 3, 8, 9)


def test_spellings_of_an_artist_share_a_column_and_the_commonest_is_shown(tmp_path):
    plays = {
        "ada": [("Sigur Ros", MINUTE), ("Sigur Rós", MINUTE), ("AC/DC", MINUTE)],
        "bob": [("Sigur Rós", MINUTE), ("ACDC", MINUTE)],
        "cyd": [("sigur rós", MINUTE), ("AC/DC", MINUTE)],
    }
    version = build(admitted(tmp_path, plays), min_listeners=2)
    ada = version.members.index(Ledger(tmp_path / "ledger.db").pseudonym("ada"))
    assert version.artists.names == ("AC/DC", "Sigur Rós")
    assert version.user_items[ada].toarray().tolist() == [[1, 2]]
    assert version.spellings == (("AC/DC", "AC/DC", 2, 2), ("Sigur Rós", "Sigur Rós", 2, 2))
    assert version.manifest.counts["left_out"]["spellings_below_min_listeners"] == 3
    assert version.collisions() == []
    everything = build(admitted(tmp_path / "all", plays), min_listeners=1)
    assert {count.spelling for count in everything.collisions()} == {
        name for rows in plays.values() for name, _ in rows
    }


def test_another_map_of_artists_makes_another_version(tmp_path):
    plain = build(admitted(tmp_path, PLAYS), min_listeners=2)
    ids = ArtistIds({"key:oro": "oro-1"}, {"oro-1": "Óró (the band)"}, "0" * 64)
    mapped = build(admitted(tmp_path, PLAYS), min_listeners=2, ids=ids, parent=plain)
    assert mapped.artists.names == ("Nocturne", "Óró (the band)", "岡崎")
    assert mapped.manifest.rules["artist_ids"] == "0" * 64
    assert mapped.manifest.parent == plain.digest


def test_members_stand_under_pseudonyms_only(tmp_path):
    version = build(admitted(tmp_path, PLAYS), min_listeners=2)
    assert not set(version.members) & set(PLAYS)
    assert version.members == tuple(sorted(version.members))


def test_the_matrices_cannot_be_written_to(tmp_path):
    version = build(admitted(tmp_path, PLAYS), min_listeners=2)
    for matrix in (version.user_items, version.user_ms):
        with pytest.raises(ValueError, match="read-only"):
            matrix.data[0] = 9


def test_the_refused_are_counted_in_the_manifest(tmp_path):
    version = build(admitted(tmp_path, PLAYS, without=("dan",)), min_listeners=2)
    assert version.manifest.counts["refused"] == {"never given": 1}
    assert version.manifest.ledger["count"] == 4


def test_too_little_says_what_is_left_and_what_to_do(tmp_path):
    with pytest.raises(DatasetTooSmallError, match=r"0 members and 0 artists are left of 4.*lower min_listeners"):
        build(admitted(tmp_path, PLAYS), min_listeners=5)


@settings(max_examples=15, deadline=None)
@given(shuffle=st.randoms(use_true_random=False))
def test_the_digest_does_not_depend_on_the_order_of_members_or_rows(tmp_path_factory, shuffle):
    folder = tmp_path_factory.mktemp("home")
    first = build(admitted(folder, PLAYS), min_listeners=2)
    names = list(PLAYS)
    shuffle.shuffle(names)
    mixed = {name: shuffle.sample(PLAYS[name], len(PLAYS[name])) for name in names}
    again = build(admitted(folder, mixed), min_listeners=2)
    assert again.digest == first.digest


def test_one_play_more_changes_the_digest(tmp_path):
    first = build(admitted(tmp_path, PLAYS), min_listeners=2)
    more = {**PLAYS, "ada": [*PLAYS["ada"], ("Óró", MINUTE)]}
    assert build(admitted(tmp_path, more), min_listeners=2).digest != first.digest


def test_a_version_in_which_nothing_changed_is_the_one_before(tmp_path):
    first = build(admitted(tmp_path, PLAYS), min_listeners=2)
    assert build(admitted(tmp_path, PLAYS), min_listeners=2, parent=first) is first


def test_after_a_withdrawal_the_next_version_names_its_parent_and_says_who_left(tmp_path):
    first = build(admitted(tmp_path, PLAYS), min_listeners=2)
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.withdraw("dan", at=NOW)
    second = build(admit(Crowd(PLAYS), ledger, PURPOSE, NOW), min_listeners=1, parent=first)
    assert second.manifest.parent == first.digest
    found = difference(first, second, ledger=ledger)
    assert (found.change.members_left, found.change.members_joined, found.change.artists_added) == (1, 0, 1)
    assert found.words() == [
        "1.0.0 to 2.0.0: something was removed or edited",
        "members: 1 left (1 withdrew)",
        "artists: 1 added",
        "pairs: 1 added, 2 removed",
        "left out, artists_below_min_listeners: 1 became 0",
        "not let in, withdrawn: 0 became 1",
        "rule min_listeners: 2 became 1",
    ]


def test_pairs_agree_with_a_count_by_hand(tmp_path):
    rng = random.Random(3)
    plays = {
        f"m{i}": [(f"a{int(rng.paretovariate(1)) % 9}", rng.choice([10_000, 30_000, 90_000])) for _ in range(40)]
        for i in range(12)
    }
    version = build(admitted(tmp_path, plays), min_listeners=1)
    ledger = Ledger(tmp_path / "ledger.db")
    for member, rows in plays.items():
        row = version.members.index(ledger.pseudonym(member))
        for column, artist in enumerate(version.artists.names):
            long = [ms for name, ms in rows if name == artist and ms >= 30_000]
            assert version.user_items[row, column] == len(long)
            assert version.user_ms[row, column] == sum(long)
