"""One training run, from a dataset version to a tracked model with figures on held-out users."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from recsys.als import ALSModel
from recsys.dataset import DatasetVersion, import_benchmark
from recsys.dataset.manifest import line_of
from recsys.erasure import usable
from recsys.errors import DatasetTooSmallError, ModelInvalidError, VersionNotFoundError
from recsys.evaluation import STANDARD, Scores, Split, read_back, strong_generalization, write_down
from recsys.experiment.config import Experiment
from recsys.experiment.reporting import Reported, reported
from recsys.home import Home
from recsys.models import Beside, Weighting, neighbours
from recsys.named import NamedModel
from recsys.provenance import Provenance, provenance
from recsys.report import find, pictures
from recsys.tracking import FinishedRun, TrackedRun, Tracker

METRICS = STANDARD
SPLIT = "split.json"
Progress = Callable[[int, int, float], None]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a training run came to.

    Attributes
    ----------
    run_id
        The MLflow run.
    tracking_uri
        The MLflow store it is kept in.
    version
        Digest of the dataset version.
    scores, popularity
        The model's figures and the baseline's, on the same held-out users.
    losses
        Training loss after each sweep.
    factors_digest
        SHA-256 of the artists' factors: equal digests are equal models, bit for bit.
    """

    run_id: str
    tracking_uri: str
    version: str
    scores: Scores
    popularity: Scores
    losses: tuple[float, ...]
    factors_digest: str

    def as_dict(self) -> dict[str, Any]:
        """Give the outcome as plain values for JSON."""
        return {
            "run_id": self.run_id,
            "tracking_uri": self.tracking_uri,
            "dataset_version": self.version,
            "factors_sha256": self.factors_digest,
            "loss": self.losses[-1] if self.losses else None,
            "als": self.scores.as_dict(),
            "popularity": self.popularity.as_dict(),
        }


def run(experiment: Experiment, home: Home, *, progress: Progress | None = None) -> Outcome:
    """Train on a dataset version, test on listeners the model has not seen, and track it all.

    Parameters
    ----------
    experiment
        What to do.
    home
        Where dataset versions and runs are kept.
    progress
        Called after each sweep with (sweeps done, sweeps in all, loss).
    """
    version = choose_version(experiment, home)
    path = home.datasets.path(version.digest)
    tracker = Tracker(home.path)
    with tracker.run(version, path, name=experiment.name, params=experiment.params()) as tracked:

        def swept(sweep: int, total: int, loss: float) -> None:
            tracked.sweep(sweep, {"loss": loss})
            if progress:
                progress(sweep, total, loss)

        trained = train(experiment, version, progress=swept)
        found = find(trained.named, trained.split, losses=trained.losses)
        digest = trained.named.factors_digest
        outcome = Outcome(
            tracked.id, tracker.uri, version.digest, found.finding, found.popularity, trained.losses, digest
        )
        params = experiment.params()
        _log(
            tracked,
            outcome,
            reported(found, trained.named, version, run=tracked.id, title=experiment.name, params=params),
        )
        tracked.document(
            SPLIT,
            write_down(trained.split, version=version.digest, seed=experiment.seed, protocol="held-out listeners"),
        )
        files = tracked.model(trained.named)
        stated = provenance(tracked.id, version, experiment.params(), files)
        tracked.document(Provenance.DOCUMENT, stated.signed(home.operator))
    return outcome


@dataclass(frozen=True, eq=False)
class Trained:
    """What training yields before anything is logged: the model by artists' names, the split of plays, the losses."""

    named: NamedModel
    split: Split
    losses: tuple[float, ...]


def train(experiment: Experiment, version: DatasetVersion, *, progress: Progress | None = None) -> Trained:
    """Split a version and fit on it; tracks nothing.

    The result follows from the version's content and the experiment alone, bit for bit, whatever the number of threads.
    So a model of a version that somebody has left is the model of a version in which they never were, as long as the
    content of the two is the same. The start of each artist's factors needs no more than the seed and the artist's
    name, so it does not even shift where a leaving takes a rare artist along. Who is held out is drawn by place in the
    list of members: a member's leaving draws anew, and draws the same in both, since both see the same list.
    """
    split = divide(experiment, version)
    weighting = Weighting.learn(split.train, experiment.confidence)
    weights = weighting(split.train)
    estimator = experiment.estimator()

    def swept(sweep: int, loss: float, _model: ALSModel) -> None:
        if progress:
            progress(sweep, estimator.iterations, loss)

    model = estimator.fit(weights, item_keys=version.artists.keys, callback=swept).model_
    losses = tuple(float(loss) for loss in estimator.losses_)
    typical = float(np.median(version.user_items.data))
    artists_alone = replace(model, user_factors=np.empty((0, model.factors), dtype=np.float32))
    named = NamedModel(artists_alone, version.artists, weighting, typical, _beside(experiment, version, weights))
    return Trained(named, split, losses)


