"""A map from each owner of entries to the last entry about it, under one hash that the tree head signs.

A Merkle tree shows that an entry is in a log; it cannot show that no other is. So each entry names the one before it of
the same owner, and this map names the last: from there backwards nothing can be left out. Whoever has the whole log
computes the same map, so an operator who signs a false one is found out by anybody who looks.

The map is a complete binary tree of 2^16 buckets, hashed as in RFC 6962. An owner's bucket is the first 16 bits of its
SHA-256; a bucket's leaf is the canonical JSON of its owners and their last entries, sorted by owner. A proof is the
bucket and the 16 hashes beside its path; it shows as well that an owner has no entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from recsys.canonical import canonical_json
from recsys.transparency.merkle import leaf_hash, node_hash, read_hash

DEPTH = 16

Bucket = Mapping[str, int]
"""Owners and the numbers of the last entries about them."""


def bucket_of(owner: str) -> int:
    """Tell in which bucket an owner is."""
    return int.from_bytes(sha256(owner.encode()).digest()[:2])


def bucket_hash(bucket: Bucket) -> bytes:
    """Hash what a bucket holds."""
    return leaf_hash(canonical_json([[str(owner), bucket[owner]] for owner in sorted(bucket)]))


def _nothing() -> tuple[bytes, ...]:
    hashes = [bucket_hash({})]
    for _ in range(DEPTH):
        hashes.append(node_hash(hashes[-1], hashes[-1]))
    return tuple(hashes)


NOTHING = _nothing()
"""Hash of a subtree without owners, by its level."""


def node(level: int, place: int) -> int:
    """Give a node's number: 1 is the root, 2n and 2n + 1 are below n, buckets are at level 0."""
    return (1 << DEPTH - level) + place


ROOT = node(DEPTH, 0)


def beside(buckets: Iterable[int]) -> list[int]:
    """Name the nodes, other than theirs, that are needed in order to compute the root from these buckets."""
    needed, row = [], {node(0, bucket) for bucket in buckets}
    for _ in range(DEPTH):
        needed += sorted({one ^ 1 for one in row} - row)
        row = {one >> 1 for one in row}
    return needed


def folded(buckets: Mapping[int, bytes], known: Mapping[int, bytes]) -> dict[int, bytes]:
    """Compute every node above some buckets.

    Parameters
    ----------
    buckets
        Hash of each bucket, by its number.
    known
        The nodes that :func:`beside` names; one that is missing holds no owner.
    """
    row = {node(0, bucket): hashed for bucket, hashed in buckets.items()}
    nodes = dict(row)
    for level in range(DEPTH):
        nothing, above = NOTHING[level], {}
        for one in {one >> 1 for one in row}:
            left, right = (row.get(n) or known.get(n, nothing) for n in (2 * one, 2 * one + 1))
            above[one] = node_hash(left, right)
        nodes.update(above)
        row = above
    return nodes


@dataclass(frozen=True)
class LatestProof:
    """Shows which entry is the last about an owner, or that there is none.

    Parameters
    ----------
    bucket
        All owners of the owner's bucket with their last entries.
    path
        The hashes beside the path from the bucket to the root, from below, in hex.
    """

    bucket: Bucket
    path: Sequence[str]

    def last(self, owner: str, root: str) -> int | None:
        """Give the number of the last entry about `owner` in the map of that root; ``None`` if there is none.

        Raises
        ------
        ValueError
            If the proof does not lead to that root.
        """
        if len(self.path) != DEPTH:
            raise ValueError(f"a path in the map of last entries has {DEPTH} hashes; this one has {len(self.path)}")
        place = node(0, bucket_of(owner))
        known: dict[int, bytes] = {}
        for level, hashed in enumerate(self.path):
            known[place >> level ^ 1] = read_hash(hashed)
        if folded({bucket_of(owner): bucket_hash(self.bucket)}, known)[ROOT].hex() != root:
            raise ValueError("the path does not lead to the map of last entries that was signed")
        return self.bucket.get(owner)

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        return {"bucket": dict(self.bucket), "path": list(self.path)}
