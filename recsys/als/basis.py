"""Coordinates in which the dense part of every row's system, ``w0 Y'Y + lambda I``, is a diagonal matrix.

The *eigenbasis* ``Y'Y = Q diag(g) Q'`` does so whatever each row's lambda is. Where lambda is the same for all rows,
*whitening* does so too: with ``w0 Y'Y + lambda I = L L'`` and ``z = L^-1 y`` the dense part is the identity, and a
Cholesky factor costs a tenth of an eigendecomposition. Whitening stretches rounding errors along weak directions, so
it serves training with many factors, where the decomposition is what a sweep waits for, and not exact fold-in.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpotrf, dtrtri
from threadpoolctl import ThreadpoolController

from recsys.als.objective import Float64s, Floats, Objective
from recsys.errors import ModelInvalidError

_MANY_FACTORS = 512
_BLAS = ThreadpoolController()


def one_blas_thread() -> AbstractContextManager[object]:
    """Keep BLAS to one thread for a while: bits must not depend on the number of threads."""
    limited: AbstractContextManager[object] = _BLAS.limit(limits=1, user_api="blas")
    return limited


@dataclass(frozen=True)
class Basis:
    """Factors y of fixed rows become ``y rotate``; solutions go ``x into`` it and ``back``; scores stay what they are.

    `dense` is the diagonal, shape (factors,); `ridged` says that it holds lambda already. `turn` is `rotate` where that
    only turns the coordinates and keeps lengths: there, the loss does not ask whether factors were brought back.
    """

    rotate: Floats
    into: Floats
    back: Floats
    dense: Float64s
    ridged: bool
    turn: Float64s | None

    @classmethod
    def choose(cls, gram: Float64s, objective: Objective, *, training: bool) -> Basis:
        """Choose the cheapest basis that is good enough, on one BLAS thread; what `gram` holds is gone then.

        Raises
        ------
        ModelInvalidError
            If `gram` is not finite, or too close to singular for its lambda.
        """
        if not np.isfinite(gram).all():
            raise ModelInvalidError("factors have grown beyond what float32 can hold; raise `regularization`")
        with one_blas_thread():
            if training and objective.nu == 0 and objective.regularization > 0 and len(gram) >= _MANY_FACTORS:
                gram *= objective.w0
                gram.flat[:: len(gram) + 1] += objective.regularization
                return _whitening(gram)
            return _eigenbasis(gram, objective.w0)


def _eigenbasis(gram: Float64s, w0: float) -> Basis:
    squares, Q = np.linalg.eigh(gram)
    return Basis(Q, Q, Q.T, w0 * np.maximum(squares, 0), ridged=False, turn=Q)


def _whitening(matrix: Float64s) -> Basis:
    """Factorize and invert `matrix` in its own memory: with many factors it is as large as many rows of factors."""
    factor, failed = dpotrf(matrix.T, lower=1, clean=1, overwrite_a=1)  # L, in Fortran's order
    if failed:
        raise ModelInvalidError(f"minor {failed} of w0 Y'Y + lambda I is not positive; raise `regularization`")
    L = np.ascontiguousarray(factor, dtype=np.float32)
    inverse = np.ascontiguousarray(dtrtri(factor, lower=1, overwrite_c=1)[0], dtype=np.float32)
    return Basis(inverse.T, L, inverse, np.ones(len(L)), ridged=True, turn=None)
