"""The buffer in which extrapolated factors wait: in half precision, rotated where they are."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from recsys.als import ALS, _kernel
from recsys.als.halfstep import Effort, Fixed, Machine
from recsys.als.inputs import Side
from recsys.als.lead import Lead, power_of_two
from recsys.als.objective import Objective
from recsys.als.training import Recipe, State, Training

LEVELS = _kernel.levels()


def factors(n, k, scale=1.0):
    return (np.random.default_rng(n + k).normal(size=(n, k)) * scale).astype(np.float32)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1.0, 1e6])
def test_what_is_copied_in_comes_back(half, scale):
    Y = factors(5000, 37, scale)
    lead = Lead.of(Y, half=half)
    assert lead.stored.shape == (5000, 64)
    assert not lead._numbers[:, 37:].any()
    np.testing.assert_allclose(lead.factors(37), Y, rtol=2**-11 if half else 0, atol=scale * 1e-6 if half else 0)
    np.testing.assert_allclose(lead.squares, (Y.astype(float) ** 2).sum(axis=1), rtol=1e-6)
    again = Lead.of(np.zeros_like(Y), half=half)
    again.fill(lead.factors(37), lead.squares.copy(), lead.scale)
    assert again.stored.tobytes() == lead.stored.tobytes()


@given(st.floats(0, 1e300) | st.just(float("inf")) | st.just(float("nan")))
def test_a_scale_is_a_power_of_two_that_brings_rows_to_sixteen(square):
    scale = power_of_two(square)
    assert np.frexp(scale)[0] == 0.5
    if 1e-30 < square < 1e30:
        assert 8 < scale * np.sqrt(square) <= 16.001


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("k", [3, 32, 97, 300])
def test_a_gram_matrix_of_halves(level, k):
    lead = Lead.of(factors(1000, k), half=True)
    found = [Machine(threads, level).gram(lead.stored, k) / lead.scale**2 for threads in (1, 3)]
    np.testing.assert_allclose(found[0], lead.factors(k).astype(float).T @ lead.factors(k), 1e-6, 1e-4)
    assert found[0].tobytes() == found[1].tobytes()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("half", [False, True])
def test_factors_are_rotated_where_they_are(level, half):
    Y = factors(777, 40)
    lead = Lead.of(Y, half=half)
    expected = Fixed.prepare(lead.factors(40), Objective(regularization=0.1), Machine(1, level), half=half)
    fixed = Fixed.consume(lead, 40, Objective(regularization=0.1), Machine(2, level))
    assert np.shares_memory(fixed.factors, lead.stored)
    numbers = [one.factors.view(np.float16) if half else one.factors for one in (fixed, expected)]
    np.testing.assert_allclose(*(one.astype(float) for one in numbers), atol=0.02 if half else 1e-5)


def test_the_kernel_rotates_in_place_only_what_fits():
    Y = np.zeros((3, 40), dtype=np.float32)
    larger = np.ndarray((3, 64), dtype=np.uint16, buffer=Y.data)
    with pytest.raises(ValueError, match="out in place is as large as factors"):
        _kernel.rotate(Y, np.eye(40, dtype=np.float32), larger, None, 1.0, LEVELS[0], 1)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("half", [False, True])
def test_a_half_step_extrapolates_from_the_way_it_went(level, half):
    matrix = sp.random(60, 40, 0.2, format="csr", dtype=np.float32, rng=np.random.default_rng(0))
    objective = Objective(regularization=0.1)
    before = factors(60, 7)
    after, lead = before.copy(), Lead.of(before, half=half)
    fixed = Fixed.prepare(factors(40, 7), objective, Machine(2, level), half=False)
    solved = fixed.solve(Side.of("user", matrix, objective), after, Effort(3, 0.0), lead, 0.7)
    expected = after + np.float32(0.7) * (after - before)
    np.testing.assert_allclose(lead.factors(7), expected, rtol=2**-11 if half else 1e-5, atol=1e-5)
    np.testing.assert_allclose(solved.squares, (expected.astype(float) ** 2).sum(axis=1), rtol=1e-5)


def test_factors_that_outgrow_the_buffer_are_copied_to_it_anew():
    """A start that is far too short: the first sweep makes the factors a million times as long."""
    matrix = sp.random(300, 50, 0.2, format="csr", dtype=np.float32, rng=np.random.default_rng(0))
    objective = Objective(alpha=10.0, regularization=1e-4)
    losses = {}
    for scale in (0.1, 1e-9):
        Y = factors(50, 8, scale)
        state = State(np.zeros((300, 8), dtype=np.float32), Y, Lead.of(Y, half=True))
        training = Training(matrix, objective, Recipe(Effort(3, 0.0), 1.0, True, Machine(1, LEVELS[0])), state)
        for _ in range(12):
            training.sweep()
        losses[scale] = state.losses
        assert all(later <= sooner * (1 + 2e-6) for sooner, later in zip(state.losses, state.losses[1:], strict=False))
    assert losses[1e-9][-1] == pytest.approx(losses[0.1][-1], rel=0.05)


@pytest.mark.parametrize("k", [6, 40])
def test_half_precision_ends_where_single_precision_does(k):
    rng = np.random.default_rng(1)
    matrix = sp.random(400, 300, 0.05, format="csr", dtype=np.float32, rng=rng)
    found = [ALS(k, half_precision=half, iterations=10).fit(matrix).model_.loss(matrix) for half in (False, True)]
    assert found[1] == pytest.approx(found[0], rel=1e-3)
