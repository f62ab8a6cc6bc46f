"""Long histories merged one stretch of time at a time, so that merging needs memory for a stretch only.

Rows are the same play only if their times agree, to the minute at the coarsest, as long as one teller tells them all
(:mod:`recsys.listens.merging`): stretches that begin on a full minute can be merged one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.listens.merging import without_repeats
from recsys.listens.tellers import teller_of

SLICE_ROWS = 40_000
"""Rows of a stretch; most exports have fewer."""

_MINUTE_MS = 60_000


def merged(parts: Sequence[pa.Table]) -> tuple[pa.Table, Counter[str]]:
    """Do what :func:`recsys.listens.merging.without_repeats` does, in less memory where that can be.

    Parameters
    ----------
    parts
        Listens, as in :data:`recsys.listens.SCHEMA`.
    """
    rows = sum(part.num_rows for part in parts)
    if rows <= SLICE_ROWS or not _one_teller(parts):
        return without_repeats(*parts)
    tables, left_out = [], Counter[str]()
    for stretch in _stretches(parts, -(-rows // SLICE_ROWS)):
        table, reasons = without_repeats(*stretch)
        tables.append(table)
        left_out += reasons
    return pa.concat_tables(tables), left_out


def _one_teller(parts: Sequence[pa.Table]) -> bool:
    tellers = {(teller_of(source), route) for part in parts for source, route in _distinct(part)}
    return len(tellers) == 1 and not any(part["played_at"].null_count for part in parts)


def _distinct(part: pa.Table) -> set[tuple[str, str]]:
    pairs = part.select(["source", "route"]).group_by(["source", "route"]).aggregate([])
    return {(row["source"], row["route"]) for row in pairs.to_pylist()}


def _stretches(parts: Sequence[pa.Table], count: int) -> Iterator[list[pa.Table]]:
    times = [_milliseconds(part) for part in parts]
    cuts = np.quantile(np.concatenate(times), np.linspace(0, 1, count + 1)[1:-1], method="lower")
    cuts = np.unique(cuts // _MINUTE_MS * _MINUTE_MS)
    places = [np.searchsorted(cuts, time, side="right") for time in times]
    for number in range(len(cuts) + 1):
        yield [part.filter(pa.array(place == number)) for part, place in zip(parts, places, strict=True)]


def _milliseconds(part: pa.Table) -> np.ndarray[Any, Any]:
    return np.asarray(pc.cast(part["played_at"], pa.int64()).to_numpy())
