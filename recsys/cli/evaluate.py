"""recsys evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.common import Common, table

if TYPE_CHECKING:
    from rich.table import Table

    from recsys.evaluation import Scores


def evaluate(
    run: str | None = None, *, report: Path | None = None, common: Common = Common()  # noqa: B008 - frozen
) -> None:  # fmt: skip
    """Test a run's logged model again on its own held-out listeners, beside popularity.

    Parameters
    ----------
    run
        MLflow run id; the latest finished run unless given.
    report
        Write what was found as one HTML file that needs nothing else: figures, pictures, examples, weaknesses.
    """
    from recsys.canonical import write_atomically
    from recsys.erasure import usable
    from recsys.experiment import report_run
    from recsys.report import weaknesses
    from recsys.tracking import Tracker

    home = common.open()
    found = Tracker(home.path).find(run)
    told = report_run(found, usable(home, found.dataset_digest))
    scores, popularity = told.findings.finding, told.findings.popularity
    if report:
        write_atomically(report, told.html.encode())
    common.show(
        {
            "run_id": found.id,
            "dataset_version": found.dataset_digest,
            "als": scores.as_dict(),
            "popularity": popularity.as_dict(),
            "weaknesses": weaknesses(told.findings),
        },
        scores_table(scores, popularity),
        f"dataset version  {found.dataset_digest}",
        f"MLflow run       {found.id}",
        *([f"report           {report}"] if report else ()),
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
