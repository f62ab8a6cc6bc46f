"""Which files of an export may be opened at all; told by their names, since opening is what has to be avoided."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

DATABASES = frozenset({".db", ".parquet", ".sqlite", ".sqlite3"})
"""Endings of files that are read in place, not as a whole."""

_HISTORIES = frozenset({".csv", ".json", ".jsonl", ".log", ".ndjson", ".tsv"}) | DATABASES
_PERSONAL = re.compile(
    r"(accountactivity|duonewfamily|familyplan|feedback|follow|identifiers|identity|inferences|marquee|messagedata"
    r"|payments|pinned_?recordings?|playlist|podcastinteractivity.*|searchqueries|user|useraddress|userdata|userprompts"
    r"|wrapped|yoursoundcapsule)[\s\d_()-]*\.[a-z]+"
)


def may_be_history(name: str) -> bool:
    """Tell by its path inside an export whether a file may be opened to see whether it is a listening history.

    Never opened are the files in which services keep addresses, payments, searches, playlists and the like, whatever
    number or copy they are; the twins that macOS puts beside a file (``__MACOSX``, ``._*``); and pictures, PDFs and
    all else that is no history of any service.
    """
    path = PurePosixPath(name)
    return path.suffix.lower() in _HISTORIES and not _is_twin(path) and not _PERSONAL.fullmatch(path.name.lower())


def may_be_zip(name: str) -> bool:
    """Tell by its path inside an export whether a file may be a zip."""
    path = PurePosixPath(name)
    return path.suffix.lower() == ".zip" and not _is_twin(path)


def is_database(name: str) -> bool:
    """Tell by its name whether a file is read in place, not as a whole."""
    return PurePosixPath(name).suffix.lower() in DATABASES


def _is_twin(path: PurePosixPath) -> bool:
    return path.name.startswith("._") or "__MACOSX" in path.parts
