"""recsys explain."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from recsys.cli.common import Common, table
from recsys.errors import ConfigError


def explain(
    artist: str,
    *,
    artists: Annotated[list[str], Parameter(consume_multiple=True)],
    n: Annotated[int, Parameter(name=["-n", "--number"])] = 10,
    run: str | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Say which of the artists that somebody likes speak for recommending this one.

    Parameters
    ----------
    artist
        The artist that was recommended.
    artists
        What the listener likes, each name in quotes.
    n
        How many to name.
    run
        MLflow run id of the model; the latest finished run unless given.
    """
    from recsys.named import told_apart
    from recsys.tracking import Tracker

    found = Tracker(common.open().path).find(run)
    model = found.model()
    answer = model.explain(artists, artist, n)
    if not answer.artists:
        raise ConfigError(
            f"the model cannot explain this: it does not know {told_apart(answer.unknown)}; {model.known}"
        )
    total = sum(part for _, part in answer.artists)
    rows = [(name, f"{part:+.3f}") for name, part in answer.artists]
    common.show(
        {
            "run_id": found.id,
            "artist": artist,
            "parts": [{"artist": name, "part": part} for name, part in answer.artists],
            "unknown": answer.unknown,
        },
        table(f"Why {artist}: its score {total:.3f} is the sum of", ("liked", "part"), rows, numbers=1),
        *([f"not known: {told_apart(answer.unknown)}"] if answer.unknown else []),
    )
