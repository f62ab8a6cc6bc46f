"""recsys job."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from recsys.cli.common import Common


def job(
    config: Path | None = None,
    *,
    min_listeners: Annotated[int, Parameter(validator=Number(gte=1))] = 10,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Run as a compute job of Vana: ask the query, train on its table `results`, write artifacts without rows.

    What to do is read from the environment: INPUT_PATH, OUTPUT_PATH, QUERY, QUERY_SIGNATURE, QUERY_PARAMS,
    QUERY_ENGINE_URL, COMPUTE_JOB_ID, DATA_REFINER_ID; with DEV_MODE=1 nothing is asked, and query_results.db lies in
    INPUT_PATH already.

    Parameters
    ----------
    config
        TOML file with settings of the training, as for recsys train.
    min_listeners
        An artist with fewer listeners is left out of everything.
    """
    from recsys.cli.evaluate import scores_table
    from recsys.experiment import load_experiment
    from recsys.job import Order, fetch_results, work

    order = Order.read(os.environ)
    experiment = load_experiment(config, {})
    with common.bar("training") as bar:
        fetch_results(order)
        done = work(
            order,
            experiment,
            min_listeners=min_listeners,
            progress=lambda sweep, total, loss: bar(sweep, total, f"loss {loss:.6g}"),
        )
    counts = done.results["dataset"]["counts"]
    common.show(
        done.results,
        f"{counts['members']:,} members and {counts['artists']:,} artists with {min_listeners} listeners or more",
        scores_table(done.findings.finding, done.findings.popularity),
        f"artifacts in {order.output}: {', '.join(done.results['files'])}, results.json",
        "no row of the answer is among them",
    )
