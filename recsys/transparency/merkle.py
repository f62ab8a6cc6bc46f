"""The Merkle tree of RFC 6962 (section 2.1), whose proofs RFC 9162 (section 2.1) tells how to check.

A tree grows by leaves at its right end. A *perfect* subtree, of 2^level leaves at a multiple of 2^level, never changes
again once its last leaf is there; it is one stored node. Any range of leaves that the RFC's recursion names is a run
of such nodes, so roots and proofs of a tree of n leaves, at any past size, need O(log n) of them. The nodes have an
order of coming to be, and :func:`position` counts it: appending writes at the end only.

Everything here is a pure function of bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

_HEX = re.compile(r"[0-9a-f]{64}")

EMPTY = sha256(b"").digest()
"""Root of the tree without leaves."""

Range = tuple[int, int]
"""Leaves from the first number up to, without, the second."""


def read_hash(text: str) -> bytes:
    """Read a hash in its one spelling, 64 lower-case hex digits.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if not _HEX.fullmatch(text):
        raise ValueError(f"a hash has 64 lower-case hex digits; this is {text[:80]!r}")
    return bytes.fromhex(text)


def leaf_hash(data: bytes) -> bytes:
    """Hash what a leaf holds: ``SHA-256(0x00 || data)``."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees to the one that holds both: ``SHA-256(0x01 || left || right)``."""
    return sha256(b"\x01" + left + right).digest()


def position(level: int, place: int) -> int:
    """Count the nodes that came to be before the perfect subtree number `place` of 2^`level` leaves.

    It is there with its last leaf, of index i = (place + 1) 2^level - 1. The i leaves before make 2i - popcount(i)
    nodes, and leaf i then makes one node of each level from 0 on.
    """
    last = ((place + 1) << level) - 1
    return 2 * last - last.bit_count() + level


def nodes_of(size: int) -> int:
    """Tell how many nodes a tree of `size` leaves has."""
    return 2 * size - size.bit_count()


def subtrees(start: int, stop: int) -> list[int]:
    """Give the positions of the perfect subtrees that make up a range, from left to right."""
    found = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        found.append(position(level, start >> level))
        start += 1 << level
    return found


def joined(perfect: Sequence[bytes]) -> bytes:
    """Give the root of a range from the hashes of its perfect subtrees, from left to right."""
    if not perfect:
        return EMPTY
    root = perfect[-1]
    for left in reversed(perfect[:-1]):
        root = node_hash(left, root)
    return root


@dataclass(frozen=True)
class Frontier:
    """The right edge of a tree: all that must be known of it in order to append.

    Parameters
    ----------
    size
        How many leaves the tree has.
    peaks
        Hashes of the perfect subtrees that make it up, from left to right.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    @property
    def root(self) -> bytes:
        """The tree's root (MTH in RFC 6962)."""
        return joined(self.peaks)

    def grown(self, leaves: Iterable[bytes]) -> tuple[list[bytes], Frontier]:
        """Append leaf hashes: give the nodes that come to be, in the order of their positions, and the new edge."""
        nodes, peaks, size = [], list(self.peaks), self.size
        for leaf in leaves:
            nodes.append(leaf)
            node, place = leaf, size
            while place & 1:
                node = node_hash(peaks.pop(), node)
                nodes.append(node)
                place >>= 1
            peaks.append(node)
            size += 1
        return nodes, Frontier(size, tuple(peaks))


def _split(start: int, stop: int) -> int:
    """Give the middle of a range: its start plus the largest power of two that is smaller than its length."""
    return start + (1 << (stop - start - 1).bit_length() - 1)


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Name the ranges whose roots prove leaf `index` in a tree of `size` leaves, from the leaf upwards (2.1.1).

    Raises
    ------
    ValueError
        If the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    ranges, start, stop = [], 0, size
    while stop - start > 1:
        middle = _split(start, stop)
        if index < middle:
            ranges.append((middle, stop))
            stop = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """Name the ranges whose roots prove that a tree of `old` leaves is the beginning of one of `new` (2.1.2).

    Raises
    ------
    ValueError
        If the old tree is larger.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves cannot begin with {old}")
    if old == 0:
        return []
    ranges, start, stop = [], 0, new
    while old < stop:
        middle = _split(start, stop)
        if old <= middle:
            ranges.append((middle, stop))
            stop = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:
        ranges.append((start, stop))
    return ranges[::-1]


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Give the root that `path` leads to from a leaf's hash (RFC 9162, 2.1.3.2); ``None`` if it leads nowhere."""
    if not 0 <= index < size:
        return None
    place, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            root = node_hash(sibling, root)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        place, last = place >> 1, last >> 1
    return root if last == 0 else None


def consistent(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Tell whether `path` proves that the tree of `old` leaves begins the tree of `new` (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old in {0, new}:
        return not path and old_root == (new_root if old else EMPTY)
    hashes = list(path) if old & (old - 1) else [old_root, *path]
    if not hashes:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root
