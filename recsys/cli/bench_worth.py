"""recsys bench ablation, cold, valuation: what parts of a model, and its members, are worth to listeners."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from recsys.cli.bench import show
from recsys.cli.common import Common
from recsys.cli.values import Seconds


def ablation(
    *,
    data: Path,
    budget: Seconds = 600.0,
    held_out: float = 0.1,
    judges: int = 2_000,
    seed: int = 0,
    out: Path | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Tell what each addition to plain ALS is worth on one file of interactions; test listeners are not touched.

    Parameters
    ----------
    data
        Parquet or CSV as for recsys compare. If it has times, recency is looked at too.
    budget
        Time for finding settings, shared alike: 90s, 20m. Training for the judges comes on top.
    held_out
        Share of the listeners that recsys compare tests on, and of those by whom settings are chosen; all others judge.
    judges
        At most so many of them.
    seed
        Decides who is who, the searches, and each model's start.
    out
        Folder in which to save the table as JSON and Markdown.
    """
    from recsys.bench.ablation import run

    date = f"{datetime.now(UTC):%Y-%m-%d}"
    with common.steps() as step:
        report = run(
            data, seconds=budget, held_out=held_out, judges=judges, seed=seed, out=out, date=date, progress=step
        )
    show(report, common)


def cold(
    *,
    data: Path,
    tags: Path,
    factors: int = 64,
    seed: int = 0,
    out: Path | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Take all listeners from some artists, and tell how well tags alone find those whom held-out listeners like.

    Parameters
    ----------
    data
        Parquet or CSV as for recsys compare.
    tags
        Parquet or CSV with a column item or artist, and a column tags or genres with several words.
    factors
        Size of the model.
    seed
        Decides who is held out, and which artists.
    out
        Folder in which to save the table as JSON and Markdown.
    """
    from recsys.bench.cold import run

    date = f"{datetime.now(UTC):%Y-%m-%d}"
    with common.steps() as step:
        report = run(data, tags, factors=factors, seed=seed, out=out, date=date, progress=step)
    show(report, common)


def valuation(
    *,
    members: int = 2_000,
    seed: int = 0,
    out: Path | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Value made-up members, planted free riders among them, and set values beside what they stand for.

    Parameters
    ----------
    members
        Size of the pool.
    seed
        Decides who is in it.
    out
        Folder in which to save the table as JSON and Markdown.
    """
    from recsys.bench.valuation import run

    with common.steps() as step:
        report = run(members, seed=seed, out=out, date=f"{datetime.now(UTC):%Y-%m-%d}", progress=step)
    show(report, common)
