"""What of a history is compared with others', and its sketch: MinHash signatures of a few views.

Honest listeners of one taste share artists, tracks, and the lengths of tracks that they played whole. What they do not
share is where they broke plays off, to the millisecond, and in what order they went from artist to artist. So:

=========  ============================================================  ==============================================
view       its tokens                                                    finds
=========  ============================================================  ==============================================
partial    (track, milliseconds) of plays that were broken off           copies, whatever was done to their times
year       the same, of the last 365 days told                           one year of an account beside all its years
order      three tracks in a row, by at least two artists                copies without durations, such as scrobbles
totals     (artist, plays) of totals of five and more                    copies of bare counts
tracks     (track)                                                       accounts that play one list: farms
=========  ============================================================  ==============================================

A signature holds 128 minima (Broder 1997), by `datasketch`; the share of places in which two signatures agree estimates
the Jaccard similarity of their token sets, with a standard error of at most 0.044. With the sets' sizes that gives the
share of the smaller set that is in the larger one.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache

import numpy as np
from datasketch import MinHash
from numpy.typing import NDArray

from recsys.proof.authenticity import runs
from recsys.proof.history import Hashes, History, Mask, mixed

EDITION = 1
PERMUTATIONS = 128
ORDER_RUN = 3

_YEAR_MS = 365 * 86_400_000
_LEAST_TOTAL = 5
_CHUNK = 4_096

Signatures = NDArray[np.uint32]


@dataclass(frozen=True)
class View:
    """One way of looking at histories, and when two are too alike in it.

    Attributes
    ----------
    name
        As in the table above.
    rows, bands
        Signatures that agree in all rows of any band are compared (locality-sensitive hashing).
    honest
        The most that two honest listeners share: overlap up to here is none.
    copied
        What only copies share: overlap from here on is all.
    contained
        Whether the overlap is the share of the smaller set that is in the larger (or else the Jaccard similarity).
    """

    name: str
    rows: int
    bands: int
    honest: float
    copied: float
    contained: bool = True


VIEWS = (
    View("partial", 2, 32, 0.25, 0.65),
    View("year", 2, 32, 0.25, 0.65),
    View("order", 2, 32, 0.25, 0.65),
    View("totals", 2, 32, 0.5, 0.9),
    View("tracks", 6, 21, 0.7, 0.9, contained=False),
)
LEAST_TOKENS = 50
"""Smaller sets are not compared: that they are alike may be chance."""


@dataclass(frozen=True, eq=False)
class Sketch:
    """The sketch of a member's history.

    Attributes
    ----------
    signatures
        Row v: the minima of view v of :data:`VIEWS`; uint32, shape (views, 128).
    sizes
        How many tokens each view holds; int64, shape (views,).
    """

    signatures: Signatures
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, history: History) -> Sketch:
        """Sketch a history; the order of its rows does not matter."""
        sets = tokens(history)
        return cls(
            np.stack([_signature(sets[view.name]) for view in VIEWS]),
            np.array([len(sets[view.name]) for view in VIEWS], np.int64),
        )

    @property
    def comparable(self) -> bool:
        """Whether any view holds enough to be compared with others'."""
        return bool((self.sizes >= LEAST_TOKENS).any())

    def to_bytes(self) -> bytes:
        """Write the sketch (NumPy's npz, without pickles)."""
        file = io.BytesIO()
        np.savez(file, signatures=self.signatures, sizes=self.sizes)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Sketch:
        """Read a sketch back.

        Raises
        ------
        ValueError
            If the bytes are none.
        """
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            sketch = cls(arrays["signatures"], arrays["sizes"])
        shape = (len(VIEWS), PERMUTATIONS)
        if sketch.signatures.shape != shape or sketch.signatures.dtype != np.uint32 or sketch.sizes.shape != shape[:1]:
            raise ValueError(f"signatures of {sketch.signatures.dtype} {sketch.signatures.shape}, not uint32 {shape}")
        return sketch


def tokens(history: History) -> dict[str, Hashes]:
    """Give the tokens of each view, each once."""
    own = mixed(history.track, history.ms)
    last = history.told.max(initial=0)
    recent = history.partial & history.real & (history.told > last - _YEAR_MS)
    listed = (history.plays >= _LEAST_TOTAL) & ~history.titled
    return {
        "partial": np.unique(own[history.partial]),
        "year": np.unique(own[recent]),
        "order": np.unique(_orders(history.where(history.real & history.titled))),
        "totals": np.unique(mixed(history.artist, history.plays)[listed]),
        "tracks": np.unique(history.track[history.titled]),
    }


def _orders(timed: History) -> Hashes:
    """Give runs of tracks that no album explains."""
    length = len(timed) - ORDER_RUN + 1
    alone: Mask = np.ones(max(length, 0), bool)
    for step in range(1, ORDER_RUN):
        alone &= timed.artist[:length] == timed.artist[step : length + step] if length > 0 else True
    return runs(timed.track, ORDER_RUN)[~alone]


def _signature(values: Hashes) -> Signatures:
    sketch = MinHash(PERMUTATIONS, hashfunc=int, permutations=_permutations(), scheme="affine32")
    low = (values & np.uint64(0xFFFFFFFF)).tolist()
    for start in range(0, len(low), _CHUNK):
        sketch.update_batch(low[start : start + _CHUNK])
    return np.asarray(sketch.hashvalues, np.uint32)


@cache
def _permutations() -> object:
    return MinHash(PERMUTATIONS, seed=1).permutations
