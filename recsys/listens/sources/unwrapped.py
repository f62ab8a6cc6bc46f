"""Unwrapped (Vana DLP 17): what its members contributed, collected through Spotify's Web API.

``tracks`` holds plays and, beside them, favourite tracks that were given the time of collection less 90 days: all of
them bear the same instant, to the millisecond, which no two plays do. They stay, their time is marked as made up.
Repeat plays stay, too. Tracks are known by their id; artists have a name only if they are among the favourites, and
are called by their id else. How long a track is says nothing about how long it was heard.
"""

from __future__ import annotations

import re
from collections import Counter

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.listens.sources.columns import listens, nameless, names, sift, strings, totals
from recsys.listens.sources.decoding import decoded, refuse_doubled_keys, utf8
from recsys.listens.sources.source import Rows
from recsys.listens.table import SCHEMA, Clock, Route, Source

ARTIST = "spotify:artist:"

_KEYS = (re.compile(rb'"id_hash"\s*:'), re.compile(rb'"(stats|tracks|top_artists_medium_term)"\s*:'))
_PLAY_KEYS = (re.compile(rb'"track_id"\s*:'), re.compile(rb'"listened_at"\s*:'))
_NUMBER = re.compile(r"\d{1,12}")
_YEARS = (2006, 2100)
_HOW_TO_ASK = "hand in the contribution as Unwrapped wrote it"


class _Play(msgspec.Struct, gc=False):
    track_id: str
    artist_id: str
    listened_at: str


class _Favourite(msgspec.Struct, gc=False):
    id: str
    name: str | None = None
    play_count: str | int | None = None


class _Contribution(msgspec.Struct, gc=False):
    tracks: list[_Play] = []
    top_artists_medium_term: list[_Favourite] = []


_decode = msgspec.json.Decoder(_Contribution).decode


class Unwrapped:
    """Reads contributions (a :class:`recsys.listens.sources.FileSource`)."""

    route = Route.API
    exports = "contributions to Unwrapped"

    def claims(self, name: str) -> bool:  # noqa: ARG002 - as the Protocol wants it
        """Tell nothing by name: the file says what it is."""
        return False

    def knows(self, data: bytes) -> bool:
        """Tell whether a contribution begins here."""
        return any(all(key.search(data) for key in keys) for keys in (_KEYS, _PLAY_KEYS))

    def read(self, data: bytes, route: Route) -> Rows:
        """Turn a contribution into listens and totals.

        Raises
        ------
        ValueError
            If it is none.
        """
        text = utf8(data, _HOW_TO_ASK)
        contribution = decoded(_decode, text, "a contribution to Unwrapped", _HOW_TO_ASK)
        refuse_doubled_keys(text, len(contribution.tracks), _HOW_TO_ASK, "track_id", "artist_id", "listened_at")
        favourites = contribution.top_artists_medium_term
        called = {favourite.id: favourite.name for favourite in favourites if favourite.name}
        plays = _plays(contribution.tracks, called, route)
        sums = _totals([favourite for favourite in favourites if favourite.play_count is not None], route)
        left_out = Counter(plays.left_out) + Counter(sums.left_out)
        return Rows(pa.concat_tables([plays.table, sums.table]), plays.read + sums.read, left_out)


def _plays(tracks: list[_Play], called: dict[str, str], route: Route) -> Rows:
    played_at = _instants([play.listened_at for play in tracks])
    _, place, count = np.unique(played_at.cast(pa.int64()).to_numpy(), return_inverse=True, return_counts=True)
    alone = pa.array(count[place] == 1, pa.bool_())
    columns = {
        "played_at": played_at,
        "artist": names([called.get(play.artist_id, artist_uri(play.artist_id)) for play in tracks]),
        "artist_id": strings([artist_uri(play.artist_id) for play in tracks]),
        "track": names([f"spotify:track:{play.track_id}" if play.track_id else None for play in tracks]),
        "finished": pa.repeat(pa.scalar(True), len(tracks)),
        "clock": pc.if_else(alone, Clock.SECOND.value, Clock.SYNTHETIC.value),
    }
    table = listens(columns, Clock.SECOND, Source.UNWRAPPED, route)
    return sift(table, nameless(columns["artist"], columns["track"]))


def _totals(favourites: list[_Favourite], route: Route) -> Rows:
    plays = pa.array([_number(favourite.play_count) for favourite in favourites], pa.int64())
    ids = [artist_uri(favourite.id) for favourite in favourites]
    artist = names([favourite.name or uri for favourite, uri in zip(favourites, ids, strict=True)])
    return totals(artist, strings(ids), plays, Source.UNWRAPPED, route)


def artist_uri(identifier: str) -> str | None:
    """Write Spotify's id of an artist as its URI; the placeholder of an unknown artist is none."""
    return f"{ARTIST}{identifier}" if identifier and identifier != "unknown_artist" else None


def _number(value: str | int | None) -> int:
    if not _NUMBER.fullmatch(str(value)):
        raise ValueError(f"play_count is {str(value)[:20]!r}, not a whole number; {_HOW_TO_ASK}")
    return int(value or 0)


def _instants(texts: list[str]) -> pa.Array:
    try:
        instants = strings(texts).cast(SCHEMA.field("played_at").type)
    except pa.ArrowInvalid:
        raise ValueError(
            f"listened_at of a track is not a time with its zone, as ISO 8601 writes it; {_HOW_TO_ASK}"
        ) from None
    years = pc.min_max(pc.year(instants)).as_py()
    if texts and (years["min"] < _YEARS[0] or years["max"] >= _YEARS[1]):
        raise ValueError(f"listened_at lies in the years {years['min']} to {years['max']}; expected 2006 to 2099")
    return instants
