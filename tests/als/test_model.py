import json

import numpy as np
import pytest
import scipy.sparse as sp
from safetensors.numpy import save_file

from recsys.als import ALS, ALSModel, Objective, _kernel
from recsys.als.halfstep import LEVEL_VARIABLE
from recsys.als.reference import half_step
from recsys.errors import ModelError, ModelInvalidError


@pytest.fixture
def model(user_items):
    return ALS(factors=6, alpha=3.0, iterations=5).fit(user_items).model_


def brute_force(scores, N, seen=None):
    """Sort whole rows: by score, then by lower id."""
    scores = np.where(seen, -np.inf, scores) if seen is not None else scores
    ids = np.lexsort((np.broadcast_to(np.arange(scores.shape[1]), scores.shape), -scores), axis=1)[:, :N]
    best = np.take_along_axis(scores, ids, axis=1)
    return np.where(best > -np.inf, ids, -1), best


def whole(shape, seed):
    """Small whole numbers: products are exact and ties are many."""
    return np.random.default_rng(seed).integers(-2, 3, size=shape).astype(np.float32)


@pytest.mark.parametrize("level", _kernel.levels())
@pytest.mark.parametrize("k", [1, 3, 40])
@pytest.mark.parametrize("N", [1, 10, 700])
def test_recommend_is_exact_also_among_ties(monkeypatch, level, k, N):
    monkeypatch.setenv(LEVEL_VARIABLE, level)
    X, Y = whole((230, k), 0), whole((500, k), 1)
    seen = sp.random(230, 500, 0.1, format="csr", random_state=0, dtype=np.float32)
    ids, scores = ALSModel(X, Y).recommend(np.arange(230), seen, N=N)
    expected_ids, expected_scores = brute_force(X @ Y.T, N, seen.toarray() != 0)
    assert ids.shape == scores.shape == (230, N)
    places = expected_ids.shape[1]
    np.testing.assert_array_equal(ids[:, :places], expected_ids)
    np.testing.assert_array_equal(scores[:, :places], expected_scores)
    assert (ids[:, places:] == -1).all()
    assert (scores[:, places:] == -np.inf).all()


def test_pruning_loses_nothing():
    rng = np.random.default_rng(0)
    Y = rng.normal(size=(5000, 8)) * rng.lognormal(sigma=2, size=(5000, 1))  # lengths differ widely
    X = rng.normal(size=(300, 8))
    found = ALSModel(X, Y).recommend(np.arange(300), None, N=20, filter_already_liked_items=False)[0]
    np.testing.assert_array_equal(found, brute_force(X.astype(np.float32) @ Y.astype(np.float32).T, 20)[0])


def test_recommend_shapes_and_lists(model, user_items):
    ids, scores = model.recommend(3, user_items[3], N=5)
    assert ids.shape == scores.shape == (5,)
    assert ids.dtype == np.int32
    assert scores.dtype == np.float32
    assert not set(ids) & set(user_items[3].indices)
    many, _ = model.recommend([3, 4], user_items[[3, 4]], N=5)
    np.testing.assert_array_equal(many[0], ids)
    without, _ = model.recommend(3, user_items[3], N=5, filter_items=ids[:2])
    assert not set(without) & set(ids[:2])
    among, _ = model.recommend(3, user_items[3], N=5, items=[*ids[:2]])
    assert among.shape == (2,)
    assert set(among) == set(ids[:2])
    known, _ = model.recommend(3, None, N=40, filter_already_liked_items=False)
    assert set(known) == set(range(40))


def test_diversity_by_head():
    # Two twins score 1.0 and 0.9, a stranger 0.6: after the first twin the stranger is worth more than the second.
    items = np.array([[1.0, 0.0], [0.9, 0.0], [0.0, 0.6]])
    model = ALSModel(np.array([[1.0, 1.0]]), items)
    plain = model.recommend(0, None, N=3, filter_already_liked_items=False)[0]
    mixed, scores = model.recommend(0, None, N=3, filter_already_liked_items=False, diversity=0.5)
    assert plain.tolist() == [0, 1, 2]
    assert mixed.tolist() == [0, 2, 1]
    np.testing.assert_allclose(scores, [1.0, 0.6, 0.9], rtol=1e-6)
    few = model.recommend(0, sp.csr_matrix([[1.0, 0, 1]]), N=3, diversity=0.5)[0]
    none = model.recommend(0, sp.csr_matrix([[1.0, 1, 1]]), N=2, diversity=0.5)[0]
    assert (few.tolist(), none.tolist()) == ([1, -1, -1], [-1, -1])
    with pytest.raises(ValueError, match="from 0 to 1"):
        model.recommend(0, None, filter_already_liked_items=False, diversity=2.0)


