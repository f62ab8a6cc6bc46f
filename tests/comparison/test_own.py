import numpy as np
import pytest
import scipy.sparse as sp

from recsys.als import Objective
from recsys.comparison import ALL
from recsys.comparison.own import of_mean_weight, settled
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
