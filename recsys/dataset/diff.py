"""What changed between two dataset versions, why, and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recsys.consent import ArtistPolicy, ArtistPreferences, ArtistRegistry, Ledger, RegistryHead, Standing
from recsys.dataset.change import Change, compare
from recsys.dataset.manifest import Manifest
from recsys.dataset.version import DatasetVersion

LEVELS = {
    "major": "something was removed or edited",
    "minor": "data were added, and all that was there is as it was",
    "patch": "the data are the same",
}
_LEFT = {
    Standing.WITHDRAWN: "withdrew",
    Standing.EXPIRED: "let their consent expire",
    Standing.NEVER_GIVEN: "of whom there is no consent in the ledger",
    Standing.GIVEN: "still agree, but nothing of theirs is left to count",
}

Reasons = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Difference:
    """How version `after` differs from version `before`.

    Attributes
    ----------
    before, after
        Digests.
    numbers
        The two version numbers.
    change
        How much came, went and changed.
    because
        For ``members_left``, ``artists_added`` and ``artists_removed``: how many for which reason.
    facts
        Rules, refusals and code that differ: the old and the new value.
    """

    before: str
    after: str
    numbers: tuple[str, str]
    change: Change
    because: Reasons
    facts: Mapping[str, tuple[Any, Any]]

    def words(self) -> list[str]:
        """Say what changed, a sentence a line; empty where nothing did."""
        told = self.change.words(self.because)
        told += [f"{name}: {_shown(old)} became {_shown(new)}" for name, (old, new) in self.facts.items()]
        old, new = self.numbers
        head = f"{old} to {new}: {LEVELS[self.change.level]}" if old != new else ""
        return [head, *told] if head else told


def difference(
    before: DatasetVersion,
    after: DatasetVersion,
    *,
    ledger: Ledger | None = None,
    registry: ArtistRegistry | None = None,
) -> Difference:
    """Compare two versions by members, artists, pairs, rules and what was not let in.

    Parameters
    ----------
    before, after
        The versions.
    ledger, registry
        Asked why members and artists came and went; without them it is only told that they did.

    Raises
    ------
    LedgerBrokenError
        If the ledger or the registry is not whole.
    """
    because: dict[str, Mapping[str, int]] = {}
    if ledger is not None and after.manifest.purpose and after.manifest.at:
        because["members_left"] = _why_left(before, after, ledger)
    if registry is not None:
        because |= _why_artists(before, after, registry)
    return Difference(
        before=before.digest,
        after=after.digest,
        numbers=(before.manifest.version, after.manifest.version),
        change=compare(before, after),
        because={name: reasons for name, reasons in because.items() if reasons},
        facts=dict(_changed(_facts(before.manifest), _facts(after.manifest))),
    )


def _why_left(before: DatasetVersion, after: DatasetVersion, ledger: Ledger) -> dict[str, int]:
    purpose, at = after.manifest.purpose, after.manifest.at
    assert purpose is not None  # noqa: S101 - the caller has looked
    assert at is not None  # noqa: S101 - as above
    stands = ledger.standings(purpose, datetime.fromisoformat(at))
    left = set(before.members) - set(after.members)
    return dict(Counter(_LEFT[stands.get(member, Standing.NEVER_GIVEN)] for member in left).most_common())


def _why_artists(before: DatasetVersion, after: DatasetVersion, registry: ArtistRegistry) -> dict[str, dict[str, int]]:
    least = [version.manifest.rules.get("min_listeners", 1) for version in (before, after)]
    old, new = set(before.artists.names), set(after.artists.names)
    refused = [registry_then(version.manifest, registry) for version in (before, after)]
    removed = Counter(
        "opted out" if refused[1] and refused[1].refuses(name) else f"heard by fewer than {least[1]} members now"
        for name in old - new
    )
    added = Counter(
        "opted in again" if refused[0] and refused[0].refuses(name) else f"heard by {least[1]} members or more now"
        for name in new - old
    )
    return {"artists_added": dict(added.most_common()), "artists_removed": dict(removed.most_common())}


def registry_then(manifest: Manifest, registry: ArtistRegistry) -> ArtistPreferences | None:
    """Give what the artists' registry said when a version was built; ``None`` if it was not asked."""
    if manifest.artists is None or manifest.at is None:
        return None
    policy = ArtistPolicy(**manifest.artists["policy"])
    head = RegistryHead(manifest.artists["count"], manifest.artists["hash"])
    return registry.preferences(at=manifest.at, policy=policy, head=head)


def _facts(manifest: Manifest) -> dict[str, Any]:
    """Give the facts that are worth telling when they differ."""
    counts = manifest.counts
    groups = {"not let in": "refused", "rows by a refused route": "refused_routes", "left out": "left_out"}
    told = {f"{words}, {key}": count for words, group in groups.items() for key, count in counts.get(group, {}).items()}
    registry = {"artists' registry": manifest.artists["policy"] if manifest.artists else "not asked"}
    same = {"provenance": manifest.provenance, "purpose": manifest.purpose, "code": manifest.code}
    return {**{f"rule {name}": rule for name, rule in manifest.rules.items()}, **same, **registry, **told}


def _changed(old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for name in sorted(old.keys() | new.keys()):
        missing = 0 if isinstance(old.get(name, new.get(name)), int) else None
        values = old.get(name, missing), new.get(name, missing)
        if values[0] != values[1]:
            yield name, values


def _shown(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
