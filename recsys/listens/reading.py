"""From an export to listens: the first arrow of the journey."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc

from recsys.errors import UnreadableExportError
from recsys.listens.clocks import marked
from recsys.listens.export import HistoryFile, history_files
from recsys.listens.merging import without_twins
from recsys.listens.pool import Listens
from recsys.listens.report import ReadReport
from recsys.listens.slices import merged
from recsys.listens.sources import SOURCES, FileSource, Rows, source_of
from recsys.listens.table import LeftOut, Route, Source
from recsys.listens.zips import HEAD_BYTES

MAX_TABLE_BYTES = 96 << 20
"""Size of an export's listens in memory; the heaviest listeners, with 250,000 plays, need about 30 MB."""

_MUSIC = re.compile(r"(?i)_music_?[^/]*$")
"""So a file is called since podcasts have had files of their own."""


def read_export(
    path: str | Path, *, member: str | None = None, route: Route | None = None, incognito: bool = False
) -> Listens:
    """Read a member's export into listens, keeping only what the model needs.

    Kept are music plays: time, artist, track and duration. No other field is decoded, and files in which services keep
    personal things are not opened.

    Parameters
    ----------
    path
        An export of any known service: the zip, the folder that it unpacks to, or one of its history files.
    member
        Whose listens these are; by default the file's name without its ending, or the folder's name.
    route
        How the export came here, where that is stricter than how its service's exports usually do.
    incognito
        The member wants listens used that they kept to themselves while listening.

    Raises
    ------
    UnreadableExportError
        If the export is missing, damaged, hostile, or holds no listening history; names the file and the entry.
    """
    path = Path(path)
    parts = list(_bounded(path, (_rows(path, file, route) for file in history_files(path, claims))))
    if not any(part.is_history for part in parts):
        raise UnreadableExportError(path, f"no listening history of a known service inside; {advice()}")
    return _merged(parts, member_name(path) if member is None else member, incognito=incognito)


def claims(name: str, head: bytes) -> bool:
    """Tell by its base name and first bytes whether a file is a history of any source."""
    return source_of(name, head) is not None


def advice() -> str:
    """Say what is known, and how a person gets it."""
    known = ", ".join(source.exports for source in SOURCES if source.exports)
    return f"known are {known}; Spotify's come from 'Download your data' in the privacy settings of the account"


def member_name(path: Path) -> str:
    """Give the member whom an export belongs to by its name: ``anna.zip`` and the folder ``anna`` are anna's."""
    whole = path.resolve()
    return whole.name if whole.is_dir() else whole.stem


def _rows(path: Path, file: HistoryFile, route: Route | None) -> Rows:
    source = source_of(PurePosixPath(file.name).name, bytes(file.data[:HEAD_BYTES]))
    if source is None:
        raise UnreadableExportError(path, f"not a listening history of a known service; {advice()}")
    try:
        rows = source.read(file.data, route_of(source, route))
    except ValueError as fault:
        raise UnreadableExportError(path, str(fault), file.name) from None
    return replace(rows, may_hold_podcasts=False) if _MUSIC.search(file.name) else rows


def route_of(source: FileSource, stated: Route | None) -> Route:
    """Give the route by which a file of `source` came: what was stated, if it is no laxer than what is known.

    Raises
    ------
    ValueError
        If it is laxer.
    """
    if stated is not None and stated.strictness < source.route.strictness:
        raise ValueError(
            f"came by the route {source.route.value!r}, not {stated.value!r}; state a stricter route or none"
        )
    return stated or source.route


def _bounded(path: Path, parts: Iterator[Rows]) -> Iterator[Rows]:
    size = 0
    for part in parts:
        size += part.table.nbytes + part.hidden.nbytes
        if size > MAX_TABLE_BYTES:
            raise UnreadableExportError(
                path, f"more than {MAX_TABLE_BYTES >> 20} MB of plays: nobody listens that much"
            )
        yield part


def _merged(parts: list[Rows], member: str, *, incognito: bool) -> Listens:
    report = sum((_report(part) for part in parts), ReadReport())
    shows = frozenset().union(*(part.shows for part in parts))
    hidden = pa.concat_tables([part.hidden for part in parts])
    tables = []
    for part in parts:
        music = _without_podcasts(part, shows)
        shown = music if incognito else _without_hidden(music, hidden)
        report = report.leaving_out({LeftOut.PODCAST.value: part.table.num_rows - music.num_rows})
        report = report.leaving_out({LeftOut.INCOGNITO.value: music.num_rows - shown.num_rows})
        tables.append(shown)
    if incognito:
        tables.append(hidden)
    else:
        report = report.leaving_out({LeftOut.INCOGNITO.value: hidden.num_rows})
    table, repeats = merged(tables)
    heard = marked(table)
    return Listens(member, heard, report.leaving_out(repeats).telling(heard))


def _report(part: Rows) -> ReadReport:
    return ReadReport(part.read, part.read, {}, files_read=int(part.is_history)).leaving_out(part.left_out)


def _without_podcasts(part: Rows, shows: frozenset[str]) -> pa.Table:
    if not part.may_hold_podcasts or not shows:
        return part.table
    return part.table.filter(pc.invert(pc.is_in(part.table["artist"], value_set=pa.array(sorted(shows), pa.string()))))


def _without_hidden(music: pa.Table, hidden: pa.Table) -> pa.Table:
    """Account data tells plays without saying that they were incognito; the extended history beside it says it."""
    if hidden.num_rows == 0 or not pc.any(pc.equal(music["source"], Source.SPOTIFY_ACCOUNT.value)).as_py():
        return music
    return without_twins(music, hidden)
