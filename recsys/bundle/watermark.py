"""A mark for each buyer in a bundle's factors that changes no recommendation, and how it is found again.

Scores are inner products, so flipping the sign of a latent dimension in artists and listeners alike changes none of
them; and since IEEE arithmetic is symmetric in the sign, not a bit of any score either, folding in included. Which
dimensions are flipped tells the buyer.

Signs tell buyers apart as tosses of a coin do: with 16 dimensions an innocent buyer's mark is that of a copy once in
65,536 times, with 64 practically never. What the mark survives: rounding, rescaling, noise, artists left out or in
another order, dimensions left out or in another order. What it does not: a rotation of the factors, or signs flipped at
random by somebody who knows of it; the copy is then still known for what it is, but not whose it was. Two buyers who
put their copies together can undo the half of the signs in which they differ; what is left points at both.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import binom

Signs = NDArray[np.int8]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_Array = TypeVar("_Array", bound=NDArray[Any])

_HASH_BITS = 256
_CLOSE = 0.5  # what may be left unexplained of a copy, of 1
_CLEAR = 0.5  # a dimension whose correlation is less tells no sign
_MOST_ROWS = 2000  # of a copy that are looked at: enough for any certainty
_AT_ONCE = 1 << 24
_TINY = 1e-30
_EXPLAINED = 0.02  # rows in their old order need not be looked for


def signs(buyer: str, key: bytes, factors: int) -> Signs:
    """Give a buyer's signs, one for each latent dimension: +1 or -1, shape (factors,).

    They are the bits of HMAC-SHA-256 (RFC 2104) over the buyer's name under the collective's secret; nobody without
    the secret can tell a buyer's signs from anybody else's.
    """
    blocks = -(-factors // _HASH_BITS)
    told = [hmac.digest(key, b"recsys watermark\x00%d\x00" % n + buyer.encode(), hashlib.sha256) for n in range(blocks)]
    bits = np.unpackbits(np.frombuffer(b"".join(told), dtype=np.uint8))[:factors]
    return (1 - 2 * bits.astype(np.int8)).astype(np.int8)


def mark(
    item_factors: _Array, gram: NDArray[np.float64], buyer: str, key: bytes
) -> tuple[_Array, NDArray[np.float64]]:  # fmt: skip
    """Flip the signs of latent dimensions as a buyer's mark says; marking twice takes the mark off again.

    Parameters
    ----------
    item_factors
        Artists' factors as they are stored, float16 or float32, shape (artists, factors).
    gram
        Their Gram matrix, shape (factors, factors).
    buyer
        Whom the copy is for.
    key
        The collective's secret, 32 bytes.

    Returns
    -------
    factors, gram
        New arrays of the same types.
    """
    flips = signs(buyer, key, item_factors.shape[1])
    marked = item_factors * flips.astype(item_factors.dtype)
    return marked, gram * np.outer(flips, flips)


@dataclass(frozen=True)
class Suspect:
    """How far a buyer's mark is that of a copy.

    Attributes
    ----------
    buyer
        The buyer.
    agree, read
        Signs that agree, of those that could be read.
    chance
        How likely it is that the mark of any one of the buyers who did not get this copy agrees as far; at most 1.
    """

    buyer: str
    agree: int
    read: int
    chance: float


@dataclass(frozen=True)
class Trace:
    """What a copy was found to be.

    Attributes
    ----------
    copied
        Whether it is a copy of these factors at all.
    rotated
        Whether its factors were rotated, which leaves no sign to be read.
    unexplained
        What is left of the copy when the original is taken from it, as a share of its length: 0 for an exact copy.
    rows, dimensions
        Artists and latent dimensions by which this was told.
    suspects
        All buyers, the likeliest first.
    """

    copied: bool
    rotated: bool
    unexplained: float
    rows: int
    dimensions: int
    suspects: tuple[Suspect, ...]


def trace(
    leaked: NDArray[Any],
    original: NDArray[Any],
    buyers: Sequence[str],
    key: bytes,
    *,
    rows: Ints | None = None,
) -> Trace:
    """Find out whether factors are a copy, and whose.

    Parameters
    ----------
    leaked
        The copy's factors, shape (its artists, its factors).
    original
        The factors before they were marked, shape (artists, factors).
    buyers
        Whose marks are looked for.
    key
        The collective's secret.
    rows
        For each row of the copy the row of the original with the same artist, if that is known; rows are else taken to
        be in the same order or, if that explains nothing, are matched by their content.
    """
    copy, whole = _scaled(leaked), _scaled(original)
    chosen = np.sort(np.random.default_rng(0).permutation(len(copy))[:_MOST_ROWS])
    if rows is not None:
        reading = _Reading.of(copy[chosen], whole[rows[chosen]])
    else:
        reading = _Reading.found(copy[chosen], whole, chosen if len(copy) == len(whole) else None)
    told = reading.signs != 0
    suspects = _suspects(reading.dimensions[told], reading.signs[told], list(dict.fromkeys(buyers)), key)
    rotated = reading.rotated < _CLOSE <= reading.unexplained
    unexplained = reading.rotated if rotated else reading.unexplained
    return Trace(unexplained < _CLOSE, rotated, unexplained, len(chosen), int(told.sum()), suspects)


def _suspects(dimensions: Ints, told: Signs, buyers: Sequence[str], key: bytes) -> tuple[Suspect, ...]:
    """Compare the signs told of some dimensions with every buyer's, which are independent tosses of a coin."""
    most = int(dimensions.max(initial=-1)) + 1
    found = []
    for buyer in buyers:
        agree = int((signs(buyer, key, most)[dimensions] == told).sum())
        by_chance = float(binom.sf(agree - 1, len(told), 0.5))
        found.append(Suspect(buyer, agree, len(told), min(1.0, by_chance * len(buyers))))
    return tuple(sorted(found, key=lambda one: (one.chance, -one.agree, one.buyer)))


