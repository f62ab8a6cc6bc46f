"""Who judges: nobody who tests, nobody who chooses, nobody twice, and nobody whom the model was trained on."""

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.bench.panel import METRIC, filled, folds, judged, row_of
from recsys.evaluation import Popularity, strong_generalization


@pytest.fixture(scope="module")
def plays():
    rng = np.random.default_rng(8)
    return sp.csr_matrix((rng.random((80, 20)) < 0.4) * rng.integers(1, 9, (80, 20)), dtype=np.float32)


@pytest.mark.parametrize("most", [9, 1000])
@pytest.mark.parametrize("seed", [0, 1])
def test_judges_are_apart_from_all_others(plays, most, seed):
    split = strong_generalization(plays, 10, seed=seed)
    panel = folds(plays, split, most, seed)
    judges = np.concatenate([fold.users for fold in panel])
    assert len(judges) == len(set(judges)) == min(most, 60)
    assert not set(judges) & {*split.test.users, *split.validation.users}
    for fold in panel:
        train, fold_in, target = (filled(part, plays.data) for part in (fold.train, fold.fold_in, fold.target))
        assert ((fold_in + target) != plays[fold.users]).nnz == 0
        assert fold_in.multiply(target).nnz == 0
        assert min(np.diff(fold_in.indptr).min(), np.diff(target.indptr).min()) >= 1
        trained = np.setdiff1d(np.arange(80), [*fold.users, *split.test.users])
        assert (train != plays[trained]).nnz == 0
        assert len(fold.users) <= 80 / 5 + 1


def test_an_order_says_what_is_shown(plays):
    split = strong_generalization(plays, 10)

    def from_the_right(places):
        return np.concatenate([np.arange(n)[::-1] for n in np.diff(places.indptr)])

    for fold in folds(plays, split, 50, 0, from_the_right):
        shown, hidden = fold.fold_in, fold.target
        for r in range(len(fold.users)):
            assert hidden[r].indices.max() < shown[r].indices.min()


def test_every_judge_is_heard_and_a_row_tells_it(plays):
    panel = folds(plays, strong_generalization(plays, 10), 50, 0)
    seen = []

    def train(weights):
        seen.append(weights.sum())
        return Popularity(weights)

    scores = judged(panel, train, lambda _: lambda places: filled(places, 2 * plays.data))
    assert seen == [2 * filled(fold.train, plays.data).sum() for fold in panel]
    assert scores.n_users == 50
    row = row_of("popularity", scores, scores, {"x": 0.12345})
    assert (row["gain"], row["kept"], row["words"]) == (0, "no", "x 0.123")
    assert row_of("popularity", scores, None, {})["kept"] == "yes"
    assert row["figure"] == scores[METRIC.name].mean
