r"""How fast a sweep could be on this machine, from what the machine is measured to do on the spot.

A sweep is two half-steps, users from items and items from users. In the scheme of :mod:`recsys.als` a half-step that
solves m rows from n fixed rows over p stored pairs, k factors, cannot do without

* *gather*: reading, for each stored pair in its stored order, the fixed row that it names, in half precision: 2k bytes.
  Measured: these very rows are copied in that very order (of more than 4M pairs, slices spread over all).
* *sparse arithmetic*: a residual and two conjugate gradient steps, each a dot product and an update of k numbers per
  pair: ``12 p k`` operations.
* *dense arithmetic*: the Gram matrix of the fixed rows (symmetric: ``n k^2`` operations), their rotation into its
  eigenbasis (``2 n k^2``) and one factorization of a k x k matrix (``2/3 k^3``).
* *streams*: reading the pairs (8 bytes each) and writing the solved rows (``4 m k`` bytes).

Arithmetic runs at most as fast as ``sgemm`` on large square matrices, streams at most as fast as a large copy.
Gathering and sparse arithmetic can overlap completely, the rest can not, so

.. math:: floor = \sum_{halves} \max(gather, sparse / sgemm) + dense / sgemm + streams / copy

It is a floor of this scheme, not of the problem: another order of rows or pairs could gather from nearer caches.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

_SQUARE = 2048
_COPY_BYTES = 1 << 28
_TRIES = 3
_ROWS_AT_ONCE = 1024  # gathered into a buffer that stays in a core's own cache
_GATHERED = 1 << 22  # pairs that are gathered at most; the rest is counted as taking as long
_BYTES_PER_PAIR = 8


@dataclass(frozen=True)
class Speed:
    """What a machine does with the given threads.

    Attributes
    ----------
    sgemm
        Single precision operations per second in a product of large matrices.
    copy
        Bytes per second that a large copy reads; it writes as many.
    """

    sgemm: float
    copy: float

    @classmethod
    def measured(cls, threads: int) -> Speed:
        """Measure this machine; takes about a second."""
        return cls(2 * _SQUARE**3 / _sgemm_seconds(threads), _COPY_BYTES / _copy_seconds(threads))

    def or_better(self, other: Speed) -> Speed:
        """Take the better of two measurements: whatever else runs can only make a machine look slower."""
        return Speed(max(self.sgemm, other.sgemm), max(self.copy, other.copy))


def sweep_floor(
    user_items: sp.csr_matrix, item_users: sp.csr_matrix, factors: int, speed: Speed, threads: int
) -> float:
    """Compute the seconds that a full sweep takes at least; the module says how.

    Parameters
    ----------
    user_items, item_users
        The matrix and its transpose, whose order of pairs is the order of gathering.
    factors
        Numbers per row.
    speed
        What the machine does.
    threads
        Threads to gather with.
    """
    return sum(_half_floor(matrix, factors, speed, threads) for matrix in (user_items, item_users))


def _half_floor(matrix: sp.csr_matrix, k: int, speed: Speed, threads: int) -> float:
    m, n = matrix.shape
    sparse = 12 * matrix.nnz * k / speed.sgemm
    dense = (3 * n * k**2 + 2 * k**3 / 3) / speed.sgemm
    streams = (_BYTES_PER_PAIR * matrix.nnz + 4 * m * k) / speed.copy
    return max(gather_seconds(matrix.indices, n, k, threads), sparse) + dense + streams


def gather_seconds(indices: NDArray[np.integer], n_rows: int, factors: int, threads: int) -> float:
    """Measure how long it takes to copy, for each index, that row of `factors` half-precision numbers."""
    rows = np.ones((n_rows, factors), dtype=np.float16)
    slices = [indices[start : start + _ROWS_AT_ONCE] for start in range(0, len(indices), _ROWS_AT_ONCE)]
    chosen = [part.astype(np.intp) for part in slices[:: max(1, len(indices) // _GATHERED)]]
    buffers = [np.empty((_ROWS_AT_ONCE, factors), dtype=np.float16) for _ in range(threads)]

    def gather(thread: int) -> None:
        for part in chosen[thread::threads]:
            np.take(rows, part, axis=0, out=buffers[thread][: len(part)], mode="clip")

    return _best(gather, threads) * len(indices) / sum(len(part) for part in chosen)


def _copy_seconds(threads: int) -> float:
    source = np.ones(_COPY_BYTES, dtype=np.uint8)
    target = np.zeros_like(source)
    parts = list(zip(np.array_split(target, threads), np.array_split(source, threads), strict=True))
    return _best(lambda thread: np.copyto(*parts[thread]), threads)


def _sgemm_seconds(threads: int) -> float:
    square = np.ones((_SQUARE, _SQUARE), dtype=np.float32)
    product = np.empty_like(square)

    def multiply(_thread: int) -> None:
        np.matmul(square, square, out=product)

    with threadpool_limits(threads, "blas"):
        return _best(multiply, 1)


def _best(job: Callable[[int], None], threads: int) -> float:
    """Run a job on all threads, several times; give the seconds of the fastest."""
    seconds = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(_TRIES + 1):  # the first warms up
            begun = time.perf_counter()
            list(pool.map(job, range(threads)))
            seconds.append(time.perf_counter() - begun)
    return min(seconds)
