"""May this run be shared with this buyer at all: asked of the version, the ledger, the terms and the vote, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from recsys.bundle.approval import Approval
from recsys.bundle.terms import Terms
from recsys.canonical import sha256_file, utc_text
from recsys.consent import Standing
from recsys.consent.terms import NAMES_RECIPIENT
from recsys.dataset import CONSENTED, DatasetVersion
from recsys.erasure import usable, withdrawn_from
from recsys.errors import NotForSaleError, SignatureInvalidError
from recsys.home import Home
from recsys.named import NamedModel
from recsys.provenance import Provenance
from recsys.transparency import Envelope

if TYPE_CHECKING:
    from recsys.tracking import FinishedRun

_TRAINING = "train-recommender"


@dataclass(frozen=True, eq=False)
class Cleared:
    """A run that may be shared, and what shows it.

    Attributes
    ----------
    version
        The dataset version that it was trained on.
    agreement
        Who was asked what, and how many agree: ``purpose``, ``recipient``, ``asked_at``, ``members``, ``agree``.
    named
        The model, from the very files that were looked at.
    training
        The signed statement of how it was trained.
    approval
        The signed approval of the members' vote, where there is one.
    """

    version: DatasetVersion
    agreement: Mapping[str, Any]
    named: NamedModel
    training: Envelope
    approval: Envelope | None


def clear(home: Home, run: FinishedRun, terms: Terms, *, at: datetime, approval: Envelope | None) -> Cleared:
    """Let a run pass that may be shared by these terms.

    Raises
    ------
    NotForSaleError
        If the version is a public benchmark or for another purpose, a member does not agree, or a vote is missing.
    VersionWithdrawnError
        If somebody in the version has withdrawn.
    TermsInvalidError
        If the terms have run out.
    SignatureInvalidError
        If the run's model is not what was signed when it was trained, or the approval was signed by somebody else.
    """
    _check_purpose(home, run.dataset_digest, terms)
    version = usable(home, run.dataset_digest)
    agreement = _agreement(home, version, terms, at)
    terms.refuse_expired(at)
    _check_vote(home, run, terms, approval)
    return Cleared(version, agreement, *_trained(home, run), approval)


def _check_purpose(home: Home, digest: str, terms: Terms) -> None:
    manifest = home.datasets.manifest(digest)
    if manifest.provenance != CONSENTED:
        raise NotForSaleError(
            f"version {digest[:12]} is a {manifest.provenance}: nobody in it agreed to anything; only a model of "
            "members who agreed can be handed on"
        )
    if manifest.purpose not in {_TRAINING, NAMES_RECIPIENT} or manifest.recipient not in {None, terms.buyer}:
        wanted = f"{manifest.purpose} with {manifest.recipient}" if manifest.recipient else manifest.purpose
        raise NotForSaleError(
            f"version {digest[:12]} was built for {wanted}; {terms.buyer!r} can have a model of a version that was "
            f"built for {_TRAINING}, or for {NAMES_RECIPIENT} with that very name"
        )


def _agreement(home: Home, version: DatasetVersion, terms: Terms, at: datetime) -> dict[str, Any]:
    stands = home.ledger.standings(NAMES_RECIPIENT, at, terms.buyer)
    stands |= dict.fromkeys(withdrawn_from(home, NAMES_RECIPIENT, terms.buyer), Standing.WITHDRAWN)  # whenever that was
    found = Counter(stands.get(member, Standing.NEVER_GIVEN) for member in version.members)
    if found[Standing.GIVEN] < len(version.members):
        others = ", ".join(f"{standing.value}: {n:,}" for standing, n in sorted(found.items()) if standing != "given")
        raise NotForSaleError(
            f"{found[Standing.GIVEN]:,} of the {len(version.members):,} members in version {version.digest[:12]} agree "
            f"to share with {terms.buyer!r} ({others}); train on those who do: "
            f'recsys dataset build --purpose {NAMES_RECIPIENT} --recipient "{terms.buyer}", then '
            f'recsys train --purpose {NAMES_RECIPIENT} --recipient "{terms.buyer}"'
        )
    return {
        "purpose": NAMES_RECIPIENT,
        "recipient": terms.buyer,
        "asked_at": utc_text(at),
        "members": len(version.members),
        "agree": found[Standing.GIVEN],
    }


def _check_vote(home: Home, run: FinishedRun, terms: Terms, approval: Envelope | None) -> None:
    if terms.kind != "full" and terms.proposal is None:
        return
    if approval is None:
        raise NotForSaleError(
            f"these terms need the members' vote (proposal {str(terms.proposal)[:12]}); give its approval: "
            "--approval FILE, from recsys vote"
        )
    voted = Approval.read(approval.to_json(), home.operator.public)
    voted.covers(terms)
    voted.covers_run(run.id, run.dataset_digest)


def _trained(home: Home, run: FinishedRun) -> tuple[NamedModel, Envelope]:
    """Give the run's model and the signed statement of the run, if these are still the files that it is about."""
    document = run.document(Provenance.DOCUMENT)
    if document is None:
        raise SignatureInvalidError(f"nobody signed how run {run.id[:12]} was trained; train again: recsys train")
    stated = Provenance.verified(document, home.operator.public)
    folder = run.model_folder()
    found = {path.name: sha256_file(path) for path in folder.iterdir()}
    if found != dict(stated.files) or (stated.run, stated.version) != (run.id, run.dataset_digest):
        raise SignatureInvalidError(
            f"run {run.id[:12]} is not what was signed when it was trained: its model or its version was changed; "
            "recsys audit says which"
        )
    return NamedModel.load(folder), Envelope.from_json(document)
