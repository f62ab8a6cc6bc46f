"""What is left of a model when less of it is shared."""

from dataclasses import replace

import bundles
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.als import ALSModel, Objective
from recsys.bundle.figures import Within
from recsys.bundle.weaken import may_be_shown, weaken
from recsys.dataset import Vocabulary
from recsys.errors import LeakError, TermsInvalidError
from recsys.models import Beside, Neighbours, Weighting, neighbours
from recsys.named import NamedModel

OBJECTIVE = Objective("ials", alpha=3.0, regularization=0.02, unobserved_weight=0.3, nu=1.0)
SOLD = {"kind": "full", "proposal": "ab" * 32, "factors": None, "artists": None, "half_precision": False}


def world(seed=0, members=60, artists=30, factors=8):
    rng = np.random.default_rng(seed)
    fame = rng.permutation(np.linspace(0.02, 0.6, artists))
    plays = sp.csr_matrix((rng.random((members, artists)) < fame) * rng.integers(1, 50, (members, artists)), dtype="f4")
    item_factors = rng.normal(size=(artists, factors)).astype(np.float32)
    model = ALSModel(np.empty((0, factors), np.float32), item_factors, OBJECTIVE)
    names = Vocabulary(f"artist {column}" for column in range(artists))
    return NamedModel(model, names, Weighting.plain("log"), 5.0), plays


