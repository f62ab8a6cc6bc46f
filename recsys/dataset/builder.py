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
from recsys.listens import PLAY_MS, counts_as_play

_SMALLEST = 2


def build(
    admitted: ConsentedListens,
    *,
    min_listeners: int = 5,
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
    parent
        The version before this one, if there is one. Where nothing has changed since, it is returned.
    progress
        Called with (members read, members in all).

    Raises
    ------
    DatasetTooSmallError
        If fewer than two members or two artists are left.
    """
    members, artists, pairs = _read(admitted, progress)
    kept = _popular_enough(pairs, len(artists), min_listeners)
    left_out = {"artists_below_min_listeners": len(artists) - int(kept.sum())}
    pairs = pairs.where(kept[pairs.artist])
    left_out["members_without_artists"] = len(members) - len(np.unique(pairs.member))
    members, artists, pairs = _canonical(members, artists, pairs)
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
            "rules": {"play": f"{PLAY_MS} ms heard, or the track finished", "min_listeners": min_listeners},
            "counts": {
                "refused": {standing.value: count for standing, count in admitted.refused.items()},
                "left_out": left_out,
            },
        },
    )
    return parent if parent and parent.manifest.same_data_as(version.manifest) else version


def _read(
    admitted: ConsentedListens, progress: Callable[[int, int], None] | None
) -> tuple[list[Pseudonym], list[str], Pairs]:
    columns: dict[str, int] = {}
    members: list[Pseudonym] = []
    parts: list[tuple[NDArray[np.int64], ...]] = []
    for row, (member, listens) in enumerate(admitted):
        heard = _per_artist(listens.table)
        names = heard["artist"].to_pylist()
        artist = np.fromiter((columns.setdefault(name, len(columns)) for name in names), np.int64, len(names))
        plays, ms = (heard[name].to_numpy().astype(np.int64) for name in ("plays_sum", "ms_played_sum"))
        members.append(member)
        parts.append((np.full(len(artist), row, dtype=np.int64), artist, plays, ms))
        if progress:
            progress(row + 1, len(admitted))
    return members, list(columns), Pairs.summed(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _per_artist(table: pa.Table) -> pa.Table:
    played = table.filter(counts_as_play(table))
    known = pc.ScalarAggregateOptions(min_count=0)  # a duration that nobody knows adds nothing
    return played.group_by("artist").aggregate([("plays", "sum"), ("ms_played", "sum", known)])


def _popular_enough(pairs: Pairs, n_artists: int, min_listeners: int) -> NDArray[np.bool_]:
    return np.bincount(pairs.artist, minlength=n_artists) >= max(min_listeners, 1)


def _canonical(members: list[Pseudonym], artists: list[str], pairs: Pairs) -> tuple[list[Pseudonym], list[str], Pairs]:
    """Give numbers to those members and artists that have a pair, in the order of their names."""
    member_names, member = _renumbered(np.array(members, dtype=object), pairs.member)
    artist_names, artist = _renumbered(np.array(artists, dtype=object), pairs.artist)
    return [Pseudonym(name) for name in member_names], artist_names, Pairs.summed(member, artist, pairs.plays, pairs.ms)


def _renumbered(names: NDArray[np.object_], used: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
    present = np.unique(used)
    order = sorted(present.tolist(), key=lambda number: str(names[number]))
    number = np.full(len(names), -1, dtype=np.int64)
    number[order] = np.arange(len(order))
    return [str(names[old]) for old in order], number[used]
