"""What a model recommends to held-out users, asked for once and read by every metric."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.evaluation.split import HeldOut, Split
from recsys.ranking import Bools, hits

_MOST_PLACES = 1 << 24  # in lists of whole catalogues, at once


class Recommender(Protocol):
    """Whatever recommends as the models of ``implicit`` do, to users it has never seen."""

    def recommend(
        self,
        userid: Any,  # noqa: ANN401 - libraries disagree on what they take; an index array is passed
        user_items: Any,  # noqa: ANN401 - as above; a CSR matrix is passed
        N: int = ...,
        filter_already_liked_items: bool = ...,
        *,
        recalculate_user: bool = ...,
    ) -> tuple[Any, Any]:
        """Return ids and scores, best first, shape (users, at most N); id -1 where nothing is left.

        Row r of `user_items` is what is known of ``userid[r]``; with `recalculate_user` the lists follow from these
        rows alone.
        """


@dataclass(frozen=True, eq=False)
class Lists:
    """The lists of those held-out users that have a target.

    Attributes
    ----------
    users
        Where they stand in the matrix that was split, shape (users,).
    ids
        Row r is what ``users[r]`` was recommended, best first, -1 where nothing was; int32, shape (users, places).
    hit
        Which places hold a target, same shape.
    n_targets
        How many there were to find, shape (users,).
    fold_in
        What the model was shown, shape (users, items).
    """

    users: NDArray[np.int64]
    ids: NDArray[np.int32]
    hit: Bools
    n_targets: NDArray[np.int64]
    fold_in: sp.csr_matrix

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return int(self.fold_in.shape[1])


def ask(model: Recommender, held_out: Split | HeldOut, k: int, *, block: int = 4096) -> Lists:
    """Ask a model for lists of `k` places, shorter only if the catalogue is.

    Parameters
    ----------
    model
        Shown each user's fold-in part, it recommends items outside that part.
    held_out
        The users; of a :class:`Split` its test users.
    k
        Length of a list.
    block
        Users for whom lists are asked at once. What is kept takes five bytes a place; a block bounds all else.

    Raises
    ------
    ValueError
        If no user has a target, or if the model's lists are not lists: of another shape, with items outside the
        catalogue, an item twice, or a score that is NaN.
    """
    if block < 1:
        raise ValueError(f"block is {block}; it must be 1 user or more")
    people = held_out.test if isinstance(held_out, Split) else held_out
    n_targets = np.diff(people.target.indptr)
    chosen = np.flatnonzero(n_targets)
    if len(chosen) == 0:
        raise ValueError(
            f"none of the {len(n_targets)} held-out users has a target; hold out users with 2 items or more"
        )
    ids = np.full((len(chosen), min(k, people.target.shape[1])), -1, dtype=np.int32)
    hit = np.zeros(ids.shape, dtype=np.bool_)
    for part in _blocks(len(chosen), _at_once(people, block)):
        rows = chosen[part]
        listed = _listed(model, people, rows, ids.shape[1])
        ids[part, : listed.shape[1]] = listed
        hit[part, : listed.shape[1]] = hits(listed, people.target[rows])
    fold_in = people.fold_in if len(chosen) == len(n_targets) else people.fold_in[chosen]
    return Lists(people.users[chosen], ids, hit, n_targets[chosen].astype(np.int64), fold_in)


def _blocks(n: int, block: int) -> Iterator[slice]:
    return (slice(start, min(start + block, n)) for start in range(0, n, block))


def _at_once(people: HeldOut, block: int) -> int:
    """Bound what a block takes where whole catalogues are ranked."""
    return block if people.candidates is None else min(block, max(1, _MOST_PLACES // people.target.shape[1]))


def _listed(model: Recommender, people: HeldOut, rows: NDArray[np.int64], k: int) -> NDArray[np.integer]:
    """Ask for the lists of some held-out users."""
    fold_in = people.fold_in[rows]
    if people.candidates is None:
        listed = _answer(model, fold_in, k)
    else:
        listed = _of_candidates(model, fold_in, people.candidates[rows], k)
    ordered = np.sort(listed, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
        raise ValueError("the model recommends an item twice in one list, which would count it twice")
    return listed


def _of_candidates(
    model: Recommender, fold_in: sp.csr_matrix, candidates: sp.csr_matrix, k: int
) -> NDArray[np.integer]:
    """List candidates by ranking the catalogue and leaving out the rest.

    So far down that most find `k` of them if these are spread evenly; to its end for those who do not.
    """
    n_items = candidates.shape[1]
    fewest = max(int(np.diff(candidates.indptr).min(initial=n_items)), 1)
    first = min(n_items, 2 * k * n_items // fewest)
    listed = _among(_answer(model, fold_in, first), candidates, k)
    lacking = np.flatnonzero(listed[:, -1] < 0)
    if first < n_items and len(lacking):
        listed[lacking] = _among(_answer(model, fold_in[lacking], n_items), candidates[lacking], k)
    return listed


def _among(ids: NDArray[np.integer], candidates: sp.csr_matrix, k: int) -> NDArray[np.int32]:
    """Keep the first `k` of each list that are candidates, in their order; -1 where there are fewer."""
    allowed = np.zeros((candidates.shape[0], candidates.shape[1] + 1), dtype=np.bool_)
    allowed[np.repeat(np.arange(candidates.shape[0]), np.diff(candidates.indptr)), candidates.indices] = True
    row, place = np.nonzero(np.take_along_axis(allowed, ids, axis=1))  # the last column stands for id -1
    first = np.searchsorted(row, np.arange(len(ids)))
    nth = np.arange(len(row)) - first[row]
    kept = np.full((len(ids), k), -1, dtype=np.int32)
    kept[row[nth < k], nth[nth < k]] = ids[row, place][nth < k]
    return kept


def _answer(model: Recommender, fold_in: sp.csr_matrix, k: int) -> NDArray[np.integer]:
    n_users, n_items = fold_in.shape
    raw_ids, scores = model.recommend(
        np.arange(n_users), fold_in, N=k, filter_already_liked_items=True, recalculate_user=True
    )
    ids = np.asarray(raw_ids)
    if ids.ndim != 2 or ids.shape[0] != n_users or ids.shape[1] > k:  # noqa: PLR2004 - users x places
        raise ValueError(f"the model's lists have shape {ids.shape}; expected ({n_users}, at most {k})")
    if np.isnan(scores).any():
        raise ValueError("the model gives scores that are NaN, so its order means nothing; look at its factors")
    if ids.max(initial=-1) >= n_items or ids.min(initial=0) < -1:
        raise ValueError(
            f"the model recommends ids from {ids.min()} to {ids.max()}; the catalogue has 0 to {n_items - 1}"
        )
    return ids
