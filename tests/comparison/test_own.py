from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.als import ALS, Objective
from recsys.comparison import ALL, Training, tune
from recsys.comparison.own import beside, fit, of_mean_weight, settled
from recsys.evaluation import NDCG, Referee, strong_generalization
from recsys.models import Weighting

TRIED = {"weighting": "log", "unobserved_weight": 0.1, "regularization": 0.004, "nu": 1.0}


@pytest.fixture(scope="module")
def plays():
    rng = np.random.default_rng(7)
    return sp.csr_matrix((rng.random((60, 25)) < 0.3) * rng.integers(1, 900, (60, 25)), dtype=np.float32)


@pytest.mark.parametrize("kind", ["binary", "log", "linear", "tfidf", "bm25"])
def test_whatever_the_weights_the_mean_pair_weighs_the_same(plays, kind):
    told = settled({**TRIED, "weighting": kind}, plays)
    assert told["alpha"] * Weighting.learn(plays, kind)(plays).data.mean() == pytest.approx(1, rel=1e-4)
    assert told["unobserved_weight"] == 0.1


@pytest.mark.parametrize("nu", [0.0, 0.3, 1.0])
def test_whatever_the_exponent_all_rows_together_are_penalized_alike(plays, nu):
    """Adds up lambda over all users and items as the objective gives it: always that of nu = 1."""
    users, items = plays.shape
    counts = np.diff(plays.indptr), np.bincount(plays.indices, minlength=items)

    def penalty(nu, regularization):
        loss = Objective(kind="ials", unobserved_weight=0.1, regularization=regularization, nu=nu)
        rows = (np.broadcast_to(loss.ridge(n, m), len(n)) for n, m in zip(counts, (items, users), strict=True))
        return sum(float(one.sum()) for one in rows)

    told = settled({**TRIED, "nu": nu}, plays)
    assert penalty(nu, told["regularization"]) == pytest.approx(penalty(1.0, TRIED["regularization"]), rel=1e-4)


def test_what_is_tried_stays_what_it_is_where_nothing_is_to_be_brought_over(plays):
    tried = {**TRIED, "weighting": "binary"}
    assert settled(tried, plays) == {**tried, "alpha": 1.0}
    assert of_mean_weight({"weighting": "binary", "alpha": 7.0}, plays)["alpha"] == 7.0
    assert ALL["ease"].settled({"l2": 3.0}, plays) == {"l2": 3.0}


@pytest.fixture(scope="module")
def referee():
    """Pairs of items that are always had together, too many for two factors to keep apart."""
    rng = np.random.default_rng(2)
    music = sp.csr_matrix(np.repeat(rng.random((160, 20)) < 0.2, 2, axis=1).astype(np.float32))
    return Referee(strong_generalization(music, 40), [NDCG(10)])


BLURRED = {**TRIED, "weighting": "binary", "factors": 2, "iterations": 5}


def test_neighbours_keep_sharp_what_few_factors_blur(referee):
    alone = referee.validate(fit(referee.split.train, BLURRED, Training()))["ndcg_at_10"].mean
    told = {**BLURRED, "neighbours": 20, "neighbours_weight": 1.0}
    assert referee.validate(fit(referee.split.train, told, Training()))["ndcg_at_10"].mean > alone + 0.2


def test_the_factorization_is_trained_once_while_neighbours_are_tried(referee, monkeypatch):
    fits = []
    whole = ALS.fit

    def counted(self, *args, **more):
        fits.append(self.factors)
        return whole(self, *args, **more)

    monkeypatch.setattr(ALS, "fit", counted)
    adds = beside(BLURRED)
    for k, weight in ((5, 0.1), (10, 0.7), (20, 1.0)):
        told = {"neighbours": k, "neighbours_weight": weight}
        model = adds.fit(referee.split.train, told, Training())
        expected = fit(referee.split.train, {**BLURRED, **told}, Training())
        rows = referee.split.validation.fold_in[:9]
        assert np.array_equal(model.recommend(range(9), rows)[0], expected.recommend(range(9), rows)[0])
    assert len(fits) == 1 + 3


def test_what_is_added_is_kept_only_if_it_is_better(referee):
    seen, few = [], replace(ALL["als+items"], ladder=("factors", (2,)))
    found = tune(few, referee, seconds=600, max_trials=2, report=lambda number, *_: seen.append(number))
    assert found.params["neighbours"] > 0
    assert seen == list(range(found.trials))
    useless = replace(few, then=lambda _: ALL["random"])
    alone = tune(useless, referee, seconds=600, max_trials=2)
    assert "neighbours" not in alone.params
    assert alone.value == tune(replace(few, then=None), referee, seconds=600, max_trials=2).value < found.value
