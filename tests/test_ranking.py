import math

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recsys.ranking import hits, hold_out_part, ndcg, recall


def matrix_of(*rows: list[int], n_items: int = 6) -> sp.csr_matrix:
    dense = np.zeros((len(rows), n_items), dtype=np.float32)
    for row, items in enumerate(rows):
        dense[row, items] = 1 + np.array(items)
    return sp.csr_matrix(dense)


def test_the_parts_of_a_history_have_the_stated_sizes():
    user_items = matrix_of([], [3], [0, 5], [0, 1, 2, 3, 4])
    fold_in, target = hold_out_part(user_items, 0.8, np.random.default_rng(0))
    assert np.diff(fold_in.indptr).tolist() == [0, 1, 1, 4]
    assert np.diff(target.indptr).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(("fraction", "kept"), [(0.01, 1), (0.99, 3), (0.5, 2)])
def test_both_sides_get_something_of_four_items(fraction, kept):
    fold_in, target = hold_out_part(matrix_of([0, 1, 2, 3]), fraction, np.random.default_rng(0))
    assert (fold_in.nnz, target.nnz) == (kept, 4 - kept)


@pytest.mark.parametrize("fraction", [0, 1, -0.5, math.nan])
def test_a_fraction_outside_its_range_is_refused(fraction):
    with pytest.raises(ValueError, match="between 0 and 1"):
        hold_out_part(matrix_of([0, 1]), fraction, np.random.default_rng(0))


dense_matrices = hnp.arrays(np.int8, st.tuples(st.integers(1, 8), st.integers(1, 8)), elements=st.integers(0, 3))


@given(dense_matrices, st.floats(0.01, 0.99), st.integers(0, 2**32))
def test_the_parts_are_disjoint_and_add_up(dense, fraction, seed):
    user_items = sp.csr_matrix(dense.astype(np.float32))
    fold_in, target = hold_out_part(user_items, fraction, np.random.default_rng(seed))
    assert np.array_equal((fold_in + target).toarray(), dense)
    assert fold_in.multiply(target).nnz == 0
    assert ((np.diff(target.indptr) > 0) == (np.diff(user_items.indptr) >= 2)).all()


def test_every_item_is_as_likely_to_be_the_target():
    user_items = sp.csr_matrix(np.ones((9_000, 3), dtype=np.float32))
    _, target = hold_out_part(user_items, 0.67, np.random.default_rng(0))
    assert np.bincount(target.indices).tolist() == pytest.approx([3_000] * 3, abs=200)


def test_hits_are_where_targets_stand():
    target = matrix_of([1, 4], [5], [])
    ids = np.array([[4, 0, 1], [5, -1, -1], [0, 1, 2]])
    assert hits(ids, target).tolist() == [[True, False, True], [True, False, False], [False] * 3]


def test_ids_outside_the_catalogue_hit_nobodys_target():
    target = matrix_of([5], [0])
    assert not hits(np.array([[6, 7], [-1, -6]]), target).any()  # 6 would be the next user's 0, -1 the last one's 5


def test_figures_of_one_user_by_hand():
    hit = np.array([[True, False, True, False]])
    three = np.array([3])
    assert recall(hit, three, 2).tolist() == [1 / 2]
    assert recall(hit, three, 4).tolist() == pytest.approx([2 / 3])
    gained, best = 1 + 1 / math.log2(4), 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert ndcg(hit, three, 4).tolist() == pytest.approx([gained / best])


def test_finding_all_first_is_worth_one_and_nothing_is_worth_zero():
    hit = np.array([[True, True, False], [False, False, False]])
    two = np.array([2, 2])
    assert ndcg(hit, two, 3).tolist() == pytest.approx([1, 0])
    assert recall(hit, two, 3).tolist() == [1, 0]


def test_more_places_than_the_list_has_count_as_missed():
    hit = np.array([[True]])
    assert recall(hit, np.array([4]), 10).tolist() == [1 / 4]
    best = sum(1 / math.log2(rank + 1) for rank in range(1, 5))
    assert ndcg(hit, np.array([4]), 10).tolist() == pytest.approx([1 / best])


def test_a_user_without_targets_has_no_figure():
    hit, none = np.zeros((1, 2), dtype=bool), np.array([0])
    assert np.isnan(recall(hit, none, 2)).all()
    assert np.isnan(ndcg(hit, none, 2)).all()


@given(st.integers(0, 2**32), st.integers(1, 12))
def test_figures_agree_with_a_loop_over_the_definition(seed, k):
    rng = np.random.default_rng(seed)
    target = sp.random(5, 10, density=0.3, format="csr", rng=rng)
    ids = np.array([rng.permutation(10)[:7] for _ in range(5)])
    hit, counts = hits(ids, target), np.diff(target.indptr)
    for row in range(5):
        wanted = set(target[row].indices)
        if not wanted:
            continue
        found = [rank for rank, item in enumerate(ids[row][:k], start=1) if item in wanted]
        best = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(wanted)) + 1))
        assert recall(hit, counts, k)[row] == pytest.approx(len(found) / min(k, len(wanted)))
        assert ndcg(hit, counts, k)[row] == pytest.approx(sum(1 / math.log2(rank + 1) for rank in found) / best)
