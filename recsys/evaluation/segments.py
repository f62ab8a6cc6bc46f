"""Whom a model serves well and whom it does not: held-out users in groups of like habits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from recsys.evaluation.character import Fame
from recsys.evaluation.lists import Lists
from recsys.evaluation.scores import Scores
from recsys.ranking import Bools

_WORDS = (("light", "medium", "heavy"), ("niche", "mixed", "mainstream"))


def segments(lists: Lists, fame: Fame) -> dict[str, Bools]:
    """Divide users into thirds, once by how much they listen to and once by how well known that is.

    Parameters
    ----------
    lists
        The users, with what was folded in of each.
    fame
        How well known items are.

    Returns
    -------
    For each of light, medium, heavy (by number of items folded in) and niche, mixed, mainstream (by the mean
    percentile of their items' listeners): which users belong to it, shape (users,). Equal users stand in the order of
    their index, so that the thirds are of one size.
    """
    amount = np.diff(lists.fold_in.indptr).astype(np.float64)
    percentile = np.searchsorted(np.sort(fame.listeners), fame.listeners, side="right") / len(fame.listeners)
    rows = np.repeat(np.arange(len(amount)), amount.astype(np.int64))
    known = np.bincount(rows, weights=percentile[lists.fold_in.indices], minlength=len(amount)) / np.maximum(amount, 1)
    return {
        word: third == place
        for words, third in zip(_WORDS, (_thirds(amount), _thirds(known)), strict=True)
        for place, word in enumerate(words)
    }


def by_segment(scores: Scores, groups: Mapping[str, Bools]) -> dict[str, Scores]:
    """Give the same figures for each group that has somebody in it, each with intervals of its own.

    Parameters
    ----------
    scores
        Figures over all users.
    groups
        As :func:`segments` gives them, for the same users in the same order.
    """
    return {
        name: Scores(
            scores.users[members],
            {metric: score.per_user[members] for metric, score in scores.items()},
            scores.bootstrap,
        )
        for name, members in groups.items()
        if members.any()
    }


def _thirds(values: NDArray[np.float64]) -> NDArray[np.int64]:
    order = np.argsort(values, kind="stable")
    place = np.empty(len(values), dtype=np.int64)
    place[order] = np.arange(len(values)) * len(_WORDS[0]) // max(len(values), 1)
    return place
