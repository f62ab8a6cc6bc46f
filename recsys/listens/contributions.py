"""What members handed in, as stored: under pseudonyms, one file an export, nothing but listens, encrypted.

A file is a nonce of 12 random bytes and the AES-256-GCM ciphertext of a Parquet file (NIST SP 800-38D), under the
member's data key (:mod:`recsys.listens.data_keys`). Member and export are the associated data, so that a file read in
another's place is refused. The plain Parquet file exists in memory only.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.exceptions import InvalidTag

from recsys.canonical import Pseudonym, canonical_json, sync_one, write_atomically
from recsys.errors import ConfigError
from recsys.listens.data_keys import DataKeys, Tombstone
from recsys.listens.merging import without_repeats
from recsys.listens.pool import Listens
from recsys.listens.report import ReadReport
from recsys.listens.table import SCHEMA

_NAME = re.compile(r"[0-9a-f]{64}")
_REPORT = b"recsys.report"
_SUFFIX = ".listens"
_FORMAT = "recsys-contribution/1"
_NONCE_BYTES = 12


class Contributions:
    """A folder of what members handed in; a :class:`recsys.listens.Pool`.

    Below it lie ``<pseudonym>/<sha256 of the export>.listens``. A file appears whole or not at all, so many processes
    may add at once, and one that is killed leaves nothing that counts.

    Parameters
    ----------
    folder
        The folder itself, for example ``home / "contributions"``. It is made when something is first added.
    keys
        The members' data keys; by default those in ``keys/data`` beside the folder.
    """

    def __init__(self, folder: Path, keys: DataKeys | None = None) -> None:
        self.folder = folder
        self.keys = keys or DataKeys(folder.parent / "keys" / "data")

    @property
    def members(self) -> tuple[Pseudonym, ...]:
        """Everybody of whom there is at least one contribution that was not erased, sorted."""
        if not self.folder.is_dir():
            return ()
        names = (path.name for path in self.folder.iterdir() if _NAME.fullmatch(path.name))
        members = (member for member in map(Pseudonym, names) if any(self._files(member)))
        return tuple(sorted(member for member in members if self.keys.tombstone(member) is None))

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
        MemberErasedError
            If the member's data were erased.
        """
        if not isinstance(listens.member, Pseudonym):
            raise TypeError(
                "contributions are stored under pseudonyms; read the export with member=pseudonyms.of(name)"
            )
        path = self._path(listens.member, export_digest)
        table = listens.table.replace_schema_metadata({_REPORT: canonical_json(asdict(listens.report))})
        plain = pa.BufferOutputStream()
        pq.write_table(table, plain, compression="zstd")
        nonce = secrets.token_bytes(_NONCE_BYTES)
        content = plain.getvalue().to_pybytes()
        write_atomically(path, nonce + self.keys.make(listens.member).encrypt(nonce, content, _bound_to(path)))
        return path

    def erase(self, member: Pseudonym, tombstone: Tombstone) -> list[Path]:
        """Destroy a member's data key and remove the files; no copy of them can be read any more.

        Doing it again finishes what was begun.

        Returns
        -------
        What was removed.
        """
        return [*self.keys.destroy(member, tombstone), *self._clear(member)]

    def reopen(self, member: Pseudonym) -> None:
        """Let a member who was erased and came back contribute again, from nothing."""
        self._clear(member)  # a process that was at work while the key was destroyed may have left a file
        self.keys.lift(member)

    def _clear(self, member: Pseudonym) -> list[Path]:
        room = self._room(member)
        if not room.is_dir():
            return []
        files = sorted(room.iterdir())
        shutil.rmtree(room)
        sync_one(self.folder)
        return files

    def exports(self, member: str) -> tuple[str, ...]:
        """Name the exports that a member handed in, by their SHA-256, sorted."""
        return tuple(sorted(path.stem for path in self._files(member)))

    def read(self, member: str, *, only: Container[str] | None = None) -> Listens:
        """Read all that a member handed in, merged: a play that stands in several exports is there once.

        Parameters
        ----------
        member
            Whose.
        only
            SHA-256 of the exports to read, where not all of them are wanted.

        Raises
        ------
        KeyError
            If there is nothing of this member.
        ConfigError
            If a stored file is damaged.
        """
        paths = [path for path in sorted(self._files(member)) if only is None or path.stem in only]
        parts = [self._stored(path) for path in paths]
        if not parts:
            raise KeyError(member)
        report = sum((part_report for _, part_report in parts), ReadReport())
        table, repeats = without_repeats(*(table for table, _ in parts), merged_before=True)
        exports = tuple(path.stem for path in paths)
        return Listens(Pseudonym(member), table, report.leaving_out(repeats).telling(table), exports)

    def report(self, member: Pseudonym, export_digest: str) -> ReadReport:
        """Tell what became of the rows of one export when it was read.

        Raises
        ------
        ConfigError
            If the stored file is damaged.
        """
        path = self._path(member, export_digest)
        with self._opened(path) as file:
            return _report(file.schema_arrow)

    def _stored(self, path: Path) -> tuple[pa.Table, ReadReport]:
        with self._opened(path) as file:
            table = file.read(use_threads=False)
            return table.replace_schema_metadata().cast(SCHEMA), _report(file.schema_arrow)

    @contextmanager
    def _opened(self, path: Path) -> Iterator[pq.ParquetFile]:
        cipher = self.keys.of(Pseudonym(path.parent.name))
        try:
            data = memoryview(path.read_bytes())
            plain = cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _bound_to(path))
            with pq.ParquetFile(pa.BufferReader(plain)) as file:
                yield file
        except InvalidTag:
            raise _damaged(path, "it does not fit its member, its name and the member's data key") from None
        except (pa.ArrowException, ValueError, KeyError, TypeError, OSError) as fault:
            raise _damaged(path, str(fault)) from fault

    def _path(self, member: Pseudonym, export_digest: str) -> Path:
        if not _NAME.fullmatch(export_digest):
            raise ValueError("an export's digest is 64 lower-case hex digits")
        return self._room(member) / f"{export_digest}{_SUFFIX}"

    def _files(self, member: str) -> Iterator[Path]:
        room = self._room(member)
        for path in room.iterdir() if room.is_dir() else ():
            if path.suffix == ".parquet" and _NAME.fullmatch(path.stem):
                raise _damaged(path, "it was stored before contributions were encrypted")
            if path.suffix == _SUFFIX and _NAME.fullmatch(path.stem):
                yield path

    def _room(self, member: str) -> Path:
        if not _NAME.fullmatch(member):
            raise KeyError(member)
        return self.folder / member


def _bound_to(path: Path) -> bytes:
    return canonical_json({"export": path.stem, "format": _FORMAT, "member": path.parent.name})


def _damaged(path: Path, reason: str) -> ConfigError:
    return ConfigError(f"{path} is damaged ({reason}); delete it and ingest that export again")


def _report(schema: pa.Schema) -> ReadReport:
    return ReadReport(**json.loads(schema.metadata[_REPORT]))
