"""A stranger's SQLite file, opened so that nothing in it can act.

Read only and immutable, so nothing is written beside it; only plain tables that are asked for can be read, no view, no
trigger, no virtual table, no generated column and no function runs; sizes and work are bounded ("Defense Against The
Dark Arts", sqlite.org/security.html).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

MAGIC = b"SQLite format 3\x00"

_MAX_TEXT = 1 << 20
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: _MAX_TEXT,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 200,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 20,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
}
_PRAGMAS = ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON", "mmap_size=0", "temp_store=MEMORY")
_STEPS = 1_000_000
_MAX_STEPS = 5_000
_BATCH = 10_000

Row = tuple[object, ...]


class StrangeSqlite:
    """An open file; made by :func:`opened`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._readable = {"sqlite_master"}
        connection.set_authorizer(self._allows)

    def _allows(self, action: int, first: str | None, *_: object) -> int:
        fine = action == sqlite3.SQLITE_SELECT
        fine |= action == sqlite3.SQLITE_READ and first in self._readable
        fine |= action == sqlite3.SQLITE_PRAGMA and first == "table_xinfo"
        return sqlite3.SQLITE_OK if fine else sqlite3.SQLITE_DENY

    def tables(self) -> list[str]:
        """Name the plain tables."""
        rows = self._connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchmany(1_000)
        return [str(name) for name, sql in rows if not str(sql).lstrip().upper().startswith("CREATE VIRTUAL")]

    def columns(self, table: str) -> list[str]:
        """Name the stored columns of a plain table."""
        rows = self._connection.execute(f"PRAGMA table_xinfo({_quoted(table)})").fetchall()
        return [str(row[1]) for row in rows if row[6] == 0]

    def rows(self, table: str, columns: list[str]) -> Iterator[list[Row]]:
        """Read columns of a plain table, some rows at a time."""
        if table not in self.tables() or not set(columns) <= set(self.columns(table)):
            raise ValueError(f"{table!r} is no plain table with the columns {', '.join(columns)}")
        self._readable.add(table)
        cursor = self._connection.execute(f"SELECT {', '.join(map(_quoted, columns))} FROM {_quoted(table)}")  # noqa: S608 - names are quoted and checked
        while batch := cursor.fetchmany(_BATCH):
            yield batch


@contextmanager
def opened(path: Path) -> Iterator[StrangeSqlite]:
    """Open a file.

    Raises
    ------
    ValueError
        If it is damaged, or does what it should not.
    """
    ticks = iter(range(_MAX_STEPS))
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            for limit, value in _LIMITS.items():
                connection.setlimit(limit, value)
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            connection.set_progress_handler(lambda: next(ticks, None) is None, _STEPS)
            yield StrangeSqlite(connection)
    except (sqlite3.Error, UnicodeDecodeError) as fault:
        raise ValueError(f"a database that is damaged or not as it should be ({fault})") from None


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
