"""recsys bench ablation, cold, valuation: what parts of a model, and its members, are worth to listeners."""

from __future__ import annotations

from pathlib import Path

from recsys.cli.bench_options import Drawn
from recsys.cli.common import Common
from recsys.cli.values import Seconds


def ablation(
    *,
    data: Path,
    budget: Seconds = 600.0,
    held_out: float = 0.1,
    judges: int = 2_000,
    drawn: Drawn = Drawn(),  # noqa: B008 - frozen
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
    """
    from recsys.bench.ablation import run

    drawn.play(common, run, data, seconds=budget, held_out=held_out, judges=judges)


def cold(
    *,
    data: Path,
    tags: Path,
    factors: int = 64,
    drawn: Drawn = Drawn(),  # noqa: B008 - frozen
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
    """
    from recsys.bench.cold import run

    drawn.play(common, run, data, tags, factors=factors)


def valuation(
    *,
    members: int = 2_000,
    drawn: Drawn = Drawn(),  # noqa: B008 - frozen
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Value made-up members, planted free riders among them, and set values beside what they stand for.

    Parameters
    ----------
    members
        Size of the pool.
    """
    from recsys.bench.valuation import run

    drawn.play(common, run, members)
