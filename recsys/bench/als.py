"""Training speed beside the peers: ``recsys bench als``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import reduce
from pathlib import Path
from tempfile import TemporaryDirectory

from recsys.bench.floor import Speed
from recsys.bench.machine import circumstances
from recsys.bench.report import Column, Progress, Report, seconds_text, silent, times_text
from recsys.bench.shapes import confidence_of, open_plays
from recsys.bench.trials import TOLERANCE, Trials
from recsys.bench.worker import Order, store
from recsys.errors import ConfigError

_COLUMNS = (
    Column("factors", "factors"),
    Column("contestant", "contestant"),
    Column("sweep_seconds", "per sweep", seconds_text),
    Column("sweep_seconds_best", "best", seconds_text),
    Column("sweep_ratio", "faster per sweep", times_text),
    Column("target_sweeps", "sweeps to loss"),
    Column("target_seconds", "time to loss", seconds_text),
    Column("target_seconds_best", "best", seconds_text),
    Column("target_ratio", "faster to loss", times_text),
    Column("loss_gap", "end loss", lambda gap: f"{100 * gap:+.2f}%"),
    Column("floor_ratio", "sweep / floor", times_text),
    Column("peak_bytes", "peak memory", lambda size: f"{size / 1e6:.0f} MB"),
    Column("peak_ratio", "memory / data", times_text),
)


def run(
    shape: str = "S",
    factors: Sequence[int] = (64, 128, 256),
    against: Sequence[str] = ("implicit",),
    *,
    repeats: int = 3,
    sweeps: int = 15,
    threads: int = 2,
    regularization: float = 0.01,
    seed: int = 0,
    date: str = "",
    out: Path | None = None,
    progress: Progress = silent,
) -> Report:
    """Train everybody on the same matrix in turn, and tell how long each took to which loss.

    Each run is a process of its own. Runs are interleaved (all contestants once, then all again), and figures are
    medians over the repeats beside the best. The clock stands still while losses are evaluated, which one evaluator
    does in double precision, after every sweep in the first repeat and after the last sweep in the others.

    Parameters
    ----------
    shape
        S, M, L or W, or the path of a Parquet file: see :mod:`recsys.bench.shapes`.
    factors
        Sizes of model to train.
    against
        Whom to compare with, of implicit, irspack and cmfrec. The loss to reach is the one that the first of them
        ends with.
    repeats, sweeps, threads
        Times that each is run, full sweeps in a run, and threads.
    regularization, seed
        Penalty on squared factors; what decides matrix and start.
    date
        When this is, to be told in the report.
    out
        A folder to save JSON, Markdown and a plot in.
    progress
        Told in a few words what is being done.

    Returns
    -------
    Report
        A row per size and contestant. Ratios are to the first of `against`, except ``floor_ratio`` (to the floor of
        :mod:`recsys.bench.floor`, the lowest found between the repeats) and ``peak_ratio`` (to both orientations of the
        matrix and both factor matrices).

    Raises
    ------
    ConfigError
        If there is no such shape or contestant, or a contestant is not installed.
    RecsysError
        If a run fails.
    """
    names = ["recsys", *against]
    about = circumstances(names, threads, date)
    if not factors or min(*factors, repeats, sweeps, threads) < 1:
        raise ConfigError(f"factors {factors}, {repeats} repeats, {sweeps} sweeps, {threads} threads: give 1 or more")
    progress(f"making {shape}")
    size, plays = open_plays(shape, seed)
    confidence = confidence_of(plays)
    with TemporaryDirectory() as folder:
        store(confidence, Path(folder))
        orders = [Order("", folder, "time", k, regularization, sweeps, threads, seed) for k in factors]
        trials = [Trials.made(order, confidence, names, repeats, progress) for order in orders]
    about |= {"repeats": repeats, "sweeps": sweeps, "regularization": regularization, "seed": seed}
    return Report(
        f"ALS on {size.shape}: {size.users} users x {size.items} artists, {size.pairs} pairs",
        about | _speed(trials) | asdict(size),
        _COLUMNS,
        [row for trial in trials for row in trial.rows()],
        [*_reading(trials[0].reference, sweeps, names), *(note for trial in trials for note in trial.notes())],
        [curve for trial in trials for curve in trial.curves()],
    ).saved(out, f"als-{size.shape}")


def _speed(trials: Sequence[Trials]) -> dict[str, str]:
    best = reduce(Speed.or_better, (trial.speed for trial in trials))
    return {"sgemm": f"{best.sgemm / 1e9:.0f} GFLOP/s", "copy": f"{best.copy / 1e9:.1f} GB/s"}


def _reading(reference: str, sweeps: int, names: Sequence[str]) -> Iterator[str]:
    yield (
        f"Everybody minimises the same loss, c = 1 + 4 log(1 + plays); the loss to reach is the one that {reference} "
        f"ends with after {sweeps} sweeps. End losses are told relative to it; they agree unless one lies more than "
        f"{100 * TOLERANCE:g}% above."
    )
    yield (
        "Times are medians of runs that took turns, each in a process of its own, without the time that losses took to "
        "evaluate; time to loss includes all set-up, time per sweep none."
    )
    if "cmfrec" in names:
        yield (
            "cmfrec takes no given start and cannot be watched: it was trained to a third, two thirds and all of the "
            "sweeps, with straight lines in between; its time per sweep is a difference of such trainings."
        )
