"""Opening, filling and finding runs."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import mlflow
from matplotlib.figure import Figure
from mlflow.entities import Metric, Run, RunStatus
from mlflow.exceptions import MlflowException

from recsys import __version__
from recsys.canonical import one_at_a_time
from recsys.dataset import DatasetVersion
from recsys.errors import ModelInvalidError, RunNotFoundError
from recsys.named import NamedModel
from recsys.tracking.dataset import VersionDataset
from recsys.tracking.logged import MODEL, log_named

_EXPERIMENT = "recsys"
_DIGEST_TAG = "recsys.dataset_digest"
KIND_TAG = "recsys.kind"
_INPUT_TAG = "sha256"
FILE_TAG = "recsys.sha256."
"""Tags that hold the SHA-256 of a model's file begin with this; the file's name follows."""
Kind = Literal["training", "contest", "contender", "search", "trial"]


class TrackedRun:
    """A run that is under way."""

    def __init__(self, run_id: str, client: mlflow.MlflowClient) -> None:
        self.id = run_id
        self._client = client

    def sweep(self, sweep: int, figures: Mapping[str, float]) -> None:
        """Log figures of one sweep, for example its loss."""
        now = time.time_ns() // 1_000_000
        metrics = [Metric(name, value, now, sweep) for name, value in figures.items()]
        self._client.log_batch(self.id, metrics=metrics)

    def metrics(self, figures: Mapping[str, float]) -> None:
        """Log figures of the whole run."""
        self.sweep(0, figures)

    def tags(self, tags: Mapping[str, str]) -> None:
        """Set tags of the run."""
        for name, value in tags.items():
            self._client.set_tag(self.id, name, value)

    def document(self, name: str, content: dict[str, Any]) -> None:
        """Log a JSON document as an artifact."""
        self._client.log_dict(self.id, content, name)

    def text(self, name: str, content: str) -> None:
        """Log a text as an artifact."""
        self._client.log_text(self.id, content, name)

    def picture(self, name: str, figure: Figure) -> None:
        """Log a picture as an artifact."""
        self._client.log_figure(self.id, figure, name)

    def model(self, named: NamedModel) -> dict[str, str]:
        """Log the model, in the form in which ``mlflow models serve`` answers for a list of artists.

        Returns
        -------
        The names of the model's files, each with the SHA-256 of its bytes; also logged as tags.
        """
        digests, _ = log_named(named)
        self.tags({f"{FILE_TAG}{name}": digest for name, digest in digests.items()})
        return digests


@dataclass(frozen=True)
class FinishedRun:
    """A run that came to its end: its id, parameters, metrics, tags, and the full digest of its dataset version.

    `inputs` are the digests that MLflow noted as the run's input, apart from the tag.
    """

    id: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    dataset_digest: str
    tags: Mapping[str, str]
    inputs: tuple[str, ...]

    def sweeps(self, figure: str) -> tuple[float, ...]:
        """Give a figure that was logged with each sweep, in the order of the sweeps."""
        logged = mlflow.MlflowClient().get_metric_history(self.id, figure)
        return tuple(one.value for one in sorted(logged, key=lambda one: one.step))

    def model(self) -> NamedModel:
        """Load the run's model."""
        return NamedModel.load(self.model_folder())

    def model_folder(self) -> Path:
        """Give a folder that holds the run's model as it is logged.

        Raises
        ------
        ModelInvalidError
            If it is gone.
        """
        try:
            logged = mlflow.artifacts.download_artifacts(f"runs:/{self.id}/{MODEL}")
        except (MlflowException, OSError) as error:
            raise ModelInvalidError(f"the model of run {self.id} cannot be fetched: {error}") from error
        folder = Path(logged) / "data" / MODEL
        if not folder.is_dir():
            raise ModelInvalidError(f"run {self.id} logged no model of ours: {folder} is not there")
        return folder

    def document(self, name: str) -> bytes | None:
        """Give the bytes of a document that the run logged, or ``None`` if there is none of that name."""
        if name not in {item.path for item in mlflow.artifacts.list_artifacts(run_id=self.id)}:
            return None
        return Path(mlflow.artifacts.download_artifacts(f"runs:/{self.id}/{name}")).read_bytes()


