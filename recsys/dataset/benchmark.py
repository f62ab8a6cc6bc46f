"""A public file of interactions becomes a dataset version, marked as what it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsys.canonical import Pseudonym, sha256_file
from recsys.dataset.interactions import ARTIST, NEGATIVES, USER, Interactions, coded, read_table, texts
from recsys.dataset.manifest import PUBLIC_BENCHMARK
from recsys.dataset.version import DatasetVersion, Pairs, Parts, assemble
from recsys.errors import ConfigError, DatasetTooSmallError

_NAME = ("name", "artist_name")


def import_benchmark(
    files: Sequence[str | Path],
    *,
    name: str,
    names_file: str | Path | None = None,
    top_items: int | None = None,
    min_listeners: int = 1,
) -> DatasetVersion:
    """Make a version of public interactions, for ever marked ``public-benchmark``.

    Parameters
    ----------
    files
        Parquet or CSV files of one shape: a column ``user`` or ``user_id``; a column ``artist``, ``artist_id``,
        ``item``, ``item_id``, ``track`` or ``track_id``; and, optionally, ``plays``. Without plays each row is one
        play. A pair that comes more than once is added up.
    name
        What the benchmark is called; it names the line of versions.
    names_file
        Optional Parquet or CSV file with an artist column as above and a column ``name``. Where two artists share a
        name, the id is put behind it.
    top_items
        Keep so many artists, those that most users have; among equals those whose ids come first.
    min_listeners
        Keep artists that so many users have. Users who have nothing that is kept are left out.

    Raises
    ------
    ConfigError
        If a file or a column is missing or holds something else; names the file and the column.
    DatasetTooSmallError
        If no artist has so many users.
    """
    if not files:
        raise ConfigError(f"the benchmark {name!r} names no files; give at least one Parquet or CSV file")
    if min_listeners < 1 or (top_items is not None and top_items < 1):
        raise ConfigError(f"top_items is {top_items} and min_listeners {min_listeners}; each must be 1 or more")
    paths = [Path(file) for file in files]
    told = [Interactions.read(path) for path in paths]
    users, member = coded([one.user for one in told])
    artists, artist = coded([one.artist for one in told])
    plays = np.concatenate([one.plays for one in told])
    if top_items is not None or min_listeners > 1:
        line = _kept(member, artist, top_items, min_listeners)
        (users, member), (artists, artist) = _used(users, member[line]), _used(artists, artist[line])
        plays = plays[line]
    titles = np.array(_titles(artists.tolist(), names_file), dtype=object)
    order = np.argsort(titles, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    pairs = Pairs.summed(member, place[artist], plays, np.zeros(len(plays), dtype=np.int64))
    read_from = {path.name: sha256_file(path) for path in [*paths, *([Path(names_file)] if names_file else [])]}
    facts: dict[str, Any] = {
        "provenance": PUBLIC_BENCHMARK,
        "purpose": None,
        "at": None,
        "ledger": None,
        "parent": None,
        "rules": _rules(top_items, min_listeners),
        "counts": {},
        "source": {"name": name, "files": read_from},
    }
    return assemble(Parts([Pseudonym(user) for user in users], titles[order].tolist(), pairs), facts)


def benchmark_events(file: str | Path, version: DatasetVersion) -> tuple[NDArray[Any], ...]:
    """Read what was heard when from a file that :func:`import_benchmark` made `version` of, alone and without names.

    Returns
    -------
    row, column, plays, time
        For each line of the file that the version keeps: the listener's row and the artist's column in it, the plays,
        and the time in seconds (or in whatever number the file holds); all of shape (lines,).

    Raises
    ------
    ConfigError
        If the file has no column of times, or one that is no time.
    """
    told = Interactions.read(Path(file))
    times = told.times()
    row, column = _rows(told.user, version.members), _rows(told.artist, version.artists.names)
    known = (row >= 0) & (column >= 0)
    return row[known], column[known], told.plays[known], times[known]


def benchmark_targets(file: str | Path, version: DatasetVersion) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Read pairs of a file beside that of a version: what is to be found, or what must not be taken for it.

    Parameters
    ----------
    file
        Parquet or CSV; columns as in :func:`import_benchmark`. A column ``negatives`` may hold a list of artists in
        each line.
    version
        Of the file that trains.

    Returns
    -------
    row, column, n_unknown
        For each pair the listener's row and the artist's column in the version, int64, shape (pairs,). Artists that the
        version does not have are numbered on from its last column: they are there to be missed. And the number of users
        that the version does not have, whose pairs are left out.

    Raises
    ------
    ConfigError
        As :func:`import_benchmark`.
    """
    path = Path(file)
    users, artists = _one_by_one(read_table(path), path)
    row = _rows(users, version.members)
    names, item = coded([artists])
    column = _places(names, version.artists.names)
    fresh = column < 0
    column[fresh] = len(version.artists) + np.arange(int(fresh.sum()))
    unknown = len(users.filter(pa.array(row < 0)).unique())
    return row[row >= 0], column[item][row >= 0], unknown


