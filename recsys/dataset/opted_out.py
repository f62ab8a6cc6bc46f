"""Artists who opted out are taken away before anything is counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.consent import ArtistPreferences
from recsys.dataset.version import Pairs
from recsys.listens import ArtistIds, CanonicalArtists, Heard, Spelling, canonical_artists


def find_artists(
    spellings: Sequence[Spelling],
    pairs: Pairs,
    *,
    min_listeners: int,
    ids: ArtistIds | None,
    preferences: ArtistPreferences | None,
) -> tuple[CanonicalArtists, Pairs, int]:
    """Find the artists behind the spellings, without those who opted out.

    An artist is out with all spellings if at least `min_listeners` members played them under a name or id that opted
    out: a single file that bears somebody else's id must not take an artist away. Below that number only those plays
    go. What is left is looked at afresh, as if the rest had never been heard.

    Returns
    -------
    The artists, the plays that are left (``artist`` numbers `spellings`), and how many artists of enough listeners were
    taken away.
    """
    found = _found(spellings, pairs, min_listeners, ids)
    if preferences is None:
        return found, pairs, 0
    refused = np.fromiter(
        (preferences.refuses(*(name for name in spelling if name)) for spelling in spellings), np.bool_, len(spellings)
    )
    if not refused.any():
        return found, pairs, 0
    out = _refused_artists(found, refused, pairs, max(min_listeners, 1))
    gone = refused | np.isin(found.artist, out)
    left = _where(pairs, ~gone[pairs.artist])
    return _found(spellings, left, min_listeners, ids), left, len(out)


def _found(spellings: Sequence[Spelling], pairs: Pairs, min_listeners: int, ids: ArtistIds | None) -> CanonicalArtists:
    return canonical_artists(
        Heard(spellings, pairs.member, pairs.artist, pairs.plays), min_listeners=min_listeners, ids=ids
    )


def _refused_artists(found: CanonicalArtists, refused: np.ndarray, pairs: Pairs, least: int) -> np.ndarray:
    """Give the artists that enough members played under a name or id that opted out."""
    column = found.artist[pairs.artist]
    chosen = refused[pairs.artist] & (column >= 0)
    claims = np.unique(np.stack([column[chosen], pairs.member[chosen]]), axis=1)
    artists, members = np.unique(claims[0], return_counts=True)
    return artists[members >= least]


def _where(pairs: Pairs, chosen: np.ndarray) -> Pairs:
    return Pairs(pairs.member[chosen], pairs.artist[chosen], pairs.plays[chosen], pairs.ms[chosen])