class Tracker:
    """The tracking store of a collective.

    Parameters
    ----------
    home
        Folder of state. Unless the environment's ``MLFLOW_TRACKING_URI`` names a server (``http...``), runs are kept
        in ``mlflow.db`` there and artifacts in ``artifacts/``.
    """

    def __init__(self, home: Path) -> None:
        self._home = home.resolve()
        server = os.environ.get("MLFLOW_TRACKING_URI", "")  # mlflow itself writes the last store's URI there
        self.uri = server if server.startswith("http") else f"sqlite:///{self._home / 'mlflow.db'}"

    @contextmanager
    def run(
        self,
        version: DatasetVersion,
        path: Path,
        *,
        name: str,
        params: Mapping[str, Any],
        kind: Kind = "training",
        nested: bool = False,
    ) -> Iterator[TrackedRun]:
        """Open a run for a dataset version; it ends as finished, or as failed or killed if the block does.

        Parameters
        ----------
        version, path
            The version that is used, and its folder in the store.
        name
            What the run is called.
        params
            Hyper-parameters, seed and whatever else decides the result.
        kind
            What the run is: only a training leaves a model, and is found by :meth:`find`.
        nested
            Inside the run that is open.
        """
        experiment = self.connect()
        self._close_abandoned(experiment)
        tags = {
            _DIGEST_TAG: version.digest,
            KIND_TAG: kind,
            "recsys.version": __version__,
            "recsys.provenance": version.manifest.provenance,
            "recsys.process": _process_name(os.getpid()),
        }
        with mlflow.start_run(experiment_id=experiment, run_name=name, tags=tags, nested=nested) as run:
            mlflow.log_params(dict(params))
            mlflow.log_input(VersionDataset(version, path), context="training", tags={_INPUT_TAG: version.digest})
            yield TrackedRun(run.info.run_id, mlflow.MlflowClient(self.uri))

    def find(self, run_id: str | None = None) -> FinishedRun:
        """Find a finished run by its id, or the latest one.

        Raises
        ------
        RunNotFoundError
            If there is none.
        """
        found = self._finished(run_id)
        if not found:
            what = f"finished run {run_id!r}" if run_id else "finished run yet"
            raise RunNotFoundError(f"there is no {what} in {self.uri}; train one: recsys train CONFIG")
        return _as_found(found[0])

    def of_version(self, digest: str) -> list[FinishedRun]:
        """Give the finished runs that used a dataset version, the latest first."""
        return [_as_found(run) for run in self._search(f"attributes.status = 'FINISHED' and {_used(digest)}")]

    def reopen(self, run_id: str) -> TrackedRun:
        """Give a run that came to its end, so that more can be said of it."""
        return TrackedRun(run_id, mlflow.MlflowClient(self.uri))

    def _finished(self, run_id: str | None) -> list[Run]:
        if run_id is not None and not run_id.isalnum():
            return []
        wanted = f" and tags.`{KIND_TAG}` = 'training'" + (f" and attributes.run_id = '{run_id}'" if run_id else "")
        return self._search(f"attributes.status = 'FINISHED'{wanted}")

    def _search(self, wanted: str) -> list[Run]:
        """Search runs, the latest first; a store that is not there is not made."""
        if self.uri.startswith("sqlite:") and not (self._home / "mlflow.db").exists():
            return []
        return list(
            mlflow.search_runs(
                [self.connect()],
                filter_string=wanted,
                order_by=["attributes.start_time DESC"],
                output_format="list",
            )
        )

    def connect(self) -> str:
        """Point MLflow at this store, and give the id of our experiment in it."""
        _hush()
        mlflow.set_tracking_uri(self.uri)
        if not self.uri.startswith("sqlite:"):
            return _experiment_id(None)
        with one_at_a_time(self._home / "mlflow.lock"):  # two processes that make MLflow's tables spoil them
            return _experiment_id((self._home / "artifacts").as_uri())

    def _close_abandoned(self, experiment: str) -> None:
        """Mark as killed those runs whose process is gone; a process of another machine is left alone."""
        client = mlflow.MlflowClient(self.uri)
        here = _process_name(0).rsplit(":", 1)[0]
        for run in client.search_runs([experiment], "attributes.status = 'RUNNING'"):
            host, _, pid = run.data.tags.get("recsys.process", "").rpartition(":")
            if host == here and pid != str(os.getpid()) and not Path(f"/proc/{pid}").exists():
                client.set_terminated(run.info.run_id, RunStatus.to_string(RunStatus.KILLED))


def _as_found(run: Run) -> FinishedRun:
    tags = run.data.tags
    used = run.inputs.dataset_inputs if run.inputs else ()
    inputs = tuple(tag.value for one in used for tag in one.tags if tag.key == _INPUT_TAG)
    return FinishedRun(run.info.run_id, run.data.params, run.data.metrics, tags.get(_DIGEST_TAG, ""), tags, inputs)


def _used(digest: str) -> str:
    if not digest.isalnum():
        raise ValueError(f"{digest!r} is no digest")
    return f"tags.`{_DIGEST_TAG}` = '{digest}'"


def _experiment_id(artifacts: str | None) -> str:
    known = mlflow.get_experiment_by_name(_EXPERIMENT)
    return str(known.experiment_id if known else mlflow.create_experiment(_EXPERIMENT, artifact_location=artifacts))


def _process_name(pid: int) -> str:
    return f"{socket.gethostname()}:{pid}"


def _hush() -> None:
    """Let mlflow and alembic speak only when something is wrong."""
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
