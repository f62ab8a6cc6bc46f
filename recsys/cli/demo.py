"""recsys demo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recsys.cli.common import Common, mlflow_ui, table
from recsys.cli.evaluate import scores_table

if TYPE_CHECKING:
    from rich.table import Table

    from recsys.demo import Demo


def demo(*, members: int = 2000, seed: int = 0, threads: int = 0, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """Make a synthetic collective and take it through everything, from exports to a tested model.

    Its members do not exist; the exports, the consent ledger, the dataset version, the training and the MLflow run are
    real. An interrupted demo goes on where it stopped.

    Parameters
    ----------
    members
        How many members to make up.
    seed
        Decides them; the same seed gives the same dataset version and the same model.
    threads
        Threads to train with; all cores unless given. The model does not depend on it.
    """
    from recsys.demo import play
    from recsys.experiment import Experiment

    experiment = Experiment(name="demo", seed=seed, als={"iterations": 12, "num_threads": threads})
    with common.steps() as step:
        told = play(common.open(), members=members, seed=seed, experiment=experiment, step=step)
    common.show(told.as_dict(), *_report(told))


def _report(told: Demo) -> list[str | Table]:
    refused = sorted(told.admitted.refused.items())
    broken = len(told.ingested.broken)
    rows = [
        ("members who handed in an export", told.members),
        ("  not read: the export is broken", broken),
        *((f"  refused: consent {standing.value}", count) for standing, count in refused),
        ("members admitted", len(told.admitted)),
        ("listens read", told.ingested.rows.rows_read),
        ("plays that count, of admitted members", told.counts["plays"]),
        ("artists with at least 5 listeners", told.counts["artists"]),
        ("pairs of member and artist", told.counts["pairs"]),
    ]
    outcome = told.outcome
    return [
        table("A collective that does not exist", ("", "count"), rows, numbers=1),
        scores_table(outcome.scores, outcome.popularity),
        f"dataset version  {outcome.version}",
        f"model (SHA-256)  {outcome.factors_digest}",
        f"MLflow run       {outcome.run_id}",
        mlflow_ui(outcome.tracking_uri),
    ]
