"""What became of the rows of an export, in figures and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from recsys.listens.table import counts_as_play


@dataclass(frozen=True)
class ReadReport:
    """How many rows were read, used and left out, and why.

    ``rows_read == rows_used + sum(left_out.values())``, always. Reports add up.

    Parameters
    ----------
    rows_read
        Rows in the history files of the export, of any kind.
    rows_used
        Rows that became listens.
    left_out
        Rows that did not, by reason (:class:`recsys.listens.table.LeftOut`); reasons that did not occur are absent.
    files_read
        History files that were opened. Other files of an export are never opened.
    plays
        Plays that the rows used stand for: those that count, and a total as many as it tells.
    routes, sources, clocks
        How many of the rows used came by which route, from which source, and with which kind of time.
    """

    rows_read: int = 0
    rows_used: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    files_read: int = 0
    plays: int = 0
    routes: Mapping[str, int] = field(default_factory=dict)
    sources: Mapping[str, int] = field(default_factory=dict)
    clocks: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: ReadReport) -> ReadReport:
        return ReadReport(
            self.rows_read + other.rows_read,
            self.rows_used + other.rows_used,
            dict(Counter(self.left_out) + Counter(other.left_out)),
            self.files_read + other.files_read,
            self.plays + other.plays,
            dict(Counter(self.routes) + Counter(other.routes)),
            dict(Counter(self.sources) + Counter(other.sources)),
            dict(Counter(self.clocks) + Counter(other.clocks)),
        )

    def leaving_out(self, reasons: Mapping[str, int]) -> ReadReport:
        """Give the report after rows that had been used were left out for `reasons`."""
        left_out = dict(Counter(self.left_out) + Counter(reasons))
        return replace(self, rows_used=self.rows_used - sum(reasons.values()), left_out=left_out)

    def telling(self, table: pa.Table) -> ReadReport:
        """Give the report with what can be told of the rows used once they are all there."""
        routes, sources, clocks = (_counted(table[name]) for name in ("route", "source", "clock"))
        plays = pc.sum(table["plays"].filter(counts_as_play(table)), min_count=0).as_py()
        return replace(self, plays=plays, routes=routes, sources=sources, clocks=clocks)

    def words(self) -> str:
        """Say it in one line; the commonest reason comes first."""
        said = f"{self.files_read:,} history files, {self.rows_read:,} rows read, {self.rows_used:,} used"
        if not self.left_out:
            return said
        return f"{said}; left out: " + ", ".join(f"{count:,} {reason}" for reason, count in by_count(self.left_out))


def by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Give counts, the largest first."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _counted(values: pa.ChunkedArray) -> dict[str, int]:
    return {pair["values"]: pair["counts"] for pair in sorted(pc.value_counts(values).to_pylist(), key=str)}
