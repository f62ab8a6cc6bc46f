"""Each measure on a case that a person can count."""

import pytest
from proof.plays import MINUTE, person, row, table

from recsys.proof import History
from recsys.proof.authenticity import (
    authenticity_of,
    authenticity_parts,
    copied_blocks,
    day_hours,
    durations,
    gaps,
    nights,
    overlap,
    stamps,
    track_length,
)

DAY, HOUR = 86_400, 3_600


def history(rows):
    return History.of(table(rows))


def test_a_person_passes_everything():
    for seed in range(5):
        parts = authenticity_parts(history(person(seed)))
        assert {name: part.value for name, part in parts.items()} == dict.fromkeys(parts, 1.0)
        assert authenticity_of(parts) == 1.0


def test_nothing_can_be_measured_of_nothing_and_then_half_is_believed():
    parts = authenticity_parts(history([]))
    assert {part.value for part in parts.values()} == {None}
    assert authenticity_of(parts) == 0.5


def test_bare_totals_tell_nothing_that_could_be_believed_or_not():
    totals = [row(None, artist=f"A{n}", track=None, ms_played=None, plays=n + 1, clock="none") for n in range(200)]
    assert authenticity_of(authenticity_parts(history(totals))) == 0.5


def test_a_play_longer_than_its_track_is_found():
    whole = [row(1_000 * n) for n in range(8)]  # eight plays of three minutes agree: that is its length
    allowed = [row(8_000, ms_played=int(3.3 * MINUTE) + 5_000, finished=False)]
    longer = [row(9_000, ms_played=int(3.3 * MINUTE) + 5_001, finished=False)]
    assert track_length(history([*whole, *allowed])).value == 1.0
    part = track_length(history([*whole, *longer, *allowed]))
    assert part.found == {"plays_too_long": 1, "share": 0.1}
    assert part.value == pytest.approx(1 - (0.1 - 0.03) / (0.12 - 0.03))


def test_no_track_lasts_more_than_six_hours():
    lengths = [6 * HOUR * 1_000 + 1, 6 * HOUR * 1_000]
    part = track_length(history([row(n, track=f"t{n}", ms_played=ms) for n, ms in enumerate(lengths)]))
    assert (part.found["plays_too_long"], part.value) == (1, 0.0)


def test_two_plays_agree_on_no_length():
    rows = [row(0), row(1_000), *(row(5_000 * n, ms_played=20 * MINUTE, finished=False) for n in range(2, 4))]
    assert track_length(history(rows)).found["plays_too_long"] == 0


def test_time_that_ran_twice_is_measured():
    """Ten plays of 190 seconds, each cut by 10 for the clock: 1,800; two of them at the same time: 180 twice."""
    rows = [row(200 * n, ms_played=190_000) for n in range(9)] + [row(200 * 8, ms_played=190_000, track="other")]
    part = overlap(history(rows))
    assert part.found["share"] == pytest.approx(0.1)
    assert part.found["hours_twice"] == pytest.approx(180 / 3_600)
    assert part.value == pytest.approx(1 - 0.05 / 0.25)


def test_plays_within_another_count_as_twice():
    """One of 900 seconds, and within it two of 100: 200 of 1,100 ran twice (each is 10 longer, for its clock)."""
    within = [row(at, ms_played=110_000) for at in (500, 700)]
    part = overlap(history([row(1_000, ms_played=910_000), *within]))
    assert part.found["share"] == pytest.approx(200 / 1_100)


def test_scrobbles_begin_at_their_time_and_exports_end_there():
    plays = [row(0, ms_played=600_000), row(300, ms_played=100_000)]
    assert overlap(history(plays)).found["share"] == pytest.approx(0.0)  # -600..0 and 200..300
    scrobbles = [play | {"source": "listenbrainz"} for play in plays]
    assert overlap(history(scrobbles)).found["share"] == pytest.approx(90 / 680)  # 0..600 and 300..400, less 10 each


def test_clocks_of_minutes_may_err_by_one():
    rows = [row(60 * n, ms_played=90_000, clock="minute") for n in range(10)]
    assert overlap(history(rows)).value == 1.0
    assert overlap(history([play | {"clock": "second"} for play in rows])).value < 0.5


def test_a_day_has_24_hours():
    """Noon of one day: 12-hour plays that all end on that day; the longest may have begun the day before."""
    half_day = 12 * 60 * MINUTE
    three = [row(HOUR * n, ms_played=half_day, track=f"t{n}") for n in range(3)]
    assert day_hours(history(three)).found == {"impossible_days": 0, "longest_day_hours": 36.0}
    part = day_hours(history([*three, row(4 * HOUR, ms_played=1, track="more")]))
    assert (part.found["impossible_days"], part.value) == (1, pytest.approx(2 / 3))
    days = [play | {"played_at": play["played_at"].replace(day=day)} for day in (3, 5, 7) for play in three]
    days += [row(4 * HOUR + DAY * n, ms_played=1, track="more") for n in (2, 4, 6)]
    assert day_hours(history(days)).value == 0.0


