import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given as given_by
from hypothesis import settings
from hypothesis import strategies as st

from recsys.evaluation import NDCG, Found, HitRate, Recall, ask, evaluate, given
from recsys.evaluation.given import last_of_each

pytestmark = pytest.mark.filterwarnings("ignore:train and test files that share users:UserWarning")


def drawn(seed, users=15, items=12):
    """A train part and a test part that share some pairs, as careless files do."""
    rng = np.random.default_rng(seed)
    train, test = (sp.csr_matrix((rng.random((users, items)) < share).astype(np.float32)) for share in (0.4, 0.2))
    return train, test


class Scoring:
    """Recommends by fixed scores, one row for every user alike."""

    def __init__(self, scores):
        self.scores = np.asarray(scores, dtype=np.float32)

    def recommend(self, _userid, user_items, N=10, *_, **__):
        scores = np.where(user_items.toarray() > 0, -np.inf, self.scores)
        ids = np.argsort(-scores, axis=1, kind="stable")[:, :N]
        best = np.take_along_axis(scores, ids, axis=1)
        return np.where(np.isneginf(best), -1, ids), best


def pairs(matrix):
    return set(zip(*(part.tolist() for part in matrix.nonzero()), strict=True))


def pairs_of(part, matrix):
    return {(int(part.users[row]), column) for row, column in pairs(matrix)}


@settings(max_examples=50, deadline=None)
@given_by(st.integers(0, 2**16))
def test_nothing_is_in_two_parts_and_nothing_of_the_train_file_is_lost(seed):
    train, test = drawn(seed)
    split = given(train, test, seed=seed)
    trained, validating = pairs(split.train), pairs_of(split.validation, split.validation.target)
    assert not trained & validating
    assert trained | validating == pairs(train)
    assert pairs_of(split.validation, split.validation.fold_in) <= trained
    able = set(np.flatnonzero(np.diff(train.indptr)))
    assert pairs_of(split.test, split.test.target) == {pair for pair in pairs(test) - pairs(train) if pair[0] in able}
    assert pairs_of(split.test, split.test.fold_in) == {pair for pair in pairs(train) if pair[0] in split.test.users}


@settings(max_examples=50, deadline=None)
@given_by(st.integers(0, 2**16), st.integers(1, 5))
def test_candidates_to_validate_by_are_as_many_and_never_what_a_user_has(seed, n):
    rng = np.random.default_rng(seed)
    train, test = drawn(seed, items=40)
    aside = np.zeros(train.shape)
    for row in aside:
        row[rng.choice(40, n, replace=False)] = 1
    split = given(train, test, negatives=sp.csr_matrix(aside), seed=seed)
    beside = pairs_of(split.validation, split.validation.candidates)
    targets = pairs_of(split.validation, split.validation.target)
    assert targets <= beside
    assert not (beside - targets) & pairs(train)
    counts = np.diff(split.validation.candidates.indptr) - np.diff(split.validation.target.indptr)
    assert set(counts.tolist()) == {n}
    tested = pairs_of(split.test, split.test.candidates)
    wanted = pairs_of(split.test, split.test.target)
    assert tested == wanted | {pair for pair in pairs(sp.csr_matrix(aside)) if pair[0] in split.test.users}


@settings(max_examples=60, deadline=None)
@given_by(st.integers(0, 2**16), st.integers(1, 6))
def test_lists_of_candidates_are_the_candidates_sorted_by_score(seed, k):
    train, test = drawn(seed)
    rng = np.random.default_rng(seed)
    drawn_aside = rng.random(train.shape) < 0.5
    drawn_aside[:, 0] = True
    aside = sp.csr_matrix(drawn_aside.astype(np.float32))
    split = given(train, test, negatives=aside, seed=seed)
    scores = rng.permutation(12)
    lists = ask(Scoring(scores), split, k, block=3)
    for row, user in enumerate(lists.users):
        known = set(train[user].indices)
        allowed = set(aside[user].indices) | set(test[user].indices)
        best = sorted(allowed - known, key=lambda item: -scores[item])[:k]
        assert [item for item in lists.ids[row].tolist() if item >= 0] == best
        assert lists.hit[row, : len(best)].tolist() == [bool(test[user, item]) for item in best]


def test_one_of_two_candidates_by_hand():
    """User 0 is to find item 2 beside 3 and 4; 3 is scored higher: rank 2. Of all items it would be rank 3."""
    train = sp.csr_matrix(np.array([[1.0, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0]]))
    test = sp.csr_matrix(np.array([[0.0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0]]))
    aside = sp.csr_matrix(np.array([[0.0, 0, 0, 1, 1, 0], [0, 0, 1, 1, 0, 0]]))
    model = Scoring([0, 0, 5, 6, 1, 9])
    metrics = [NDCG(2), HitRate(1)]
    among = evaluate(model, given(train, test, negatives=aside), metrics)
    assert among["ndcg_at_2"].mean == pytest.approx(1 / np.log2(3))
    assert among["hit_rate_at_1"].mean == 0
    assert evaluate(model, given(train, test), metrics)["ndcg_at_2"].mean == 0


def test_pairs_that_validate_can_be_named():
    train, test = drawn(3)
    first = sp.csr_matrix(([1.0], ([4], [train[4].indices[0]])), train.shape)
    split = given(train, test, validation=first)
    assert split.validation.users.tolist() == [4]
    assert split.validation.target.nnz == 1
    assert split.train.nnz == train.nnz - 1


def test_the_last_of_each_user_by_time_and_then_by_place():
    user, time = np.array([1, 0, 1, 0, 2, 1]), np.array([5.0, 9, 7, 9, 1, 7])
    assert last_of_each(user, time).tolist() == [3, 5, 4]


def test_a_warning_says_what_such_a_division_flatters():
    with pytest.warns(UserWarning, match="people it was fitted to"):
        given(*drawn(1))


def test_somebody_must_be_left_to_test():
    train, _ = drawn(1)
    with pytest.raises(ValueError, match="0 can test"):
        given(train, train)


def test_who_is_tested_among_candidates_needs_some():
    train, test = drawn(1)
    with pytest.raises(ValueError, match="has no negatives"):
        given(train, test, negatives=sp.csr_matrix(train.shape))


def test_recall_is_cut_where_a_list_ends_and_the_share_that_is_found_is_not():
    """Three targets, two places, one hit: half of what two places can hold, a third of what there is."""
    train = sp.csr_matrix(np.array([[1.0, 1, 0, 0, 0, 0]]))
    test = sp.csr_matrix(np.array([[0.0, 0, 1, 1, 1, 0]]))
    found = evaluate(Scoring([0, 0, 5, 1, 1, 9]), given(train, test), [Found(2), Recall(2)])
    assert (found["found_at_2"].mean, found["recall_at_2"].mean) == (1 / 3, 1 / 2)
