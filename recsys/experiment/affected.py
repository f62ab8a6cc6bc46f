"""Which versions and runs used a member's data: asked of the stores each time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from recsys.canonical import Pseudonym
from recsys.dataset import Manifest
from recsys.erasure import left_since, versions_with
from recsys.home import Home
from recsys.tracking import FinishedRun, Tracker

TAG = "recsys.withdrawn"
"""Tag of a run whose version holds somebody who has withdrawn; it says how many. A help for who looks, no source."""


@dataclass(frozen=True)
class Affected:
    """What used a member's data.

    Attributes
    ----------
    member
        Whose data.
    versions
        The versions that hold them, by digest, the oldest first.
    left
        For each version, who in it has withdrawn; where that is anybody, it may not be used any more.
    runs
        The finished runs of each of those versions, by digest.
    """

    member: Pseudonym
    versions: dict[str, Manifest]
    left: dict[str, tuple[Pseudonym, ...]]
    runs: dict[str, tuple[FinishedRun, ...]]

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        return {
            "member": self.member,
            "versions": [
                {
                    "digest": digest,
                    "at": manifest.at,
                    "withdrawn": len(self.left[digest]),
                    "runs": [run.id for run in self.runs[digest]],
                }
                for digest, manifest in self.versions.items()
            ],
        }


def affected(home: Home, member: str) -> Affected:
    """Find the versions that hold a member and the runs that were trained on them."""
    pseudonym = home.pseudonyms.of(member)
    versions = versions_with(home, pseudonym)
    tracker = Tracker(home.path)
    runs = {digest: tuple(tracker.of_version(digest)) for digest in versions}
    return Affected(pseudonym, versions, left_since(home, versions), runs)


def tag_affected(home: Home, found: Affected) -> int:
    """Tag the runs of withdrawn versions, so that they show in MLflow; give how many there are."""
    tracker = Tracker(home.path)
    count = 0
    for digest, left in found.left.items():
        for run in found.runs[digest] if left else ():
            tracker.reopen(run.id).tags({TAG: f"{len(left)} of the members it was trained on have withdrawn"})
            count += 1
    return count
