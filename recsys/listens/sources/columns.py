"""Columns of a table of listens, and the sieve that says why a row is left out: what all sources share."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.listens.sources.source import Rows
from recsys.listens.table import SCHEMA, Clock, LeftOut, Route, Source

Mask = np.ndarray[Any, np.dtype[np.bool_]]
Sieve = Sequence[tuple[LeftOut, Mask]]


def listens(columns: Mapping[str, pa.Array], clock: Clock, source: Source, route: Route) -> pa.Table:
    """Make a table of listens of those columns that a source knows.

    Columns that are not given are null, but for `plays`: a row stands for one play.
    """
    count = len(columns["artist"])
    known = {
        "plays": pa.repeat(pa.scalar(1, pa.int64()), count),
        "clock": pa.repeat(clock.value, count),
        "source": pa.repeat(source.value, count),
        "route": pa.repeat(route.value, count),
        **columns,
    }
    arrays = [known[field.name] if field.name in known else pa.nulls(count, field.type) for field in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def sift(table: pa.Table, sieve: Sieve, *, hidden: Mask | None = None) -> Rows:
    """Leave out rows for the first reason of `sieve` whose mask names them, and put those aside that are hidden."""
    read = table.num_rows
    kept = np.ones(read, bool)
    left_out: Counter[str] = Counter()
    for reason, mask in sieve:
        left_out[reason.value] += int((kept & mask).sum())
        kept &= ~mask
    if hidden is None or not hidden.any():
        return Rows(table.filter(pa.array(kept)), read, +left_out)
    shown, aside = (table.filter(pa.array(mask)) for mask in (kept & ~hidden, kept & hidden))
    return Rows(shown, read, +left_out, hidden=aside)


def nameless(artist: pa.Array, track: pa.Array) -> Sieve:
    """Tell rows that name no artist or no track, and those whose artist stands for nobody."""
    nothing = true(pc.equal(artist, "")) | true(pc.equal(track, "")) | ~known(artist) | ~known(track)
    return [(LeftOut.NO_TRACK, nothing), (LeftOut.UNKNOWN_ARTIST, true(pc.equal(artist, "Unknown Artist")))]


def column(rows: Sequence[object], name: str) -> list[Any]:
    """Give one attribute of all rows."""
    return list(map(attrgetter(name), rows))


def strings(values: Sequence[str | None]) -> pa.Array:
    """Make a column of text."""
    return pa.array(values, pa.string())


def names(values: Sequence[str | None]) -> pa.Array:
    """Write each name in Unicode's composed form (NFC), without outer blanks; each spelling is treated once.

    By Python, since Arrow's ``utf8_normalize`` gives the decomposed form when asked for NFC (seen in Arrow 25).
    """
    encoded = strings(values).dictionary_encode()
    written = [unicodedata.normalize("NFC", name).strip() for name in encoded.dictionary.to_pylist()]
    return strings(written).take(encoded.indices)


def known(values: pa.Array) -> Mask:
    """Tell which values are not null."""
    return true(values.is_valid())


def true(values: pa.Array) -> Mask:
    """Tell which values are true; null is not."""
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), bool)
