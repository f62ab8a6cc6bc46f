"""A member's listens as arrays: what every measure of a contribution looks at."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsys.listens import artist_key
from recsys.listens.table import Clock, Source

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Mask = NDArray[np.bool_]

UNKNOWN = -1
_SPOTIFY = "spotify-"


@dataclass(frozen=True, eq=False)
class History:
    """A member's listens, one entry a row, in the order of time; the order of the table's rows does not matter.

    Attributes
    ----------
    told
        When the play was told, milliseconds since 1970; -1 where there is no time.
    ms
        Milliseconds played; -1 where that is unknown.
    plays
        How many plays the row stands for.
    artist, track
        Numbers that stand for the artist's key, and for the title among that artist's.
    titled
        Whether there is a title.
    second, minute, synthetic
        How the time is known; none of them where there is no time, or one that the service is known to make up.
    ends
        Whether the time is the end of the play (Spotify) or its beginning (all others).
    partial
        Plays that were broken off: only these say something of their own in their milliseconds. See :func:`_partial`.
    tells_ends
        Whether the row's source says which plays came to their end.
    """

    told: Ints
    ms: Ints
    plays: Ints
    artist: Hashes
    track: Hashes
    titled: Mask
    second: Mask
    minute: Mask
    synthetic: Mask
    ends: Mask
    partial: Mask
    tells_ends: Mask

    @classmethod
    def of(cls, table: pa.Table) -> History:
        """Read listens (columns of :data:`recsys.listens.SCHEMA`)."""
        told = _integers(table["played_at"].cast(pa.int64()))
        ms, plays = _integers(table["ms_played"]), _integers(table["plays"])
        artist = _hashed(table["artist"], artist_key)
        track = mixed(artist, _hashed(table["track"], lambda title: " ".join(title.casefold().split())))
        finished = _mask(table["finished"])
        order = np.lexsort((plays, finished, ms, track, told))
        clock = {name: _mask(pc.equal(table["clock"], name.value)) & (told != UNKNOWN) for name in Clock}
        tells = _tells_ends(table, finished)
        columns = {
            "told": told,
            "ms": ms,
            "plays": plays,
            "artist": artist,
            "track": track,
            "titled": _mask(table["track"].is_valid()),
            "second": clock[Clock.SECOND],
            "minute": clock[Clock.MINUTE],
            "synthetic": clock[Clock.SYNTHETIC] & ~_mask(pc.equal(table["source"], Source.UNWRAPPED.value)),
            "ends": _mask(pc.starts_with(table["source"], _SPOTIFY)),
            "partial": _partial(track, ms, finished, tells),
            "tells_ends": tells,
        }
        return cls(**{name: values[order] for name, values in columns.items()})

    @property
    def real(self) -> Mask:
        """Rows whose time was observed."""
        return self.second | self.minute

    def where(self, chosen: Mask) -> History:
        """Keep the chosen rows."""
        return History(**{name: values[chosen] for name, values in vars(self).items()})

    def __len__(self) -> int:
        return len(self.told)


def mixed(first: Hashes, second: NDArray[Any]) -> Hashes:
    """Make one number of two, entry by entry: the finalizer of splitmix64 (Steele et al. 2014) over their sum."""
    with np.errstate(over="ignore"):
        z = first * np.uint64(0x9E3779B97F4A7C15) + second.astype(np.uint64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def usual_length(track: Hashes, ms: Ints, agreeing: int) -> Ints:
    """Give each row the length of its track: the commonest milliseconds, if so many plays agree on them; else -1."""
    known = ms > 0
    keys = np.stack([track[known], ms[known].astype(np.uint64)], axis=1)
    pairs, counts = np.unique(keys, axis=0, return_counts=True)
    pairs, counts = pairs[counts >= agreeing], counts[counts >= agreeing]
    best = np.lexsort((pairs[:, 1], counts, pairs[:, 0]))  # the last of each track is its commonest
    tracks, first_from_behind = np.unique(pairs[best, 0][::-1], return_index=True)
    lengths = pairs[best, 1][::-1][first_from_behind].astype(np.int64)
    place = np.searchsorted(tracks, track)
    found = np.append(tracks, 0)[place] == track
    return np.where(found & (place < len(tracks)), np.append(lengths, UNKNOWN)[place], UNKNOWN)


def _partial(track: Hashes, ms: Ints, finished: Mask, tells: Mask) -> Mask:
    """Tell which plays were broken off.

    A source that marks ends says so. Elsewhere a play is taken for whole if another play of the track agrees with it to
    the millisecond.
    """
    whole = np.where(tells, finished, ms == usual_length(track, ms, agreeing=2))
    return (ms > 0) & ~whole


def _tells_ends(table: pa.Table, finished: Mask) -> Mask:
    encoded = table["source"].combine_chunks().dictionary_encode()
    source = encoded.indices.to_numpy(zero_copy_only=False)
    number = len(encoded.dictionary)
    some = np.bincount(source[finished], minlength=number) > 0
    others = np.bincount(source[~finished], minlength=number) > 0
    return np.asarray((some & others)[source], bool)


def _hashed(column: pa.ChunkedArray, key: Any) -> Hashes:  # noqa: ANN401 - a function of text
    encoded = pc.fill_null(column.combine_chunks(), "").dictionary_encode()
    heads = b"".join(
        hashlib.blake2b(key(name).encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for name in encoded.dictionary.to_pylist()
    )
    numbers: Hashes = np.frombuffer(heads, "<u8").astype(np.uint64)
    return np.asarray(numbers[encoded.indices.to_numpy(zero_copy_only=False)], np.uint64)


def _integers(column: pa.ChunkedArray) -> Ints:
    return np.asarray(pc.fill_null(column, UNKNOWN).to_numpy(), np.int64)


def _mask(column: pa.ChunkedArray) -> Mask:
    return np.asarray(pc.fill_null(column, False).to_numpy(), bool)
