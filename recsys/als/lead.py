"""Where the next users' half-step takes the items' factors from: extrapolated, in a buffer that it may use up.

While the users are solved for, the items' factors lie rotated in half precision; while the items are solved for, what
was extrapolated from them waits to be rotated. Never both are needed, so they share one buffer of half the size of the
factors. Half precision has a range, so what is stored there is scaled by a power of two, which costs no bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.als import _kernel
from recsys.als.objective import Float32s, Float64s

Stored = NDArray[np.float32] | NDArray[np.uint16]

_LARGEST_HALF = 16.0
_AT_ONCE = 4096  # rows


@dataclass
class Lead:
    """Factors on their way to be held fixed.

    `stored` is `scale` times the factors, in single precision, or in half precision in rows that are padded with zeros;
    `squares` are the squared lengths of the factors.
    """

    stored: Stored
    squares: Float64s
    scale: float

    @classmethod
    def of(cls, factors: Float32s, *, half: bool) -> Lead:
        """Copy `factors`, shape (rows, factors)."""
        shape = (len(factors), _kernel.padded(factors.shape[1]))
        stored: Stored = np.zeros(shape, dtype=np.uint16) if half else np.zeros(shape, dtype=np.float32)
        lead = cls(stored, np.empty(len(factors)), 1.0)
        lead.fill(factors)
        return lead

    def fill(self, factors: Float32s, squares: Float64s | None = None, scale: float | None = None) -> None:
        """Copy `factors` into the buffer; their squared lengths and the scale may be given."""
        self.squares = squares_of(factors) if squares is None else squares
        self.make_room()
        self.scale = self.scale if scale is None else scale
        halves = self._numbers
        for start in range(0, len(factors), _AT_ONCE):
            rows = slice(start, start + _AT_ONCE)
            halves[rows, : factors.shape[1]] = factors[rows] * np.float32(self.scale)
            halves[rows, factors.shape[1] :] = 0

    def make_room(self) -> None:
        """Choose the scale for factors about as long as these, or up to 4,000 times as long."""
        if self.stored.dtype == np.uint16:
            self.scale = power_of_two(float(np.max(self.squares, initial=0.0)))

    @property
    def _numbers(self) -> NDArray[np.float32] | NDArray[np.float16]:
        return self.stored.view(np.float16) if self.stored.dtype == np.uint16 else self.stored.view(np.float32)

    def factors(self, k: int) -> Float32s:
        """Give the factors of `k` columns in single precision."""
        return self._numbers[:, :k].astype(np.float32) / np.float32(self.scale)


def squares_of(factors: Float32s) -> Float64s:
    """Give each row's squared length."""
    return np.asarray(np.einsum("rk,rk->r", factors, factors), dtype=np.float64)


def power_of_two(square: float) -> float:
    """Give the power of two that brings rows whose squared length is at most `square` to about 16."""
    if not 0 < square < np.inf:
        return 1.0
    return float(2.0 ** np.clip(np.floor(np.log2(_LARGEST_HALF / np.sqrt(square))), -60, 60))
