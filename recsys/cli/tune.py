"""recsys tune."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from recsys.cli.common import Common, mlflow_ui, settings, table
from recsys.cli.values import Seconds


def tune(
    config: Path | None = None,
    *,
    budget: Seconds = 600.0,
    model: Literal["als", "als+items"] = "als+items",
    out: Path | None = None,
    workers: int = 1,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Find the settings of a training run on its validation listeners; the test listeners have no say.

    Started again it goes on from the trials that were made, and two at once take part in one search.

    Parameters
    ----------
    config
        TOML file of the training run; its version, split and seed are kept.
    budget
        Time to search: 90s, 20m, 1h30m.
    model
        als, or als+items with neighbours beside the factorization.
    out
        Write the best settings to this file, for recsys train.
    workers
        Processes that search at once, each with its part of the processors.
    """
    from recsys.canonical import write_atomically
    from recsys.experiment import load_experiment
    from recsys.experiment.search import search

    experiment = load_experiment(config, {})
    best: list[float] = []
    with common.bar("searching") as bar:

        def tried(number: int, value: float, _params: Any) -> None:  # noqa: ANN401 - settings
            best[:] = [max([value, *best])]
            bar(number + 1, number + 2, f"best {best[0]:.4f}")

        found = search(experiment, common.open(), model=model, seconds=budget, workers=workers, step=tried)
    if out:
        write_atomically(out, found.to_toml().encode())
    common.show(
        {
            "run_id": found.run_id,
            "dataset_version": found.version,
            "trials": found.tuned.trials,
            "validation": found.tuned.value,
            "settings": found.tuned.params,
        },
        table("Best on the validation listeners", ("setting", "value"), settings(found.tuned.params), numbers=1),
        f"reached          {found.tuned.value:.4f} in {found.tuned.trials} trials",
        *([f"written to       {out}; train with it: recsys train {out}"] if out else ()),
        f"dataset version  {found.version}",
        f"MLflow run       {found.run_id}",
        mlflow_ui(found.tracking_uri),
    )
