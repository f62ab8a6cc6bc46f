import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from recsys.bundle.names import NameIndex
from recsys.listens import artist_key

NAMES = (
    *("The Beatles", "Björk", "Aphex Twin", "Queen", "Quentin", "MØ", "Mo", "Sigur Rós", "!!!", "AC/DC"),
    *("Boards of Canada", "Beach House", "The The", "Beyoncé", "岡崎"),
)
LISTENERS = (90, 80, 70, 60, 1, 2, 3, 40, 5, 60, 7, 8, 9, 85, 4)


@pytest.fixture(scope="module")
def index():
    return NameIndex(NAMES, LISTENERS)


def found(index, text, n=10):
    return [index.names[column] for column, _ in index.search(text, n)]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("bjork", "Björk"),
        ("BJÖRK", "Björk"),
        (" Bjo\u0308rk ", "Björk"),
        ("beatles", "The Beatles"),
        ("Beatles, The", "The Beatles"),
        ("acdc", "AC/DC"),
        ("ac-dc", "AC/DC"),
        ("sigur ros", "Sigur Rós"),
        ("!!!", "!!!"),
        ("岡崎", "岡崎"),
        ("MØ", "MØ"),
        ("Mo", "Mo"),
        ("Aphex Twin feat. Somebody", "Aphex Twin"),
    ],
)
def test_case_accents_signs_and_articles_do_not_matter(index, typed, meant):
    assert found(index, typed, 1) == [meant]
    taken = index.resolve(typed)
    assert (taken.name, taken.exact) == (meant, True)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Bjrk", "Björk"),
        ("Aphex Twn", "Aphex Twin"),
        ("Apehx Twin", "Aphex Twin"),
        ("Beetles", "The Beatles"),
        ("boards of candaa", "Boards of Canada"),
        ("Boards of", "Boards of Canada"),
        ("quen", "Queen"),
        ("Queex", "Queen"),
    ],
)
def test_slips_are_seen_past_and_said_to_be_slips(index, typed, meant):
    taken = index.resolve(typed)
    assert (taken.name, taken.exact) == (meant, False)
    assert index.names[taken.column] == meant


@pytest.mark.parametrize("typed", ["", "   ", "zzz", "nobody at all", "x" * 5_000, "\0", "\n"])
def test_what_is_like_nothing_is_taken_for_nothing(index, typed):
    assert index.resolve(typed).column is None


def test_a_name_that_could_be_two_is_taken_for_neither():
    index = NameIndex(["Peach House", "Beach House"], [1, 1_000])
    taken = index.resolve("Each House")
    assert taken.column is None
    assert set(taken.near) == {"Peach House", "Beach House"}


def test_the_better_known_comes_first_among_names_that_begin_so(index):
    assert found(index, "be", 3) == ["The Beatles", "Beyoncé", "Beach House"]


def test_a_part_of_a_name_finds_it_without_being_taken_for_it(index):
    assert found(index, "of canada") == ["Boards of Canada"]
    assert index.resolve("of canada").near == ("Boards of Canada",)


def test_no_answers_are_asked_for(index):
    assert index.search("Björk", 0) == []
    assert NameIndex([]).search("Björk", 5) == []
    assert NameIndex([]).corrected(["Björk"]) == {}


def test_listeners_of_other_artists_are_refused():
    with pytest.raises(ValueError, match="3 names"):
        NameIndex(["a", "b", "c"], [1.0, 2.0])


def test_other_spellings_find_the_artist_but_never_push_a_name_aside():
    index = NameIndex(["Puff Daddy", "Diddy", "Prince"], [5, 1, 9], {"The Artist": "Prince", "Diddy!": "Puff Daddy"})
    assert index.resolve("the artist").name == "Prince"
    assert index.resolve("diddy").name == "Diddy"
    assert index.column("The artist") == 2
    assert index.column("DIDDY") == 1
    assert index.column("Diddy") == 1
    assert index.column("nobody") is None
    assert index.search("prince", 3) == [(2, 1.0)]


def test_many_names_are_corrected_at_once_where_that_is_sure(index):
    told = ["Aphex Twn", "Bjrk", "Björk", "nobody", "x", "Boards of Canda"]
    assert index.corrected(told) == {"Aphex Twn": 2, "Boards of Canda": 10}


def test_a_name_that_is_a_slip_away_from_two_is_not_corrected():
    assert NameIndex(["Beach House", "Peach House"]).corrected(["Reach House"]) == {}
    assert NameIndex(["Beach House", "Peach Mouse"]).corrected(["Reach House"]) == {"Reach House": 0}


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=30, unique=True), st.data())
def test_every_name_is_found_by_itself_and_nothing_comes_twice(names, data):
    index = NameIndex(names)
    name = data.draw(st.sampled_from(names))
    answers = index.search(name, len(names))
    columns = [column for column, _ in answers]
    assert len(columns) == len(set(columns))
    assert all(0 < likeness <= 1 for _, likeness in answers)
    if artist_key(name.strip()):
        assert name.strip() != name or columns[0] == names.index(name)
        same = {place for place, one in enumerate(names) if artist_key(one) == artist_key(name.strip())}
        assert set(columns[: len(same)]) == same


def test_one_slip_in_a_long_name_is_found_among_many():
    draw = random.Random(5)
    names = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=12)) for _ in range(5_000)]
    index = NameIndex(names, np.arange(5_000))
    for column in range(0, 5_000, 500):
        typed = names[column][:5] + names[column][6:]
        assert index.resolve(typed).column == column
        assert index.corrected([typed]) == {typed: column}


@given(
    st.lists(st.text("abcdeé 岡", min_size=1, max_size=9), min_size=1, max_size=40, unique=True),
    st.text("abcdeé 岡", min_size=3, max_size=9),
)
def test_no_name_that_is_alike_is_passed_over(names, typed):
    """Nothing but counting slips of every name decides."""
    key = artist_key(typed.strip())
    if len(key) < 3:
        return
    alike = {column for column, name in enumerate(names) if OSA.normalized_similarity(key, artist_key(name)) > 0.75}
    assert alike <= {column for column, _ in NameIndex(names).search(typed, len(names))}


def test_a_wrong_letter_is_seen_past_though_another_name_begins_so():
    assert found(NameIndex(["Queen", "Queex Quartet"]), "Queex") == ["Queen", "Queex Quartet"]
