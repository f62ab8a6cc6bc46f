"""A buyer's own listeners: read, matched with the artists that a bundle knows, tested on, and forgotten.

What is read is who listened to whom and how often. Users are numbered and their ids dropped while reading; nothing is
written anywhere. A file may come from a stranger (the page of :mod:`recsys.web` takes uploads), so its size is checked
before it is unpacked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.bundle.names import NameIndex
from recsys.dataset.interactions import ARTIST, PLAYS, USER, Interactions, coded, read_table
from recsys.errors import ConfigError
from recsys.listens import artist_key

_BY_NAME = ("artist_name", "artistname", "artname", "artist", "name", *ARTIST)
_LOOKED_AT = frozenset({*USER, *_BY_NAME, *PLAYS})
_BLOCK, _LINES = 1 << 20, 1 << 16


@dataclass(frozen=True)
class Bounds:
    """How much of a file is read.

    Attributes
    ----------
    rows
        Lines.
    text
        Bytes of the file, unpacked.
    letters
        Of one name.
    """

    rows: int = 20_000_000
    text: int = 2 << 30
    letters: int = 1_000


@dataclass(frozen=True, eq=False)
class Histories:
    """Listeners without names.

    Attributes
    ----------
    plays
        Row r is one listener, shape (listeners, artists), float32.
    artists
        The artists' names, each artist key once: the spelling with the most lines.
    counted
        Whether the file says how often; else every value is 1.
    """

    plays: sp.csr_matrix
    artists: tuple[str, ...]
    counted: bool

    @classmethod
    def of(cls, interactions: Interactions) -> Histories:
        """Take what a file says; spellings of one artist key are one artist, and equal pairs are added up.

        Raises
        ------
        ConfigError
            If an artist has no name.
        """
        (_, user), (spelled, code) = coded([interactions.user]), coded([interactions.artist])
        keys = [artist_key(str(name)) for name in spelled]
        if "" in keys:
            raise ConfigError(f"{interactions.path.name} has an artist without a name; leave such lines out")
        _, artist = np.unique(np.array(keys, dtype=object), return_inverse=True)
        counted = any(name in interactions.table.column_names for name in PLAYS)
        plays = _matrix(user, artist[code], interactions.plays)
        plays.data = plays.data if counted else np.ones_like(plays.data)
        return cls(plays, _most_common(spelled, artist, code), counted)

    def columns_in(self, index: NameIndex) -> NDArray[np.int64]:
        """Give for each artist its column in a bundle, or -1, shape (artists,); a column may come twice."""
        return np.array([_place(index.column(name)) for name in self.artists], dtype=np.int64)

    def matched(self, index: NameIndex, *, correct: bool = False) -> Matched:
        """Match the artists with those of a bundle, by artist key and by the other spellings that the bundle tells.

        Parameters
        ----------
        index
            The bundle's artists.
        correct
            Take a name that is a slip away from one artist alone for that artist, too.
        """
        columns = self.columns_in(index)
        corrected: dict[str, str] = {}
        if correct:
            strange = [place for place in range(len(columns)) if columns[place] < 0]
            found = index.corrected([self.artists[place] for place in strange])
            corrected = {name: index.names[column] for name, column in found.items()}
            columns[strange] = [found.get(self.artists[place], -1) for place in strange]
        label = np.where(columns >= 0, columns, len(index) + np.arange(len(columns)))
        kept, group = np.unique(label, return_inverse=True)
        names = [index.names[one] if one < len(index) else self.artists[one - len(index)] for one in kept.tolist()]
        order = np.array(sorted(range(len(names)), key=lambda place: artist_key(names[place])), dtype=np.int64)
        pairs = self.plays.tocoo()
        plays = _matrix(pairs.row, np.argsort(order)[group][pairs.col], pairs.data)
        merged = Histories(plays, tuple(names[place] for place in order), self.counted)
        return Matched(merged, np.where(kept < len(index), kept, -1)[order], corrected)


@dataclass(frozen=True, eq=False)
class Matched:
    """Histories beside a bundle.

    Attributes
    ----------
    histories
        The histories; artists whom the bundle takes for one are one. They stand in the order of their artist keys,
        whatever the bundle, so that what is hidden of a listener does not depend on it.
    columns
        For each of their artists its column in the bundle, or -1; int64, shape (artists,). No column comes twice.
    corrected
        Names in which a slip was seen past, each with the artist that it was taken for.
    """

    histories: Histories
    columns: NDArray[np.int64]
    corrected: dict[str, str]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which artists the bundle knows."""
        return self.columns >= 0

    def in_bundle(self, plays: sp.csr_matrix, n_artists: int, typical_plays: float) -> sp.csr_matrix:
        """Give rows of histories in the bundle's columns; what it does not know is left out.

        Where the file does not say how often, an artist counts for the bundle's `typical_plays`.
        """
        pairs = plays.tocoo()
        chosen = self.columns[pairs.col] >= 0
        values = pairs.data[chosen] if self.histories.counted else np.full(int(chosen.sum()), typical_plays)
        found = (values.astype(np.float32), (pairs.row[chosen], self.columns[pairs.col[chosen]]))
        return sp.csr_matrix(found, shape=(plays.shape[0], n_artists))


