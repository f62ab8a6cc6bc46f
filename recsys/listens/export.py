"""An export as a stream of its history files: a zip, a folder or a single file, however hostile.

Nothing is ever unpacked to disk. Only files that a source claims are opened, one at a time; sizes are checked before
anything is inflated, and what an entry holds beyond its declared size is not inflated at all.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from recsys.errors import UnreadableExportError

MAX_FILES = 10_000
"""Files in an export; a real one has below a hundred."""

MAX_FILE_BYTES = 32 << 20
"""Size of a history file; services split them at about 12 MB."""

MAX_BYTES = 1 << 30
"""Size of all history files of an export; the largest known are about 150 MB."""

MAX_RATIO = 200
"""How many times smaller a zip can make a history file; real ones shrink 10 to 30 times."""

_SMALL = 1 << 20
_MAX_DIRECTORY = 2 << 20
_ENCRYPTED = 1
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)
_DRIVE = re.compile(r"[A-Za-z]:")
_AGAIN = "download it again and hand in the zip as it is"

Claims = Callable[[str], bool]


@dataclass(frozen=True)
class HistoryFile:
    """One history file of an export: its path inside the export, and its bytes."""

    name: str
    data: bytes


def history_files(path: Path, claims: Claims) -> Iterator[HistoryFile]:
    """Read the history files of an export, one at a time, in the order of their names.

    Parameters
    ----------
    path
        A zip, a folder, or a single ``.json`` file, which is taken for a history whatever its name.
    claims
        Tells by the base name which files are histories. Files that it does not claim are never opened.

    Raises
    ------
    UnreadableExportError
        If the export is missing, damaged, encrypted or hostile.
    """
    try:
        if path.is_dir():
            yield from _in_folder(path, claims)
        elif not path.exists():
            raise UnreadableExportError(path, "there is no such file or folder; check the path")
        elif not path.is_file():
            raise UnreadableExportError(path, "neither a file nor a folder; hand in the zip itself")
        elif path.suffix.lower() == ".json":
            yield HistoryFile(path.name, _read_file(path, path))
        else:
            yield from _in_zip(path, claims)
    except OSError as fault:
        raise UnreadableExportError(path, f"cannot be read: {fault.strerror or fault}; {_AGAIN}") from None


def history_paths(folder: Path, claims: Claims) -> list[Path]:
    """List the history files below a folder, in the order of their names; links to folders are not followed.

    Raises
    ------
    UnreadableExportError
        If there are too many files, or a history is a link or a device.
    """
    seen = 0
    found = []
    for parent, _, names in os.walk(folder):
        seen += len(names)
        if seen > MAX_FILES:
            raise UnreadableExportError(folder, f"more than {MAX_FILES:,} files; is this the folder of one export?")
        found += [Path(parent, name) for name in names if _is_history(name, claims)]
    for path in found:
        if path.is_symlink() or not path.is_file():
            name = path.relative_to(folder).as_posix()
            raise UnreadableExportError(folder, "a link or a device; put the file itself there", name)
    return sorted(found)


def _is_history(name: str, claims: Claims) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.endswith("/") and not parts[-1].startswith("._") and claims(parts[-1])


def _in_folder(folder: Path, claims: Claims) -> Iterator[HistoryFile]:
    total = 0
    for path in history_paths(folder, claims):
        name = path.relative_to(folder).as_posix()
        data = _read_file(folder, path, name)
        total += len(data)
        _check_total(folder, total)
        yield HistoryFile(name, data)


def _read_file(export: Path, path: Path, name: str | None = None) -> bytes:
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    _check_size(export, len(data), name)
    return data


def _in_zip(path: Path, claims: Claims) -> Iterator[HistoryFile]:
    with _Careful(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                file.limit = MAX_FILE_BYTES + 1
                for name, info in _checked(path, archive.infolist(), claims):
                    yield HistoryFile(name, _inflate(path, archive, info, name))
        except _ZIP_FAULTS as fault:
            raise UnreadableExportError(path, f"{_zip_words(fault)}; {_AGAIN}") from None


class _Careful(io.FileIO):
    """A file that is never asked for more than `limit` bytes at once: first the zip's directory, then an entry."""

    limit = _MAX_DIRECTORY

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > self.limit:
            raise zipfile.BadZipFile(f"asks for {size:,} bytes at once")
        return super().read(size)


def _checked(path: Path, infos: list[zipfile.ZipInfo], claims: Claims) -> list[tuple[str, zipfile.ZipInfo]]:
    if not infos:
        raise UnreadableExportError(path, f"an empty zip; {_AGAIN}")
    if len(infos) > MAX_FILES:
        raise UnreadableExportError(path, f"{len(infos):,} files inside; an export has at most {MAX_FILES:,}; {_AGAIN}")
    for info in infos:
        _check_name(path, info)
    named = ((info.filename.replace("\\", "/"), info) for info in infos)
    wanted = sorted((entry for entry in named if _is_history(entry[0], claims)), key=lambda entry: entry[0])
    for name, info in wanted:
        _check_entry(path, info, name)
    _check_total(path, sum(info.file_size for _, info in wanted))
    return wanted


def _check_name(path: Path, info: zipfile.ZipInfo) -> None:
    name = info.filename.replace("\\", "/")
    if name.startswith("/") or _DRIVE.match(name) or ".." in name.split("/"):
        raise UnreadableExportError(path, f"an entry that points out of the zip; {_AGAIN}", info.filename)
    if stat.S_ISLNK(info.external_attr >> 16):
        raise UnreadableExportError(path, f"a link, not a file; {_AGAIN}", info.filename)


def _check_entry(path: Path, info: zipfile.ZipInfo, name: str) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise UnreadableExportError(path, "encrypted; hand in the zip without a password", name)
    if info.compress_type not in _METHODS:
        raise UnreadableExportError(path, f"packed by a rare method ({info.compress_type}); {_AGAIN}", name)
    _check_size(path, info.file_size, name)
    if info.file_size > max(_SMALL, MAX_RATIO * info.compress_size):
        raise UnreadableExportError(path, f"inflates more than {MAX_RATIO} times: a zip bomb; {_AGAIN}", name)


def _check_size(export: Path, size: int, name: str | None) -> None:
    if size > MAX_FILE_BYTES:
        raise UnreadableExportError(export, f"larger than {MAX_FILE_BYTES >> 20} MB: no history file; {_AGAIN}", name)


def _check_total(export: Path, total: int) -> None:
    if total > MAX_BYTES:
        raise UnreadableExportError(export, f"more than {MAX_BYTES >> 20:,} MB of history in one export; {_AGAIN}")


def _inflate(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> bytes:
    try:
        with archive.open(info) as entry:
            return entry.read(info.file_size + 1)  # a bound, so that a lying entry is not inflated beyond its size
    except _ZIP_FAULTS as fault:
        raise UnreadableExportError(path, f"{_zip_words(fault)}; {_AGAIN}", name) from None


def _zip_words(fault: Exception) -> str:
    if str(fault) == "File is not a zip file":
        return "not a zip, or only the first part of one"
    return f"a damaged zip ({fault})"
