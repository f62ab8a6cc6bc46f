"""A dataset version in memory: read-only matrices and what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.canonical import Pseudonym, canonical_json, sha256_hex
from recsys.dataset.manifest import CONSENTED, Manifest
from recsys.dataset.vocabulary import Vocabulary
from recsys.listens import SpellingCount


@dataclass(frozen=True, eq=False)
class DatasetVersion:
    """An immutable user x artist matrix with its members, artists and manifest.

    Attributes
    ----------
    manifest
        What the version says of itself; ``digest`` is its name.
    members
        Row r of the matrices belongs to ``members[r]``; sorted.
    artists
        Column c of the matrices belongs to ``artists.names[c]``; sorted by code point.
    user_items
        Plays, CSR, float32, shape (members, artists), read-only.
    user_ms
        Milliseconds played, CSR, int64, the same pairs, read-only.
    spellings
        How the members spell the artists, in the order of artist and spelling; rare spellings are not kept.
    contributions
        Labels of what it was built from, sorted; empty if it was not built from stored contributions.
    """

    manifest: Manifest
    members: tuple[Pseudonym, ...]
    artists: Vocabulary
    user_items: sp.csr_matrix
    user_ms: sp.csr_matrix
    spellings: tuple[SpellingCount, ...] = ()
    contributions: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Name of the version: the SHA-256 of its manifest, 64 hex digits."""
        return self.manifest.digest

    @property
    def consented(self) -> bool:
        """Whether every row was given by a member who agreed; only such a version can be handed on."""
        return self.manifest.provenance == CONSENTED

    def collisions(self) -> list[SpellingCount]:
        """Give the spellings of those artists that are not always spelt as they are shown."""
        several = {count.artist for count in self.spellings if count.spelling != count.artist}
        return [count for count in self.spellings if count.artist in several]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of member and artist in one order: by member, then artist; all int64, shape (pairs,)."""

    member: NDArray[np.int64]
    artist: NDArray[np.int64]
    plays: NDArray[np.int64]
    ms: NDArray[np.int64]

    @classmethod
    def summed(
        cls, member: NDArray[np.int64], artist: NDArray[np.int64], plays: NDArray[np.int64], ms: NDArray[np.int64]
    ) -> Pairs:
        """Put pairs in order and add up those that come more than once."""
        order = np.lexsort((artist, member))
        member, artist, plays, ms = member[order], artist[order], plays[order], ms[order]
        if not len(member):
            return cls(member, artist, plays, ms)
        first = np.concatenate([[True], (np.diff(member) != 0) | (np.diff(artist) != 0)])
        starts = np.flatnonzero(first)
        return cls(member[first], artist[first], np.add.reduceat(plays, starts), np.add.reduceat(ms, starts))


@dataclass(frozen=True, eq=False)
class Parts:
    """What a version consists of.

    Attributes
    ----------
    members, artists
        In the order of their rows and columns.
    pairs
        Plays and milliseconds.
    spellings
        How the members spell the artists.
    contributions
        Labels of what it was built from (:func:`recsys.dataset.reading.contribution_label`), sorted.
    """

    members: Sequence[Pseudonym]
    artists: Sequence[str]
    pairs: Pairs
    spellings: Sequence[SpellingCount] = ()
    contributions: Sequence[str] = ()

    def digests(self) -> dict[str, str]:
        """Name each part by its SHA-256: texts as canonical JSON, numbers as little-endian int64."""
        columns = (self.pairs.member, self.pairs.artist, self.pairs.plays, self.pairs.ms)
        return {
            "members": sha256_hex(canonical_json(list(self.members))),
            "artists": sha256_hex(canonical_json(list(self.artists))),
            "pairs": sha256_hex(b"".join(np.ascontiguousarray(column, dtype="<i8").tobytes() for column in columns)),
            "spellings": sha256_hex(canonical_json([list(row) for row in self.spellings])),
            "contributions": sha256_hex(canonical_json(list(self.contributions))),
        }

    def counts(self) -> dict[str, int]:
        """Count what is in a version."""
        return {
            "members": len(self.members),
            "artists": len(self.artists),
            "pairs": len(self.pairs.plays),
            "plays": int(self.pairs.plays.sum()),
            "ms": int(self.pairs.ms.sum()),
            "contributions": len(self.contributions),
        }


def assemble(parts: Parts, facts: Mapping[str, Any]) -> DatasetVersion:
    """Make the version that these parts are; `facts` are the manifest's other fields."""
    counts = {**parts.counts(), **facts["counts"]}
    return in_memory(Manifest(**{**facts, "counts": counts, "content": parts.digests()}), parts)


def in_memory(manifest: Manifest, parts: Parts) -> DatasetVersion:
    """Lay a version's parts out as read-only matrices."""
    pairs, shape = parts.pairs, (len(parts.members), len(parts.artists))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(pairs.member, minlength=shape[0]))])
    user_items = sp.csr_matrix((pairs.plays.astype(np.float32), pairs.artist, indptr), shape=shape)
    user_ms = sp.csr_matrix((pairs.ms.astype(np.int64), pairs.artist, indptr), shape=shape)
    for matrix in (user_items, user_ms):
        for array in (matrix.data, matrix.indices, matrix.indptr):
            array.flags.writeable = False
    return DatasetVersion(
        manifest,
        tuple(parts.members),
        Vocabulary(parts.artists),
        user_items,
        user_ms,
        tuple(parts.spellings),
        tuple(parts.contributions),
    )


def pairs_of(version: DatasetVersion) -> Pairs:
    """Give back the pairs of a version, in their one order."""
    plays, ms = version.user_items, version.user_ms
    member = np.repeat(np.arange(plays.shape[0], dtype=np.int64), np.diff(plays.indptr))
    return Pairs(member, plays.indices.astype(np.int64), np.rint(plays.data).astype(np.int64), ms.data)
