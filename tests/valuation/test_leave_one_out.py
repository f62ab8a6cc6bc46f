from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import spearmanr

from recsys.als import ALS, ALSModel
from recsys.als.objective import Objective
from recsys.bench import valuation as bench
from recsys.valuation import (
    Values,
    artist_shares,
    knn_shapley,
    leave_one_out,
    soft_ndcg,
    times_handed_in,
    value_pool,
    valuer,
)
from recsys.valuation.listeners import Listeners
from recsys.valuation.trained import Trained

HONEST, COPY, FARM, RANDOM, EMPTY = range(5)


@lru_cache(maxsize=1)
def pool():
    """Make a small pool with members that should be worth little, and honest listeners who test."""
    return bench.make_pool(500, 150, 0, each=0.04)


@lru_cache(maxsize=1)
def values():
    return bench.values_of(pool())


def small(seed=0, members=14, artists=25, density=0.3):
    rng = np.random.default_rng(seed)
    made = [sp.csr_matrix(sp.random(members, artists, density, random_state=rng, dtype=np.float32)) for _ in range(2)]
    target = sp.csr_matrix(sp.random(members, artists, 0.2, random_state=rng, dtype=np.float32))
    target = sp.csr_matrix(target - target.multiply(made[1] > 0))
    target.eliminate_zeros()
    return made[0], made[1], target


def moved(function, at, step=1e-6):
    """Differentiate by finite differences."""
    out = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        up, down = at.copy(), at.copy()
        up[place] += step
        down[place] -= step
        out[place] = (function(up) - function(down)) / (2 * step)
    return out


def test_the_soft_measure_moves_as_it_says():
    _, fold_in, target = small(1, members=3, artists=9)
    scores = np.random.default_rng(1).normal(size=(3, 9))
    scores /= scores.std(axis=1, keepdims=True)
    row = soft_ndcg(scores, fold_in, target, 0.5)
    taus = scores.std(axis=1)

    def held(changed):  # tau stays what it was
        return sum(
            soft_ndcg(changed[t : t + 1], fold_in[t], target[t], 0.5 * taus[t] / changed[t].std())[0][0]
            for t in range(3)
        )

    np.testing.assert_allclose(row[1], moved(held, scores), atol=1e-7)


def test_the_sharper_the_measure_the_nearer_it_is_to_ndcg():
    scores = np.array([[5.0, 4.0, 3.0, 2.0, 1.0]])
    fold_in = sp.csr_matrix(np.array([[1.0, 0, 0, 0, 0]]))
    target = sp.csr_matrix(np.array([[0, 0, 1.0, 0, 0]]))
    assert soft_ndcg(scores, fold_in, target, 1e-3)[0][0] == pytest.approx(1 / np.log2(3))  # second of four


def test_listeners_move_with_the_artists_as_they_say():
    _, fold_in, target = small(2, members=4, artists=8)
    objective = Objective(alpha=2.0, regularization=0.5)
    Y = np.random.default_rng(2).normal(size=(8, 3))
    listeners = Listeners(fold_in, target, objective)
    found = listeners.pull(Y, Y.T @ Y, np.arange(4))
    taus = (listeners._folded(Y, Y.T @ Y)[0] @ Y.T).std(axis=1)

    def held(changed):
        scores = listeners._folded(changed, changed.T @ changed)[0] @ changed.T
        return sum(
            soft_ndcg(scores[t : t + 1], fold_in[t], target[t], taus[t] / scores[t].std())[0][0] for t in range(4)
        )

    np.testing.assert_allclose(found, moved(held, Y), atol=1e-6)


@pytest.mark.parametrize("rounds", [0, 100])
def test_values_are_what_taking_a_member_away_by_hand_does(rounds):
    """With no rounds: solve the artists again with the others' factors fixed. With many: train to the end again."""
    members = pool().members[:120]
    fold_in, target = pool().testers.fold_in, pool().testers.target
    model = valuer(iterations=60).fit(members).model_
    found = leave_one_out(members, fold_in, target, model, rounds=rounds).value
    start = _swept(model, members, 20)
    listeners = Listeners(fold_in, target, model.objective)
    whole = listeners.utility(start).mean()
    chosen = np.arange(0, 120, 6)
    lost = [whole - listeners.utility(_without(model, start, members, member, rounds)).mean() for member in chosen]
    assert np.corrcoef(found[chosen], lost)[0, 1] > 0.7


def _swept(model, members, sweeps, Y=None):
    Y = model.item_factors if Y is None else Y
    for _ in range(sweeps):
        X = ALSModel(model.user_factors[:0], Y, model.objective).fold_in(members)
        Y = ALSModel(model.user_factors[:0], X, model.objective).fold_in(sp.csr_matrix(members.T))
    return Y.astype(np.float64)