def test_who_never_pauses_for_four_hours_is_found():
    """28 sleepless days in a row need 30 days: the first and the last are given the benefit of the doubt."""
    around_the_clock = [row(3 * HOUR * n - 8 * HOUR) for n in range(30 * 8)]
    part = nights(history(around_the_clock))
    assert part.found == {"nightless_days": 28, "in_a_row": 28}
    assert part.value == 0.0
    with_nights = [play for play in around_the_clock if play["played_at"].hour > 4]
    assert nights(history(with_nights)).found == {"nightless_days": 0, "in_a_row": 0}


def test_sleepless_days_count_only_in_a_row():
    week = [row(3 * HOUR * n - 8 * HOUR + start * DAY) for start in (0, 20, 40) for n in range(9 * 8)]
    part = nights(history(week))
    assert part.found == {"nightless_days": 21, "in_a_row": 7}
    assert part.value == 1.0


def test_machine_regular_gaps_are_found():
    regular = [row(33 * n, ms_played=1_000 * (n % 30) + 500) for n in range(200)]
    assert gaps(history(regular)).found == {"different_gaps": pytest.approx(1.0), "values": 199}
    assert gaps(history(regular)).value == 0.0
    jittered = [row(33 * n + n % 7) for n in range(200)]
    assert gaps(history(jittered)).value == 0.0
    assert gaps(history(regular[:100])).value is None  # 99 gaps are too few to tell


def test_gaps_need_seconds_and_durations_do_not():
    minutes = [row(60 * n, ms_played=31_000, clock="minute") for n in range(200)]
    assert gaps(history(minutes)).value is None
    assert durations(history(minutes)).value == 0.0


def test_forty_gaps_that_come_equally_often_are_forty_different_ones():
    rows, at = [], 0
    for n in range(401):
        at += 100 + n % 40
        rows.append(row(at))
    part = gaps(history(rows))
    assert part.found["different_gaps"] == pytest.approx(40, rel=0.01)
    assert part.value == pytest.approx(1.0, abs=0.01)


def test_times_that_no_clock_told_are_found():
    told = [row(500 * n) for n in range(8)]
    made_up = [row(9_999, track=f"t{n}", clock="synthetic") for n in range(2)]
    part = stamps(history([*told, *made_up]))
    assert part.found == {"made_up_times": 2, "share": 0.2}
    assert part.value == pytest.approx(1 - 0.15 / 0.45)
    crowd = [row(9_999, track=f"t{n}") for n in range(10)]
    assert stamps(history([*told, *crowd])).found["made_up_times"] == 10
    assert stamps(history([*told, *crowd[1:]])).found["made_up_times"] == 0
    assert stamps(history([play | {"clock": "minute"} for play in crowd])).found["made_up_times"] == 0


def test_what_unwrapped_makes_up_is_no_fault_of_the_member():
    rows = [row(9_999, track=f"t{n}", clock="synthetic", source="unwrapped") for n in range(9)] + [row(0)]
    assert stamps(history(rows)).value == 1.0


def test_a_block_that_was_pasted_again_is_found_and_an_album_played_twice_is_not():
    broken_off = [row(300 * n, track=f"t{n}", ms_played=10_000 + 7 * n, finished=False) for n in range(30)]
    whole = [row(20_000 + n) for n in range(2)]
    block = [play | {"played_at": play["played_at"].replace(day=9)} for play in broken_off[:3]]
    part = copied_blocks(history([*broken_off, *whole, *block]))
    assert part.found == {"copied_plays": 6, "share": pytest.approx(6 / 33)}
    assert part.value == pytest.approx(1 - (6 / 33 - 0.02) / 0.18)
    assert copied_blocks(history([*broken_off, *whole, *block[:2]])).value == 1.0
    album = [row(300 * n, track=f"album {n % 10}") for n in range(60)]
    assert copied_blocks(history([*broken_off, *album])).value == 1.0


def test_where_a_source_tells_no_ends_blocks_cannot_be_measured():
    account = [play | {"finished": False} for play in person(1, source="spotify-account", clock="minute")]
    parts = authenticity_parts(history(account))
    assert [name for name, part in parts.items() if part.value is None] == ["gaps", "copied_blocks"]
    assert authenticity_of(parts) == pytest.approx(0.5 + 0.5 * 6 / 8)
