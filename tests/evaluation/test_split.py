import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from recsys.evaluation import leave_out, strong_generalization, user_folds


@pytest.fixture
def music():
    """Sixty users, of whom user 0 knows nothing and user 1 one item."""
    dense = np.random.default_rng(7).poisson(0.5, (60, 20)).astype(np.float32)
    dense[0] = 0
    dense[1] = np.eye(20)[3]
    dense[2:, :2] += 1
    return sp.csr_matrix(dense)


def parts(split):
    return [split.train_users, split.validation.users, split.test.users]


def test_every_user_is_in_exactly_one_part(music):
    split = strong_generalization(music, 10, n_validation=5)
    assert [len(users) for users in parts(split)] == [45, 5, 10]
    assert sorted(np.concatenate(parts(split))) == list(range(60))


def test_as_many_validation_as_test_users_by_default(music):
    assert len(strong_generalization(music, 10).validation.users) == 10


def test_histories_come_through_unchanged(music):
    split = strong_generalization(music, 10)
    assert (split.train != music[split.train_users]).nnz == 0
    for people in (split.validation, split.test):
        assert (people.fold_in + people.target != music[people.users]).nnz == 0
        assert people.fold_in.multiply(people.target).nnz == 0


def test_four_fifths_are_folded_in():
    user_items = sp.csr_matrix(np.ones((10, 10)))
    split = strong_generalization(user_items, 3)
    assert np.diff(split.fold_in.indptr).tolist() == [8, 8, 8]
    assert np.diff(split.target.indptr).tolist() == [2, 2, 2]


def test_the_splits_own_fold_in_and_target_are_the_test_users(music):
    split = strong_generalization(music, 10)
    assert split.fold_in is split.test.fold_in
    assert split.target is split.test.target


def test_users_with_less_than_two_items_train(music):
    for seed in range(20):
        split = strong_generalization(music, 29, seed=seed)  # all 58 others are held out
        assert split.train_users.tolist() == [0, 1]


@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(0, 6), st.floats(0.05, 0.95))
def test_any_split_is_disjoint_adds_up_and_can_be_had_again(seed, n_test, n_validation, fraction):
    dense = np.random.default_rng(seed).integers(0, 3, (20, 9))
    dense[:13, 5:7] += 1  # at least thirteen users can be held out
    user_items = sp.csr_matrix(dense.astype(np.float32))
    options = {"n_validation": n_validation, "fold_in_fraction": fraction, "seed": seed}
    split = strong_generalization(user_items, n_test, **options)
    assert sorted(np.concatenate(parts(split))) == list(range(20))
    for people in (split.test, split.validation):
        assert (people.fold_in + people.target != user_items[people.users]).nnz == 0
        assert people.fold_in.multiply(people.target).nnz == 0
        assert (np.diff(people.target.indptr) > 0).all()
    again = strong_generalization(user_items, n_test, **options)
    assert np.array_equal(split.train_users, again.train_users)
    assert (split.fold_in != again.fold_in).nnz == 0


def test_seeds_differ(music):
    tests = [strong_generalization(music, 10, seed=seed).test.users.tolist() for seed in range(3)]
    assert tests[0] != tests[1] != tests[2]


def test_the_number_of_validation_users_leaves_the_test_users_alone(music):
    one, other = (strong_generalization(music, 10, n_validation=n) for n in (0, 20))
    assert np.array_equal(one.test.users, other.test.users)
    assert (one.target != other.target).nnz == 0


def test_what_comes_back_cannot_be_written_to(music):
    split = strong_generalization(music, 10)
    for matrix in (split.train, split.fold_in, split.target):
        with pytest.raises(ValueError, match="read-only"):
            matrix.data[0] = 9
        with pytest.raises(ValueError, match="read-only"):
            matrix.indices[0] = 9
    with pytest.raises(ValueError, match="read-only"):
        split.test.users[0] = 9


def test_the_callers_matrix_stays_as_it_was():
    data, indices, indptr = np.array([1.0, 2, 3, 0, 5, 6]), np.array([3, 0, 0, 1, 2, 1]), np.array([0, 3, 4, 6])
    user_items = sp.csr_matrix((data, indices, indptr), shape=(3, 4))
    strong_generalization(user_items, 1, n_validation=0)
    assert user_items.data.tolist() == [1, 2, 3, 0, 5, 6]
    assert user_items.indices.tolist() == [3, 0, 0, 1, 2, 1]
    assert user_items.data.flags.writeable


