# The compiled kernel. Arrays are C-contiguous; the interpreter lock is released while it works.

import numpy as np
from numpy.typing import NDArray

def levels() -> list[str]: ...
def padded(factors: int) -> int: ...
def gram(
    factors: NDArray[np.float32] | NDArray[np.uint16], out: NDArray[np.float64], level: str, threads: int
) -> None: ...
def rotate(
    factors: NDArray[np.float32] | NDArray[np.uint16],
    into: NDArray[np.float32],
    out: NDArray[np.float32] | NDArray[np.uint16] | None,
    turned: NDArray[np.float32] | None,
    unit: float,
    level: str,
    threads: int,
) -> None: ...
def solve(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    values: NDArray[np.float32],
    order: NDArray[np.int64],
    alpha: float,
    replaces: bool,
    fixed: NDArray[np.float32] | NDArray[np.uint16],
    direct: NDArray[np.float32] | None,
    into: NDArray[np.float32],
    back: NDArray[np.float32] | None,
    unit: float,
    dense: NDArray[np.float32],
    ridge: NDArray[np.float32],
    steps: int,
    tolerance: float,
    dual_limit: int,
    solution: NDArray[np.float32],
    extrapolated: NDArray[np.float32] | NDArray[np.uint16] | None,
    scale: float,
    momentum: float,
    objective: NDArray[np.float64],
    squares: NDArray[np.float64],
    level: str,
    threads: int,
) -> None: ...
def panel(level: str) -> int: ...
def pack_items(factors: NDArray[np.float32], ids: NDArray[np.int32], out: NDArray[np.float32], level: str) -> None: ...
def best(
    queries: NDArray[np.float32],
    panels: NDArray[np.float32],
    longest: NDArray[np.float32],
    ids: NDArray[np.int32],
    seen_indptr: NDArray[np.int64] | None,
    seen_indices: NDArray[np.int32] | None,
    best_ids: NDArray[np.int32],
    best_scores: NDArray[np.float32],
    level: str,
    threads: int,
) -> None: ...
