"""What Unwrapped sells and what a Vana compute job is given: SQLite files with how often members played artists.

* The refined data of Unwrapped: ``user_top_artists`` (user_id_hash, artist_id, play_count), names in ``artists``.
* A query's result (``query_results.db``): one table ``results`` with those columns, or such as mean the same.

Each ``id_hash`` is a member. Its counts are of different tracks, not of plays, as Unwrapped's own code counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from recsys.listens.sources.many import Named
from recsys.listens.sources.strange_sqlite import MAGIC, Row, StrangeSqlite, opened
from recsys.listens.table import Route, Source

MAX_ARTISTS = 2_000_000

_TOP, _ARTISTS, _RESULTS = "user_top_artists", "artists", "results"
_EXPECTED = f"a table {_TOP} (user_id_hash, artist_id, play_count) or a table {_RESULTS} with such columns"


class Refined:
    """Reads both kinds of file (a :class:`recsys.listens.sources.many.ManySource`)."""

    source = Source.UNWRAPPED
    route: Route | None = Route.API

    def knows(self, head: bytes) -> bool:
        """Tell whether it is a database."""
        return head.startswith(MAGIC)

    def batches(self, path: Path) -> Iterator[pa.Table]:
        """Read the file piece by piece.

        Raises
        ------
        ValueError
            If it is damaged, hostile, or has no such table.
        """
        with opened(path) as database:
            table = next((name for name in (_TOP, _RESULTS) if name in database.tables()), None)
            named = Named.among(database.columns(table)) if table else None
            if table is None or named is None or named.plays is None:
                found = ", ".join(database.tables()[:20]) or "none"
                raise ValueError(f"found the plain tables {found}; expected {_EXPECTED}")
            called = _called(database) if named.artist is None else {}
            for rows in database.rows(table, named.columns):
                yield _batch(named, rows, called)


def _called(database: StrangeSqlite) -> dict[object, object]:
    called: dict[object, object] = {}
    if _ARTISTS in database.tables() and {"id", "name"} <= set(database.columns(_ARTISTS)):
        for rows in database.rows(_ARTISTS, ["id", "name"]):
            called.update((row[0], row[1]) for row in rows if row[1])
            if len(called) > MAX_ARTISTS:
                raise ValueError(f"more than {MAX_ARTISTS:,} artists; there are not so many")
    return called


def _batch(named: Named, rows: list[Row], called: dict[object, object]) -> pa.Table:
    columns = dict(zip(named.columns, zip(*rows, strict=True), strict=True))
    texts = {name: _texts(name, values) for name, values in columns.items()}
    if named.artist is not None or named.artist_id is None:
        return named.batch(pa.table(texts))
    artist = [called.get(value) for value in columns[named.artist_id]]
    with_names = Named(named.member, "\x00artist", named.artist_id, named.plays, named.played_at)
    return with_names.batch(pa.table({**texts, "\x00artist": _texts("name", artist)}))


def _texts(name: str, values: tuple[object, ...] | list[object]) -> pa.Array:
    """Write values of any type that SQLite has as text, but for bytes, which nothing here is."""
    if any(isinstance(value, bytes) for value in values):
        raise ValueError(f"the column {name!r} holds bytes; expected text or numbers")
    return pa.array([None if value is None else str(value) for value in values], pa.string())
