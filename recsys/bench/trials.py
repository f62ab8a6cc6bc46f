"""All runs with one number of factors, and what they amount to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
import scipy.sparse as sp

from recsys.bench.floor import Speed, sweep_floor
from recsys.bench.plot import Curve
from recsys.bench.report import Row
from recsys.bench.worker import Answer, Order, ask

TOLERANCE = 0.01
"""Losses agree unless one ends above the reference's by more than this fraction; to end below it is an advantage."""

REACHED = 1e-5
"""A loss counts as reached within this fraction of it: packages that do the same differ by rounding."""


@dataclass(frozen=True)
class Trials:
    """What was measured with one number of factors.

    Attributes
    ----------
    factors
        The number.
    reference
        Whose end loss the others are to reach.
    runs
        Each contestant's runs; the first of them knows the loss after every sweep, the others after the last.
    peaks
        Bytes that each contestant needed.
    speed
        The best that the machine was seen to do between the runs.
    floor_seconds
        The lowest floor of a sweep found between the runs.
    data_bytes
        Size of both orientations of the matrix and of both factor matrices.
    """

    factors: int
    reference: str
    runs: Mapping[str, Sequence[Answer]]
    peaks: Mapping[str, int]
    speed: Speed
    floor_seconds: float
    data_bytes: int

    @classmethod
    def made(
        cls, order: Order, confidence: sp.csr_matrix, names: Sequence[str], repeats: int, tell: Callable[[str], None]
    ) -> Trials:
        """Run everybody in turn, `repeats` times; `order` says with what, `tell` is told how far it is."""
        runs: dict[str, list[Answer]] = {name: [] for name in names}
        peaks, floors = {}, []
        for name in names:
            tell(f"{order.factors} factors: memory of {name}")
            peaks[name] = ask(replace(order, contestant=name, purpose="memory")).peak_bytes
        by_items = confidence.T.tocsr()
        speed = Speed.measured(order.threads)
        for turn in range(repeats):
            for name in names:
                tell(f"{order.factors} factors, turn {turn + 1} of {repeats}: {name}")
                runs[name].append(ask(replace(order, contestant=name, purpose="time" if turn else "trace")))
            speed = speed.or_better(Speed.measured(order.threads))
            floors.append(sweep_floor(confidence, by_items, order.factors, speed, order.threads))
        size = _bytes(confidence) + _bytes(by_items) + 4 * order.factors * sum(confidence.shape)
        reference = names[1] if len(names) > 1 else names[0]
        return cls(order.factors, reference, runs, peaks, speed, min(floors), size)

    @property
    def target(self) -> float:
        """The loss that the reference ends with."""
        return _last_loss(self.runs[self.reference][0])

    def rows(self) -> Iterator[Row]:
        """Give one row per contestant; ratios are to the reference."""
        rows = {name: self._row(name) for name in self.runs}
        of_reference = dict(rows[self.reference])
        for row in rows.values():
            for what in ("sweep", "target"):
                mine, theirs = row[f"{what}_seconds"], of_reference[f"{what}_seconds"]
                row[f"{what}_ratio"] = theirs / mine if mine else None
            yield row

    def _row(self, name: str) -> Row:
        runs = self.runs[name]
        sweeps = [sweep_seconds(run) for run in runs]
        wanted = _sweeps_to(runs[0], self.target * (1 + REACHED))
        waits = [_seconds_at(run, wanted) for run in runs] if wanted else None
        return {
            "factors": self.factors,
            "contestant": name,
            "sweep_seconds": median(sweeps),
            "sweep_seconds_best": min(sweeps),
            "setup_seconds": median(_setup_seconds(run) for run in runs),
            "target_sweeps": wanted,
            "target_seconds": median(waits) if waits else None,
            "target_seconds_best": min(waits) if waits else None,
            "loss": _last_loss(runs[0]),
            "loss_gap": _last_loss(runs[0]) / self.target - 1,
            "floor_seconds": self.floor_seconds,
            "floor_ratio": median(sweeps) / self.floor_seconds,
            "peak_bytes": self.peaks[name],
            "peak_ratio": self.peaks[name] / self.data_bytes,
        }

    def notes(self) -> Iterator[str]:
        """Say where losses do not agree, between contestants or between runs of one."""
        for name, runs in self.runs.items():
            gap = _last_loss(runs[0]) / self.target - 1
            if gap > TOLERANCE:
                yield (
                    f"LOSSES DO NOT AGREE: with {self.factors} factors {name} ends {100 * gap:.2f}% above "
                    f"{self.reference}, more than {100 * TOLERANCE:g}%; its times are not for equal work."
                )
            spread = max(abs(_last_loss(run) / _last_loss(runs[0]) - 1) for run in runs)
            if spread > REACHED:
                yield f"With {self.factors} factors the runs of {name} end up to {100 * spread:.3g}% apart."

    def curves(self) -> Iterator[Curve]:
        """Give each contestant's way down in its first run."""
        for name, (first, *_) in self.runs.items():
            seconds = [point.seconds for point in first.points]
            yield Curve(name, self.factors, _sweeps(first), seconds, _losses(first))


def _bytes(matrix: sp.csr_matrix) -> int:
    return int(matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes)


def _sweeps(run: Answer) -> list[int]:
    return [point.sweep for point in run.points]


def _losses(run: Answer) -> list[float]:
    return [point.loss for point in run.points if point.loss is not None]


def _last_loss(run: Answer) -> float:
    return _losses(run)[-1]


def sweep_seconds(run: Answer) -> float:
    """Give the median time from one point to the next, per sweep; what comes before the first sweep is not in it."""
    if len(run.points) == 1:
        return run.points[0].seconds / run.points[0].sweep
    return float(np.median(np.diff([point.seconds for point in run.points]) / np.diff(_sweeps(run))))


def _setup_seconds(run: Answer) -> float:
    return max(0.0, run.points[0].seconds - run.points[0].sweep * sweep_seconds(run))


def _seconds_at(run: Answer, sweep: int) -> float:
    return float(np.interp(sweep, _sweeps(run), [point.seconds for point in run.points]))


def _sweeps_to(traced: Answer, loss: float) -> int | None:
    """Give the first whole sweep at or below a loss, on straight lines between points; None if it is not reached."""
    whole = np.arange(traced.points[0].sweep, traced.points[-1].sweep + 1)
    there = np.interp(whole, _sweeps(traced), _losses(traced)) <= loss
    return int(whole[np.argmax(there)]) if there.any() else None
