import math

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from recsys.als import ALS
from recsys.comparison import ALL, Training
from recsys.comparison.peers import lot
from recsys.evaluation import NDCG, Popularity, evaluate, strong_generalization
from recsys.models.blend import Beside, Blend
from recsys.models.items import Ease, EaseOfUsers, ease, neighbours
from recsys.models.scored import Scored, highest
from recsys.models.weighting import Weighed, Weighting


@pytest.fixture(scope="module")
def music():
    """Two camps: who likes even items is in one, who likes odd items in the other."""
    rng = np.random.default_rng(5)
    camp = np.arange(120) % 2
    taste = np.where((np.arange(24)[None, :] % 2) == camp[:, None], 0.5, 0.03)
    return sp.csr_matrix((rng.random(taste.shape) < taste) * rng.integers(1, 30, taste.shape), dtype=np.float32)


class Given:
    def __init__(self, scores):
        self.given = np.asarray(scores, dtype=np.float32)

    def scores(self, user_items):
        return self.given[: user_items.shape[0]].copy()


def test_lists_by_hand():
    """Of equal scores the lower index comes first; what is known is left out; nothing is left for the last place."""
    model = Scored(Given([[1, 3, 3, 2]]))
    known = sp.csr_matrix(np.array([[0, 1, 0, 0]]))
    ids, scores = model.recommend(np.array([0]), known, N=4)
    assert ids.tolist() == [[2, 3, 0, -1]]
    assert scores.tolist() == [[3, 2, 1, -math.inf]]
    assert model.recommend(0, known, N=2, filter_already_liked_items=False)[0].tolist() == [1, 2]
    assert model.recommend(np.array([0]), known, N=6)[0].tolist() == [[2, 3, 0, -1, -1, -1]]


def test_rows_and_users_are_as_many():
    with pytest.raises(ValueError, match="1 rows for 2 users"):
        Scored(Given([[1]])).recommend([0, 1], sp.csr_matrix((1, 1)))


@given(st.integers(0, 2**32), st.integers(1, 9))
def test_the_highest_are_those_of_a_stable_sort(seed, k):
    scores = np.random.default_rng(seed).integers(0, 4, (5, 9)).astype(np.float32)
    scores[0, :5] = -np.inf
    places, values = highest(scores, k)
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    assert np.array_equal(places, expected)
    assert np.array_equal(values, np.take_along_axis(scores, expected, axis=1))


def test_ease_solves_its_own_problem(music):
    """Each column is the ridge regression of that item on all the others: solved one by one, it is the same."""
    X, l2 = music.toarray().astype(float), 7.0
    found = ease(music, l2=l2).scorer.weights
    for item in range(24):
        others = np.delete(np.arange(24), item)
        A = X[:, others].T @ X[:, others] + l2 * np.eye(23)
        expected = np.linalg.solve(A, X[:, others].T @ X[:, item])
        assert found[others, item] == pytest.approx(expected, abs=1e-3)
        assert found[item, item] == 0


@pytest.mark.parametrize("l2", [0.5, 40.0])
def test_ease_scores_alike_whether_by_items_or_by_users(music, l2):
    """Ten users of 24 items go by users; with 110 empty histories beside them, by items. Both are the paper's eq. 8."""
    few = sp.csr_matrix(music[:10] > 0, dtype=np.float32)
    many = sp.csr_matrix(sp.vstack([few, sp.csr_matrix((110, 24), dtype=np.float32)]))
    P = np.linalg.inv((few.T @ few).toarray().astype(float) + l2 * np.eye(24))
    B = -P / np.diag(P)
    np.fill_diagonal(B, 0)
    for train, kind in ((few, EaseOfUsers), (many, Ease)):
        scorer = ease(train, l2=l2).scorer
        assert isinstance(scorer, kind)
        assert scorer.scores(music) == pytest.approx(music @ B, abs=1e-3)


def test_ease_of_the_best_known_items_recommends_no_other(music):
    model = ease(music, max_items=5)
    assert len(model.scorer.kept) == 5
    ids, _ = model.recommend(np.arange(120), music, N=10)
    assert set(np.unique(ids)) <= {-1, *model.scorer.kept.tolist()}


def test_neighbours_add_up_cosines(music):
    dense = music.toarray().astype(float)
    unit = dense / np.maximum(np.linalg.norm(dense, axis=0), 1e-12)
    cosine = unit.T @ unit
    np.fill_diagonal(cosine, 0)
    found = neighbours(music, "cosine", k=25).scores(music[:10])
    assert found == pytest.approx(dense[:10] @ cosine, rel=1e-4, abs=1e-4)


