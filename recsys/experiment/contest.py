"""A contest of models on a dataset version, tracked: one run for the contest, one inside it for each contender."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recsys.comparison import Contest, Entry, chosen, run
from recsys.comparison.compare import Step
from recsys.dataset import DatasetVersion, import_benchmark
from recsys.evaluation import write_down
from recsys.experiment.protocols import Division, referee_of
from recsys.home import Home
from recsys.report.pictures import metric_bars
from recsys.tracking import Tracker


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a contest can be told.

    Attributes
    ----------
    models
        Who takes part: keys of :data:`recsys.comparison.ALL`.
    seconds
        Time for all searches of settings together.
    division
        Who trains, who validates, who tests, and what is measured; its seed decides what is tried, and each model's
        start, too.
    top_items, min_listeners
        Artists to keep, as in :func:`recsys.dataset.import_benchmark`.
    workers
        Processes that search at once.
    """

    models: Sequence[str]
    seconds: float
    division: Division = field(default_factory=Division)
    top_items: int | None = None
    min_listeners: int = 1
    workers: int = 1


@dataclass(frozen=True, eq=False)
class Outcome:
    """A finished contest, the version it was held on, and where it was tracked."""

    contest: Contest
    version: DatasetVersion
    run_id: str
    tracking_uri: str
    protocol: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Give everything as plain values for JSON."""
        return {
            "run_id": self.run_id,
            "dataset_version": self.version.digest,
            "protocol": self.protocol,
            **self.contest.as_dict(),
        }


def contest(data: Path, plan: Plan, home: Home, *, step: Step | None = None) -> Outcome:
    """Let models compete on a file of interactions.

    Parameters
    ----------
    data
        Parquet or CSV; the columns are those of :func:`recsys.dataset.import_benchmark`. It becomes a dataset version
        that is marked as a public benchmark.
    plan
        Who, how long, and by what split.
    home
        Where the version, the runs and the searches' trials are kept; the same contest again goes on from these trials.
    step
        Called after each trial.

    Raises
    ------
    DatasetTooSmallError
        If there are too few listeners to hold somebody out.
    ConfigError
        If the file cannot be read, or a model is not known.
    """
    contenders = chosen(plan.models)
    version = import_benchmark([data], name=data.stem, top_items=plan.top_items, min_listeners=plan.min_listeners)
    path = home.datasets.save(version)
    referee, protocol = referee_of(data, version, plan.division)
    seed = plan.division.seed
    tracker = Tracker(home.path)
    told = {"models": ",".join(plan.models), "seconds": plan.seconds, **protocol}
    with tracker.run(version, path, name=f"compare {data.stem}", params=told, kind="contest") as whole:

        def finished(entry: Entry) -> None:
            name = entry.contender.name
            params = {**entry.tuned.params, "seed": seed}
            with tracker.run(version, path, name=name, params=params, kind="contender", nested=True) as part:
                part.metrics({**_means(entry), "trials": entry.tuned.trials, **entry.seconds})

        found = run(
            contenders,
            referee,
            seconds=plan.seconds,
            seed=seed,
            storage=home.path / "tuning.db",
            study=f"{version.digest[:16]}-{_name(protocol)}",
            step=step,
            finished=finished,
            workers=plan.workers,
        )
        outcome = Outcome(found, version, whole.id, tracker.uri, protocol)
        whole.document("contest.json", outcome.as_dict())
        whole.document(
            "split.json",
            write_down(referee.split, version=version.digest, seed=seed, protocol=str(protocol["protocol"])),
        )
        whole.picture("metrics.png", metric_bars({entry.contender.title: entry.scores for entry in found.entries}))
    return outcome


def _means(entry: Entry) -> dict[str, float]:
    return {name: score.mean for name, score in entry.scores.items()} | entry.character


def _name(protocol: dict[str, Any]) -> str:
    return hashlib.sha256(repr(sorted(protocol.items())).encode()).hexdigest()[:12]
