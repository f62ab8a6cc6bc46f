"""A version is built again to the same digest, or it is said exactly what is no longer possible."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lived import DAY, KEY, TASTES, collective
from people import NOW, PURPOSE

from recsys.consent import ArtistRegistry, Ledger, Policy, admit
from recsys.dataset import build_next, import_benchmark
from recsys.dataset.reproduce import ERASED, LOST, WITHDREW
from recsys.errors import ConfigError, LedgerBrokenError, LogBrokenError
from recsys.listens import ArtistIds, Tombstone


@pytest.fixture
def members(tmp_path):
    return collective(tmp_path)


def test_a_version_is_built_again_to_the_same_digest(members):
    version = members.build()
    found = members.reproduce(version)
    assert (found.same, found.rebuilt, found.pairs_different) == (True, version.digest, 0)
    assert found.words() == [f"built again to the same digest {version.digest}"]


def test_what_came_later_does_not_enter(members):
    version = members.build()
    members.hand_in("ada", ["Late", "Nocturne", "Óró"], export="second")
    members.hand_in("cyd", ["Óró"] * 9, export="second")
    members.join("eve", ["Late", "Óró"])
    members.registry.opt_out("Óró", by="the artist", at=NOW - DAY)  # backdated, but recorded later
    found = members.reproduce(version)
    assert found.same
    following = members.build()
    assert following.manifest.version == "2.0.0"
    assert members.reproduce(following).same
    assert members.reproduce(version).same


def test_a_consent_that_ran_out_since_changes_nothing(tmp_path):
    members = collective(tmp_path)
    members.hand_in("eve", ["Óró"])
    members.agree("eve", until=NOW + DAY)
    assert members.reproduce(members.build()).same


@pytest.mark.parametrize("way", [ERASED, WITHDREW, LOST])
def test_without_a_member_everything_else_is_compared_and_it_says_so(members, way):
    version = members.build()
    member = members.ledger.pseudonym("bob")
    if way == LOST:
        members.lose("bob")
    else:
        members.ledger.withdraw("bob", PURPOSE, at=NOW + DAY)
    if way == ERASED:
        members.contributions.erase(member, Tombstone("2026-01-16T00:00:00.000000Z", 5))
        members.store.erase(member)
    found = members.reproduce(version)
    assert not found.same
    assert dict(found.absent) == {way: 1}
    assert (found.contributions_absent, found.pairs_different) == (1, 0)
    assert found.pairs_same + found.pairs_untold == 6
    assert f"1 of its contributions cannot be read; members: 1 {way}" in found.words()[1]


def test_a_member_who_withdraws_later_than_asked_is_still_read(members):
    version = members.build()
    members.ledger.withdraw("bob", at=NOW + 5 * DAY)
    assert members.reproduce(version, at=NOW + DAY).same
    assert not members.reproduce(version, at=NOW + 5 * DAY).same


def test_a_second_contribution_that_is_gone_is_missed_though_its_member_is_there(members):
    members.hand_in("ada", ["Nocturne"], export="second")
    version = members.build()
    exports = members.contributions.exports(members.ledger.pseudonym("ada"))
    for name in exports[:1]:
        (members.contributions.folder / members.ledger.pseudonym("ada") / f"{name}.listens").unlink()
    found = members.reproduce(version)
    assert not found.same
    assert (dict(found.absent), found.contributions_absent) == ({}, 1)


def test_a_contribution_that_was_exchanged_is_found(members):
    version = members.build()
    members.hand_in("ada", [*TASTES["ada"], "Nocturne"])
    found = members.reproduce(version)
    assert (found.same, found.pairs_different, found.contributions_absent) == (False, 1, 0)
    assert "1 of their pairs came out differently" in found.words()


def test_nobody_left_is_said_rather_than_raised(members):
    version = members.build()
    for name in TASTES:
        members.lose(name)
    found = members.reproduce(version)
    assert (found.rebuilt, dict(found.absent), found.pairs_same) == (None, {LOST: 4}, 0)


def test_rows_of_a_refused_route_stay_out_and_an_admitted_one_stays_in(members):
    members.hand_in("ada", ["岡崎"] * 3, export="taken", route="api")
    version = members.build()
    assert version.manifest.counts["refused_routes"] == {"api": 3}
    assert members.reproduce(version).same
    policy = Policy({"api": "written permission, 1 March 2026"})
    admitted = admit(members.contributions, members.ledger, PURPOSE, NOW, policy=policy)
    following, _ = build_next(members.store, admitted, min_listeners=2)
    assert following.manifest.rules["routes"]["api"] == "written permission, 1 March 2026"
    assert members.reproduce(following).same


def test_another_ledger_or_registry_is_refused(tmp_path, members):
    members.registry.opt_out("Rare", by="them", at=NOW)
    version = members.build()
    other = Ledger(tmp_path / "other" / "ledger.db")
    other.grant("ada", PURPOSE, at=NOW)
    with pytest.raises(LedgerBrokenError):
        members.reproduce(version, ledger=other)
    stranger = ArtistRegistry(tmp_path / "other" / "artists.db", lambda: KEY)
    stranger.opt_out("Somebody else", by="them", at=NOW)
    with pytest.raises(LogBrokenError, match="never had the head"):
        members.reproduce(version, registry=stranger)


def test_what_cannot_be_built_again_says_why(tmp_path, members):
    version = members.build(ids=ArtistIds({}, {}, "f" * 64))
    with pytest.raises(ConfigError, match=r"map of artists ffff.*--artist-ids"):
        members.reproduce(version)
    assert members.reproduce(version, ids=ArtistIds({}, {}, "f" * 64)).same
    (tmp_path / "plays.csv").write_text("user,artist\n1,a\n1,b\n2,a\n")
    benchmark = import_benchmark([tmp_path / "plays.csv"], name="tiny")
    members.store.save(benchmark)
    with pytest.raises(ConfigError, match="public benchmark"):
        members.reproduce(benchmark)


def test_the_number_is_derived_again_where_the_parent_is_there(members):
    members.build()
    members.join("eve", ["Óró", "Nocturne"])
    version = members.build()
    assert (version.manifest.version, members.reproduce(version).number_checked) == ("1.1.0", True)
    (members.store.path(version.manifest.parent) / "pairs.parquet").unlink()
    found = members.reproduce(version)
    assert (found.same, found.number_checked) == (True, False)
    assert "taken as recorded" in found.words()[0]


NAMES = st.sampled_from(["ada", "bob", "cyd", "dan", "eve", "fay"])
ARTISTS = st.lists(st.sampled_from(["Óró", "Oro", "Nocturne", "岡崎", "Rare", "The Wires"]), min_size=1, max_size=5)
STEPS = st.one_of(
    st.tuples(st.just("hand in"), NAMES, ARTISTS, st.integers(0, 3)),
    st.tuples(st.just("agree"), NAMES),
    st.tuples(st.just("opt out"), st.sampled_from(["Nocturne", "Wires"])),
    st.tuples(st.just("build")),
)


@settings(max_examples=12, deadline=None)
@given(steps=st.lists(STEPS, max_size=12))
def test_every_version_of_a_random_history_is_built_again(tmp_path_factory, steps):
    members = collective(tmp_path_factory.mktemp("home"))
    versions = [members.build()]
    for number, (what, *told) in enumerate([*steps, ("build",)]):
        if what == "hand in":
            members.hand_in(told[0], told[1], export=f"export {told[2]} {number}")
        elif what == "agree":
            members.agree(told[0], at=NOW - DAY / (number + 2))
        elif what == "opt out":
            members.registry.opt_out(told[0], by="them", at=NOW)
        else:
            versions.append(members.build())
    for version in versions:
        assert members.reproduce(version).same
