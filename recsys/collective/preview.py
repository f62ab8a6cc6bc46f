"""What would be taken from an export, shown before anybody agrees to anything. Nothing is stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from recsys.listens import SCHEMA, ReadReport, counts_as_play, read_export
from recsys.listens.export import history_files
from recsys.listens.sources import source_of
from recsys.listens.zips import HEAD_BYTES

_KEY = re.compile(rb'"([A-Za-z_][A-Za-z0-9_]{0,60})"\s*:')
_LOOKED_AT = 1 << 20
_WORDS = {
    "played_at": "when a play ended",
    "artist": "the artist's name",
    "artist_id": "the service's id of the artist, if it gives one",
    "track": "the title",
    "ms_played": "how long you listened",
    "finished": "whether it was heard to its end",
    "plays": "how many plays a row stands for",
    "clock": "how exact the time is",
    "source": "which service and kind of export it is from",
    "route": "how it came here",
}


@dataclass(frozen=True)
class Preview:
    """What an export holds of a listener, and what would be kept of it.

    Parameters
    ----------
    artists
        Plays of each artist, the most played first.
    first, last
        The first and the last play with a time; ``None`` where no play has one.
    report
        What becomes of the rows.
    files
        The history files that were read; nothing else in the export is opened.
    kept
        What is kept of each play: column -> in words.
    not_decoded
        Fields in those files that are never decoded, sorted; ``None`` where the service's are not known.
    """

    artists: Mapping[str, int]
    first: datetime | None
    last: datetime | None
    report: ReadReport
    files: tuple[str, ...]
    kept: Mapping[str, str]
    not_decoded: tuple[str, ...] | None

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        return {
            "artists": dict(self.artists),
            "first": self.first.isoformat() if self.first else None,
            "last": self.last.isoformat() if self.last else None,
            "rows_read": self.report.rows_read,
            "rows_kept": self.report.rows_used,
            "plays": sum(self.artists.values()),
            "left_out": dict(self.report.left_out),
            "files": list(self.files),
            "kept": dict(self.kept),
            "not_decoded": None if self.not_decoded is None else list(self.not_decoded),
        }


def preview(export: Path, *, incognito: bool = False) -> Preview:
    """Read one export as `recsys ingest` would, and tell what would be kept; nothing is written anywhere.

    Parameters
    ----------
    export
        The zip, folder or file.
    incognito
        As if the member wanted what they listened to incognito used, too.

    Raises
    ------
    UnreadableExportError
        If it cannot be read; `recsys ingest` would refuse it with the same words.
    """
    listens = read_export(export, incognito=incognito)
    files, unread = _files(export)
    times = pc.min_max(listens.table["played_at"]).as_py()
    return Preview(
        _artists(listens.table), times["min"], times["max"], listens.report, files, _kept(listens.table), unread
    )


def _artists(table: pa.Table) -> dict[str, int]:
    plays = table.filter(counts_as_play(table)).select(["artist", "plays"])
    sums = plays.group_by("artist").aggregate([("plays", "sum")])
    order = [("plays_sum", "descending"), ("artist", "ascending")]
    return {row["artist"]: row["plays_sum"] for row in sums.sort_by(order).to_pylist()}


def _kept(table: pa.Table) -> dict[str, str]:
    """Name the columns that hold anything."""
    return {name: _WORDS[name] for name in SCHEMA.names if table[name].null_count < table.num_rows}


def _files(export: Path) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """Name the history files, and the fields in them that are never decoded."""
    names: list[str] = []
    unread: set[str] = set()
    known = True
    for file in history_files(export, lambda name, head: source_of(name, head) is not None):
        names.append(file.name)
        source = source_of(PurePosixPath(file.name).name, bytes(file.data[:HEAD_BYTES]))
        fields = getattr(source, "fields", None)
        known = known and fields is not None
        unread |= {found.decode() for found in _KEY.findall(file.data[:_LOOKED_AT])} - (fields or set())
    return tuple(names), tuple(sorted(unread)) if known else None
