"""A contest of models on a dataset version, tracked: one run for the contest, one inside it for each contender."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from recsys.comparison import Contest, Entry, chosen, run
from recsys.comparison.compare import Step
from recsys.dataset import DatasetVersion, benchmark_events, import_benchmark
from recsys.errors import DatasetTooSmallError
from recsys.evaluation import STANDARD, Events, Referee, Split, leave_out, strong_generalization, temporal
from recsys.home import Home
from recsys.report.pictures import metric_bars
from recsys.tracking import Tracker

METRICS = STANDARD
_MOST_TEST, _MOST_VALIDATION = 10_000, 5_000
_FEWEST_USERS = 10

Protocol = Literal["users", "time", "items"]
_TITLES: dict[Protocol, str] = {
    "users": "strong generalization: whole listeners held out",
    "time": "global temporal split: trained on the past, tested on the future",
    "items": "leave one out: the listeners who test a model also trained it",
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a contest can be told.

    Attributes
    ----------
    models
        Who takes part: keys of :data:`recsys.comparison.ALL`.
    seconds
        Time for all searches of settings together.
    protocol
        ``"users"``: strong generalization, whole listeners held out. ``"time"``: trained on the past, tested on the
        future. ``"items"``: one item of each listener left out, for comparison with papers that do so.
    held_out
        Share of the listeners held out for the test (at most 10,000), and as many again for validation (at most 5,000);
        by time, the share of the listens.
    seed
        Decides the split, what is tried, and each model's start.
    """

    models: Sequence[str]
    seconds: float
    protocol: Protocol = "users"
    held_out: float = 0.1
    seed: int = 0


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
    version = import_benchmark([data], name=data.stem)
    path = home.datasets.save(version)
    referee, protocol = _referee(data, version, plan)
    tracker = Tracker(home.path)
    told = {"models": ",".join(plan.models), "seconds": plan.seconds, **protocol}
    with tracker.run(version, path, name=f"compare {data.stem}", params=told, kind="contest") as whole:

        def finished(entry: Entry) -> None:
            name = entry.contender.name
            params = {**entry.tuned.params, "seed": plan.seed}
            with tracker.run(version, path, name=name, params=params, kind="contender", nested=True) as part:
                part.metrics({**_means(entry), "trials": entry.tuned.trials, **entry.seconds})

        found = run(
            contenders,
            referee,
            seconds=plan.seconds,
            seed=plan.seed,
            storage=home.path / "tuning.db",
            study=f"{version.digest[:16]}-{_name(protocol)}",
            step=step,
            finished=finished,
        )
        outcome = Outcome(found, version, whole.id, tracker.uri, protocol)
        whole.document("contest.json", outcome.as_dict())
        whole.picture("metrics.png", metric_bars({entry.contender.title: entry.scores for entry in found.entries}))
    return outcome


def _referee(data: Path, version: DatasetVersion, plan: Plan) -> tuple[Referee, dict[str, Any]]:
    split = _split(data, version, plan)
    protocol = {
        "protocol": _TITLES[plan.protocol],
        "test_users": len(split.test.users),
        "validation_users": len(split.validation.users),
        "training_users": len(split.train_users),
        "items": split.train.shape[1],
        "held_out": plan.held_out,
        "seed": plan.seed,
    }
    return Referee(split, METRICS), protocol


def _split(data: Path, version: DatasetVersion, plan: Plan) -> Split:
    if plan.protocol == "time":
        row, column, plays, times = benchmark_events(data, version)
        return temporal(Events(row, column, plays, times, version.user_items.shape), held_out_share=plan.held_out)
    if plan.protocol == "items":
        return leave_out(version.user_items, seed=plan.seed)
    n_users = version.user_items.shape[0]
    n_test = min(round(n_users * plan.held_out), _MOST_TEST)
    if n_users < _FEWEST_USERS or n_test < 1:
        raise DatasetTooSmallError(
            f"{plan.held_out:.0%} of {n_users} listeners is nobody to test on; give at least {_FEWEST_USERS} "
            "listeners and hold out one or more"
        )
    n_validation = min(n_test, _MOST_VALIDATION)
    return strong_generalization(version.user_items, n_test, n_validation=n_validation, seed=plan.seed)


def _means(entry: Entry) -> dict[str, float]:
    return {name: score.mean for name, score in entry.scores.items()} | entry.character


def _name(protocol: dict[str, Any]) -> str:
    return hashlib.sha256(repr(sorted(protocol.items())).encode()).hexdigest()[:12]
