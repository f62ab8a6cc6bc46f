"""The half-step as Python sees it: fixed factors are prepared once, then any rows are solved against them.

Training and fold-in are the same call. `kernel/solve.h` holds the mathematics of a row, `reference.py` its twin.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recsys.als import _kernel
from recsys.als.basis import Basis, one_blas_thread
from recsys.als.inputs import Side
from recsys.als.objective import Float32s, Float64s, Objective, penalty
from recsys.errors import SolveFailedError

LEVEL_VARIABLE = "RECSYS_KERNEL_LEVEL"
_LARGEST_HALF = 16.0
_PLAIN_WEIGHT = 1e-3
_MANY_MORE = 2  # times as many short rows as fixed rows make it worth preparing the latter for them


@dataclass(frozen=True)
class Machine:
    """What the kernel runs on: threads, and the instruction set."""

    threads: int
    level: str

    @classmethod
    def choose(cls, num_threads: int = 0) -> Machine:
        """Take this many threads (0: all processors that are allowed) and the best instruction set.

        The environment variable ``RECSYS_KERNEL_LEVEL`` forces one of ``_kernel.levels()``.
        """
        threads = num_threads or len(os.sched_getaffinity(0))
        return cls(threads=threads, level=os.environ.get(LEVEL_VARIABLE) or _kernel.levels()[0])

    def gram(self, factors: Float32s) -> Float64s:
        """Multiply ``factors' factors``: products in single, sums in double precision."""
        out = np.zeros((factors.shape[1],) * 2)
        _kernel.gram(factors, out, self.level, self.threads)
        return out


@dataclass(frozen=True)
class Effort:
    """How hard a row is solved: conjugate gradient steps at most, and the relative residual that is good enough."""

    steps: int
    tolerance: float


@dataclass(frozen=True)
class Fixed:
    """Fixed factors in a :class:`~recsys.als.basis.Basis`: a row's matrix is a diagonal plus the row's own pairs.

    `given` are the factors as they came, `factors` are ``given rotate``, which the kernel reads. In half precision they
    are scaled by a power of two into its range, and solutions by its inverse; scores stay what they are. A row's lambda
    is added to `dense` after it was multiplied by `ridge_scale`.
    """

    given: Float32s
    factors: NDArray[np.float32] | NDArray[np.uint16]
    rotate: Float32s
    gram: Float64s
    into: Float32s
    back: Float32s
    dense: Float32s
    ridge_scale: float
    objective: Objective
    machine: Machine = field(repr=False)

    @classmethod
    def prepare(cls, factors: Float32s, objective: Objective, machine: Machine, *, half: bool) -> Fixed:
        """Rotate `factors`, shape (columns, factors), and store them in half or single precision."""
        gram = machine.gram(factors)
        basis = Basis.choose(gram, objective, training=half)
        scale = _scale(factors, basis, objective) if half else 1.0
        k = factors.shape[1]
        stride = _kernel.padded(k)
        rotated = np.empty((len(factors), stride), dtype=np.uint16 if half else np.float32)
        rotate = _single(basis.rotate * scale)
        _kernel.rotate(factors, rotate, rotated, machine.level, machine.threads)
        dense = np.zeros(stride, dtype=np.float32)
        dense[:k] = basis.dense * scale**2
        into, back = _single(basis.into / scale), _single(basis.back * scale)
        ridge_scale = 0.0 if basis.ridged else scale**2
        return cls(factors, rotated, rotate, gram, into, back, dense, ridge_scale, objective, machine)

    def penalty(self, ridge: Float32s) -> float:
        """Sum ``ridge_r |y_r|^2`` over the fixed rows as they came."""
        return float(ridge[0]) * float(np.trace(self.gram)) if len(ridge) == 1 else penalty(ridge, self.given)

    def solve(
        self, side: Side, solution: Float32s, effort: Effort, lead: Float32s | None = None, momentum: float = 0.0
    ) -> float:
        """Solve the rows of `side`, in place.

        Parameters
        ----------
        side
            The rows' pairs.
        solution
            Warm start in, factors out, shape (rows, factors).
        effort
            When a row is solved well enough.
        lead, momentum
            Where given, `lead` receives ``solution + momentum * (solution - warm start)``.

        Returns
        -------
        The rows' part of the loss: the sum of ``x'Ax - 2 r'x``.

        Raises
        ------
        SolveFailedError
            If a row has no finite solution.
        """
        reached = np.empty(len(solution))
        dual_limit = _dual_limit(solution.shape[1])
        _kernel.solve(
            indptr=side.indptr,
            indices=side.indices,
            values=side.values,
            order=side.order,
            alpha=self.objective.alpha,
            replaces=self.objective.replaces,
            fixed=self.factors,
            direct=self._direct(side, dual_limit) if effort.tolerance == 0 else None,
            into=self.into,
            back=self.back,
            dense=self.dense,
            ridge=side.ridge * np.float32(self.ridge_scale),
            steps=effort.steps,
            tolerance=effort.tolerance,
            dual_limit=dual_limit,
            solution=solution,
            extrapolated=lead,
            momentum=momentum,
            objective=reached,
            level=self.machine.level,
            threads=self.machine.threads,
        )
        if not np.isfinite(reached).all():
            raise SolveFailedError(side.name, int(np.argmin(np.isfinite(reached))))
        return float(np.sum(reached))

    def _direct(self, side: Side, dual_limit: int) -> Float32s | None:
        """Multiply the fixed factors by the inverse of the dense part, if that is less work than to bring rows back."""
        few_pairs = int(np.count_nonzero(np.diff(side.indptr) <= dual_limit))
        if len(side.ridge) > 1 or few_pairs < _MANY_MORE * len(self.factors):
            return None
        k = self.given.shape[1]
        dense = self.dense[:k] + side.ridge * np.float32(self.ridge_scale)
        inverse = np.divide(1, dense, out=np.zeros_like(dense), where=dense > 0)
        with one_blas_thread():
            both = np.ascontiguousarray((self.rotate * inverse) @ self.back)
        out = np.empty(self.factors.shape, dtype=np.float32)
        _kernel.rotate(self.given, both, out, self.machine.level, self.machine.threads)
        return out


def _dual_limit(factors: int) -> int:
    """Give the longest row for which an n x n system costs less than two steps and a rotated warm start (counted)."""
    return int(7 + 1.3 * np.sqrt(factors))


def _single(matrix: Float64s) -> Float32s:
    return np.ascontiguousarray(matrix, dtype=np.float32)


def _scale(factors: Float32s, basis: Basis, objective: Objective) -> float:
    """Give the power of two that brings the longest fixed factors, as they are in `basis`, to about 16."""
    if basis.ridged and objective.w0 >= _PLAIN_WEIGHT:
        longest = 1 / np.sqrt(objective.w0)  # |z|^2 = y'(w0 Y'Y + lambda I)^-1 y, and Y'Y holds y y'
    else:
        longest = float(np.sqrt(np.max(np.einsum("rk,rk->r", factors, factors), initial=0.0)))
        longest /= np.sqrt(objective.regularization) if basis.ridged else 1
    if not 0 < longest < np.inf:
        return 1.0
    return float(2.0 ** np.clip(np.floor(np.log2(_LARGEST_HALF / longest)), -60, 60))
