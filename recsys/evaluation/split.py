"""Users divided into those who train a model and those who test it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.model_selection import KFold

from recsys import ranking

_LEAST_ITEMS = 2  # one to fold in, one to find
_FEWEST_FOLDS = 3  # one to test, one to validate, one to train


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Users to ask a model for, each history in two parts; no model was trained on them but where a split says so.

    Attributes
    ----------
    users
        Where they stand in the matrix that was split, ascending, int64, shape (held-out users,).
    fold_in
        What a model is shown: row r is a part of the history of ``users[r]``, shape (held-out users, items).
    target
        What it should recommend: the rest of the same history, same shape.
    candidates
        The only items that may be recommended, targets among them, same shape; all items unless given. Ranking a few
        candidates is easier than ranking a catalogue, and says less of it (Krichene and Rendle, KDD 2020).
    """

    users: NDArray[np.int64]
    fold_in: sp.csr_matrix
    target: sp.csr_matrix
    candidates: sp.csr_matrix | None = None


@dataclass(frozen=True, eq=False)
class Split:
    """Users to train on, to choose a model by (validation), and to report it by (test); no user is in two of them.

    Attributes
    ----------
    train_users
        Where the training users stand in the matrix that was split, ascending, int64.
    train
        Row r is the whole history of ``train_users[r]``, shape (training users, items). Its arrays are read-only;
        libraries that insist on writable ones (``implicit``) take ``train.copy()``.
    validation, test
        The held-out users.
    """

    train_users: NDArray[np.int64]
    train: sp.csr_matrix
    validation: HeldOut
    test: HeldOut

    @property
    def fold_in(self) -> sp.csr_matrix:
        """What a model is shown of the test users."""
        return self.test.fold_in

    @property
    def target(self) -> sp.csr_matrix:
        """What it should recommend to the test users."""
        return self.test.target

    @property
    def held_out(self) -> sp.csr_matrix:
        """Whole histories of the test users, then of the validation users, shape (held-out users, items)."""
        return sp.csr_matrix(sp.vstack([held.fold_in + held.target for held in (self.test, self.validation)]))


def strong_generalization(
    user_items: Any,  # noqa: ANN401 - whatever scipy can make a CSR matrix of
    n_held_out: int,
    *,
    n_validation: int | None = None,
    fold_in_fraction: float = 0.8,
    seed: int = 0,
) -> Split:
    """Hold out whole users, and divide each one's items into a part to fold in and a part to find again.

    The protocol of Liang et al., "Variational Autoencoders for Collaborative Filtering" (WWW 2018), section 4.1.

    Parameters
    ----------
    user_items
        Row u is the history of user u, shape (users, items); values are plays or any other finite weight that is not
        negative. Anything but CSR is converted; equal pairs are added up and stored zeros are no pairs. It is not
        changed.
    n_held_out
        Number of test users.
    n_validation
        Number of validation users; by default as many as test users. It has no influence on who the test users are.
    fold_in_fraction
        Share of each held-out history that is folded in; see :func:`recsys.ranking.hold_out_part`.
    seed
        Decides everything; the same seed gives the same split.

    Returns
    -------
    Split
        Its arrays are read-only. Only users with two items or more are held out, since they alone have something to
        find; those with fewer always train.

    Raises
    ------
    ValueError
        If a number or fraction is out of range, if too few users have two items, or if a value is not finite or is
        negative.
    """
    matrix = checked(user_items)
    n_validation = n_held_out if n_validation is None else n_validation
    _check_counts(n_held_out, n_validation)
    able = np.flatnonzero(np.diff(matrix.indptr) >= _LEAST_ITEMS)
    _check_enough(n_held_out, n_validation, len(able), matrix.shape[0])
    choose, *divide = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))
    drawn = choose.permutation(able)
    test, validation = drawn[:n_held_out], drawn[n_held_out : n_held_out + n_validation]
    return _without(matrix, test, validation, fold_in_fraction, divide)


def user_folds(
    user_items: Any,  # noqa: ANN401 - as in `strong_generalization`
    n_folds: int = 5,
    *,
    fold_in_fraction: float = 0.8,
    seed: int = 0,
) -> Iterator[Split]:
    """Hold out every user once: K-fold over users, by scikit-learn's :class:`~sklearn.model_selection.KFold`.

    Parameters
    ----------
    user_items, fold_in_fraction, seed
        As in :func:`strong_generalization`.
    n_folds
        Number of folds. Fold j tests on part j and validates on part j + 1, so three folds are the fewest.

    Yields
    ------
    Split
        One for each fold. Users with fewer than two items train in each.

    Raises
    ------
    ValueError
        As in :func:`strong_generalization`.
    """
    matrix = checked(user_items)
    able = np.flatnonzero(np.diff(matrix.indptr) >= _LEAST_ITEMS)
    if not _FEWEST_FOLDS <= n_folds <= len(able):
        raise ValueError(
            f"n_folds is {n_folds}; it must lie between {_FEWEST_FOLDS} and the {len(able)} users with "
            f"{_LEAST_ITEMS} items or more"
        )
    parts = [able[held] for _, held in KFold(n_folds, shuffle=True, random_state=seed).split(able)]
    for number, sequence in enumerate(np.random.SeedSequence(seed).spawn(n_folds)):
        divide = [np.random.default_rng(s) for s in sequence.spawn(2)]
        yield _without(matrix, parts[number], parts[(number + 1) % n_folds], fold_in_fraction, divide)


