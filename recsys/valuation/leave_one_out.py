r"""What each member's listening adds to the lists of others, without training again for each: leave-one-out.

With the members' factors X fixed, an artist's factors solve ``A_i y_i = b_i``, and without member u they are, by the
formula of Sherman and Morrison,

.. math::

    y_i^{(-u)} = y_i + \frac{c\, s - b}{1 - c\, h}\, A_i^{-1} x_u, \qquad
    h = x_u' A_i^{-1} x_u, \quad s = x_u' y_i, \quad c = w_0 + q_{ui}, \quad b = b_{ui}

exactly, with ``q = b = 0`` where the pair is not stored. The value of u is ``U(all) - U(without u)`` on held-out
listeners. Two things are found once for all members, so that a member costs one k x k product for each artist: how U
(:mod:`recsys.valuation.utility`) moves with every artist's factors, the listeners' own factors moving along; and what
the sweeps of training that would follow make of such a move (:meth:`recsys.valuation.trained.Trained.answered`). With
no rounds of the latter the other members' factors stay where they are; measured, that is not what training again does.

Both are first orders, of moves that are tiny; the move itself is exact. What is not followed is the regularization
where it depends on counts (``nu > 0``).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from recsys.als import ALSModel
from recsys.valuation.listeners import Listeners
from recsys.valuation.trained import Trained
from recsys.valuation.utility import TEMPERATURE
from recsys.valuation.values import Floats, Values, groups_of

GROUPS = 4
ROUNDS = 30
_SWEEPS = 10
_LISTENERS_AT_ONCE = 128
_ARTISTS_AT_ONCE = 16

Progress = Callable[[int, int], None]


def leave_one_out(
    members: sp.csr_matrix,
    fold_in: sp.csr_matrix,
    target: sp.csr_matrix,
    model: ALSModel,
    *,
    groups: int = GROUPS,
    rounds: int = ROUNDS,
    temperature: float = TEMPERATURE,
    threads: int = 0,
    progress: Progress | None = None,
) -> Values:
    """Value every member whom a model was trained on.

    Parameters
    ----------
    members
        Row u is what the model was trained on of member u: weights, shape (members, artists).
    fold_in, target
        Listeners whom it was not trained on: what they are folded in with, and what is to be found.
    model
        The model; it is taken through some more sweeps first.
    groups
        Into how many parts the listeners are dealt; each gives a value, and their spread the error.
    rounds
        How many of the sweeps that would follow are taken into account.
    temperature
        As in :func:`recsys.valuation.utility.soft_ndcg`.
    threads
        0 takes all processors; any number gives the same bits.
    progress
        Called with artists done and all.

    Returns
    -------
    Values
        One for each row of `members`, in units of mean NDCG.
    """
    listeners = Listeners(fold_in, target, model.objective, temperature)
    workers = threads or len(os.sched_getaffinity(0))
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        trained = Trained.of(members, model, _SWEEPS, pool)
        pulls = _pulls(trained.artists.factors, listeners, groups, pool)
        answered = np.stack(list(pool.map(lambda pull: trained.answered(pull, rounds), pulls)))
        starts = range(0, model.n_items, _ARTISTS_AT_ONCE)
        blocks = [range(first, min(first + _ARTISTS_AT_ONCE, model.n_items)) for first in starts]
        total = np.zeros((len(pulls), members.shape[0]))
        for block, part in zip(blocks, pool.map(lambda block: trained.without(answered, block), blocks), strict=True):
            total += part
            if progress is not None:
                progress(block.stop, model.n_items)
    return Values(total)


def _pulls(Y: Floats, listeners: Listeners, groups: int, pool: ThreadPoolExecutor) -> Floats:
    """Differentiate the mean utility of each group of listeners by the artists' factors: (groups, artists, k)."""
    group = groups_of(listeners.fold_in.shape[0], groups)
    sizes = np.bincount(group)
    parts = []
    for number, size in enumerate(sizes):
        cuts = range(_LISTENERS_AT_ONCE, int(size), _LISTENERS_AT_ONCE)
        parts += [(number, rows) for rows in np.split(np.flatnonzero(group == number), cuts)]
    gram = Y.T @ Y
    out = np.zeros((len(sizes), *Y.shape))
    for (number, _), moved in zip(parts, pool.map(lambda part: listeners.pull(Y, gram, part[1]), parts), strict=True):
        out[number] += moved / sizes[number]
    return out
