"""How much a contribution holds: volume, span, diversity, and what is missing."""

from __future__ import annotations

import numpy as np

from recsys.proof.history import UNKNOWN, History
from recsys.proof.parts import Part, rising

ENOUGH_MINUTES = 5_000
ENOUGH_DAYS = 180
ENOUGH_ARTISTS = 50
"""Where the point table of Unwrapped gives its most; more does not make a contribution better."""

_DAY_MS = 24 * 60 * 60 * 1000
_LEAST_MINUTES = 0.5


def quality_parts(history: History) -> dict[str, Part]:
    """Measure the four parts; quality is their mean."""
    minutes, days, artists = minutes_heard(history), days_spanned(history), artists_heard(history)
    known = {
        "time_known": _share(history.real),
        "duration_known": _share(history.ms != UNKNOWN),
        "track_known": _share(history.titled),
    }
    return {
        "volume": Part(
            rising(minutes, 0, ENOUGH_MINUTES), {"minutes": round(minutes, 1), "plays": plays_told(history)}
        ),
        "span": Part(rising(days, 0, ENOUGH_DAYS), {"days": days}),
        "diversity": Part(rising(artists, 0, ENOUGH_ARTISTS), {"artists": artists}),
        "completeness": Part(float(np.mean(list(known.values()))), known),
    }


def minutes_heard(history: History) -> float:
    """Add up the minutes; a play of unknown duration counts half a minute, the least that makes a play."""
    known = history.ms != UNKNOWN
    return float(history.ms[known].sum() / 60_000 + _LEAST_MINUTES * history.plays[~known].sum())


def days_spanned(history: History) -> int:
    """Count the whole days between the first and the last play; made-up times do not count."""
    told = history.told[history.real]
    return int((told.max() - told.min()) // _DAY_MS) if len(told) else 0


def artists_heard(history: History) -> int:
    """Count artists; spellings of one artist are one."""
    return len(np.unique(history.artist))


def plays_told(history: History) -> int:
    """Count plays, repeats included."""
    return int(history.plays.sum())


def _share(mask: np.ndarray) -> float:
    return float(mask.mean()) if len(mask) else 0.0
