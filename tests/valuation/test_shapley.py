from itertools import pairwise, permutations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.valuation import exact_shapley, knn_shapley
from recsys.valuation.knn import ranked_values

quick = settings(max_examples=60, deadline=None)


def by_orders(utility, players):
    """Average marginal contributions over all orders."""
    out = np.zeros(players)
    orders = list(permutations(range(players)))
    for order in orders:
        for place, player in enumerate(order):
            out[player] += utility(np.sort(order[: place + 1])) - utility(np.sort(order[:place]))
    return out / len(orders)


@quick
@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_exact_values_are_means_over_all_orders(players, seed):
    worth = np.random.default_rng(seed).normal(size=1 << players)

    def utility(chosen):
        return float(worth[int(np.sum(1 << np.asarray(chosen, dtype=np.int64)))])

    np.testing.assert_allclose(exact_shapley(utility, players), by_orders(utility, players), atol=1e-12)


def test_exact_values_by_head():
    # the glove game: one left glove, two right ones; only a pair is worth something
    def pair(chosen):
        return float(0 in chosen and (1 in chosen or 2 in chosen))

    np.testing.assert_allclose(exact_shapley(pair, 3), [4 / 6, 1 / 6, 1 / 6])


@quick
@given(st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_exact_values_are_efficient_symmetric_and_nothing_for_null_players(players, seed):
    rng = np.random.default_rng(seed)
    strength = rng.integers(1, 5, players).astype(float)
    strength[0], strength[1] = 2.0, 2.0
    strength = np.append(strength, 0.0)

    def utility(chosen):
        return float(np.sqrt(strength[chosen].sum()))

    values = exact_shapley(utility, players + 1)
    assert values.sum() == pytest.approx(utility(np.arange(players + 1)))
    assert values[0] == pytest.approx(values[1])
    assert values[-1] == pytest.approx(0)


@pytest.mark.parametrize("players", [0, 17, 30])
def test_too_many_subsets_are_refused(players):
    with pytest.raises(ValueError, match="make groups"):
        exact_shapley(len, players)


def voted(likeness, share, k):
    """Serve a listener by the nearest k of a set, those equally like in every order equally often."""

    def utility(chosen):
        if not len(chosen):
            return 0.0
        orders = [
            order
            for order in permutations(chosen)
            if all(likeness[one] >= likeness[other] for one, other in pairwise(order))
        ]
        return float(np.mean([sum(share[list(order[:k])]) for order in orders])) / k

    return utility


@quick
@given(
    st.lists(st.tuples(st.sampled_from([0.2, 0.5, 0.9]), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=5),
    st.integers(1, 4),
)
def test_the_closed_form_among_neighbours_is_the_shapley_value(drawn, k):
    likeness, share = (np.array(column) for column in zip(*drawn, strict=True))
    oracle = exact_shapley(voted(likeness, share, k), len(drawn))
    np.testing.assert_allclose(ranked_values(likeness, share, k), oracle, atol=1e-12)


@quick
@given(st.integers(1, 60), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_values_among_neighbours_add_up_to_what_all_are_worth(n, k, seed):
    rng = np.random.default_rng(seed)
    likeness, share = rng.random(n), rng.random(n)
    nearest = np.argsort(-likeness)[:k]
    assert ranked_values(likeness, share, k).sum() == pytest.approx(share[nearest].sum() / k)


def random_matrix(rng, rows, artists=30):
    return sp.csr_matrix(sp.random(rows, artists, 0.2, random_state=rng, dtype=np.float64))


@quick
@given(st.integers(0, 2**32 - 1))
def test_members_of_one_history_have_one_value_and_an_empty_one_has_none(seed):
    rng = np.random.default_rng(seed)
    members = random_matrix(rng, 12)
    members = sp.csr_matrix(sp.vstack([members, members[3], sp.csr_matrix((1, 30))]))
    value = knn_shapley(members, random_matrix(rng, 8), random_matrix(rng, 8), k=3).value
    assert value[3] == pytest.approx(value[12], abs=1e-15)
    assert value[13] == 0


@quick
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_members_changes_nothing_but_the_order(seed):
    rng = np.random.default_rng(seed)
    members, fold_in, target = random_matrix(rng, 15), random_matrix(rng, 8), random_matrix(rng, 8)
    order = rng.permutation(15)
    moved = knn_shapley(sp.csr_matrix(members[order]), fold_in, target, k=4).value
    np.testing.assert_allclose(moved, knn_shapley(members, fold_in, target, k=4).value[order], atol=1e-15)


def test_no_neighbours_are_worth_nothing():
    nobody = sp.csr_matrix((4, 30))
    rng = np.random.default_rng(0)
    assert not knn_shapley(nobody, random_matrix(rng, 5), random_matrix(rng, 5)).value.any()
