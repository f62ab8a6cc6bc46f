"""When two rows are the same play, and when a total holds plays that are told one by one as well.

Rows come in parts: what one file, or one stored contribution, told. What comes out does not depend on the order of the
parts, on how they overlap, or on whether some of them were merged before:

* Rows are the same play if time, artist, track and milliseconds agree.
* Account data of Spotify knows the minute only: a row of it gives way to an extended row of that minute with the same
  artist, track and milliseconds. Two short plays of one track in one minute differ in milliseconds and both stay.
* A play reaches many members' services twice: Last.fm and ListenBrainz hear of what Spotify plays, and import each
  other. Of services that tell the same artist and track at the same time, the one that is first in :data:`TELLERS` is
  believed, after those whose route is stricter have stepped back. A play ends at its time where Spotify tells it and
  begins there elsewhere, so the time is the same if it lies within the play, give or take three minutes.
* A play without a time is the same as the one with the same number among all plays of that track in its part: of two
  histories that tell it twice and three times, the three are kept.
* A total (no time, no track) of one artist is the largest that any source told, since totals only grow and services
  hear of each other's plays, less the plays of the artist which are told one by one.
* A row never gives way to one that came by a stricter route, which the gate may refuse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.listens.table import SCHEMA, LeftOut, Route, Source, counts_as_play
from recsys.listens.tellers import other_tellers

_PLAY = ("played_at", "artist", "track", "ms_played", "nth")
_TOTAL = ("artist", "artist_id", "source", "route")
_CLOCKS = pa.array(["synthetic", "second", "minute", "none"])
_ROUTES = pa.array([route.value for route in sorted(Route, key=lambda route: route.strictness)])
_STRICTNESS = {route.value: route.strictness for route in Route}


def without_repeats(*parts: pa.Table, merged_before: bool = False) -> tuple[pa.Table, Counter[str]]:
    """Put the rows of all parts into the order of time and keep every play once, by the rules of this module.

    Parameters
    ----------
    parts
        Listens, as in :data:`recsys.listens.SCHEMA`.
    merged_before
        Each part came out of here: its totals lack the plays that it tells one by one.

    Returns
    -------
    table
        The plays, sorted by (played_at, artist, track, ms_played), those without a time last.
    left_out
        How many rows went, by reason.
    """
    rows = pa.concat_tables([SCHEMA.empty_table(), *parts])
    is_total = pc.and_(rows["played_at"].is_null(), rows["track"].is_null())
    numbers = np.concatenate([np.zeros(0, np.int64), *map(_numbers, parts)])
    numbered = rows.append_column("nth", pa.array(numbers))
    told_of = numbered.filter(pc.invert(is_total))
    finest = _without_account_twins(told_of)
    once = _first_of_each(finest, _PLAY)
    plays = once.filter(pa.array(~other_tellers(once)))
    told = rows.filter(is_total)
    if merged_before and told.num_rows:
        told = pa.concat_tables([_restored(part) for part in parts])
    largest = _of_best_source(_first_of_each(told, _TOTAL))
    totals = _reduced(largest, plays)
    left_out = Counter(
        {
            LeftOut.IN_EXTENDED.value: told_of.num_rows - finest.num_rows,
            LeftOut.REPEATED.value: finest.num_rows - once.num_rows + told.num_rows - largest.num_rows,
            LeftOut.TOLD_TWICE.value: once.num_rows - plays.num_rows,
            LeftOut.TOLD_SINGLY.value: largest.num_rows - totals.num_rows,
        }
    )
    return pa.concat_tables([plays.select(SCHEMA.names), totals]).combine_chunks(), +left_out


def _first_of_each(rows: pa.Table, key: Sequence[str]) -> pa.Table:
    """Keep one row of those that agree in `key`: the one that says most, of the least strict route."""
    names = [name for name in key if name != "plays"]
    ranked = rows.append_column("rank", _rank(rows))
    ties = [("plays", "descending"), ("rank", "ascending"), ("artist_id", "ascending"), ("source", "ascending")]
    order = [(name, "ascending") for name in names] + [tie for tie in ties if tie[0] not in names]
    ordered = ranked.take(pc.sort_indices(ranked, sort_keys=order)).drop_columns("rank")
    if ordered.num_rows == 0:
        return ordered
    same = pa.chunked_array([pa.repeat(True, ordered.num_rows - 1)])
    for name in names:
        same = pc.and_(same, _equal(ordered[name].slice(1), ordered[name].slice(0, ordered.num_rows - 1)))
    return ordered.filter(pa.chunked_array([pa.array([True]), *pc.invert(same).chunks]))


def _rank(rows: pa.Table) -> pa.Array:
    """Give a row that is to stay a lower number than one that tells the same and may go."""
    unfinished = pc.invert(rows["finished"]).cast(pa.int64())
    route = pc.index_in(rows["route"], value_set=_ROUTES)
    strictness = pc.take(pa.array([_STRICTNESS[name] for name in _ROUTES.to_pylist()], pa.int64()), route)
    clock = pc.index_in(rows["clock"], value_set=_CLOCKS)
    ranks = ((strictness, 1_000), (unfinished, 100), (route, 10), (clock, 1))
    return reduce(pc.add, (pc.multiply(rank.cast(pa.int64()), weight) for rank, weight in ranks))


def _equal(left: pa.ChunkedArray, right: pa.ChunkedArray) -> pa.ChunkedArray:
    both_unknown = pc.and_(pc.is_null(left), pc.is_null(right))
    return pc.or_(pc.fill_null(pc.equal(left, right), False), both_unknown)


def _without_account_twins(table: pa.Table) -> pa.Table:
    from_account = pc.equal(table["source"], Source.SPOTIFY_ACCOUNT.value)
    account, others = table.filter(from_account), table.filter(pc.invert(from_account))
    extended = others.filter(pc.equal(others["source"], Source.SPOTIFY_EXTENDED.value))
    extended = extended.filter(pc.is_in(extended["route"], value_set=_no_stricter(account)))
    if account.num_rows == 0 or extended.num_rows == 0:
        return table
    return pa.concat_tables([others, without_twins(account, extended)])


def without_twins(account: pa.Table, extended: pa.Table) -> pa.Table:
    """Give the account rows that have no extended row of their minute, artist, track and milliseconds."""
    keys = [*_PLAY[1:4], "minute"]
    twins = _with_minute(extended).select(keys)
    alone = _with_minute(account).join(twins, keys=keys, join_type="left anti", use_threads=False)
    return alone.select(account.column_names)


def _with_minute(table: pa.Table) -> pa.Table:
    return table.append_column("minute", pc.floor_temporal(table["played_at"], unit="minute"))


def _numbers(part: pa.Table) -> np.ndarray[Any, Any]:
    """Count plays of one track that have no time; 0 for all others."""
    numbers = np.zeros(part.num_rows, np.int64)
    undated = np.flatnonzero(part["played_at"].is_null().to_numpy())
    seen: Counter[tuple[object, ...]] = Counter()
    columns = [part[name].take(pa.array(undated)).to_pylist() for name in ("artist", "track", "ms_played", "source")]
    for row, play in zip(undated.tolist(), zip(*columns, strict=True), strict=True):
        numbers[row] = seen[play]
        seen[play] += 1
    return numbers


def _restored(part: pa.Table) -> pa.Table:
    """Give the totals of a part as its source told them: with the plays that are told one by one as well."""
    totals, plays = _parted(part)
    return _with_plays(totals, pc.add(totals["plays"], _told_singly(totals, plays)))


def _reduced(totals: pa.Table, plays: pa.Table) -> pa.Table:
    rest = _with_plays(totals, pc.subtract(totals["plays"], _told_singly(totals, plays)))
    return rest.filter(pc.greater(rest["plays"], 0))


def _parted(part: pa.Table) -> tuple[pa.Table, pa.Table]:
    is_total = pc.and_(part["played_at"].is_null(), part["track"].is_null())
    return part.filter(is_total), part.filter(pc.invert(is_total))


def _told_singly(totals: pa.Table, plays: pa.Table) -> pa.Array:
    if totals.num_rows == 0:
        return pa.array([], pa.int64())
    told: Counter[tuple[str, int]] = Counter()
    for (artist, route), count in _per(plays.filter(counts_as_play(plays)), "artist", "route").items():
        for strictness in range(_STRICTNESS[route], max(_STRICTNESS.values()) + 1):
            told[artist, strictness] += count
    asked = zip(totals["artist"].to_pylist(), totals["route"].to_pylist(), strict=True)
    return pa.array([told[artist, _STRICTNESS[route]] for artist, route in asked], pa.int64())


def _of_best_source(totals: pa.Table) -> pa.Table:
    """Keep of each artist the totals of that source which tells most, of those whose route is the least strict."""
    best: dict[str, tuple[int, int, str, str]] = {}
    for (artist, source, route), plays in _per(totals, "artist", "source", "route").items():
        told = (-_STRICTNESS[route], plays, source, route)
        best[artist] = max(best.get(artist, told), told)
    asked = zip(*(totals[name].to_pylist() for name in ("artist", "source", "route")), strict=True)
    return totals.filter(pa.array([best[artist][2:] == (source, route) for artist, source, route in asked], pa.bool_()))


def _no_stricter(rows: pa.Table) -> pa.Array:
    """Name the routes that are no stricter than any of the rows'."""
    found = [_STRICTNESS[route] for route in pc.unique(rows["route"]).to_pylist()]
    return pa.array([route for route, strictness in _STRICTNESS.items() if strictness <= min(found, default=0)])


def _per(rows: pa.Table, *names: str) -> dict[tuple[str, ...], int]:
    sums = rows.select([*names, "plays"]).group_by(list(names)).aggregate([("plays", "sum")])
    return {tuple(row[name] for name in names): row["plays_sum"] for row in sums.to_pylist()}


def _with_plays(totals: pa.Table, plays: pa.Array) -> pa.Table:
    return totals.set_column(SCHEMA.get_field_index("plays"), SCHEMA.field("plays"), plays)
