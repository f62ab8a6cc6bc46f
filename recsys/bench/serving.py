"""Speed of asking a trained model, beside ``implicit`` with the very same factors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recsys.als import ALS, ALSModel
from recsys.als.reference import half_step
from recsys.bench.contestants import CONTESTANTS, contestant
from recsys.bench.floor import Speed
from recsys.bench.machine import circumstances
from recsys.bench.report import Column, Progress, Report, Row, seconds_text, silent, times_text
from recsys.bench.shapes import Shape, confidence_of, open_plays
from recsys.errors import ConfigError

AGREE = 1e-4
"""Lists agree if no score differs by more than this fraction of the largest."""

_SWEEPS = 3  # a model need not be good to be asked
_EXACT_ROWS = 100
_COLUMNS = (
    Column("factors", "factors"),
    Column("contestant", "contestant"),
    Column("seconds", "time", seconds_text),
    Column("seconds_best", "best", seconds_text),
    Column("ratio", "faster", times_text),
)

Numbers = NDArray[np.float32]
Job = Callable[[], Numbers]


def topk(
    shape: str = "S",
    factors: Sequence[int] = (64, 128),
    *,
    places: int = 100,
    repeats: int = 3,
    threads: int = 2,
    seed: int = 0,
    date: str = "",
    out: Path | None = None,
    progress: Progress = silent,
) -> Report:
    """Time the best items of all users, what they know left out, beside ``implicit``'s ``recommend``.

    Parameters
    ----------
    shape, factors, repeats, threads, seed, date, out, progress
        As in :func:`recsys.bench.als.run`.
    places
        Length of a list.

    Returns
    -------
    Report
        ``ratio`` is to ``implicit``, ``floor_ratio`` to the time that the product of all users with all items takes at
        the rate of ``sgemm`` measured between the runs. The notes say so if the lists do not agree.

    Raises
    ------
    ConfigError
        If there is no such shape, or ``implicit`` is not installed.
    """
    stage = _Stage.set(shape, repeats, threads, seed, progress)
    everybody = np.arange(stage.size.users)

    def lists(model: Any) -> Numbers:  # noqa: ANN401 - ours or implicit's
        scores: Numbers = model.recommend(everybody, stage.confidence, N=places)[1]
        return scores

    def judged(model: ALSModel, rows: list[Row], results: Sequence[Numbers], speed: Speed) -> Iterator[str]:
        product = 2 * stage.size.users * stage.size.items * model.factors / speed.sgemm
        for row in rows:
            row["floor_ratio"] = row["seconds"] / product
        return _disagreement(model.factors, *results)

    rows, notes = stage.played(factors, lists, lists, judged)
    notes.insert(0, f"The best {places} of {stage.size.items} artists for every user, known artists left out.")
    columns = (*_COLUMNS, Column("floor_ratio", "time / product alone", times_text))
    title = f"Top {places} for {stage.size.users} users on {stage.size.shape}"
    return Report(title, stage.about(date), columns, rows, notes).saved(out, f"topk-{stage.size.shape}")


def foldin(
    shape: str = "S",
    factors: Sequence[int] = (64, 128),
    *,
    members: int = 10_000,
    repeats: int = 3,
    threads: int = 2,
    seed: int = 0,
    date: str = "",
    out: Path | None = None,
    progress: Progress = silent,
) -> Report:
    """Time the factors of new members, beside ``implicit``'s ``recalculate_user``.

    Parameters
    ----------
    shape, factors, repeats, threads, seed, date, out, progress
        As in :func:`recsys.bench.als.run`.
    members
        How many come in, with the histories of the first users, over again if there are not as many.

    Returns
    -------
    Report
        ``error`` is the largest distance of a member's factors from the exact solution, relative to its length, among
        the first 100 members, who are solved for densely in double precision.

    Raises
    ------
    ConfigError
        If there is no such shape, or ``implicit`` is not installed.
    """
    stage = _Stage.set(shape, repeats, threads, seed, progress)
    ids = np.arange(members)
    histories = stage.confidence[ids % stage.size.users]

    def theirs(model: Any) -> Numbers:  # noqa: ANN401 - implicit has no types
        factors: Numbers = model.recalculate_user(ids, histories)
        return factors

    def judged(model: ALSModel, rows: list[Row], results: Sequence[Numbers], _speed: Speed) -> Iterator[str]:
        exact = half_step(histories[:_EXACT_ROWS], model.item_factors, model.objective)
        for row, result in zip(rows, results, strict=True):
            distance = np.linalg.norm(result[:_EXACT_ROWS] - exact, axis=1)
            row["error"] = float(np.max(distance / np.linalg.norm(exact, axis=1)))
        return iter(())

    rows, notes = stage.played(factors, lambda model: model.fold_in(histories), theirs, judged)
    columns = (*_COLUMNS, Column("error", "largest error", "{:.1e}".format))
    title = f"Fold-in of {members} members on {stage.size.shape}"
    return Report(title, stage.about(date), columns, rows, notes).saved(out, f"foldin-{stage.size.shape}")


Judge = Callable[[ALSModel, list[Row], Sequence[Numbers], Speed], Iterator[str]]


@dataclass(frozen=True)
class _Stage:
    """Where the two are compared: a matrix, and how often and with what."""

    size: Shape
    confidence: sp.csr_matrix
    repeats: int
    threads: int
    seed: int
    progress: Progress

    @classmethod
    def set(cls, shape: str, repeats: int, threads: int, seed: int, progress: Progress) -> _Stage:
        contestant("implicit")
        if min(repeats, threads) < 1:
            raise ConfigError(f"{repeats} repeats with {threads} threads measure nothing; give 1 or more of each")
        size, plays = open_plays(shape, seed)
        return cls(size, confidence_of(plays), repeats, threads, seed, progress)

    def about(self, date: str) -> dict[str, Any]:
        facts = circumstances(["recsys", "implicit"], self.threads, date)
        return facts | {"repeats": self.repeats, "seed": self.seed, **asdict(self.size)}

    def played(
        self,
        factors: Sequence[int],
        ours: Callable[[ALSModel], Numbers],
        theirs: Callable[[Any], Numbers],
        judged: Judge,
    ) -> tuple[list[Row], list[str]]:
        """Time both for each number of factors; `judged` adds to the rows and gives notes."""
        table: list[Row] = []
        notes: list[str] = []
        for k in factors:
            self.progress(f"{k} factors: training")
            model = self._trained(k)
            with threadpool_limits(1, "blas"):  # as it asks for
                peer = model.to_implicit()
            self.progress(f"{k} factors: asking")
            rows, results, speed = self._in_turn(k, {"recsys": partial(ours, model), "implicit": partial(theirs, peer)})
            notes += judged(model, rows, results, speed)
            table += rows
        return table, notes

    def _trained(self, k: int) -> ALSModel:
        als = ALS(factors=k, iterations=_SWEEPS, num_threads=self.threads, random_state=self.seed)
        model: ALSModel = als.fit(self.confidence).model_
        return model

    def _in_turn(self, k: int, jobs: dict[str, Job]) -> tuple[list[Row], list[Numbers], Speed]:
        """Run the jobs once to warm up and keep what they give, then in turn; measure the machine before and after."""
        speed = Speed.measured(self.threads)
        results = [job() for job in jobs.values()]
        seconds: dict[str, list[float]] = {name: [] for name in jobs}
        for _ in range(self.repeats):
            for name, job in jobs.items():
                with threadpool_limits(CONTESTANTS[name].blas_threads or self.threads, "blas"):
                    begun = time.perf_counter()
                    job()
                    seconds[name].append(time.perf_counter() - begun)
        theirs = median(seconds["implicit"])
        rows = [
            {
                "factors": k,
                "contestant": name,
                "seconds": median(times),
                "seconds_best": min(times),
                "ratio": theirs / median(times),
            }
            for name, times in seconds.items()
        ]
        return rows, results, speed.or_better(Speed.measured(self.threads))


def _disagreement(factors: int, ours: Numbers, theirs: Numbers) -> Iterator[str]:
    """Say so if two lists of scores differ, where both have an item to name."""
    named = np.isfinite(ours) & (theirs > np.finfo(np.float32).min)
    mine, other = ours[named].astype(np.float64), theirs[named].astype(np.float64)
    worst = np.max(np.abs(mine - other), initial=0) / np.max(np.abs(other), initial=np.finfo(np.float64).tiny)
    if worst > AGREE:
        yield f"LISTS DO NOT AGREE: with {factors} factors scores differ by up to {worst:.1e} of the largest."