def leave_out(
    user_items: Any,  # noqa: ANN401 - as in `strong_generalization`
    n_items: int = 1,
    *,
    seed: int = 0,
) -> Split:
    """Leave items out of every user's history, for comparison with papers that do.

    Parameters
    ----------
    user_items, seed
        As in :func:`strong_generalization`.
    n_items
        How many items of each user are left out for the test, and as many again for validation. Users with fewer than
        ``2 * n_items + 1`` train alone.

    Returns
    -------
    Split
        Every user trains, with what is left; ``fold_in`` of a held-out user is the row that trained.

    Warns
    -----
    UserWarning
        Always: the model was fitted to the very people that test it.
    """
    warnings.warn(
        "leaving items out tests a model on people it was fitted to, and says little of new members; "
        "strong_generalization holds out whole users",
        UserWarning,
        stacklevel=2,
    )
    matrix = checked(user_items)
    counts = np.diff(matrix.indptr)
    able = counts > 2 * n_items
    if n_items < 1 or not able.any():
        raise ValueError(f"n_items is {n_items}; it must be 1 or more, and some user must have more than twice as many")
    rows, place = ranking.drawn_places(matrix, np.random.default_rng(seed))
    part = np.where(able[rows], np.minimum(place // n_items, 2), 2)
    test, validation, train = (ranking.entries(matrix, rows, part == number) for number in range(3))
    users = np.flatnonzero(able)
    return Split(
        train_users=_frozen_array(np.arange(matrix.shape[0])),
        train=frozen(train),
        validation=held_out(users, train[users], validation[users]),
        test=held_out(users, train[users], test[users]),
    )


def held_out(
    users: NDArray[np.int64], fold_in: sp.csr_matrix, target: sp.csr_matrix, candidates: sp.csr_matrix | None = None
) -> HeldOut:
    """Put held-out users together, read-only."""
    return HeldOut(
        _frozen_array(users),
        frozen(fold_in),
        frozen(target),
        None if candidates is None else frozen(candidates),
    )


def _without(
    matrix: sp.csr_matrix,
    test: NDArray[np.int64],
    validation: NDArray[np.int64],
    fold_in_fraction: float,
    divide: Sequence[np.random.Generator],
) -> Split:
    test, validation = np.sort(test), np.sort(validation)
    train = np.setdiff1d(np.arange(matrix.shape[0]), np.concatenate([test, validation]))
    return Split(
        train_users=_frozen_array(train),
        train=frozen(matrix[train]),
        validation=_divided(matrix, validation, fold_in_fraction, divide[1]),
        test=_divided(matrix, test, fold_in_fraction, divide[0]),
    )


def _divided(
    matrix: sp.csr_matrix, users: NDArray[np.int64], fold_in_fraction: float, rng: np.random.Generator
) -> HeldOut:
    return held_out(users, *ranking.hold_out_part(matrix[users], fold_in_fraction, rng))


def checked(user_items: Any) -> sp.csr_matrix:  # noqa: ANN401 - as in `strong_generalization`
    """Take weights as CSR in canonical form and refuse values that are none; the caller's matrix is not changed."""
    matrix = sp.csr_matrix(user_items)
    matrix = sp.csr_matrix((matrix.data, matrix.indices, matrix.indptr), shape=matrix.shape)  # flags of its own
    bad = ~np.isfinite(matrix.data) | (matrix.data < 0)
    if bad.any():
        place = int(np.argmax(bad))
        row = int(np.searchsorted(matrix.indptr, place, side="right")) - 1
        raise ValueError(
            f"user_items[{row}, {matrix.indices[place]}] is {matrix.data[place]}; values must be finite and not "
            "negative: drop the pair or mend its weight"
        )
    if not matrix.has_canonical_format or not matrix.data.all():
        matrix = matrix.copy()
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
    return matrix


def _check_counts(n_held_out: int, n_validation: int) -> None:
    for name, number, least in (("n_held_out", n_held_out, 1), ("n_validation", n_validation, 0)):
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < least:
            raise ValueError(f"{name} is {number!r}; it must be a whole number of users, {least} or more")


def _check_enough(n_held_out: int, n_validation: int, n_able: int, n_users: int) -> None:
    if n_held_out + n_validation > n_able:
        raise ValueError(
            f"{n_held_out} test and {n_validation} validation users were asked for, but only {n_able} of {n_users} "
            f"users have {_LEAST_ITEMS} items or more; hold out fewer"
        )
    if n_held_out + n_validation == n_users:
        raise ValueError(f"holding out all {n_users} users leaves none to train on; hold out fewer")


def frozen(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Make the arrays of a matrix read-only."""
    for array in (matrix.data, matrix.indices, matrix.indptr):
        array.flags.writeable = False
    return matrix


def _frozen_array(array: NDArray[np.int64]) -> NDArray[np.int64]:
    array.flags.writeable = False
    return array
