"""A long history merged in stretches is what it is when merged as a whole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.listens import SCHEMA, slices
from recsys.listens.merging import without_repeats

START = datetime(2025, 3, 1, 7, 34, tzinfo=UTC)


def play(second, artist="A", ms=200_000, source="spotify-extended", route="gdpr-export", **changes):
    play = dict.fromkeys(SCHEMA.names) | {
        "artist": artist,
        "track": "T",
        "ms_played": ms,
        "finished": False,
        "plays": 1,
    }
    clock = "minute" if source == "spotify-account" else "second"
    when = None if second is None else START + timedelta(seconds=second - second % 60 if clock == "minute" else second)
    return play | {"played_at": when, "clock": clock, "source": source, "route": route} | changes


plays = st.lists(
    st.builds(
        play,
        st.integers(0, 600),
        artist=st.sampled_from(["A", "Ö"]),
        ms=st.sampled_from([0, 30_000]),
        source=st.sampled_from(["spotify-account", "spotify-extended"]),
    ),
    max_size=30,
)


@pytest.fixture(autouse=True, scope="module")
def stretches_of_a_few_rows():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "SLICE_ROWS", 4)
        yield


def table(rows):
    return pa.Table.from_pylist(rows, schema=SCHEMA)


@given(st.lists(plays, max_size=4))
def test_in_stretches_as_a_whole(parts):
    tables = [table(rows) for rows in parts]
    merged, left_out = slices.merged(tables)
    whole, reasons = without_repeats(*tables)
    assert (merged.to_pylist(), left_out) == (whole.to_pylist(), reasons)


@pytest.mark.parametrize(
    "other",
    [play(130, source="lastfm"), play(None, clock="none"), play(None, track=None, clock="none", plays=7)],
    ids=["another service", "no time", "a total"],
)
def test_what_cannot_be_told_by_the_minute_is_merged_as_a_whole(other, monkeypatch):
    parts = [table([play(second) for second in range(0, 600, 60)]), table([other])]
    whole, reasons = without_repeats(*parts)
    monkeypatch.setattr(slices, "_stretches", None)
    merged, left_out = slices.merged(parts)
    assert (merged.to_pylist(), left_out) == (whole.to_pylist(), reasons)


def test_a_long_history_is_merged_in_stretches(monkeypatch):
    sizes = []
    monkeypatch.setattr(
        slices, "without_repeats", lambda *parts: sizes.append(sum(map(len, parts))) or without_repeats(*parts)
    )
    slices.merged([table([play(second) for second in range(0, 6_000, 60)])])
    assert len(sizes) == 25
    assert sum(sizes) == 100
