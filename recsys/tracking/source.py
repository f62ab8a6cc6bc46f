"""Where a run's dataset came from, in the form in which MLflow keeps it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow.data.dataset_source import DatasetSource

if TYPE_CHECKING:
    from recsys.dataset import DatasetVersion


class DatasetVersionSource(DatasetSource):
    """A dataset version in a store on disk; registered with MLflow by the entry point ``mlflow.dataset_source``.

    Parameters
    ----------
    path
        The version's folder, which bears its digest.
    digest
        The version's full digest, 64 hex digits.
    """

    def __init__(self, path: str, digest: str) -> None:
        self.path = path
        self.digest = digest

    @staticmethod
    def _get_source_type() -> str:
        return "recsys_dataset_version"

    def load(self) -> DatasetVersion:
        """Read the version, every part checked against the digest.

        If its folder is no longer where it was, it is looked for under ``RECSYS_HOME``.

        Raises
        ------
        recsys.errors.VersionNotFoundError, recsys.errors.VersionBrokenError
            If it is gone or was changed.
        """
        from recsys.dataset import DatasetStore  # noqa: PLC0415 - mlflow imports this module; keep that quick

        folder = Path(self.path).parent
        if not Path(self.path).is_dir() and (home := os.environ.get("RECSYS_HOME")):
            folder = Path(home) / "datasets"
        return DatasetStore(folder).load(self.digest)

    @staticmethod
    def _can_resolve(raw_source: Any) -> bool:  # noqa: ANN401, ARG004 - MLflow asks about anything
        return False  # a path is just a path to MLflow; only `VersionDataset` says that it is a version

    @classmethod
    def _resolve(cls, raw_source: Any) -> DatasetVersionSource:  # noqa: ANN401 - as above
        raise NotImplementedError(f"{raw_source} is no dataset version; log one with recsys.tracking.VersionDataset")

    def to_dict(self) -> dict[str, str]:
        """Give the source as plain values for JSON."""
        return {"path": self.path, "digest": self.digest}

    @classmethod
    def from_dict(cls, source_dict: dict[str, str]) -> DatasetVersionSource:
        """Read the source back from :meth:`to_dict`."""
        return cls(source_dict["path"], source_dict["digest"])
