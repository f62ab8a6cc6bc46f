"""Which spellings are one artist, and under which name an artist is shown.

:func:`recsys.listens.artist_key` says which spellings meet. Ids say more, where a source or the operator
gives them: two artists of one name are told apart, and two names of one artist meet.

A source's id comes from a member's own file, and anybody can write one into it. So such ids part and join artists only
where `min_listeners` members say the same; the operator's map (:class:`ArtistIds`) is believed at once. For the same
reason no spelling is shown that fewer members use: a rare spelling points at somebody. An artist that each listener
spells in another way is shown as the key that they share.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from recsys.listens.artist_ids import KEY, ArtistIds
from recsys.listens.artist_keys import artist_key

__all__ = ["ArtistIds", "CanonicalArtists", "Heard", "Spelling", "SpellingCount", "artist_key", "canonical_artists"]

Numbers = NDArray[np.int64]
Counts = tuple[int, int]
"""Members and plays."""

Group = TypeVar("Group", bound=Hashable)
_MAP = "map:"


class Spelling(NamedTuple):
    """What a source writes for an artist: the name, and its id where it gives one (column ``artist_id``)."""

    name: str
    id: str | None = None


class SpellingCount(NamedTuple):
    """How many members spell an artist so, and in how many plays."""

    artist: str
    spelling: str
    members: int
    plays: int


@dataclass(frozen=True, eq=False)
class Heard:
    """Who played what: entry p says that member ``member[p]`` played spelling ``spelling[p]`` ``plays[p]`` times."""

    spellings: Sequence[Spelling]
    member: Numbers
    spelling: Numbers
    plays: Numbers

    def tally(self, groups: Sequence[Group]) -> dict[Group, Counts]:
        """Count the members and the plays of each group; spelling s is in ``groups[s]``."""
        number, names = _numbered(groups)
        of_pair = number[self.spelling]
        everybody = int(self.member.max(initial=0)) + 1
        members = np.bincount(np.unique(of_pair * everybody + self.member) // everybody, minlength=len(names))
        plays = np.zeros(len(names), np.int64)
        np.add.at(plays, of_pair, self.plays)
        return dict(zip(names, zip(members.tolist(), plays.tolist(), strict=True), strict=True))


@dataclass(frozen=True, eq=False)
class CanonicalArtists:
    """The artists behind the spellings.

    Attributes
    ----------
    names
        The name of each artist, once each, in the order of code points.
    artist
        Spelling s belongs to artist ``artist[s]``, or -1: to one whom too few members listen to.
    spellings
        How the artists are spelt, by artist and spelling; spellings of too few members are not among them.
    left_out
        How many artists, and how many spellings of the artists that stayed, had too few members.
    """

    names: tuple[str, ...]
    artist: Numbers
    spellings: tuple[SpellingCount, ...]
    left_out: Mapping[str, int]


def canonical_artists(heard: Heard, *, min_listeners: int, ids: ArtistIds | None = None) -> CanonicalArtists:
    """Find the artists behind the spellings. The result does not depend on the order of anything.

    Parameters
    ----------
    heard
        Who played what under which spelling.
    min_listeners
        Artists that fewer members listen to are left out, spellings that fewer use are not shown, and ids on which
        fewer agree are not believed.
    ids
        The operator's map.
    """
    least, ids = max(min_listeners, 1), ids or ArtistIds()
    identity = _identities(heard, ids, least)
    weight = {root: counts for root, counts in heard.tally(identity).items() if counts[0] >= least}
    used = _used(heard, identity)
    first_choice = {root: _shown(root, used[root], ids, least) for root in weight}
    by_weight = sorted(weight, key=lambda root: (not root.startswith((KEY, _MAP)), *_heaviest(*weight[root]), root))
    name = _told_apart(by_weight, first_choice)
    names = sorted(name.values())
    column = {artist: number for number, artist in enumerate(names)}
    spellings = [
        SpellingCount(name[root], spelling, members, plays)
        for root in name
        for spelling, (members, plays) in used[root].items()
    ]
    shown = sorted(row for row in spellings if row.members >= least)
    left_out = {
        "artists_below_min_listeners": len(used) - len(name),
        "spellings_below_min_listeners": len(spellings) - len(shown),
    }
    artist = np.array([column[name[root]] if root in name else -1 for root in identity], np.int64)
    return CanonicalArtists(tuple(names), artist, tuple(shown), left_out)


def _identities(heard: Heard, ids: ArtistIds, least: int) -> list[str]:
    """Give for each spelling the one label of all spellings that are the same artist."""
    key_of = {name: KEY + artist_key(name) for name in {spelling.name for spelling in heard.spellings}}
    claims = [(key_of[name], _mapped(ids, given)) for name, given in heard.spellings]
    believed = {(key, given): n for (key, given), n in heard.tally(claims).items() if given and n[0] >= least}
    main: dict[tuple[str, str], str] = {}
    for key, given in sorted(believed, key=lambda claim: (*_heaviest(*believed[claim]), claim)):
        main.setdefault((key, _scheme(given)), given)
    joins = _Joins()
    for (key, scheme), given in main.items():
        if scheme != _MAP or key not in ids.artists:
            joins.join(key, given)
    for key in key_of.values():
        if key in ids.artists:
            joins.join(key, _MAP + ids.artists[key])

    def label(key: str, given: str | None) -> str:
        if given is None:
            return key
        another = (key, given) in believed and main[key, _scheme(given)] != given
        return given if another or given.startswith(_MAP) else key

    return [joins.root(label(*claim)) for claim in claims]


def _mapped(ids: ArtistIds, given: str | None) -> str | None:
    return _MAP + ids.artists[given] if given is not None and given in ids.artists else given


def _scheme(given: str) -> str:
    return given[: given.rindex(":") + 1] if ":" in given else given


class _Joins:
    """Labels that were found to mean one artist (disjoint sets); a map's label speaks for its set, then a key's."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def root(self, label: str) -> str:
        while (above := self._above.get(label, label)) != label:
            label = above
        return label

    def join(self, one: str, other: str) -> None:
        first, second = sorted((self.root(one), self.root(other)), key=_rank)
        if first != second:
            self._above[second] = first


