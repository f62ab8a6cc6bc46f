"""Spotify's two kinds of export: account data (one year) and the extended streaming history (all years).

Both are JSON lists of plays. Only the fields declared here are ever decoded: addresses, user names, devices and all
else in a row never become Python objects. Which kind a file is shows in its content; a row is music only if its uri
is a track's, whatever the file is called.

Old exports of the extended history (``endsong``) tell some plays twice, some seconds apart. They are known by the
instant at which the play began (``offline_timestamp``, in milliseconds in those exports), or, where that is 0, by this:
nobody hears the same milliseconds of the same track again within 30 seconds and before so many milliseconds are over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.listens.sources.columns import Mask, column, known, listens, nameless, names, sift, strings, true
from recsys.listens.sources.decoding import decoded, refuse_doubled_keys, utf8
from recsys.listens.sources.source import Rows
from recsys.listens.table import SCHEMA, Clock, LeftOut, Route, Source

Integers = np.ndarray[Any, np.dtype[np.int64]]

_WEEK_MS = 7 * 24 * 60 * 60 * 1000
_Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=_WEEK_MS)]
_Stamp = Annotated[int, msgspec.Meta(ge=-(1 << 53), le=1 << 53)]
_Text = Annotated[str, msgspec.Meta(max_length=10_000)]
_HISTORY = re.compile(r"(streaming_?history|endsong|endvideo).*\.json")
_ACCOUNT = re.compile(rb'"endTime"\s*:')
_EXTENDED = re.compile(rb'"ts"\s*:')
_DURATION = re.compile(rb'"ms_?[pP]layed"\s*:')
_PEEK = 1 << 16
_YEARS = (2006, 2100)
_CLOCK = "Spotify began in 2006, and no play can end after 2099"
_MS = pa.timestamp("ms")
_IN_MS = 10**12
"""A stamp from here on counts milliseconds since 1970, a smaller one seconds."""
_AGAIN_MS = 30_000
_HOW_TO_ASK = "ask Spotify for a new export and hand in its zip as it is"
_WHAT = "a list of plays as Spotify writes it"


class _AccountRow(msgspec.Struct, gc=False, rename="camel"):
    end_time: _Text
    ms_played: _Milliseconds
    artist_name: _Text | None = None
    track_name: _Text | None = None
    podcast_name: _Text | None = None
    audiobook_name: _Text | None = None


class _ExtendedRow(msgspec.Struct, gc=False):
    ts: _Text
    ms_played: _Milliseconds
    master_metadata_album_artist_name: _Text | None = None
    master_metadata_track_name: _Text | None = None
    spotify_track_uri: _Text | None = None
    spotify_episode_uri: _Text | None = None
    audiobook_uri: _Text | None = None
    reason_end: _Text | None = None
    offline_timestamp: _Stamp | None = None
    incognito_mode: bool | None = None


_decode_account = msgspec.json.Decoder(list[_AccountRow]).decode
_decode_extended = msgspec.json.Decoder(list[_ExtendedRow]).decode


class Spotify:
    """Reads the history files of both kinds of Spotify export (a :class:`recsys.listens.sources.FileSource`)."""

    route = Route.GDPR_EXPORT
    exports = "Spotify's account data and Extended streaming history"
    fields = frozenset(one.encode_name for kind in (_AccountRow, _ExtendedRow) for one in msgspec.structs.fields(kind))
    """The fields that are decoded, of either kind; no other ever is."""

    def claims(self, name: str) -> bool:
        """Tell by the base name of a file, in any case, whether it must be a listening history."""
        return _HISTORY.fullmatch(name.lower()) is not None

    def knows(self, data: bytes) -> bool:
        """Tell whether the first plays of a history, of either kind, stand there."""
        end = _ACCOUNT.search(data, 0, _PEEK) or _EXTENDED.search(data, 0, _PEEK)
        return end is not None and _DURATION.search(data, 0, _PEEK) is not None

    def read(self, data: bytes, route: Route) -> Rows:
        """Turn the bytes of one history file into listens.

        Raises
        ------
        ValueError
            If they are not a history as Spotify writes it; says where and what to do.
        """
        text = utf8(data, _HOW_TO_ASK)
        if _ACCOUNT.search(text, 0, _PEEK):
            return _read_account(text, route)
        return _read_extended(text, route)


def _read_account(text: bytes, route: Route) -> Rows:
    rows = decoded(_decode_account, text, _WHAT, _HOW_TO_ASK)
    refuse_doubled_keys(text, len(rows), _HOW_TO_ASK, "endTime", "msPlayed", "artistName", "trackName")
    columns = {
        "played_at": _instants(column(rows, "end_time"), "endTime", _MS),
        "artist": names(column(rows, "artist_name")),
        "track": names(column(rows, "track_name")),
        "ms_played": _milliseconds(rows),
        "finished": pa.repeat(pa.scalar(False), len(rows)),
    }
    sieve = [
        (LeftOut.PODCAST, known(strings(column(rows, "podcast_name")))),
        (LeftOut.AUDIOBOOK, known(strings(column(rows, "audiobook_name")))),
        *nameless(columns["artist"], columns["track"]),
    ]
    table = listens(columns, Clock.MINUTE, Source.SPOTIFY_ACCOUNT, route)
    return replace(sift(table, sieve), may_hold_podcasts=True)


def _read_extended(text: bytes, route: Route) -> Rows:
    rows = decoded(_decode_extended, text, _WHAT, _HOW_TO_ASK)
    artist_key, track_key = "master_metadata_album_artist_name", "master_metadata_track_name"
    refuse_doubled_keys(text, len(rows), _HOW_TO_ASK, "ts", "ms_played", artist_key, track_key)
    columns = {
        "played_at": _instants(column(rows, "ts"), "ts", pa.timestamp("ms", tz="UTC")),
        "artist": names(column(rows, artist_key)),
        "track": names(column(rows, track_key)),
        "ms_played": _milliseconds(rows),
        "finished": pc.fill_null(pc.equal(strings(column(rows, "reason_end")), "trackdone"), False),
    }
    uri = strings(column(rows, "spotify_track_uri"))
    no_track = ~true(pc.starts_with(uri, "spotify:track:"))
    sieve = [
        (LeftOut.PODCAST, no_track & known(strings(column(rows, "spotify_episode_uri")))),
        (LeftOut.AUDIOBOOK, no_track & known(strings(column(rows, "audiobook_uri")))),
        (LeftOut.LOCAL_FILE, true(pc.starts_with(uri, "spotify:local:"))),
        (LeftOut.NO_TRACK, no_track),
        *nameless(columns["artist"], columns["track"]),
        (LeftOut.REPEATED, _told_again(columns, pa.array(column(rows, "offline_timestamp"), pa.int64()))),
    ]
    table = listens(columns, Clock.SECOND, Source.SPOTIFY_EXTENDED, route)
    return sift(table, sieve, hidden=true(pa.array(column(rows, "incognito_mode"), pa.bool_())))


def _told_again(columns: Mapping[str, pa.Array], began: pa.Array) -> Mask:
    """Tell the rows that tell a play of this file a second time, by the rules at the head of this module."""
    stamp = pc.fill_null(began, 1).to_numpy()
    again = np.zeros(len(stamp), bool)
    time, ms = columns["played_at"].cast(pa.int64()).to_numpy(), columns["ms_played"].to_numpy()
    artist, track = (_codes(columns[name]) for name in ("artist", "track"))
    by_stamp = np.flatnonzero(stamp >= _IN_MS)
    again[_followers(by_stamp, time, (stamp, artist, track))] = True
    by_gap = np.flatnonzero(stamp == 0)
    gap = np.minimum(ms, _AGAIN_MS + 1)
    again[_followers(by_gap, time, (ms, artist, track), within=gap)] = True
    return again


def _codes(values: pa.Array) -> Integers:
    return np.asarray(pc.fill_null(values, "").dictionary_encode().indices, np.int64)


def _followers(
    rows: Integers, time: Integers, keys: tuple[Integers, ...], *, within: Integers | None = None
) -> Integers:
    """Give those of `rows` that come after one with the same keys, if need be less than so many milliseconds."""
    order = rows[np.lexsort([time[rows], *(key[rows] for key in keys)])]
    before, after = order[:-1], order[1:]
    same = np.logical_and.reduce([key[before] == key[after] for key in keys])
    if within is not None:
        same &= time[after] - time[before] < within[after]
    return after[same]


def _milliseconds(rows: Sequence[object]) -> pa.Array:
    return pa.array(column(rows, "ms_played"), pa.int64())


def _instants(texts: Sequence[str], key: str, kind: pa.DataType) -> pa.Array:
    try:
        instants = strings(texts).cast(kind)
    except pa.ArrowInvalid:
        row = next(row for row, text in enumerate(texts) if not _is_instant(text, kind))
        raise ValueError(f"$[{row}].{key} is not a time as Spotify writes it; {_HOW_TO_ASK}") from None
    years = pc.year(instants).to_numpy(zero_copy_only=False)
    wrong = np.flatnonzero((years < _YEARS[0]) | (years >= _YEARS[1]))
    if wrong.size:
        raise ValueError(f"$[{wrong[0]}].{key} lies in the year {years[wrong[0]]}: {_CLOCK}; {_HOW_TO_ASK}")
    return instants.cast(SCHEMA.field("played_at").type)


def _is_instant(text: str, kind: pa.DataType) -> bool:
    try:
        pa.scalar(text).cast(kind)
    except pa.ArrowInvalid:
        return False
    return True
