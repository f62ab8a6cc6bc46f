"""What a licence is for: the bundle or file that is handed over, and whether its terms are those that were voted on.

Apart from the other files of this room, since what it needs of bundles loads MLflow, which takes seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.canonical import parse_json, sha256_file, sha256_hex
from recsys.collective.licence import Licence
from recsys.collective.proposals import Proposal
from recsys.errors import BundleInvalidError, NotForSaleError
from recsys.transparency import Envelope, VerifyKey

if TYPE_CHECKING:
    from recsys.bundle import Manifest, Terms


def digest_of(handed_over: Path, kind: str) -> str:
    """Name what is handed over: a bundle by its digest, an aggregate's file by its SHA-256.

    Raises
    ------
    BundleInvalidError
        If it is no bundle.
    """
    from recsys.bundle.archive import read_file  # noqa: PLC0415 - see above
    from recsys.bundle.contents import MANIFEST  # noqa: PLC0415

    if kind == "aggregate":
        return sha256_file(handed_over)
    return sha256_hex(_entry(read_file(handed_over), MANIFEST))


def licence_for(proposal: Proposal, approval: Envelope, operator: VerifyKey, handed_over: Path, issued: str) -> Licence:
    """Make the licence that a proposal comes to.

    Parameters
    ----------
    proposal, approval
        What was voted on, and the operator's word that it passed.
    operator
        The operator's public key.
    handed_over
        The bundle; of an aggregate, its file.
    issued
        When (UTC text).

    Raises
    ------
    NotForSaleError
        If the bundle's terms, or what it is made of, are not those that were voted on.
    BundleInvalidError
        If it is no bundle.
    """
    from recsys.bundle import Approval  # noqa: PLC0415 - see above

    approved = Approval.read(approval.to_json(), operator)
    expires = approved.expires
    if proposal.kind != "aggregate":
        manifest, terms = _read(handed_over)
        approved.covers(terms)
        _check_made_of(proposal, manifest)
        expires = terms.expires
    return Licence(
        proposal=proposal.hash,
        buyer=proposal.buyer,
        purpose=proposal.purpose,
        kind=proposal.kind,
        bundle=digest_of(handed_over, proposal.kind),
        issued=issued,
        expires=expires,
        price_cents=proposal.price_cents,
        currency=proposal.currency,
    )


def _read(bundle: Path) -> tuple[Manifest, Terms]:
    """Read what a bundle says it is, and the terms in it that its manifest names."""
    from recsys.bundle import Manifest, Terms  # noqa: PLC0415 - see above
    from recsys.bundle.archive import read_file  # noqa: PLC0415
    from recsys.bundle.contents import MANIFEST, TERMS  # noqa: PLC0415

    entries = read_file(bundle)
    manifest, data = Manifest.from_bytes(_entry(entries, MANIFEST)), _entry(entries, TERMS)
    if manifest.files.get(TERMS, {}).get("sha256") != sha256_hex(data):
        raise BundleInvalidError(f"{TERMS} in {bundle.name} is not the one that its manifest names")
    return manifest, Terms.from_odrl(parse_json(data))


def _check_made_of(proposal: Proposal, manifest: Manifest) -> None:
    """Refuse a bundle that is made of something else than was voted on."""
    for voted, made, what in (
        (proposal.run, manifest.run, "run"),
        (proposal.version, manifest.dataset_version, "dataset version"),
    ):
        if voted is not None and voted != made:
            raise NotForSaleError(f"the members voted on the {what} {voted!r}; the bundle is made of {made!r}")


def _entry(entries: Mapping[str, bytes], name: str) -> bytes:
    if name not in entries:
        raise BundleInvalidError(f"it has no {name}, so it is no bundle")
    return entries[name]
