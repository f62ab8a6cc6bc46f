"""A model that speaks of artists by name: what a stranger can ask, and what is logged and served.

Holds the artists' side of a factorization, the artists' names, how plays become weights, and, where there are any, the
neighbours that stand beside the factorization. No user's factors are in it: a listener is folded in from what they
tell.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from recsys.als import ALSModel
from recsys.canonical import atomic_path, canonical_json, sha256_hex, write_atomically
from recsys.dataset import Vocabulary
from recsys.errors import ModelInvalidError
from recsys.evaluation import Recommender
from recsys.models import Beside, Weighed, Weighting, beside_arrays, from_arrays

_FEW = 3
_MODEL, _NAMES, _BESIDE = "model.safetensors", "artists.json", "beside.safetensors"


@dataclass(frozen=True)
class Suggestions:
    """An answer: artists with their scores, best first; and for each name not known those that look like it."""

    artists: list[tuple[str, float]]
    unknown: dict[str, list[str]]


def told_apart(unknown: Mapping[str, Sequence[str]]) -> str:
    """Name artists that are not known, each with known ones that look like it."""
    near = {
        name: f"do you mean {' or '.join(like)}?" if like else "no name is like it" for name, like in unknown.items()
    }
    return "; ".join(f"{name} ({words})" for name, words in near.items())


@dataclass(frozen=True, eq=False)
class NamedModel:
    """A factorization with the names of its artists.

    Attributes
    ----------
    model
        The factors; row i of ``model.item_factors`` belongs to ``artists.names[i]``.
    artists
        The artists' names.
    weighting
        How plays become the weights that the model was trained on.
    typical_plays
        Plays that an artist counts for when only its name is given: the median of the training pairs.
    beside
        Neighbours that take part in recommending, or ``None``.
    """

    model: ALSModel
    artists: Vocabulary
    weighting: Weighting
    typical_plays: float
    beside: Beside | None = None

    @property
    def known(self) -> str:
        """How many artists are known, and a few of them, in words."""
        few = ", ".join(self.artists.names[:: max(1, len(self.artists) // _FEW)][:_FEW])
        return f"it knows {len(self.artists):,} artists, for example {few}"

    def __post_init__(self) -> None:
        sizes = {len(self.model.item_factors), len(self.weighting.rarity) or len(self.artists)}
        if self.beside:
            sizes |= set(self.beside.neighbours.alike.shape)
        if sizes != {len(self.artists)}:
            raise ModelInvalidError(
                f"the model has {len(self.model.item_factors)} artists and the vocabulary {len(self.artists)}; "
                "they belong to different models"
            )

    @cached_property
    def recommender(self) -> Recommender:
        """The model as evaluation takes it: given plays, it recommends columns."""
        inner = self.beside.blended(self.model) if self.beside else self.model
        return Weighed(inner, self.weighting)

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
        ids, scores = self.recommender.recommend(0, self._row(plays), N=n, recalculate_user=True)
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
        row = self.weighting(self._row(plays))
        if self.beside:
            parts = self.beside.explain(self.model, row, column)[:n]
        else:
            _, parts = self.model.explain(0, row, column, N=n)
        return Suggestions([(self.artists.names[i], part) for i, part in parts], unknown)

    def reasons(self, liked: Sequence[str], artists: Sequence[str], n: int = 3) -> list[list[tuple[str, float]]]:
        """Say for each of several known artists what :meth:`explain` says, at little more than the cost of one."""
        plays, _ = self._known(liked)
        row = self.weighting(self._row(plays))
        columns = [column for artist in artists if (column := self.artists.column(artist)) is not None]
        if self.beside:
            return [self.explain(liked, artist, n).artists for artist in artists]
        names = [self.artists.names[i] for i in row.indices]
        parts = self.model.parts(row, columns)
        best = np.argsort(-parts, axis=0, kind="stable")[:n]
        return [[(names[i], float(parts[i, at])) for i in best[:, at]] for at in range(len(columns))]

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
        return sp.csr_matrix((values, (np.zeros(len(plays), dtype=int), list(plays))), shape=(1, len(self.artists)))

    def save(self, folder: Path) -> None:
        """Write the model into a folder: ``model.safetensors``, ``artists.json`` and at need ``beside.safetensors``."""
        folder.mkdir(parents=True, exist_ok=True)
        self.model.save(folder / _MODEL)
        arrays = beside_arrays(self.weighting, self.beside)
        if arrays:
            with atomic_path(folder / _BESIDE) as partial:
                save_file(arrays, partial)
        words = {
            "artists": list(self.artists.names),
            "confidence": self.weighting.kind,
            "mean_length": self.weighting.mean_length,
            "neighbours_weight": self.beside.weight if self.beside else None,
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
            arrays = load_file(folder / _BESIDE) if (folder / _BESIDE).exists() else {}
            weighting, beside = from_arrays(arrays, words, len(vocabulary))
            return cls(ALSModel.load(folder / _MODEL), vocabulary, weighting, float(words["typical_plays"]), beside)
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise ModelInvalidError(f"{folder} holds no named model: {error}") from error