def test_nothing_left_is_said(model, user_items):
    everything = sp.csr_matrix(np.ones((1, 40), dtype=np.float32))
    ids, scores = model.recommend(0, everything, N=3)
    assert ids.tolist() == [-1, -1, -1]
    assert (scores == -np.inf).all()
    assert model.recommend([], user_items[:0], N=3)[0].shape == (0, 3)


def test_recommend_refuses_what_makes_no_sense(model, user_items):
    with pytest.raises(ValueError, match="user_items is missing"):
        model.recommend(0, None)
    with pytest.raises(ValueError, match="60 rows for 1 user ids"):
        model.recommend(0, user_items)
    with pytest.raises(ValueError, match="pass one of them"):
        model.recommend(0, user_items[0], items=[1], filter_items=[2])
    with pytest.raises(IndexError, match="from 0 to 39"):
        model.recommend(0, user_items[0], items=[40])
    with pytest.raises(ValueError, match="are its rows items"):
        model.recommend(0, user_items.T.tocsr(), recalculate_user=True)


def test_fold_in_of_a_training_user_is_one_more_half_step(model, user_items):
    folded = model.fold_in(user_items)
    np.testing.assert_allclose(folded, half_step(user_items, model.item_factors, model.objective), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(model.fold_in(user_items[[5]])[0], folded[5])


def test_fold_in_at_convergence_gives_the_trained_factors(user_items):
    model = ALS(factors=4, alpha=3.0, iterations=300, half_precision=False, cg_steps=5).fit(user_items).model_
    np.testing.assert_allclose(model.fold_in(user_items), model.user_factors, atol=2e-3)


def test_similar_items(model):
    ids, cosines = model.similar_items(7, N=4)
    assert ids[0] == 7
    assert cosines[0] == pytest.approx(1.0)
    Y = model.item_factors / np.linalg.norm(model.item_factors, axis=1, keepdims=True)
    np.testing.assert_allclose(np.sort(Y @ Y[7])[::-1][:4], cosines, rtol=1e-5)
    assert model.similar_items([7, 8], N=4)[0].shape == (2, 4)


def test_explanation_adds_up_to_the_score(model, user_items):
    score, parts = model.explain(2, user_items, 11, N=100)
    assert score == pytest.approx(float(model.fold_in(user_items[2])[0] @ model.item_factors[11]), rel=1e-4)
    assert sum(part for _, part in parts) == pytest.approx(score)
    assert {item for item, _ in parts} == set(user_items[2].indices)
    assert model.explain(2, user_items, 11, N=2)[1] == parts[:2]


def test_explanation_is_that_of_implicit(model, user_items):
    score, parts = model.explain(2, user_items, 11, N=3)
    theirs = model.to_implicit().explain(2, user_items, 11, N=3)
    assert score == pytest.approx(float(theirs[0]), rel=1e-3)
    assert [item for item, _ in parts] == [item for item, _ in theirs[1]]


def test_to_implicit_recommends_the_same(model, user_items):
    theirs = model.to_implicit()
    users = np.arange(60)
    ours, scores = model.recommend(users, user_items, N=5)
    ids, their_scores = theirs.recommend(users, user_items, N=5)
    np.testing.assert_array_equal(ours, ids)
    np.testing.assert_allclose(scores, their_scores, rtol=1e-5)
    np.testing.assert_allclose(
        theirs.recalculate_user(users, user_items), model.fold_in(user_items), rtol=1e-3, atol=1e-5
    )
    with pytest.raises(ValueError, match="nu=0 only"):
        ALSModel(model.user_factors, model.item_factors, Objective("ials")).to_implicit()


def test_model_does_not_change(model):
    mine = np.ones((3, 2), dtype=np.float32)
    made = ALSModel(mine, mine)
    mine[0, 0] = 5
    assert made.user_factors[0, 0] == 1
    for factors in (made.user_factors, model.user_factors, model.item_factors):
        assert factors.dtype == np.float32
        assert factors.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            factors[0, 0] = 1
    with pytest.raises(AttributeError):
        model.user_factors = mine


def test_save_and_load(model, user_items, tmp_path):
    path = tmp_path / "model.safetensors"
    model.save(path)
    loaded = ALSModel.load(path)
    assert loaded.objective == model.objective
    assert loaded.user_factors.tobytes() == model.user_factors.tobytes()
    assert loaded.item_factors.tobytes() == model.item_factors.tobytes()
    assert loaded.loss(user_items) == model.loss(user_items)
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]


