"""What counts as a play, and when two rows are one play."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.listens import SCHEMA, counts_as_play
from recsys.listens.merging import without_repeats

START = datetime(2025, 3, 1, 7, 34, tzinfo=UTC)


def play(
    second=0,
    *,
    artist="A",
    track="T",
    ms=200_000,
    finished=False,
    plays=1,
    source="spotify-extended",
    route="gdpr-export",
):
    when, clock = (None, "none") if second is None else (START + timedelta(seconds=second), "second")
    values = (when, artist, None, track, ms, finished, plays, clock, source, route)
    return dict(zip(SCHEMA.names, values, strict=True))


def table(*plays):
    return pa.Table.from_pylist(list(plays), schema=SCHEMA)


def test_a_play_counts_from_thirty_seconds_or_when_finished():
    plays = [play(ms=29_999), play(ms=30_000), play(ms=12_000, finished=True), play(ms=0)]
    assert counts_as_play(table(*plays)).to_pylist() == [False, True, True, False]


def test_a_scrobble_counts_though_nobody_knows_how_long_it_was():
    assert counts_as_play(table(play(ms=None), play(ms=None, finished=True))).to_pylist() == [False, True]


def test_rows_that_know_neither_time_nor_duration_are_the_same_if_all_else_agrees():
    kept, left_out = without_repeats(table(*[play(None, ms=None, track=None)] * 2, play(None, ms=None), play(ms=None)))
    assert (kept.num_rows, left_out) == (3, {"repeated": 1})


def test_an_empty_table_stays_empty():
    kept, left_out = without_repeats(SCHEMA.empty_table())
    assert (kept.num_rows, kept.schema, left_out) == (0, SCHEMA, {})
    assert len(counts_as_play(kept)) == 0


@pytest.mark.parametrize("difference", [{"second": 1}, {"artist": "a"}, {"track": "t"}, {"ms": 200_001}])
def test_plays_that_differ_in_anything_stay(difference):
    kept, left_out = without_repeats(table(play(), play(**difference)))
    assert (kept.num_rows, left_out) == (2, {})


def test_of_a_repeated_play_the_one_that_knows_its_end_stays():
    kept, left_out = without_repeats(table(play(), play(finished=True, route="survey"), play()))
    assert kept.to_pylist() == [play(finished=True, route="survey")]
    assert left_out == {"repeated": 2}


@pytest.mark.parametrize(("second", "twin"), [(0, True), (59, True), (60, False), (-1, False)])
def test_an_account_row_gives_way_to_an_extended_row_of_its_minute(second, twin):
    kept, left_out = without_repeats(table(play(source="spotify-account"), play(second=second)))
    assert kept.num_rows == (1 if twin else 2)
    assert left_out == ({"in-extended": 1} if twin else {})


@pytest.mark.parametrize("difference", [{"artist": "a"}, {"track": "t"}, {"ms": 199_999}])
def test_an_account_row_stays_if_no_extended_row_is_its_twin(difference):
    kept, _ = without_repeats(table(play(source="spotify-account"), play(second=5, **difference)))
    assert kept.num_rows == 2


plays = st.lists(
    st.builds(
        play,
        st.integers(0, 130),
        artist=st.sampled_from(["A", "Ö", "夜"]),
        track=st.sampled_from(["T", "U"]),
        ms=st.sampled_from([0, 30_000]),
        finished=st.booleans(),
        source=st.sampled_from(["spotify-account", "spotify-extended"]),
    ),
    max_size=30,
)


@given(plays, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_and_nothing_is_left_to_remove(plays, random):
    kept, left_out = without_repeats(table(*plays))
    shuffled = random.sample(plays, len(plays))
    again, _ = without_repeats(pa.concat_tables([table(*shuffled), kept]))
    assert again.equals(kept)
    assert kept.num_rows == len(plays) - sum(left_out.values())
    assert kept["played_at"].to_pylist() == sorted(kept["played_at"].to_pylist())


@given(plays)
def test_rows_are_told_apart_as_a_plain_loop_tells_them(plays):
    def key(row, when):
        return (when, row["artist"], row["track"], row["ms_played"])

    extended = [row for row in plays if row["source"] == "spotify-extended"]
    minutes = {key(row, row["played_at"].replace(second=0)) for row in extended}
    alone = [
        row for row in plays if row not in extended and key(row, row["played_at"].replace(second=0)) not in minutes
    ]
    expected = sorted({key(row, row["played_at"]) for row in [*extended, *alone]})
    kept, _ = without_repeats(table(*plays))
    assert [key(row, row["played_at"]) for row in kept.to_pylist()] == expected
