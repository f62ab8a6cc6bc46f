"""Finding artists by what people type: typos, accents, letter case and signs do not matter.

Names are compared by their artist keys (:func:`recsys.listens.artist_key`). What is asked is looked for in this order:
the same key, keys that begin so and keys one or two slips away, keys that hold it; and where nothing of that is found,
keys that look a little like it. Slips are counted by optimal string alignment (Damerau, CACM 1964: a letter too many,
too few, another one, or two swapped).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from rapidfuzz import process
from rapidfuzz.distance import OSA

from recsys.listens import artist_key

if TYPE_CHECKING:
    from recsys.bundle.sample import SampleModel

_LONGEST = 120  # letters of a question that are read
_NEAR, _ALIKE = 0.75, 0.6
_FEWEST_TO_CORRECT = 6
_FEWEST_LETTERS = 3  # below, everything looks like everything
_MOST_SLIPPED = 50
_ROUNDING = 1e-6
_MOST_HOLDING = 2_000  # keys that hold what is asked: enough to choose from
_AT_ONCE = 1 << 23  # numbers of slips in memory at once: 8 MB


@dataclass(frozen=True)
class Taken:
    """What a name was taken for.

    Attributes
    ----------
    asked
        The name as it was given.
    column
        The artist's column, or ``None`` if the name is not known.
    name
        The artist's name, or ``""``.
    exact
        Whether both have one artist key; if not, a slip was seen past.
    near
        For a name that is not known: names that look like it, the most alike first.
    """

    asked: str
    column: int | None
    name: str
    exact: bool
    near: tuple[str, ...]


class NameIndex:
    """Artists' names, ready to be searched.

    Parameters
    ----------
    names
        Artists' names in the order of their columns.
    listeners
        How well known each is, shape (artists,): the better known of equally good answers comes first. Without it the
        lower column does.
    aliases
        Other spellings, each with the name of its artist.
    """

    def __init__(
        self, names: Iterable[str], listeners: ArrayLike | None = None, aliases: Mapping[str, str] | None = None
    ) -> None:
        self.names: tuple[str, ...] = tuple(names)
        fame = np.zeros(len(self.names)) if listeners is None else np.asarray(listeners, dtype=np.float64)
        if fame.shape != (len(self.names),):
            raise ValueError(
                f"listeners has shape {fame.shape}; expected one number for each of {len(self.names)} names"
            )
        self._column = {name: column for column, name in enumerate(self.names)}
        spelled = [(name, False, column) for name, column in self._column.items()]
        spelled += [(told, True, self._column[name]) for told, name in (aliases or {}).items()]
        keyed = sorted((artist_key(told), other, -fame[column], column) for told, other, column in spelled)
        self._keys = [key for key, *_ in keyed]
        self._columns = np.array([column for *_, column in keyed], dtype=np.int64)
        self._by_key = {key: column for key, *_, column in reversed(keyed)}
        self._fame = fame[self._columns]
        self._lengths = np.array([len(key) for key in self._keys], dtype=np.int32)
        self._letters = np.array([_letters(key) for key in self._keys], dtype=np.uint64)
        self._text = "\n".join(self._keys)
        self._starts = np.cumsum([0, *(len(key) + 1 for key in self._keys)])

    @classmethod
    def of(cls, sample: SampleModel) -> NameIndex:
        """Index the artists of a sample by their names and by the other spellings that its bundle tells."""
        return cls(sample.named.artists.names, sample.listeners, sample.aliases)

    def __len__(self) -> int:
        return len(self.names)

    def column(self, name: str) -> int | None:
        """Find the artist of this very name, or else of the same artist key; the best known if there are several."""
        return self._column.get(name, self._by_key.get(artist_key(name[:_LONGEST])))

    def search(self, text: str, n: int = 10) -> list[tuple[int, float]]:
        """Find artists by what somebody typed.

        Parameters
        ----------
        text
            A name, its beginning, a part of it, or any of these with slips.
        n
            How many to give at most.

        Returns
        -------
        Columns with their likeness, between 0 and 1 (the same key); best first, where being well known counts too.
        """
        written = text.strip()[:_LONGEST]
        key = artist_key(written)
        if not key or n < 1:
            return []
        found: dict[int, float] = {}
        for tier in self._tiers(key, written):
            for place, likeness in tier:
                found.setdefault(int(self._columns[place]), likeness)
                if len(found) == n:
                    return list(found.items())
        return list(found.items())

    def resolve(self, text: str, *, near: int = 3) -> Taken:
        """Say which artist a name means.

        A name is taken for one with the same key; or else for the one that is a slip or two away, if no other is as
        near; or else for the only one that begins so.
        """
        found = self.search(text, max(near, 2))
        best = sorted(found, key=lambda one: -one[1])
        clear = len(best) == 1 or (len(best) > 1 and best[0][1] > best[1][1])
        if best and (best[0][1] == 1 or (clear and self._speaks(text, *best[0]))):
            column = found[0][0] if best[0][1] == 1 else best[0][0]
            return Taken(text, column, self.names[column], best[0][1] == 1, ())
        return Taken(text, None, "", False, tuple(self.names[column] for column, _ in best[:near]))

    def corrected(self, texts: Sequence[str]) -> dict[str, int]:
        """Find for many names at once those of artists that are one slip away; names of the same key are left out.

        Only names of six letters and more are looked at, and no two artists may be as near.
        """
        keys = [artist_key(text[:_LONGEST]) for text in texts]
        asked = [place for place, key in enumerate(keys) if len(key) >= _FEWEST_TO_CORRECT]
        block = max(1, _AT_ONCE // max(len(self._keys), 1))
        corrected: dict[str, int] = {}
        for start in range(0, len(asked) if self._keys else 0, block):
            part = asked[start : start + block]
            slips = process.cdist(
                [keys[place] for place in part], self._keys, scorer=OSA.distance, score_cutoff=1, dtype=np.uint8
            )
            sure = (slips.min(axis=1) == 1) & ((slips == 1).sum(axis=1) == 1)
            near = slips.argmin(axis=1)
            corrected |= {texts[part[i]]: int(self._columns[near[i]]) for i in np.flatnonzero(sure)}
        return corrected

    def _speaks(self, text: str, column: int, likeness: float) -> bool:
        """Tell whether a likeness that is alone at the top is enough to take the name for that artist."""
        key, theirs = artist_key(text.strip()[:_LONGEST]), artist_key(self.names[column])
        return likeness >= _NEAR or (theirs.startswith(key) and len(key) > _FEWEST_LETTERS and self._alone(key))

    def _alone(self, key: str) -> bool:
        return self._end(key) - bisect_left(self._keys, key) == 1

    def _tiers(self, key: str, written: str) -> Iterator[list[tuple[int, float]]]:
        """Give places with their likeness, best first, tier by tier; a place may come again."""
        first, last = bisect_left(self._keys, key), self._end(key)
        same = bisect_left(self._keys, key + "\0")
        yield [(place, 1.0) for place in range(first, same) if self.names[self._columns[place]] == written]
        yield [(place, 1.0) for place in range(first, same)]
        if len(key) < _FEWEST_LETTERS:
            yield self._begun(same, last, key)
            return
        near = self._by_fame([*self._slips(key, _NEAR), *self._begun(same, last, key)])
        yield near
        holding = self._by_fame([(place, len(key) / len(self._keys[place])) for place in self._holding(key)])
        yield holding
        if not near and not holding:
            yield self._slips(key, _ALIKE)

    def _by_fame(self, found: list[tuple[int, float]]) -> list[tuple[int, float]]:
        return sorted(found, key=lambda one: (-self._fame[one[0]], -one[1], one[0]))

    def _end(self, key: str) -> int:
        return bisect_left(self._keys, key + "\U0010ffff")

    def _begun(self, first: int, last: int, key: str) -> list[tuple[int, float]]:
        famous = first + np.argsort(-self._fame[first:last], kind="stable")[:_MOST_HOLDING]
        return [(int(place), len(key) / len(self._keys[place])) for place in famous]

    def _slips(self, key: str, least: float) -> list[tuple[int, float]]:
        """Give keys at least so alike, the most alike first.

        A likeness l of keys whose longer one has m letters allows (1 - l) m slips. As many change the length, or bring
        a letter that was not there: which lets most keys be passed over without looking at them letter by letter.
        """
        allowed = ((1 - least) * np.maximum(self._lengths, len(key)) + _ROUNDING).astype(np.int32)
        mine = _letters(key)
        passed = np.abs(self._lengths - len(key)) <= allowed
        for lacking in (mine & ~self._letters, self._letters & ~mine):
            passed &= np.bitwise_count(lacking) <= allowed
        places = np.flatnonzero(passed).tolist()
        found = process.extract(
            key,
            [self._keys[place] for place in places],
            scorer=OSA.normalized_similarity,
            limit=_MOST_SLIPPED,
            score_cutoff=least,
        )
        return [(places[place], likeness) for _, likeness, place in found]

    def _holding(self, key: str) -> list[int]:
        places: list[int] = []
        at = self._text.find(key)
        while at >= 0 and len(places) < _MOST_HOLDING:
            places.append(int(np.searchsorted(self._starts, at, side="right")) - 1)
            at = self._text.find(key, int(self._starts[places[-1] + 1]))
        return places


def _letters(key: str) -> np.uint64:
    """Mark the letters of a key in 64 bits; several letters may share one."""
    marks = 0
    for letter in set(key):
        marks |= 1 << ord(letter) % 64
    return np.uint64(marks)
