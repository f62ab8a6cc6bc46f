import numpy as np
import pytest
import scipy.sparse as sp

from recsys.als import ALS
from recsys.models import FromTags, warmed


@pytest.fixture(scope="module")
def planted():
    """Four kinds of music; everybody likes one; tags say the kind, and two say nothing. Twelve artists are cold."""
    rng = np.random.default_rng(4)
    kind, likes = np.arange(60) % 4, np.arange(240) % 4
    plays = rng.random((240, 60)) < np.where(kind[None, :] == likes[:, None], 0.5, 0.02)
    cold = np.arange(60) >= 48
    tags = np.hstack([kind[:, None] == np.arange(4), rng.random((60, 2)) < 0.5]).astype(float)
    model = ALS(factors=8, objective="ials", unobserved_weight=0.1, regularization=0.003, nu=1.0)
    known = sp.csr_matrix(np.where(cold, 0, plays).astype(np.float32))
    return model.fit(known).model_, known, sp.csr_matrix(tags), kind, likes


def test_artists_whom_nobody_heard_are_recommended_to_those_who_like_their_kind(planted):
    model, known, tags, kind, likes = planted
    listeners = np.bincount(known.indices, minlength=60)
    told = warmed(model, tags, listeners, ridge=1.0)
    scores = (told.fold_in(known) @ told.item_factors.T)[:, 48:]
    best = np.argsort(-scores, axis=1)[:, :3]  # three of the twelve are of each kind
    assert (kind[48:][best] == likes[:, None]).mean() > 0.95
    assert not model.item_factors[48:].any()
    assert np.array_equal(told.item_factors[:48], model.item_factors[:48])


def test_the_map_is_the_ridge_regression_of_factors_on_tags():
    """Solved once more as least squares with rows for the penalty; what all have in common is not penalized."""
    rng = np.random.default_rng(0)
    tags, factors = rng.random((30, 3)), rng.random((30, 2)).astype(np.float32)
    unit = tags / np.linalg.norm(tags, axis=1, keepdims=True)
    A = np.vstack([np.hstack([unit, np.ones((30, 1))]), np.hstack([np.sqrt(5.0) * np.eye(3), np.zeros((3, 1))])])
    expected = np.linalg.lstsq(A, np.vstack([factors, np.zeros((3, 2))]), rcond=None)[0]
    found = FromTags.learn(factors, sp.csr_matrix(tags), ridge=5.0)
    assert found.weights == pytest.approx(expected, abs=1e-6)
    assert found.factors(sp.csr_matrix(tags)) == pytest.approx(A[:30] @ expected, abs=1e-5)


def test_an_artist_without_tags_gets_what_all_have_in_common():
    factors = np.array([[1, 3], [3, 5]], dtype=np.float32)
    found = FromTags.learn(factors, sp.csr_matrix(np.eye(2)), ridge=1e6)
    assert found.factors(sp.csr_matrix((1, 2)))[0] == pytest.approx([2, 4], abs=1e-3)


@pytest.mark.parametrize(("rows", "listeners"), [(3, 60), (60, 3)])
def test_tags_and_listeners_are_those_of_the_models_artists(planted, rows, listeners):
    with pytest.raises(ValueError, match="the model has 60 artists"):
        warmed(planted[0], sp.csr_matrix((rows, 2)), np.ones(listeners, dtype=int))
