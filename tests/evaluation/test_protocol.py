import math

import numpy as np
import pytest
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from recsys.evaluation import NDCG, HeldOut, Popularity, Recall, evaluate, strong_generalization


class Always:
    """Recommends the same list to everybody, and remembers what it was asked."""

    def __init__(self, *ids, score=1.0):
        self.ids, self.score, self.asked = ids, score, []

    def recommend(self, userid, user_items, N=10, filter_already_liked_items=True, *, recalculate_user=False):
        self.asked.append((len(userid), user_items.shape[0], N, filter_already_liked_items, recalculate_user))
        ids = np.tile(self.ids[:N], (len(userid), 1))
        return ids, np.full(ids.shape, self.score)


def held_out(*histories, n_items=5):
    """Each history is what is folded in and what is to be found."""
    shape = (len(histories), n_items)
    fold_in, target = np.zeros(shape), np.zeros(shape)
    for row, (known, wanted) in enumerate(histories):
        fold_in[row, known] = 1
        target[row, wanted] = 1
    return HeldOut(10 + np.arange(len(histories)), sp.csr_matrix(fold_in), sp.csr_matrix(target))


@pytest.fixture
def music():
    rng = np.random.default_rng(3)
    return sp.csr_matrix((rng.random((80, 30)) < np.linspace(0.6, 0.05, 30)).astype(np.float32))


def test_figures_by_hand():
    """Lists are 0 1 2. One user wants 0 and 4, one wants 2, one wants 3."""
    people = held_out(([1], [0, 4]), ([], [2]), ([4], [3]))
    scores = evaluate(Always(0, 1, 2), people, [Recall(1), Recall(3), NDCG(3)])
    assert scores["recall_at_1"].per_user.tolist() == [1, 0, 0]
    assert scores["recall_at_3"].per_user.tolist() == [1 / 2, 1, 0]
    assert scores["recall_at_3"].mean == 1 / 2
    ndcg = [1 / (1 + 1 / math.log2(3)), 1 / math.log2(4), 0]
    assert scores["ndcg_at_3"].per_user.tolist() == pytest.approx(ndcg)


def test_the_model_is_shown_the_fold_in_part_alone():
    model = Always(0, 1, 2)
    evaluate(model, held_out(([1], [0])), [Recall(2)])
    assert model.asked == [(1, 1, 2, True, True)]


def test_users_without_a_target_do_not_count():
    scores = evaluate(Always(0), held_out(([1], []), ([1], [0]), ([], [])), [Recall(1)])
    assert scores.n_users == 1
    assert scores.users.tolist() == [11]
    assert scores["recall_at_1"].mean == 1


def test_blocks_bound_what_is_asked_at_once_and_change_nothing(music):
    split = strong_generalization(music, 20)
    model, metrics = Popularity(split.train), [NDCG(10), Recall(5)]
    whole = evaluate(model, split, metrics)
    assert evaluate(model, split, metrics, block=3).as_dict() == whole.as_dict()
    asked = Always(*range(10))
    evaluate(asked, split, metrics, block=8)
    assert [users for users, *_ in asked.asked] == [8, 8, 4]


def test_a_split_means_its_test_users(music):
    split = strong_generalization(music, 20)
    model = Popularity(split.train)
    assert evaluate(model, split, [NDCG(10)]).as_dict() == evaluate(model, split.test, [NDCG(10)]).as_dict()
    assert evaluate(model, split.validation, [NDCG(10)]).users.tolist() == split.validation.users.tolist()


def test_lists_are_no_longer_than_the_catalogue():
    model = Always(0, 1, 2, 3, 4)
    scores = evaluate(model, held_out(([], [4])), [Recall(100)])
    assert model.asked[0][2] == 5
    assert scores["recall_at_100"].mean == 1


def test_short_lists_and_missing_places_hit_nothing():
    people = held_out(([], [4, 3]))
    assert evaluate(Always(4), people, [Recall(5)])["recall_at_5"].mean == 1 / 2
    assert evaluate(Always(4, -1, -1), people, [Recall(5)])["recall_at_5"].mean == 1 / 2


def test_nothing_left_to_recommend_scores_nothing():
    """The user knows all but what the model never saw sold: popularity has one item left, and it is the target."""
    people = held_out(([0, 1, 2, 3], [4]))
    assert evaluate(Popularity(sp.csr_matrix(np.ones((2, 5)))), people, [Recall(3)])["recall_at_3"].mean == 1


def test_popularity_finds_what_is_popular(music):
    split = strong_generalization(music, 20)
    popular = evaluate(Popularity(split.train), split, [Recall(5)])
    assert popular.difference(evaluate(Always(*range(25, 30)), split, [Recall(5)]))["recall_at_5"].low > 0


def test_the_models_of_implicit_are_recommenders(music):
    als = pytest.importorskip("implicit.als", reason="implicit is a peer to compare with, not a dependency")
    split = strong_generalization(music, 20)
    with threadpool_limits(1, "blas"):  # it warns otherwise
        model = als.AlternatingLeastSquares(factors=4, iterations=2, random_state=0, num_threads=1)
        model.fit(split.train.copy(), show_progress=False)
        scores = evaluate(model, split, [NDCG(100), Recall(5)])
    assert 0 < scores["recall_at_5"].mean < scores["ndcg_at_100"].mean < 1


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Always(0, 5), "ids from 0 to 5; the catalogue has 0 to 4"),
        (Always(0, -2), "ids from -2 to 0"),
        (Always(1, 0, 1), "an item twice"),
        (Always(0, score=np.nan), "NaN"),
    ],
)
def test_lists_that_are_none_are_refused(model, message):
    with pytest.raises(ValueError, match=message):
        evaluate(model, held_out(([], [4])), [Recall(3)])


def test_a_list_for_each_user():
    model = Always(0)
    model.recommend = lambda userid, user_items, **_: (np.zeros(3, dtype=int), np.zeros(3))  # noqa: ARG005
    with pytest.raises(ValueError, match=r"shape \(3,\); expected \(1, at most 3\)"):
        evaluate(model, held_out(([], [4])), [Recall(3)])


@pytest.mark.parametrize("metrics", [[], [NDCG(5), NDCG(5)]])
def test_metrics_are_given_once_each(metrics):
    with pytest.raises(ValueError, match="at least one, and each once"):
        evaluate(Always(0), held_out(([], [4])), metrics)


def test_somebody_must_have_a_target():
    with pytest.raises(ValueError, match="none of the 1 held-out users has a target"):
        evaluate(Always(0), held_out(([1], [])), [Recall(1)])


def test_a_block_holds_somebody():
    with pytest.raises(ValueError, match="block is 0"):
        evaluate(Always(0), held_out(([1], [0])), [Recall(1)], block=0)
