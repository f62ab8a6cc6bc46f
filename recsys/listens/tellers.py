"""The same play told by two services: which rows tell what a better teller has told already."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.listens.artist_keys import artist_key
from recsys.listens.table import Route, Source

Integers = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

TELLERS = (
    (Source.SPOTIFY_EXTENDED, Source.SPOTIFY_ACCOUNT),
    (Source.LISTENBRAINZ,),
    (Source.LASTFM,),
    (Source.LASTFM_CSV,),
    (Source.MALOJA,),
)
"""Who is believed first: the player itself, then those who know seconds and artists' ids, then those who do not."""

_PLACES = {source.value: place for place, sources in enumerate(TELLERS) for source in sources}
_SLACK_S = 180
_FEATURING = re.compile(r"\s[\[(]?(feat|ft|featuring)\b.*|\s-\s.*")
_ROUTES = {route.value: route.strictness for route in Route}


def teller_of(source: str) -> str:
    """Give the first of the sources that are believed alike, whose rows are not compared with one another."""
    place = _PLACES.get(source)
    return source if place is None else TELLERS[place][0].value


def other_tellers(rows: pa.Table) -> Mask:
    """Tell which rows tell a play that a better teller tells in another row.

    Parameters
    ----------
    rows
        Listens, each play once a service.
    """
    twin = np.zeros(rows.num_rows, bool)
    if len({teller_of(source) for source in pc.unique(rows["source"]).to_pylist()}) <= 1:
        return twin
    place = _places(rows)
    dated = np.flatnonzero((place >= 0) & rows["played_at"].is_valid().to_numpy() & rows["track"].is_valid().to_numpy())
    told = rows.take(pa.array(dated)).select(["played_at", "artist", "track", "ms_played", "source"])
    ends = np.asarray(told["played_at"].cast(pa.int64()).to_numpy()) // 1000
    begins = ends - np.asarray(pc.fill_null(told["ms_played"], 0).to_numpy()) // 1000
    piece = _codes(told["artist"], artist_key) * (len(dated) + 1) + _codes(told["track"], _folded)
    _, piece = np.unique(piece, return_inverse=True)
    places = place[dated]
    for own in np.unique(places)[1:]:
        mine = places == own
        better = (places < own) & (places % len(TELLERS) != own % len(TELLERS))
        if better.any():
            found = _within(piece[mine], ends[mine], piece[better], begins[better], ends[better])
            twin[dated[mine]] = found
    return twin


def _places(rows: pa.Table) -> Integers:
    """Give each row its teller's number: lower for laxer routes, then for better tellers; -1 where none is known."""
    sources, routes = (rows[name].combine_chunks().dictionary_encode() for name in ("source", "route"))
    by_source = np.array([_PLACES.get(name, -1) for name in sources.dictionary.to_pylist()] or [-1])
    by_route = np.array([_ROUTES[name] for name in routes.dictionary.to_pylist()] or [0])
    place, strictness = by_source[np.asarray(sources.indices)], by_route[np.asarray(routes.indices)]
    return np.where(place < 0, -1, strictness * len(TELLERS) + place).astype(np.int64)


def _within(piece: Integers, time: Integers, pieces: Integers, begins: Integers, ends: Integers) -> Mask:
    """Tell for each play whether its time lies within one of the plays of the same piece, give or take the slack."""
    order = np.lexsort((ends, pieces))
    pieces, begins, ends = pieces[order], begins[order], ends[order]
    width = 1 << 34  # more seconds than there are until the year 2100
    place = np.searchsorted(pieces * width + ends, piece * width + time - _SLACK_S)
    near = np.minimum(place, len(pieces) - 1)
    inside = (pieces[near] == piece) & (ends[near] >= time - _SLACK_S) & (begins[near] <= time + _SLACK_S)
    return np.asarray((place < len(pieces)) & inside, bool)


def _codes(names: pa.ChunkedArray, key: Callable[[str], str]) -> Integers:
    encoded = names.combine_chunks().dictionary_encode()
    folded = [key(name) for name in encoded.dictionary.to_pylist()]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(folded))}
    return np.asarray(np.array([numbers[name] for name in folded], np.int64)[np.asarray(encoded.indices)])


def _folded(title: str) -> str:
    """Write a title so that services agree on it: no case, no punctuation, no guests, no remark after a dash."""
    text = unicodedata.normalize("NFKC", title).casefold()
    letters = "".join(letter for letter in _FEATURING.sub("", text) if letter.isalnum())
    return letters or text
