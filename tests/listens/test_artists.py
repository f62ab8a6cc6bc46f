"""Which spellings are one artist: hard cases by hand, rules by property, ids by the word of enough members."""

# ruff: noqa: RUF001 - letters that look alike are what this is about

import random
import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from recsys.errors import ConfigError
from recsys.listens import ArtistIds, Heard, Spelling, artist_key, canonical_artists

ONE_ARTIST = [
    ("Beyoncé", "Beyonce", "BEYONCÉ", "beyonce\u0301", " Beyoncé ", "BeyoncÃ©", "Beyoncé feat. JAY-Z"),
    ("Sigur Rós", "Sigur Ros", "sigur rós", "Sigur RÃ³s", "Sigur RÃƒÂ³s"),
    ("AC/DC", "ACDC", "AC-DC", "Ac Dc", "ＡＣ／ＤＣ", "AC⚡DC"),
    ("The Beatles", "Beatles", "Beatles, The", "THE BEATLES"),
    ("The The", "the the", "The  The"),
    ("Florence + the Machine", "Florence & The Machine", "Florence and the Machine"),
    ("Tyler, The Creator", "Tyler The Creator", "TYLER, THE CREATOR"),
    ("A$AP Rocky", "ASAP Rocky", "A$AP Rocky (feat. Skepta)"),
    ("P!nk", "Pink", "P!NK"),
    (
        "JAY-Z",
        "Jay Z",
        "Jay-Z ft. Rihanna",
        "Jay-Z Featuring UGK",
        "Jay-Z [with Linkin Park]",
        "JAY-Z feat.Alicia Keys",
    ),
    ("Royksopp", "Röyksopp", "RÖYKSOPP", "røyksopp"),
    ("Little Feat", "little feat.", "Little Feat feat. Bonnie Raitt"),
    ("岡崎体育", "岡崎体育 feat. 誰か", "å²¡å´Žä½“è‚²"),
    ("ポルノグラフィティ", "ﾎﾟﾙﾉｸﾞﾗﾌｨﾃｨ"),
    ("Кино", "КИНО", "кино"),
    ("Guns N' Roses", "Guns N’ Roses", "Guns Nâ€™ Roses", "guns n roses"),
    ("Godspeed You! Black Emperor", "Godspeed You Black Emperor!"),
    ("!!!", "!!! feat. Somebody"),
    ("İbrahim Tatlıses", "Ibrahim Tatlises"),
    ("Weiß", "WEISS"),
]
APART = [
    ("!!!", "!!", "???", "+/-", "†††", "💀", "💀💀", "♥"),
    ("The The", "The"),
    ("Earth, Wind & Fire", "Earth", "Earth Wind"),
    ("Simon & Garfunkel", "Simon", "Garfunkel"),
    ("Sleeping With Sirens", "Sleeping"),
    ("Man With a Mission", "Man"),
    ("10 Ft. Ganja Plant", "10"),
    ("Little Feat", "Little"),
    ("Ёлка", "Йлка"),
    ("がんば", "かんば"),
    ("Tyler, The Creator", "Tyler"),
    ("岡崎体育", "岡崎"),
    ("The 1975", "1976"),
]


@pytest.mark.parametrize("spellings", ONE_ARTIST, ids=lambda names: names[0])
def test_these_are_one_artist(spellings):
    assert {artist_key(name) for name in spellings} == {artist_key(spellings[0])}


@pytest.mark.parametrize("spellings", APART, ids=lambda names: names[0])
def test_these_are_not(spellings):
    assert len({artist_key(name) for name in spellings}) == len(spellings)


def test_a_key_is_a_plain_word():
    assert artist_key("The Beatles") == "beatles"
    assert artist_key("AC/DC") == "acdc"
    assert artist_key("!!!") == "!!!"
    assert artist_key("岡崎体育") == "岡崎体育"
    assert artist_key("Mötley Crüe & The Øthers") == "motleycrueandtheothers"


def test_text_that_only_looks_strange_is_not_repaired():
    for name in ("Ã", "Â", "ÅÄÖ", "Ænima", "†‡†", "Ñandú"):
        assert artist_key(name) != ""
    assert artist_key("ÅÄÖ") == "aao"
    assert artist_key("Ænima") == "aenima"


NAMES = st.text(max_size=24) | st.from_regex(
    r"(The |the )?[A-Za-zÀ-žぁ-んа-я$!&+.,'() -]{0,16}( feat\. | ft | \(with )?[A-Za-zé!]{0,6}\)?(, The)?",
    fullmatch=True,
)


