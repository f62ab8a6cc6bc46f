"""Artists' names and their columns: the one class that converts between them."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recsys.listens import artist_key

_SUGGESTIONS = 3


class Vocabulary:
    """The artists of a dataset version, in the order of their columns.

    Parameters
    ----------
    names
        Artists' names, each once; column i of a matrix belongs to ``names[i]``.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names: tuple[str, ...] = tuple(names)
        self._columns = {name: column for column, name in enumerate(self.names)}
        if len(self._columns) != len(self.names):
            raise ValueError("an artist stands twice in the vocabulary; each name has one column")

    def __len__(self) -> int:
        return len(self.names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.names == other.names

    def __hash__(self) -> int:
        return hash(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def column(self, name: str) -> int | None:
        """Find an artist's column; a name that is not there as written is looked for by its artist key.

        So "beyonce" finds Beyoncé, and "beatles" The Beatles (:func:`recsys.listens.artist_key`).
        """
        return self._columns.get(name, self._by_key.get(artist_key(name)))

    def suggest(self, name: str) -> list[str]:
        """Give up to three names whose artist keys look like that of `name`; the most alike first."""
        alike = difflib.get_close_matches(artist_key(name), self._by_key, n=_SUGGESTIONS)
        return [self.names[self._by_key[key]] for key in alike]

    @cached_property
    def _by_key(self) -> dict[str, int]:
        """Give the first column of each artist key."""
        return {artist_key(name): column for column, name in reversed(list(enumerate(self.names)))}

    @property
    def keys(self) -> NDArray[np.uint64]:
        """A stable number for each artist, from the SHA-256 of its name alone, shape (artists,).

        A model's start drawn from these does not shift when other artists come or go.
        """
        heads = b"".join(hashlib.sha256(name.encode()).digest()[:8] for name in self.names)
        return np.frombuffer(heads, dtype="<u8").astype(np.uint64)
