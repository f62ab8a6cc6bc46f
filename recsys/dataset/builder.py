"""From consented listens to a dataset version."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsys.canonical import Pseudonym
from recsys.consent import ConsentedListens
from recsys.dataset.manifest import CONSENTED
from recsys.dataset.version import DatasetVersion, Pairs, assemble
from recsys.errors import DatasetTooSmallError
from recsys.listens import (
    KEY_EDITION,
    PLAY_MS,
    ArtistIds,
    CanonicalArtists,
    Heard,
    Spelling,
    canonical_artists,
    counts_as_play,
)

_SMALLEST = 2


def build(
    admitted: ConsentedListens,
    *,
    min_listeners: int = 5,
    ids: ArtistIds | None = None,
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
    parent
        The version before this one, if there is one. Where nothing has changed since, it is returned.
    progress
        Called with (members read, members in all).

    Raises
    ------
    DatasetTooSmallError
        If fewer than two members or two artists are left.
    """
    everybody, spellings, pairs = _read(admitted, progress)
    heard = Heard(spellings, pairs.member, pairs.artist, pairs.plays)
    found = canonical_artists(heard, min_listeners=min_listeners, ids=ids)
    members, artists, pairs = _canonical(everybody, found, pairs)
    left_out = {**found.left_out, "members_without_artists": len(everybody) - len(members)}
    if min(len(members), len(artists)) < _SMALLEST:
        raise DatasetTooSmallError(
            f"{len(members)} members and {len(artists)} artists are left of {len(admitted)} admitted members, with "
            f"artists of at least {min_listeners} listeners; a version needs two of each: gather more members or "
            "lower min_listeners"
        )
    version = assemble(
        members,
        artists,
        pairs,
        {
            "provenance": CONSENTED,
            "purpose": admitted.purpose,
            "at": admitted.at,
            "ledger": {"count": admitted.head.count, "hash": admitted.head.hash},
            "parent": parent.digest if parent else None,
            "rules": {
                "play": f"{PLAY_MS} ms heard, or the track finished",
                "min_listeners": min_listeners,
                "artists": KEY_EDITION,
                "artist_ids": ids.digest if ids else None,
            },
            "counts": {
                "refused": {standing.value: count for standing, count in admitted.refused.items()},
                "left_out": left_out,
            },
        },
        found.spellings,
    )
    return parent if parent and parent.manifest.same_data_as(version.manifest) else version


def _read(
    admitted: ConsentedListens, progress: Callable[[int, int], None] | None
) -> tuple[list[Pseudonym], list[Spelling], Pairs]:
    """Give the members, the spellings, and pairs whose ``artist`` is yet the number of a spelling."""
    columns: dict[Spelling, int] = {}
    members: list[Pseudonym] = []
    parts: list[tuple[NDArray[np.int64], ...]] = []
    for row, (member, listens) in enumerate(admitted):
        heard = _per_spelling(listens.table)
        names = map(Spelling, heard["artist"].to_pylist(), heard["artist_id"].to_pylist())
        artist = np.fromiter((columns.setdefault(name, len(columns)) for name in names), np.int64, heard.num_rows)
        plays, ms = (heard[name].to_numpy().astype(np.int64) for name in ("plays_sum", "ms_played_sum"))
        members.append(member)
        parts.append((np.full(len(artist), row, dtype=np.int64), artist, plays, ms))
        if progress:
            progress(row + 1, len(admitted))
    return members, list(columns), Pairs.summed(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _per_spelling(table: pa.Table) -> pa.Table:
    played = table.filter(counts_as_play(table))
    known = pc.ScalarAggregateOptions(min_count=0)  # a duration that nobody knows adds nothing
    return played.group_by(["artist", "artist_id"]).aggregate([("plays", "sum"), ("ms_played", "sum", known)])


def _canonical(
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
