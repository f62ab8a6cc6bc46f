import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from recsys.models import ages, latest, recent


def matrix(rows):
    return sp.csr_matrix(np.array(rows, dtype=np.float32))


def test_weights_halve_with_every_half_life_since_the_listeners_own_last_listen():
    """The first heard 30 days ago and today; the second, who left long ago, 10 days apart."""
    weights, times = matrix([[4, 2, 0], [0, 8, 8]]), matrix([[70, 100, 0], [0, 20, 30]])
    assert recent(weights, times, 10.0).toarray().tolist() == [[0.5, 2, 0], [0, 4, 8]]
    assert recent(weights, times, 1.0).toarray()[0, 0] == pytest.approx(4 * 0.05)  # never nothing
    assert weights.data.tolist() == [4, 2, 8, 8]


def test_a_history_without_pairs_has_no_age():
    times = matrix([[0, 0], [3, 5], [0, 0]])
    assert ages(times).tolist() == [2, 0]
    assert ages(matrix([[0, 0]])).tolist() == []


@given(st.integers(0, 2**32))
def test_the_latest_of_each_pair_is_found_wherever_it_stands(seed):
    rng = np.random.default_rng(seed)
    row, column, time = rng.integers(0, 5, 30), rng.integers(0, 4, 30), rng.integers(-9, 9, 30).astype(float)
    plays = sp.csr_matrix((np.ones(30, np.float32), (row, column)), shape=(5, 4))
    plays.sum_duplicates()
    found = latest(row, column, time, plays)
    for r, c in zip(*plays.nonzero(), strict=True):
        assert found[r, c] == time[(row == r) & (column == c)].max()
    assert np.array_equal(found.indices, plays.indices)


@pytest.mark.parametrize("half_life", [0, -1.0])
def test_a_half_life_is_a_time(half_life):
    with pytest.raises(ValueError, match="must be above 0"):
        recent(matrix([[1]]), matrix([[1]]), half_life)
