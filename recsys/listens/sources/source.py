"""What a source of listens is; each source is one small file that fulfils this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from recsys.listens.table import SCHEMA, Route


@dataclass(frozen=True, eq=False)
class Rows:
    """What one history file held; ``read == table.num_rows + hidden.num_rows + sum(left_out.values())``.

    Parameters
    ----------
    table
        The listens in it, as in :data:`recsys.listens.SCHEMA`, in the file's order, repeats included.
    read
        How many rows the file has.
    left_out
        How many of them are not in `table`, by reason.
    hidden
        Listens that the member kept to themselves; used only if the member says so.
    shows
        Names of podcasts that the file tells.
    is_history
        The file is a history, not something that only helps to read one.
    may_hold_podcasts
        A podcast may be among the listens under the name of an artist, and nothing in the row shows it.
    """

    table: pa.Table
    read: int
    left_out: Mapping[str, int]
    hidden: pa.Table = field(default_factory=SCHEMA.empty_table)
    shows: frozenset[str] = frozenset()
    is_history: bool = True
    may_hold_podcasts: bool = False


class FileSource(Protocol):
    """A service whose exports consist of history files that can be read one by one."""

    @property
    def route(self) -> Route:
        """How its files come here, unless somebody says that it was by a stricter route."""
        ...

    @property
    def exports(self) -> str:
        """What it reads of which service, for people; nothing, if that is said by another source."""
        ...

    def claims(self, name: str) -> bool:
        """Tell by a file's base name whether it must be a history of this source: if it is none, it is an error."""
        ...

    def knows(self, data: bytes) -> bool:
        """Tell by the shape of the content whether it is a history of this source, in a short time."""
        ...

    def read(self, data: bytes, route: Route) -> Rows:
        """Turn the bytes of one history file into listens.

        Raises
        ------
        ValueError
            If the bytes are not such a file; says where, what was found and what to do.
        """
        ...
