"""Files of interactions as other people write them: who, with what, how often, when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from recsys.errors import ConfigError

USER = ("user", "user_id", "userid")
ARTIST = ("artist", "artist_id", "artistid", "item", "item_id", "itemid", "track", "track_id")
PLAYS = ("plays", "play_count", "playcount", "count")
TIME = ("time", "timestamp", "ts", "played_at", "date")
NEGATIVES = ("negatives", "negative")
_MOST_PLAYS = 2**24  # float32 holds every integer up to here
_PARQUET = b"PAR1"


@dataclass(frozen=True, eq=False)
class Interactions:
    """A file of interactions, line by line.

    Attributes
    ----------
    path
        The file.
    user, artist
        What they are called there, as texts.
    plays
        How often; 1 where the file does not say. Shape (lines,).
    table
        All columns; names are in small letters, with underscores for blanks.
    """

    path: Path
    user: pa.ChunkedArray
    artist: pa.ChunkedArray
    plays: NDArray[np.int64]
    table: pa.Table

    @classmethod
    def read(cls, path: Path) -> Interactions:
        """Read a Parquet or CSV file; the columns are told from their names, wherever they stand.

        Parameters
        ----------
        path
            The file. Its first bytes say whether it is Parquet; CSV may be compressed (``.gz``, ``.bz2``), and its
            fields parted by commas, tabs or semicolons.

        Raises
        ------
        ConfigError
            If the file cannot be read, or a column is missing or holds something else; names file and column.
        """
        return cls.of(read_table(path), path)

    @classmethod
    def of(cls, table: pa.Table, path: Path, artist: Sequence[str] = ARTIST) -> Interactions:
        """Take a table that was read from `path`; `artist` are the names that the column of artists may have.

        Raises
        ------
        ConfigError
            As in :meth:`read`.
        """
        user, artists = texts(table, USER, path), texts(table, artist, path)
        if not len(table):
            raise ConfigError(f"{path.name} has a head and no lines; there is nothing to learn from")
        given = [name for name in PLAYS if name in table.column_names]
        if not given:
            return cls(path, user, artists, np.ones(len(table), dtype=np.int64), table)
        return cls(path, user, artists, _numbers(table[given[0]], f"{path.name}: column {given[0]!r}"), table)

    @property
    def timed(self) -> bool:
        """Whether the file tells times."""
        return any(name in self.table.column_names for name in TIME)

    def times(self) -> NDArray[np.float64]:
        """Give the time of each line in seconds, or in whatever number the file holds.

        Raises
        ------
        ConfigError
            If the file has no column of times, or one that is no time.
        """
        column = column_of(self.table, TIME, self.path)
        try:
            if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
                return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
            stamps = column.cast(pa.timestamp("us")).cast(pa.int64())
            return np.asarray(stamps.to_numpy(), dtype=np.float64) / 1e6
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise ConfigError(f"{self.path.name}: the column of times holds something else: {error}") from error


def read_table(path: Path) -> pa.Table:
    """Read a Parquet or CSV file; columns are named as in :attr:`Interactions.table`.

    Raises
    ------
    ConfigError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            parquet = file.read(len(_PARQUET)) == _PARQUET or path.suffix == ".parquet"
        table = pq.read_table(path) if parquet else _csv(path)
    except FileNotFoundError as error:
        raise ConfigError(f"there is no file {path}; put the interactions there or name another file") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise ConfigError(f"{path.name} is neither a Parquet nor a CSV file that can be read: {error}") from error
    return table.rename_columns([_plain(name) for name in table.column_names])


def column_of(table: pa.Table, names: Sequence[str], path: Path) -> pa.ChunkedArray:
    """Give the first column that has one of these names.

    Raises
    ------
    ConfigError
        If there is none, or it has empty places.
    """
    for name in names:
        if name in table.column_names:
            if table[name].null_count:
                raise ConfigError(f"{path.name}: column {name!r} has {table[name].null_count} empty places")
            return table[name]
    raise ConfigError(
        f"{path.name} has the columns {', '.join(table.column_names)}; one of {', '.join(names)} is needed, "
        "named in the first line"
    )


def texts(table: pa.Table, names: Sequence[str], path: Path) -> pa.ChunkedArray:
    """Give a column as texts; arguments and errors as of :func:`column_of`."""
    column = column_of(table, names, path)
    try:
        return pc.cast(column, pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ConfigError(
            f"{path.name}: the column of {names[0]}s holds {column.type}; it must hold names or numbers"
        ) from error


def coded(columns: Sequence[pa.ChunkedArray]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Give numbers to texts, in their order.

    Parameters
    ----------
    columns
        Texts, read one behind the other.

    Returns
    -------
    names, codes
        Each text once, ascending, and for each place which one stands there.
    """
    told = pa.chunked_array([chunk for column in columns for chunk in column.chunks], type=pa.string())
    whole = told.dictionary_encode().combine_chunks()
    met = np.asarray(whole.dictionary.to_numpy(zero_copy_only=False), dtype=object)
    order = np.argsort(met, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return met[order], rank[np.asarray(whole.indices)]


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_")


def _csv(path: Path) -> pa.Table:
    """Read CSV, who and what as texts: a number that is a name keeps its zeros and all of its digits."""
    options = pyarrow.csv.ParseOptions(delimiter=_delimiter(path))
    with pyarrow.csv.open_csv(path, parse_options=options) as reader:
        names = reader.schema.names
    named = {name for name in names if _plain(name) in {*USER, *ARTIST, *NEGATIVES}}
    kept = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(named, pa.string()), strings_can_be_null=True, null_values=[""]
    )
    return pyarrow.csv.read_csv(path, parse_options=options, convert_options=kept)


def _delimiter(path: Path) -> str:
    """Tell what parts the fields: what stands most often in the first line."""
    with pa.input_stream(path) as stream:
        head = stream.read(4096).split(b"\n", 1)[0].decode("utf-8", "replace")
    return max(",", "\t", ";", key=head.count)


def _numbers(column: pa.ChunkedArray, where: str) -> NDArray[np.int64]:
    told = "; leave such lines out, or the column: without it each line is one play"
    try:
        plays = column.cast(pa.int64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ConfigError(f"{where} must hold whole numbers of plays: {error}{told}") from error
    numbers: NDArray[Any] = plays.to_numpy()
    if column.null_count or (len(numbers) and not (numbers.min() >= 1 and numbers.max() <= _MOST_PLAYS)):
        raise ConfigError(f"{where} must hold numbers from 1 to {_MOST_PLAYS} without gaps{told}")
    return numbers.astype(np.int64)