GOOD = {"user_factors": np.ones((3, 2), np.float32), "item_factors": np.ones((4, 2), np.float32)}
OBJECTIVE = '{"kind":"implicit","alpha":1.0,"regularization":0.01,"unobserved_weight":1.0,"nu":0.0}'
METADATA = {"format": "recsys.als/1", "objective": OBJECTIVE}
HOSTILE = {
    "half": ({**GOOD, "item_factors": np.ones((4, 2), np.float64)}, METADATA, "F64 of shape"),
    "flat": ({**GOOD, "item_factors": np.ones(8, np.float32)}, METADATA, "expected F32 of shape"),
    "other factors": ({**GOOD, "item_factors": np.ones((4, 3), np.float32)}, METADATA, "same number"),
    "no factors": ({name: np.ones((3, 0), np.float32) for name in GOOD}, METADATA, "expected"),
    "NaN": ({**GOOD, "user_factors": np.full((3, 2), np.nan, np.float32)}, METADATA, "row 0"),
    "missing": ({"user_factors": GOOD["user_factors"]}, METADATA, "it holds"),
    "more": ({**GOOD, "more": GOOD["user_factors"]}, METADATA, "it holds"),
    "no format": (GOOD, {"objective": OBJECTIVE}, "its format"),
    "no objective": (GOOD, {"format": "recsys.als/1"}, "does not hold the objective"),
    "not an objective": (GOOD, {**METADATA, "objective": "[1]"}, "does not hold the objective"),
    "unknown kind": (GOOD, {**METADATA, "objective": OBJECTIVE.replace('implicit"', 'other"')}, "knows"),
    "infinite": (GOOD, {**METADATA, "objective": OBJECTIVE.replace("0.01", "1e999")}, "knows"),
}


@pytest.mark.parametrize(("arrays", "metadata", "message"), HOSTILE.values(), ids=HOSTILE)
def test_load_refuses_what_is_no_model(tmp_path, arrays, metadata, message):
    path = tmp_path / "hostile.safetensors"
    save_file(arrays, path, metadata=metadata)
    with pytest.raises(ModelInvalidError, match=message) as refusal:
        ALSModel.load(path)
    assert "hostile.safetensors" in str(refusal.value)


def test_load_refuses_broken_bytes(tmp_path, model):
    path = tmp_path / "model.safetensors"
    model.save(path)
    whole_file = path.read_bytes()
    header = len(json.dumps({})).to_bytes(8, "little")
    for broken in (b"", whole_file[:100], whole_file[:-4], b"\xff" * 64, header + b"{}", b"\x80\x04pickle"):
        path.write_bytes(broken)
        with pytest.raises(ModelInvalidError, match=r"model\.safetensors"):
            ALSModel.load(path)
    with pytest.raises(ModelInvalidError):
        ALSModel.load(tmp_path / "absent")


def test_factors_that_do_not_fit_are_refused():
    with pytest.raises(ModelInvalidError, match="same number"):
        ALSModel(np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(ModelInvalidError, match="holds int64"):
        ALSModel(np.ones((2, 3), dtype=int), np.ones((2, 3)))
    assert issubclass(ModelInvalidError, ModelError)


def test_loss_needs_the_training_users(model, user_items):
    with pytest.raises(ValueError, match="59 rows, the model 60 users"):
        model.loss(user_items[:59])


def test_equal_models_have_equal_files(tmp_path):
    model = ALSModel(np.ones((2, 3), np.float32), np.ones((4, 3), np.float32))
    files = set()
    for place in range(8):  # safetensors alone would write its metadata in either order
        model.save(tmp_path / str(place))
        files.add((tmp_path / str(place)).read_bytes())
    assert len(files) == 1
