"""What a source of listens is; each source is one small file that fulfils this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from recsys.listens.table import SCHEMA, Clock, Route, Source


@dataclass(frozen=True, eq=False)
class Rows:
    """What one history file held.

    Parameters
    ----------
    table
        The listens in it, as in :data:`recsys.listens.SCHEMA`, in the file's order, repeats included.
    read
        How many rows the file has.
    left_out
        How many of them are not in `table`, by reason.
    """

    table: pa.Table
    read: int
    left_out: Mapping[str, int]


def listens(columns: Mapping[str, pa.Array], clock: Clock, source: Source, route: Route) -> pa.Table:
    """Make a table of listens of those columns that a source knows.

    Columns that are not given are null, but for `plays`: a row stands for one play.
    """
    count = len(columns["artist"])
    known = {
        "plays": pa.repeat(pa.scalar(1, pa.int64()), count),
        "clock": pa.repeat(clock.value, count),
        "source": pa.repeat(source.value, count),
        "route": pa.repeat(route.value, count),
        **columns,
    }
    arrays = [known[field.name] if field.name in known else pa.nulls(count, field.type) for field in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


class FileSource(Protocol):
    """A service whose exports consist of history files that can be read one by one."""

    wanted: str
    """The names of its history files, for people."""

    advice: str
    """How a person gets an export with such files from the service."""

    def claims(self, name: str) -> bool:
        """Tell by a file's base name whether it is a history file; no other file is opened."""
        ...

    def read(self, data: bytes, route: Route) -> Rows:
        """Turn the bytes of one history file into listens.

        Raises
        ------
        ValueError
            If the bytes are not such a file; says where, what was found and what to do.
        """
        ...
