"""The one way in which a model is asked for lists and the lists are scored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.evaluation.metrics import Metric
from recsys.evaluation.scores import Bootstrap, Scores
from recsys.evaluation.split import HeldOut, Split
from recsys.ranking import Bools, hits


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


def evaluate(
    model: Recommender,
    held_out: Split | HeldOut,
    metrics: Sequence[Metric],
    *,
    n_bootstrap: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    block: int = 4096,
) -> Scores:
    """Score a model on users it was not trained on.

    Parameters
    ----------
    model
        Shown each user's fold-in part, it recommends items outside that part.
    held_out
        The users; of a :class:`Split` its test users.
    metrics
        What to measure. Lists are as long as the longest metric reads, or as the catalogue is.
    n_bootstrap, confidence, seed
        How many resamples of users the intervals rest on, the share of resampled means inside them, and what decides
        the draws.
    block
        Users for whom lists are asked at once: what bounds memory. It has no influence on the scores of a model that
        treats users alike.

    Returns
    -------
    Scores
        Over the users that have a target.

    Raises
    ------
    ValueError
        If there is nothing to measure (no metric, two of one name, no user with a target), or if the model's lists
        are not lists: of another shape, with items outside the catalogue, an item twice, or a score that is NaN.
    """
    bootstrap = Bootstrap(n_bootstrap, confidence, seed)
    _check_request(metrics, block)
    people = held_out.test if isinstance(held_out, Split) else held_out
    n_targets = np.diff(people.target.indptr)
    chosen = np.flatnonzero(n_targets)
    if len(chosen) == 0:
        raise ValueError(
            f"none of the {len(n_targets)} held-out users has a target; hold out users with 2 items or more"
        )
    k = min(max(metric.k for metric in metrics), people.target.shape[1])
    found = np.concatenate(list(_found(model, people, chosen, k, block)))
    per_user = {metric.name: metric(found, n_targets[chosen]) for metric in metrics}
    return Scores(people.users[chosen], per_user, bootstrap)


def _found(model: Recommender, people: HeldOut, chosen: NDArray[np.int64], k: int, block: int) -> Iterator[Bools]:
    """Yield, block by block, which of the `k` places of each chosen user's list hold a target."""
    for start in range(0, len(chosen), block):
        rows = chosen[start : start + block]
        ids = _lists(model, people.fold_in[rows], k)
        hit = np.zeros((len(rows), k), dtype=np.bool_)
        hit[:, : ids.shape[1]] = hits(ids, people.target[rows])
        yield hit


def _lists(model: Recommender, fold_in: sp.csr_matrix, k: int) -> NDArray[np.int64]:
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
    ordered = np.sort(ids, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
        raise ValueError("the model recommends an item twice in one list, which would count it twice")
    return ids


def _check_request(metrics: Sequence[Metric], block: int) -> None:
    names = [metric.name for metric in metrics]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"metrics are {names}; give at least one, and each once")
    if block < 1:
        raise ValueError(f"block is {block}; it must be 1 user or more")
