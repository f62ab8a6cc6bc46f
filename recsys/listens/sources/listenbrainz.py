"""ListenBrainz: the export zip (``listens/YYYY/M.jsonl``, one listen a line) and the older list of all listens.

Artists are credits ("A feat. B"). Where ListenBrainz has found the recording in MusicBrainz, the credit is split, and
the first artist stands for it, as in the other sources. Whatever else a player sent along is not decoded.
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from recsys.listens.sources.columns import mbids, nameless, names, scrobbled, sift
from recsys.listens.sources.decoding import decoded, refuse_doubled_keys, utf8
from recsys.listens.sources.source import Rows
from recsys.listens.table import Route, Source

BEGAN = 2002
"""ListenBrainz takes no listen from before the service whose data it was made for."""

_LISTEN = re.compile(rb'"listened_at"\s*:')
_TRACK = re.compile(rb'"track_metadata"\s*:')
_WHAT = "listens as ListenBrainz writes them"
_HOW_TO_ASK = "export your listens again at listenbrainz.org/settings/export and hand in the zip as it is"


class _Credit(msgspec.Struct, gc=False):
    artist_credit_name: str | None = None
    artist_mbid: str | None = None


class _Mapping(msgspec.Struct, gc=False):
    artists: list[_Credit] | None = None


class _Track(msgspec.Struct, gc=False):
    track_name: str | None = None
    artist_name: str | None = None
    mbid_mapping: _Mapping | None = None


class _Listen(msgspec.Struct, gc=False):
    listened_at: Annotated[int, msgspec.Meta(ge=-(1 << 40), le=1 << 40)]
    track_metadata: _Track


_decoder = msgspec.json.Decoder(list[_Listen])
_line_decoder = msgspec.json.Decoder(_Listen)


class ListenBrainz:
    """Reads files of listens (a :class:`recsys.listens.sources.FileSource`)."""

    route = Route.SERVICE_EXPORT
    exports = "ListenBrainz"

    def claims(self, name: str) -> bool:  # noqa: ARG002 - as the Protocol wants it
        """Tell nothing by name: a month is called ``3.jsonl``."""
        return False

    def knows(self, data: bytes) -> bool:
        """Tell whether a first listen stands there."""
        return _LISTEN.search(data) is not None and _TRACK.search(data) is not None

    def read(self, data: bytes, route: Route) -> Rows:
        """Turn a file into listens.

        Raises
        ------
        ValueError
            If it is not a list, or lines, of listens.
        """
        text = utf8(data, _HOW_TO_ASK)
        decode = _decoder.decode if text.lstrip()[:1] == b"[" else _line_decoder.decode_lines
        rows: list[_Listen] = decoded(decode, text, _WHAT, _HOW_TO_ASK)
        refuse_doubled_keys(text, len(rows), _HOW_TO_ASK, "listened_at", "track_metadata")
        credits_ = [_first_artist(row.track_metadata) for row in rows]
        artist = names([credit.artist_credit_name for credit in credits_])
        track = names([row.track_metadata.track_name for row in rows])
        mbid = mbids([credit.artist_mbid for credit in credits_])
        seconds = [row.listened_at for row in rows]
        table = scrobbled(seconds, BEGAN, Source.LISTENBRAINZ, route, artist=artist, artist_id=mbid, track=track)
        return sift(table, nameless(artist, track))


def _first_artist(track: _Track) -> _Credit:
    mapping = track.mbid_mapping
    if mapping and mapping.artists and mapping.artists[0].artist_credit_name:
        return mapping.artists[0]
    return _Credit(track.artist_name)