def test_equal_pairs_are_one_and_stored_zeros_are_none():
    """User 0 has one item twice, user 1 a stored zero beside one item: neither can be held out."""
    rows, items, plays = [0, 0, 1, 1, 2, 2], [3, 3, 0, 1, 1, 2], [1.0, 2, 1, 0, 5, 6]
    split = strong_generalization(sp.coo_matrix((plays, (rows, items)), shape=(3, 4)), 1, n_validation=0)
    assert split.test.users.tolist() == [2]
    assert split.train.toarray().tolist() == [[0, 0, 0, 3], [1, 0, 0, 0]]


@pytest.mark.parametrize("convert", [sp.csc_matrix, sp.coo_matrix, sp.csr_array, lambda m: m.toarray()])
def test_other_matrices_are_converted(music, convert):
    split, same = strong_generalization(convert(music), 10), strong_generalization(music, 10)
    assert isinstance(split.train, sp.csr_matrix)
    assert (split.train != same.train).nnz == 0
    assert (split.target != same.target).nnz == 0


def test_too_many_held_out_names_the_numbers(music):
    with pytest.raises(ValueError, match=r"30 test and 30 validation.*only 58 of 60 users have 2 items"):
        strong_generalization(music, 30)


def test_nobody_left_to_train_on():
    with pytest.raises(ValueError, match="leaves none to train on"):
        strong_generalization(sp.csr_matrix(np.ones((4, 3))), 2)


@pytest.mark.parametrize("n_held_out", [0, -1, 0.1, True, "10"])
def test_a_number_of_users_is_a_number_of_users(music, n_held_out):
    with pytest.raises(ValueError, match=r"n_held_out is .* whole number of users, 1 or more"):
        strong_generalization(music, n_held_out)


@pytest.mark.parametrize("fraction", [0.0, 1.0, 80, -0.2, float("nan")])
def test_a_fraction_outside_its_range_is_refused(music, fraction):
    with pytest.raises(ValueError, match="fold_in_fraction is"):
        strong_generalization(music, 5, fold_in_fraction=fraction)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1])
def test_a_value_that_is_no_weight_is_named_with_its_place(music, value):
    music[7, 1] = value
    with pytest.raises(ValueError, match=r"user_items\[7, 1\] is .*finite and not negative"):
        strong_generalization(music, 5)


def test_each_able_user_is_tested_in_one_fold_and_trains_where_it_is_not_held_out(music):
    splits = list(user_folds(music, 4))
    tested = np.concatenate([split.test.users for split in splits])
    assert sorted(tested) == list(range(2, 60))
    for split in splits:
        assert sorted(np.concatenate(parts(split))) == list(range(60))
        assert {0, 1} <= set(split.train_users)


def test_folds_follow_from_the_seed(music):
    one, again, other = ([s.test.users.tolist() for s in user_folds(music, 3, seed=seed)] for seed in (1, 1, 2))
    assert one == again != other


@pytest.mark.parametrize("n_folds", [2, 59])
def test_there_are_users_for_each_fold(music, n_folds):
    with pytest.raises(ValueError, match=f"n_folds is {n_folds}; it must lie between 3 and the 58 users"):
        list(user_folds(music, n_folds))


def test_leaving_items_out_warns_and_leaves_out_as_many_as_stated(music):
    with pytest.warns(UserWarning, match="people it was fitted to"):
        split = leave_out(music, 2)
    assert len(split.train_users) == 60
    assert np.diff(split.test.target.indptr).tolist() == [2] * len(split.test.users)
    assert np.diff(split.validation.target.indptr).tolist() == [2] * len(split.test.users)
    whole = split.train.copy()
    for people in (split.test, split.validation):
        assert (people.fold_in != split.train[people.users]).nnz == 0
        there = sp.csr_matrix((np.ones(len(people.users)), (people.users, np.arange(len(people.users)))), (60, 60))
        whole = whole + (there @ sp.vstack([people.target, sp.csr_matrix((60 - len(people.users), 20))]))
    assert abs(whole - music).max() == 0


@pytest.mark.parametrize("n_items", [0, 10])
def test_there_are_items_to_leave_out(music, n_items):
    with pytest.warns(UserWarning, match="fitted to"), pytest.raises(ValueError, match=f"n_items is {n_items}"):
        leave_out(music, n_items)
