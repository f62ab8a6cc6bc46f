"""Who may watch a training: somebody who waits for it, and a judge who ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from recsys import ranking
from recsys.als.inputs import canonical
from recsys.als.model import ALSModel

_SCORE_AT = 100
_SCORE_FOLD_IN = 0.8


def score(model: ALSModel, user_items: ArrayLike | sp.csr_matrix, seed: int) -> float:
    """Give the mean ndcg_at_100 of users the model need not know; NaN where nobody has two items.

    Parameters
    ----------
    model
        The model.
    user_items
        Histories, shape (users, items). 80% of each is folded in, the rest is to be found.
    seed
        Draws the 80%.
    """
    matrix = canonical(user_items, model.n_items)
    known, target = ranking.hold_out_part(matrix, _SCORE_FOLD_IN, np.random.default_rng(seed))
    ids, _ = model.recommend(np.arange(matrix.shape[0]), known, N=_SCORE_AT, recalculate_user=True)
    each = ranking.ndcg(ranking.hits(ids, target), np.diff(target.indptr), _SCORE_AT)
    return float(np.nanmean(each)) if np.isfinite(each).any() else float("nan")


class StopEarly:
    """Ends a training once it serves held-out users no better: a callback for :meth:`recsys.als.ALS.fit`.

    Parameters
    ----------
    user_items
        Histories of users who are not trained on, shape (users, items).
    patience
        Sweeps in a row without a better score, after which training ends.
    seed
        Draws which part of each history is to be found.

    Raises
    ------
    ValueError
        If nobody has two items, or `patience` is below 1.

    Attributes
    ----------
    scores
        Mean ndcg_at_100 after each sweep.
    """

    def __init__(self, user_items: ArrayLike | sp.csr_matrix, *, patience: int = 2, seed: int = 0) -> None:
        if patience < 1:
            raise ValueError(f"patience is {patience}; give 1 or more sweeps")
        self.scores: list[float] = []
        self._user_items, self._patience, self._seed = canonical(user_items), patience, seed
        if not (np.diff(self._user_items.indptr) > 1).any():
            raise ValueError("none of the held-out users has two items: of one, nothing is left to be found")

    def __call__(self, _sweep: int, _loss: float, model: ALSModel) -> bool:
        """Score the model, and say whether to stop."""
        self.scores.append(score(model, self._user_items, self._seed))
        return len(self.scores) - self.best_sweep >= self._patience

    @property
    def best_sweep(self) -> int:
        """The sweep with the best score, counted from 1; the first of several."""
        return int(np.argmax(self.scores)) + 1


@contextmanager
def shown(total: int, *, asked: bool) -> Iterator[Callable[[int, float], None]]:
    """Show a bar with the loss after each of `total` sweeps, if `asked`; give what to call after a sweep."""
    columns = TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[loss]}")
    with Progress(*columns, TimeRemainingColumn(), disable=not asked) as progress:
        task = progress.add_task("", total=total, loss="")
        yield lambda sweep, loss: progress.update(task, completed=sweep, loss=f"loss {loss:.6g}")