def test_a_list_by_lot_is_the_same_for_the_same_seed(music):
    one, again, other = (lot(music, seed=seed).recommend(np.arange(9), music[:9], N=5)[0] for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_weights_by_hand():
    """Four users, of whom two know item 0 and one item 1; a history has four plays on average."""
    plays = sp.csr_matrix(np.array([[4.0, 0], [4, 8], [0, 0], [0, 0]]))
    tfidf = Weighting.learn(plays, "tfidf")(plays)
    assert tfidf.data.tolist() == pytest.approx([2 * math.log(4 / 3), 2 * math.log(4 / 3), math.sqrt(8) * math.log(2)])
    bm25 = Weighting.learn(plays, "bm25")(plays)
    first = 4 * 101 / (4 + 100 * (0.2 + 0.8 * 1)) * math.log(4 / 3)
    last = 8 * 101 / (8 + 100 * (0.2 + 0.8 * 3)) * math.log(2)
    assert bm25.data[[0, 2]].tolist() == pytest.approx([first, last])
    assert Weighting.learn(plays, "log")(plays).data[0] == pytest.approx(math.log(5))


def test_no_pair_is_lost_by_weighing_nothing():
    plays = sp.csr_matrix(np.ones((3, 2)))  # everybody knows every item, so none is rare
    for kind in ("tfidf", "bm25"):
        assert (Weighting.learn(plays, kind)(plays).data > 0).all()


def test_a_new_listener_is_weighed_as_those_who_trained(music):
    seen = []

    class Watching:
        def recommend(self, userid, user_items, *_, **__):
            seen.append(user_items)
            return np.zeros((len(userid), 1), dtype=int), np.zeros((len(userid), 1))

    weighting = Weighting.learn(music[:100], "bm25")
    Weighed(Watching(), weighting).recommend(np.arange(20), music[100:], 1)
    assert (seen[0] != weighting(music[100:])).nnz == 0


@pytest.mark.parametrize("name", ALL)
def test_every_contender_trains_and_those_that_learn_beat_popularity(name, music):
    contender = ALL[name]
    split = strong_generalization(music, 20)
    rung = {contender.ladder[0]: 8} if contender.ladder else {}
    before = split.train.copy()
    settings = contender.settled({**contender.start, **rung}, split.train)
    model = contender.fit(split.train, settings, Training())
    assert (split.train != before).nnz == 0
    found = evaluate(model, split, [NDCG(10)])
    popular = evaluate(Popularity(split.train), split, [NDCG(10)])
    if name not in {"popularity", "random"}:
        assert found.difference(popular)["ndcg_at_10"].mean > 0
    again = evaluate(contender.fit(split.train, settings, Training()), split, [NDCG(10)])
    assert again["ndcg_at_10"].mean == found["ndcg_at_10"].mean


@pytest.mark.parametrize("name", ALL)
def test_what_is_tried_first_lies_in_what_may_be_tried(name):
    contender = ALL[name]
    assert set(contender.start) == set(contender.space)
    for setting, value in contender.start.items():
        space = contender.space[setting]
        assert space._contains(space.to_internal_repr(value))


def test_a_blend_adds_scores_in_units_of_their_own_spread():
    """Scores 0 2 spread by 1, scores 30 10 by 10: half of the second makes 0 + 1.5 and 2 + 0.5."""
    rows = sp.csr_matrix((1, 2))
    scores = Blend(Given([[0, 2]]), Given([[30, 10]]), 0.5).scores(rows)
    assert scores.tolist() == [[1.5, 2.5]]


def test_a_blend_that_leaves_neighbours_out_ranks_as_the_factors_do(music):
    model = ALS(factors=8, objective="ials", unobserved_weight=0.1).fit(music).model_
    ids, _ = Beside(neighbours(music), 0.0).blended(model).recommend(np.arange(30), music[:30], N=5)
    expected, _ = model.recommend(np.arange(30), music[:30], N=5, recalculate_user=True)
    assert np.array_equal(ids, expected)


def test_parts_of_a_blended_score_add_up_to_it(music):
    model = ALS(factors=8, objective="ials", unobserved_weight=0.1).fit(music).model_
    beside = Beside(neighbours(music, k=10), 0.7)
    row = music[3]
    scores = beside.blended(model).scorer.scores(row)[0]
    for item in (0, 5, 17):
        parts = beside.explain(model, row, item)
        assert sum(part for _, part in parts) == pytest.approx(scores[item], abs=1e-4)
        assert {i for i, _ in parts} == set(row.indices)
        assert [part for _, part in parts] == sorted((part for _, part in parts), reverse=True)


def test_pairs_that_few_have_are_left_out(music):
    has = (music.toarray() > 0).astype(int)
    users = has.T @ has
    alike = neighbours(music, k=24, together=8).alike.toarray()
    assert ((alike != 0) <= (users >= 8)).all()
    assert (alike != 0).sum() == (
        (users >= 8) & ~np.eye(24, dtype=bool) & (neighbours(music, k=24).alike.toarray() != 0)
    ).sum()


@pytest.mark.parametrize(("make", "message"), [(Weighting.plain, "must be learned"), (None, "must be one of binary")])
def test_kinds_of_weights_are_known(make, message):
    with pytest.raises(ValueError, match=message):
        make("bm25") if make else Weighting.learn(sp.csr_matrix((1, 1)), "cubic")
