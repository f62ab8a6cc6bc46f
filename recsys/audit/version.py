"""A dataset version: its parts, its cards, the artists' registry, the ledger, and every member's consent."""

from __future__ import annotations

from datetime import datetime

from recsys.consent import ArtistPolicy, RegistryHead, Standing
from recsys.dataset import Manifest
from recsys.dataset.card import changed_cards, gather
from recsys.erasure import refuse_withdrawn
from recsys.errors import ConsentMissingError, LedgerBrokenError, VersionBrokenError
from recsys.home import Home
from recsys.transparency import VerifyKey
from recsys.verdict import Checks

_SHOWN = 3


def check_version(checks: Checks, home: Home, digest: str, key: VerifyKey) -> None:
    """Check a version and, if people are in it, every consent that it rests on."""
    if not checks.look("manifest", lambda: _manifest(home, digest)):
        checks.look("ledger", lambda: _ledger(home, key))
        return
    manifest = home.datasets.manifest(digest)
    checks.look("parts", lambda: _parts(home, digest))
    checks.look("cards", lambda: _cards(home, digest), needs=["parts"])
    if manifest.ledger is None:
        return
    checks.look("artists who opted out", lambda: _opted_out(home, digest, manifest), needs=["parts"])
    checks.look("ledger", lambda: _ledger(home, key))
    checks.look("ledger of the version", lambda: _reaches(home, manifest), needs=["ledger"])
    checks.look("consents", lambda: _consents(home, digest, manifest), needs=["ledger", "ledger of the version"])
    checks.look("nobody has left", lambda: _nobody_left(home, digest), needs=["ledger"])


def _manifest(home: Home, digest: str) -> str:
    manifest = home.datasets.manifest(digest)
    return f"version {digest[:12]}, number {manifest.version}, for {manifest.purpose or 'research on public data'}"


def _parts(home: Home, digest: str) -> str:
    version = home.datasets.load(digest)
    names = ", ".join(sorted(version.manifest.content))
    return f"{names} are as they were built: {len(version.members):,} members, {len(version.artists):,} artists"


def _cards(home: Home, digest: str) -> str:
    folder = home.datasets.path(digest)
    if changed := changed_cards(gather(home.datasets, digest, home.collective), folder):
        raise VersionBrokenError(
            f"{', '.join(changed)} says something else than the facts: it was edited by hand, or what the collective "
            "states of itself has changed since; write it again: recsys dataset card VERSION"
        )
    return "they say what the manifest says"


def _opted_out(home: Home, digest: str, manifest: Manifest) -> str:
    if manifest.artists is None:
        return "the registry was not asked when the version was built, as its manifest says"
    facts = manifest.artists
    policy, head = ArtistPolicy(**facts["policy"]), RegistryHead(facts["count"], facts["hash"])
    told = home.artists.preferences(at=str(manifest.at), policy=policy, head=head)
    names: dict[str, set[str]] = {}
    version = home.datasets.load(digest)
    for row in version.spellings:
        names.setdefault(row.artist, set()).add(row.spelling)
    refused = [name for name in version.artists.names if told.refuses(name, *names.get(name, ()))]
    if refused:
        raise VersionBrokenError(f"artists who had opted out are in it: {', '.join(refused[:_SHOWN])}")
    return f"none of {facts['count']:,} declarations in the registry then refuses an artist who is in it"


def _ledger(home: Home, key: VerifyKey) -> str:
    if home.ledger.operator_key != key:
        raise LedgerBrokenError(
            f"the ledger here is signed with key {home.ledger.operator_key.id[:12]}, not with {key.id[:12]}"
        )
    head = home.ledger.verify()
    return f"{head.count:,} entries, each with its signed record, as the signed head {head.hash[:12]} says"


def _reaches(home: Home, manifest: Manifest) -> str:
    told = dict(manifest.ledger or {})
    home.ledger.check_reaches(**told)
    return f"it begins with the {told['count']:,} entries that the version was built on"


def _consents(home: Home, digest: str, manifest: Manifest) -> str:
    count = (manifest.ledger or {})["count"]
    at = datetime.fromisoformat(str(manifest.at))
    stands = home.ledger.standings(str(manifest.purpose), at, manifest.recipient, count=count)
    members = home.datasets.members(digest)
    without = [member for member in members if stands.get(member) is not Standing.GIVEN]
    if without:
        raise ConsentMissingError(
            f"{len(without):,} of {len(members):,} members had not agreed to {manifest.purpose} at {manifest.at}: "
            + ", ".join(member[:12] for member in without[:_SHOWN])
        )
    return f"all {len(members):,} members agreed to {manifest.purpose} at {manifest.at}, as recorded then"


def _nobody_left(home: Home, digest: str) -> str:
    refuse_withdrawn(home, digest)
    return "nobody in it has withdrawn since"
