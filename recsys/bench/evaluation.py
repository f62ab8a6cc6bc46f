"""Time of scoring a model on many held-out users, beside the product of factors that it cannot do without."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from statistics import median

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from recsys.als import ALSModel, Objective
from recsys.bench.machine import circumstances
from recsys.bench.report import Column, Progress, Report, Row, seconds_text, silent, times_text
from recsys.bench.shapes import confidence_of, open_plays
from recsys.errors import ConfigError
from recsys.evaluation import MAP, NDCG, HeldOut, HitRate, Recall, evaluate
from recsys.ranking import hold_out_part

_METRICS = (NDCG(100), Recall(20), Recall(50), MAP(20), HitRate(20))
_BLOCK = 512
_COLUMNS = (
    Column("what", "what"),
    Column("seconds", "time", seconds_text),
    Column("ratio", "of the product", times_text),
)


def run(
    shape: str = "M",
    factors: int = 128,
    *,
    users: int = 100_000,
    repeats: int = 3,
    threads: int = 2,
    seed: int = 0,
    date: str = "",
    out: Path | None = None,
    progress: Progress = silent,
) -> Report:
    """Time an evaluation with five metrics and intervals.

    Parameters
    ----------
    shape, repeats, threads, seed, date, out, progress
        As in :func:`recsys.bench.als.run`.
    factors
        Size of the model; its factors are drawn by lot, since only their number matters.
    users
        Held-out users, at most as many as the shape has.

    Raises
    ------
    ConfigError
        If there is no such shape.
    """
    if min(repeats, threads, users, factors) < 1:
        raise ConfigError("repeats, threads, users and factors must be 1 or more")
    size, plays = open_plays(shape, seed)
    progress("dividing histories")
    held_out = _held_out(confidence_of(plays)[:users], seed)
    model = _model(size.items, factors, seed, threads)
    some = np.random.default_rng(seed).normal(size=(len(held_out.users), factors)).astype(np.float32)
    jobs: dict[str, Callable[[], object]] = {
        "product of factors alone": lambda: _product(some, model.item_factors),
        "evaluation": lambda: evaluate(model, held_out, _METRICS),
    }
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(repeats):
        for name, job in jobs.items():
            progress(f"{name}, {turn + 1} of {repeats}")
            with threadpool_limits(threads, "blas"):
                begun = time.perf_counter()
                job()
                seconds[name].append(time.perf_counter() - begun)
    product = median(seconds["product of factors alone"])
    rows: list[Row] = [
        {"what": name, "seconds": median(times), "ratio": median(times) / product} for name, times in seconds.items()
    ]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    notes = [f"Peak memory of the whole process {peak:.1f} GiB, making the matrix among it."]
    about = circumstances(["recsys"], threads, date) | {"repeats": repeats, "seed": seed, **asdict(size)}
    title = f"Evaluation on {len(held_out.users):,} users and {size.items:,} items, {factors} factors"
    return Report(title, about, _COLUMNS, rows, notes).saved(out, f"evaluation-{size.shape}")


def _held_out(histories: sp.csr_matrix, seed: int) -> HeldOut:
    fold_in, target = hold_out_part(histories, 0.8, np.random.default_rng(seed))
    return HeldOut(np.arange(histories.shape[0]), fold_in, target)


def _model(n_items: int, factors: int, seed: int, threads: int) -> ALSModel:
    drawn = np.random.default_rng(seed).normal(scale=0.1, size=(n_items, factors)).astype(np.float32)
    return ALSModel(np.empty((0, factors), np.float32), drawn, Objective(), num_threads=threads)


def _product(users: np.ndarray, items: np.ndarray) -> None:
    """Multiply block by block into one buffer: the score of every user for every item, kept nowhere."""
    scores = np.empty((_BLOCK, len(items)), dtype=np.float32)
    for start in range(0, len(users), _BLOCK):
        block = users[start : start + _BLOCK]
        np.matmul(block, items.T, out=scores[: len(block)])
