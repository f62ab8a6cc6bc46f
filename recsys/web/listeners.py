"""The buyer's own listeners: evaluated in memory, and forgotten with the answer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recsys.bundle.trying import Bounds, Trial, read_histories, try_on
from recsys.errors import ConfigError
from recsys.web.room import Room

_BOUNDS = Bounds(rows=2_000_000, text=256 << 20)
_ZIP = b"PK\x03\x04"
_LONGEST_NAME = 80


def tried(room: Room, name: str, content: bytes) -> Trial:
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
    ConfigError
        If the file cannot be read, or tells too little.
    """
    name = "".join(letter for letter in name if letter.isprintable())[:_LONGEST_NAME] or "the file"
    if not content.strip():
        raise ConfigError(f"{name} is empty. A line for each listener and artist is needed, under a line of headings.")
    if content.startswith(_ZIP):
        raise ConfigError(f"{name} is a zip or a spreadsheet. Save it as CSV, and send that.")
    with _in_memory(content) as path:
        try:
            histories = read_histories(path, _BOUNDS)
        except ConfigError as error:
            raise ConfigError(f"{name}{str(error).removeprefix(path.name)}") from error
    return try_on(room.sample, histories, index=room.index)


@contextmanager
def _in_memory(content: bytes) -> Iterator[Path]:
    """Give bytes the path of a file that lies in memory alone, for readers that want one (memfd_create(2))."""
    handle = os.memfd_create("listeners")
    try:
        with os.fdopen(handle, "wb", closefd=False) as file:
            file.write(content)
        yield Path(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)
