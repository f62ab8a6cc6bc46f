"""Lists that do not say the same thing twice: maximal marginal relevance.

Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing Summaries"
(1998): the next item is the one with the largest ``(1 - d) score - d similarity``, where score is divided by the
user's best score and similarity is the largest cosine to an item that was chosen before.
"""

from __future__ import annotations

import numpy as np

from recsys.als.objective import Float32s
from recsys.als.topk import Ids

CANDIDATES = 4  # the list is chosen among this many times as many best items
_BLOCK_USERS = 256
_TINY = np.finfo(np.float32).tiny
_LAST = np.float32(-1e30)  # worth of an empty place: chosen when nothing else is left, but never twice


def rerank(ids: Ids, scores: Float32s, directions: Float32s, N: int, diversity: float) -> tuple[Ids, Float32s]:
    """Choose N of each user's candidates.

    Parameters
    ----------
    ids, scores
        Candidates, best first, shape (users, candidates); -1 and -inf where there is none.
    directions
        Item factors of length 1, shape (items, factors).
    N
        Items to choose for each user.
    diversity
        From 0 (the best scores) to 1 (as unlike each other as can be).

    Returns
    -------
    ids, scores
        Shape (users, N), in the order of choice, with the scores they had.
    """
    if not 0 <= diversity <= 1:
        raise ValueError(f"diversity is {diversity}; expected a number from 0 to 1")
    places = np.empty((len(ids), min(N, ids.shape[1])), dtype=np.int64)
    for first in range(0, len(ids), _BLOCK_USERS):
        block = slice(first, first + _BLOCK_USERS)
        places[block] = _choose(scores[block], directions[ids[block]], places.shape[1], diversity)
    return np.take_along_axis(ids, places, axis=1), np.take_along_axis(scores, places, axis=1)


def _choose(scores: Float32s, candidates: Float32s, N: int, diversity: float) -> Ids:
    users = np.arange(len(scores))
    present = np.isfinite(scores)
    best = np.maximum(np.abs(scores[:, :1], where=present[:, :1], out=np.ones_like(scores[:, :1])), _TINY)
    worth = np.where(present, (1 - diversity) * scores / best, _LAST)
    nearest = np.zeros_like(scores)
    places = np.empty((len(scores), N), dtype=np.int32)
    for place in range(N):
        chosen = np.argmax(worth - diversity * nearest, axis=1)
        places[:, place] = chosen
        worth[users, chosen] = -np.inf
        cosines = np.einsum("uck,uk->uc", candidates, candidates[users, chosen])
        nearest = np.maximum(nearest, cosines)
    return places