@settings(deadline=None)
@given(seed=st.integers(0, 99), fewest=st.integers(2, 20), most=st.none() | st.integers(1, 40), rank=st.integers(1, 7))
def test_what_is_kept_is_known_to_enough_and_the_best_known(seed, fewest, most, rank):
    named, plays = world(seed)
    counts = plays.getnnz(axis=0)
    shared = weaken(named, plays, bundles.make_terms(min_listeners=fewest, artists=most, factors=rank))
    kept = set(shared.kept.tolist())
    assert (counts[shared.kept] >= fewest).all()
    assert len(kept) == min((counts >= fewest).sum(), most or 99)
    left_out = [count for column, count in enumerate(counts) if column not in kept and count >= fewest]
    assert not left_out or max(left_out) <= counts[shared.kept].min()
    assert shared.named.artists.names == tuple(named.artists.names[column] for column in shared.kept)
    members = shared.listeners.astype(float) * plays.shape[0]
    assert np.allclose(members, counts[shared.kept] // fewest * fewest, atol=1e-4)
    assert shared.factors.dtype == np.float16
    assert np.array_equal(shared.factors.astype(np.float32), shared.named.model.item_factors)
    assert len(shared.named.model.user_factors) == 0
    wide = shared.factors.astype(np.float64)
    assert np.allclose(shared.gram, wide.T @ wide, rtol=1e-12)
    assert np.array_equal(shared.gram, shared.gram.T)


@pytest.mark.parametrize("rank", [1, 3, 7])
def test_fewer_factors_are_the_best_approximation_of_that_rank(rank):
    named, plays = world()
    shared = weaken(named, plays, bundles.make_terms(min_listeners=2, artists=None, factors=rank, half_precision=False))
    full = named.model.item_factors[shared.kept].astype(np.float64)
    u, s, _ = np.linalg.svd(full, full_matrices=False)
    best = u[:, :rank] * s[:rank] ** 2 @ u[:, :rank].T
    ours = shared.factors.astype(np.float64)
    assert np.allclose(ours @ ours.T, best, atol=1e-4)


def test_folding_in_is_the_models_own_among_fewer_vectors():
    """Brute force: the model's own normal equations, for x = Q z."""
    named, plays = world()
    shared = weaken(named, plays, bundles.make_terms(min_listeners=2, artists=None, factors=4, half_precision=False))
    full, ours = (one.astype(np.float64) for one in (named.model.item_factors[shared.kept], shared.factors))
    q = np.linalg.lstsq(full, ours, rcond=None)[0]
    assert np.allclose(q.T @ q, np.eye(4), atol=1e-5)
    row = shared.named.weighting(plays[:1, shared.kept])
    mine, c = full[row.indices], OBJECTIVE.alpha * row.data.astype(np.float64)
    ridge = OBJECTIVE.regularization * (row.nnz + OBJECTIVE.w0 * len(full)) ** OBJECTIVE.nu
    normal = OBJECTIVE.w0 * full.T @ full + (mine.T * c) @ mine + ridge * np.eye(8)
    z = np.linalg.solve(q.T @ normal @ q, q.T @ mine.T @ c)
    assert np.allclose(full @ q @ z, shared.named.model.fold_in(row)[0] @ ours.T, atol=1e-4)


def test_a_sample_takes_no_neighbours_along_and_a_sale_those_that_enough_listeners_share():
    named, plays = world(artists=12)
    named = replace(named, beside=Beside(neighbours(plays, k=12), 0.3))
    assert weaken(named, plays, bundles.make_terms(min_listeners=5, factors=3)).named.beside is None
    shared = weaken(named, plays, bundles.make_terms(**SOLD, min_listeners=5))
    has = (plays[:, shared.kept] > 0).toarray().astype(int)
    together = has.T @ has
    alike = shared.named.beside.neighbours.alike.toarray()
    before = named.beside.neighbours.alike.toarray()[np.ix_(shared.kept, shared.kept)]
    assert np.array_equal(alike, np.where(together >= 5, before, 0))
    assert (before[together < 5] != 0).any()


def test_rarity_goes_along_for_the_artists_that_are_kept():
    named, plays = world()
    learned = Weighting.learn(plays, "bm25")
    shared = weaken(replace(named, weighting=learned), plays, bundles.make_terms(min_listeners=9, factors=3))
    assert np.array_equal(shared.named.weighting.rarity, learned.rarity[shared.kept])


def test_what_is_not_weaker_too_large_unknown_or_a_listeners_is_refused():
    named, plays = world()
    with pytest.raises(TermsInvalidError, match="whole model"):
        weaken(named, plays, bundles.make_terms(min_listeners=2, factors=8, artists=30))
    with pytest.raises(LeakError, match="no artist has 61 listeners"):
        weaken(named, plays, bundles.make_terms(min_listeners=61))
    large = replace(named, model=replace(named.model, item_factors=named.model.item_factors * 1e5))
    with pytest.raises(TermsInvalidError, match="16 bits"):
        weaken(large, plays, bundles.make_terms(factors=3))
    weaken(large, plays, bundles.make_terms(factors=3, half_precision=False))
    leaky = replace(named, model=replace(named.model, user_factors=np.ones((3, 8), np.float32)))
    with pytest.raises(LeakError, match="factors of 3 listeners"):
        weaken(leaky, plays, bundles.make_terms(factors=3))


@pytest.mark.parametrize("name", ["Björk", "!!!", "Sigur Rós", "椎名林檎", "فيروز", "A\u200dB", "Motörhead 🤘"])
def test_names_of_all_the_world_are_shown(name):
    assert may_be_shown(name)


@pytest.mark.parametrize(
    "name", ["", " x", "a\nb", "a\x00", "\u202eevil", "a\u2066b", "a\u2028b", "\ud800", None, 3, "x" * 1001]
)
def test_names_that_hide_something_are_not(name):
    assert not may_be_shown(name)


def test_an_artist_whose_name_hides_something_is_left_out():
    named, plays = world()
    names = list(named.artists.names)
    worst = int(plays.getnnz(axis=0).argmax())
    names[worst] = "best\u202eknown"
    shared = weaken(replace(named, artists=Vocabulary(names)), plays, bundles.make_terms(factors=3))
    assert worst not in shared.kept


def test_a_model_of_some_artists_is_asked_about_all():
    named, plays = world()
    kept = np.array([2, 5, 11, 17])
    some = NamedModel(
        replace(named.model, item_factors=named.model.item_factors[kept]),
        Vocabulary(named.artists.names[column] for column in kept), named.weighting, 5.0,
    )  # fmt: skip
    ids, scores = Within(some.recommender, kept).recommend(np.arange(60), plays, N=30, recalculate_user=True)
    inner, expected = some.recommender.recommend(np.arange(60), plays[:, kept], N=4, recalculate_user=True)
    assert np.array_equal(scores, expected)
    assert np.array_equal(ids, np.where(inner < 0, -1, kept[inner]))
    everybody = Within(named.recommender, np.arange(30)).recommend(np.arange(60), plays, N=9, recalculate_user=True)
    plain = named.recommender.recommend(np.arange(60), plays, N=9, recalculate_user=True)
    assert all(map(np.array_equal, everybody, plain))


def test_neighbours_are_those_of_the_artists_that_are_kept():
    named, plays = world(artists=12)
    alike = sp.csr_matrix(np.arange(144, dtype=np.float32).reshape(12, 12))
    shared = weaken(
        replace(named, beside=Beside(Neighbours(alike), 0.5)), plays, bundles.make_terms(**SOLD, min_listeners=2)
    )
    has = (plays[:, shared.kept] > 0).toarray().astype(int)
    expected = np.where(has.T @ has >= 2, alike.toarray()[np.ix_(shared.kept, shared.kept)], 0)
    assert np.array_equal(shared.named.beside.neighbours.alike.toarray(), expected)