@settings(max_examples=400, deadline=None)
@given(NAMES)
def test_a_key_is_its_own_key_and_never_empty(name):
    key = artist_key(name)
    assert artist_key(key) == key
    assert bool(key) == bool(name.split())


@settings(max_examples=400, deadline=None)
@given(NAMES)
@example("ÂŒ")
def test_normal_forms_and_blanks_do_not_matter(name):
    key = artist_key(name)
    assert artist_key(unicodedata.normalize("NFC", name)) == key
    assert artist_key(unicodedata.normalize("NFD", name)) == key
    assert artist_key(f"  {name}\t") == key


@settings(max_examples=400, deadline=None)
@given(st.text(st.characters(codec="latin-1") | st.sampled_from("řžığşЯжΩςåøƏ岡が한"), max_size=16))
def test_case_does_not_matter(name):
    from ftfy import fix_encoding  # noqa: PLC0415 - text that is garbled in one case only has no case

    forms = {name, name.upper(), name.lower(), name.swapcase(), name.casefold()}
    assume(
        all(fix_encoding(unicodedata.normalize("NFC", form)) == unicodedata.normalize("NFC", form) for form in forms)
    )
    assert {artist_key(form) for form in forms} == {artist_key(name)}


def heard(plays):
    """Lay out {member: [(name, id, plays), ...]}."""
    spellings, member, spelling, counts = {}, [], [], []
    for number, rows in enumerate(plays.values()):
        for name, given_id, count in rows:
            member.append(number)
            spelling.append(spellings.setdefault(Spelling(name, given_id), len(spellings)))
            counts.append(count)
    return Heard(list(spellings), *(np.array(column, np.int64) for column in (member, spelling, counts)))


def artists_of(found, given):
    """Give the shown name of each spelling."""
    return {
        spelling: found.names[number] if number >= 0 else None
        for spelling, number in zip(given.spellings, found.artist.tolist(), strict=True)
    }


def test_the_spelling_of_most_members_is_shown_then_of_most_plays_then_the_first():
    rows = {
        "a": [("Beyonce", None, 100), ("Air", None, 1), ("Moby", None, 1)],
        "b": [("Beyoncé", None, 1), ("AIR", None, 2), ("MOBY", None, 1)],
        "c": [("Beyoncé", None, 1)],
    }
    found = canonical_artists(heard(rows), min_listeners=1)
    assert found.names == ("AIR", "Beyoncé", "MOBY")


def test_listeners_of_all_spellings_count_together():
    rows = {"a": [("Sigur Ros", None, 1)], "b": [("Sigur Rós", None, 1)], "c": [("Sigur Rós", None, 1)]}
    given = heard(rows)
    found = canonical_artists(given, min_listeners=3)
    assert set(artists_of(found, given).values()) == {found.names[0]}
    assert found.left_out == {"artists_below_min_listeners": 0, "spellings_below_min_listeners": 2}


def test_a_spelling_of_too_few_members_is_shown_nowhere():
    rows = {f"m{i}": [("Sigur Rós", None, 1)] for i in range(5)} | {"x": [("$igur Rós!", None, 99)]}
    rows |= {f"o{i}": [(name, None, 1)] for i, name in enumerate(["ABBA", "Abba", "abba", "A.B.B.A", "AbbA"])}
    found = canonical_artists(heard(rows), min_listeners=5)
    assert [tuple(count) for count in found.spellings] == [("Sigur Rós", "Sigur Rós", 5, 5)]
    assert found.names == ("Sigur Rós", "abba")  # what all five share is the key, and nobody's spelling
    assert "$igur" not in str((found.names, found.spellings, found.left_out))


def test_a_rare_artist_is_nobody():
    given = heard({"a": [("Rare", None, 9), ("Air", None, 1)], "b": [("Air", None, 1)]})
    found = canonical_artists(given, min_listeners=2)
    assert artists_of(found, given) == {("Rare", None): None, ("Air", None): "Air"}
    assert found.left_out["artists_below_min_listeners"] == 1


US, UK = "mbid:5b11f4ce-a62d-471e-81fc-a69a8278c7da", "mbid:9282c8b4-ca0b-4c6b-b7e3-4f7762dfc4d6"


def test_two_artists_of_one_name_are_told_apart_by_ids_on_which_enough_members_agree():
    rows = {f"us{i}": [("Nirvana", US, 2)] for i in range(4)} | {f"uk{i}": [("Nirvana", UK, 1)] for i in range(3)}
    rows |= {"plain": [("nirvana", None, 1)], "liar": [("Nirvana", "mbid:made-up", 1)]}
    given = heard(rows)
    shown = artists_of(canonical_artists(given, min_listeners=3), given)
    assert shown[Spelling("Nirvana", UK)] == f"Nirvana [{UK}]"
    others = {name for spelling, name in shown.items() if spelling.id != UK}
    assert others == {"Nirvana"}


