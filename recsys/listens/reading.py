"""From an export to listens: the first arrow of the journey."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from recsys.errors import UnreadableExportError
from recsys.listens.export import HistoryFile, history_files
from recsys.listens.pool import Listens
from recsys.listens.report import ReadReport
from recsys.listens.sources import SPOTIFY, Rows
from recsys.listens.table import SCHEMA, Route, without_repeats

MAX_TABLE_BYTES = 96 << 20
"""Size of an export's listens in memory; the heaviest listeners, with 250,000 plays, need about 30 MB."""


def read_export(path: str | Path, *, member: str | None = None, route: Route = Route.GDPR_EXPORT) -> Listens:
    """Read a member's export into listens, keeping only what the model needs.

    Kept are music plays that were not incognito: time, artist, track and duration. Nothing else in the export is
    decoded, and no file but the listening history is opened.

    Parameters
    ----------
    path
        A Spotify export: the zip, the folder that it unpacks to, or one of its history files.
    member
        Whose listens these are; by default the file's name without ``.zip``, or the folder's name.
    route
        How the export came here.

    Raises
    ------
    UnreadableExportError
        If the export is missing, damaged, hostile, or holds no listening history; names the file and the entry.
    """
    path = Path(path)
    tables, report = [SCHEMA.empty_table()], ReadReport()
    for file in history_files(path, claims):
        rows = _rows(path, file, route)
        tables.append(rows.table)
        report += ReadReport(rows.read, rows.table.num_rows, rows.left_out, files_read=1)
        if sum(table.nbytes for table in tables) > MAX_TABLE_BYTES:
            raise UnreadableExportError(
                path, f"more than {MAX_TABLE_BYTES >> 20} MB of plays: nobody listens that much"
            )
    if report.files_read == 0:
        raise UnreadableExportError(path, f"no listening history ({SPOTIFY.wanted}) inside; {SPOTIFY.advice}")
    table, repeats = without_repeats(pa.concat_tables(tables))
    return Listens(member_name(path) if member is None else member, table, report.leaving_out(repeats))


def claims(name: str, _head: bytes) -> bool:
    """Tell by its base name and first bytes whether a file is a history of any source."""
    return SPOTIFY.claims(name)


def _rows(path: Path, file: HistoryFile, route: Route) -> Rows:
    try:
        return SPOTIFY.read(file.data, route)
    except ValueError as fault:
        raise UnreadableExportError(path, str(fault), file.name) from None


def member_name(path: Path) -> str:
    """Give the member whom an export belongs to by its name: ``anna.zip`` and the folder ``anna`` are anna's."""
    whole = path.resolve()
    return whole.name if whole.is_dir() else whole.stem
