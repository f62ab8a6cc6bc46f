"""A database that one writer at a time appends to: a SQLite file, or PostgreSQL by URL.

A writer holds the write lock for its whole transaction (SQLite's own; an advisory lock in PostgreSQL), so what it read
still holds when it writes. A reader sees one instant. Commits are on disk when they return.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from recsys.errors import ConfigError, LogBrokenError, StorageError

_LOCK_WAIT_SECONDS = 60
_PASSING = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_READONLY", "SQLITE_CANTOPEN")
_PASSING_CLASSES = {"08", "53", "54", "55", "57", "58"}
"""Of SQLSTATE: connection, resources (a full disk), limits, state, intervention, system."""


class Database:
    """Where append-only tables are kept.

    Parameters
    ----------
    where
        Path of a SQLite file, or a URL: ``sqlite:///...``, ``postgresql://user@host/name``.
    lock
        Name of the lock that writers take; what is written under one name is written by one at a time.
    metadata
        The tables; made by the first writer.

    Raises
    ------
    ConfigError
        If the URL is of another kind of database.
    """

    def __init__(self, where: str | Path, lock: str, metadata: sa.MetaData) -> None:
        url = sa.make_url(str(where)) if "://" in str(where) else sa.URL.create("sqlite", database=str(where))
        backend = url.get_backend_name()
        if backend not in {"sqlite", "postgresql"}:
            raise ConfigError(f"{url} is of another kind; give a path, or postgresql://user:password@host/name")
        self.path = Path(url.database or "") if backend == "sqlite" else None
        self.name = self.path.name if self.path else f"{url.database} at {url.host}"
        self._url = url if self.path else url.set(drivername="postgresql+psycopg")
        self._lock, self._metadata = lock, metadata
        self._engine: sa.Engine | None = None
        self._made = False

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a transaction in which nobody else writes; a clean exit commits it.

        Raises
        ------
        StorageError
            If the database cannot be reached or written now; nothing was written.
        LogBrokenError
            If it does not hold what it should.
        """
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._begun("BEGIN IMMEDIATE") as connection:
            if not self.path:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(self._lock, 0))))
            if not self._made:
                self._metadata.create_all(connection)
            yield connection
        self._made = True

    @contextmanager
    def reading(self) -> Iterator[sa.Connection | None]:
        """Give a transaction that sees one instant; ``None`` if there is no file. Creates nothing.

        Raises
        ------
        StorageError, LogBrokenError
            As in :meth:`writing`.
        """
        if self.path and not self.path.exists():
            yield None
            return
        with self._begun("BEGIN", isolation_level="REPEATABLE READ", postgresql_readonly=True) as connection:
            yield connection

    @contextmanager
    def _begun(self, begin: str, **options: Any) -> Iterator[sa.Connection]:  # noqa: ANN401 - of SQLAlchemy
        try:
            with self._connected(begin, options) as connection, connection.begin():
                yield connection
        except sa.exc.DBAPIError as error:
            cause = error.__cause__ or error
            if _passes(cause):
                raise StorageError(f"{self.name} cannot be used now: {cause}; nothing was written") from error
            raise LogBrokenError(f"{self.name} does not hold what it should: {cause}") from error
        except (UnicodeDecodeError, OverflowError) as error:  # the driver, reading what nobody wrote
            raise LogBrokenError(f"{self.name} does not hold what it should: {error}") from error

    def _connected(self, begin: str, options: dict[str, Any]) -> sa.Connection:
        if self._engine is None:
            self._engine = self._made_engine()
        if self.path is None:
            return self._engine.connect().execution_options(**options)
        return self._engine.connect().execution_options(begin=begin)

    def _made_engine(self) -> sa.Engine:
        if self.path is None:
            return sa.create_engine(self._url, poolclass=sa.NullPool)
        engine = sa.create_engine(self._url, poolclass=sa.NullPool, connect_args={"timeout": _LOCK_WAIT_SECONDS})
        sa.event.listen(engine, "connect", _prepare)
        sa.event.listen(engine, "begin", lambda c: c.exec_driver_sql(c.get_execution_options().get("begin", "BEGIN")))
        return engine


def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - sqlite3.Connection behind SQLAlchemy's hook
    connection.isolation_level = None  # transactions begin where this file says
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cell_size_check=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _passes(error: BaseException) -> bool:
    """Tell whether an error says that the database cannot be used now, rather than that it is damaged."""
    name = getattr(error, "sqlite_errorname", None)
    if name is not None:
        return str(name).startswith(_PASSING)
    state = getattr(error, "sqlstate", None)
    return hasattr(error, "sqlstate") and (state is None or state[:2] in _PASSING_CLASSES)


def grows_only(table: sa.Table) -> sa.Table:
    """Let the database itself refuse to change or remove a row of `table`."""
    said = f"{table.name} only grows"
    for verb in ("UPDATE", "DELETE"):
        _after(
            table,
            "sqlite",
            f"CREATE TRIGGER {table.name}_no_{verb.lower()} BEFORE {verb} ON {table.name} "
            f"BEGIN SELECT RAISE(ABORT, '{said}'); END",
        )
    function = f"{table.name}_grows_only"
    _after(
        table,
        "postgresql",
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{said}'; END $$",
    )
    for verbs, name in (("UPDATE OR DELETE", "change"), ("TRUNCATE", "truncate")):
        _after(
            table,
            "postgresql",
            f"CREATE TRIGGER {table.name}_no_{name} BEFORE {verbs} ON {table.name} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
        )
    return table


def _after(table: sa.Table, dialect: str, statement: str) -> None:
    sa.event.listen(table, "after_create", sa.DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]
