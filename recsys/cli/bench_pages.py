"""recsys bench pages: how fast the sample's room answers."""

from __future__ import annotations

from recsys.cli.bench_options import Drawn
from recsys.cli.common import Common


def pages(
    *,
    artists: int = 160_000,
    factors: int = 64,
    rate: int = 100,
    seconds: int = 10,
    drawn: Drawn = Drawn(),  # noqa: B008 - frozen
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
    """
    from recsys.bench.pages import run

    drawn.play(common, run, artists, factors, rate=rate, seconds=seconds)
