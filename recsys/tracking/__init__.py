"""MLflow: one run for one dataset version.

:class:`Tracker` opens runs; each names the version it used through ``mlflow.log_input`` with our own dataset source, so
that ``mlflow.data.get_source(run.inputs.dataset_inputs[0]).load()`` gives that exact version back, every part checked.
MLflow's own dataset digest reads only the first 10,000 rows; ours is a prefix of the version's SHA-256, and the whole
of it is a tag of the run. This room alone imports mlflow; its names load when first used, because mlflow takes seconds
and because mlflow itself loads ``tracking.source`` while it is being imported.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recsys.tracking.dataset import VersionDataset
    from recsys.tracking.registry import Registered, register
    from recsys.tracking.run import FILE_TAG, FinishedRun, TrackedRun, Tracker
    from recsys.tracking.source import DatasetVersionSource

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # what members' data are used for is nobody else's business
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # standard output is for what was asked

_HOMES = {
    "DatasetVersionSource": "source",
    "VersionDataset": "dataset",
    "Registered": "registry",
    "register": "registry",
    "FILE_TAG": "run",
    "FinishedRun": "run",
    "TrackedRun": "run",
    "Tracker": "run",
}

__all__ = [
    "FILE_TAG",
    "DatasetVersionSource",
    "FinishedRun",
    "Registered",
    "TrackedRun",
    "Tracker",
    "VersionDataset",
    "register",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    if name not in _HOMES:
        raise AttributeError(f"module 'recsys.tracking' has no attribute {name!r}")
    return getattr(import_module(f"recsys.tracking.{_HOMES[name]}"), name)
