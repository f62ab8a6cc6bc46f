"""recsys recommend."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from recsys.cli.common import Common, table
from recsys.errors import ConfigError


def recommend(
    *,
    artists: Annotated[list[str], Parameter(consume_multiple=True)],
    n: Annotated[int, Parameter(name=["-n", "--number"])] = 10,
    run: str | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Recommend artists to somebody who likes these.

    Parameters
    ----------
    artists
        Names of artists, each in quotes.
    n
        How many to recommend.
    run
        MLflow run id of the model; the latest finished run unless given.
    """
    from recsys.named import told_apart
    from recsys.tracking import Tracker

    found = Tracker(common.open().path).find(run)
    model = found.model()
    answer = model.recommend(artists, n)
    if not answer.artists:
        raise ConfigError(f"the model knows none of these artists: {told_apart(answer.unknown)}; {model.known}")
    rows = [(place, name, f"{score:.3f}") for place, (name, score) in enumerate(answer.artists, 1)]
    common.show(
        {
            "run_id": found.id,
            "recommendations": [{"artist": name, "score": score} for name, score in answer.artists],
            "unknown": answer.unknown,
        },
        table(f"For somebody who likes {', '.join(artists)}", ("", "artist", "score"), rows, numbers=1),
        *([f"not known: {told_apart(answer.unknown)}"] if answer.unknown else []),
    )
