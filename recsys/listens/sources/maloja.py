"""Maloja: its backup, one JSON object with all scrobbles. The first of a track's artists stands for all."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from recsys.listens.sources.columns import nameless, names, scrobbled, sift
from recsys.listens.sources.decoding import decoded, utf8
from recsys.listens.sources.lastfm import BEGAN
from recsys.listens.sources.source import Rows
from recsys.listens.table import Route, Source

_BACKUP = re.compile(rb'\s*\{\s*"maloja"\s*:')
_HOW_TO_ASK = "export it again in Maloja's settings and hand in the file as it is"


class _Track(msgspec.Struct, gc=False):
    artists: list[str] = []
    title: str | None = None


class _Scrobble(msgspec.Struct, gc=False):
    time: Annotated[int, msgspec.Meta(ge=-(1 << 40), le=1 << 40)]
    track: _Track


class _Backup(msgspec.Struct, gc=False):
    scrobbles: list[_Scrobble]


_decode = msgspec.json.Decoder(_Backup).decode


class Maloja:
    """Reads backups (a :class:`recsys.listens.sources.FileSource`)."""

    route = Route.SERVICE_EXPORT
    exports = "Maloja"

    def claims(self, name: str) -> bool:  # noqa: ARG002 - as the Protocol wants it
        """Tell nothing by name: the file says what it is."""
        return False

    def knows(self, data: bytes) -> bool:
        """Tell whether a backup begins here."""
        return _BACKUP.match(data) is not None

    def read(self, data: bytes, route: Route) -> Rows:
        """Turn a backup into listens.

        Raises
        ------
        ValueError
            If it is none.
        """
        rows = decoded(_decode, utf8(data, _HOW_TO_ASK), "a backup as Maloja writes it", _HOW_TO_ASK).scrobbles
        artist = names([next(iter(row.track.artists), None) for row in rows])
        track = names([row.track.title for row in rows])
        seconds = [row.time for row in rows]
        table = scrobbled(seconds, BEGAN, Source.MALOJA, route, artist=artist, track=track)
        return sift(table, nameless(artist, track))
