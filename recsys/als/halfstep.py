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
from recsys.als.objective import Float32s, Float64s, Floats, Objective
from recsys.errors import SolveFailedError

LEVEL_VARIABLE = "RECSYS_KERNEL_LEVEL"
_PLAIN_WEIGHT = 1e-3
_TINY = 4  # pairs: such a row is solved exactly with less work than a step; longer ones where they are brought back
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

    def turn(self, factors: Float32s, by: Float64s) -> None:
        """Multiply `factors`, shape (rows, factors), by a matrix, in place."""
        _kernel.rotate(factors, _single(by), None, factors, 1.0, self.level, self.threads)


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
    came. In half precision factors are scaled by a power of two into its range, `scale`, and solutions by its inverse;
    scores stay what they are.
    """

    factors: Stored
    squares: Float64s
    scale: float
    basis: Basis
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
        turn: bool = False,
    ) -> Fixed:
        """Rotate `factors`, shape (columns, factors), and store them in half or single precision.

        The rows' squared lengths may be given, if they are known. With `turn`, `factors` themselves are rotated, too,
        where the basis keeps their lengths.
        """
        out = np.empty((len(factors), _kernel.padded(factors.shape[1])), dtype=np.uint16 if half else np.float32)
        given = Lead(factors, squares_of(factors) if squares is None else squares, 1.0)
        return cls._rotated(given, out, objective, machine, k=factors.shape[1], turned=factors if turn else None)

    @classmethod
    def consume(cls, lead: Lead, k: int, objective: Objective, machine: Machine) -> Fixed:
        """Rotate factors of `k` columns where they are; what `lead` stores is gone then."""
        return cls._rotated(lead, lead.stored, objective, machine, k=k)

    @classmethod
    def _rotated(
        cls, given: Lead, out: Stored, objective: Objective, machine: Machine, *, k: int, turned: Float32s | None = None
    ) -> Fixed:
        half = out.dtype == np.uint16
        gram = machine.gram(given.stored, k)
        gram /= given.scale**2
        basis = Basis.choose(gram, objective, training=half)
        del gram
        scale = _scale(given.squares, basis, objective) if half else 1.0
        by = _single(basis.rotate * (scale / given.scale))
        turned = None if basis.turn is None else turned
        _kernel.rotate(given.stored, by, out, turned, 1 / scale, machine.level, machine.threads)
        return cls(out, given.squares, scale, basis, objective, machine)

    def penalty(self, ridge: Float32s) -> float:
        """Sum ``ridge_r |y_r|^2`` over the fixed rows as they came."""
        return float(np.sum(ridge.astype(np.float64) * self.squares))

    def solve(
        self,
        side: Side,
        solution: Float32s,
        effort: Effort,
        lead: Lead | None = None,
        momentum: float = 0.0,
        *,
        turn: Float64s | None = None,
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
        turn
            What turns the rows' coordinates into those of the basis, shape (factors, factors). Where given, solutions
            stay in the basis; else they come in the coordinates that the fixed factors had, and go back there.

        Returns
        -------
        The rows' part of the loss, and the squared lengths of the solutions, or of what `lead` received.

        Raises
        ------
        SolveFailedError
            If a row has no finite solution.
        """
        reached, squares = np.empty(len(solution)), np.empty(len(solution))
        n, k = len(self.factors), solution.shape[1]
        dense = np.zeros(self.factors.shape[1], dtype=np.float32)
        dense[:k] = self.basis.dense * self.scale**2
        _kernel.solve(
            indptr=side.indptr,
            indices=side.indices,
            values=side.values,
            order=side.order,
            alpha=self.objective.alpha,
            replaces=self.objective.replaces,
            fixed=self.factors,
            direct=self._direct(side) if turn is None and effort.tolerance == 0 and goes_direct(side, k, n) else None,
            into=_single(self.basis.into if turn is None else turn),
            back=_single(self.basis.back) if turn is None else None,
            unit=self.scale,
            dense=dense,
            ridge=self._ridge(side),
            steps=effort.steps,
            tolerance=effort.tolerance,
            dual_limit=_dual_limit(k) if turn is None else _TINY,
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

    def _direct(self, side: Side) -> Float32s:
        """Multiply the fixed factors by the inverse of the dense part, and bring them back."""
        dense = (self.basis.dense * self.scale**2).astype(np.float32) + self._ridge(side)
        inverse = np.divide(1, dense, out=np.zeros_like(dense), where=dense > 0)
        out = np.empty(self.factors.shape, dtype=np.float32)
        by = (inverse * np.float32(self.scale))[:, None] * _single(self.basis.back)
        _kernel.rotate(self.factors, by, out, None, 1.0, self.machine.level, self.machine.threads)
        return out

    def _ridge(self, side: Side) -> Float32s:
        """Give what each row adds to the dense part."""
        return side.ridge * np.float32(0 if self.basis.ridged else self.scale**2)


def goes_direct(side: Side, factors: int, n_fixed: int) -> bool:
    """Say whether it is less work to prepare the fixed rows for short rows than to bring the latter back one by one."""
    short = int(np.count_nonzero(np.diff(side.indptr) <= _dual_limit(factors)))
    return len(side.ridge) == 1 and short >= _MANY_MORE * n_fixed


def _dual_limit(factors: int) -> int:
    """Give the longest row for which an n x n system costs less than two steps and a rotated warm start (counted)."""
    return int(7 + 1.3 * np.sqrt(factors))


def _single(matrix: Floats) -> Float32s:
    return np.ascontiguousarray(matrix, dtype=np.float32)


def _scale(squares: Float64s, basis: Basis, objective: Objective) -> float:
    """Give the power of two that brings the longest fixed factors, as they are in `basis`, into half precision."""
    if basis.ridged and objective.w0 >= _PLAIN_WEIGHT:
        return power_of_two(1 / objective.w0)  # |z|^2 = y'(w0 Y'Y + lambda I)^-1 y, and Y'Y holds y y'
    longest = float(np.max(squares, initial=0.0))
    return power_of_two(longest / objective.regularization if basis.ridged else longest)
