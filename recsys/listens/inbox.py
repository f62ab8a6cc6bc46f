"""What lies in a folder of exports: which file or folder is one member's export, and which holds many members."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from recsys.canonical import Pseudonym, Pseudonyms, sha256_file, sha256_hex
from recsys.errors import UnreadableExportError
from recsys.listens.export import history_paths
from recsys.listens.names import may_be_history, may_be_zip
from recsys.listens.reading import claims, member_name
from recsys.listens.sources import SOURCES
from recsys.listens.table_pool import pool_source

LARGE_BYTES = 192 << 20
"""History from here on takes so much memory that one such export is read at a time; all but the heaviest have less."""

_ZIP_SHRINKS = 12
_YEAR = re.compile(r"\d{4}")


@dataclass(frozen=True)
class Broken:
    """An export that could not be read: where it lies, the entry at fault if one is, and why."""

    path: Path
    reason: str
    entry: str | None = None


@dataclass(frozen=True)
class Task:
    """An export to be read, and whose it is; nobody's, if it holds many members."""

    path: Path
    member: Pseudonym | None


def find_exports(path: Path) -> list[Path]:
    """Give the export at `path`, or the exports in the folder `path`.

    Raises
    ------
    UnreadableExportError
        If there is none.
    """
    if not path.exists():
        raise UnreadableExportError(path, "there is no such file or folder; check the path")
    if not path.is_dir():
        return [path]
    children = sorted(child for child in path.iterdir() if not child.name.startswith((".", "__MACOSX")))
    if any(_is_piece(child) for child in children):
        return [path]
    exports = [child for child in children if child.is_dir() or may_be_zip(child.name) or may_be_history(child.name)]
    if not exports:
        raise UnreadableExportError(path, "no export in this folder; put each member's zip, file or folder into it")
    return exports


def _is_piece(path: Path) -> bool:
    """Tell whether this lies only in the folder that one member's export unpacks to."""
    if path.is_dir():
        return path.name == "listens" and any(_YEAR.fullmatch(year.name) for year in path.iterdir())
    return any(source.claims(path.name) for source in SOURCES)


def plan(exports: list[Path], pseudonyms: Pseudonyms) -> tuple[list[Task], list[Broken]]:
    """Tell whose each export is; those whose name names nobody are broken."""
    tasks, nameless = [], []
    for path in exports:
        try:
            many = pool_source(path) is not None
            tasks.append(Task(path, None if many else pseudonyms.of(member_name(path))))
        except UnreadableExportError as fault:
            nameless.append(Broken(path, fault.reason))
        except ValueError:  # blank, or not Unicode
            nameless.append(Broken(path, "its name names no member; rename it to the member's name"))
    return tasks, nameless


def is_large(path: Path) -> bool:
    """Tell by sizes alone whether an export holds more than :data:`LARGE_BYTES`, as zips commonly shrink."""
    found = (Path(parent, name) for parent, _, names in os.walk(path) for name in names)
    return sum(map(_unpacked, found if path.is_dir() else [path])) > LARGE_BYTES


def _unpacked(path: Path) -> int:
    try:
        return path.stat().st_size * (_ZIP_SHRINKS if may_be_zip(path.name) else 1)
    except OSError:  # reading it will tell why
        return 0


def export_digest(path: Path) -> str:
    """Name an export by its content: the bytes of the file, or of a folder's history files in any arrangement.

    Raises
    ------
    UnreadableExportError
        If it cannot be read.
    """
    try:
        if not path.is_dir():
            return sha256_file(path)
        files = sorted(sha256_file(file) for file in history_paths(path, claims))
    except OSError as fault:
        raise UnreadableExportError(path, f"cannot be read: {fault.strerror}") from None
    return sha256_hex("".join(files).encode())
