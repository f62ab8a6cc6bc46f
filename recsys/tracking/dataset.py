"""A dataset version as MLflow shows it: name, digest, schema, profile, source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlflow.data.dataset import Dataset
from mlflow.types import ColSpec, DataType, Schema

from recsys.dataset import DatasetVersion
from recsys.tracking.source import DatasetVersionSource

_LONGEST_DIGEST = 36  # the width of MLflow's column


class VersionDataset(Dataset):
    """A dataset version for ``mlflow.log_input``; knows the version without holding its rows.

    Parameters
    ----------
    version
        The version.
    path
        Its folder in the store.
    """

    def __init__(self, version: DatasetVersion, path: Path) -> None:
        self._facts = version.manifest
        source = DatasetVersionSource(str(path.resolve()), version.digest)
        super().__init__(source, name=version.manifest.line, digest=f"sha256:{version.digest}"[:_LONGEST_DIGEST])

    def _compute_digest(self) -> str:
        raise NotImplementedError("the digest is given, never computed by MLflow")

    @property
    def schema(self) -> Schema:
        """Columns of a pair, as MLflow names types."""
        columns = {"member": DataType.string, "artist": DataType.string, "plays": DataType.long, "ms": DataType.long}
        return Schema([ColSpec(kind, name) for name, kind in columns.items()])

    @property
    def profile(self) -> dict[str, Any]:
        """Counts, purpose, provenance and ledger head of the version."""
        facts = self._facts
        return {
            **facts.counts,
            "provenance": facts.provenance,
            "purpose": facts.purpose,
            "at": facts.at,
            "ledger": facts.ledger,
        }

    def to_dict(self) -> dict[str, str]:
        """Give the dataset as MLflow stores it."""
        schema = json.dumps({"mlflow_colspec": self.schema.to_dict()})
        return {**super().to_dict(), "schema": schema, "profile": json.dumps(self.profile)}
