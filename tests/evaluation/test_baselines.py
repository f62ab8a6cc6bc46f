import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from recsys.evaluation import Popularity

# item:              0  1  2  3  4     (item 2 has three listeners, 0 and 4 two each, 1 one, 3 none)
TRAIN = sp.csr_matrix([[1, 0, 9, 0, 1], [1, 0, 1, 0, 0], [0, 1, 1, 0, 7]])


def knows(*rows):
    dense = np.zeros((len(rows), 5))
    for row, items in enumerate(rows):
        dense[row, items] = 1
    return sp.csr_matrix(dense)


def test_most_listeners_first_and_ties_by_index():
    ids, scores = Popularity(TRAIN).recommend([0], knows([]), N=5)
    assert ids.tolist() == [[2, 0, 4, 1, 3]]
    assert scores.tolist() == [[3, 2, 2, 1, 0]]


def test_what_a_user_knows_is_left_out():
    ids, scores = Popularity(TRAIN).recommend([7, 9], knows([2, 4], [0]), N=3)
    assert ids.tolist() == [[0, 1, 3], [2, 4, 1]]
    assert scores.tolist() == [[2, 1, 0], [3, 2, 1]]


def test_what_a_user_knows_may_be_kept():
    ids, _ = Popularity(TRAIN).recommend([0], knows([2]), N=2, filter_already_liked_items=False)
    assert ids.tolist() == [[2, 0]]


def test_missing_places_have_no_id_and_no_score():
    ids, scores = Popularity(TRAIN).recommend([0, 1], knows([0, 1, 2, 3, 4], [0, 1, 2]), N=4)
    assert ids.tolist() == [[-1, -1, -1, -1], [4, 3, -1, -1]]
    assert scores.tolist() == [[-np.inf] * 4, [2, 0, -np.inf, -np.inf]]


def test_more_places_than_items():
    ids, scores = Popularity(TRAIN).recommend([0], knows([]), N=7, filter_already_liked_items=False)
    assert ids.tolist() == [[2, 0, 4, 1, 3, -1, -1]]
    assert scores[0, 5:].tolist() == [-np.inf, -np.inf]


def test_one_user_gets_one_list():
    ids, scores = Popularity(TRAIN).recommend(0, knows([2]), N=2)
    assert (ids.tolist(), scores.tolist()) == ([0, 4], [2, 2])


def test_a_row_for_each_user():
    with pytest.raises(ValueError, match="1 rows for 2 users"):
        Popularity(TRAIN).recommend([0, 1], knows([2]))


@given(st.integers(0, 2**32), st.integers(1, 15))
def test_lists_agree_with_a_walk_down_the_charts(seed, N):
    rng = np.random.default_rng(seed)
    train, known = (sp.csr_matrix(rng.random((6, 12)) < share) for share in (0.4, rng.random()))
    listeners = np.asarray(train.sum(axis=0)).ravel()
    charts = sorted(range(12), key=lambda item: (-listeners[item], item))
    ids, _ = Popularity(train).recommend(np.arange(6), known, N=N)
    for row in range(6):
        unknown = [item for item in charts if item not in known[row].indices]
        assert ids[row].tolist() == (unknown + [-1] * N)[:N]


def test_an_item_that_is_stored_twice_is_known_once():
    twice = sp.csr_matrix((np.ones(2), [2, 2], [0, 2]), shape=(1, 5))
    ids, _ = Popularity(TRAIN).recommend([0], twice, N=4)
    assert ids.tolist() == [[0, 4, 1, 3]]
