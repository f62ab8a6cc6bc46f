"""A model that speaks of artists by name: what a stranger can ask, and what is logged and served.

Holds the artists' side of a factorization, the artists' names, and how plays become confidence. No user's factors are
in it: a listener is folded in from what they tell.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from recsys.als import ALSModel
from recsys.canonical import canonical_json, sha256_hex, write_atomically
from recsys.confidence import Confidence, confidence
from recsys.dataset import Vocabulary
from recsys.errors import ModelInvalidError

_MODEL, _NAMES = "model.safetensors", "artists.json"


@dataclass(frozen=True)
class Suggestions:
    """An answer: artists with their scores, best first; and for each name not known those that look like it."""

    artists: list[tuple[str, float]]
    unknown: dict[str, list[str]]


@dataclass(frozen=True, eq=False)
class NamedModel:
    """A factorization with the names of its artists.

    Attributes
    ----------
    model
        The factors; row i of ``model.item_factors`` belongs to ``artists.names[i]``.
    artists
        The artists' names.
    confidence
        How plays become the values that the model was trained on.
    typical_plays
        Plays that an artist counts for when only its name is given: the median of the training pairs.
    """

    model: ALSModel
    artists: Vocabulary
    confidence: Confidence
    typical_plays: float

    def __post_init__(self) -> None:
        if len(self.model.item_factors) != len(self.artists):
            raise ModelInvalidError(
                f"the model has {len(self.model.item_factors)} artists and the vocabulary {len(self.artists)}; "
                "they belong to different models"
            )

    @property
    def factors_digest(self) -> str:
        """SHA-256 of the artists' factors: equal digests are equal models, bit for bit."""
        return sha256_hex(np.ascontiguousarray(self.model.item_factors).tobytes())

    def recommend(self, liked: Sequence[str] | Mapping[str, float], n: int = 10) -> Suggestions:
        """Recommend artists to somebody who likes these.

        Parameters
        ----------
        liked
            Artists' names, or names with numbers of plays; of two spellings of one artist the larger number counts.
        n
            How many to recommend.
        """
        plays, unknown = self._known(liked)
        if not plays:
            return Suggestions([], unknown)
        ids, scores = self.model.recommend(0, self._row(plays), N=n, recalculate_user=True)
        listed = [(self.artists.names[i], float(score)) for i, score in zip(ids, scores, strict=True) if i >= 0]
        return Suggestions(listed, unknown)

    def explain(self, liked: Sequence[str] | Mapping[str, float], artist: str, n: int = 10) -> Suggestions:
        """Say which of the liked artists speak for `artist`, and by how much of its score.

        Parameters
        ----------
        liked
            As in :meth:`recommend`.
        artist
            The artist whose recommendation is to be explained.
        n
            How many to name.

        Returns
        -------
        The artists among the liked with their parts of the score, largest first; all parts add up to the score
        (Hu, Koren and Volinsky 2008, section 5). Empty if `artist` or all of the liked are unknown.
        """
        plays, unknown = self._known(liked)
        column = self.artists.column(artist)
        if column is None:
            return Suggestions([], {**unknown, artist: self.artists.suggest(artist)})
        if not plays:
            return Suggestions([], unknown)
        _, parts = self.model.explain(0, self._row(plays), column, N=n)
        return Suggestions([(self.artists.names[i], part) for i, part in parts], unknown)

    def _known(self, liked: Sequence[str] | Mapping[str, float]) -> tuple[dict[int, float], dict[str, list[str]]]:
        """Give the plays of known artists by column, and for each name not known those that look like it."""
        told = liked if isinstance(liked, Mapping) else dict.fromkeys(liked, self.typical_plays)
        plays: dict[int, float] = {}
        unknown: dict[str, list[str]] = {}
        for name, count in told.items():
            column = self.artists.column(name)
            if column is None:
                unknown[name] = self.artists.suggest(name)
            else:
                plays[column] = max(count, plays.get(column, 0))
        return plays, unknown

    def _row(self, plays: Mapping[int, float]) -> sp.csr_matrix:
        values = np.fromiter(plays.values(), dtype=np.float32, count=len(plays))
        row = sp.csr_matrix((values, (np.zeros(len(plays), dtype=int), list(plays))), shape=(1, len(self.artists)))
        return confidence(row, self.confidence)

    def save(self, folder: Path) -> None:
        """Write the model into a folder: ``model.safetensors`` and ``artists.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        self.model.save(folder / _MODEL)
        words = {
            "artists": list(self.artists.names),
            "confidence": self.confidence,
            "typical_plays": self.typical_plays,
        }
        write_atomically(folder / _NAMES, canonical_json(words))

    @classmethod
    def load(cls, folder: Path) -> NamedModel:
        """Read a model back.

        Raises
        ------
        ModelInvalidError
            If a file is missing or is not what it should be.
        """
        try:
            words = json.loads((folder / _NAMES).read_bytes())
            vocabulary = Vocabulary(words["artists"])
            return cls(ALSModel.load(folder / _MODEL), vocabulary, words["confidence"], float(words["typical_plays"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelInvalidError(f"{folder} holds no named model: {error}") from error