def _without(model, Y, members, member, rounds):
    others = members[np.arange(members.shape[0]) != member]
    return _swept(model, others, 20 if rounds else 1, Y.astype(np.float32))


def test_any_number_of_threads_gives_the_same_bits():
    members, fold_in, target = small(3, members=40, artists=30)
    model = valuer().fit(members).model_
    one, two = (leave_one_out(members, fold_in, target, model, threads=threads).parts for threads in (1, 3))
    np.testing.assert_array_equal(one, two)


def test_an_empty_history_is_worth_nothing():
    for one in values():
        assert np.abs(one.value[pool().kind == EMPTY]).max() < 1e-12


def test_free_riders_are_worth_less_than_honest_listeners():
    loo, knn = values()
    mean = {kind: knn.value[(pool().kind == kind) & ~pool().copied].mean() for kind in range(5)}
    assert all(mean[kind] < 0.7 * mean[HONEST] for kind in (COPY, FARM, RANDOM, EMPTY))
    assert mean[FARM] < 0.1 * mean[HONEST]
    assert mean[RANDOM] < 0.1 * mean[HONEST]
    assert loo.value[pool().kind == FARM].mean() < 0.1 * np.abs(loo.value[pool().kind == HONEST]).mean()


def test_who_is_valued_is_told_apart_alike_by_two_halves_of_the_listeners():
    found = values()[1]
    one, other = (found.parts[half].mean(axis=0)[pool().kind == HONEST] for half in ([0, 1], [2, 3]))
    assert spearmanr(one, other).statistic > 0.6


def test_a_history_that_is_handed_in_many_times_shares_one_worth():
    rows = pool().members[:5]
    together = sp.csr_matrix(sp.vstack([rows, rows[2], rows[2], sp.csr_matrix((1, rows.shape[1]))]))
    assert times_handed_in(together).tolist() == [1, 1, 3, 1, 1, 3, 3, 1]


def test_a_pool_is_valued_as_a_whole():
    members = pool().members[:80]
    found = value_pool(members, folds=3)
    again = value_pool(members, folds=3, threads=1)
    for method, one in found.members.items():
        assert one.value.shape == (80,)
        assert np.isfinite(one.error).all()
        np.testing.assert_array_equal(one.parts, again.members[method].parts)
        assert np.isnan(one.parts).mean() == pytest.approx(1 / 3)
    assert found.artists.sum() == pytest.approx(1)
    assert found.paid is found.members["knn-shapley"]


def test_artists_share_what_their_listening_led_to():
    members, fold_in, target = small(4, members=40, artists=30)
    model = valuer().fit(members).model_
    shares = artist_shares(model, fold_in, target)
    assert shares.sum() == pytest.approx(1)
    assert (shares >= 0).all()
    unheard = np.setdiff1d(np.arange(30), fold_in[:3].indices)
    assert not artist_shares(model, fold_in[:3], target[:3])[unheard].any()
    assert not artist_shares(model, fold_in, sp.csr_matrix(target.shape)).any()


def test_errors_by_head():
    found = Values(np.array([[1.0, 2.0, np.nan], [3.0, np.nan, np.nan]]))
    np.testing.assert_allclose(found.value, [2, 2, 0])
    np.testing.assert_allclose(found.error, [1, np.inf, np.inf])  # half of (3 - 1)


def test_further_sweeps_are_taken_into_account_as_a_sweep_does():
    """The transposed Jacobian of a sweep, against finite differences of the sweep itself."""
    members = small(5, members=10, artists=6)[0] * 10
    model = ALS(factors=3, alpha=2.0, regularization=1.0, iterations=200).fit(members).model_
    with ThreadPoolExecutor(1) as threads:
        trained = Trained.of(members, model, 300, threads)
    Y = trained.artists.factors
    pull = np.random.default_rng(5).normal(size=Y.shape)

    def sweep(at):
        return float(np.sum(pull * _double_sweep(members, at, model.objective)))

    expected = moved(sweep, Y)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(trained._swept(pull), expected, atol=0.01 * np.abs(expected).max())


def _double_sweep(members, Y, objective):
    for pairs in (members, sp.csr_matrix(members.T)):
        fixed, Y = Y, np.zeros((pairs.shape[0], Y.shape[1]))
        for row in range(pairs.shape[0]):
            b, q = objective.weights(pairs[row].data)
            y = fixed[pairs[row].indices]
            matrix = objective.w0 * fixed.T @ fixed + objective.regularization * np.eye(Y.shape[1]) + (y.T * q) @ y
            Y[row] = np.linalg.solve(matrix, y.T @ b)
    return Y


def test_knn_values_are_the_same_twice():
    members, fold_in, target = small(6)
    np.testing.assert_array_equal(
        knn_shapley(members, fold_in, target).parts, knn_shapley(members, fold_in, target).parts
    )
