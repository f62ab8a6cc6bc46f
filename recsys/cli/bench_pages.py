"""recsys bench pages: how fast the sample's room answers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from recsys.cli.bench import show
from recsys.cli.common import Common


def pages(
    *,
    artists: int = 160_000,
    factors: int = 64,
    rate: int = 100,
    seconds: int = 10,
    seed: int = 0,
    out: Path | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Ask the pages of a made-up sample over real connections: recommendations, names offered while typing.

    Parameters
    ----------
    artists, factors
        Size of the model.
    rate
        Requests a second that are to be held.
    seconds
        How long each measurement lasts at most.
    seed
        Decides the model and what is asked.
    out
        Folder in which to save the table as JSON and Markdown.
    """
    from recsys.bench.pages import run

    with common.steps() as step:
        date = f"{datetime.now(UTC):%Y-%m-%d}"
        report = run(artists, factors, rate=rate, seconds=seconds, seed=seed, out=out, date=date, progress=step)
    show(report, common)
