"""Membership inference: the score against a loop, the figures against counting, and what chance looks like."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from recsys.als import ALS
from recsys.models import Blend, Factors, Weighting, neighbours
from recsys.privacy import Membership, membership, rank_scores


def histories(listeners=60, artists=40, *, density=0.2, seed=0):
    """Draw plays at random; everybody has two artists or more."""
    rng = np.random.default_rng(seed)
    has = rng.random((listeners, artists)) < density
    has[:, :2] = True
    return sp.csr_matrix(np.where(has, rng.integers(1, 50, has.shape), 0).astype(np.float32))


def model_of(plays, kind="log", *, factors=4, beside=False):
    weighting = Weighting.learn(plays, kind)
    factorization = Factors(ALS(factors=factors, iterations=3, objective="ials").fit(weighting(plays)).model_)
    scorer = Blend(factorization, neighbours(weighting(plays), k=10), 0.5) if beside else factorization
    return scorer, weighting


def ranked_by_hand(scorer, weighting, row):
    """Take each artist out, fold the rest in, and count who is above it among the artists that are not in the rest."""
    shares = []
    for item in row.indices:
        rest = row.copy()
        rest[0, item] = 0
        rest.eliminate_zeros()
        scores = scorer.scores(weighting(rest))[0].astype(float)
        others = np.setdiff1d(np.arange(row.shape[1]), [*rest.indices, item])
        below = (scores[others] < scores[item]).sum() + (scores[others] == scores[item]).sum() / 2
        shares.append(below / len(others))
    return np.mean(shares)


@pytest.mark.parametrize(("kind", "beside"), [("log", False), ("binary", True), ("bm25", False)])
def test_a_score_is_the_mean_rank_of_what_is_left_out(kind, beside):
    plays = histories()
    scorer, weighting = model_of(plays, kind, beside=beside)
    told = rank_scores(scorer, weighting, plays[:12])
    assert told == pytest.approx([ranked_by_hand(scorer, weighting, plays[u]) for u in range(12)], abs=1e-6)


def test_listeners_scores_do_not_depend_on_the_block_they_are_in(monkeypatch):
    plays = histories()
    scorer, weighting = model_of(plays)
    whole = rank_scores(scorer, weighting, plays)
    monkeypatch.setattr(membership, "_BLOCK_VALUES", 3 * plays.shape[1])
    assert rank_scores(scorer, weighting, plays) == pytest.approx(whole, abs=1e-6)


def test_of_a_long_history_so_many_are_drawn_and_the_seed_decides():
    plays = histories(density=0.6)
    scorer, weighting = model_of(plays)
    rows, places = membership._left_out(plays, 5, np.random.default_rng(0))
    assert np.bincount(rows).max() == 5
    assert len(set(places)) == len(places)
    first, again = (rank_scores(scorer, weighting, plays, at_most=5, seed=1) for _ in range(2))
    assert np.array_equal(first, again)


class Indifferent:
    """Scores everything alike."""

    def scores(self, user_items):
        return np.zeros(user_items.shape, dtype=np.float32)


def test_who_is_told_nothing_is_ranked_in_the_middle():
    assert np.all(rank_scores(Indifferent(), Weighting.plain("log"), histories()) == 0.5)


def test_who_has_all_artists_but_one_is_ranked_in_the_middle():
    plays = sp.csr_matrix(np.ones((1, 3), dtype=np.float32))
    scorer, weighting = model_of(histories(artists=3, density=0.5))
    assert rank_scores(scorer, weighting, plays).tolist() == [0.5]


scores = st.lists(st.integers(0, 6), min_size=1, max_size=12).map(lambda found: np.array(found, dtype=float))


@settings(deadline=None, max_examples=50)
@given(scores, scores)
def test_auc_counts_pairs_and_tpr_counts_members_above_the_held_out(members, held_out):
    pairs = [(m > h) + (m == h) / 2 for m in members for h in held_out]
    assert membership._auc(members[None], held_out[None])[0] == pytest.approx(np.mean(pairs))
    assert membership._auc(held_out[None], members[None])[0] == pytest.approx(1 - np.mean(pairs))
    assert membership._tpr(members[None], held_out[None])[0] == np.mean(members > held_out.max())


def test_one_false_alarm_in_a_hundred_is_allowed():
    held_out = np.arange(200, dtype=float)
    members = np.array([197.5, 198.5, 199.5, 196.5])
    assert membership._tpr(members[None], held_out[None])[0] == 0.75  # 198 and 199 may be taken for members


def test_intervals_of_shares_are_those_of_clopper_and_pearson():
    for found, of in ((0, 10), (3, 10), (10, 10), (57, 324)):
        exact = binomtest(found, of).proportion_ci(0.95, "exact")
        assert membership.clopper_pearson(found, of) == pytest.approx((exact.low, exact.high))


def test_scores_of_one_kind_give_chance():
    drawn = [np.random.default_rng(seed).normal(size=(2, 300)) for seed in range(12)]
    found = [Membership.measure(*one) for one in drawn]
    assert sum(one.auc.low < 0.5 < one.auc.high for one in found) >= 9  # 11 are expected
    assert sum(one.tpr.low <= 0.01 <= one.tpr.high for one in found) >= 9
    assert sum(one.epsilon == 0 for one in found) >= 9
    assert all(0.05 < one.auc.high - one.auc.low < 0.12 for one in found)


def test_scores_that_tell_everybody_apart_give_certainty_and_a_large_epsilon():
    found = Membership.measure(np.arange(400) + 1000.0, np.arange(400.0))
    assert (found.auc.value, found.tpr.value) == (1, 1)
    assert found.tpr.low == pytest.approx(membership.clopper_pearson(400, 400)[0])
    assert found.epsilon > 3


def test_few_listeners_make_wide_intervals():
    rng = np.random.default_rng(0)
    few = Membership.measure(rng.normal(size=10), rng.normal(size=10))
    assert few.auc.high > 0.6
    assert few.tpr.high > 0.3


def test_epsilon_is_no_more_than_that_of_a_mechanism_that_keeps_it():
    """Randomized response (Warner 1965) tells the truth e times as often as not: its epsilon is 1."""
    truth = np.e / (1 + np.e)
    over = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        members, held_out = rng.random(2000) < truth, rng.random(2000) < 1 - truth
        bound = membership._epsilon(members.astype(float), held_out.astype(float), rng)
        over += bound > 1
        assert bound > 0.6
    assert over <= 6  # 5% of 40 are 2; seven or more would happen to a true bound once in 200 times


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(2, 9), min_size=1, max_size=30), st.lists(st.integers(2, 9), min_size=1, max_size=30))
def test_members_are_matched_one_to_one(lengths, wanted):
    chosen, asked = membership.matched(np.array(lengths), np.array(wanted), np.random.default_rng(0))
    assert len(chosen) == len(asked) == min(len(lengths), len(wanted))
    assert len(set(chosen.tolist())) == len(chosen)
    assert len(set(asked.tolist())) == len(asked)


def test_members_are_matched_by_the_length_of_their_histories():
    lengths = np.repeat([5, 20, 80], 50)
    chosen, asked = membership.matched(lengths, np.array([80, 5, 5, 19, 90]), np.random.default_rng(0))
    wanted = np.array([80, 5, 5, 19, 90])[asked]
    assert [abs(int(lengths[m]) - int(w)) for m, w in zip(chosen, wanted, strict=True)] == [
        {80: 0, 5: 0, 19: 1, 90: 10}[int(w)] for w in wanted
    ]
