"""Train and test as somebody else divided them, so that figures can stand beside theirs.

Such a division leaves out items of users who train; what that flatters, and why whole users are better held out, says
:func:`recsys.evaluation.leave_out`. Settings are chosen within the train part alone: a part of it validates, and the
model that is tested trains on all of it.
"""

from __future__ import annotations

import warnings

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys import ranking
from recsys.evaluation.split import Split, checked, frozen, held_out

_VALIDATION_SHARE = 0.1


def given(
    train: sp.csr_matrix,
    test: sp.csr_matrix,
    *,
    validation: sp.csr_matrix | None = None,
    negatives: sp.csr_matrix | None = None,
    seed: int = 0,
) -> Split:
    """Take a division of pairs as it is, and divide the train part once more.

    Parameters
    ----------
    train, test
        Row u is what user u trains with, and what is to be found, shape (users, items). A pair of both only trains.
    validation
        The pairs of `train` that validate, same shape; drawn unless given, a tenth of each user's.
    negatives
        What is ranked beside the test items of each user, same shape; all items unless given. As many are drawn for
        validation, of what the user does not have in `train`.
    seed
        Decides what is drawn.

    Returns
    -------
    Split
        Its ``train`` is `train` without what validates; the test users' ``fold_in`` is all they have in `train`.

    Warns
    -----
    UserWarning
        Always: the model was fitted to the very people that test it.

    Raises
    ------
    ValueError
        If nobody is left to validate or to test.
    """
    warnings.warn(
        "train and test files that share users test a model on people it was fitted to, and say little of new members; "
        "without a test file whole users are held out",
        UserWarning,
        stacklevel=2,
    )
    whole = checked(train)
    target = _without(checked(test), whole)
    draw, beside = (np.random.default_rng(one) for one in np.random.SeedSequence(seed).spawn(2))
    if validation is None:
        shown, hidden = ranking.hold_out_part(whole, 1 - _VALIDATION_SHARE, draw)
    else:
        hidden = checked(validation)
        shown = _without(whole, hidden)
    validating, testing = (_with_some(part, known) for part, known in ((hidden, shown), (target, whole)))
    if min(len(validating), len(testing)) == 0:
        raise ValueError(
            f"{len(validating)} users can validate and {len(testing)} can test; both need users with pairs to find "
            "and pairs to train with"
        )
    ranked, chosen = None, None
    if negatives is not None:
        beside_each = checked(negatives)
        fewest = int(np.diff(beside_each.indptr)[testing].min())
        if fewest == 0:
            raise ValueError("a user to test has no negatives; give each some, or leave the file of negatives out")
        ranked = _union(beside_each, target)[testing]
        chosen = _union(_drawn(whole, validating, fewest, beside), hidden[validating])
    return Split(
        train_users=np.arange(whole.shape[0]),
        train=frozen(shown),
        validation=held_out(validating, shown[validating], hidden[validating], chosen),
        test=held_out(testing, whole[testing], target[testing], ranked),
    )


def last_of_each(user: NDArray[np.integer], time: NDArray[np.number]) -> NDArray[np.int64]:
    """Give the places of each user's last event; of equal times the one that stands last.

    Parameters
    ----------
    user, time
        Event e is of user ``user[e]`` at ``time[e]``, shape (events,).
    """
    order = np.lexsort((np.arange(len(user)), time, user))
    ends = np.flatnonzero(np.diff(user[order], append=-1))
    return np.asarray(order[ends], dtype=np.int64)


def _without(matrix: sp.csr_matrix, other: sp.csr_matrix) -> sp.csr_matrix:
    """Leave out the pairs that another matrix has, whatever their weights."""
    return checked(matrix - matrix.multiply(other > 0))


def _union(one: sp.csr_matrix, other: sp.csr_matrix) -> sp.csr_matrix:
    both = checked(one + other)
    both.data[:] = 1
    return both


def _with_some(target: sp.csr_matrix, known: sp.csr_matrix) -> NDArray[np.int64]:
    return np.flatnonzero((np.diff(target.indptr) > 0) & (np.diff(known.indptr) > 0))


def _drawn(known: sp.csr_matrix, users: NDArray[np.int64], n: int, rng: np.random.Generator) -> sp.csr_matrix:
    """Draw `n` items for each of some users that they do not know, or all where there are fewer; one row a user."""
    rows = []
    for user in users:
        free = np.ones(known.shape[1], dtype=np.bool_)
        free[known.indices[known.indptr[user] : known.indptr[user + 1]]] = False
        items = np.flatnonzero(free)
        rows.append(rng.choice(items, min(n, len(items)), replace=False))
    lengths = [len(row) for row in rows]
    indices = np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    return sp.csr_matrix((np.ones(len(indices), np.float32), indices, indptr), shape=(len(users), known.shape[1]))
