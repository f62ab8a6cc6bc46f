"""A buyer's listeners beside a bundle: whose names are whose, what is hidden, what is popular among the others."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from listeners import histories, pairs

from recsys.bundle.names import NameIndex
from recsys.bundle.trying import Histories
from recsys.bundle.trying.division import LENGTH, Division, listed_by_fame
from recsys.errors import ConfigError


def test_artists_that_a_bundle_takes_for_one_are_one():
    index = NameIndex(["Prince", "Björk"], aliases={"The Artist": "Prince"})
    told = histories([[1, 2, 0, 0], [0, 0, 3, 4]], ["the artist", "Prince", "Bjork", "Somebody"])
    found = told.matched(index)
    assert pairs(found.histories) == [(0, "Prince", 3), (1, "Björk", 3), (1, "Somebody", 4)]
    assert found.histories.artists == ("Björk", "Prince", "Somebody")
    assert found.columns.tolist() == [1, 0, -1]
    assert found.in_bundle(found.histories.plays, 2, 9.0).toarray().tolist() == [[3, 0], [0, 3]]


def test_slips_are_seen_past_only_when_asked():
    index = NameIndex(["Aphex Twin", "Björk"])
    told = histories([[1, 2]], ["Aphex Twn", "Björk"])
    assert told.matched(index).known.tolist() == [False, True]
    found = told.matched(index, correct=True)
    assert found.known.all()
    assert found.corrected == {"Aphex Twn": "Aphex Twin"}


def test_an_artist_counts_for_typical_plays_where_the_file_does_not_say():
    told = Histories(sp.csr_matrix(np.ones((1, 2), np.float32)), ("a", "b"), counted=False)
    found = told.matched(NameIndex(["b"]))
    assert found.in_bundle(found.histories.plays, 1, 7.0).toarray().tolist() == [[7]]


def test_what_is_shown_and_what_is_hidden_make_up_a_history():
    rng = np.random.default_rng(0)
    told = histories(rng.integers(0, 3, size=(40, 15)))
    division = Division.of(told, seed=3)
    assert ((division.shown + division.hidden) != told.plays[division.users]).nnz == 0
    assert division.shown.multiply(division.hidden).nnz == 0
    assert (division.n_hidden >= 1).all()
    assert (np.diff(division.shown.indptr) >= 1).all()
    again = Division.of(told, seed=3)
    assert (again.hidden != division.hidden).nnz == 0
    assert (Division.of(told, seed=4).hidden != division.hidden).nnz > 0


def test_one_listener_is_no_test():
    with pytest.raises(ConfigError, match="only 1 of 3 listeners"):
        Division.of(histories([[1, 1, 0], [1, 0, 0], [0, 0, 1]]))


@given(
    st.integers(2, 12).flatmap(
        lambda n: st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=3, max_size=9)
    ),
    st.integers(0, 3),
    st.randoms(use_true_random=False),
)
@settings(deadline=None)
def test_popularity_among_the_others_is_what_counting_by_hand_gives(rows, seed, draw):
    told = histories(np.array(rows, dtype=np.float32))
    if (told.plays.getnnz(axis=1) >= 2).sum() < 2:
        return
    division = Division.of(told, seed=seed)
    among = np.array([draw.random() < 0.8 for _ in told.artists])
    lists = listed_by_fame(division, among)
    for place, user in enumerate(division.users):
        others = [row for other, row in enumerate(rows) if other != user]
        counts = {artist: sum(row[artist] for row in others) for artist in np.flatnonzero(among).tolist()}
        shown = set(division.shown[place].indices.tolist())
        wanted = [artist for artist in sorted(counts, key=lambda one: (-counts[one], one)) if artist not in shown]
        assert [one for one in lists.ids[place].tolist() if one >= 0] == wanted[:LENGTH]
        hidden = set(division.hidden[place].indices.tolist())
        assert lists.hit[place].tolist() == [one in hidden for one in lists.ids[place].tolist()]


def test_long_lists_of_popular_artists_are_cut_right():
    rng = np.random.default_rng(1)
    told = histories((rng.random((30, 400)) < rng.random(400)).astype(np.float32))
    division = Division.of(told, seed=0)
    lists = listed_by_fame(division, np.ones(400, dtype=bool))
    counts = told.plays.getnnz(axis=0)
    for place, user in enumerate(division.users[:5]):
        own = set(told.plays[user].indices.tolist())
        left = {one: counts[one] - (one in own) for one in range(400) if one not in division.shown[place].indices}
        assert lists.ids[place].tolist() == sorted(left, key=lambda one: (-left[one], one))[:100]
