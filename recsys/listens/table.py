"""The one table of listens: its columns, what counts as a play, and when two rows are the same play.

========== =========================================================================================
played_at  when the play was told, in UTC: its end, in Spotify's exports; null if the source gives no time
artist     the source's own spelling, in Unicode's composed form, without outer blanks
artist_id  ``mbid:<uuid>`` or ``spotify:artist:<id>``, if the source gives it
track      the title, if the source gives it
ms_played  milliseconds heard, if the source gives them
finished   the track was heard to its end, or long enough for the service's own rule of what is a play
plays      how many plays the row stands for: 1 for a listen, more for a total
clock      how the time is known (:class:`Clock`)
source     what wrote the row (:class:`Source`)
route      how it came here (:class:`Route`)
========== =========================================================================================
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

SCHEMA = pa.schema(
    {
        "played_at": pa.timestamp("ms", tz="UTC"),
        "artist": pa.string(),
        "artist_id": pa.string(),
        "track": pa.string(),
        "ms_played": pa.int64(),
        "finished": pa.bool_(),
        "plays": pa.int64(),
        "clock": pa.string(),
        "source": pa.string(),
        "route": pa.string(),
    }
)

PLAY_MS = 30_000
"""A shorter play counts only if the track was finished: the limit by which streaming services pay."""

_PLAY = ("played_at", "artist", "track", "ms_played")


class Source(StrEnum):
    """What wrote the rows: the values of the column ``source``."""

    SPOTIFY_ACCOUNT = "spotify-account"
    SPOTIFY_EXTENDED = "spotify-extended"


class Clock(StrEnum):
    """How the time of a row is known: the values of the column ``clock``."""

    SECOND = "second"
    MINUTE = "minute"
    SYNTHETIC = "synthetic"
    """There is a time, but the service made it up."""
    NONE = "none"


class Route(StrEnum):
    """How the data came here: the values of the column ``route``."""

    GDPR_EXPORT = "gdpr-export"
    SERVICE_EXPORT = "service-export"
    API = "api"
    SURVEY = "survey"
    PUBLIC_BENCHMARK = "public-benchmark"
    SCRAPED = "scraped"


class LeftOut(StrEnum):
    """Why a row of an export is not among the listens."""

    INCOGNITO = "incognito"
    PODCAST = "podcast"
    AUDIOBOOK = "audiobook"
    LOCAL_FILE = "local-file"
    NO_TRACK = "no-track"
    UNKNOWN_ARTIST = "unknown-artist"
    REPEATED = "repeated"
    IN_EXTENDED = "in-extended"


def counts_as_play(table: pa.Table) -> pa.ChunkedArray:
    """Tell for each row whether it counts: 30,000 ms were heard, or the track was finished.

    A scrobble is finished by the rule of its service, which told it only for that reason. How many plays a row that
    counts stands for is in its column ``plays``.

    Parameters
    ----------
    table
        Listens, as in :data:`SCHEMA`.

    Returns
    -------
    pyarrow.ChunkedArray
        Booleans; value r speaks of row r of `table`.
    """
    return pc.or_(pc.fill_null(pc.greater_equal(table["ms_played"], PLAY_MS), False), table["finished"])


def without_repeats(table: pa.Table) -> tuple[pa.Table, Counter[str]]:
    """Put rows into the order of time and keep every play once, whatever exports it stood in.

    Rows are the same play if time, artist, track and milliseconds agree. Account data knows the minute only, so a row
    of it gives way to an extended row of that minute with the same artist, track and milliseconds. Two short plays
    of one track in one minute differ in milliseconds and both stay.

    Returns
    -------
    table
        The plays, sorted by (played_at, artist, track, ms_played).
    left_out
        How many rows went, by reason.
    """
    preferred = _without_account_twins(table)
    order = [(name, "ascending") for name in _PLAY] + [("plays", "descending"), ("finished", "descending")]
    ordered = preferred.take(pc.sort_indices(preferred, sort_keys=[*order, ("route", "ascending")]))
    kept = ordered.filter(_first_of_its_kind(ordered))
    left_out = Counter(
        {
            LeftOut.IN_EXTENDED.value: table.num_rows - preferred.num_rows,
            LeftOut.REPEATED.value: ordered.num_rows - kept.num_rows,
        }
    )
    return kept, +left_out


def _first_of_its_kind(ordered: pa.Table) -> pa.ChunkedArray:
    if ordered.num_rows == 0:
        return pa.chunked_array([], pa.bool_())
    same = pa.chunked_array([pa.repeat(True, ordered.num_rows - 1)])
    for name in _PLAY:
        same = pc.and_(same, _equal(ordered[name].slice(1), ordered[name].slice(0, ordered.num_rows - 1)))
    return pa.chunked_array([pa.array([True]), *pc.invert(same).chunks])


def _equal(left: pa.ChunkedArray, right: pa.ChunkedArray) -> pa.ChunkedArray:
    both_unknown = pc.and_(pc.is_null(left), pc.is_null(right))
    return pc.or_(pc.fill_null(pc.equal(left, right), False), both_unknown)


def _without_account_twins(table: pa.Table) -> pa.Table:
    from_account = pc.equal(table["source"], Source.SPOTIFY_ACCOUNT.value)
    account = table.filter(from_account)
    others = table.filter(pc.invert(from_account))
    extended = others.filter(pc.equal(others["source"], Source.SPOTIFY_EXTENDED.value))
    if account.num_rows == 0 or extended.num_rows == 0:
        return table
    keys = [*_PLAY[1:], "minute"]
    alone = _with_minute(account).join(
        _with_minute(extended).select(keys), keys=keys, join_type="left anti", use_threads=False
    )
    return pa.concat_tables([others, alone.select(SCHEMA.names)])


def _with_minute(table: pa.Table) -> pa.Table:
    return table.append_column("minute", pc.floor_temporal(table["played_at"], unit="minute"))