def read_histories(path: Path, bounds: Bounds = Bounds()) -> Histories:
    """Read a buyer's own listeners: a Parquet or CSV file with columns of users, of artists' names, and maybe of plays.

    Parameters
    ----------
    path
        The file. Columns are told from their names, as in :meth:`recsys.dataset.interactions.Interactions.read`; where
        there are names and ids of artists, the names are taken.
    bounds
        What is refused before it is read.

    Raises
    ------
    ConfigError
        If it is no such file, or is beyond the bounds.
    """
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path} is no file; name one Parquet or CSV file")
    try:
        told = Interactions.of(_table(path, bounds), path, _BY_NAME)
        longest = pc.max(pc.utf8_length(told.artist)).as_py()
    except (pa.ArrowException, OSError, UnicodeError, KeyError, MemoryError) as error:
        what = " ".join(str(error).split())[:300]
        raise ConfigError(f"{path.name} cannot be read as a table of users and artists: {what}") from error
    _refuse(path, bounds, letters=longest)
    return Histories.of(told)


def _table(path: Path, bounds: Bounds) -> pa.Table:
    if path.exists() and _is_parquet(path):
        return _parquet(path, bounds)
    if path.exists():
        _refuse(path, bounds, text=_unpacked(path, bounds.text))
    table = read_table(path)
    _refuse(path, bounds, rows=len(table))
    return table


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _unpacked(path: Path, most: int) -> int:
    """Count the bytes of a text that may be compressed, no further than just beyond `most`."""
    size = 0
    with pa.input_stream(path) as stream:
        while size <= most and (block := stream.read(_BLOCK)):
            size += len(block)
    return size


def _parquet(path: Path, bounds: Bounds) -> pa.Table:
    """Read the columns that are looked at, after one pass over them in which each text is kept once.

    A Parquet file of some thousand bytes may hold one long text for millions of lines.
    """
    with pq.ParquetFile(path) as opened:
        _refuse(path, bounds, rows=opened.metadata.num_rows)
        schema = opened.schema_arrow
    wanted = [name for name in schema.names if name.strip().lower() in _LOOKED_AT]
    texts = [name for name in wanted if _is_text(schema.field(name).type)]
    size = 0
    with pq.ParquetFile(path, read_dictionary=texts) as opened:
        for batch in opened.iter_batches(_LINES, columns=wanted):
            size += sum(_letters(batch[name]) for name in wanted)
            _refuse(path, bounds, text=size)
        table = opened.read(columns=wanted or schema.names[:1])
    return table.rename_columns([name.strip().lower() for name in table.column_names])


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind))


def _letters(column: pa.Array) -> int:
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    lengths = np.asarray(pc.binary_length(column.dictionary).fill_null(0).to_numpy(zero_copy_only=False))
    return int(np.take(lengths, column.indices.drop_null().to_numpy()).sum(dtype=np.int64))


def _refuse(path: Path, bounds: Bounds, *, rows: int = 0, text: int = 0, letters: int = 0) -> None:
    for found, most, what in ((rows, bounds.rows, "lines"), (text, bounds.text, "bytes of text")):
        if found > most:
            raise ConfigError(f"{path.name} has more than {most:,} {what}; take a part of its listeners")
    if letters > bounds.letters:
        raise ConfigError(f"{path.name} holds a name of {letters:,} letters; at most {bounds.letters:,} are read")


def _matrix(row: NDArray[np.integer], column: NDArray[np.integer], plays: NDArray[np.generic]) -> sp.csr_matrix:
    shape = (int(row.max(initial=-1)) + 1, int(column.max(initial=-1)) + 1)
    matrix = sp.csr_matrix((plays.astype(np.float32), (row, column)), shape=shape)
    matrix.sum_duplicates()
    return matrix


def _most_common(spelled: NDArray[np.object_], artist: NDArray[np.int64], code: NDArray[np.int64]) -> tuple[str, ...]:
    """Give for each artist the spelling that most lines have, the first in the alphabet among equals."""
    lines = np.bincount(code, minlength=len(spelled))
    order = np.lexsort((np.arange(len(spelled)), -lines, artist))
    first = np.unique(artist[order], return_index=True)[1]
    return tuple(str(spelled[place]) for place in order[first])


def _place(column: int | None) -> int:
    return -1 if column is None else column
