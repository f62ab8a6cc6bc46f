"""Factors for artists whom nobody has heard yet, from tags that say what they are.

A factorization knows nothing of an artist without listeners. Where tags or genres are given, a ridge regression from
the tags of known artists to their factors tells where in the same space an unknown one should lie (Gantner et al.,
"Learning Attribute-to-Feature Mappings for Cold-Start Recommendations", ICDM 2010, the linear mapping). Known artists
keep their own factors: what listeners do says more than what a label says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.als import ALSModel

RIDGE = 100.0


@dataclass(frozen=True, eq=False)
class FromTags:
    """A linear map from tags to factors.

    Attributes
    ----------
    weights
        Row t is what tag t adds, the last row what every artist has; float64, shape (tags + 1, factors).
    """

    weights: NDArray[np.float64]

    @classmethod
    def learn(
        cls,
        item_factors: NDArray[np.float32],
        tags: sp.csr_matrix,
        *,
        ridge: float = RIDGE,
    ) -> FromTags:
        """Learn from artists that have listeners.

        Parameters
        ----------
        item_factors
            Their factors, shape (artists, factors).
        tags
            Row i tells the tags of artist i, shape (artists, tags); any weights, brought to length 1 by row.
        ridge
            Penalty on squared weights, in artists; what all have in common is not penalized.
        """
        told = _with_constant(tags)
        gram = (told.T @ told).toarray()
        penalty = np.full(len(gram), ridge)
        penalty[-1] = 1e-9
        gram[np.diag_indices_from(gram)] += penalty
        return cls(scipy.linalg.solve(gram, told.T @ item_factors.astype(np.float64), assume_a="pos"))

    def factors(self, tags: sp.csr_matrix) -> NDArray[np.float32]:
        """Give the factors of artists with these tags, shape (artists, factors)."""
        return np.asarray(_with_constant(tags) @ self.weights, dtype=np.float32)


def warmed(model: ALSModel, tags: sp.csr_matrix, listeners: NDArray[np.integer], *, ridge: float = RIDGE) -> ALSModel:
    """Give artists without listeners the factors that their tags tell; all others keep theirs.

    Parameters
    ----------
    model
        Trained on a matrix in which some artists have no listeners.
    tags, listeners
        Tags and number of listeners of all the model's artists, in its order; tags as in :meth:`FromTags.learn`.
    ridge
        As there.

    Raises
    ------
    ValueError
        If tags or listeners are not those of the model's artists.
    """
    if tags.shape[0] != model.n_items or len(listeners) != model.n_items:
        raise ValueError(
            f"the model has {model.n_items} artists, the tags are of {tags.shape[0]}, the listeners of "
            f"{len(listeners)}; give one row of tags and one number for each artist of the model"
        )
    cold = np.asarray(listeners) == 0
    told = FromTags.learn(model.item_factors[~cold], tags[~cold], ridge=ridge)
    factors = model.item_factors.copy()
    factors[cold] = told.factors(tags[cold])
    return replace(model, item_factors=factors)


def _with_constant(tags: sp.csr_matrix) -> sp.csr_matrix:
    length = np.sqrt(np.asarray(tags.multiply(tags).sum(axis=1), dtype=np.float64)).ravel()
    unit = sp.diags_array(1 / np.maximum(length, 1e-12)) @ tags
    return sp.csr_matrix(sp.hstack([unit, sp.csr_matrix(np.ones((tags.shape[0], 1)))]))