@dataclass(frozen=True)
class _Reading:
    """How rows and dimensions of a copy belong to those of the original.

    `dimensions` and `signs` say for each dimension of the copy which one of the original it is and whether it was
    flipped (0: cannot be told); `unexplained` is what that leaves over, `rotated` what the best rotation would.
    """

    dimensions: Ints
    signs: Signs
    unexplained: float
    rotated: float

    @classmethod
    def found(cls, copy: Floats, whole: Floats, order: Ints | None) -> _Reading:
        """Read by the rows in their old `order`, if they may be in it; or by content, if that explains more."""
        tried = [] if order is None else [cls.of(copy, whole[order])]
        if (not tried or tried[0].least >= _EXPLAINED) and copy.shape[1] == whole.shape[1] and len(copy):
            for described in (np.abs, _sizes):
                first = cls.of(copy, whole[_nearest(described(copy), described(whole))])
                turned = np.zeros_like(copy)
                turned[:, first.dimensions] = copy * first.signs
                tried += [first, cls.of(copy, whole[_nearest(turned, whole)])]
        return min(tried, key=lambda one: one.least, default=cls(np.empty(0, np.int64), np.empty(0, np.int8), 1.0, 1.0))

    @property
    def least(self) -> float:
        """What is left over at best."""
        return min(self.unexplained, self.rotated)

    @classmethod
    def of(cls, copy: Floats, mine: Floats) -> _Reading:
        """Read dimensions and signs off rows that belong together, shapes (rows, its factors) and (rows, factors)."""
        lengths = np.linalg.norm(copy, axis=0)[:, None] * np.linalg.norm(mine, axis=0)
        alike = copy.T @ mine / np.maximum(lengths, _TINY)
        own, theirs = linear_sum_assignment(-np.abs(alike))
        peaks = alike[own, theirs]
        flips = np.where(np.abs(peaks) >= _CLEAR, np.sign(peaks), 0).astype(np.int8)
        turn, _, back = np.linalg.svd(copy.T @ mine, full_matrices=False)
        return cls(
            theirs.astype(np.int64),
            flips,
            _left(copy[:, own] * np.sign(peaks), mine[:, theirs]),
            _left(copy @ (turn @ back), mine),
        )


def _left(copy: Floats, mine: Floats) -> float:
    """Give what is left of `mine` when the best multiple of `copy` is taken from it, as a share of its length."""
    scale = float((copy * mine).sum()) / max(float((copy * copy).sum()), _TINY)
    return float(np.linalg.norm(mine - scale * copy) / max(float(np.linalg.norm(mine)), _TINY))


def _scaled(factors: NDArray[Any]) -> Floats:
    values = np.nan_to_num(np.asarray(factors, dtype=np.float64), posinf=0, neginf=0)
    return np.asarray(values / max(float(np.abs(values).max(initial=0)), _TINY))


def _sizes(factors: Floats) -> Floats:
    """Describe rows by what flipping and reordering dimensions leaves as it is: sizes in order."""
    return np.sort(np.abs(factors), axis=1)


def _nearest(these: Floats, those: Floats) -> Ints:
    """Find for each row the row of `those` that points the same way best."""
    unit = those / np.maximum(np.linalg.norm(those, axis=1, keepdims=True), _TINY)
    block = max(1, _AT_ONCE // max(len(those), 1))
    found = [np.argmax(these[at : at + block] @ unit.T, axis=1) for at in range(0, len(these), block)]
    return np.concatenate([np.empty(0, dtype=np.int64), *found]).astype(np.int64)
