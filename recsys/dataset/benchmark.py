"""A public file of interactions becomes a dataset version, marked as what it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from recsys.canonical import Pseudonym, sha256_file
from recsys.dataset.manifest import PUBLIC_BENCHMARK
from recsys.dataset.version import DatasetVersion, Pairs, Parts, assemble
from recsys.errors import ConfigError

_USER = ("user", "user_id", "userid")
_ARTIST = ("artist", "artist_id", "item", "item_id", "track")
_PLAYS = ("plays", "play_count", "count")
_TIME = ("time", "timestamp", "ts", "played_at", "date")
_NAME = ("name", "artist_name")
_MOST_PLAYS = 2**24  # float32 holds every integer up to here


def import_benchmark(files: Sequence[str | Path], *, name: str, names_file: str | Path | None = None) -> DatasetVersion:
    """Make a version of public interactions, for ever marked ``public-benchmark``.

    Parameters
    ----------
    files
        Parquet or CSV files of one shape: a column ``user`` or ``user_id``; a column ``artist``, ``artist_id``,
        ``item``, ``item_id`` or ``track``; and, optionally, ``plays``. Without plays each row is one play. A pair that
        comes more than once is added up.
    name
        What the benchmark is called; it names the line of versions.
    names_file
        Optional Parquet or CSV file with an artist column as above and a column ``name``. Where two artists share a
        name, the id is put behind it.

    Raises
    ------
    ConfigError
        If a file or a column is missing or holds something else; names the file and the column.
    """
    if not files:
        raise ConfigError(f"the benchmark {name!r} names no files; give at least one Parquet or CSV file")
    paths = [Path(file) for file in files]
    tables = [_interactions(path) for path in paths]
    users, artists, plays = (
        np.concatenate(column) for column in zip(*((_texts(t[0]), _texts(t[1]), t[2]) for t in tables), strict=True)
    )
    user_names, member = np.unique(users, return_inverse=True)
    artist_ids, artist = np.unique(artists, return_inverse=True)
    titles = np.array(_titles(artist_ids.tolist(), names_file), dtype=object)
    order = np.argsort(titles, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    pairs = Pairs.summed(member.astype(np.int64), place[artist], plays, np.zeros(len(plays), dtype=np.int64))
    read_from = {path.name: sha256_file(path) for path in [*paths, *([Path(names_file)] if names_file else [])]}
    facts: dict[str, Any] = {
        "provenance": PUBLIC_BENCHMARK,
        "purpose": None,
        "at": None,
        "ledger": None,
        "parent": None,
        "rules": {"play": "as given in the file"},
        "counts": {},
        "source": {"name": name, "files": read_from},
    }
    return assemble(Parts([Pseudonym(user) for user in user_names], titles[order].tolist(), pairs), facts)


def benchmark_events(file: str | Path, version: DatasetVersion) -> tuple[NDArray[Any], ...]:
    """Read what was heard when from a file that :func:`import_benchmark` made `version` of, alone and without names.

    Returns
    -------
    row, column, plays, time
        For each line of the file: the listener's row and the artist's column in the version, the plays, and the time in
        seconds (or in whatever number the file holds); all of shape (lines,).

    Raises
    ------
    ConfigError
        If the file has no column of times, or one that is no time.
    """
    path = Path(file)
    user, artist, plays = _interactions(path)
    times = _times(_column(_table(path), _TIME, path), path.name)
    row = np.searchsorted(np.array(version.members, dtype=object), _texts(user))
    columns = {name: place for place, name in enumerate(version.artists.names)}
    column = np.array([columns[name] for name in _texts(artist)], dtype=np.int64)
    return row.astype(np.int64), column, plays, times


def _times(column: pa.ChunkedArray, name: str) -> NDArray[np.float64]:
    try:
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
        stamps = column.cast(pa.timestamp("us")).cast(pa.int64())
        return np.asarray(stamps.to_numpy(), dtype=np.float64) / 1e6
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ConfigError(f"{name}: the column of times holds something else: {error}") from error


def _interactions(path: Path) -> tuple[pa.ChunkedArray, pa.ChunkedArray, NDArray[np.int64]]:
    table = _table(path)
    user, artist = _column(table, _USER, path), _column(table, _ARTIST, path)
    given = [name for name in _PLAYS if name in table.column_names]
    if not given:
        return user, artist, np.ones(len(table), dtype=np.int64)
    plays = _numbers(table[given[0]], f"{path.name}: column {given[0]!r}")
    return user, artist, plays


def _numbers(column: pa.ChunkedArray, where: str) -> NDArray[np.int64]:
    try:
        plays = np.asarray(column.cast(pa.int64()).to_numpy())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ConfigError(f"{where} must hold whole numbers of plays: {error}") from error
    if column.null_count or (len(plays) and not (plays.min() >= 1 and plays.max() <= _MOST_PLAYS)):
        raise ConfigError(f"{where} must hold numbers from 1 to {_MOST_PLAYS} without gaps")
    return plays.astype(np.int64)


def _table(path: Path) -> pa.Table:
    try:
        return pyarrow.csv.read_csv(path) if path.suffix.lower() == ".csv" else pq.read_table(path)
    except FileNotFoundError as error:
        raise ConfigError(f"there is no file {path}; put the benchmark there or name another one") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise ConfigError(f"{path.name} is neither a Parquet nor a CSV file that can be read: {error}") from error


def _column(table: pa.Table, names: Sequence[str], path: Path) -> pa.ChunkedArray:
    for name in names:
        if name in table.column_names:
            if table[name].null_count:
                raise ConfigError(f"{path.name}: column {name!r} has {table[name].null_count} empty places")
            return table[name]
    raise ConfigError(
        f"{path.name} has the columns {', '.join(table.column_names)}; one of {', '.join(names)} is needed"
    )


def _texts(column: pa.ChunkedArray) -> NDArray[np.object_]:
    return np.asarray(pc.cast(column, pa.string()).to_numpy(zero_copy_only=False), dtype=object)


def _titles(artist_ids: list[str], names_file: str | Path | None) -> list[str]:
    if names_file is None:
        return artist_ids
    path = Path(names_file)
    table = _table(path)
    ids, names = _texts(_column(table, _ARTIST, path)), _texts(_column(table, _NAME, path))
    named = dict(zip(ids, names, strict=True))
    titles = [str(named.get(artist, artist)).strip() or artist for artist in artist_ids]
    shared = {title for title, count in zip(*np.unique(titles, return_counts=True), strict=True) if count > 1}
    return [
        f"{title} ({artist})" if title in shared else title for artist, title in zip(artist_ids, titles, strict=True)
    ]
