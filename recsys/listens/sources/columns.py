"""Columns of a table of listens, and the sieve that says why a row is left out: what all sources share."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.listens.sources.source import Rows
from recsys.listens.table import SCHEMA, Clock, LeftOut, Route, Source

NOBODY = pa.array(
    ["Unknown Artist", "unknown artist", "[unknown]", "<unknown>", "<Unknown>", "<Untagged>", "unknown_artist"]
)
"""What services and players write where they do not know the artist; it would become everybody's favourite."""

MOST_PLAYS = 10_000_000
"""Plays of one artist by one member: 80 years of nothing else."""

_YEAR_2100 = 4_102_444_800
MBID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

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
    return [(LeftOut.NO_TRACK, nothing), (LeftOut.UNKNOWN_ARTIST, true(pc.is_in(artist, value_set=NOBODY)))]


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


def mbids(values: Sequence[str | None]) -> pa.Array:
    """Write MusicBrainz identifiers as ids of artists; what is none becomes null."""
    lower = ((value or "").lower() for value in values)
    return strings([f"mbid:{value}" if MBID.fullmatch(value) else None for value in lower])


def scrobbled(seconds: Sequence[int | None], began: int, source: Source, route: Route, **columns: pa.Array) -> pa.Table:
    """Make listens of plays that a service told because they were plays by its own rule, at seconds since 1970.

    A time before the service began in the year `began` was written by a broken clock: the play is real, and is kept
    without a time.

    Raises
    ------
    ValueError
        If a time is beyond 2099.
    """
    latest = max((second for second in seconds if second is not None), default=0)
    if latest >= _YEAR_2100:
        raise ValueError(f"a play at {latest} seconds since 1970, which is beyond the year 2099")
    first = int(datetime(began, 1, 1, tzinfo=UTC).timestamp())
    times = [None if second is None or second < first else second * 1000 for second in seconds]
    played_at = pa.array(times, pa.int64()).cast(SCHEMA.field("played_at").type)
    finished = pa.repeat(pa.scalar(True), len(times))
    table = listens({"played_at": played_at, "finished": finished, **columns}, Clock.SECOND, source, route)
    return without_clock(table)


def totals(
    artist: pa.Array,
    artist_id: pa.Array,
    plays: pa.Array,
    source: Source,
    route: Route,
    *,
    played_at: pa.Array | None = None,
) -> Rows:
    """Make rows that stand for many plays of an artist each, most often without a time.

    Raises
    ------
    ValueError
        If a number of plays is negative or beyond measure.
    """
    refuse_odd_counts(plays)
    finished = pa.repeat(pa.scalar(True), len(artist))
    columns = {"artist": artist, "artist_id": artist_id, "plays": plays, "finished": finished}
    dated = {} if played_at is None else {"played_at": played_at}
    nobody = true(pc.is_in(artist, value_set=NOBODY)) | true(pc.equal(artist, "")) | ~known(artist)
    sieve = [(LeftOut.NO_PLAYS, ~true(pc.greater(plays, 0))), (LeftOut.UNKNOWN_ARTIST, nobody)]
    return sift(without_clock(listens({**columns, **dated}, Clock.SECOND, source, route)), sieve)


def refuse_odd_counts(plays: pa.Array) -> None:
    """Refuse numbers of plays that cannot be.

    Raises
    ------
    ValueError
        If one is negative or beyond measure.
    """
    span = pc.min_max(plays).as_py()
    for count in (span["min"] or 0, span["max"] or 0):
        if not 0 <= count <= MOST_PLAYS:
            raise ValueError(f"an artist with {count:,} plays; expected 0 to {MOST_PLAYS:,}")


def without_clock(table: pa.Table) -> pa.Table:
    """Mark the rows that have no time."""
    clock = pc.if_else(table["played_at"].is_null(), Clock.NONE.value, table["clock"])
    return table.set_column(SCHEMA.get_field_index("clock"), SCHEMA.field("clock"), clock)


def without_seconds(table: pa.Table) -> pa.Table:
    """Mark the rows that have a time as knowing the minute only."""
    clock = pc.if_else(table["played_at"].is_null(), Clock.NONE.value, Clock.MINUTE.value)
    return table.set_column(SCHEMA.get_field_index("clock"), SCHEMA.field("clock"), clock)


def known(values: pa.Array) -> Mask:
    """Tell which values are not null."""
    return true(values.is_valid())


def true(values: pa.Array) -> Mask:
    """Tell which values are true; null is not."""
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), bool)
