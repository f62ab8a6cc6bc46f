"""A line of versions: what it says of each, and why."""

import pytest
from lived import DAY, KEY, collective
from people import NOW, PURPOSE

from recsys.consent import ArtistRegistry
from recsys.dataset import difference, log
from recsys.errors import LogBrokenError, VersionBrokenError, VersionNotFoundError

LINE = f"consented-{PURPOSE}"


@pytest.fixture
def members(tmp_path):
    return collective(tmp_path)


def why(members, before, after):
    return difference(before, after, ledger=members.ledger, registry=members.registry)


def test_a_line_is_told_newest_first(members):
    first = members.build()
    members.join("eve", ["Nocturne", "Óró"])
    second = members.build()
    members.ledger.withdraw("bob", at=NOW + DAY)
    third = members.build(at=NOW + DAY)
    assert [(entry.digest, entry.manifest.version) for entry in log(members.store, LINE)] == [
        (third.digest, "2.0.0"),
        (second.digest, "1.1.0"),
        (first.digest, "1.0.0"),
    ]
    assert [entry.words() for entry in log(members.store, LINE)] == [
        "members: 1 left; pairs: 2 removed; contributions: 1 removed",
        "members: 1 joined; pairs: 2 added; contributions: 1 added",
        "the first of its line",
    ]


def test_building_again_adds_nothing_to_a_line(members):
    first = members.build()
    assert members.build(at=NOW + DAY / 2).digest == first.digest
    assert len(list(log(members.store, LINE))) == 1


def test_a_decision_of_somebody_else_gives_a_patch(members):
    first = members.build()
    members.agree("stranger")
    second = members.build()
    assert (second.manifest.version, second.manifest.content) == ("1.0.1", first.manifest.content)
    assert next(log(members.store, LINE)).words() == "the same data"
    assert why(members, first, second).words() == ["1.0.0 to 1.0.1: the data are the same"]


def test_a_version_that_is_gone_ends_the_line_and_says_so(members):
    first = members.build()
    members.join("eve", ["Óró", "Nocturne"])
    members.build()
    folder = members.store.path(first.digest)
    folder.rename(folder.with_name("elsewhere"))
    last = list(log(members.store, LINE))[-1]
    assert (last.digest, last.manifest) == (first.digest, None)
    assert last.words() == "no longer in the store; what came before it is unknown"


def test_an_edited_manifest_or_an_unknown_line_is_refused(members):
    first = members.build()
    with pytest.raises(VersionNotFoundError, match=f"no line of versions 'else'; there are: {LINE}"):
        list(log(members.store, "else"))
    path = members.store.path(first.digest) / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"1.0.0"', b'"1.0.1"'))
    with pytest.raises(VersionBrokenError, match="was changed"):
        list(log(members.store, LINE))


def test_each_way_of_leaving_is_told_apart(members):
    members.hand_in("eve", ["Óró", "Nocturne"])
    members.agree("eve", until=NOW + DAY)
    members.join("fay", ["Óró", "Nocturne"])
    first = members.build()
    members.ledger.withdraw("bob", at=NOW + DAY)
    members.lose("fay")
    found = why(members, first, members.build(at=NOW + 2 * DAY))
    assert found.because["members_left"] == {
        "withdrew": 1,
        "let their consent expire": 1,
        "still agree, but nothing of theirs is left to count": 1,
    }
    assert found.change.members_left == 3


def test_artists_over_and_under_the_threshold_are_told_apart_from_those_who_opted(members):
    first = members.build()
    members.registry.opt_out("岡崎", by="the artist", at=NOW)
    members.join("eve", ["Rare", "Nocturne"])
    second = members.build()
    assert why(members, first, second).because == {
        "artists_added": {"heard by 2 members or more now": 1},
        "artists_removed": {"opted out": 1},
    }
    members.ledger.withdraw("eve", at=NOW + DAY)
    third = members.build(at=NOW + DAY)
    assert why(members, second, third).because["artists_removed"] == {"heard by fewer than 2 members now": 1}


def test_rules_routes_and_policies_that_changed_are_named(members):
    first = members.build()
    members.hand_in("ada", ["岡崎"], export="taken", route="api")
    second = members.build(min_listeners=1, artists=None)
    words = why(members, first, second).words()
    assert "rule min_listeners: 2 became 1" in words
    assert "rows by a refused route, api: 0 became 1" in words
    assert "artists' registry: {'train_ai_counts': False} became not asked" in words


def test_reasons_are_not_taken_from_another_registry(tmp_path, members):
    members.registry.opt_out("岡崎", by="the artist", at=NOW)
    first = members.build()
    members.join("eve", ["Óró"])
    second = members.build()
    with pytest.raises(LogBrokenError):
        difference(first, second, registry=ArtistRegistry(tmp_path / "other.db", lambda: KEY))


def test_without_ledger_and_registry_it_is_told_that_and_not_why(members):
    first = members.build()
    members.ledger.withdraw("bob", at=NOW)
    assert difference(first, members.build()).because == {}
