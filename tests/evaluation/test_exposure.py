import numpy as np
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.evaluation import Lists
from recsys.evaluation.exposure import exposure, peers_within


def lists(ids, known, n_items=6):
    ids = np.array(ids, dtype=np.int32)
    fold_in = sp.csr_matrix(np.array(known, dtype=np.float32).reshape(len(ids), n_items))
    hit = np.zeros(ids.shape, dtype=np.bool_)
    return Lists(np.arange(len(ids)), ids, hit, np.ones(len(ids), dtype=np.int64), fold_in)


def test_places_and_those_who_could_be_told():
    known = [[0] * 6, [0, 0, 1, 0, 0, 0], [0] * 6]
    found = exposure(lists([[2, 1, 0], [0, 1, 3], [4, 5, 2]], known), 2, np.array([2]))
    assert (found.n_eligible, found.places.tolist(), found.n_hidden, found.found) == (2, [1, 3], 1, 1)
    assert [found.within(k) for k in (0, 1, 2, 3, 9)] == [0, 1, 1, 2, 2]


def test_peers_are_those_with_about_as_many_listeners():
    asked = lists([[0, 1], [0, 1], [0, 5]], [[0] * 6] * 3)
    assert peers_within(asked, 0, np.array([9, 9, 1, 1, 1, 1]), 2) == 3 / 5
    assert peers_within(asked, 5, np.array([9, 9, 1, 1, 1, 1]), 1) == 3 / 5


LISTED = st.integers(1, 5).flatmap(
    lambda users: st.lists(st.permutations(range(6)).map(lambda row: row[:4]), min_size=users, max_size=users)
)


@settings(max_examples=60, deadline=None)
@given(ids=LISTED, item=st.integers(0, 5), k=st.integers(1, 4))
def test_counts_agree_with_a_count_by_hand(ids, item, k):
    asked = lists(ids, [[0] * 6] * len(ids))
    found = exposure(asked, item, np.arange(len(ids)))
    assert found.places.tolist() == sorted(row.index(item) + 1 for row in ids if item in row)
    assert found.within(k) == sum(item in row[:k] for row in ids)
    assert found.found == sum(item in row for row in ids)
    others = [sum(other in row[:k] for row in ids) for other in range(6) if other != item]
    assert np.isclose(peers_within(asked, item, np.ones(6, np.int64), k), np.mean(others))
