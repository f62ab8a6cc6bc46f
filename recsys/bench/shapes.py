"""Matrices to measure on: music-like ones made up by seed, and real ones from a Parquet file.

A made-up listener has a taste, a sparse Dirichlet mix of topics, and an activity drawn from a log-normal. Artists have
Zipf popularity, belong to three topics each with different weight, and one listen in ten follows popularity alone.
Plays are log-normal. So made (on a tenth of M's listeners) a factorization of 128 factors reaches an NDCG@100 of .26 on
held-out listeners and popularity .09; on M one artist in a hundred holds about half of the pairs. The shapes are those
of the sets that the literature measures on: M is Last.fm-360K, L the Million Song Dataset of Liang et al., W has many
artists for its listeners, S is small.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.errors import ConfigError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_USERS_AT_ONCE = 16_384
_TOPICS = 160
_TOPICS_PER_ITEM = 3
_TASTE = 0.01  # Dirichlet concentration: most of a taste lies in one to three topics
_MAINSTREAM = 0.1  # share of listens that follow popularity alone
_ZIPF = 1.15
_TURNS = 8  # of drawing until who still lacks artists follows popularity alone; after as many more any artist will do
_ALIASES = {
    "user": ("user", "user_id"),
    "artist": ("artist", "artist_id", "item", "item_id", "track", "track_id"),
    "plays": ("plays", "weight"),
}


@dataclass(frozen=True)
class Shape:
    """How large a matrix is.

    Attributes
    ----------
    shape
        What it is called in a table.
    users, items, pairs
        Rows, columns and stored pairs.
    """

    shape: str
    users: int
    items: int
    pairs: int


SHAPES = {
    size.shape: size
    for size in (
        Shape("S", 10_000, 20_000, 1_000_000),
        Shape("M", 358_868, 160_112, 17_400_000),
        Shape("L", 571_355, 41_140, 33_600_000),
        Shape("W", 7_000, 34_000, 400_000),
    )
}


def shape_named(name: str) -> Shape:
    """Look a shape up; ``ConfigError`` names the ones there are."""
    if name not in SHAPES:
        raise ConfigError(f"no shape is called {name!r}; take {', '.join(SHAPES)} or the path of a Parquet file")
    return SHAPES[name]


def open_plays(source: str, seed: int = 0) -> tuple[Shape, sp.csr_matrix]:
    """Make up a shape by its name, or read a Parquet file by its path; give how large it is, and the plays.

    Raises
    ------
    ConfigError
        If it is neither.
    """
    if source in SHAPES or not Path(source).exists():
        shape = shape_named(source)
        return shape, plays_like_music(shape, seed)
    plays = plays_from_parquet(Path(source))
    return Shape(Path(source).stem, *plays.shape, plays.nnz), plays


def confidence_of(plays: sp.csr_matrix) -> sp.csr_matrix:
    """Turn plays into the confidence that all are measured with, ``1 + 4 log(1 + plays)``, float32."""
    values = 1 + 4 * np.log1p(plays.data)
    return sp.csr_matrix((values.astype(np.float32), plays.indices, plays.indptr), shape=plays.shape)


def plays_like_music(shape: Shape, seed: int = 0) -> sp.csr_matrix:
    """Make up the plays of a shape.

    Parameters
    ----------
    shape
        Users, artists and pairs.
    seed
        Decides everything, whatever the machine.

    Returns
    -------
    Row u holds the plays of listener u, float32, exactly the pairs that were asked for, every row with at least one.
    """
    world, crowd = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
    catalogue = _Catalogue.made_up(shape.items, world)
    activity = _activity(shape, world)
    parts = [_histories(catalogue, counts, crowd) for counts in _blocks(activity)]
    indptr = np.concatenate([[0], np.cumsum(activity)])
    indices = np.concatenate([items for items, _ in parts])
    plays = np.concatenate([plays for _, plays in parts])
    return sp.csr_matrix((plays, indices, indptr.astype(np.int32)), shape=(shape.users, shape.items))


def _blocks(activity: Ints) -> Iterator[Ints]:
    return (activity[start : start + _USERS_AT_ONCE] for start in range(0, len(activity), _USERS_AT_ONCE))


def _activity(shape: Shape, rng: np.random.Generator) -> Ints:
    """Draw how many artists each listener has: log-normal, at most half the catalogue, adding up to the pairs."""
    most = max(1, shape.items // 2)
    if not shape.users <= shape.pairs <= shape.users * most:
        raise ConfigError(
            f"{shape.pairs} pairs do not go into {shape.users} x {shape.items}; "
            f"ask for {shape.users} to {shape.users * most}"
        )
    drawn = rng.lognormal(0, 0.7, shape.users)
    counts: Ints = np.clip(np.rint(drawn * (shape.pairs / drawn.sum())), 1, most).astype(np.int64)
    order = rng.permutation(shape.users)
    while missing := shape.pairs - counts.sum():
        step = int(np.sign(missing))
        able = order[(counts[order] < most) if step > 0 else (counts[order] > 1)]
        counts[able[: abs(missing)]] += step
    return counts


@dataclass(frozen=True)
class _Catalogue:
    """Artists laid out topic by topic, so that a draw from a topic is a search in one ascending array.

    `items` names the artist of each entry, `reach` sums the entries' weights up, and topic t has the entries from
    ``edges[t]`` to ``edges[t + 1]``.
    """

    n_items: int
    items: Ints
    reach: Floats
    edges: Ints

    @classmethod
    def made_up(cls, n_items: int, rng: np.random.Generator) -> _Catalogue:
        popularity = (rng.permutation(n_items) + 10.0) ** -_ZIPF
        topics = rng.integers(0, _TOPICS, (n_items, _TOPICS_PER_ITEM))
        share = rng.dirichlet(np.full(_TOPICS_PER_ITEM, 0.5), n_items)
        order = np.argsort(topics.ravel(), kind="stable")
        reach = np.cumsum((popularity[:, None] * share).ravel()[order])
        edges = np.searchsorted(topics.ravel()[order], np.arange(_TOPICS + 1))
        return cls(n_items, order // _TOPICS_PER_ITEM, reach, edges)

    def draw(self, tastes: Floats, users: Ints, mainstream: float, rng: np.random.Generator) -> Ints:
        """Draw an artist for each entry of `users`; row u of `tastes` sums the topics of user u up, from u to u + 1."""
        topics = np.searchsorted(tastes.ravel(), users + rng.random(len(users)), side="right")
        topics = np.minimum(topics - users * _TOPICS, _TOPICS - 1)
        below = np.concatenate([[0.0], self.reach])
        low, high = below[self.edges[topics]], below[self.edges[topics + 1]]
        anywhere = rng.random(len(users)) < mainstream
        low, high = np.where(anywhere, 0, low), np.where(anywhere, self.reach[-1], high)
        entry = np.searchsorted(self.reach, low + (high - low) * rng.random(len(users)), side="right")
        drawn: Ints = self.items[np.minimum(entry, len(self.items) - 1)]
        return drawn


def _histories(
    catalogue: _Catalogue, counts: Ints, rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Draw the artists and plays of a block of listeners; ``counts[r]`` of them, ascending, for listener r."""
    tastes = np.cumsum(rng.standard_gamma(_TASTE, (len(counts), _TOPICS)) + 1e-12, axis=1)
    tastes = tastes / tastes[:, -1:] + np.arange(len(counts))[:, None]
    have, missing = np.empty(0, dtype=np.int64), counts
    for turn in count():
        users = np.repeat(np.arange(len(counts)), missing + missing // 2 + 1)
        curiosity = turn / _TURNS  # whoever has exhausted the topics listens further and further afield
        drawn = catalogue.draw(tastes, users, _MAINSTREAM + curiosity, rng)
        drawn = np.where(rng.random(len(users)) < curiosity - 1, rng.integers(0, catalogue.n_items, len(users)), drawn)
        fresh = _new(np.sort(users * catalogue.n_items + drawn), have)
        have = np.sort(np.concatenate([have, _first(rng.permutation(fresh), catalogue.n_items, missing)]))
        missing = counts - np.bincount(have // catalogue.n_items, minlength=len(counts))
        if not missing.any():
            break
    plays = 1 + np.floor(rng.lognormal(2.0, 1.3, len(have)))
    return (have % catalogue.n_items).astype(np.int32), plays.astype(np.float32)


def _new(drawn: Ints, have: Ints) -> Ints:
    """Keep of ascending keys the first of each and none that is in `have`, ascending too."""
    first = np.diff(drawn, prepend=-1) > 0
    known = np.append(have, -1)[np.searchsorted(have, drawn)] == drawn
    fresh: Ints = drawn[first & ~known]
    return fresh


def _first(keys: Ints, n_items: int, most: Ints) -> Ints:
    """Keep, in the order given, as many keys of each user as ``most`` says."""
    users = keys // n_items
    order = np.argsort(users, kind="stable")
    starts = np.searchsorted(users[order], np.arange(len(most)))
    place = np.arange(len(keys)) - starts[users[order]]
    first: Ints = keys[order[place < most[users[order]]]]
    return first


def plays_from_parquet(path: Path) -> sp.csr_matrix:
    """Read plays from a Parquet file.

    Parameters
    ----------
    path
        A file with the columns user (or user_id), artist (or artist_id, item, item_id, track, track_id) and plays (or
        weight; without them each row counts 1). Of a folder its ``train.parquet``.

    Returns
    -------
    Users and artists in ascending order of their ids, plays of equal pairs added up, float32.

    Raises
    ------
    ConfigError
        If there is no such file or a column is missing.
    """
    file = path / "train.parquet" if path.is_dir() else path
    if not file.is_file():
        raise ConfigError(f"{path} is no Parquet file and no folder with a train.parquet; give one")
    table = pq.read_table(file)
    users, n_users = _coded(_column(table, "user", file))
    artists, n_artists = _coded(_column(table, "artist", file))
    named = [name for name in _ALIASES["plays"] if name in table.column_names]
    plays = table[named[0]].to_numpy() if named else np.ones(table.num_rows)
    matrix = sp.coo_matrix((plays.astype(np.float32), (users, artists)), shape=(n_users, n_artists)).tocsr()
    return sp.csr_matrix(matrix)


def _column(table: pa.Table, what: str, file: Path) -> pa.ChunkedArray:
    for name in _ALIASES[what]:
        if name in table.column_names:
            return table[name]
    wanted = " or ".join(_ALIASES[what])
    raise ConfigError(f"{file.name} has the columns {table.column_names}; one must be called {wanted}")


def _coded(column: pa.ChunkedArray) -> tuple[Ints, int]:
    known = pc.unique(column)
    known = known.take(pc.array_sort_indices(known))
    return pc.index_in(column, known).to_numpy().astype(np.int64), len(known)