def _one_by_one(table: pa.Table, path: Path) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Give users and artists, one of each for each pair, where a line may hold a list of artists."""
    users = texts(table, USER, path)
    name = next((name for name in NEGATIVES if name in table.column_names), None)
    if name is None:
        return users, texts(table, ARTIST, path)
    column = table[name]
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
        return users, texts(table, NEGATIVES, path)
    flat = pa.table({name: pc.list_flatten(column)})
    return users.take(pc.list_parent_indices(column)), texts(flat, (name,), path)


def _rows(told: pa.ChunkedArray, among: Sequence[str]) -> NDArray[np.int64]:
    """Give for each text its place among names; -1 where it is not."""
    names, codes = coded([told])
    return _places(names, among)[codes]


def _places(names: NDArray[np.object_], among: Sequence[str]) -> NDArray[np.int64]:
    places = {name: place for place, name in enumerate(among)}
    return np.array([places.get(name, -1) for name in names], dtype=np.int64)


def _rules(top_items: int | None, min_listeners: int) -> dict[str, Any]:
    """Say how the file was read; what was not asked for is not named, so that a plain import stays what it was."""
    asked = {"top_items": top_items, "min_listeners": min_listeners if min_listeners > 1 else None}
    return {"play": "as given in the file", **{name: number for name, number in asked.items() if number is not None}}


def _kept(
    member: NDArray[np.int64], artist: NDArray[np.int64], top_items: int | None, min_listeners: int
) -> NDArray[np.bool_]:
    """Tell which lines are of artists that enough users have."""
    n_artists = int(artist.max()) + 1
    listeners = np.bincount(np.unique(member * n_artists + artist) % n_artists, minlength=n_artists)
    chosen = listeners >= min_listeners
    if not chosen.any():
        raise DatasetTooSmallError(
            f"no artist has {min_listeners} listeners, the most that one has is {listeners.max()}; ask for fewer"
        )
    if top_items is not None:
        chosen[np.argsort(-listeners, kind="stable")[top_items:]] = False
    kept: NDArray[np.bool_] = chosen[artist]
    return kept


def _used(names: NDArray[np.object_], codes: NDArray[np.int64]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Leave out names that no code stands for any more."""
    there, again = np.unique(codes, return_inverse=True)
    return names[there], again.astype(np.int64)


def _titles(artist_ids: list[str], names_file: str | Path | None) -> list[str]:
    if names_file is None:
        return artist_ids
    path = Path(names_file)
    table = read_table(path)
    ids, names = (texts(table, wanted, path).to_pylist() for wanted in (ARTIST, _NAME))
    named = dict(zip(ids, names, strict=True))
    titles = [str(named.get(artist, artist)).strip() or artist for artist in artist_ids]
    shared = {title for title, count in Counter(titles).items() if count > 1}
    return [
        f"{title} ({artist})" if title in shared else title for artist, title in zip(artist_ids, titles, strict=True)
    ]
