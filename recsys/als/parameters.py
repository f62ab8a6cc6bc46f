"""What hyper-parameters and start factors must be like; a refusal says what was found and what to do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp

from recsys.als.objective import KINDS, Float32s

_LEAST_WHOLE: dict[str, float] = {
    "factors": 1,
    "iterations": 1,
    "random_state": 0,
    "num_threads": 0,
    "cg_steps": 1,
    "warm_up": 0,
}
_LEAST_REAL = {
    "regularization": 0.0,
    "alpha": 0.0,
    "unobserved_weight": 0.0,
    "nu": 0.0,
    "tolerance": 0.0,
    "momentum": 0.0,
}


def check(told: Mapping[str, Any]) -> None:
    """Refuse hyper-parameters, given by name, that cannot be trained with.

    Raises
    ------
    ValueError
        Naming the first such parameter.
    """
    for name, least in _LEAST_WHOLE.items():
        _check_number(name, told[name], least, whole=True)
    for name, least in _LEAST_REAL.items():
        _check_number(name, told[name], least, whole=False)
    if told["alpha"] == 0:
        raise ValueError("alpha is 0; with it stored pairs have no weight: choose it above 0")
    if told["objective"] not in KINDS:
        raise ValueError(f"objective is {told['objective']!r}; expected one of {', '.join(map(repr, KINDS))}")


def _check_number(name: str, value: Any, least: float, *, whole: bool) -> None:  # noqa: ANN401 - checked here
    kinds = (int, np.integer) if whole else (int, float, np.integer, np.floating)
    fits = isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value) and value >= least
    if not fits:
        kind = "a whole number" if whole else "a finite number"
        raise ValueError(f"{name} is {value!r}; expected {kind} of at least {least}: set {name} to one")


def check_pairs(matrix: sp.csr_matrix) -> None:
    """Refuse a matrix from which nothing can be learned."""
    if matrix.nnz == 0:
        raise ValueError(f"user_items of shape {matrix.shape} stores no pair; pass at least one user with one item")


def start_factors(name: str, given: Any, shape: tuple[int, int], *, fresh: bool) -> Float32s:  # noqa: ANN401 - checked here
    """Bring start factors to float32 of this shape; copied unless `fresh` says that they are ours to change."""
    factors = np.asarray(given) if fresh else np.array(given, dtype=np.float32, order="C")
    if factors.shape != shape:
        raise ValueError(f"the start factors of the {name} have shape {factors.shape}; expected {shape}")
    if not np.isfinite(factors).all():
        raise ValueError(f"the start factors of the {name} hold NaN or infinity; pass finite numbers")
    return factors
