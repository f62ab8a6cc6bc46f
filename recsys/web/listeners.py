"""The buyer's own listeners: evaluated in memory, and forgotten with the answer."""

from __future__ import annotations

from typing import Any, BinaryIO

from recsys.web.room import Room


def tried(room: Room, name: str, content: BinaryIO) -> Any:
    """Evaluate the sample on histories that somebody handed in.

    Parameters
    ----------
    room
        The sample.
    name
        What the file is called.
    content
        Its bytes.

    Raises
    ------
    RecsysError
        If the file cannot be read, or tells too little.
    """
    from recsys.bundle.trying import read_histories, try_on  # noqa: PLC0415

    return try_on(room.sample, read_histories(content, name=name))
