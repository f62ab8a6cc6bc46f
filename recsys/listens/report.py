"""What became of the rows of an export, in figures and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


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
    """

    rows_read: int = 0
    rows_used: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    files_read: int = 0

    def __add__(self, other: ReadReport) -> ReadReport:
        return ReadReport(
            self.rows_read + other.rows_read,
            self.rows_used + other.rows_used,
            dict(Counter(self.left_out) + Counter(other.left_out)),
            self.files_read + other.files_read,
        )

    def leaving_out(self, reasons: Mapping[str, int]) -> ReadReport:
        """Give the report after rows that had been used were left out for `reasons`."""
        left_out = dict(Counter(self.left_out) + Counter(reasons))
        return ReadReport(self.rows_read, self.rows_used - sum(reasons.values()), left_out, self.files_read)

    def words(self) -> str:
        """Say it in one line; the commonest reason comes first."""
        said = f"{self.files_read:,} history files, {self.rows_read:,} rows read, {self.rows_used:,} used"
        if not self.left_out:
            return said
        by_count = sorted(self.left_out.items(), key=lambda item: (-item[1], item[0]))
        return f"{said}; left out: " + ", ".join(f"{count:,} {reason}" for reason, count in by_count)
