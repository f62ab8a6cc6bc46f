"""Spotify's two kinds of export: account data (one year) and the extended streaming history (all years).

Both are JSON lists of plays. Only the fields declared here are ever decoded: addresses, user names, devices and all
else in a row never become Python objects. Which kind a file is shows in its content; a row is music only if its uri
is a track's, whatever the file is called.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.listens.sources.source import Rows, listens
from recsys.listens.table import SCHEMA, Clock, LeftOut, Route, Source

_WEEK_MS = 7 * 24 * 60 * 60 * 1000
_Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=_WEEK_MS)]
_HISTORY = re.compile(r"(streaming_?history|endsong|endvideo).*\.json")
_ACCOUNT = re.compile(rb'"endTime"\s*:')
_PEEK = 1 << 16
_YEARS = (2006, 2100)
_CLOCK = "Spotify began in 2006, and no play can end after 2099"
_MS = pa.timestamp("ms")
_BOM = b"\xef\xbb\xbf"
_HOW_TO_ASK = "ask Spotify for a new export and hand in its zip as it is"

Row = TypeVar("Row")
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Sieve = Sequence[tuple[LeftOut, Mask]]


class _AccountRow(msgspec.Struct, gc=False, rename="camel"):
    end_time: str
    ms_played: _Milliseconds
    artist_name: str | None = None
    track_name: str | None = None
    podcast_name: str | None = None
    audiobook_name: str | None = None


class _ExtendedRow(msgspec.Struct, gc=False):
    ts: str
    ms_played: _Milliseconds
    master_metadata_album_artist_name: str | None = None
    master_metadata_track_name: str | None = None
    spotify_track_uri: str | None = None
    spotify_episode_uri: str | None = None
    audiobook_uri: str | None = None
    reason_end: str | None = None
    incognito_mode: bool | None = None


_decode_account = msgspec.json.Decoder(list[_AccountRow]).decode
_decode_extended = msgspec.json.Decoder(list[_ExtendedRow]).decode


class Spotify:
    """Reads the history files of both kinds of Spotify export (a :class:`recsys.listens.sources.FileSource`)."""

    wanted = "StreamingHistory*.json, Streaming_History_*.json or endsong_*.json"
    advice = (
        "ask for it under 'Download your data' in the privacy settings of the Spotify account: "
        "'Extended streaming history' holds all years, 'Account data' the last one"
    )

    def claims(self, name: str) -> bool:
        """Tell by the base name of a file, in any case, whether it is a listening history."""
        return _HISTORY.fullmatch(name.lower()) is not None

    def read(self, data: bytes, route: Route) -> Rows:
        """Turn the bytes of one history file into listens.

        Raises
        ------
        ValueError
            If they are not a history as Spotify writes it; says where and what to do.
        """
        text = data.removeprefix(_BOM)
        _check_text(text)
        if _ACCOUNT.search(text, 0, _PEEK):
            return _read_account(text, route)
        return _read_extended(text, route)


SPOTIFY = Spotify()


def _read_account(text: bytes, route: Route) -> Rows:
    rows = _decode(_decode_account, text)
    _check_keys(text, len(rows), "endTime", "msPlayed", "artistName", "trackName")
    artist, track = _names(_column(rows, "artist_name")), _names(_column(rows, "track_name"))
    sieve = [
        (LeftOut.PODCAST, _known(_strings(_column(rows, "podcast_name")))),
        (LeftOut.AUDIOBOOK, _known(_strings(_column(rows, "audiobook_name")))),
        *_nameless(artist, track),
    ]
    played_at = _instants(_column(rows, "end_time"), "endTime", _MS)
    finished = pa.repeat(pa.scalar(False), len(rows))
    columns = {"played_at": played_at, "artist": artist, "track": track, "finished": finished}
    table = listens({**columns, "ms_played": _milliseconds(rows)}, Clock.MINUTE, Source.SPOTIFY_ACCOUNT, route)
    return _sift(table, sieve)


def _read_extended(text: bytes, route: Route) -> Rows:
    rows = _decode(_decode_extended, text)
    artist_key, track_key = "master_metadata_album_artist_name", "master_metadata_track_name"
    _check_keys(text, len(rows), "ts", "ms_played", artist_key, track_key)
    artist, track = _names(_column(rows, artist_key)), _names(_column(rows, track_key))
    uri = _strings(_column(rows, "spotify_track_uri"))
    no_track = ~_true(pc.starts_with(uri, "spotify:track:"))
    sieve = [
        (LeftOut.INCOGNITO, _true(pa.array(_column(rows, "incognito_mode"), pa.bool_()))),
        (LeftOut.PODCAST, no_track & _known(_strings(_column(rows, "spotify_episode_uri")))),
        (LeftOut.AUDIOBOOK, no_track & _known(_strings(_column(rows, "audiobook_uri")))),
        (LeftOut.LOCAL_FILE, _true(pc.starts_with(uri, "spotify:local:"))),
        (LeftOut.NO_TRACK, no_track),
        *_nameless(artist, track),
    ]
    played_at = _instants(_column(rows, "ts"), "ts", pa.timestamp("ms", tz="UTC"))
    finished = pc.fill_null(pc.equal(_strings(_column(rows, "reason_end")), "trackdone"), False)
    columns = {"played_at": played_at, "artist": artist, "track": track, "finished": finished}
    table = listens({**columns, "ms_played": _milliseconds(rows)}, Clock.SECOND, Source.SPOTIFY_EXTENDED, route)
    return _sift(table, sieve)


def _nameless(artist: pa.Array, track: pa.Array) -> Sieve:
    nothing = _true(pc.equal(artist, "")) | _true(pc.equal(track, "")) | ~_known(artist) | ~_known(track)
    return [(LeftOut.NO_TRACK, nothing), (LeftOut.UNKNOWN_ARTIST, _true(pc.equal(artist, "Unknown Artist")))]


def _sift(table: pa.Table, sieve: Sieve) -> Rows:
    read = table.num_rows
    kept = np.ones(read, bool)
    left_out: Counter[str] = Counter()
    for reason, mask in sieve:
        left_out[reason.value] += int((kept & mask).sum())
        kept &= ~mask
    return Rows(table.filter(pa.array(kept)), read, +left_out)


def _decode(decode: Callable[[bytes], list[Row]], text: bytes) -> list[Row]:
    try:
        return decode(text)
    except RecursionError:
        raise ValueError(f"lists or objects lie too deep in one another; {_HOW_TO_ASK}") from None
    except msgspec.ValidationError as fault:
        raise ValueError(f"not a list of plays as Spotify writes it: {fault}; {_HOW_TO_ASK}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise ValueError(f"{fault}; the file is damaged or was edited: {_HOW_TO_ASK}") from None


def _check_text(text: bytes) -> None:
    """Refuse bytes that are not UTF-8 anywhere, also in the fields that are never decoded."""
    offsets = np.array([0, len(text)], np.int32)
    try:
        pa.StringArray.from_buffers(1, pa.py_buffer(offsets), pa.py_buffer(text)).validate(full=True)
    except pa.ArrowInvalid:
        raise ValueError(f"not UTF-8 text; the file is damaged or was edited: {_HOW_TO_ASK}") from None


def _check_keys(text: bytes, rows: int, *keys: str) -> None:
    """Refuse objects that name a key twice, which two readers could read in two ways.

    The quoted key is counted first, since that is quick; only a title that is spelt like a key makes it count colons.
    """
    for key in keys:
        quoted = f'"{key}"'.encode()
        if text.count(quoted) > rows and len(re.findall(quoted + rb"\s*:", text)) > rows:
            raise ValueError(f"a play names {key} twice; the file was edited: {_HOW_TO_ASK}")


def _column(rows: Sequence[object], name: str) -> list[Any]:
    return list(map(attrgetter(name), rows))


def _strings(values: Sequence[str | None]) -> pa.Array:
    return pa.array(values, pa.string())


def _milliseconds(rows: Sequence[object]) -> pa.Array:
    return pa.array(_column(rows, "ms_played"), pa.int64())


def _names(values: Sequence[str | None]) -> pa.Array:
    """Write each name in Unicode's composed form (NFC), without outer blanks; each spelling is treated once.

    By Python, since Arrow's ``utf8_normalize`` gives the decomposed form when asked for NFC (seen in Arrow 25).
    """
    encoded = _strings(values).dictionary_encode()
    names = [unicodedata.normalize("NFC", name).strip() for name in encoded.dictionary.to_pylist()]
    return _strings(names).take(encoded.indices)


def _instants(texts: Sequence[str], key: str, kind: pa.DataType) -> pa.Array:
    try:
        instants = _strings(texts).cast(kind)
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


def _known(values: pa.Array) -> Mask:
    return _true(values.is_valid())


def _true(values: pa.Array) -> Mask:
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), bool)
