"""Last.fm as JSON: pages of its Web API (``user.getRecentTracks``, ``user.getTopArtists``), alone or in a list.

Every number is a string. The row that is playing now has no date and is on every page. A single track stands where a
list would. Plays that were uploaded with a broken clock lie in 1970. A row is a play by Last.fm's own rule: half the
track, or four minutes of it.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TypeVar

import msgspec
import numpy as np
import pyarrow as pa

from recsys.listens.sources.columns import mbids, nameless, names, scrobbled, sift, totals
from recsys.listens.sources.decoding import decoded, utf8
from recsys.listens.sources.source import Rows
from recsys.listens.table import LeftOut, Route, Source

BEGAN = 2002
"""The year in which Audioscrobbler, which became Last.fm, began."""

_PAGES = re.compile(
    rb'\s*(\{\s*"(recenttracks|topartists)"|\[\s*\{\s*"(recenttracks|topartists|track|artist|@attr)")\s*:'
)
_NUMBER = re.compile(r"-?\d{1,12}")
_WHAT = "pages as Last.fm writes them"
_HOW_TO_ASK = "fetch the pages again and hand them in as they are"


Item = TypeVar("Item", bound=msgspec.Struct)


class _Artist(msgspec.Struct, gc=False):
    text: str | None = msgspec.field(name="#text", default=None)
    name: str | None = None
    mbid: str | None = None


class _Date(msgspec.Struct, gc=False):
    uts: str | int


class _Mark(msgspec.Struct, gc=False):
    nowplaying: str | bool | None = None


class _Track(msgspec.Struct, gc=False):
    artist: _Artist
    name: str | None = None
    date: _Date | None = None
    mark: _Mark | None = msgspec.field(name="@attr", default=None)


class _TopArtist(msgspec.Struct, gc=False):
    name: str
    playcount: str | int
    mbid: str | None = None


class _Page(msgspec.Struct, gc=False):
    track: list[_Track] | _Track | None = None
    artist: list[_TopArtist] | _TopArtist | None = None


class _Answer(msgspec.Struct, gc=False):
    recenttracks: _Page | None = None
    topartists: _Page | None = None
    track: list[_Track] | _Track | None = None
    artist: list[_TopArtist] | _TopArtist | None = None


_decode = msgspec.json.Decoder(list[_Answer] | _Answer).decode


class LastFm:
    """Reads pages of Last.fm's Web API (a :class:`recsys.listens.sources.FileSource`)."""

    route = Route.API
    exports = "pages of Last.fm's Web API"

    def claims(self, name: str) -> bool:  # noqa: ARG002 - as the Protocol wants it
        """Tell nothing by name: every tool names its files otherwise."""
        return False

    def knows(self, data: bytes) -> bool:
        """Tell whether a page, or a list of pages, begins here."""
        return _PAGES.match(data) is not None

    def read(self, data: bytes, route: Route) -> Rows:
        """Turn pages into listens and totals.

        Raises
        ------
        ValueError
            If they are not pages as Last.fm writes them.
        """
        answers = decoded(_decode, utf8(data, _HOW_TO_ASK), _WHAT, _HOW_TO_ASK)
        pages = [
            page for answer in _listed(answers) for page in (answer, answer.recenttracks, answer.topartists) if page
        ]
        tracks = [track for page in pages for track in _listed(page.track)]
        artists = [artist for page in pages for artist in _listed(page.artist)]
        plays, sums = _plays(tracks, route), _totals(artists, route)
        left_out = Counter(plays.left_out) + Counter(sums.left_out)
        return Rows(pa.concat_tables([plays.table, sums.table]), plays.read + sums.read, left_out)


def _listed(value: list[Item] | Item | None) -> list[Item]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _plays(tracks: list[_Track], route: Route) -> Rows:
    seconds = [None if track.date is None else _number(track.date.uts, "date.uts") for track in tracks]
    playing = [track.mark is not None and track.mark.nowplaying in {True, "true"} for track in tracks]
    artist = names([track.artist.text or track.artist.name for track in tracks])
    title = names([track.name for track in tracks])
    mbid = mbids([track.artist.mbid for track in tracks])
    table = scrobbled(seconds, BEGAN, Source.LASTFM, route, artist=artist, artist_id=mbid, track=title)
    return sift(table, [(LeftOut.NOW_PLAYING, np.array(playing, bool)), *nameless(artist, title)])


def _totals(artists: list[_TopArtist], route: Route) -> Rows:
    plays = pa.array([_number(artist.playcount, "playcount") for artist in artists], pa.int64())
    return totals(
        names([artist.name for artist in artists]),
        mbids([artist.mbid for artist in artists]),
        plays,
        Source.LASTFM,
        route,
    )


def _number(value: str | int, key: str) -> int:
    if not _NUMBER.fullmatch(str(value)):
        raise ValueError(f"{key} is {str(value)[:20]!r}, not a whole number; {_HOW_TO_ASK}")
    return int(value)
