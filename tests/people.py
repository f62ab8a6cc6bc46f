"""Made-up listeners for tests."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from recsys.consent import Ledger, admit
from recsys.listens import SCHEMA, Listens, ReadReport

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
PURPOSE = "train-recommender"


class Crowd:
    """A pool of listeners held in memory."""

    def __init__(self, plays):
        self.plays = plays

    @property
    def members(self):
        return tuple(self.plays)

    def read(self, member):
        return listens(member, self.plays[member])


def listens(member, heard):
    """Make a member's listens from (artist, milliseconds) pairs, or (artist, milliseconds or None, plays)."""
    rows = [
        {
            "played_at": NOW - timedelta(minutes=5 * place),
            "artist": artist,
            "track": f"track {place}",
            "ms_played": ms,
            "finished": ms is None,
            "plays": sum(plays) or 1,
            "clock": "second",
            "source": "spotify-extended",
            "route": "gdpr-export",
        }
        for place, (artist, ms, *plays) in enumerate(heard)
    ]
    report = ReadReport(rows_read=len(rows), rows_used=len(rows), files_read=1)
    return Listens(member, pa.Table.from_pylist(rows, schema=SCHEMA), report)


def admitted(folder, plays, *, without=()):
    """Let everybody agree but those `without`, and ask the gate."""
    ledger = Ledger(folder / "ledger.db")
    for member in plays:
        if member not in without:
            ledger.grant(member, PURPOSE, at=NOW - timedelta(days=1))
    return admit(Crowd(plays), ledger, PURPOSE, NOW)
