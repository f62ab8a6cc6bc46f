"""The half-step as Python sees it: fixed factors are prepared once, then any rows are solved against them.

Training and fold-in are the same call. `kernel/solve.h` holds the mathematics of a row, `reference.py` its twin.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np

from recsys.als import _kernel
from recsys.als.basis import Basis
from recsys.als.inputs import Side
from recsys.als.lead import Lead, Stored, power_of_two, squares_of
from recsys.als.objective import Float32s, Float64s, Objective
from recsys.errors import SolveFailedError

LEVEL_VARIABLE = "RECSYS_KERNEL_LEVEL"
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

    def gram(self, factors: Stored, k: int = 0) -> Float64s:
        """Multiply ``factors' factors``: products in single, sums in double precision.

        Of rows that are padded, `k` says how many columns there are.
        """
        out = np.zeros((k or factors.shape[1],) * 2)
        _kernel.gram(factors, out, self.level, self.threads)
        return out


@dataclass(frozen=True)
class Effort:
    """How hard a row is solved: conjugate gradient steps at most, and the relative residual that is good enough."""

    steps: int
    tolerance: float


@dataclass(frozen=True)
class Solved:
    """What a half-step came to: the sum of ``x'Ax - 2 r'x`` over its rows, and each row's squared length."""

    reached: float
    squares: Float64s


@dataclass(frozen=True)
class Fixed:
    """Fixed factors in a :class:`~recsys.als.basis.Basis`: a row's matrix is a diagonal plus the row's own pairs.

    `factors` are the rotated factors, which the kernel reads; `squares` are the squared lengths of the rows as they
    came. In half precision factors are scaled by a power of two into its range, and solutions by its inverse; scores
    stay what they are. A row's lambda is added to `dense` after it was multiplied by `ridge_scale`.
    """

    factors: Stored
    squares: Float64s
    into: Float32s
    back: Float32s
    dense: Float32s
    ridge_scale: float
    objective: Objective
    machine: Machine = field(repr=False)

    @classmethod
    def prepare(
        cls,
        factors: Float32s,
        objective: Objective,
        machine: Machine,
        *,
        half: bool,
        squares: Float64s | None = None,
    ) -> Fixed:
        """Rotate `factors`, shape (columns, factors), and store them in half or single precision.

        The rows' squared lengths may be given, if they are known.
        """
        out = np.empty((len(factors), _kernel.padded(factors.shape[1])), dtype=np.uint16 if half else np.float32)
        given = Lead(factors, squares_of(factors) if squares is None else squares, 1.0)
        return cls._rotated(given, factors.shape[1], out, objective, machine)

    @classmethod
    def consume(cls, lead: Lead, k: int, objective: Objective, machine: Machine) -> Fixed:
        """Rotate factors of `k` columns where they are; what `lead` stores is gone then."""
        return cls._rotated(lead, k, lead.stored, objective, machine)

    @classmethod
    def _rotated(cls, given: Lead, k: int, out: Stored, objective: Objective, machine: Machine) -> Fixed:
        half = out.dtype == np.uint16
        basis = Basis.choose(machine.gram(given.stored, k) / given.scale**2, objective, training=half)
        scale = _scale(given.squares, basis, objective) if half else 1.0
        _kernel.rotate(given.stored, _single(basis.rotate * (scale / given.scale)), out, machine.level, machine.threads)
        dense = np.zeros(out.shape[1], dtype=np.float32)
        dense[:k] = basis.dense * scale**2
        into, back = _single(basis.into / scale), _single(basis.back * scale)
        ridge_scale = 0.0 if basis.ridged else scale**2
        return cls(out, given.squares, into, back, dense, ridge_scale, objective, machine)

    def penalty(self, ridge: Float32s) -> float:
        """Sum ``ridge_r |y_r|^2`` over the fixed rows as they came."""
        return float(np.sum(ridge.astype(np.float64) * self.squares))

    def solve(
        self, side: Side, solution: Float32s, effort: Effort, lead: Lead | None = None, momentum: float = 0.0
    ) -> Solved:
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
        The rows' part of the loss, and the squared lengths of the solutions, or of what `lead` received.

        Raises
        ------
        SolveFailedError
            If a row has no finite solution.
        """
        reached, squares = np.empty(len(solution)), np.empty(len(solution))
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
            extrapolated=lead.stored if lead else None,
            scale=lead.scale if lead else 1.0,
            momentum=momentum,
            objective=reached,
            squares=squares,
            level=self.machine.level,
            threads=self.machine.threads,
        )
        if not np.isfinite(reached).all():
            raise SolveFailedError(side.name, int(np.argmin(np.isfinite(reached))))
        return Solved(float(np.sum(reached)), squares)

    def _direct(self, side: Side, dual_limit: int) -> Float32s | None:
        """Multiply the fixed factors by the inverse of the dense part, if that is less work than to bring rows back."""
        few_pairs = int(np.count_nonzero(np.diff(side.indptr) <= dual_limit))
        if len(side.ridge) > 1 or few_pairs < _MANY_MORE * len(self.factors):
            return None
        k = len(self.back)
        dense = self.dense[:k] + side.ridge * np.float32(self.ridge_scale)
        inverse = np.divide(1, dense, out=np.zeros_like(dense), where=dense > 0)
        out = np.empty(self.factors.shape, dtype=np.float32)
        _kernel.rotate(self.factors, inverse[:, None] * self.back, out, self.machine.level, self.machine.threads)
        return out


def _dual_limit(factors: int) -> int:
    """Give the longest row for which an n x n system costs less than two steps and a rotated warm start (counted)."""
    return int(7 + 1.3 * np.sqrt(factors))


def _single(matrix: Float64s) -> Float32s:
    return np.ascontiguousarray(matrix, dtype=np.float32)


def _scale(squares: Float64s, basis: Basis, objective: Objective) -> float:
    """Give the power of two that brings the longest fixed factors, as they are in `basis`, into half precision."""
    if basis.ridged and objective.w0 >= _PLAIN_WEIGHT:
        return power_of_two(1 / objective.w0)  # |z|^2 = y'(w0 Y'Y + lambda I)^-1 y, and Y'Y holds y y'
    longest = float(np.max(squares, initial=0.0))
    return power_of_two(longest / objective.regularization if basis.ridged else longest)
