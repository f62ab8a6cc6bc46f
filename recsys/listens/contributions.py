"""What members handed in, as stored: under pseudonyms, one file an export, nothing but listens."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.canonical import Pseudonym, atomic_path, canonical_json
from recsys.errors import ConfigError
from recsys.listens.pool import Listens
from recsys.listens.report import ReadReport
from recsys.listens.table import SCHEMA, without_repeats

_NAME = re.compile(r"[0-9a-f]{64}")
_REPORT = b"recsys.report"


class Contributions:
    """A folder of what members handed in; a :class:`recsys.listens.Pool`.

    Below it lie ``<pseudonym>/<sha256 of the export>.parquet``. A file appears whole or not at all, so many processes
    may add at once, and one that is killed leaves nothing that counts.

    Parameters
    ----------
    folder
        The folder itself, for example ``home / "contributions"``. It is made when something is first added.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def members(self) -> tuple[Pseudonym, ...]:
        """Everybody of whom there is at least one contribution, sorted."""
        if not self.folder.is_dir():
            return ()
        names = (path.name for path in self.folder.iterdir() if _NAME.fullmatch(path.name))
        return tuple(sorted(member for member in map(Pseudonym, names) if any(self._files(member))))

    def has(self, member: Pseudonym, export_digest: str) -> bool:
        """Tell whether this export of this member is in."""
        return self._path(member, export_digest).exists()

    def add(self, listens: Listens, export_digest: str) -> Path:
        """Store one export's listens, whole or not at all; storing the same export again changes nothing.

        Parameters
        ----------
        listens
            Whose ``member`` is a :class:`recsys.canonical.Pseudonym`.
        export_digest
            SHA-256 of the export, 64 hex digits.

        Raises
        ------
        TypeError
            If the listens bear a person's name.
        """
        if not isinstance(listens.member, Pseudonym):
            raise TypeError(
                "contributions are stored under pseudonyms; read the export with member=pseudonyms.of(name)"
            )
        path = self._path(listens.member, export_digest)
        table = listens.table.replace_schema_metadata({_REPORT: canonical_json(asdict(listens.report))})
        with atomic_path(path) as partial:
            pq.write_table(table, partial, compression="zstd")
        return path

    def read(self, member: str) -> Listens:
        """Read all that a member handed in, merged: a play that stands in several exports is there once.

        Raises
        ------
        KeyError
            If there is nothing of this member.
        ConfigError
            If a stored file is damaged.
        """
        parts = [_stored(path) for path in sorted(self._files(member))]
        if not parts:
            raise KeyError(member)
        report = sum((part_report for _, part_report in parts), ReadReport())
        table, repeats = without_repeats(pa.concat_tables(table for table, _ in parts))
        return Listens(Pseudonym(member), table, report.leaving_out(repeats))

    def report(self, member: Pseudonym, export_digest: str) -> ReadReport:
        """Tell what became of the rows of one export when it was read.

        Raises
        ------
        ConfigError
            If the stored file is damaged.
        """
        path = self._path(member, export_digest)
        with _naming(path):
            return _report(pq.read_schema(path))

    def _path(self, member: Pseudonym, export_digest: str) -> Path:
        if not _NAME.fullmatch(export_digest):
            raise ValueError("an export's digest is 64 lower-case hex digits")
        return self._room(member) / f"{export_digest}.parquet"

    def _files(self, member: str) -> Iterator[Path]:
        room = self._room(member)
        if room.is_dir():
            yield from (path for path in room.iterdir() if _NAME.fullmatch(path.name.removesuffix(".parquet")))

    def _room(self, member: str) -> Path:
        if not _NAME.fullmatch(member):
            raise KeyError(member)
        return self.folder / member


def _stored(path: Path) -> tuple[pa.Table, ReadReport]:
    with _naming(path), pq.ParquetFile(path) as file:
        table = file.read(use_threads=False)
        return table.replace_schema_metadata().cast(SCHEMA), _report(file.schema_arrow)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, ValueError, KeyError, TypeError, OSError) as fault:
        raise ConfigError(f"{path} is damaged ({fault}); delete it and ingest that export again") from fault


def _report(schema: pa.Schema) -> ReadReport:
    return ReadReport(**json.loads(schema.metadata[_REPORT]))
