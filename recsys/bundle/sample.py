"""A sample of a model as a buyer holds it: it answers, and everything that is said of it is at hand.

Only a verified bundle gives one (:func:`recsys.bundle.open_sample`): what has a :class:`SampleModel` in hand need not
ask any more whether the signature was looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.bundle.contents import Manifest
from recsys.bundle.terms import Terms
from recsys.evaluation import Popularity, Recommender
from recsys.named import NamedModel, Suggestions
from recsys.verdict import Verdict

if TYPE_CHECKING:
    from implicit.cpu.als import AlternatingLeastSquares

_OPENED = object()
"""What opening hands over, and nobody else has."""


class SampleModel:
    """A model out of a verified bundle; only :func:`recsys.bundle.open_sample` makes one.

    Attributes
    ----------
    named
        The model with its artists' names; factors in single precision.
    manifest
        What the bundle is.
    terms
        What it may be used for, by whom and until when.
    card
        The model card (Markdown).
    documents
        The bundle's other documents by name, parsed: ``scores``, ``evidence``, ``dataset_card``, ``training_summary``,
        ``bom``, ``privacy``.
    listeners
        Share of the members that listen to each artist, float32, shape (artists,), read-only.
    aliases
        Other spellings that enough members use, each with the name of its artist.
    verdict
        What was checked while opening it.
    """

    def __init__(
        self,
        token: object,
        *,
        named: NamedModel,
        manifest: Manifest,
        terms: Terms,
        card: str,
        documents: Mapping[str, Any],
        listeners: NDArray[np.float32],
        aliases: Mapping[str, str],
        verdict: Verdict,
    ) -> None:
        if token is not _OPENED:
            raise TypeError("a SampleModel comes out of a verified bundle alone: use recsys.bundle.open_sample")
        self.named = named
        self.manifest = manifest
        self.terms = terms
        self.card = card
        self.documents = MappingProxyType(dict(documents))
        self.listeners = listeners
        self.aliases = MappingProxyType(dict(aliases))
        self.verdict = verdict

    def __repr__(self) -> str:
        return f"SampleModel({self.digest[:12]} for {self.terms.buyer!r}, {len(self.named.artists):,} artists)"

    def __reduce__(self) -> str:
        raise TypeError("a SampleModel cannot be copied past its seal: open the bundle again")

    @property
    def digest(self) -> str:
        """The bundle's name: SHA-256 of its manifest."""
        return self.manifest.digest

    @property
    def recommender(self) -> Recommender:
        """The model as evaluation takes it: given plays, it recommends columns."""
        return self.named.recommender

    @cached_property
    def popularity(self) -> Popularity:
        """What the model has to beat: to everybody what most members listen to."""
        return Popularity.of(self.listeners)

    def recommend(self, liked: Sequence[str] | Mapping[str, float], n: int = 10) -> Suggestions:
        """Recommend artists to somebody who likes these; see :meth:`recsys.named.NamedModel.recommend`."""
        return self.named.recommend(liked, n)

    def explain(self, liked: Sequence[str] | Mapping[str, float], artist: str, n: int = 10) -> Suggestions:
        """Say which of the liked artists speak for `artist`; see :meth:`recsys.named.NamedModel.explain`."""
        return self.named.explain(liked, artist, n)

    def similar(self, artist: str, n: int = 10) -> Suggestions:
        """Give the artists whose factors point the same way as those of `artist`, with the cosine, nearest first."""
        names = self.named.artists
        column = names.column(artist)
        if column is None:
            return Suggestions([], {artist: names.suggest(artist)})
        ids, cosines = self.named.model.similar_items(column, min(n + 1, len(names)))
        near = [(names.names[i], float(c)) for i, c in zip(ids, cosines, strict=True) if i not in {-1, column}]
        return Suggestions(near[:n], {})

    def to_implicit(self, plays: sp.csr_matrix | None = None) -> AlternatingLeastSquares:
        """Give an ``implicit`` model with the same factors.

        Parameters
        ----------
        plays
            Plays of listeners, shape (any number, artists): they are weighed and folded in here and become its users,
            so that it recommends to them as the sample does. Without it, it has no users and folds in itself, by the
            weights that it is given; see :meth:`recsys.als.ALSModel.to_implicit`.

        Raises
        ------
        ValueError
            If ``implicit`` cannot do as the sample does: neighbours stand beside the factors, or it does not know the
            loss and no listeners are given.
        """
        if self.named.beside:
            raise ValueError("neighbours stand beside this model's factors; implicit has factors alone")
        return self.named.model.to_implicit(None if plays is None else self.named.weighting(plays))