def test_two_names_of_one_artist_meet_by_an_id_on_which_enough_members_agree():
    prince = "spotify:artist:5a2EaR3hamoenG9rDuVn8j"
    rows = {f"a{i}": [("Prince", prince, 1), ("The Artist", prince, 1)] for i in range(3)} | {
        "b": [("Prince", None, 5)]
    }
    given = heard(rows)
    assert set(artists_of(canonical_artists(given, min_listeners=3), given).values()) == {"Prince"}


def test_one_member_cannot_join_two_artists_for_all():
    same = "mbid:wrong"
    rows = {f"m{i}": [("Radiohead", None, 1), ("Moby", None, 1)] for i in range(3)}
    rows["liar"] = [("Radiohead", same, 9), ("Moby", same, 9)]
    assert canonical_artists(heard(rows), min_listeners=2).names == ("Moby", "Radiohead")


def test_the_operators_map_is_believed_at_once(tmp_path):
    path = tmp_path / "map.csv"
    path.write_text(
        "id,name,spelling,mbid\n"
        'prince,Prince,"Prince",\n'
        'prince,,"The Artist, Formerly Known",\n'
        f"nirvana-uk,Nirvana (UK),,{UK.removeprefix('mbid:')}\n",
        encoding="utf-8",
    )
    ids = ArtistIds.load(path)
    rows = {
        "a": [("PRINCE", None, 1), ("Nirvana", UK, 1)],
        "b": [("the artist formerly known", None, 1), ("Nirvana", None, 1)],
    }
    given = heard(rows)
    shown = artists_of(canonical_artists(given, min_listeners=1, ids=ids), given)
    assert shown[Spelling("PRINCE")] == shown[Spelling("the artist formerly known")] == "Prince"
    assert shown[Spelling("Nirvana", UK)] == "Nirvana (UK)"
    assert shown[Spelling("Nirvana")] == "Nirvana (UK)"  # a play without an id goes where most members' ids point


def test_a_map_may_be_parquet(tmp_path):
    pq.write_table(pa.table({"id": ["x"], "spotify": ["spotify:artist:1"]}), tmp_path / "map.parquet")
    assert ArtistIds.load(tmp_path / "map.parquet").artists == {"spotify:artist:1": "x"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "needs the columns id and spelling"),
        ("id,spelling\n", "it has: none"),
        ("id,spelling\n,Air\n", "row 1 has no id"),
        ("id,spelling\nx,Air\ny,AIR\n", r"row 2 gives 'key:air' to 'y', an earlier row to 'x'"),
        (b"id,spelling\nx,\xff\n", "is not a map of artists"),
    ],
)
def test_a_map_that_is_none_says_why(tmp_path, text, said):
    path = tmp_path / "map.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=said):
        ArtistIds.load(path)


NAMED = st.sampled_from(["Air", "AIR", "air!", "The Air", "Moby", "MOBY", "Móby", "!!!"])
IDS = st.sampled_from([None, None, US, UK, "spotify:artist:1"])
CROWDS = st.lists(st.lists(st.tuples(NAMED, IDS, st.integers(1, 9)), max_size=6), min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(CROWDS, st.integers(1, 3), st.randoms(use_true_random=False))
def test_the_order_of_members_and_rows_does_not_matter_and_names_are_unique(crowd, least, shuffle):
    given = heard(dict(enumerate(crowd)))
    found = canonical_artists(given, min_listeners=least)
    mixed = [shuffle.sample(rows, len(rows)) for rows in crowd]
    shuffle.shuffle(mixed)
    again_given = heard(dict(enumerate(mixed)))
    again = canonical_artists(again_given, min_listeners=least)
    assert (again.names, again.spellings, again.left_out) == (found.names, found.spellings, found.left_out)
    assert artists_of(again, again_given) == artists_of(found, given)
    assert list(found.names) == sorted(set(found.names))
    assert all(count.members >= least for count in found.spellings)


def test_members_and_plays_of_a_spelling_agree_with_a_count_by_hand():
    rng = random.Random(5)
    rows = {n: [(rng.choice(["Air", "AIR", "Moby"]), None, rng.randint(1, 9)) for _ in range(6)] for n in range(9)}
    found = canonical_artists(heard(rows), min_listeners=1)
    for count in found.spellings:
        own = [[plays for name, _, plays in plays_of if name == count.spelling] for plays_of in rows.values()]
        assert count.members == sum(bool(plays) for plays in own)
        assert count.plays == sum(map(sum, own))
