"""What changed from one version of a line to the next, and the version number that follows from it.

The number is derived, never typed, by Croissant's rule (specification 1.1, "Version"): PATCH, the data are the same;
MINOR, there are more data and all that was there is still there as it was; MAJOR, something was edited or removed.
A member's withdrawal and an artist's opt-out remove, so they are MAJOR; so is a play more of an artist that a member
had heard before, since it edits a pair. What a version was built from counts as data as well: a contribution that is
used no more is a removal, though its member had no artist in the version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsys.dataset.version import DatasetVersion, pairs_of


@dataclass(frozen=True)
class Change:
    """How many members, artists, pairs and contributions came, went or changed between two versions."""

    members_joined: int = 0
    members_left: int = 0
    artists_added: int = 0
    artists_removed: int = 0
    pairs_added: int = 0
    pairs_removed: int = 0
    pairs_changed: int = 0
    contributions_added: int = 0
    contributions_removed: int = 0

    @property
    def level(self) -> str:
        """The part of the version number that this moves: ``major``, ``minor`` or ``patch``."""
        went = (self.members_left, self.artists_removed, self.pairs_removed, self.contributions_removed)
        if any(went) or self.pairs_changed:
            return "major"
        came = (self.members_joined, self.artists_added, self.pairs_added, self.contributions_added)
        return "minor" if any(came) else "patch"

    def words(self, because: Mapping[str, Mapping[str, int]] | None = None) -> list[str]:
        """Say what changed, a sentence a line; empty where the data are the same.

        Parameters
        ----------
        because
            For a field's name how many for which reason.
        """
        lines = [
            self._moved("members", joined="members_joined", left="members_left", because=because),
            self._moved("artists", added="artists_added", removed="artists_removed", because=because),
            self._moved("pairs", added="pairs_added", removed="pairs_removed"),
            f"pairs with other counts: {self.pairs_changed:,}" if self.pairs_changed else "",
            self._moved("contributions", added="contributions_added", removed="contributions_removed"),
        ]
        return [line for line in lines if line]

    def _moved(self, noun: str, *, because: Mapping[str, Mapping[str, int]] | None = None, **moves: str) -> str:
        told = []
        for word, field in moves.items():
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in (because or {}).get(field, {}).items())
            if count := getattr(self, field):
                told.append(f"{count:,} {word}" + (f" ({reasons})" if reasons else ""))
        return f"{noun}: {', '.join(told)}" if told else ""

    def as_facts(self) -> dict[str, int]:
        """Give what a manifest says of the change: what is not zero."""
        return {name: count for name, count in asdict(self).items() if count}


def next_version(previous: str, level: str) -> str:
    """Count a version number on (Semantic Versioning 2.0.0): ``next_version("1.4.2", "minor") == "1.5.0"``."""
    major, minor, patch = (int(part) for part in previous.split("."))
    return {"major": f"{major + 1}.0.0", "minor": f"{major}.{minor + 1}.0", "patch": f"{major}.{minor}.{patch + 1}"}[
        level
    ]


def succeed(version: DatasetVersion, parent: DatasetVersion | None) -> DatasetVersion:
    """Give a freshly built version its place behind `parent`; where nothing has changed since, that is `parent`."""
    if parent is None:
        return version
    if parent.manifest.same_data_as(version.manifest):
        return parent
    change = compare(parent, version)
    number = next_version(parent.manifest.version, change.level)
    place: Mapping[str, object] = {"parent": parent.digest, "version": number, "change": change.as_facts()}
    return replace(version, manifest=replace(version.manifest, **place))  # type: ignore[arg-type] # fields by name


def compare(before: DatasetVersion, after: DatasetVersion) -> Change:
    """Compare two versions by members, artists, pairs and contributions, each by its name."""
    joined, left = _moves(before.members, after.members)
    added, removed = _moves(before.artists.names, after.artists.names)
    fresh, gone = _moves(before.contributions, after.contributions)
    old, new = _pair_names(before, after)
    _, at_old, at_new = np.intersect1d(old, new, assume_unique=True, return_indices=True)
    counts = (pairs_of(before), pairs_of(after))
    same = (counts[0].plays[at_old] == counts[1].plays[at_new]) & (counts[0].ms[at_old] == counts[1].ms[at_new])
    return Change(
        members_joined=joined,
        members_left=left,
        artists_added=added,
        artists_removed=removed,
        pairs_added=len(new) - len(at_new),
        pairs_removed=before.manifest.counts["pairs"] - len(at_old),  # rows that were erased since count as removed
        pairs_changed=int((~same).sum()),
        contributions_added=fresh,
        contributions_removed=gone,
    )


def _moves(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[int, int]:
    old, new = set(before), set(after)
    return len(new - old), len(old - new)


def _pair_names(before: DatasetVersion, after: DatasetVersion) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give each pair of two versions one number: equal numbers are the same member and artist."""
    members = {name: number for number, name in enumerate({*before.members, *after.members})}
    artists = {name: number for number, name in enumerate({*before.artists.names, *after.artists.names})}

    def numbered(version: DatasetVersion) -> NDArray[np.int64]:
        pairs = pairs_of(version)
        member = np.fromiter((members[name] for name in version.members), np.int64, len(version.members))
        artist = np.fromiter((artists[name] for name in version.artists.names), np.int64, len(version.artists))
        return member[pairs.member] * len(artists) + artist[pairs.artist]

    return numbered(before), numbered(after)
