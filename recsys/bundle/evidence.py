"""What shows that members agreed: said by the collective with its own key about this very bundle.

Who trusts what: the seal says that nobody changed the file since the seal's key signed it. The collective's statement
names that key, so whoever knows the collective's key need not have been told the seal's, and the other way round; who
knows neither has only somebody's word. The ledger's head is the collective's signed promise of what its ledger holds:
counts here are its word, and any member can be asked to show a proof against that head
(``recsys consent verify``). Nobody is named, by pseudonym or otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from recsys.bundle.approval import Approval
from recsys.bundle.contents import ARTISTS, MODEL, PRIVACY, SCORES, TERMS, Manifest
from recsys.bundle.seal import SealPublic
from recsys.bundle.terms import Terms
from recsys.canonical import canonical_json, sha256_hex
from recsys.errors import BundleInvalidError, SignatureInvalidError
from recsys.provenance import Provenance
from recsys.transparency import Envelope, VerifyKey, read_statement, sign, statement
from recsys.transparency.heads import TreeHead
from recsys.transparency.statement import PAYLOAD_TYPE

if TYPE_CHECKING:
    from recsys.bundle.gate import Cleared
    from recsys.home import Home

_PREDICATE = "urn:recsys:bundle:1"
_SEAL = "seal.pub"
_LOG = "consent"
_STATED = {MODEL, ARTISTS, TERMS, SCORES, PRIVACY}
"""Entries that the collective speaks for, whatever else a statement names."""
_COUNTS = ("members", "artists", "pairs", "plays")


def evidence(
    home: Home, cleared: Cleared, *, run: str, packed_at: str, files: Mapping[str, bytes], seal: SealPublic
) -> dict[str, Any]:
    """Gather the evidence of a bundle, signed by the collective.

    Parameters
    ----------
    home, cleared
        Whose ledger, and what the gate found.
    run, packed_at
        The run that is shared, and when.
    files
        The entries that the statement is about.
    seal
        The key that the bundle will be sealed with.
    """
    manifest, head = cleared.version.manifest, home.ledger.signed_head()
    if head is None or manifest.ledger is None:
        raise BundleInvalidError("the consent ledger is empty; nothing can be shown of consent")
    told: dict[str, Any] = {
        "dataset": {
            "digest": cleared.version.digest,
            "version": manifest.version,
            "line": manifest.line,
            "provenance": manifest.provenance,
            "purpose": manifest.purpose,
            "recipient": manifest.recipient,
            "at": manifest.at,
            "counts": {name: manifest.counts[name] for name in _COUNTS},
        },
        "agreement": dict(cleared.agreement),
        "ledger": {"at_build": dict(manifest.ledger), "signed_head": _plain(head)},
        "training": _plain(cleared.training),
        "approval": _plain(cleared.approval) if cleared.approval else None,
    }
    subjects = {name: sha256_hex(data) for name, data in files.items()} | {_SEAL: seal.id}
    predicate = {"run": run, "packed_at": packed_at, "evidence": sha256_hex(canonical_json(told))}
    stated = sign(PAYLOAD_TYPE, canonical_json(statement(subjects, _PREDICATE, predicate)), home.operator)
    return told | {"operator_key": home.operator.public.pem, "statement": _plain(stated)}


def check_evidence(
    told: Any,  # noqa: ANN401 - any JSON value
    manifest: Manifest,
    terms: Terms,
    *,
    seal: SealPublic,
    operator: VerifyKey | None,
) -> str:
    """Check what a bundle says of consent, and say it in a sentence.

    Parameters
    ----------
    told
        The parsed document.
    manifest, terms
        Of the same bundle, whose entries are those that the manifest names.
    seal
        The key that it is sealed with.
    operator
        The collective's key, if it is known from elsewhere.

    Raises
    ------
    SignatureInvalidError
        If a signature in it does not hold, or is another collective's.
    BundleInvalidError
        If it says something else than the rest of the bundle, or not that everybody agreed.
    """
    try:
        key = VerifyKey.from_pem(told["operator_key"])
        if operator is not None and key != operator:
            raise SignatureInvalidError(f"the bundle is of the collective {key.id[:12]}, not of {operator.id[:12]}")
        subjects, predicate = _read(told["statement"], key, _PREDICATE)
        _check_statement(told, subjects, predicate, manifest, seal)
        head = TreeHead.verified(_envelope(told["ledger"]["signed_head"]), key)
        _check_agreement(told, head, manifest, terms)
        training = Provenance.verified(canonical_json(told["training"]), key)
        if (training.run, training.version) != (manifest.run, manifest.dataset_version):
            raise BundleInvalidError("the statement about the training is about another run or version")
        if terms.proposal is not None:
            Approval.read(canonical_json(told["approval"]), key).covers(terms)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleInvalidError(f"the evidence of consent is incomplete: {error!r}") from error
    members = told["agreement"]["members"]
    trusted = "the key that you gave" if operator else "its own key; ask the collective whether it is theirs"
    return (
        f"all {members:,} members agreed to share with {terms.buyer}, as the collective states with {trusted} "
        f"({key.id[:12]}); its ledger had {head.size:,} entries on {head.at[:10]}"
    )


def _check_statement(
    told: Mapping[str, Any],
    subjects: Mapping[str, str],
    predicate: Mapping[str, Any],
    manifest: Manifest,
    seal: SealPublic,
) -> None:
    if subjects.get(_SEAL) != seal.id:
        raise SignatureInvalidError("the collective's statement names another seal: this one is not by its leave")
    files = {name: digest for name, digest in subjects.items() if name != _SEAL}
    if not files.keys() >= _STATED or any(
        manifest.files.get(name, {}).get("sha256") != digest for name, digest in files.items()
    ):
        raise SignatureInvalidError("the collective's statement is about other files than these")
    said = {name: part for name, part in told.items() if name not in {"operator_key", "statement"}}
    about = {"run": manifest.run, "packed_at": manifest.packed_at, "evidence": sha256_hex(canonical_json(said))}
    if predicate != about:
        raise SignatureInvalidError("the evidence is not what the collective stated")


def _check_agreement(told: Mapping[str, Any], head: TreeHead, manifest: Manifest, terms: Terms) -> None:
    dataset, agreement, at_build = told["dataset"], told["agreement"], told["ledger"]["at_build"]
    if dataset["digest"] != manifest.dataset_version or dataset["provenance"] != "consented":
        raise BundleInvalidError("the evidence is about another dataset version, or one that nobody agreed to")
    if agreement["recipient"] != terms.buyer or agreement["asked_at"] != manifest.packed_at:
        raise BundleInvalidError("the members were asked about another buyer, or at another time")
    if not agreement["members"] == agreement["agree"] == dataset["counts"]["members"]:
        raise BundleInvalidError(f"only {agreement['agree']} of {agreement['members']} members agreed")
    if head.log != _LOG or not 0 < at_build["count"] <= head.size:
        raise BundleInvalidError("the ledger's head is older than the dataset version, or of another log")


def _read(told: Any, key: VerifyKey, kind: str) -> tuple[dict[str, str], dict[str, Any]]:  # noqa: ANN401 - JSON
    return read_statement(_envelope(told).verify(key, PAYLOAD_TYPE), kind)


def _envelope(told: Any) -> Envelope:  # noqa: ANN401 - any JSON value
    return Envelope.from_json(canonical_json(told))


def _plain(envelope: Envelope) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(envelope.to_json())
    return document
