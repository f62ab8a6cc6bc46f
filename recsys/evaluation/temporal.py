"""Trained on the past, tested on the future: the protocol that leaks nothing.

A split that ignores time lets a model learn from listens that came after those it is asked for. Here two instants
divide all events of all users: a model is trained on what lies before the first, chosen by what lies between them, and
tested on what lies after the second (Meng et al., "Exploring Data Splitting Strategies for the Evaluation of
Recommendation Models", RecSys 2020, "global temporal").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.evaluation.split import HeldOut, Split, checked, held_out


@dataclass(frozen=True, eq=False)
class Events:
    """What was heard when: event e is user ``user[e]`` with item ``item[e]`` at ``time[e]``; all of shape (events,).

    Attributes
    ----------
    user, item
        Indices.
    weight
        Plays, or any other weight that is not negative.
    time
        Any number that grows with time, for example seconds.
    shape
        Number of users and of items.
    """

    user: NDArray[np.integer]
    item: NDArray[np.integer]
    weight: NDArray[np.floating]
    time: NDArray[np.number]
    shape: tuple[int, int]

    def between(self, start: float, end: float) -> sp.csr_matrix:
        """Add up the events of ``start <= time < end``, CSR, shape (users, items)."""
        chosen = (self.time >= start) & (self.time < end)
        pairs = (self.user[chosen], self.item[chosen])
        return checked(sp.csr_matrix((self.weight[chosen].astype(np.float32), pairs), shape=self.shape))


def temporal(events: Events, *, held_out_share: float = 0.1) -> Split:
    """Divide events by time.

    Parameters
    ----------
    events
        All that was heard.
    held_out_share
        Share of the events that come last and test, and of those before them that validate. Events of one instant stay
        together, so the shares are met as far as they allow.

    Returns
    -------
    Split
        Users are the same in all parts: ``train`` is what all of them heard before validation; a held-out user's
        ``fold_in`` is all that came before the part begins, the ``target`` what is heard in it for the first time.
        Items that nobody heard before validation are no targets: no model that learns from listening can know them.
        Users with nothing to fold in or nothing new are not among the held-out.

    Raises
    ------
    ValueError
        If the share is out of range, a time is not finite, or a part is empty.
    """
    if not 0 < held_out_share < 1 / 2:
        raise ValueError(f"held_out_share is {held_out_share}; it must lie between 0 and 1/2")
    if not np.isfinite(events.time).all():
        raise ValueError("an event has no time; leave such events out, or use strong_generalization")
    first, second = np.quantile(events.time, [1 - 2 * held_out_share, 1 - held_out_share], method="higher")
    train = events.between(-np.inf, first)
    known = np.bincount(train.indices, minlength=events.shape[1]) > 0
    until_second = events.between(-np.inf, second)
    validation = _new(train, events.between(first, second), known)
    test = _new(until_second, events.between(second, np.inf), known)
    if min(train.nnz, len(validation.users), len(test.users)) == 0:
        raise ValueError(
            f"dividing by time leaves {train.nnz} pairs to train, {len(validation.users)} users to validate and "
            f"{len(test.users)} to test; the events span too little time or too few users come back"
        )
    users = np.arange(events.shape[0])
    return Split(train_users=users, train=train, validation=validation, test=test)


def _new(before: sp.csr_matrix, part: sp.csr_matrix, known: NDArray[np.bool_]) -> HeldOut:
    """Hold out the users who were there before and hear something in this part for the first time."""
    fresh = part - part.multiply(before > 0)
    fresh = checked(fresh @ sp.diags_array(known.astype(np.float32)))
    users = np.flatnonzero((np.diff(before.indptr) > 0) & (np.diff(fresh.indptr) > 0))
    return held_out(users, before[users], fresh[users])
