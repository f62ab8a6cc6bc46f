"""How well listeners are served, smooth enough to be differentiated: NDCG whose ranks count softly.

A target's rank is one plus the number of artists above it. Where "above" is a logistic function of the difference of
scores, instead of a step, rank and NDCG have derivatives (ApproxNDCG: Qin, Liu and Li, "A general approximation
framework for direct optimization of information retrieval measures", Information Retrieval 2010)::

    r_j = 1 + sum over i of 1 / (1 + exp((s_j - s_i) / tau)),    U = sum over targets j of 1 / log2(1 + r_j) / ideal

with i over all artists that the listener was not folded in with. The step makes one member's absence invisible in most
lists and a lottery in a few; the soft rank measures how far each list moves.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]

TEMPERATURE = 1.0
"""tau, in standard deviations of a listener's scores: so soft that two halves of the listeners tell members apart alike
(``recsys bench valuation``); the sharper, the more a value says about who tested."""


def soft_ndcg(
    scores: Floats, fold_in: sp.csr_matrix, target: sp.csr_matrix, temperature: float = TEMPERATURE
) -> tuple[Floats, Floats]:
    """Measure each listener's lists, and how the measure moves with each score.

    Parameters
    ----------
    scores
        Row t has the scores of listener t, shape (listeners, artists).
    fold_in, target
        What the listener was folded in with, and what is to be found; shape of `scores`.
    temperature
        Softness of the ranks.

    Returns
    -------
    utility, gradient
        Shape (listeners,), zero without targets; and its derivatives by `scores`, same shape as those, tau held fixed.
    """
    utility, gradient = np.zeros(len(scores)), np.zeros_like(scores)
    for t, row in enumerate(scores):
        known, wanted = _row(fold_in, t), _row(target, t)
        if len(wanted):
            utility[t], gradient[t] = _of_listener(row, known, wanted, temperature)
    return utility, gradient


def _of_listener(
    scores: Floats, known: NDArray[np.integer], wanted: NDArray[np.integer], temperature: float
) -> tuple[float, Floats]:
    tau = temperature * max(float(scores.std()), 1e-12)
    above = expit((scores[None, :] - scores[wanted, None]) / tau)
    above[:, known] = 0
    above[np.arange(len(wanted)), wanted] = 0
    rank = 1 + above.sum(axis=1)
    ideal = np.sum(1 / np.log2(np.arange(2, len(wanted) + 2)))
    slope = -np.log(2) / ((1 + rank) * np.log1p(rank) ** 2) / ideal / tau
    pushes = slope[:, None] * above * (1 - above)
    gradient = pushes.sum(axis=0)
    gradient[wanted] -= pushes.sum(axis=1)
    return float(np.sum(1 / np.log2(1 + rank)) / ideal), gradient


def _row(matrix: sp.csr_matrix, row: int) -> NDArray[np.integer]:
    return np.asarray(matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]])