def _beside(experiment: Experiment, version: DatasetVersion, weights: sp.csr_matrix) -> Beside | None:
    """Find neighbours, if they are wanted; of artists that share as many listeners as an artist needs to be there."""
    if not experiment.neighbours:
        return None
    fewest = int(version.manifest.rules.get("min_listeners", 1))
    return Beside(neighbours(weights, k=experiment.neighbours, together=fewest), experiment.neighbours_weight)


def choose_version(experiment: Experiment, home: Home) -> DatasetVersion:
    """Give the version that an experiment names; public benchmark files are imported first.

    Raises
    ------
    VersionWithdrawnError
        If somebody in the version has withdrawn since it was built.
    """
    if experiment.files:
        version = import_benchmark(experiment.files, name=experiment.name, names_file=experiment.names_file)
        home.datasets.save(version)
        return version
    if experiment.version != "latest":
        return usable(home, experiment.version)
    latest = home.datasets.latest(line_of(experiment.purpose, experiment.recipient or None))
    if latest is None:
        options = (
            f' --purpose {experiment.purpose} --recipient "{experiment.recipient}"' if experiment.recipient else ""
        )
        raise VersionNotFoundError(
            f"there is no dataset version for {experiment.purpose!r} yet; build one: recsys dataset build{options}"
        )
    return usable(home, latest)


def divide(experiment: Experiment, version: DatasetVersion) -> Split:
    """Divide a version's listeners, with their plays, into train, validation and test, as the experiment says."""
    plays = version.user_items
    n_held_out = round(plays.shape[0] * experiment.held_out)
    if n_held_out < 1:
        raise DatasetTooSmallError(
            f"{experiment.held_out:.0%} of {plays.shape[0]} listeners is nobody to test on; "
            "gather more members or raise held_out"
        )
    return strong_generalization(plays, n_held_out, fold_in_fraction=experiment.fold_in_fraction, seed=experiment.seed)


def split_of(found: FinishedRun, version: DatasetVersion) -> Split:
    """Give the split that a finished run was trained and tested on, as it is stored with the run.

    A run that is older than stored splits is divided again by its seed.

    Raises
    ------
    ModelInvalidError
        If what is stored is not a split of this version: figures on other listeners would be no figures of this run.
    """
    stored = found.document(SPLIT)
    if stored is None:
        return divide(Experiment.of_run(found.params), version)
    try:
        return read_back(json.loads(stored), version.user_items, version=version.digest)
    except ValueError as error:
        raise ModelInvalidError(
            f"the split stored with run {found.id} does not fit dataset version {version.digest[:12]}: {error}; what "
            "the model reached cannot be measured again, train anew: recsys train CONFIG"
        ) from error


def report_run(found: FinishedRun, version: DatasetVersion) -> Reported:
    """Test a finished run's logged model again on its own test listeners, from all sides.

    Parameters
    ----------
    found
        The run.
    version
        The version that it was trained on.
    """
    named = found.model()
    findings = find(named, split_of(found, version), losses=found.sweeps("loss"))
    title = found.tags.get("mlflow.runName", found.id)
    return reported(findings, named, version, run=found.id, title=title, params=found.params)


def _log(tracked: TrackedRun, outcome: Outcome, told: Reported) -> None:
    figures: dict[str, float] = {}
    for prefix, scores in (("", outcome.scores), ("popularity_", outcome.popularity)):
        for name, found in scores.items():
            figures |= {f"{prefix}{name}": found.mean}
            figures |= {f"{prefix}{name}_low": found.low, f"{prefix}{name}_high": found.high}
    tracked.metrics(figures)
    tracked.tags({"recsys.factors_sha256": outcome.factors_digest})
    tracked.document("evaluation.json", outcome.as_dict())
    tracked.text("report.html", told.html)
    for name, figure in pictures(told.findings).items():
        tracked.picture(f"{name}.png", figure)
