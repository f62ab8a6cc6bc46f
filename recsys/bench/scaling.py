"""Cost of a stored pair as a collective grows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from recsys.bench.machine import circumstances
from recsys.bench.report import Column, Progress, Report, Row, seconds_text, silent, times_text
from recsys.bench.shapes import SHAPES, Shape, confidence_of, plays_like_music
from recsys.bench.trials import sweep_seconds
from recsys.bench.worker import Answer, Order, ask, store
from recsys.errors import ConfigError

_COLUMNS = (
    Column("pairs", "pairs", "{:,}".format),
    Column("users", "users", "{:,}".format),
    Column("items", "artists", "{:,}".format),
    Column("sweep_seconds", "per sweep", seconds_text),
    Column("sweep_seconds_best", "best", seconds_text),
    Column("nanoseconds_per_pair", "per pair", "{:.1f} ns".format),
    Column("growth", "to the cheapest", times_text),
)


def grown(pairs: int) -> Shape:
    """Let shape S grow to this many pairs: members with the pairs, artists with their square root (Heaps' law)."""
    seed = SHAPES["S"]
    times = pairs / seed.pairs
    return Shape(f"{pairs / 1e6:g}M", round(seed.users * times), round(seed.items * math.sqrt(times)), pairs)


def run(
    pairs: Sequence[int] = (1_000_000, 4_000_000, 16_000_000, 33_600_000),
    factors: int = 128,
    *,
    repeats: int = 3,
    sweeps: int = 5,
    threads: int = 2,
    regularization: float = 0.01,
    seed: int = 0,
    date: str = "",
    out: Path | None = None,
    progress: Progress = silent,
) -> Report:
    """Time a sweep at several sizes of one collective.

    Parameters
    ----------
    pairs
        Sizes; see :func:`grown`.
    factors
        Numbers per user and artist.
    repeats, sweeps, threads, regularization, seed, date, out, progress
        As in :func:`recsys.bench.als.run`.

    Returns
    -------
    Report
        A row per size; ``growth`` is the cost of a pair relative to the size at which it is cheapest.

    Raises
    ------
    ConfigError
        If a number is out of range.
    RecsysError
        If a run fails.
    """
    if not pairs or min(*pairs, factors, repeats, sweeps, threads) < 1:
        raise ConfigError(f"pairs {pairs}, {factors} factors, {repeats} repeats, {sweeps} sweeps: give 1 or more")
    sizes = [grown(number) for number in pairs]
    with TemporaryDirectory() as folder:
        order = Order("recsys", folder, "time", factors, regularization, sweeps, threads, seed)
        orders = [_stored(size, order, progress) for size in sizes]
        runs = _in_turn(orders, repeats, progress)
    table = [_row(size, runs[order]) for size, order in zip(sizes, orders, strict=True)]
    cheapest = min(row["nanoseconds_per_pair"] for row in table)
    for row in table:
        row["growth"] = row["nanoseconds_per_pair"] / cheapest
    about = circumstances(["recsys"], threads, date) | {"factors": factors, "repeats": repeats, "sweeps": sweeps}
    return Report(f"Cost of a stored pair, {factors} factors", about, _COLUMNS, table).saved(out, "scaling")


def _stored(size: Shape, order: Order, progress: Progress) -> Order:
    progress(f"making {size.shape}")
    folder = Path(order.folder, size.shape)
    folder.mkdir()
    store(confidence_of(plays_like_music(size, order.seed)), folder)
    return replace(order, folder=str(folder))


def _in_turn(orders: Sequence[Order], repeats: int, progress: Progress) -> dict[Order, list[Answer]]:
    runs: dict[Order, list[Answer]] = {order: [] for order in orders}
    for turn in range(repeats):
        for order in orders:
            progress(f"turn {turn + 1} of {repeats}: {Path(order.folder).name}")
            runs[order].append(ask(order))
    return runs


def _row(size: Shape, runs: Sequence[Answer]) -> Row:
    sweeps = [sweep_seconds(run) for run in runs]
    return {
        "pairs": size.pairs,
        "users": size.users,
        "items": size.items,
        "sweep_seconds": median(sweeps),
        "sweep_seconds_best": min(sweeps),
        "nanoseconds_per_pair": 1e9 * median(sweeps) / size.pairs,
    }
