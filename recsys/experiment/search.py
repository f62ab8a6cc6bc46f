"""Finding the settings of a training run, on its own validation listeners, tracked trial by trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from recsys.comparison import Tuned, chosen, crew, tune
from recsys.comparison.contender import Params
from recsys.evaluation import Referee
from recsys.experiment.config import Experiment, als_keys
from recsys.experiment.run import METRICS, choose_version, divide
from recsys.home import Home
from recsys.tracking import Tracker

Searchable = Literal["als", "als+items"]
_NAMES = {"weighting": "confidence"}


@dataclass(frozen=True, eq=False)
class Found:
    """What a search came to.

    Attributes
    ----------
    experiment
        The training run with the settings that did best on the validation listeners.
    tuned
        These settings, what they reached, and how many were tried.
    version
        Digest of the dataset version.
    run_id, tracking_uri
        The MLflow run whose nested runs are the trials, and its store.
    """

    experiment: Experiment
    tuned: Tuned
    version: str
    run_id: str
    tracking_uri: str

    def to_toml(self) -> str:
        """Write the experiment as a file that ``recsys train`` takes, wherever it is put."""
        defaults = {field.name: field.default for field in fields(Experiment) if field.name != "als"}
        told = {name: getattr(self.experiment, name) for name, default in defaults.items()}
        kept = {name: value for name, value in told.items() if value != defaults[name] and value is not None}
        if kept.get("names_file"):
            kept["names_file"] = str(Path(kept["names_file"]).resolve())
        if kept.get("files"):
            kept["files"] = [str(Path(file).resolve()) for file in kept["files"]]
        metric = METRICS[0].name
        head = (
            f"# Found by recsys tune in {self.tuned.trials} trials: {metric} {self.tuned.value:.4f} on the validation "
            f"listeners\n# of dataset version {self.version}; the test listeners had no say.\n"
        )
        lines = [f"{name} = {_toml(value)}" for name, value in {**kept, **self.experiment.als}.items()]
        return head + "\n".join(lines) + "\n"


def search(
    experiment: Experiment,
    home: Home,
    *,
    model: Searchable = "als+items",
    seconds: float,
    workers: int = 1,
    step: Callable[[int, float, Params], None] | None = None,
) -> Found:
    """Search the settings of a training run.

    Parameters
    ----------
    experiment
        The run: its version, split and seed are kept, so that the test listeners of the later training have no say.
    home
        Where dataset versions, runs and trials are kept; the same search again goes on from its trials.
    model
        ``"als"``, or ``"als+items"`` with neighbours beside the factorization.
    seconds
        Time to search.
    workers
        Processes that search at once; the clock starts when they are there.
    step
        Called after each trial with its number, its value and its settings.
    """
    (contender,) = chosen([model])
    version = choose_version(experiment, home)
    path = home.datasets.path(version.digest)
    split = divide(experiment, version)
    tracker = Tracker(home.path)
    told = {"model": model, "seconds": seconds, "seed": experiment.seed, "held_out": experiment.held_out}
    with tracker.run(version, path, name=f"tune {experiment.name}", params=told, kind="search") as whole:

        def tried(number: int, value: float, params: Params) -> None:
            with tracker.run(version, path, name=f"trial {number}", params=params, kind="trial", nested=True) as trial:
                trial.metrics({f"validation_{METRICS[0].name}": value})
            if step:
                step(number, value, params)

        referee, storage, keys = Referee(split, METRICS), home.path / "tuning.db", version.artists.keys
        with crew(workers, referee, seed=experiment.seed, storage=storage, keys=keys) as helpers:
            tuned = tune(
                contender,
                referee,
                seconds=seconds,
                seed=experiment.seed,
                storage=storage,
                study=f"tune-{version.digest[:16]}-{model}-{experiment.seed}-{experiment.held_out}-{experiment.fold_in_fraction}",
                report=tried,
                keys=keys,
                crew=helpers,
            )
        whole.metrics({f"validation_{METRICS[0].name}": tuned.value, "trials": tuned.trials})
        whole.document("settings.json", tuned.params)
    return Found(_with(experiment, tuned.params), tuned, version.digest, whole.id, tracker.uri)


def _with(experiment: Experiment, params: Mapping[str, Any]) -> Experiment:
    told = {_NAMES.get(name, name): value for name, value in params.items()}
    own = {field.name for field in fields(Experiment)}
    factorization = {name: value for name, value in told.items() if name in als_keys()}
    mine = {name: value for name, value in told.items() if name in own}
    return replace(
        experiment, **{"neighbours": 0, **mine}, als={**experiment.als, "objective": "ials", **factorization}
    )


def _toml(value: Any) -> str:  # noqa: ANN401 - a text, a number or several texts
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return str(value).lower() if isinstance(value, bool) else repr(value)
