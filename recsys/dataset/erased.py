"""Rows that were taken out of a stored version because their member asked for it.

A version never changes, with one exception: when a member's data are erased, their rows go from every version on this
disk. What is left is no longer what the digest names, so it is marked by a file beside it and cannot be loaded as a
version; it serves to say what changed from one version to the next, and to show what was left behind.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.canonical import Pseudonym, atomic_path, canonical_json, write_atomically
from recsys.errors import VersionBrokenError

_MARK = "erased.json"
_PAIRS = "pairs.parquet"


def erased_members(folder: Path) -> tuple[Pseudonym, ...]:
    """Tell whose rows were taken out of the version in `folder`, sorted.

    Raises
    ------
    VersionBrokenError
        If the mark cannot be read.
    """
    try:
        return tuple(Pseudonym(name) for name in json.loads((folder / _MARK).read_bytes())["members"])
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise VersionBrokenError(f"{_MARK} of version {folder.name[:12]} cannot be read: {error}") from error


def erase_rows(folder: Path, member: Pseudonym, row: int) -> Path | None:
    """Take a member's pairs out of the version in `folder`; give the file that was changed, if there were any.

    The mark is there before the rows go, so a crash between the two leaves a version that is refused. Doing it again
    finishes what was begun.

    Parameters
    ----------
    folder
        The version's folder.
    member, row
        Who goes, and the member's place among those of the version.

    Raises
    ------
    VersionBrokenError
        If the pairs cannot be read.
    """
    known = set(erased_members(folder))
    if member not in known:
        write_atomically(folder / _MARK, canonical_json({"members": sorted({*known, member})}))
    path = folder / _PAIRS
    try:
        pairs = pq.read_table(path)
        theirs = np.asarray(pairs["member"]) == row
    except (OSError, pa.ArrowException, KeyError) as error:
        raise VersionBrokenError(f"{path} cannot be read, so nothing can be taken out of it: {error}") from error
    if not theirs.any():
        return None
    with atomic_path(path) as partial:
        pq.write_table(pairs.filter(pa.array(~theirs)), partial, compression="zstd")
    return path
