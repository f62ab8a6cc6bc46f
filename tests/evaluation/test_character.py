import itertools
import math

import numpy as np
import pytest
import scipy.sparse as sp
from evaluation.made import incidence, lists_of, random_lists

from recsys.evaluation import Diversity, Fame, LongTail, Miscalibration, Novelty, Popular, catalogue

FOUR_USERS = incidence([[0, 1], [0, 1], [0, 2], [0]], 4)  # listeners: 4, 2, 1, 0


def test_popularity_and_novelty_by_hand():
    """Of four users, 4, 2, 1 and 0 listen to the items; the last counts as one for surprise."""
    fame = Fame.among(FOUR_USERS)
    lists = lists_of([[0, 1], [2, 3], [1, -1], [-1, -1]], n_items=4)
    assert Popular(2, fame)(lists).tolist() == [3, 1 / 2, 2, 0]
    assert Novelty(2, fame)(lists).tolist() == [(0 + 1) / 2, 2, 1, 0]
    assert Popular(1, fame)(lists).tolist() == [4, 1, 2, 0]


def test_head_and_tail_each_hold_a_fifth_of_what_is_heard():
    """Ten items of ten listeners each: two are head, six in the middle, two tail; the first come first."""
    assert Fame(np.full(10, 10), 10).group.tolist() == [0, 0, 1, 1, 1, 1, 1, 1, 2, 2]
    assert Fame(np.array([0, 90, 10]), 90).group.tolist() == [2, 0, 2]


def test_the_share_of_the_tail():
    lists = lists_of([[0, 9], [8, 9], [2, 3]])
    assert LongTail(2, Fame(np.full(10, 10), 10))(lists).tolist() == [1 / 2, 1, 0]


def test_a_list_that_mixes_as_its_listener_does_is_calibrated():
    fame = Fame(np.full(10, 10), 10)
    lists = lists_of([[0, 2, 3, 9], [0, 1, -1, -1], [-1] * 4], fold_in=[[1, 4, 5, 8], [8, 9], [0]])
    assert Miscalibration(4, fame)(lists).tolist() == pytest.approx([0, math.log(100), math.log(100)])


def test_miscalibration_by_hand():
    """Half head and half tail was heard, the head alone is listed."""
    lists = lists_of([[0, 1]], fold_in=[[0, 9]])
    head, tail = 0.99 * 1 + 0.01 / 2, 0.01 / 2
    expected = math.log(0.5 / head) / 2 + math.log(0.5 / tail) / 2
    assert Miscalibration(2, Fame(np.full(10, 10), 10))(lists).tolist() == pytest.approx([expected])


def test_nothing_folded_in_has_no_mix_to_miss():
    assert Miscalibration(1, Fame(np.full(10, 10), 10))(lists_of([[0]])).tolist() == [0]


def test_diversity_by_hand():
    """Two items alike and one at right angles: one pair of three is alike. A lone item is not diverse."""
    features = sp.csr_matrix(np.array([[2.0, 0], [5.0, 0], [0, 1.0], [0, 0]]))
    lists = lists_of([[0, 1, 2], [0, 3, -1], [0, -1, -1]], n_items=4)
    assert Diversity(3, features)(lists).tolist() == pytest.approx([2 / 3, 1, 0])


@pytest.mark.parametrize("seed", range(5))
def test_figures_agree_with_loops_over_their_definitions(seed):
    lists, _ = random_lists(seed)
    rng = np.random.default_rng(seed)
    train = sp.random(40, 30, density=0.2, format="csr", rng=rng)
    train.data[:] = 1
    fame, k = Fame.among(train), 7
    dense, listeners = train.toarray(), train.getnnz(axis=0)
    lengths = np.linalg.norm(dense, axis=0)
    cosine = (dense.T @ dense) / np.maximum(np.outer(lengths, lengths), 1e-300)
    found = {m.name: m(lists) for m in (Popular(k, fame), Novelty(k, fame), Diversity(k, train.T.tocsr()))}
    for row, ids in enumerate(lists.ids[:, :k]):
        pairs = list(itertools.combinations(ids, 2))
        assert found["popularity_at_7"][row] == pytest.approx(np.mean([listeners[i] for i in ids]), abs=1e-9)
        surprise = [-math.log2(max(listeners[i], 1) / 40) for i in ids]
        assert found["novelty_at_7"][row] == pytest.approx(np.mean(surprise), abs=1e-9)
        unlike = [1 - cosine[i, j] for i, j in pairs]
        assert found["diversity_at_7"][row] == pytest.approx(np.mean(unlike), abs=1e-9)


def test_coverage_and_concentration_by_hand():
    even = lists_of([[0, 1], [2, 3]], n_items=4)
    assert catalogue(even, 2) == {"coverage_at_2": 1, "gini_at_2": 0}
    assert catalogue(lists_of([[0, -1], [0, -1]], n_items=4), 2) == {"coverage_at_2": 1 / 4, "gini_at_2": 3 / 4}
    assert catalogue(lists_of([[-1]], n_items=4), 1) == {"coverage_at_1": 0, "gini_at_1": 0}


@pytest.mark.parametrize("seed", range(3))
def test_concentration_agrees_with_the_mean_difference_of_all_pairs(seed):
    lists, _ = random_lists(seed)
    times = np.bincount(lists.ids[:, :4].ravel(), minlength=30)
    expected = np.abs(times[:, None] - times[None, :]).mean() / (2 * times.mean())
    assert catalogue(lists, 4)["gini_at_4"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_shares_of_the_tail_mixes_and_coverage_agree_with_loops_over_their_definitions(seed):
    lists, _ = random_lists(seed)
    listeners = np.random.default_rng(seed).integers(1, 40, 30)
    groups, before = {}, 0
    for item in sorted(range(30), key=lambda i: (-listeners[i], i)):
        groups[item] = 0 if before < 0.2 * listeners.sum() else 1 if before < 0.8 * listeners.sum() else 2
        before += listeners[item]
    fame, k = Fame(listeners, 40), 6
    tail, miss = LongTail(k, fame)(lists), Miscalibration(k, fame)(lists)
    for row, ids in enumerate(lists.ids[:, :k]):
        assert tail[row] == pytest.approx(np.mean([groups[i] == 2 for i in ids]), abs=1e-9)
        known = lists.fold_in[row].indices
        expected = 0.0
        for group in range(3):
            p = sum(groups[i] == group for i in known) / len(known)
            q = 0.99 * sum(groups[i] == group for i in ids) / k + 0.01 * p
            expected += p * math.log(p / q) if p else 0
        assert miss[row] == pytest.approx(expected, abs=1e-9)
    shown = {int(i) for ids in lists.ids[:, :k] for i in ids}
    assert catalogue(lists, k)["coverage_at_6"] == pytest.approx(len(shown) / 30, abs=1e-9)
