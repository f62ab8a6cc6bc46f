"""What the builder reads: each member's plays by spelling, and what must be known about where they came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsys.canonical import Pseudonym, sha256_hex
from recsys.dataset.version import Pairs
from recsys.listens import Listens, Spelling, counts_as_play
from recsys.listens.table import Clock

FEWEST_IN_A_MONTH = 5
"""A month counts as one of a version's only if so many members listened in it: fewer could point at somebody."""


class Told(Protocol):
    """Listens of members whose leave was asked elsewhere: by the gate, or by whoever answered a query."""

    def __len__(self) -> int:
        """How many members."""
        ...

    def __iter__(self) -> Iterator[tuple[Pseudonym, Listens]]:
        """Give one member after the other."""
        ...


def contribution_label(member: str, export: str) -> str:
    """Name a contribution in a version, so that the version can be built from the same ones again.

    The SHA-256 of pseudonym and export digest. The export's own digest would name a person's file to whoever else has
    that file, in other collectives too; the label means nothing without the pseudonym, which is keyed. The labels of a
    version are one sorted list, so they do not say who handed in how much; and of members who were not admitted there
    are none.
    """
    return sha256_hex(f"{member}:{export}".encode())


@dataclass(frozen=True, eq=False)
class Read:
    """What was read.

    Attributes
    ----------
    members
        Everybody of whom listens were given, in the order in which they were.
    spellings, pairs
        ``pairs.member`` numbers `members`, ``pairs.artist`` numbers `spellings`.
    contributions
        Labels of what was read, sorted.
    sources
        For each source and route the members whose plays came by it, and the plays.
    period
        First and last month, ``YYYY-MM``, in which enough members listened.
    """

    members: list[Pseudonym]
    spellings: list[Spelling]
    pairs: Pairs
    contributions: list[str]
    sources: list[dict[str, Any]]
    period: dict[str, str] | None


def read_plays(admitted: Told, progress: Callable[[int, int], None] | None = None) -> Read:
    """Read one member after the other; what is kept grows with the number of (member, artist) pairs."""
    columns: dict[Spelling, int] = {}
    parts: list[tuple[NDArray[np.int64], ...]] = []
    members: list[Pseudonym] = []
    origin = _Origin()
    for row, (member, listens) in enumerate(admitted):
        played = listens.table.filter(counts_as_play(listens.table))
        heard = _per_spelling(played)
        names = map(Spelling, heard["artist"].to_pylist(), heard["artist_id"].to_pylist())
        artist = np.fromiter((columns.setdefault(name, len(columns)) for name in names), np.int64, heard.num_rows)
        plays, ms = (heard[name].to_numpy().astype(np.int64) for name in ("plays_sum", "ms_played_sum"))
        members.append(member)
        parts.append((np.full(len(artist), row, dtype=np.int64), artist, plays, ms))
        origin.note(member, listens, played)
        if progress:
            progress(row + 1, len(admitted))
    pairs = Pairs.summed(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    return Read(members, list(columns), pairs, sorted(origin.contributions), origin.sources(), origin.period())


def _per_spelling(played: pa.Table) -> pa.Table:
    known = pc.ScalarAggregateOptions(min_count=0)  # a duration that nobody knows adds nothing
    return played.group_by(["artist", "artist_id"]).aggregate([("plays", "sum"), ("ms_played", "sum", known)])


class _Origin:
    """Where the plays came from, and when they were: tallied as they are read."""

    def __init__(self) -> None:
        self.contributions: set[str] = set()
        self._members: Counter[tuple[str, str]] = Counter()
        self._plays: Counter[tuple[str, str]] = Counter()
        self._months: Counter[int] = Counter()

    def note(self, member: Pseudonym, listens: Listens, played: pa.Table) -> None:
        self.contributions.update(contribution_label(member, export) for export in listens.exports)
        by_source = played.group_by(["source", "route"]).aggregate([("plays", "sum")]).to_pylist()
        for row in by_source:
            self._members[row["source"], row["route"]] += 1
            self._plays[row["source"], row["route"]] += row["plays_sum"]
        timed = played["played_at"].filter(pc.not_equal(played["clock"], Clock.SYNTHETIC.value)).drop_null()
        months = pc.add(pc.multiply(pc.year(timed), 12), pc.subtract(pc.month(timed), 1))
        self._months.update(months.unique().to_pylist())

    def sources(self) -> list[dict[str, Any]]:
        return [
            {"source": source, "route": route, "members": self._members[source, route], "plays": plays}
            for (source, route), plays in sorted(self._plays.items())
        ]

    def period(self) -> dict[str, str] | None:
        busy = [month for month, members in self._months.items() if members >= FEWEST_IN_A_MONTH]
        if not busy:
            return None
        first, last = (f"{month // 12:04d}-{month % 12 + 1:02d}" for month in (min(busy), max(busy)))
        return {"first": first, "last": last}
