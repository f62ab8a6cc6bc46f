"""recsys evaluate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recsys.cli.common import Common, table

if TYPE_CHECKING:
    from rich.table import Table

    from recsys.evaluation import Scores


def evaluate(run: str | None = None, *, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """Test a run's logged model again on its own held-out listeners, beside popularity.

    Parameters
    ----------
    run
        MLflow run id; the latest finished run unless given.
    """
    from recsys.erasure import usable
    from recsys.experiment import evaluate_run
    from recsys.tracking import Tracker

    home = common.open()
    found = Tracker(home.path).find(run)
    scores, popularity = evaluate_run(found, usable(home, found.dataset_digest))
    common.show(
        {
            "run_id": found.id,
            "dataset_version": found.dataset_digest,
            "als": scores.as_dict(),
            "popularity": popularity.as_dict(),
        },
        scores_table(scores, popularity),
        f"dataset version  {found.dataset_digest}",
        f"MLflow run       {found.id}",
    )


def scores_table(scores: Scores, popularity: Scores) -> Table:
    """Lay the model's figures beside the baseline's, and say by how much they differ."""
    gained = scores.difference(popularity)
    rows = [
        (
            name.replace("_at_", "@"),
            *(f"{one.mean:.3f} [{one.low:.3f}, {one.high:.3f}]" for one in (scores[name], popularity[name])),
            f"{gained[name].mean:+.3f} [{gained[name].low:+.3f}, {gained[name].high:+.3f}]",
        )
        for name in scores
    ]
    title = f"{scores.n_users:,} held-out listeners, {scores.bootstrap.confidence:.0%} intervals"
    return table(title, ("metric", "ALS", "popularity", "difference"), rows, numbers=3)
