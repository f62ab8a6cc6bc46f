"""recsys ingest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from recsys.cli.common import Common, table
from recsys.cli.exits import CODES
from recsys.errors import UnreadableExportError

if TYPE_CHECKING:
    from recsys.listens import IngestReport

_MOST_BROKEN_SHOWN = 20

RouteName = Literal["gdpr-export", "service-export", "api", "survey", "public-benchmark", "scraped"]


def ingest(
    exports: Path,
    *,
    route: RouteName | None = None,
    incognito: bool = False,
    workers: int = 0,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Read members' exports: a folder in which each zip, file or sub-folder is one member's, or a single export.

    Known are the exports of Spotify, Last.fm, ListenBrainz and Maloja, contributions to Unwrapped, and, of many members
    in one file, the SQLite files of Unwrapped and Vana and plain tables (CSV, TSV, Parquet). What is in already is
    skipped, so an interrupted run goes on where it stopped; broken exports are listed and do not stop the others. Fails
    if not one export could be read.

    Parameters
    ----------
    exports
        The folder, or one export. A file or folder bears its member's name.
    route
        How the exports came here, where that is stricter than how their services' exports do; needed for plain tables.
    incognito
        Use what members listened to incognito, too; only if they say so.
    workers
        Processes that read side by side; 0 means one for each core.
    """
    from recsys.erasure import welcome_back
    from recsys.listens import Route
    from recsys.listens import ingest as read_all

    home = common.open()
    welcome_back(home)
    stated = Route(route) if route else None
    with common.bar("reading exports") as bar:
        report = read_all(
            exports,
            home.contributions,
            home.pseudonyms,
            progress=bar,
            workers=workers,
            route=stated,
            incognito=incognito,
        )
    common.show(_document(report), table("Exports", ("", "count"), _exports(report), numbers=1), "", *_rows(report))
    return 0 if report.members else CODES[UnreadableExportError]


def _document(report: IngestReport) -> dict[str, Any]:
    return {
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
            "routes": dict(report.rows.routes),
            "sources": dict(report.rows.sources),
            "clocks": dict(report.rows.clocks),
        },
        "plays": report.rows.plays,
        "broken": [{"path": str(one.path), "entry": one.entry, "reason": one.reason} for one in report.broken],
    }


def _exports(report: IngestReport) -> list[tuple[str, int]]:
    rows = [
        ("members", report.members),
        ("exports read", report.read),
        ("exports that were in already", report.skipped),
        ("exports that could not be read", len(report.broken)),
    ]
    return rows + ([("left closed: their members' data were erased", report.erased)] if report.erased else [])


def _rows(report: IngestReport) -> list[Any]:
    from recsys.listens import Clock, LeftOut
    from recsys.listens.report import by_count

    rows = report.rows
    made_up = rows.clocks.get(Clock.SYNTHETIC, 0)
    laid = [
        ("read", rows.rows_read),
        ("used as listens", rows.rows_used),
        *((f"  by the route {route}", count) for route, count in by_count(rows.routes)),
        *([("  with a time that was made up", made_up)] if made_up else []),
        *([("  without a time", rows.clocks[Clock.NONE])] if rows.clocks.get(Clock.NONE) else []),
        *((f"left out: {LeftOut(reason).words}", count) for reason, count in by_count(rows.left_out)),
        ("plays that count (30 s heard, or finished)", rows.plays),
    ]
    broken = [str(UnreadableExportError(one.path, one.reason, one.entry)) for one in report.broken]
    shown = ["", "Could not be read", *broken[:_MOST_BROKEN_SHOWN]] if broken else []
    if len(broken) > _MOST_BROKEN_SHOWN:
        shown.append(f"... and {len(broken) - _MOST_BROKEN_SHOWN} more; --json lists all")
    return [table("Rows of their histories", ("", "count"), laid, numbers=1), *shown]
