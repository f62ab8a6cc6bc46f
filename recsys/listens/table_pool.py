"""The listens of many members in one file: how it becomes a pool that is read one member at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.errors import UnreadableExportError
from recsys.listens.clocks import marked
from recsys.listens.export import head_of
from recsys.listens.merging import without_repeats
from recsys.listens.names import may_be_zip
from recsys.listens.pool import Listens
from recsys.listens.report import ReadReport
from recsys.listens.sources import MANY, ManySource, source_of
from recsys.listens.sources.columns import listens, names, totals
from recsys.listens.sources.many import BATCH
from recsys.listens.sources.source import Rows
from recsys.listens.table import Clock, LeftOut, Route, Source

MAX_ROWS = 10_000_000
"""Rows of one file; a hundred thousand members with a hundred artists each."""

_ENCODED = pa.schema(
    [
        pa.field(field.name, pa.dictionary(pa.int32(), pa.string()) if field.type == pa.string() else field.type)
        for field in BATCH
    ]
)


class TablePool:
    """The members of one file; a :class:`recsys.listens.Pool`. Made by :func:`read_pool`.

    Parameters
    ----------
    rows
        As :data:`recsys.listens.sources.many.BATCH`, texts dictionary-encoded, sorted by member.
    places
        For each member where their rows begin and end.
    """

    def __init__(self, rows: pa.Table, places: dict[str, tuple[int, int]], source: Source, route: Route) -> None:
        self._rows = rows
        self._places = places
        self._source = source
        self._route = route

    @property
    def members(self) -> Sequence[str]:
        """Who is in the file, sorted."""
        return tuple(self._places)

    def read(self, member: str) -> Listens:
        """Give the listens of one member.

        Raises
        ------
        KeyError
            If the member is not in the file.
        """
        start, stop = self._places[member]
        rows = _rows(self._rows.slice(start, stop - start), self._source, self._route)
        summed, joined = _summed(rows.table, self._source, self._route)
        report = ReadReport(rows.read, rows.table.num_rows, rows.left_out, files_read=1)
        table, repeats = without_repeats(summed)
        listened = marked(table)
        report = report.leaving_out({LeftOut.SUMMED.value: joined}).leaving_out(repeats)
        return Listens(member, listened, report.telling(listened))


def read_pool(path: str | Path, *, route: Route | None = None) -> TablePool:
    """Read a file that holds the listens of many members.

    Parameters
    ----------
    path
        A CSV, TSV or Parquet table, or a SQLite file as Unwrapped and Vana write them.
    route
        How the file came here. It must be stated for plain tables; elsewhere it may be stricter than what is known.

    Raises
    ------
    UnreadableExportError
        If the file is missing, damaged, hostile or of another kind, or if its route has to be stated.
    """
    path = Path(path)
    source = pool_source(path)
    if source is None:
        raise UnreadableExportError(path, "not a table of many members: expected CSV, TSV, Parquet or SQLite")
    try:
        known = _route(source, route)
        rows = pa.concat_tables([_ENCODED.empty_table(), *_bounded(source.batches(path))])
        return _pool(rows, source.source, known)
    except ValueError as fault:
        raise UnreadableExportError(path, str(fault)) from None
    except OSError as fault:
        raise UnreadableExportError(path, f"cannot be read: {fault.strerror or fault}") from None


def pool_source(path: Path) -> ManySource | None:
    """Tell of which kind a file of many members is; None if it is none."""
    try:
        head = head_of(path) if path.is_file() and not may_be_zip(path.name) else b""
    except OSError as fault:
        raise UnreadableExportError(path, f"cannot be read: {fault.strerror or fault}") from None
    if not head or source_of(path.name, head) is not None:
        return None
    return next((source for source in MANY if source.knows(head)), None)


def _route(source: ManySource, stated: Route | None) -> Route:
    if source.route is None and stated is None:
        routes = ", ".join(route.value for route in Route)
        raise ValueError(f"a plain table does not say how it came here; state its route (--route): {routes}")
    if source.route and stated and stated.strictness < source.route.strictness:
        raise ValueError(
            f"came by the route {source.route.value!r}, not {stated.value!r}; state a stricter route or none"
        )
    return stated or source.route or Route.SCRAPED


def _bounded(batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Give the rows with each text kept once, so that memory grows with rows and names, not with letters."""
    count = 0
    for batch in batches:
        count += batch.num_rows
        if count > MAX_ROWS:
            raise ValueError(f"more than {MAX_ROWS:,} rows; split the file by member and hand in the pieces")
        if batch["member"].null_count:
            raise ValueError("a row names no member; remove such rows")
        yield batch.cast(_ENCODED)


def _pool(rows: pa.Table, source: Source, route: Route) -> TablePool:
    whole = rows.unify_dictionaries().combine_chunks()
    if whole.num_rows == 0:
        raise ValueError("no rows; is this the whole file?")
    raw = whole["member"].combine_chunks()
    member, code = np.unique(np.array(names(raw.dictionary.to_pylist()).to_pylist()), return_inverse=True)
    codes = code[np.asarray(raw.indices)]
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(member) + 1))
    places = dict(zip(member.tolist(), pairwise(starts.tolist()), strict=True))
    return TablePool(whole.take(pa.array(order)), places, source, route)


def _rows(rows: pa.Table, source: Source, route: Route) -> Rows:
    artist = names(rows["artist"].to_pylist())
    artist_id = rows["artist_id"].cast(pa.string()).combine_chunks()
    plays, played_at = (rows[name].combine_chunks() for name in ("plays", "played_at"))
    return totals(artist, artist_id, plays, source, route, played_at=played_at)


def _summed(table: pa.Table, source: Source, route: Route) -> tuple[pa.Table, int]:
    """Add up the rows of an artist that have no time, which are parts of one total."""
    undated = table["played_at"].is_null()
    parts = table.filter(undated)
    sums = parts.group_by(["artist", "artist_id"], use_threads=False).aggregate([("plays", "sum")])
    columns = {"artist": sums["artist"], "artist_id": sums["artist_id"], "plays": sums["plays_sum"]}
    whole = {name: column.combine_chunks() for name, column in columns.items()}
    finished = pa.repeat(pa.scalar(True), sums.num_rows)
    total = listens({**whole, "finished": finished}, Clock.NONE, source, route)
    return pa.concat_tables([table.filter(pc.invert(undated)), total]), parts.num_rows - sums.num_rows
