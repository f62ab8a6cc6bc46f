"""Listens of one member, and of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from recsys.listens.report import ReadReport


class Pool(Protocol):
    """Listens of many members, read one member at a time, so that memory stays bounded."""

    @property
    def members(self) -> Sequence[str]:
        """Who is in the pool, each once."""
        ...

    def read(self, member: str) -> Listens:
        """Read all listens of one member."""
        ...


@dataclass(frozen=True, eq=False)
class Listens:
    """What one member listened to; also a :class:`Pool` of one.

    Parameters
    ----------
    member
        The person's name, or a :class:`recsys.canonical.Pseudonym`.
    table
        In the order of time, a play without a time last, with the columns of :data:`recsys.listens.SCHEMA`.
    report
        What became of the rows of the exports it was read from.
    exports
        SHA-256 of each export it was read from, sorted, where it was read from stored contributions.
    """

    member: str
    table: pa.Table
    report: ReadReport
    exports: tuple[str, ...] = ()

    @property
    def members(self) -> tuple[str, ...]:
        """The one member."""
        return (self.member,)

    def read(self, member: str) -> Listens:
        """Give these listens, if they are the member's.

        Raises
        ------
        KeyError
            If `member` is somebody else.
        """
        if member != self.member:
            raise KeyError(member)
        return self
