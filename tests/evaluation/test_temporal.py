import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.evaluation import Events, temporal


def events(*rows, n_items=6):
    """Each row is (time, user, item)."""
    time, user, item = (np.array(column) for column in zip(*rows, strict=True))
    return Events(user, item, np.ones(len(rows)), time.astype(float), (int(user.max()) + 1, n_items))


TEN = events(
    *((t, t % 2, t % 3) for t in range(6)),  # both users hear 0, 1, 2
    (6, 0, 0),  # heard before: no target
    (7, 1, 3),  # nobody has heard it yet: no target of a model that was trained before
    (8, 0, 1),
    (9, 1, 4),
)


def test_the_future_is_what_is_heard_for_the_first_time():
    """Of ten events the last two fifths are held out; user 0 meets item 3, which user 1 knew from the start."""
    told = events(
        (0, 1, 3), (1, 0, 0), (2, 0, 1), (3, 1, 0), (4, 1, 1), (5, 0, 2), (6, 0, 3), (7, 0, 0), (8, 1, 2), (9, 1, 1)
    )
    split = temporal(told, held_out_share=0.2)
    assert split.train.toarray().astype(int).tolist() == [[1, 1, 1, 0, 0, 0], [1, 1, 0, 1, 0, 0]]
    assert split.validation.users.tolist() == [0]
    assert np.flatnonzero(split.validation.target.toarray()[0]).tolist() == [3]
    assert split.test.users.tolist() == [1]
    assert np.flatnonzero(split.test.target.toarray()[0]).tolist() == [2]
    assert np.flatnonzero(split.test.fold_in.toarray()[0]).tolist() == [0, 1, 3]


def test_what_comes_between_is_folded_in_for_the_test():
    told = events((0, 0, 0), (1, 0, 1), (2, 1, 2), (3, 1, 3), (4, 1, 0), (5, 0, 2), (6, 0, 3), (7, 1, 1), n_items=4)
    split = temporal(told, held_out_share=0.25)
    at = split.test.users.tolist().index(0)
    assert np.flatnonzero(split.test.fold_in.toarray()[at]).tolist() == [0, 1, 2]


def test_too_short_a_time_is_refused():
    with pytest.raises(ValueError, match="dividing by time leaves"):
        temporal(TEN, held_out_share=0.2)


@pytest.mark.parametrize("share", [0, 0.5, -1, np.nan])
def test_a_share_leaves_something_to_train(share):
    with pytest.raises(ValueError, match="between 0 and 1/2"):
        temporal(TEN, held_out_share=share)


def test_events_without_a_time_are_refused():
    with pytest.raises(ValueError, match="no time"):
        temporal(Events(TEN.user, TEN.item, TEN.weight, np.where(TEN.time == 3, np.nan, TEN.time), TEN.shape))


@given(st.integers(0, 2**32))
def test_nothing_of_the_future_is_in_the_past(seed):
    rng = np.random.default_rng(seed)
    n = 400
    told = Events(rng.integers(8, size=n), rng.integers(90, size=n), np.ones(n), rng.integers(50, size=n), (8, 90))
    split = temporal(told, held_out_share=0.2)
    first_heard = np.full((8, 90), np.inf)
    np.minimum.at(first_heard, (told.user, told.item), told.time)

    def times(matrix, users=None):
        rows, items = matrix.nonzero()
        return first_heard[rows if users is None else users[rows], items]

    trained = times(split.train)
    for people in (split.validation, split.test):
        assert times(people.target, people.users).min() > trained.max()
        assert times(people.target, people.users).min() > times(people.fold_in, people.users).max()
        assert people.fold_in.multiply(people.target).nnz == 0
        assert (np.diff(people.fold_in.indptr) > 0).all()
        assert set(people.target.indices) <= set(split.train.indices)
