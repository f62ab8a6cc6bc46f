"""What changed between two dataset versions, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.dataset.version import DatasetVersion, pairs_of


@dataclass(frozen=True)
class Difference:
    """How version `after` differs from version `before`."""

    before: str
    after: str
    members_joined: int
    members_left: int
    artists_added: int
    artists_removed: int
    pairs_added: int
    pairs_removed: int
    pairs_changed: int
    changed_rules: dict[str, tuple[Any, Any]]

    def words(self) -> list[str]:
        """Say what changed, a sentence a line; empty where nothing did."""
        lines = [
            _grown("member", self.members_joined, "joined", self.members_left, "left"),
            _grown("artist", self.artists_added, "added", self.artists_removed, "removed"),
            _grown("pair", self.pairs_added, "added", self.pairs_removed, "removed"),
            f"{self.pairs_changed} pairs have other counts" if self.pairs_changed else "",
        ]
        lines += [f"{rule}: {old} became {new}" for rule, (old, new) in self.changed_rules.items()]
        return [line for line in lines if line]


def _grown(noun: str, plus: int, came: str, minus: int, went: str) -> str:
    parts = [f"{plus} {came}" if plus else "", f"{minus} {went}" if minus else ""]
    said = ", ".join(part for part in parts if part)
    return f"{noun}s: {said}" if said else ""


def difference(before: DatasetVersion, after: DatasetVersion) -> Difference:
    """Compare two versions by members, artists, pairs and rules."""
    old, new = _by_name(before), _by_name(after)
    shared = old.keys() & new.keys()
    members = (set(before.members), set(after.members))
    artists = (set(before.artists.names), set(after.artists.names))
    return Difference(
        before=before.digest,
        after=after.digest,
        members_joined=len(members[1] - members[0]),
        members_left=len(members[0] - members[1]),
        artists_added=len(artists[1] - artists[0]),
        artists_removed=len(artists[0] - artists[1]),
        pairs_added=len(new) - len(shared),
        pairs_removed=len(old) - len(shared),
        pairs_changed=sum(old[pair] != new[pair] for pair in shared),
        changed_rules=_changed(_facts(before), _facts(after)),
    )


def _by_name(version: DatasetVersion) -> dict[tuple[str, str], tuple[int, int]]:
    pairs = pairs_of(version)
    members = np.array(version.members, dtype=object)[pairs.member]
    artists = np.array(version.artists.names, dtype=object)[pairs.artist]
    counts = zip(pairs.plays.tolist(), pairs.ms.tolist(), strict=True)
    return dict(zip(zip(members, artists, strict=True), counts, strict=True))


def _facts(version: DatasetVersion) -> dict[str, Any]:
    manifest = version.manifest
    return {**manifest.rules, "provenance": manifest.provenance, "purpose": manifest.purpose}


def _changed(old: dict[str, Any], new: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = sorted(old.keys() | new.keys())
    return {name: (old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}
