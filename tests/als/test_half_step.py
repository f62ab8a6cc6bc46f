import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.als import Objective, _kernel
from recsys.als.halfstep import LEVEL_VARIABLE, Effort, Fixed, Machine
from recsys.als.inputs import Side, canonical
from recsys.als.objective import penalty
from recsys.als.reference import half_step
from recsys.errors import ModelInvalidError, SolveFailedError

EXACT = Effort(steps=2000, tolerance=1e-7)
OBJECTIVES = {
    "implicit": Objective("implicit", alpha=2.0, regularization=0.05),
    "weak": Objective("implicit", alpha=0.1, regularization=0.05),  # weights below 1: q is negative
    "ials": Objective("ials", alpha=2.0, regularization=0.01, unobserved_weight=0.1, nu=1.0),
}
LEVELS = _kernel.levels()


def solve(matrix, fixed, objective, *, level=None, threads=2, half=False, effort=EXACT, start=None):
    prepared = Fixed.prepare(fixed, objective, Machine(threads, level or LEVELS[0]), half=half)
    out = np.zeros((matrix.shape[0], fixed.shape[1]), dtype=np.float32) if start is None else start.copy()
    solved = prepared.solve(Side.of("user", matrix, objective), out, effort)
    assert solved.squares == pytest.approx(np.einsum("rk,rk->r", out.astype(float), out), rel=1e-6, abs=1e-30)
    return out, solved.reached


def factors(n, k, seed=0):
    return (np.random.default_rng(seed).normal(size=(n, k)) / np.sqrt(k)).astype(np.float32)


def ragged(lengths, n_items, seed=0):
    """Rows of given lengths, with likes and dislikes."""
    rng = np.random.default_rng(seed)
    columns = [np.sort(rng.choice(n_items, size, replace=False)) for size in lengths]
    values = [rng.lognormal(size=size) * np.where(rng.random(size) < 0.1, -1, 1) for size in lengths]
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    return canonical(sp.csr_matrix((np.concatenate(values), np.concatenate(columns), indptr), (len(lengths), n_items)))


def distance(found, expected):
    return np.max(np.linalg.norm(found - expected, axis=1) / np.maximum(np.linalg.norm(expected, axis=1), 1e-6))


LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 40, 64, 100, 300, 0, 1, 1500]


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)
@pytest.mark.parametrize("k", [1, 3, 7, 31, 64, 65, 128, 200, 256])
@pytest.mark.parametrize("level", LEVELS)
def test_kernel_solves_what_the_twin_solves(level, k, objective):
    matrix, Y = ragged(LENGTHS, 2000), factors(2000, k)
    found, _ = solve(matrix, Y, objective, level=level)
    assert distance(found, half_step(matrix, Y, objective)) < 2e-5


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("k", [5, 64, 130])
def test_half_precision_is_near(level, k):
    matrix, Y = ragged(LENGTHS, 2000), factors(2000, k)
    found, _ = solve(matrix, Y, OBJECTIVES["implicit"], level=level, half=True)
    assert 0 < distance(found, half_step(matrix, Y, OBJECTIVES["implicit"])) < 5e-3


@pytest.mark.parametrize("scale", [1e-18, 1e-6, 1e6])
def test_half_precision_does_not_mind_the_scale_of_factors(scale):
    matrix, Y = ragged(LENGTHS, 2000), factors(2000, 32)
    objective = Objective("implicit", regularization=0.05 * scale**2)
    found, _ = solve(matrix, (Y * scale).astype(np.float32), objective, half=True)
    plain = half_step(matrix, Y, Objective("implicit", regularization=0.05))
    assert distance(found * scale, plain) < 5e-3


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)
@pytest.mark.parametrize("steps", [1, 2, 500])
def test_reported_loss_is_the_loss(objective, steps):
    matrix, Y = ragged(LENGTHS, 2000), factors(2000, 24)
    X, reached = solve(matrix, Y, objective, effort=Effort(steps, 0.0), start=factors(len(LENGTHS), 24, seed=1))
    items = penalty(objective.ridge(np.bincount(matrix.indices, minlength=2000), len(LENGTHS)), Y)
    assert reached + objective.constant(matrix.data) + items == pytest.approx(objective.loss(matrix, X, Y), rel=1e-6)


