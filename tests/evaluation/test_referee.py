import numpy as np
import pytest
import scipy.sparse as sp

from recsys.evaluation import NDCG, Popularity, Recall, Referee, evaluate, strong_generalization


@pytest.fixture
def referee():
    rng = np.random.default_rng(3)
    music = sp.csr_matrix((rng.random((80, 30)) < np.linspace(0.6, 0.05, 30)).astype(np.float32))
    return Referee(strong_generalization(music, 20), [NDCG(10), Recall(5)])


def test_looks_at_the_test_users_are_counted_and_others_are_not(referee):
    popular = Popularity(referee.split.train)
    for _ in range(3):
        referee.validate(popular)
    assert dict(referee.touches) == {}
    referee.test("popularity", popular)
    assert dict(referee.touches) == {"popularity": 1}
    referee.test("popularity", popular)
    assert dict(referee.touches) == {"popularity": 2}


def test_figures_are_those_of_evaluate(referee):
    popular = Popularity(referee.split.train)
    scores, lists = referee.test("popularity", popular)
    assert scores.as_dict() == evaluate(popular, referee.split, referee.metrics).as_dict()
    assert lists.ids.shape == (scores.n_users, 10)
    expected = evaluate(popular, referee.split.validation, referee.metrics)["ndcg_at_10"].mean
    assert referee.validate(popular)["ndcg_at_10"].mean == expected


def test_the_count_cannot_be_set_back(referee):
    with pytest.raises(TypeError):
        referee.touches["popularity"] = 0
