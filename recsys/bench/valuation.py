"""How far contribution values can be trusted: beside the Shapley value by its definition, and beside training again.

Pools are made up, with members planted that should be worth little: copies of others, accounts of a farm that play one
list, random listening, and empty histories.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.stats import spearmanr

from recsys.als import ALSModel
from recsys.bench.machine import circumstances
from recsys.bench.report import Column, Report, Row, silent
from recsys.evaluation import NDCG, evaluate
from recsys.evaluation.split import HeldOut, held_out
from recsys.ranking import hold_out_part
from recsys.synthetic.world import ARTISTS, draw_taste, make_world
from recsys.valuation import METHODS, Values, exact_shapley, knn_shapley, leave_one_out, times_handed_in
from recsys.valuation.pool import valuer
from recsys.valuation.utility import soft_ndcg

KINDS = ("honest", "copy of another", "farm on one list", "random listening", "empty")

_EACH = 0.03
_PLAYS = 700
_LIST = 60
_LONG = 60  # sweeps after which further ones change little
_MIXED = 0.3  # how clearly groups differ in whom they hold: 0 not at all, 1 entirely

_COLUMNS = (
    Column("measure", "measure"),
    *(Column(method, method, lambda value: f"{value:+.3g}") for method in METHODS),
)
_NOTES = (
    "values of kinds are means, in millionths of the testers' mean NDCG, and share of hits among 20 neighbours",
    "agreement: Spearman's rank correlation, from -1 to 1; 0 is what dice reach",
    "groups are tenths of a small pool that differ in how many planted members they hold; their values are added up",
    "the exact Shapley value is by its definition: every subset is trained and tested anew by NDCG@100",
    "half the testers against the other half: how much of a value is about the member and not about who tested",
)


@dataclass(frozen=True, eq=False)
class Pool:
    """Members who were planted, and listeners who test.

    Attributes
    ----------
    members
        Weights, shape (members, artists).
    kind
        Place in :data:`KINDS`, shape (members,).
    copied
        Which members another is a copy of, shape (members,).
    testers
        Honest listeners outside the pool.
    """

    members: sp.csr_matrix
    kind: NDArray[np.int64]
    copied: NDArray[np.bool_]
    testers: HeldOut


def run(
    members: int = 2_000,
    *,
    testers: int = 400,
    small: int = 120,
    groups: int = 10,
    seed: int = 0,
    date: str = "",
    out: Path | None = None,
    progress: Callable[[str], object] = silent,
) -> Report:
    """Value made-up pools, and set the values beside what they stand for.

    Parameters
    ----------
    members
        Size of the pool with planted members.
    testers
        How many listeners test.
    small, groups
        Size of the small pool, and into how many groups it is dealt for the Shapley value by its definition.
    seed
        Decides the pools.
    date, out, progress
        As in :func:`recsys.bench.als.run`.
    """
    progress(f"making and valuing {members:,} members")
    pool = make_pool(members, testers, seed)
    began = perf_counter()
    found = values_of(pool)
    took = perf_counter() - began
    rows = _kinds(pool, found)
    rows.append(_row("half the testers against the other half", *(_halves(one, pool) for one in found)))
    progress(f"training again without each of {small} members")
    again = with_retraining(small, testers, seed)
    rows.append(_row(f"agreement with training again without each of {small}", again, None))
    progress(f"training {1 << groups:,} subsets of {groups} groups")
    rows.append(
        _row(f"agreement with the exact Shapley value of {groups} groups", *with_shapley(small, groups, testers, seed))
    )
    about = circumstances([], len(os.sched_getaffinity(0)), date)
    about |= {"members": members, "testers": testers, "seed": seed}
    notes = [*_NOTES, f"both values of {members:,} members by {testers} testers took {took:.1f} s"]
    return Report("What a member's listening is worth", about, _COLUMNS, rows, notes).saved(out, "valuation")


def make_pool(members: int, testers: int, seed: int, *, each: float = _EACH) -> Pool:
    """Make a pool: honest members, and this share of each kind that should be worth little."""
    planted = round(each * members)
    honest = members - planted * (len(KINDS) - 1)
    rows = [_honest(seed, index) for index in range(honest + testers)]
    rng = np.random.default_rng([seed, 31])
    listed = _history(np.sort(rng.choice(ARTISTS, _LIST, replace=False)), np.full(_LIST, _PLAYS / _LIST))
    nothing = sp.csr_matrix(np.zeros((1, ARTISTS), dtype=np.float32))
    frauds = [*rows[:planted], *[listed] * planted, *(_random(rng) for _ in range(planted)), *[nothing] * planted]
    everybody = sp.csr_matrix(sp.vstack([*rows[:honest], *frauds]))
    kind = np.repeat(np.arange(len(KINDS)), [honest, *[planted] * (len(KINDS) - 1)])
    parts = hold_out_part(sp.csr_matrix(sp.vstack(rows[honest:])), 0.8, rng)
    return Pool(everybody, kind, np.arange(members) < planted, held_out(np.arange(testers), *parts))


def values_of(pool: Pool, *, groups: int = 4) -> tuple[Values, Values]:
    """Value everybody by both methods."""
    model, times = valuer().fit(pool.members).model_, times_handed_in(pool.members)
    shown = (pool.testers.fold_in, pool.testers.target)
    loo = leave_one_out(pool.members, *shown, model, groups=groups)
    return loo.shared(times), knn_shapley(pool.members, *shown, groups=groups).shared(times)


def with_retraining(members: int, testers: int, seed: int) -> float:
    """Correlate leave-one-out values with what training again without each member does to the same measure."""
    pool = make_pool(members, testers, seed, each=0.0)
    value = values_of(pool)[0].value
    start = valuer(iterations=_LONG).fit(pool.members).model_
    whole = _trained_again(pool, pool.members, start)
    lost = [whole - _trained_again(pool, _emptied(pool.members, member), start) for member in range(members)]
    return float(spearmanr(value, lost).statistic)


def with_shapley(members: int, groups: int, testers: int, seed: int) -> tuple[float, float]:
    """Correlate the values of groups with their Shapley values by the definition."""
    pool = make_pool(members, testers, seed, each=1 / 10)
    order = np.argsort(np.random.default_rng([seed, 32]).random(members) + _MIXED * pool.kind, kind="stable")
    group = np.empty(members, dtype=np.int64)
    group[order] = np.arange(members) * groups // members

    def utility(chosen: NDArray[np.int64]) -> float:
        rows = np.flatnonzero(np.isin(group, chosen))
        if not pool.members[rows].nnz:
            return 0.0
        model = valuer().fit(pool.members[rows]).model_
        return evaluate(model, pool.testers, [NDCG(100)], n_bootstrap=1)["ndcg_at_100"].mean

    exact = exact_shapley(utility, groups)
    of_groups = (np.bincount(group, weights=one.value, minlength=groups) for one in values_of(pool))
    loo, knn = (float(spearmanr(one, exact).statistic) for one in of_groups)
    return loo, knn


def _trained_again(pool: Pool, members: sp.csr_matrix, start: ALSModel) -> float:
    """Train on, from where training on everybody ended, and measure as leave-one-out does."""
    model = valuer(iterations=_LONG, warm_up=0).fit(members, start=(None, start.item_factors)).model_
    scores = model.fold_in(pool.testers.fold_in).astype(np.float64) @ model.item_factors.T.astype(np.float64)
    return float(soft_ndcg(scores, pool.testers.fold_in, pool.testers.target)[0].mean())


def _emptied(members: sp.csr_matrix, member: int) -> sp.csr_matrix:
    kept = np.ones(members.shape[0], dtype=np.float32)
    kept[member] = 0
    out = sp.csr_matrix(sp.diags(kept) @ members, dtype=np.float32)
    out.eliminate_zeros()
    return out


def _kinds(pool: Pool, found: tuple[Values, Values]) -> list[Row]:
    rows = []
    for number, kind in enumerate(KINDS):
        chosen = (pool.kind == number) & ~pool.copied
        means = [float(one.value[chosen].mean()) * 1e6 for one in found]
        rows.append(_row(f"value: {kind}", *means))
    return rows


def _halves(values: Values, pool: Pool) -> float:
    honest, half = pool.kind == 0, len(values.parts) // 2
    one, other = (parts.mean(axis=0)[honest] for parts in (values.parts[:half], values.parts[half:]))
    return float(spearmanr(one, other).statistic)


def _row(measure: str, *figures: float | None) -> Row:
    return {"measure": measure, **dict(zip(METHODS, figures, strict=True))}


def _honest(seed: int, index: int) -> sp.csr_matrix:
    rng = np.random.default_rng([seed, 33, index])
    taste = draw_taste(make_world(seed), rng, int(np.clip(rng.lognormal(np.log(40), 0.5), 8, 150)))
    return _history(taste.artists, rng.poisson(taste.shares * _PLAYS))


def _random(rng: np.random.Generator) -> sp.csr_matrix:
    artists = rng.choice(ARTISTS, rng.integers(20, 80), replace=False)
    return _history(artists, rng.poisson(_PLAYS / len(artists), len(artists)))


def _history(artists: NDArray[np.integer], plays: NDArray[np.generic]) -> sp.csr_matrix:
    """Weigh plays by the logarithm; who was chosen was played once at least."""
    weights = np.log1p(np.maximum(plays.astype(np.float32), 1))
    return sp.csr_matrix((weights, (np.zeros(len(artists), np.int64), artists)), shape=(1, ARTISTS), dtype=np.float32)
