"""Where factors start: each item's numbers follow from the seed and the item's own key, and from nothing else.

Adding or removing people or items therefore never changes where any other item starts. The generator is splitmix64
(Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014) used as a hash of (seed, key, factor);
the four 16-bit quarters of each hash add up to a nearly normal number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.als.objective import Float32s

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_QUARTER = np.uint64(0xFFFF)
_MEAN = 4 * 0xFFFF / 2
_DEVIATION = 65536 / np.sqrt(3)  # of the sum of four uniform 16-bit numbers
_BLOCK = 1 << 16


def item_start(item_keys: NDArray[np.uint64], factors: int, seed: int, scale: float = 0.1) -> Float32s:
    """Draw start factors, about normal with mean 0 and deviation ``scale / sqrt(factors)``.

    Parameters
    ----------
    item_keys
        One stable key per item, shape (items,).
    factors, seed
        Factors per item, and the seed that decides them all.

    Returns
    -------
    Start factors, shape (items, factors).
    """
    out = np.empty((len(item_keys), factors), dtype=np.float32)
    columns = _mix(_mix(np.uint64(seed)) + np.arange(factors, dtype=np.uint64) * _GOLDEN)
    unit = np.float32(scale / np.sqrt(factors) / _DEVIATION)
    size = max(1, _BLOCK // factors)
    for first in range(0, len(item_keys), size):
        keys = _mix(item_keys[first : first + size])
        out[first : first + size] = (_quarters(_mix(keys[:, None] + columns)) - np.float32(_MEAN)) * unit
    return out


def _mix(x: NDArray[np.uint64] | np.uint64) -> NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        z = np.asarray(x + _GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return mixed


def _quarters(x: NDArray[np.uint64]) -> Float32s:
    total = x & _QUARTER
    for shift in (16, 32, 48):
        total = total + ((x >> np.uint64(shift)) & _QUARTER)
    return total.astype(np.float32)
