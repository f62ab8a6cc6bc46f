"""From consented listens to a dataset version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from recsys.canonical import Pseudonym
from recsys.consent import ArtistPreferences, ConsentedListens
from recsys.consent.policy import OWN
from recsys.dataset.change import succeed
from recsys.dataset.manifest import CONSENTED
from recsys.dataset.opted_out import find_artists
from recsys.dataset.reading import Read, read_plays
from recsys.dataset.version import DatasetVersion, Pairs, Parts, assemble
from recsys.errors import DatasetTooSmallError
from recsys.listens import KEY_EDITION, PLAY_MS, ArtistIds, CanonicalArtists

_SMALLEST = 2


def build(
    admitted: ConsentedListens,
    *,
    min_listeners: int = 5,
    ids: ArtistIds | None = None,
    artists: ArtistPreferences | None = None,
    parent: DatasetVersion | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> DatasetVersion:
    """Make the dataset version that these listens are.

    Reads one member at a time; memory grows with the number of (member, artist) pairs, not of listens. The result does
    not depend on the order of members or listens.

    Parameters
    ----------
    admitted
        What the gate let pass.
    min_listeners
        An artist heard by fewer members is left out: too few to learn from, and few enough to point at somebody.
    ids
        The operator's own map of artists; without one, names and the sources' ids decide who is who.
    artists
        What artists prefer (:meth:`recsys.consent.ArtistRegistry.preferences`): those who opted out are left out.
        Without it nobody is, and the version says for ever that the registry was not asked.
    parent
        The version before this one, if there is one: the version's number follows from what changed since. Where
        nothing has, it is returned.
    progress
        Called with (members read, members in all).

    Raises
    ------
    DatasetTooSmallError
        If fewer than two members or two artists are left.
    """
    read = read_plays(admitted, progress)
    found, plays, opted_out = find_artists(
        read.spellings, read.pairs, min_listeners=min_listeners, ids=ids, preferences=artists
    )
    members, names, pairs = canonical(read.members, found, plays)
    refuse_too_small(members, names, f"{len(admitted)} admitted members", min_listeners)
    left_out = {
        **found.left_out,
        "members_without_artists": len(read.members) - len(members),
        "artists_opted_out": opted_out,
    }
    rules = {
        "play": f"{PLAY_MS} ms heard, or the track finished",
        "min_listeners": min_listeners,
        "artists": KEY_EDITION,
        "artist_ids": ids.digest if ids else None,
        "routes": {**dict.fromkeys(sorted(OWN), "the member's own"), **admitted.policy.grounds},
    }
    parts = Parts(members, names, pairs, found.spellings, read.contributions)
    facts = {**_asked(admitted, read, left_out), "rules": rules, "artists": artists.as_facts() if artists else None}
    return succeed(assemble(parts, facts), parent)


def _asked(admitted: ConsentedListens, read: Read, left_out: dict[str, int]) -> dict[str, Any]:
    """Give the facts that follow from the asking: for what, when, of whom, and what was not let in."""
    return {
        "provenance": CONSENTED,
        "purpose": admitted.purpose,
        "recipient": admitted.recipient,
        "at": admitted.at,
        "ledger": {"count": admitted.head.count, "hash": admitted.head.hash},
        "parent": None,
        "period": read.period,
        "counts": {
            "refused": {standing.value: count for standing, count in admitted.refused.items()},
            "refused_routes": admitted.refused_routes,
            "left_out": left_out,
            "sources": read.sources,
        },
    }


def refuse_too_small(members: Sequence[str], names: Sequence[str], of: str, min_listeners: int) -> None:
    """Refuse to make a version of next to nothing.

    Raises
    ------
    DatasetTooSmallError
        If fewer than two members or two artists are left.
    """
    if min(len(members), len(names)) < _SMALLEST:
        raise DatasetTooSmallError(
            f"{len(members)} members and {len(names)} artists are left of {of}, with artists of at least "
            f"{min_listeners} listeners; a version needs two of each: gather more members or lower min_listeners"
        )


def canonical(
    members: list[Pseudonym], found: CanonicalArtists, pairs: Pairs
) -> tuple[list[Pseudonym], list[str], Pairs]:
    """Put artists in the place of spellings, and members that still have one in the order of their names."""
    artist = found.artist[pairs.artist]
    kept = artist >= 0
    present = np.unique(pairs.member[kept])
    order = sorted(present.tolist(), key=members.__getitem__)
    row = np.full(len(members), -1, dtype=np.int64)
    row[order] = np.arange(len(order))
    canonical = Pairs.summed(row[pairs.member[kept]], artist[kept], pairs.plays[kept], pairs.ms[kept])
    return [members[number] for number in order], list(found.names), canonical
