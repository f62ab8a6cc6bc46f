"""Our factors in a model of ``implicit``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from recsys.als.objective import Float32s, Objective

if TYPE_CHECKING:
    from implicit.cpu.als import AlternatingLeastSquares


def implicit_model(users: Float32s, items: Float32s, objective: Objective, num_threads: int) -> AlternatingLeastSquares:
    """Give a model of ``implicit`` with these factors, which it may change."""
    from implicit.cpu.als import AlternatingLeastSquares  # noqa: PLC0415 - needed by those who ask for it only

    with threadpool_limits(1, "blas"):  # else its constructor warns, whatever is done with it
        theirs = AlternatingLeastSquares(
            factors=items.shape[1],
            regularization=objective.regularization,
            alpha=objective.alpha,
            num_threads=num_threads,
        )
    theirs.user_factors, theirs.item_factors = users.copy(), items.copy()
    return theirs
