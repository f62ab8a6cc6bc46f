"""recsys ingest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recsys.cli.common import Common, table
from recsys.cli.exits import CODES
from recsys.errors import UnreadableExportError

_MOST_BROKEN_SHOWN = 20


def ingest(exports: Path, *, workers: int = 0, common: Common = Common()) -> int:  # noqa: B008 - frozen
    """Read members' exports: a folder in which each zip or sub-folder is one member's, or a single export.

    What is in already is skipped, so an interrupted run goes on where it stopped; broken exports are listed and do not
    stop the others. Fails if not one export could be read.

    Parameters
    ----------
    exports
        The folder, or one export. A file or folder bears its member's name.
    workers
        Processes that read side by side; 0 means one for each core.
    """
    from recsys.listens import ingest as read_all

    home = common.open()
    with common.bar("reading exports") as bar:
        report = read_all(exports, home.contributions, home.pseudonyms, progress=bar, workers=workers)
    document: dict[str, Any] = {
        "members": report.members,
        "exports": {
            "read": report.read,
            "skipped": report.skipped,
            "broken": len(report.broken),
            "erased": report.erased,
        },
        "rows": {
            "read": report.rows.rows_read,
            "used": report.rows.rows_used,
            "left_out": dict(report.rows.left_out),
        },
        "broken": [{"path": str(one.path), "entry": one.entry, "reason": one.reason} for one in report.broken],
    }
    rows: list[tuple[str, int]] = [
        ("members", report.members),
        ("exports read", report.read),
        ("exports that were in already", report.skipped),
        ("exports broken", len(report.broken)),
        ("exports left closed: their members' data were erased", report.erased),
        ("rows read", report.rows.rows_read),
        ("rows used", report.rows.rows_used),
        *((f"rows left out: {reason}", count) for reason, count in sorted(report.rows.left_out.items())),
    ]
    shown = [f"broken: {one.path.name}: {one.reason}" for one in report.broken[:_MOST_BROKEN_SHOWN]]
    if len(report.broken) > _MOST_BROKEN_SHOWN:
        shown.append(f"... and {len(report.broken) - _MOST_BROKEN_SHOWN} more; --json lists all")
    common.show(document, table("Exports", ("what", "count"), rows, numbers=1), *shown)
    return 0 if report.members else CODES[UnreadableExportError]
