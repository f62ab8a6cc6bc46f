import json

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.evaluation import leave_out, strong_generalization
from recsys.evaluation.stored import digest, read_back, write_down


def music(seed, users=30, items=12):
    dense = np.random.default_rng(seed).poisson(0.8, (users, items)).astype(np.float32)
    dense[:, :2] += 1
    return sp.csr_matrix(dense)


def same(one, other):
    return one.shape == other.shape and (one != other).nnz == 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**16), st.integers(1, 8), st.integers(0, 8), st.floats(0.1, 0.9))
def test_a_split_comes_back_from_json_as_it_was(seed, n_test, n_validation, fraction):
    plays = music(seed)
    split = strong_generalization(plays, n_test, n_validation=n_validation, fold_in_fraction=fraction, seed=seed)
    told = json.loads(json.dumps(write_down(split, version="v", seed=seed, protocol="users")))
    again = read_back(told, plays, version="v")
    assert np.array_equal(again.train_users, split.train_users)
    assert same(again.train, split.train)
    for part, was in ((again.validation, split.validation), (again.test, split.test)):
        assert np.array_equal(part.users, was.users)
        assert same(part.fold_in, was.fold_in)
        assert same(part.target, was.target)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**16), st.integers(1, 8), st.integers(0, 8))
def test_what_is_written_down_puts_nobody_into_two_parts(seed, n_test, n_validation):
    split = strong_generalization(music(seed), n_test, n_validation=n_validation, seed=seed)
    told = write_down(split, version="v", seed=seed, protocol="users")
    test, validation = set(told["test"]["users"]), set(told["validation"]["users"])
    assert not test & validation
    assert told["n_train"] == 30 - len(test) - len(validation)
    assert (len(test), len(validation)) == (n_test, n_validation)


def written():
    plays = music(1)
    return plays, write_down(strong_generalization(plays, 5, seed=1), version="v", seed=1, protocol="users")


def test_another_version_is_refused():
    plays, told = written()
    with pytest.raises(ValueError, match="of version 'v'; expected 'recsys-split/1' and 'w'"):
        read_back(told, plays, version="w")


@pytest.mark.parametrize("plays", [music(2), music(1, users=29), music(1, items=11), 2 * music(1)])
def test_a_matrix_that_was_not_split_is_refused(plays):
    _, told = written()
    with pytest.raises(ValueError, match=r"is not what was divided then|damaged|pairs or fewer"):
        read_back(told, plays, version="v")


@pytest.mark.parametrize(
    "damage",
    [
        lambda told: told.pop("format"),
        lambda told: told.pop("test"),
        lambda told: told["test"].pop("hidden"),
        lambda told: told["test"].update(hidden="A" + told["test"]["hidden"][1:]),
        lambda told: told["test"].update(hidden="%%"),
        lambda told: told["test"].update(hidden=""),
        lambda told: told["test"]["users"].append(29),
        lambda told: told["test"].update(users=told["test"]["users"][::-1]),
        lambda told: told["test"]["users"].__setitem__(0, 10**6),
        lambda told: told["test"].update(users=None),
        lambda told: told["validation"].update(users=told["test"]["users"]),
        lambda told: told.update(sha256="0" * 64),
    ],
)
def test_a_damaged_document_is_refused(damage):
    plays, told = written()
    damage(told)
    with pytest.raises(ValueError, match=r"split|divided"):
        read_back(told, plays, version="v")


def test_the_digest_tells_splits_apart():
    plays = music(1)
    splits = [strong_generalization(plays, 5, seed=1), strong_generalization(plays, 5, seed=2)]
    splits.append(strong_generalization(plays, 5, seed=1, fold_in_fraction=0.5))
    assert len({digest(split) for split in splits}) == 3
    assert digest(strong_generalization(plays, 5, seed=1)) == digest(splits[0])


def test_who_trains_and_tests_is_written_down_too_where_items_are_left_out():
    with pytest.warns(UserWarning, match="fitted to"):
        split = leave_out(music(1))
    told = write_down(split, version="v", seed=0, protocol="items")
    assert told["test"]["users"] == split.test.users.tolist()
    with pytest.raises(ValueError, match=r"pairs or fewer"):
        read_back(told, music(1), version="v")
