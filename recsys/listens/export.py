"""An export as a stream of its history files: a zip, a folder or a single file, however hostile.

Nothing is ever unpacked to disk. Which files may be opened at all is told by their names
(:mod:`recsys.listens.names`); of those only the first bytes are read, by which a source says whether a file is a
history; sizes are checked before anything is inflated (:mod:`recsys.listens.bounds`, :mod:`recsys.listens.zips`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from recsys.errors import UnreadableExportError
from recsys.listens.bounds import AGAIN, MAX_FILE_BYTES, Budget
from recsys.listens.names import is_database, may_be_history, may_be_zip
from recsys.listens.zips import HEAD_BYTES, Claims, HistoryFile, files_in_zip

__all__ = ["Claims", "HistoryFile", "head_of", "history_files", "history_paths"]

_ZIP = b"PK"


def history_files(path: Path, claims: Claims) -> Iterator[HistoryFile]:
    """Read the history files of an export, one at a time, in the order of their names.

    Parameters
    ----------
    path
        A zip, a folder, or a single file, which is taken for a history whatever it is called.
    claims
        Tells by the base name and the first bytes (:data:`HEAD_BYTES` of them, or all) whether a file is a history.
        It is not asked about files that may not be opened.

    Raises
    ------
    UnreadableExportError
        If the export is missing, damaged, encrypted or hostile.
    """
    budget = Budget(path)
    try:
        if path.is_dir():
            yield from _in_folder(path, claims, budget)
        elif not path.exists():
            raise UnreadableExportError(path, "there is no such file or folder; check the path")
        elif not path.is_file():
            raise UnreadableExportError(path, "neither a file nor a folder; hand in the zip itself")
        elif may_be_history(path.name) and not head_of(path).startswith(_ZIP):
            yield _read_file(path, path.name, budget)
        else:
            yield from files_in_zip(path, claims, budget)
    except OSError as fault:
        raise UnreadableExportError(path, f"cannot be read: {fault.strerror or fault}; {AGAIN}") from None


def history_paths(folder: Path, claims: Claims) -> list[Path]:
    """List the history files and zips below a folder, in the order of their names; links to folders are not followed.

    Raises
    ------
    UnreadableExportError
        If there are too many files, or one that may be a history is a link or a device.
    """
    return _paths(folder, claims, Budget(folder))


def head_of(path: Path) -> bytes:
    """Give the first bytes of a file."""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _paths(folder: Path, claims: Claims, budget: Budget) -> list[Path]:
    found = []
    for parent, _, names in os.walk(folder):
        budget.count(len(names))
        for path in (Path(parent, name) for name in names):
            name = path.relative_to(folder).as_posix()
            zipped = may_be_zip(name)
            if not zipped and not may_be_history(name):
                continue
            if path.is_symlink() or not path.is_file():
                raise budget.refusal("a link or a device; put the file itself there", name)
            if zipped or claims(path.name, head_of(path)):
                found.append(path)
    return sorted(found)


def _in_folder(folder: Path, claims: Claims, budget: Budget) -> Iterator[HistoryFile]:
    for path in _paths(folder, claims, budget):
        name = path.relative_to(folder).as_posix()
        if may_be_zip(name):
            yield from files_in_zip(path, claims, budget, name)
        else:
            yield _read_file(path, name, budget)


def _read_file(path: Path, name: str, budget: Budget) -> HistoryFile:
    if is_database(name):
        return HistoryFile(name, head_of(path), path)
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    budget.spend(len(data), None if path == budget.export else name)
    return HistoryFile(name, data)
