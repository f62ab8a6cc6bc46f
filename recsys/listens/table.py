"""The one table of listens: its columns, and what counts as a play.

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


class Source(StrEnum):
    """What wrote the rows: the values of the column ``source``."""

    SPOTIFY_ACCOUNT = "spotify-account"
    SPOTIFY_EXTENDED = "spotify-extended"
    LASTFM = "lastfm"
    LASTFM_CSV = "lastfm-csv"
    """Last.fm by a tool that knows minutes only and loses the commas of names."""
    LISTENBRAINZ = "listenbrainz"
    MALOJA = "maloja"
    UNWRAPPED = "unwrapped"
    TRIPLES = "triples"


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

    @property
    def strictness(self) -> int:
        """How many reasons there are to refuse data that came by this route; it can be stated stricter, never laxer."""
        return {Route.API: 1, Route.PUBLIC_BENCHMARK: 1, Route.SCRAPED: 2}.get(self, 0)


class LeftOut(StrEnum):
    """Why a row of an export is not among the listens; :attr:`words` says it to a person."""

    INCOGNITO = "incognito"
    PODCAST = "podcast"
    AUDIOBOOK = "audiobook"
    LOCAL_FILE = "local-file"
    NO_TRACK = "no-track"
    UNKNOWN_ARTIST = "unknown-artist"
    NOW_PLAYING = "now-playing"
    NO_ROW = "no-row"
    NO_PLAYS = "no-plays"
    SUMMED = "summed"
    REPEATED = "repeated"
    IN_EXTENDED = "in-extended"
    TOLD_TWICE = "told-twice"
    TOLD_SINGLY = "told-singly"

    @property
    def words(self) -> str:
        """The reason as a person would say it."""
        return _WORDS[self]


_WORDS = {
    LeftOut.INCOGNITO: "listened to incognito",
    LeftOut.PODCAST: "podcasts",
    LeftOut.AUDIOBOOK: "audiobooks",
    LeftOut.LOCAL_FILE: "the member's own files, whose names are not the service's",
    LeftOut.NO_TRACK: "no track or no artist named (gone from the service, a film, an advertisement)",
    LeftOut.UNKNOWN_ARTIST: "an artist the service does not know",
    LeftOut.NOW_PLAYING: "was just playing, told as a play later",
    LeftOut.NO_ROW: "lines that a name broke",
    LeftOut.NO_PLAYS: "no plays",
    LeftOut.SUMMED: "added to another row of the same artist",
    LeftOut.REPEATED: "the same play told again",
    LeftOut.IN_EXTENDED: "told more exactly by the extended history",
    LeftOut.TOLD_TWICE: "told by a better source as well",
    LeftOut.TOLD_SINGLY: "totals of plays that are told one by one",
}


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
