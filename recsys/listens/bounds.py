"""How large an export may be; what is larger is refused before it is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recsys.errors import UnreadableExportError

MAX_FILES = 10_000
"""Files in an export, those in zips inside it included; a real one has below a hundred."""

MAX_FILE_BYTES = 64 << 20
"""Size of a history file; Spotify splits them at about 12 MB."""

MAX_BYTES = 1 << 30
"""Size of all history files of an export; the largest known are about 300 MB."""

MAX_RATIO = 200
"""How many times smaller a zip can make a history file; real ones shrink 10 to 30 times."""

MAX_DEPTH = 3
"""Zips inside zips; people pack both of Spotify's zips into one."""

AGAIN = "download it again and hand in the zip as it is"

_SMALL = 1 << 20


@dataclass
class Budget:
    """What may still be read of one export.

    Parameters
    ----------
    export
        The file or folder that was handed in; refusals name it.
    files, size
        Files seen and bytes read so far.
    """

    export: Path
    files: int = 0
    size: int = 0

    def count(self, files: int) -> None:
        """Take note of files that are there, whether they are read or not.

        Raises
        ------
        UnreadableExportError
            If there are too many.
        """
        self.files += files
        if self.files > MAX_FILES:
            raise self.refusal(f"more than {MAX_FILES:,} files inside; is this the export of one member?")

    def spend(self, size: int, name: str | None) -> None:
        """Take note of a file of `size` bytes that is about to be read.

        Raises
        ------
        UnreadableExportError
            If it is too large, or all together are.
        """
        if size > MAX_FILE_BYTES:
            raise self.refusal(f"larger than {MAX_FILE_BYTES >> 20} MB: no history file; {AGAIN}", name)
        self.size += size
        if self.size > MAX_BYTES:
            raise self.refusal(f"more than {MAX_BYTES >> 20:,} MB of history in one export; {AGAIN}")

    def inflate(self, size: int, packed: int, name: str) -> None:
        """Take note of an entry of a zip that says it inflates from `packed` to `size` bytes.

        Raises
        ------
        UnreadableExportError
            If that is more than it can be, or too large.
        """
        self.spend(size, name)
        if size > max(_SMALL, MAX_RATIO * packed):
            raise self.refusal(f"inflates more than {MAX_RATIO} times: a zip bomb; {AGAIN}", name)

    def refusal(self, reason: str, name: str | None = None) -> UnreadableExportError:
        """Make the error that refuses this export for the sake of the file `name` in it."""
        return UnreadableExportError(self.export, reason, name)
