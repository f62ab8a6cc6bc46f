"""Whether a contribution is consistent with a person who listens to music.

Each measure looks for one thing that a person's history does not hold. None of them proves that the plays took place:
who writes a file that obeys them all is not found. Each says what it needs; what a source does not tell is not
measured (``None``), and the whole is then believed less (:func:`authenticity_of`).

What honest people do as well is allowed for, and costs are stated: who plays one song for months, lets music run all
night for most of a month, or listens on two devices for a third of the time looks like a machine here. So a low figure
is a reason to ask, not a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from recsys.proof.history import History, Ints, mixed, usual_length
from recsys.proof.parts import Part, falling, measured, product, rising

_S, _HOUR, _DAY = 1_000, 3_600_000, 86_400_000

AGREEING = 3
"""So many plays of a track that agree to the millisecond tell its length."""
LONGEST_MS = 6 * _HOUR
OVERRUN = 1.1
OVERRUN_MS = 5 * _S
OVERLONG = (0.03, 0.12)
"""Share of plays longer than their track: allowed (rewinding, two versions under one title), and beyond belief."""
OVERLAP = (0.05, 0.30)
"""Share of the time in which two plays ran at once: allowed (clocks err), and beyond what devices allow."""
SLACK_SECOND_MS, SLACK_MINUTE_MS = 10 * _S, 60 * _S
FULL_DAYS = 3
"""As many days of more than 24 hours take all belief away."""
NIGHT_MS = 4 * _HOUR
NIGHTLESS = (7, 28)
"""Days in a row without a pause of four hours: allowed (a shared account, music in one's sleep), and beyond belief."""
SESSION_MS = _HOUR
GAPS = (10.0, 40.0)
DURATIONS = (5.0, 25.0)
"""Effective numbers of different values (the exponential of Shannon's entropy): a machine's, and a person's."""
ENOUGH_VALUES = 100
CROWDED_SECOND, CROWDED_MINUTE = 10, 30
"""So many plays at one instant were not told by a clock."""
MADE_UP = (0.05, 0.50)
COPIED = (0.02, 0.20)
BLOCK = 3
ENOUGH_PARTIAL = 20


def authenticity_parts(history: History) -> dict[str, Part]:
    """Look for each thing that a person's history does not hold."""
    return {
        "track_length": track_length(history),
        "overlap": overlap(history),
        "day_hours": day_hours(history),
        "nights": nights(history),
        "gaps": gaps(history),
        "durations": durations(history),
        "stamps": stamps(history),
        "copied_blocks": copied_blocks(history),
    }


def authenticity_of(parts: Mapping[str, Part]) -> float:
    """Multiply the parts that were measured; what could not be measured is believed by half."""
    values = measured(parts)
    return product(values) * (0.5 + 0.5 * len(values) / len(parts))


def track_length(history: History) -> Part:
    """Find plays longer than their track, or than any track can be. Needs durations."""
    known = history.ms >= 0
    if not known.any():
        return Part(None)
    length = usual_length(history.track, history.ms, AGREEING)
    longer = (length > 0) & (history.ms > OVERRUN * length + OVERRUN_MS) | (history.ms > LONGEST_MS)
    share = float(longer.sum() / known.sum())
    return Part(falling(share, *OVERLONG), {"plays_too_long": int(longer.sum()), "share": share})


def overlap(history: History) -> Part:
    """Find time in which more than one play ran. Needs durations and observed times.

    Each play is cut by what its clock may err, 10 seconds or a minute, before intervals are compared.
    """
    timed = history.where(history.real & (history.ms > 0))
    slack = np.where(timed.second, SLACK_SECOND_MS, SLACK_MINUTE_MS)
    begin = np.where(timed.ends, timed.told - timed.ms, timed.told)
    span = np.maximum(timed.ms - slack, 0)
    if not span.any():
        return Part(None)
    twice = int(span.sum()) - _covered(begin, begin + span)
    share = twice / int(span.sum())
    return Part(falling(share, *OVERLAP), {"hours_twice": twice / _HOUR, "share": share})


def _covered(begin: Ints, end: Ints) -> int:
    """Measure the union of intervals."""
    order = np.argsort(begin, kind="stable")
    begin, end = begin[order], end[order]
    reached = np.concatenate([begin[:1], np.maximum.accumulate(end)[:-1]])
    return int(np.maximum(end - np.maximum(begin, reached), 0).sum())


def day_hours(history: History) -> Part:
    """Find days of more than 24 hours (UTC; a play belongs to the day that told it). Needs durations and times."""
    timed = history.where(history.real & (history.ms > 0))
    if not len(timed):
        return Part(None)
    days, day = np.unique(timed.told // _DAY, return_inverse=True)
    total = np.bincount(day, weights=timed.ms)
    over_midnight = np.zeros(len(days))
    np.maximum.at(over_midnight, day, timed.ms)  # one play may have begun the day before
    too_full = int((total > _DAY + over_midnight).sum())
    return Part(
        falling(too_full, 0, FULL_DAYS), {"impossible_days": too_full, "longest_day_hours": total.max() / _HOUR}
    )


def nights(history: History) -> Part:
    """Find days without a night, in a row: days that no pause of four hours touches. Needs observed times."""
    told = history.told[history.real]
    if len(told) < ENOUGH_VALUES:
        return Part(None)
    active = np.unique(told // _DAY)
    pauses = np.flatnonzero(np.diff(told) >= NIGHT_MS)
    rested = np.concatenate([told[pauses] // _DAY, told[pauses + 1] // _DAY, active[[0, -1]]])
    sleepless = np.setdiff1d(active, rested)
    rows = np.split(sleepless, np.flatnonzero(np.diff(sleepless) > 1) + 1)
    longest = max(len(row) for row in rows)
    return Part(falling(longest, *NIGHTLESS), {"nightless_days": len(sleepless), "in_a_row": longest})


def gaps(history: History) -> Part:
    """Find gaps between plays as a machine leaves them. Needs times to the second."""
    apart = np.diff(history.told[history.second])
    return _variety(apart[apart <= SESSION_MS] // _S, GAPS, "different_gaps")


def durations(history: History) -> Part:
    """Find durations as a machine leaves them, such as 31 seconds each. Needs durations."""
    return _variety(history.ms[history.ms > 0], DURATIONS, "different_durations")


def _variety(values: Ints, bounds: tuple[float, float], name: str) -> Part:
    if len(values) < ENOUGH_VALUES:
        return Part(None, {"values": len(values)})
    share = np.unique(values, return_counts=True)[1] / len(values)
    effective = float(np.exp(-(share * np.log(share)).sum()))
    return Part(rising(effective, *bounds), {name: effective, "values": len(values)})


def stamps(history: History) -> Part:
    """Find times that no clock told: marked as made up, or ten plays in one second, or 30 in one minute. Needs times.

    Where the service is known to make times up (Unwrapped's top tracks), the member is not blamed: such times count as
    missing in quality, and nowhere as observed.
    """
    timed = history.where(history.real | history.synthetic)
    if not len(timed):
        return Part(None)
    _, place, number = np.unique(timed.told, return_inverse=True, return_counts=True)
    crowd = np.where(timed.minute, CROWDED_MINUTE, CROWDED_SECOND)
    made_up = timed.synthetic | (number[place] >= crowd)
    share = float(made_up.mean())
    return Part(falling(share, *MADE_UP), {"made_up_times": int(made_up.sum()), "share": share})


def copied_blocks(history: History) -> Part:
    """Find stretches that were pasted again: three broken-off plays in a row, told twice to the millisecond.

    Needs a source that says which plays came to their end: whole plays of an album agree without any fraud.
    """
    broken_off = history.where(history.partial & history.tells_ends)
    if len(broken_off) < ENOUGH_PARTIAL:
        return Part(None, {"broken_off_plays": len(broken_off)})
    block = runs(mixed(broken_off.track, broken_off.ms), BLOCK)
    _, place, number = np.unique(block, return_inverse=True, return_counts=True)
    again = np.zeros(len(broken_off), bool)
    for step in range(BLOCK):
        again[step : step + len(block)] |= number[place] > 1
    share = float(again.mean())
    return Part(falling(share, *COPIED), {"copied_plays": int(again.sum()), "share": share})


def runs(tokens: NDArray[np.uint64], length: int) -> NDArray[np.uint64]:
    """Make one number of each run of `length` neighbours."""
    if len(tokens) < length:
        return tokens[:0]
    made = tokens[: len(tokens) - length + 1]
    for step in range(1, length):
        made = mixed(made, tokens[step : len(tokens) - length + 1 + step])
    return made
