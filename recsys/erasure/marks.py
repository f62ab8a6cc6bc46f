"""Which versions hold somebody who has withdrawn: asked of the ledger each time, never noted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from recsys.canonical import Pseudonym
from recsys.consent import Standing
from recsys.dataset import DatasetVersion, Manifest
from recsys.errors import VersionWithdrawnError
from recsys.home import Home

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)
"""Withdrawals are asked for as of this instant: one that is recorded counts at once, whatever date it bears."""


def withdrawn_from(home: Home, purpose: str, recipient: str | None = None) -> frozenset[Pseudonym]:
    """Give the members whose last word on a purpose ends it; whose consent ran out is not among them.

    Parameters
    ----------
    home
        Whose ledger is asked.
    purpose, recipient
        What for, and for which buyer, where the purpose names one.
    """
    stands = home.ledger.standings(purpose, _END_OF_TIME, recipient)
    return frozenset(member for member, standing in stands.items() if standing is Standing.WITHDRAWN)


def left_since(home: Home, digests: Iterable[str]) -> dict[str, tuple[Pseudonym, ...]]:
    """Give for each version its members who have withdrawn since it was built or whose rows were erased, sorted.

    The ledger is read once for each line of versions. Nobody withdraws from a public benchmark.
    """
    gone: dict[str, frozenset[Pseudonym]] = {}
    found: dict[str, tuple[Pseudonym, ...]] = {}
    for digest in digests:
        manifest = home.datasets.manifest(digest)
        found[digest] = ()
        if manifest.purpose is not None:
            if manifest.line not in gone:
                gone[manifest.line] = withdrawn_from(home, manifest.purpose, manifest.recipient)
            left = gone[manifest.line].union(home.datasets.erased(digest))
            found[digest] = tuple(member for member in home.datasets.members(digest) if member in left)
    return found


def refuse_withdrawn(home: Home, digest: str) -> None:
    """Refuse a version that holds somebody who has withdrawn.

    Raises
    ------
    VersionWithdrawnError
        If so; says what to do.
    """
    if gone := left_since(home, [digest])[digest]:
        people = "1 member has" if len(gone) == 1 else f"{len(gone):,} members have"
        raise VersionWithdrawnError(
            f"{people} withdrawn since version {digest[:12]} was built; it may not be used any more. Build the next "
            "version (recsys dataset build), or repeat a run without them: recsys retrain RUN --without MEMBER"
        )


def usable(home: Home, name: str) -> DatasetVersion:
    """Load a version that may still be used.

    Raises
    ------
    VersionWithdrawnError
        If it holds somebody who has withdrawn.
    """
    refuse_withdrawn(home, home.datasets.find(name))
    return home.datasets.load(name)


def versions_with(home: Home, member: Pseudonym) -> dict[str, Manifest]:
    """Give the versions that hold a member, by digest, the oldest first."""
    store = home.datasets
    found = {digest: store.manifest(digest) for digest in store.digests() if member in store.members(digest)}
    return dict(sorted(found.items(), key=lambda one: (one[1].at or "", one[0])))
