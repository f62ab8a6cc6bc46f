"""How what is shared is less than the model: fewer artists, fewer factors, fewer bits.

Fewer factors are the model itself, seen in fewer directions. Scores are ``Y x``; keeping x to the span of orthonormal
directions Q, ``x = Q z``, makes the artists' factors ``Y Q`` and leaves the penalty as it was, ``|x| = |z|``. So
folding in with the reduced factors, by the same objective, *is* the model's own fold-in among fewer vectors: nothing
must be tuned again. Q are the leading eigenvectors of the Gram ``Y'Y``, so ``Y Q Q'`` is the best approximation of Y
of that rank (Eckart and Young 1936). In a converged model without frequency scaling, where both sides carry the same
penalty, ``X'X = Y'Y``, so it is the best approximation of the scores ``X Y'`` too.

Why not train again with fewer factors: that would be another model, which a buyer does not get later; and a truncation
is a function of what the full model shows, so it tells nothing more about any member than that does.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recsys.als import ALSModel
from recsys.bundle.terms import Terms
from recsys.dataset import Vocabulary
from recsys.errors import LeakError, TermsInvalidError
from recsys.models import Beside, Neighbours, Weighting, shared_by
from recsys.named import NamedModel

_LONGEST_NAME = 1_000
_ROWS_AT_ONCE = 4_096
_UNSEEN = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Signs that turn the direction of what follows them (Unicode TR 36, section 2.10)."""


@dataclass(frozen=True, eq=False)
class Shared:
    """A model as it lies in a bundle.

    Attributes
    ----------
    named
        The model as it is read back: what is evaluated and audited.
    factors
        The artists' factors as they are stored, float16 or float32, shape (artists, factors).
    gram
        Their Gram matrix, float64, shape (factors, factors).
    listeners
        Share of the training members that listen to each artist, rounded down to multiples of ``min_listeners``
        members; float32, shape (artists,).
    kept
        Columns of the full model that are in it, ascending.
    aliases
        Other spellings with their artists.
    """

    named: NamedModel
    factors: NDArray[np.float16] | NDArray[np.float32]
    gram: NDArray[np.float64]
    listeners: NDArray[np.float32]
    kept: NDArray[np.int64]
    aliases: dict[str, str]


def may_be_shown(name: object) -> bool:
    """Tell whether an artist's name can be shown to anybody: no control signs, nothing that turns a line around."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= _LONGEST_NAME
        and name == name.strip()
        and not any(sign in _TURNING or unicodedata.category(sign) in _UNSEEN for sign in name)
    )


def weaken(named: NamedModel, train: sp.csr_matrix, terms: Terms) -> Shared:
    """Make of a model what the terms let out.

    Parameters
    ----------
    named
        The full model.
    train
        Plays of the members it was trained on, shape (members, artists).
    terms
        What may be shared. A sample holds the factorization alone; with a full bundle go neighbours, as far as
        ``min_listeners`` members have both artists of a pair.

    Raises
    ------
    LeakError
        If no artist has listeners enough, or a listener's factors are in the model.
    TermsInvalidError
        If a sample would not be weaker than the model, or factors do not fit into 16 bits.
    """
    if len(named.model.user_factors):
        raise LeakError(f"the model holds factors of {len(named.model.user_factors):,} listeners; train again")
    counts = np.bincount(train.indices, minlength=train.shape[1])
    known = _known(named, counts, terms, train.shape[0])
    kept = (
        known if terms.artists is None else np.sort(known[np.argsort(-counts[known], kind="stable")[: terms.artists]])
    )
    factors = _fewer_factors(named.model.item_factors[kept], terms.factors)
    if terms.kind == "sample" and factors.shape == (len(known), named.model.factors):
        raise TermsInvalidError(
            f"the sample would be the whole model: {len(known):,} artists that may be shared, with "
            f"{named.model.factors} factors; ask for fewer of one"
        )
    stored = _stored(factors, terms)
    rounded = counts[kept] // terms.min_listeners * terms.min_listeners
    return Shared(
        named=replace(
            named,
            model=ALSModel(
                np.empty((0, stored.shape[1]), np.float32), stored.astype(np.float32), named.model.objective
            ),
            artists=Vocabulary(named.artists.names[column] for column in kept),
            weighting=_weighting(named.weighting, kept),
            beside=_beside(named.beside, train, kept, terms) if terms.kind == "full" else None,
        ),
        factors=stored,
        gram=exact_gram(stored),
        listeners=(rounded / train.shape[0]).astype(np.float32),
        kept=kept,
        aliases={},
    )


def exact_gram(factors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Multiply ``factors' factors`` in double precision, symmetric to the bit, the same for any number of threads."""
    product = np.zeros((factors.shape[1],) * 2)
    with threadpool_limits(1, "blas"):
        for first in range(0, len(factors), _ROWS_AT_ONCE):
            block = factors[first : first + _ROWS_AT_ONCE].astype(np.float64)
            product += block.T @ block
    return np.asarray((product + product.T) / 2)


def _known(named: NamedModel, counts: NDArray[np.int64], terms: Terms, members: int) -> NDArray[np.int64]:
    """Give the columns of the artists that may be shared at all: with listeners enough, and showable."""
    fit = np.array([may_be_shown(name) for name in named.artists.names], dtype=bool)
    known = np.flatnonzero(fit & (counts >= terms.min_listeners)).astype(np.int64)
    if not len(known):
        raise LeakError(
            f"no artist has {terms.min_listeners} listeners among the {members:,} members that the model was "
            "trained on; gather more members"
        )
    return known


def _fewer_factors(factors: NDArray[np.float32], most: int | None) -> NDArray[np.float32]:
    if most is None or most >= factors.shape[1]:
        return factors
    with threadpool_limits(1, "blas"):
        _, directions = np.linalg.eigh(exact_gram(factors))
        leading = directions[:, ::-1][:, :most]
        leading = leading * np.sign(leading[np.abs(leading).argmax(axis=0), np.arange(most)])
        return np.asarray(factors.astype(np.float64) @ leading, dtype=np.float32)


def _stored(factors: NDArray[np.float32], terms: Terms) -> NDArray[np.float16] | NDArray[np.float32]:
    if not terms.half_precision:
        return np.ascontiguousarray(factors)
    with np.errstate(over="ignore"):
        half = np.ascontiguousarray(factors, dtype=np.float16)
    if not np.isfinite(half).all():
        raise TermsInvalidError("a factor is too large for 16 bits; set half_precision = false")
    return half


def _weighting(weighting: Weighting, kept: NDArray[np.int64]) -> Weighting:
    return replace(weighting, rarity=weighting.rarity[kept]) if len(weighting.rarity) else weighting


def _beside(beside: Beside | None, train: sp.csr_matrix, kept: NDArray[np.int64], terms: Terms) -> Beside | None:
    if beside is None:
        return None
    alike = shared_by(train[:, kept], beside.neighbours.alike[kept][:, kept], terms.min_listeners)
    alike.eliminate_zeros()
    alike.sort_indices()
    return replace(beside, neighbours=Neighbours(alike))
