"""Times that no clock showed are found, and times that are only dense are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.listens import SCHEMA
from recsys.listens.clocks import marked

START = datetime(2025, 3, 1, 7, 34, tzinfo=UTC)


def clocks(seconds, *, ms=200_000, clock="second"):
    rows = [
        {
            "played_at": None if second is None else START + timedelta(seconds=second),
            "artist": "A",
            "track": f"T{place}",
            "ms_played": ms,
            "finished": True,
            "plays": 1,
            "clock": "none" if second is None else clock,
            "source": "spotify-extended",
            "route": "gdpr-export",
        }
        for place, second in enumerate(seconds)
    ]
    return marked(pa.Table.from_pylist(rows, schema=SCHEMA))["clock"].to_pylist()


@pytest.mark.parametrize(("many", "clock"), [(4, "second"), (5, "synthetic")])
def test_five_plays_cannot_end_in_one_second(many, clock):
    assert clocks([0] * many + [7]) == [clock] * many + ["second"]


def test_a_burst_of_skips_is_no_forgery():
    assert clocks([0] * 9, ms=800) == ["second"] * 9


def test_scrobbles_count_though_nobody_knows_how_long_they_were():
    assert clocks([0] * 5, ms=None) == ["synthetic"] * 5


@pytest.mark.parametrize("step", [61, 300, 86_400])
def test_twenty_times_on_a_grid_were_written_by_a_machine(step):
    times = [step * place * place for place in range(20)]
    assert set(clocks(times)) == {"synthetic"}
    assert set(clocks(times[:19])) == {"second"}
    assert set(clocks([*times, 1])) == {"second"}


def test_full_minutes_are_what_account_data_tells():
    assert set(clocks([60 * place for place in range(99)], clock="minute")) == {"minute"}


def test_what_has_no_time_has_none():
    assert clocks([None] * 30 + [5]) == ["none"] * 30 + ["second"]
    assert clocks([]) == []


@given(st.lists(st.integers(0, 30), max_size=60), st.sampled_from([1, 60, 61, 90]))
def test_the_rules_are_those_of_a_plain_loop(places, step):
    seconds = [step * place for place in places]
    distinct = sorted(set(seconds))
    grid = len(distinct) >= 20 and any(
        all((time - distinct[0]) % width == 0 for time in distinct) for width in range(61, 3_000)
    )
    assert clocks(seconds) == ["synthetic" if grid or seconds.count(time) >= 5 else "second" for time in seconds]
