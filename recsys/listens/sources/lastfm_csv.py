"""Last.fm as CSV, by the two tools that people use.

* lastfm.ghan.nl: quoted, with a header; seconds since 1970 in ``uts``, identifiers of MusicBrainz where known.
* lastfm-to-csv (benjaminbenben): no header; artist, album, track, ``01 Mar 2024 07:33`` in UTC. It drops commas from
  names; what is playing now has no time; where a name breaks the line, the line is no row.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from recsys.listens.sources.columns import mbids, nameless, names, scrobbled, sift, without_seconds
from recsys.listens.sources.decoding import utf8
from recsys.listens.sources.lastfm import BEGAN
from recsys.listens.sources.source import Rows
from recsys.listens.table import LeftOut, Route, Source

_HEADER = re.compile(rb'"?uts"?,"?utc_time"?,"?artist"?,')
_DATED = re.compile(rb'^[^,\n]*,[^,\n]*,[^,\n]*,"?\d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d"?\r?$', re.MULTILINE)
_SECONDS = re.compile(r"-?\d{1,12}")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FIELDS = 4
_NEEDED = {"uts", "artist", "track"}
_MAX_LINES = 600_000
_HOW_TO_ASK = "export it again and hand in the file as it is"


class LastFmGhan:
    """Reads ``recenttracks-NAME-TIME.csv`` of lastfm.ghan.nl (a :class:`recsys.listens.sources.FileSource`)."""

    route = Route.SERVICE_EXPORT
    exports = "Last.fm by lastfm.ghan.nl"

    def claims(self, name: str) -> bool:  # noqa: ARG002 - as the Protocol wants it
        """Tell nothing by name: the header says it."""
        return False

    def knows(self, data: bytes) -> bool:
        """Tell whether the header of that tool stands there."""
        return _HEADER.match(data) is not None

    def read(self, data: bytes, route: Route) -> Rows:
        """Turn the file into listens.

        Raises
        ------
        ValueError
            If a row is cut or a number is none.
        """
        rows = _dicts(_text(data))
        artist, track = names([row["artist"] for row in rows]), names([row["track"] for row in rows])
        seconds = [_seconds(row["uts"], line) for line, row in enumerate(rows, 2)]
        mbid = mbids([row.get("artist_mbid") for row in rows])
        table = scrobbled(seconds, BEGAN, Source.LASTFM, route, artist=artist, artist_id=mbid, track=track)
        return sift(table, nameless(artist, track))


class LastFmToCsv:
    """Reads what lastfm-to-csv writes (a :class:`recsys.listens.sources.FileSource`)."""

    route = Route.SERVICE_EXPORT
    exports = "Last.fm by lastfm-to-csv"

    def claims(self, name: str) -> bool:  # noqa: ARG002 - as the Protocol wants it
        """Tell nothing by name: it is whatever the member is called."""
        return False

    def knows(self, data: bytes) -> bool:
        """Tell whether a line of four fields that ends with such a time stands there."""
        return _DATED.search(data) is not None

    def read(self, data: bytes, route: Route) -> Rows:
        """Turn the file into listens.

        Raises
        ------
        ValueError
            If a time is none.
        """
        lines = [line.split(",") for line in _text(data).splitlines() if line.strip()]
        whole = np.array([len(fields) == _FIELDS for fields in lines], bool)
        rows = [
            [field.strip('" ') for field in fields] if len(fields) == _FIELDS else [""] * _FIELDS for fields in lines
        ]
        artist, track = names([row[0] for row in rows]), names([row[2] for row in rows])
        seconds = [_minute(row[3]) if row[3] else None for row in rows]
        table = scrobbled(seconds, BEGAN, Source.LASTFM_CSV, route, artist=artist, track=track)
        playing = np.array([not row[3] for row in rows], bool)
        sieve = [(LeftOut.NO_ROW, ~whole), (LeftOut.NOW_PLAYING, playing), *nameless(artist, track)]
        return sift(without_seconds(table), sieve)


def _text(data: bytes) -> str:
    if data.count(b"\n") > _MAX_LINES:
        raise ValueError(f"more than {_MAX_LINES:,} lines: nobody listens that much; {_HOW_TO_ASK}")
    return utf8(data, _HOW_TO_ASK).decode()


def _dicts(text: str) -> list[dict[str, str]]:
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        missing = _NEEDED.difference(reader.fieldnames or ())
        rows = list(reader)
    except csv.Error as fault:
        raise ValueError(f"not CSV: {fault}; {_HOW_TO_ASK}") from None
    if missing:
        raise ValueError(f"the header does not name {', '.join(sorted(missing))}; {_HOW_TO_ASK}")
    for line, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise ValueError(f"row {line} has not as many fields as the header; {_HOW_TO_ASK}")
    return rows


def _seconds(text: str, line: int) -> int:
    if not _SECONDS.fullmatch(text):
        raise ValueError(f"uts in row {line} is {text[:20]!r}, not a whole number; {_HOW_TO_ASK}")
    return int(text)


@lru_cache(maxsize=1 << 16)
def _minute(text: str) -> int:
    try:
        day, month, year, clock = text.split(" ")
        hour, minute = clock.split(":")
        then = datetime(int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:20]!r} is no time like '01 Mar 2024 07:33'; {_HOW_TO_ASK}") from None
    return int(then.timestamp())
