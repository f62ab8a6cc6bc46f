"""The history files in a zip, and in the zips inside it, however hostile.

The directory is checked as a whole before anything is inflated: names, links, sizes, and that no two entries share
bytes, as those of a zip bomb do (D. Fifield, "A better zip bomb", WOOT 2019). What an entry holds beyond its declared
size is not inflated at all.
"""

from __future__ import annotations

import io
import itertools
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recsys.listens.bounds import AGAIN, MAX_DEPTH, MAX_FILE_BYTES, Budget
from recsys.listens.names import may_be_history, may_be_zip

HEAD_BYTES = 1 << 14
"""How much of a file is looked at to see whether it is a history."""

_MAX_DIRECTORY = 2 << 20
_ENCRYPTED = 1
_LOCAL_HEADER = 30
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)
_DRIVE = re.compile(r"[A-Za-z]:")

Claims = Callable[[str, bytes], bool]


@dataclass(frozen=True)
class HistoryFile:
    """One history file of an export.

    Parameters
    ----------
    name
        Its path inside the export; where it lies in a zip inside, that zip's path comes first.
    data
        Its bytes; only the first of them where there is a `path`.
    path
        Where a database lies on disk, to be read in place; None where `data` is the whole file.
    """

    name: str
    data: bytes
    path: Path | None = None


class _Careful:
    """A file that is never asked for more than `limit` bytes at once: first the zip's directory, then an entry."""

    limit = _MAX_DIRECTORY

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > self.limit:
            raise zipfile.BadZipFile(f"asks for {size:,} bytes at once")
        return super().read(size)  # type: ignore[misc, no-any-return]


class _CarefulFile(_Careful, io.FileIO):
    pass


class _CarefulBytes(_Careful, io.BytesIO):
    pass


def files_in_zip(path: Path, claims: Claims, budget: Budget, within: str | None = None) -> Iterator[HistoryFile]:
    """Read the history files in a zip on disk, one at a time, in the order of their names.

    Parameters
    ----------
    path
        The zip.
    claims
        Tells by the base name and the first bytes whether a file is a history.
    budget
        What may be read of the export; what is read is taken from it.
    within
        Where the zip lies in the export, if it is not the export itself.

    Raises
    ------
    UnreadableExportError
        If the zip is damaged, encrypted or hostile.
    """
    with _CarefulFile(path) as file:
        yield from _Zip(file, claims, budget, within, 1).files()


@dataclass(frozen=True)
class _Zip:
    file: _CarefulFile | _CarefulBytes
    claims: Claims
    budget: Budget
    within: str | None
    depth: int

    def files(self) -> Iterator[HistoryFile]:
        with self._naming(self.within):
            archive = zipfile.ZipFile(self.file)
        self.file.limit = MAX_FILE_BYTES + 1
        with archive:
            infos = archive.infolist()
            self._check(infos)
            for name, info in sorted(((_slashed(info), info) for info in infos), key=lambda entry: entry[0]):
                if may_be_history(name):
                    yield from self._history(archive, name, info)
                elif may_be_zip(name):
                    yield from self._zip_inside(archive, name, info)

    def _check(self, infos: list[zipfile.ZipInfo]) -> None:
        if not infos:
            raise self.budget.refusal(f"an empty zip; {AGAIN}", self.within)
        self.budget.count(len(infos))
        for info in infos:
            self._check_name(info)
        by_place = sorted(infos, key=lambda info: info.header_offset)
        for info, following in itertools.pairwise(by_place):
            if info.header_offset + _LOCAL_HEADER + info.compress_size > following.header_offset:
                raise self.budget.refusal(
                    f"shares bytes with another entry: a zip bomb; {AGAIN}", self._inside(_slashed(info))
                )

    def _check_name(self, info: zipfile.ZipInfo) -> None:
        name = _slashed(info)
        if name.startswith("/") or _DRIVE.match(name) or ".." in name.split("/"):
            raise self.budget.refusal(f"an entry that points out of the zip; {AGAIN}", self._inside(info.filename))
        if stat.S_ISLNK(info.external_attr >> 16):
            raise self.budget.refusal(f"a link, not a file; {AGAIN}", self._inside(info.filename))

    def _history(self, archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo) -> Iterator[HistoryFile]:
        inside = self._inside(name)
        data = self._inflated(archive, info, inside, lambda head: self.claims(name.rpartition("/")[2], head))
        if data is not None:
            yield HistoryFile(inside, data)

    def _zip_inside(self, archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo) -> Iterator[HistoryFile]:
        inside = self._inside(name)
        if self.depth == MAX_DEPTH:
            raise self.budget.refusal(f"more than {MAX_DEPTH} zips inside one another; {AGAIN}", inside)
        data = self._inflated(archive, info, inside, lambda _: True)
        with _CarefulBytes(data or b"") as file:
            yield from _Zip(file, self.claims, self.budget, inside, self.depth + 1).files()

    def _inflated(
        self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, inside: str, wanted: Callable[[bytes], bool]
    ) -> bytes | None:
        if info.flag_bits & _ENCRYPTED:
            raise self.budget.refusal("encrypted; hand in the zip without a password", inside)
        if info.compress_type not in _METHODS:
            raise self.budget.refusal(f"packed by a rare method ({info.compress_type}); {AGAIN}", inside)
        with self._naming(inside), archive.open(info) as entry:
            if not wanted(entry.read(HEAD_BYTES)):
                return None
            entry.seek(0)
            self.budget.inflate(info.file_size, info.compress_size, inside)
            return entry.read(info.file_size + 1)  # a bound, so that a lying entry is not inflated beyond its size

    @contextmanager
    def _naming(self, inside: str | None) -> Iterator[None]:
        try:
            yield
        except _FAULTS as fault:
            raise self.budget.refusal(f"{_words(fault)}; {AGAIN}", inside) from None

    def _inside(self, name: str) -> str:
        return name if self.within is None else f"{self.within}/{name}"


def _slashed(info: zipfile.ZipInfo) -> str:
    return info.filename.replace("\\", "/")


def _words(fault: Exception) -> str:
    if str(fault) == "File is not a zip file":
        return "not a zip, or only the first part of one"
    return f"a damaged zip ({fault})"
