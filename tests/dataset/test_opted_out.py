"""Artists who opted out never enter a version."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lived import DAY, KEY, collective
from people import NOW, Crowd, admitted, listens

from recsys.canonical import utc_text
from recsys.consent import ArtistPolicy, ArtistRegistry, Declaration, admit
from recsys.dataset import build, difference
from recsys.listens import artist_key

MINUTE = 60_000


def registry(folder):
    return ArtistRegistry(folder / "artists.db", lambda: KEY)


def test_an_artist_who_opted_out_is_gone_with_every_spelling_and_counted(tmp_path):
    everybody = [("Björk", MINUTE), ("Bjork", MINUTE), ("AC/DC", MINUTE), ("Óró", 1)]
    plays = {"ada": everybody, "bob": everybody, "cyd": everybody}
    plays["ada"] = [*plays["ada"], ("Óró", MINUTE), ("Nico", MINUTE)]
    plays["bob"] = [*plays["bob"], ("Óró", MINUTE), ("Nico", MINUTE)]
    found = registry(tmp_path)
    found.opt_out("BJÖRK", by="the artist", at=NOW)
    version = build(admitted(tmp_path, plays), min_listeners=2, artists=found.preferences(at=NOW))
    assert version.artists.names == ("AC/DC", "Nico", "Óró")
    assert not [row for row in version.spellings if artist_key(row.spelling) == "bjork"]
    assert version.manifest.counts["left_out"]["artists_opted_out"] == 1
    head = found.head()
    assert version.manifest.artists == {"count": 1, "hash": head.hash, "policy": {"train_ai_counts": False}}


def test_without_a_registry_the_version_says_that_it_was_not_asked(tmp_path):
    plays = {key: [("Björk", MINUTE), ("Nico", MINUTE)] for key in ("ada", "bob")}
    assert build(admitted(tmp_path, plays), min_listeners=2).manifest.artists is None


def test_a_rare_artist_who_opted_out_is_not_counted_twice(tmp_path):
    plays = {key: [("Björk", MINUTE), ("Nico", MINUTE)] for key in ("ada", "bob")}
    plays["ada"] = [*plays["ada"], ("Rare", MINUTE)]
    found = registry(tmp_path)
    found.opt_out("Rare", by="them", at=NOW)
    version = build(admitted(tmp_path, plays), min_listeners=2, artists=found.preferences(at=NOW))
    assert version.manifest.counts["left_out"]["artists_opted_out"] == 0


@pytest.mark.parametrize(("counts", "left"), [(True, ("Nico", "Óró")), (False, ("Björk", "Nico", "Óró"))])
def test_train_ai_keeps_an_artist_out_only_where_the_collective_says_so(tmp_path, counts, left):
    plays = {key: [("Björk", MINUTE), ("Nico", MINUTE), ("Óró", MINUTE)] for key in ("ada", "bob")}
    found = registry(tmp_path)
    found.declare([Declaration("Björk", "train-ai=n", "the artist", utc_text(NOW), "https://example.org")])
    preferences = found.preferences(at=NOW, policy=ArtistPolicy(train_ai_counts=counts))
    version = build(admitted(tmp_path, plays), min_listeners=2, artists=preferences)
    assert version.artists.names == left
    assert version.manifest.artists["policy"] == {"train_ai_counts": counts}


class Tagged(Crowd):
    """Members whose files give ids: (artist, id) pairs."""

    def read(self, member):
        found = listens(member, [(artist, MINUTE) for artist, _ in self.plays[member]])
        place = found.table.column_names.index("artist_id")
        ids = [given for _, given in self.plays[member]]
        table = found.table.set_column(place, "artist_id", [ids])
        return type(found)(found.member, table.cast(found.table.schema), found.report)


def tagged(folder, plays, preferences):
    admitted(folder, {name: [("x", MINUTE)] for name in plays})
    from recsys.consent import Ledger  # noqa: PLC0415

    crowd = admit(Tagged(plays), Ledger(folder / "ledger.db"), "train-recommender", NOW)
    return build(crowd, min_listeners=2, artists=preferences)


def test_an_opt_out_by_id_takes_that_artist_and_not_the_namesake(tmp_path):
    nirvanas = [("Nirvana", "mbid:us"), ("Nirvana", "mbid:uk"), ("Nico", None), ("Óró", None)]
    found = registry(tmp_path)
    found.opt_out("mbid:uk", by="them", at=NOW)
    version = tagged(tmp_path, dict.fromkeys(("ada", "bob", "cyd"), nirvanas), found.preferences(at=NOW))
    assert [name for name in version.artists.names if name.startswith("Nirvana")] == ["Nirvana"]
    assert version.user_items.sum() == 9
    found.opt_out("nirvana", by="them", at=NOW)
    version = tagged(tmp_path, dict.fromkeys(("ada", "bob", "cyd"), nirvanas), found.preferences(at=NOW))
    assert version.artists.names == ("Nico", "Óró")


def test_an_opt_out_under_one_name_takes_the_other_names_of_that_artist_along(tmp_path):
    prince = [("Prince", "mbid:p"), ("The Symbol", "mbid:p"), ("Nico", None), ("Óró", None)]
    plays = {"ada": prince, "bob": prince, "cyd": prince}
    assert len(tagged(tmp_path, plays, None).artists) == 3
    found = registry(tmp_path)
    found.opt_out("Prince", by="them", at=NOW)
    assert tagged(tmp_path, plays, found.preferences(at=NOW)).artists.names == ("Nico", "Óró")


def test_one_file_with_a_wrong_id_cannot_take_an_artist_away(tmp_path):
    plays = {name: [("Radiohead", None), ("Nico", None)] for name in ("ada", "bob", "cyd")}
    plays["cyd"] = [("Radiohead", "mbid:opted-out"), ("Nico", None)]
    found = registry(tmp_path)
    found.opt_out("mbid:opted-out", by="them", at=NOW)
    version = tagged(tmp_path, plays, found.preferences(at=NOW))
    assert version.artists.names == ("Nico", "Radiohead")
    assert version.user_items.sum() == 5  # the one play under that id is not used


def test_an_opt_out_makes_a_major_version_and_the_reason_is_told(tmp_path):
    members = collective(tmp_path)
    first = members.build()
    members.registry.opt_out("Óró", by="the artist", at=NOW)
    second = members.build()
    assert second.manifest.version == "2.0.0"
    words = difference(first, second, ledger=members.ledger, registry=members.registry).words()
    assert "artists: 1 removed (1 opted out)" in words
    members.registry.opt_in("Óró", by="the artist", at=NOW + DAY)
    third = members.build(at=NOW + DAY)
    assert (third.manifest.version, "Óró" in third.artists) == ("2.1.0", True)
    words = difference(second, third, ledger=members.ledger, registry=members.registry).words()
    assert "artists: 1 added (1 opted in again)" in words


@settings(max_examples=25, deadline=None)
@given(
    heard=st.lists(st.lists(st.sampled_from(["Aa", "aa", "Bb", "Cc", "Dd", "Ee"]), max_size=6), min_size=3, max_size=5),
    out=st.sets(st.sampled_from(["AA", "Bb", "CC", "dd"])),
)
def test_whatever_is_played_nobody_who_opted_out_is_in_and_nothing_else_is_missing(tmp_path_factory, heard, out):
    folder = tmp_path_factory.mktemp("home")
    everybody = ["Xx", "Yy"]
    plays = {f"m{i}": [(artist, MINUTE) for artist in [*everybody, *artists]] for i, artists in enumerate(heard)}
    found = registry(folder)
    for name in sorted(out):
        found.opt_out(name, by="them", at=NOW)
    version = build(admitted(folder, plays), min_listeners=2, artists=found.preferences(at=NOW))
    gone = {artist_key(name) for name in out}
    listeners = {}
    for member, rows in plays.items():
        for artist, _ in rows:
            listeners.setdefault(artist_key(artist), set()).add(member)
    enough = {key for key, who in listeners.items() if len(who) >= 2}
    assert {artist_key(name) for name in version.artists.names} == enough - gone
    assert version.manifest.counts["left_out"]["artists_opted_out"] == len(enough & gone)
