"""A made-up member's plays, before any service has written them down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from recsys.synthetic.world import Taste, World, draw_taste

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
"""The instant at which the collective is looked at; all plays and consents lie before it."""

YEAR_S = 365 * 24 * 3600

_SESSION = 12
_FINISHED = 0.7
_UNTOUCHED = 0.02


@dataclass(frozen=True, eq=False)
class Diary:
    """A member's music plays, in the order of time; entry i of every array is play i.

    Parameters
    ----------
    ended
        Seconds since 1970 at which the play ended.
    artists, titles
        Numbers of the artist, and of the title among the artist's.
    ms
        Milliseconds played.
    finished
        Whether the track was played to its end.
    """

    ended: np.ndarray
    artists: np.ndarray
    titles: np.ndarray
    ms: np.ndarray
    finished: np.ndarray


def keep_diary(
    world: World, rng: np.random.Generator, years: float, plays: int | None = None, taste: Taste | None = None
) -> Diary:
    """Draw a member's plays over the last `years` before :data:`NOW`: so many or a few hundred, of a given taste."""
    if plays is None:
        plays = int(np.clip(rng.lognormal(np.log(450), 0.6), 200, 1_500))
    taste = taste or draw_taste(world, rng, int(np.clip(rng.lognormal(np.log(65), 0.4), 30, 150)))
    artists = rng.choice(taste.artists, size=plays, p=taste.shares)
    titles = np.minimum(rng.geometric(0.3, size=plays) - 1, len(world.tracks[0]) - 1)
    length = 120_000 + (artists * 7_919 + titles * 104_729) % 240_000
    finished = rng.random(plays) < _FINISHED
    ms = np.where(finished, length, (rng.random(plays) * length).astype(np.int64))
    ms[rng.random(plays) < _UNTOUCHED] = 0
    return Diary(_session_ends(rng, ms, years), artists, titles, ms, finished & (ms > 0))


def _session_ends(rng: np.random.Generator, ms: np.ndarray, years: float) -> np.ndarray:
    """Lay plays end to end in sessions that begin at random."""
    sessions = -(-len(ms) // _SESSION)
    end = int(NOW.timestamp()) - _SESSION * 400
    starts = np.sort(rng.integers(end - int(years * YEAR_S), end, size=sessions))
    ended = np.empty(len(ms), np.int64)
    for session, start in enumerate(starts):
        part = slice(session * _SESSION, (session + 1) * _SESSION)
        ended[part] = start + np.cumsum(ms[part] // 1000 + 1)
    return np.sort(ended, kind="stable")


def second_text(second: int) -> str:
    """Write seconds since 1970 as the extended history does."""
    return (datetime.fromtimestamp(second, UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


def minute_text(second: int) -> str:
    """Write seconds since 1970 as the account data does: cut to the minute."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M")


def before_now(days: float) -> datetime:
    """Give the instant `days` before :data:`NOW`; negative days lie after it."""
    return NOW - timedelta(days=days)
