"""Buyers' marks: not a bit of a score changes, and a copy is known again after much that may be done to it."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.numpy import save_file
from scipy.stats import ortho_group

from recsys.als import ALS, ALSModel, Objective
from recsys.bundle.cards import SCRIPT
from recsys.bundle.watermark import mark, signs, trace

KEY = bytes(range(32))
BUYERS = [f"buyer {number}" for number in range(20)]
CULPRIT = "buyer 7"
LOSSES = (Objective("implicit", 10.0, 0.1), Objective("ials", 2.0, 0.01, 0.1, 1.0))


def plays(listeners=300, artists=120, *, seed=0):
    return sp.random(listeners, artists, density=0.08, format="csr", random_state=seed, dtype=np.float32)


def stored_factors(factors, *, seed=0):
    fitted = ALS(factors=factors, iterations=4, alpha=20.0, random_state=seed).fit(plays(seed=1)).model_
    return fitted.item_factors.astype(np.float16)


@pytest.fixture(scope="module")
def original():
    return stored_factors(40)


@pytest.fixture(scope="module")
def copy(original):
    return mark(original, np.eye(40), CULPRIT, KEY)[0].astype(np.float32)


@pytest.mark.parametrize("factors", [1, 6, 16, 31, 64, 130])
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.kind)
def test_not_a_bit_of_a_recommendation_changes_folding_in_included(factors, loss):
    stored = np.random.default_rng(factors).normal(size=(120, factors)).astype(np.float16)
    marked, _ = mark(stored, np.eye(factors), CULPRIT, KEY)
    nobody = np.empty((0, factors), np.float32)
    plain, other = (ALSModel(nobody, one.astype(np.float32), loss) for one in (stored, marked))
    histories, everybody = plays(), np.arange(300)
    assert np.array_equal(plain.fold_in(histories) * signs(CULPRIT, KEY, factors), other.fold_in(histories))
    for one, two in zip(
        plain.recommend(everybody, histories, 50, recalculate_user=True),
        other.recommend(everybody, histories, 50, recalculate_user=True),
        strict=True,
    ):
        assert np.array_equal(one, two)
    assert plain.explain(0, histories[0], 5) == other.explain(0, histories[0], 5)
    assert np.array_equal(plain.similar_items(3, 20)[1], other.similar_items(3, 20)[1])


def test_not_a_bit_changes_in_the_lone_script(tmp_path, original):
    space = {"__name__": "lone"}
    exec(compile(SCRIPT, "lone", "exec"), space)
    gram = original.astype(np.float64).T @ original.astype(np.float64)
    told = []
    for factors, own in ((original, gram), mark(original, gram, CULPRIT, KEY)):
        save_file({"item_factors": factors, "gram": own}, tmp_path / "model.safetensors")
        words = {
            "artists": [f"A{i}" for i in range(120)],
            "confidence": "log",
            "mean_length": 0.0,
            "typical_plays": 5.0,
        }
        words["objective"] = asdict(LOSSES[0])
        (tmp_path / "artists.json").write_text(json.dumps(words))
        told.append(space["recommend"](str(tmp_path), ["A3", "A5", "A70"], 100))
    assert told[0] == told[1]


finite = st.floats(-1e3, 1e3, width=16)


@settings(deadline=None, max_examples=50)
@given(arrays(np.float16, (7, 5), elements=finite), arrays(np.float32, 5, elements=st.floats(-1e3, 1e3, width=32)))
def test_scores_are_the_same_bits_whatever_the_factors(factors, listener):
    marked, _ = mark(factors, np.eye(5), CULPRIT, KEY)
    flipped = listener * signs(CULPRIT, KEY, 5)
    assert np.array_equal(factors.astype(np.float32) @ listener, marked.astype(np.float32) @ flipped)


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=20), st.binary(min_size=32, max_size=32), st.integers(1, 600))
def test_marking_twice_takes_the_mark_off_and_the_gram_goes_along(buyer, key, factors):
    stored = np.random.default_rng(0).normal(size=(3, factors)).astype(np.float16)
    gram = stored.astype(np.float64).T @ stored.astype(np.float64)
    marked, own = mark(stored, gram, buyer, key)
    assert marked.dtype == np.float16
    assert np.array_equal(own, marked.astype(np.float64).T @ marked.astype(np.float64))
    again, back = mark(marked, own, buyer, key)
    assert np.array_equal(again, stored)
    assert np.array_equal(back, gram)
    flips = signs(buyer, key, factors)
    assert set(np.abs(flips)) == {1}
    assert np.array_equal(signs(buyer, key, 700)[:factors], flips)


def test_marks_of_buyers_and_of_keys_differ_in_half_of_the_signs():
    others = [signs(buyer, KEY, 512) for buyer in BUYERS] + [signs(CULPRIT, bytes(32), 512)]
    mine = signs(CULPRIT, KEY, 512)
    apart = [(one != mine).mean() for one in others if not np.array_equal(one, mine)]
    assert len(apart) == 20
    assert not np.array_equal(mine[:256], mine[256:])
    assert 0.4 < min(apart) <= max(apart) < 0.6


def attacks():
    rng = np.random.default_rng(3)
    rows, dimensions = rng.permutation(120), rng.permutation(40)

    def noisy(factors, much):
        return factors + rng.normal(size=factors.shape) * factors.std() * much

    return {
        "whole": lambda copy: copy,
        "half precision, rescaled": lambda copy: (copy * 3.7).astype(np.float16),
        "eight bits": lambda copy: np.round(copy / np.abs(copy).max() * 127).astype(np.int8),
        "artists in another order": lambda copy: copy[rows],
        "a third of the artists": lambda copy: copy[rows[:40]],
        "dimensions in another order": lambda copy: copy[:, dimensions],
        "both in another order": lambda copy: copy[rows][:, dimensions],
        "noise of half the size": lambda copy: noisy(copy, 0.5),
        "noise of the same size": lambda copy: noisy(copy, 1.0),
        "a tenth of noise, artists in another order": lambda copy: noisy(copy, 0.1)[rows],
        "half of the dimensions": lambda copy: copy[:, :20],
        "dimensions stretched": lambda copy: copy * np.exp(rng.normal(size=40)),
        "some NaN": lambda copy: np.where(rng.random(copy.shape) < 0.01, np.nan, copy),
    }


@pytest.mark.parametrize("name", attacks())
def test_a_copy_is_known_again(original, copy, name):
    found = trace(attacks()[name](copy), original, BUYERS, KEY)
    assert found.suspects[0].buyer == CULPRIT
    assert found.suspects[0].chance < 1e-4
    assert found.suspects[1].chance > 1e-3


def test_rows_that_are_known_by_name_need_not_be_matched(original, copy):
    rows = np.random.default_rng(0).permutation(120)[:30]
    noisy = copy[rows] + np.random.default_rng(1).normal(size=(30, 40)) * copy.std() * 0.7
    found = trace(noisy, original, BUYERS, KEY, rows=rows)
    assert found.suspects[0].buyer == CULPRIT
    assert found.suspects[0].chance < 1e-6


def test_a_rotated_copy_is_a_copy_but_nobodys(original, copy):
    found = trace(copy @ ortho_group.rvs(40, random_state=0), original, BUYERS, KEY)
    assert found.copied
    assert found.rotated
    assert found.unexplained < 1e-5
    assert found.suspects[0].chance > 1e-2


def test_signs_drawn_anew_leave_a_copy_that_is_nobodys(original, copy):
    found = trace(copy * np.random.default_rng(0).choice([-1, 1], 40), original, BUYERS, KEY)
    assert found.copied
    assert not found.rotated
    assert found.suspects[0].chance > 1e-2


def test_two_copies_put_together_point_at_both():
    whole = np.random.default_rng(0).normal(size=(300, 256)).astype(np.float32)
    one, other = (mark(whole, np.eye(256), buyer, KEY)[0] for buyer in (CULPRIT, "buyer 3"))
    found = trace(np.where(np.arange(256) % 2, one, other), whole, BUYERS, KEY)
    assert {suspect.buyer for suspect in found.suspects[:2]} == {CULPRIT, "buyer 3"}
    assert found.suspects[1].chance < 1e-6
    assert found.suspects[2].chance > 1e-3


def test_another_model_is_no_copy():
    found = trace(stored_factors(40, seed=9), stored_factors(40), BUYERS, KEY)
    assert found.suspects[0].chance > 1e-3


@pytest.mark.parametrize("shape", [(0, 40), (1, 40), (5, 1), (50, 90)])
def test_what_is_too_little_or_of_another_shape_tells_nothing(original, shape):
    found = trace(np.random.default_rng(0).normal(size=shape), original, BUYERS, KEY)
    assert found.suspects[0].chance > 1e-3
    assert trace(np.zeros(shape), original, BUYERS, KEY).dimensions == 0


def test_chance_is_what_innocent_buyers_come_to(original):
    """Trace copies of nobody's: how often some buyer looks guilty is what is said of chance."""
    rng = np.random.default_rng(0)
    whole = original.astype(np.float32)
    least = [trace(whole * rng.choice([-1, 1], 40), original, BUYERS, KEY).suspects[0].chance for _ in range(200)]
    assert np.mean(np.array(least) <= 0.1) < 0.1
    assert min(least) > 1e-4
