"""Files that hold the listens of many members: what such a source is, and which of a stranger's columns mean what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from recsys.listens.sources.columns import MBID, refuse_odd_counts
from recsys.listens.sources.lastfm import BEGAN
from recsys.listens.table import SCHEMA, Route, Source

BATCH = pa.schema(
    {
        "member": pa.string(),
        "artist": pa.string(),
        "artist_id": pa.string(),
        "plays": pa.int64(),
        "played_at": SCHEMA.field("played_at").type,
    }
)
"""What a source of many members gives, row by row of its file; `plays` and `played_at` may be null."""

_NAMES = {
    "member": ("member", "user", "user_id", "userid", "user_id_hash", "id_hash", "username", "listener"),
    "artist": ("artist", "artist_name", "artistname", "name", "item"),
    "artist_id": ("artist_id", "artistid", "item_id"),
    "plays": ("plays", "play_count", "playcount", "count", "weight"),
    "played_at": ("played_at", "listened_at", "time", "timestamp"),
}
_SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")
_DIGITS = r"^-?\d{1,14}$"
_IN_MS = 10**11
_LONGEST = 10_000


class ManySource(Protocol):
    """A kind of file that holds the listens of many members."""

    @property
    def source(self) -> Source:
        """What the rows are said to be from."""
        ...

    @property
    def route(self) -> Route | None:
        """How such files come here; None where that has to be stated."""
        ...

    def knows(self, head: bytes) -> bool:
        """Tell by the first bytes whether a file is of this kind."""
        ...

    def batches(self, path: Path) -> Iterator[pa.Table]:
        """Read the file piece by piece, as :data:`BATCH`.

        Raises
        ------
        ValueError
            If it is not such a file; says what was found and what to do.
        """
        ...


@dataclass(frozen=True)
class Named:
    """Which columns of a file hold what; None where there is no such column."""

    member: str
    artist: str | None
    artist_id: str | None
    plays: str | None
    played_at: str | None

    @property
    def columns(self) -> list[str]:
        """All columns to be read."""
        return [name for name in (self.member, self.artist, self.artist_id, self.plays, self.played_at) if name]

    @classmethod
    def among(cls, columns: Sequence[str]) -> Named | None:
        """Find the columns by their names, in any case; None without a member or without an artist."""
        lower = {name.strip().lower(): name for name in reversed(columns)}
        found = {what: next((lower[name] for name in names if name in lower), None) for what, names in _NAMES.items()}
        member = found.pop("member")
        if member is None or not (found["artist"] or found["artist_id"]):
            return None
        return cls(member, **found)

    def batch(self, table: pa.Table) -> pa.Table:
        """Make a :data:`BATCH` of rows whose values are text, numbers or instants.

        Raises
        ------
        ValueError
            If a value cannot be what its column says.
        """
        ids = _text(table, self.artist_id)
        identifiers = _identifiers(ids)
        columns = {
            "member": _text(table, self.member),
            "artist": pc.coalesce(_text(table, self.artist), identifiers, ids),
            "artist_id": identifiers,
            "plays": _plays(table, self.plays),
            "played_at": _instants(table, self.played_at),
        }
        return pa.table([columns[name] for name in BATCH.names], schema=BATCH)


def _text(table: pa.Table, name: str | None) -> pa.ChunkedArray:
    if name is None:
        return pa.chunked_array([pa.nulls(table.num_rows, pa.string())])
    values = table[name].cast(pa.string())
    longest = pc.max(pc.utf8_length(values)).as_py() or 0
    if longest > _LONGEST:
        raise ValueError(f"the column {name!r} holds a text of {longest:,} letters; expected at most {_LONGEST:,}")
    trimmed = pc.utf8_trim_whitespace(values)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def _identifiers(ids: pa.ChunkedArray) -> pa.Array:
    encoded = ids.combine_chunks().dictionary_encode()
    written = pa.array([identifier(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return written.take(encoded.indices)


def identifier(value: str) -> str | None:
    """Write an artist's id as a table of listens has it; None if it is nobody's but the file's own."""
    if value.startswith(("mbid:", "spotify:artist:")):
        return value
    if MBID.fullmatch(value.lower()):
        return f"mbid:{value.lower()}"
    return f"spotify:artist:{value}" if _SPOTIFY_ID.fullmatch(value) else None


def _plays(table: pa.Table, name: str | None) -> pa.Array | pa.ChunkedArray:
    if name is None:
        return pa.repeat(pa.scalar(1, pa.int64()), table.num_rows)
    values = _text(table, name) if pa.types.is_string(table[name].type) else table[name]
    try:
        plays = values.cast(pa.float64()).cast(pa.int64())  # a whole number however it is written: 12, "12", 12.0
    except pa.ArrowInvalid as fault:
        raise ValueError(f"the column {name!r} holds what is no whole number of plays: {str(fault)[:120]}") from None
    refuse_odd_counts(plays)
    return plays


def _instants(table: pa.Table, name: str | None) -> pa.ChunkedArray:
    kind = BATCH.field("played_at").type
    if name is None:
        return pa.chunked_array([pa.nulls(table.num_rows, kind)])
    try:
        instants = _as_instants(table[name], kind)
    except pa.ArrowInvalid as fault:
        raise ValueError(f"the column {name!r} holds what is no time: {str(fault)[:120]}") from None
    years = pc.year(instants)
    latest = pc.max(years).as_py()
    if latest is not None and latest >= 2100:  # noqa: PLR2004 - as everywhere
        raise ValueError(f"the column {name!r} holds a time in the year {latest}; expected none beyond 2099")
    return pc.if_else(pc.less(years, BEGAN), pa.scalar(None, kind), instants)


def _as_instants(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Read seconds or milliseconds since 1970, or ISO 8601; a time without a zone is UTC."""
    if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
        return _in_utc(values.cast(pa.timestamp("ms", tz=getattr(values.type, "tz", None))), kind)
    if pa.types.is_string(values.type) and not pc.all(pc.match_substring_regex(values, _DIGITS)).as_py():
        zoned = pc.all(pc.match_substring_regex(values, r"(Z|[+-]\d\d:?\d\d)$")).as_py()
        return _in_utc(values.cast(pa.timestamp("ms", tz="UTC" if zoned else None)), kind)
    numbers = values.cast(pa.int64())
    return pc.if_else(pc.greater(numbers, _IN_MS), numbers, pc.multiply_checked(numbers, 1000)).cast(kind)


def _in_utc(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    return values.cast(kind) if values.type.tz else pc.assume_timezone(values, "UTC")
