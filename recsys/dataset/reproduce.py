"""A version built again from what it was built from: the ledger as it was, and the contributions as they were.

The ledger and the artists' registry are asked at the heads that the version names, for its instant; of the
contributions only those are read whose labels stand in it, so what was handed in later stays out. What somebody has
taken back since is not read again, not even for this; then everything but their part is compared.

Three things are taken from the manifest, since nothing else remembers them: who was refused (nothing of theirs is kept
in a version), which release of this package built it, and, where the version before is gone, what changed since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from recsys.canonical import Pseudonym
from recsys.consent import ArtistRegistry, Ledger, Standing, admit
from recsys.consent.policy import OWN, Policy
from recsys.dataset.builder import build
from recsys.dataset.change import succeed
from recsys.dataset.diff import registry_then
from recsys.dataset.manifest import Manifest
from recsys.dataset.reading import contribution_label
from recsys.dataset.store import DatasetStore
from recsys.dataset.version import DatasetVersion, pairs_of
from recsys.errors import ConfigError, ConsentMissingError, DatasetTooSmallError, VersionBrokenError
from recsys.listens import ArtistIds, Contributions, Listens, artist_key

ERASED, WITHDREW, LOST = "whose data were erased", "who withdrew", "whose contributions are not in the store"


@dataclass(frozen=True)
class Reproduction:
    """What building a version again came to.

    Attributes
    ----------
    digest
        The version's.
    rebuilt
        The digest that came out; ``None`` if too little is left to build anything.
    absent
        How many of its members could not be read, for which reason.
    contributions_absent
        How many of the contributions it was built from could not be read.
    pairs_same, pairs_different, pairs_untold
        Of the pairs of the members who could be read: how many came out as they were, how many did not, and for how
        many it cannot be told, since too few of the remaining members listen to their artist.
    number_checked
        Whether the version before it was there, so that the number and the change could be derived again.
    """

    digest: str
    rebuilt: str | None
    absent: Mapping[str, int]
    contributions_absent: int
    pairs_same: int
    pairs_different: int
    pairs_untold: int
    number_checked: bool

    @property
    def same(self) -> bool:
        """Whether the same version came out."""
        return self.rebuilt == self.digest

    def words(self) -> list[str]:
        """Say it."""
        taken = (
            ""
            if self.number_checked
            else "; the version before it is not there as it was, so the number is taken as recorded"
        )
        if self.same:
            return [f"built again to the same digest {self.digest}{taken}"]
        lines = [f"not built again to {self.digest}" + (f": it came to {self.rebuilt}" if self.rebuilt else "")]
        if self.absent or self.contributions_absent:
            told = ", ".join(f"{count:,} {reason}" for reason, count in self.absent.items())
            lines.append(
                f"no longer possible as a whole: {self.contributions_absent:,} of its contributions cannot be read"
                + (f"; members: {told}" if told else "")
            )
        lines.append(f"{self.pairs_same:,} pairs of the other members came out as they were")
        if self.pairs_untold:
            lines.append(f"{self.pairs_untold:,} cannot be told: of those who are left, too few listen to the artist")
        if self.pairs_different:
            lines.append(f"{self.pairs_different:,} of their pairs came out differently")
        elif not self.absent and not self.contributions_absent:
            lines.append("the data are the same; a fact in the manifest, or the code that builds, is another")
        return lines


def reproduce(
    store: DatasetStore,
    name: str,
    *,
    ledger: Ledger,
    contributions: Contributions,
    registry: ArtistRegistry,
    at: datetime,
    ids: ArtistIds | None = None,
) -> Reproduction:
    """Build a version again and compare. Nothing is written.

    Parameters
    ----------
    store, name
        Where the version is, and its digest or the beginning of it.
    ledger, contributions, registry
        What it is built from.
    at
        Now: who has withdrawn by then is not read.
    ids
        The operator's map of artists, if one was used.

    Raises
    ------
    ConfigError
        If the version is a benchmark, was built from listens that were never stored, or needs another map of artists.
    LedgerBrokenError, LogBrokenError
        If the ledger or the registry is not whole, or is not the one that the version was built with.
    """
    version = store.load(name, remains=True)
    manifest = version.manifest
    _check_possible(version, ids)
    ledger.check_reaches(**(manifest.ledger or {}))
    withdrawn = _withdrawn(manifest, ledger, at)
    pool = _Recorded(contributions, set(version.contributions), withdrawn)
    rebuilt = _rebuilt(manifest, pool, ledger, registry, ids)
    parent = _parent(store, manifest)
    named = _as_recorded(rebuilt, manifest, parent) if rebuilt else None
    same, different, untold = _compare(version, rebuilt, set(pool.members))
    return Reproduction(
        digest=version.digest,
        rebuilt=named.digest if named else None,
        absent=dict(Counter(_why_absent(version, pool, contributions, withdrawn)).most_common()),
        contributions_absent=pool.absent,
        pairs_same=same,
        pairs_different=different,
        pairs_untold=untold,
        number_checked=parent is not None or manifest.parent is None,
    )


class _Recorded:
    """A pool of the contributions that a version was built from, as far as they may be read."""

    def __init__(self, contributions: Contributions, labels: set[str], without: set[Pseudonym]) -> None:
        self._contributions = contributions
        self._exports = {
            member: used
            for member in contributions.members
            if member not in without
            and (used := [e for e in contributions.exports(member) if contribution_label(member, e) in labels])
        }
        self.absent = len(labels) - sum(map(len, self._exports.values()))

    @property
    def members(self) -> tuple[Pseudonym, ...]:
        return tuple(self._exports)

    def read(self, member: str) -> Listens:
        return self._contributions.read(member, only=self._exports[Pseudonym(member)])


def _check_possible(version: DatasetVersion, ids: ArtistIds | None) -> None:
    if not version.consented or version.manifest.ledger is None:
        raise ConfigError(
            f"version {version.digest[:12]} is a public benchmark; import its files again and compare the digests"
        )
    if not version.contributions:
        raise ConfigError(
            f"version {version.digest[:12]} was not built from stored contributions, so there is nothing to build it "
            "from again"
        )
    needed, given = version.manifest.rules.get("artist_ids"), ids.digest if ids else None
    if needed != given:
        raise ConfigError(
            f"version {version.digest[:12]} was built with the map of artists {needed}, not with {given}; give the "
            "same file: --artist-ids FILE"
        )


def _withdrawn(manifest: Manifest, ledger: Ledger, at: datetime) -> set[Pseudonym]:
    stands = ledger.standings(str(manifest.purpose), at, manifest.recipient)
    return {member for member, standing in stands.items() if standing is Standing.WITHDRAWN}


def _rebuilt(
    manifest: Manifest, pool: _Recorded, ledger: Ledger, registry: ArtistRegistry, ids: ArtistIds | None
) -> DatasetVersion | None:
    grounds = {route: ground for route, ground in manifest.rules["routes"].items() if route not in set(OWN)}
    try:
        admitted = admit(
            pool,
            ledger,
            str(manifest.purpose),
            datetime.fromisoformat(str(manifest.at)),
            recipient=manifest.recipient,
            policy=Policy(grounds),
            count=manifest.ledger["count"] if manifest.ledger else None,
        )
        artists = registry_then(manifest, registry)
        return build(admitted, min_listeners=manifest.rules["min_listeners"], ids=ids, artists=artists)
    except (ConsentMissingError, DatasetTooSmallError):
        return None


def _parent(store: DatasetStore, manifest: Manifest) -> DatasetVersion | None:
    if manifest.parent is None or manifest.parent not in store or store.erased(manifest.parent):
        return None
    try:
        return store.load(manifest.parent)
    except VersionBrokenError:
        return None


def _as_recorded(rebuilt: DatasetVersion, manifest: Manifest, parent: DatasetVersion | None) -> DatasetVersion:
    """Add what only the manifest remembers."""
    counts = {**rebuilt.manifest.counts, "refused": manifest.counts["refused"]}
    facts = replace(rebuilt.manifest, counts=counts, code=manifest.code)
    if parent is None:
        facts = replace(facts, parent=manifest.parent, version=manifest.version, change=manifest.change)
    return succeed(replace(rebuilt, manifest=facts), parent)


def _compare(before: DatasetVersion, after: DatasetVersion | None, members: set[Pseudonym]) -> tuple[int, int, int]:
    """Count the pairs of these members that came out the same, differently, and that cannot be told."""
    old = _by_name(before, members)
    new = _by_name(after, members) if after else {}
    told = {artist_key(name) for name in after.artists.names} if after else set()
    same = sum(new.get(pair) == counts for pair, counts in old.items())
    untold = sum(pair[1] not in told for pair in old)
    added = sum(pair not in old for pair in new)
    return same, len(old) - same - untold + added, untold


def _by_name(version: DatasetVersion, members: set[Pseudonym]) -> dict[tuple[str, str], tuple[int, int]]:
    """Give the pairs of some members by pseudonym and artist key, which does not depend on which spelling is shown."""
    pairs = pairs_of(version)
    keys = [artist_key(name) for name in version.artists.names]
    rows = zip(pairs.member.tolist(), pairs.artist.tolist(), pairs.plays.tolist(), pairs.ms.tolist(), strict=True)
    named = ((version.members[row], keys[column], plays, ms) for row, column, plays, ms in rows)
    return {(member, key): (plays, ms) for member, key, plays, ms in named if member in members}


def _why_absent(
    version: DatasetVersion, pool: _Recorded, contributions: Contributions, withdrawn: set[Pseudonym]
) -> Iterable[str]:
    for member in set(version.members) - set(pool.members):
        if contributions.keys.tombstone(member) is not None:
            yield ERASED
        else:
            yield WITHDREW if member in withdrawn else LOST
