"""The library of a Spotify account (``YourLibrary.json``): which podcasts a member follows, and nothing else of it.

Until about 2023 account data told podcasts and music in one file, with the name of the show where the artist stands.
Nothing in the row tells them apart; the names of the shows in the library do.
"""

from __future__ import annotations

import re

import msgspec

from recsys.listens.sources.columns import names
from recsys.listens.sources.source import Rows
from recsys.listens.table import SCHEMA, Route

_LIBRARY = re.compile(r"yourlibrary[\s\d_()-]*\.json")


class _Show(msgspec.Struct, gc=False):
    name: str


class _Library(msgspec.Struct, gc=False):
    shows: list[_Show] = []


_decode = msgspec.json.Decoder(_Library).decode


class SpotifyLibrary:
    """Reads the names of the podcasts that a member follows (a :class:`recsys.listens.sources.FileSource`)."""

    route = Route.GDPR_EXPORT
    exports = ""

    def claims(self, name: str) -> bool:
        """Tell by its name whether a file is the library: nobody looks into a file to find out."""
        return _LIBRARY.fullmatch(name.lower()) is not None

    def knows(self, data: bytes) -> bool:  # noqa: ARG002 - as the Protocol wants it
        """Tell nothing by content."""
        return False

    def read(self, data: bytes, route: Route) -> Rows:  # noqa: ARG002 - names of shows have no route
        """Give no listens, but names of shows; none, if the file cannot be read: the listens do not depend on it."""
        try:
            shows = names([show.name for show in _decode(data).shows]).to_pylist()
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            shows = []
        return Rows(SCHEMA.empty_table(), 0, {}, shows=frozenset(shows), is_history=False)