@pytest.mark.parametrize("w0", [0.0, 0.3])
def test_whitening_for_many_factors(w0):
    matrix, Y = ragged(LENGTHS, 2000), factors(2000, 513)
    objective = Objective("ials", regularization=0.5, unobserved_weight=w0)
    found, _ = solve(matrix, Y, objective, half=True)
    assert Fixed.prepare(Y, objective, Machine(1, LEVELS[0]), half=True).basis.turn is None
    assert distance(found, half_step(matrix, Y, objective)) < 5e-3


@pytest.mark.parametrize("name", ["implicit", "weak"])
@pytest.mark.parametrize("k", [7, 128, 200])
@pytest.mark.parametrize("level", LEVELS)
def test_many_more_short_rows_than_columns(level, k, name):
    """Columns are prepared for short rows once; rows with q < 0 and long rows are brought back for themselves."""
    lengths = [*np.random.default_rng(0).integers(0, 9, 400), 40, 60]
    matrix, Y = ragged(lengths, 64), factors(64, k)
    found, reached = solve(matrix, Y, OBJECTIVES[name], level=level, effort=Effort(300, 0.0))
    assert distance(found, half_step(matrix, Y, OBJECTIVES[name])) < 1e-4
    items = penalty(OBJECTIVES[name].ridge(np.bincount(matrix.indices, minlength=64), len(lengths)), Y)
    loss = OBJECTIVES[name].loss(matrix, found, Y)
    assert reached + OBJECTIVES[name].constant(matrix.data) + items == pytest.approx(loss, rel=1e-6)


@pytest.mark.parametrize("k", [64, 513])
def test_many_short_rows_in_half_precision(k):
    matrix, Y = ragged(np.random.default_rng(0).integers(0, 9, 400), 64), factors(64, k)
    one, three = (
        solve(matrix, Y, OBJECTIVES["implicit"], half=True, threads=n, effort=Effort(300, 0.0))[0] for n in (1, 3)
    )
    assert one.tobytes() == three.tobytes()
    assert 0 < distance(one, half_step(matrix, Y, OBJECTIVES["implicit"])) < 1e-2


MANY = [*range(30, 130), 2_500, 3_000, 5_000, 9_000, 12_000, 0]
"""Rows that are solved alone, and some that are solved in lock-step over several tiles of columns."""


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)
@pytest.mark.parametrize("level", LEVELS)
def test_long_rows_in_lock_step(level, objective):
    matrix, Y = ragged(MANY, 12_000), factors(12_000, 65)
    found, _ = solve(matrix, Y, objective, level=level)
    assert distance(found, half_step(matrix, Y, objective)) < 2e-5


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("k", [64, 97, 128])
def test_a_long_row_does_not_depend_on_its_company(k, half):
    matrix, Y = ragged(MANY, 12_000), factors(12_000, k)
    told = {"half": half, "effort": Effort(2, 0.0), "start": factors(len(MANY), k, seed=1)}
    one, three = (solve(matrix, Y, OBJECTIVES["ials"], threads=n, **told)[0] for n in (1, 3))
    assert one.tobytes() == three.tobytes()
    few = slice(101, 104)
    alone = solve(matrix[few], Y, OBJECTIVES["ials"], **{**told, "start": told["start"][few]})[0]
    assert alone.tobytes() == one[few].tobytes()


def test_factors_without_bounds_are_refused():
    with pytest.raises(ModelInvalidError, match="raise `regularization`"):
        Fixed.prepare(np.full((3, 2), 1e30, np.float32), OBJECTIVES["ials"], Machine(1, LEVELS[0]), half=True)