def _rank(label: str) -> tuple[int, str]:
    return (0 if label.startswith(_MAP) else 1 if label.startswith(KEY) else 2), label


def _heaviest(members: int, plays: int) -> tuple[int, int]:
    return -members, -plays


def _used(heard: Heard, identity: Sequence[str]) -> dict[str, dict[str, Counts]]:
    """Give the spellings of each artist with their members and plays."""
    names = [spelling.name for spelling in heard.spellings]
    used: dict[str, dict[str, Counts]] = defaultdict(dict)
    for (root, name), counts in heard.tally(list(zip(identity, names, strict=True))).items():
        used[root][name] = counts
    return used


def _shown(root: str, used: Mapping[str, Counts], ids: ArtistIds, least: int) -> str:
    """Choose an artist's name: the map's, the spelling most used if enough members use it, what all share."""
    in_map = root.removeprefix(_MAP) if root.startswith(_MAP) else ""
    if in_map in ids.names:
        return ids.names[in_map]
    spelling = min(used, key=lambda name: (*_heaviest(*used[name]), name))
    if used[spelling][0] >= least:
        return spelling
    return in_map or artist_key(spelling)


def _told_apart(roots: Iterable[str], names: Mapping[str, str]) -> dict[str, str]:
    """Give each artist a name of its own: of two of one name, the second bears its id as well."""
    taken: dict[str, str] = {}
    for root in roots:
        name = names[root]
        while name in taken:
            name = f"{name} [{root}]"
        taken[name] = root
    return {root: name for name, root in taken.items()}


def _numbered(groups: Sequence[Group]) -> tuple[Numbers, list[Group]]:
    numbers: dict[Group, int] = {}
    number = np.fromiter((numbers.setdefault(group, len(numbers)) for group in groups), np.int64, len(groups))
    return number, list(numbers)
