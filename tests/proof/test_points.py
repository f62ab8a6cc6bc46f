"""Unwrapped's table at each of its limits, and the difference on contributing again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proof.plays import MINUTE, row, table

from recsys.proof import SCORERS, Figures, History
from recsys.proof.points import differential

NONE = Figures(0, 0, 0, 0)


def breakdown(rows):
    return SCORERS["unwrapped"].score(History.of(table(rows)), NONE).attributes["points_breakdown"]


LIMITS = [(0, 0), (30, 5), (100, 25), (500, 50), (1_000, 150), (5_000, 500)]


@pytest.mark.parametrize(("minutes", "points"), LIMITS)
def test_volume_at_each_limit_and_a_millisecond_below(minutes, points):
    assert breakdown([row(ms_played=minutes * MINUTE)])["volume_points"] == points
    if minutes:
        below = dict(LIMITS)[max(limit for limit, _ in LIMITS if limit < minutes)]
        assert breakdown([row(ms_played=minutes * MINUTE - 1)])["volume_points"] == below


@pytest.mark.parametrize(
    ("artists", "points"),
    [(1, 0), (2, 0), (3, 5), (4, 5), (5, 10), (9, 10), (10, 30), (24, 30), (25, 75), (49, 75), (50, 150), (99, 150)],
)
def test_diversity_at_each_limit(artists, points):
    assert breakdown([row(n, artist=f"A {n}") for n in range(artists)])["diversity_points"] == points


@pytest.mark.parametrize(
    ("days", "points"), [(0, 0), (6, 0), (7, 10), (29, 10), (30, 25), (89, 25), (90, 50), (179, 50), (180, 100)]
)
def test_history_at_each_limit_and_a_second_below(days, points):
    first_and_last = [row(0), row(86_400 * days)]
    assert breakdown(first_and_last)["history_points"] == points
    if days in {7, 30, 90, 180}:
        assert breakdown([row(0), row(86_400 * days - 1)])["history_points"] < points


def test_made_up_times_make_no_history():
    assert breakdown([row(0), row(200 * 86_400, clock="synthetic")])["history_points"] == 0


def test_spellings_of_one_artist_are_one():
    names = ["Beyoncé", "beyonce", "BEYONCÉ", "AC/DC", "ACDC"]
    assert breakdown([row(n, artist=name) for n, name in enumerate(names)])["diversity_reason"] == "2 unique artists"


def test_the_most_is_750():
    rows = [row(86_400 * 4 * n, artist=f"A {n}", ms_played=100 * MINUTE) for n in range(50)]
    score = SCORERS["unwrapped"].score(History.of(table(rows)), NONE)
    assert score.points == 750


def test_a_play_of_unknown_duration_counts_half_a_minute():
    assert breakdown([row(ms_played=None, plays=60)])["volume_points"] == 5
    assert breakdown([row(ms_played=None, plays=59)])["volume_points"] == 0


def test_the_measured_scorer_multiplies():
    assert SCORERS["measured"].score(History.of(table([])), Figures(0.5, 0.8, 0.9, 0.0)).points == 360


def test_what_was_awarded_before_is_taken_off():
    assert differential(400, []) == 400
    assert differential(400, [150, 100]) == 150
    assert differential(400, [400]) == 0
    assert differential(100, [400]) == 0


@given(st.lists(st.integers(0, 750), max_size=20))
def test_however_often_one_contributes_the_sum_is_the_most_that_was_ever_reached(points):
    awards = []
    for now in points:
        awards.append(differential(now, awards))
    assert sum(awards) == max(points, default=0)