def test_each_step_lowers_the_loss():
    matrix, Y = ragged(LENGTHS, 2000), factors(2000, 64)
    reached = [solve(matrix, Y, OBJECTIVES["implicit"], effort=Effort(steps, 0.0))[1] for steps in (1, 2, 3, 4, 50)]
    assert reached == sorted(reached, reverse=True)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("k", [7, 128])
def test_threads_do_not_change_a_bit(k, half):
    matrix = ragged(np.random.default_rng(0).integers(0, 80, 700), 900)
    one, two, five = (
        solve(matrix, factors(900, k), OBJECTIVES["ials"], threads=n, half=half, effort=Effort(2, 0.0))
        for n in (1, 2, 5)
    )
    assert one[0].tobytes() == two[0].tobytes() == five[0].tobytes()
    assert one[1] == two[1] == five[1]


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_order_and_threads_do_not_matter(data):
    pair = st.tuples(st.integers(0, 5), st.integers(0, 7), st.floats(-4, 4, width=32))
    pairs = data.draw(st.lists(pair, min_size=1, max_size=40))
    shuffled = data.draw(st.permutations(pairs))
    results = []
    for given_pairs, threads in ((pairs, 1), (shuffled, data.draw(st.integers(1, 4)))):
        rows, columns, values = zip(*given_pairs, strict=True)
        matrix = canonical(sp.coo_matrix((np.float32(values), (rows, columns)), shape=(6, 8)))
        results.append(solve(matrix, factors(8, 3), OBJECTIVES["ials"], threads=threads, effort=Effort(2, 0.0)))
    assert results[0][0].tobytes() == results[1][0].tobytes()


def test_one_row_of_many_pairs():
    matrix, Y = ragged([30_000, 3], 40_000), factors(40_000, 16)
    found, _ = solve(matrix, Y, OBJECTIVES["implicit"])
    assert distance(found, half_step(matrix, Y, OBJECTIVES["implicit"])) < 2e-5


@pytest.mark.parametrize("value", [1e-44, 1e-30, 1e8])
def test_weights_from_denormal_to_huge(value):
    matrix = canonical(sp.csr_matrix(np.float32([[value, 0, value], [0, 1, 0]])))
    found, reached = solve(matrix, factors(3, 4), Objective(regularization=0.1))
    assert np.isfinite(found).all()
    assert np.isfinite(reached)
    expected = half_step(matrix, factors(3, 4), Objective(regularization=0.1))
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-6)


def test_failed_row_is_named():
    matrix = canonical(sp.csr_matrix(np.float32([[1, 0], [3e38, 3e38], [0, 1]])))
    with pytest.raises(SolveFailedError) as failure:
        solve(matrix, factors(2, 4) * np.float32(100), Objective(alpha=10.0))
    assert (failure.value.side, failure.value.row) == ("user", 1)


def test_level_can_be_forced(monkeypatch):
    monkeypatch.setenv(LEVEL_VARIABLE, "baseline")
    assert Machine.choose(1) == Machine(1, "baseline")
    with pytest.raises(ValueError, match="no level 'v9'"):
        Machine(1, "v9").gram(factors(4, 2))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("k", [1, 33, 97, 300])
def test_gram(level, k):
    Y = factors(1000, k)
    found = [Machine(threads, level).gram(Y) for threads in (1, 3)]
    np.testing.assert_allclose(found[0], Y.astype(np.float64).T @ Y, atol=1e-5)
    assert found[0].tobytes() == found[1].tobytes()


def test_kernel_refuses_arrays_that_do_not_fit():
    with pytest.raises(ValueError, match="out is factors x factors"):
        _kernel.gram(factors(4, 3), np.zeros((3, 2)), LEVELS[0], 1)
    with pytest.raises(ValueError, match="k columns, or padded rows"):
        _kernel.gram(factors(4, 3), np.zeros((2, 2)), LEVELS[0], 1)
