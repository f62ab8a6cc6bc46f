"""The versions of a line, from the newest back to the first that is still there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from recsys.dataset.change import Change
from recsys.dataset.manifest import Manifest
from recsys.dataset.store import DatasetStore
from recsys.errors import VersionNotFoundError


@dataclass(frozen=True)
class LogEntry:
    """A version in its line's history; `manifest` is ``None`` where its successor names it but it is gone."""

    digest: str
    manifest: Manifest | None

    def words(self) -> str:
        """Say in a few words what changed."""
        if self.manifest is None:
            return "no longer in the store; what came before it is unknown"
        if self.manifest.change is None:
            return "the first of its line"
        return "; ".join(Change(**self.manifest.change).words()) or "the same data"


def log(store: DatasetStore, line: str) -> Iterator[LogEntry]:
    """Walk a line from its latest version back; each manifest is checked against its digest.

    Raises
    ------
    VersionNotFoundError
        If there is no such line.
    VersionBrokenError
        If a manifest was changed.
    """
    digest = store.latest(line)
    if digest is None:
        known = ", ".join(store.lines()) or "none yet"
        raise VersionNotFoundError(f"there is no line of versions {line!r}; there are: {known}")
    while digest is not None:
        manifest = store.manifest(digest) if digest in store else None
        yield LogEntry(digest, manifest)
        digest = manifest.parent if manifest else None
