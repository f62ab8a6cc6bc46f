"""What a number of plays weighs, where the weight depends on the whole matrix and not on the number alone.

Search engines weigh a word in a text by how rare the word is and how long the text; artists in histories are weighed
alike. What is learned on training users is kept, so that a new listener's plays are weighed by the same measure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from recsys.confidence import Confidence, confidence
from recsys.evaluation import Recommender

Kind = Literal["binary", "log", "linear", "tfidf", "bm25"]

_LEAST = 1e-6  # a pair that weighs nothing would be none
_K1, _B = 100.0, 0.8  # of BM25, as `implicit` has them: plays saturate late, since they count in hundreds


@dataclass(frozen=True, eq=False)
class Weighting:
    """Turns plays into weights, as learned on training users.

    Attributes
    ----------
    kind
        ``"binary"``, ``"log"`` and ``"linear"`` as in :func:`recsys.confidence.confidence`; ``"tfidf"``: square root of
        plays times the item's inverse frequency ``ln(users / (1 + listeners))``; ``"bm25"``: Okapi BM25 (Robertson and
        Zaragoza 2009, eq. 3.15) with histories as documents.
    rarity
        Inverse frequency of each item, shape (items,); empty for a kind that needs none.
    mean_length
        Mean plays of a history; 0 for a kind that needs none.
    """

    kind: Kind
    rarity: NDArray[np.float32]
    mean_length: float

    @classmethod
    def learn(cls, train: sp.csr_matrix, kind: Kind) -> Weighting:
        """Learn from the plays of training users, shape (users, items).

        Raises
        ------
        ValueError
            If there is no such kind.
        """
        if kind not in get_args(Kind):
            raise ValueError(f"the weighting is {kind!r}; it must be one of {', '.join(get_args(Kind))}")
        if kind in get_args(Confidence):
            return cls.plain(kind)
        listeners = np.bincount(train.indices, minlength=train.shape[1])
        rarity = np.log(train.shape[0] / (1.0 + listeners)).clip(min=0).astype(np.float32)
        return cls(kind, rarity, float(train.sum() / max(train.shape[0], 1)))

    @classmethod
    def plain(cls, kind: Kind) -> Weighting:
        """Give a weighting that has nothing to learn: binary, log or linear."""
        if kind not in get_args(Confidence):
            raise ValueError(
                f"{kind!r} must be learned from training plays; plain are {', '.join(get_args(Confidence))}"
            )
        return cls(kind, np.empty(0, dtype=np.float32), 0.0)

    def __call__(self, plays: sp.csr_matrix) -> sp.csr_matrix:
        """Weigh plays, shape (users, items); pairs stay, float32."""
        if self.kind in get_args(Confidence):
            return confidence(plays, self.kind)  # type: ignore[arg-type] # checked in the line above
        data = np.asarray(plays.data, dtype=np.float64)
        if self.kind == "bm25":
            length = np.asarray(plays.sum(axis=1)).ravel() / max(self.mean_length, 1e-9)
            offset = _K1 * ((1 - _B) + _B * np.repeat(length, np.diff(plays.indptr)))
            data = data * (_K1 + 1) / (data + offset)
        else:
            data = np.sqrt(data)
        weights = np.maximum(data * self.rarity[plays.indices], _LEAST)
        return sp.csr_matrix((weights.astype(np.float32), plays.indices, plays.indptr), shape=plays.shape)


@dataclass(frozen=True, eq=False)
class Weighed:
    """A model that takes plays, and weighs them before it looks at them.

    Attributes
    ----------
    model
        Trained on weights.
    weighting
        How plays become weights.
    """

    model: Recommender
    weighting: Weighting

    def recommend(
        self,
        userid: ArrayLike,
        user_items: sp.csr_matrix,
        N: int = 10,
        filter_already_liked_items: bool = True,
        *,
        recalculate_user: bool = False,
    ) -> tuple[Any, Any]:
        """Recommend as the model does, to listeners whose plays are given."""
        return self.model.recommend(
            userid, self.weighting(user_items), N, filter_already_liked_items, recalculate_user=recalculate_user
        )
