"""Made-up histories for the tests of the proof: rows that a person can count."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from recsys.listens import SCHEMA, Listens, ReadReport

START = datetime(2025, 3, 1, 8, tzinfo=UTC)
MINUTE = 60_000


def row(at=0, **changes):
    """Make a play that was told `at` seconds after START."""
    made = {
        "played_at": None if at is None else START + timedelta(seconds=float(at)),
        "artist": "Ünder Glaß",
        "artist_id": None,
        "track": "Slow Tide",
        "ms_played": 3 * MINUTE,
        "finished": True,
        "plays": 1,
        "clock": "second",
        "source": "spotify-extended",
        "route": "gdpr-export",
    }
    return made | changes


def listens(rows, member="m", exports=("0" * 64,)):
    return Listens(member, pa.Table.from_pylist(rows, schema=SCHEMA), ReadReport(rows_read=len(rows)), exports)


def table(rows):
    return listens(rows).table


def person(seed, plays=400, taste=0, **changes):
    """Make the rows of somebody who listens in sessions and breaks a third of the plays off.

    People of one taste draw from the same 40 artists of 10 tracks, the first ones most often.
    """
    rng = np.random.default_rng([17, seed])
    rows, at = [], 0.0
    for place in range(plays):
        artist, track = min(int(rng.exponential(10)), 39), int(rng.integers(10))
        length = 120_000 + 1_009 * (37 * artist + 11 * track + taste) % 180_000
        whole = rng.random() < 2 / 3
        ms = length if whole else int(rng.integers(1_000, length))
        at += ms / 1_000 + (1 if place % 10 else int(rng.integers(20_000, 90_000)))
        names = {"artist": f"Artist {taste}-{artist}", "track": f"Track {track}"}
        rows.append(row(int(at), **names, ms_played=ms, finished=bool(whole)) | changes)
    return rows
