"""Proofs of consent in files: made for a version or a kept head, checked, and said in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from recsys.canonical import parse_json, sha256_hex
from recsys.consent.events import Event, Head
from recsys.consent.ledger import Ledger
from recsys.consent.proofs import ConsentProof, Proved
from recsys.consent.receipt import read_receipt
from recsys.consent.terms import PURPOSES, Kind, Standing
from recsys.errors import ConfigError, ProofInvalidError
from recsys.transparency import Envelope, VerifyKey
from recsys.transparency.heads import TreeHead

_MEANING = {
    Standing.GIVEN: "yes: their rows may be used for this",
    Standing.NEVER_GIVEN: "no: they never agreed, and their rows may not be used for this",
    Standing.EXPIRED: "no: their consent had ended, and their rows may not be used for this",
    Standing.WITHDRAWN: "no: they had taken it back, and their rows may not be used for this",
}
_VERBS = {
    Kind.GRANT: "agrees to",
    Kind.RENEW: "agrees again to",
    Kind.WITHDRAW: "takes back",
    Kind.REVOKE: "loses, by the collective's word,",
}


def proof_for(
    ledger: Ledger,
    member: str,
    purpose: str,
    at: datetime,
    *,
    recipient: str | None = None,
    version: tuple[str, Mapping[str, Any] | None] | None = None,
    since: Path | None = None,
) -> ConsentProof:
    """Prove how a member stood, now or for an earlier state of the ledger.

    Parameters
    ----------
    ledger, member, purpose, at, recipient
        As in :meth:`recsys.consent.Ledger.prove`.
    version
        Digest of a dataset version, and the ledger's head as its manifest names it.
    since
        A file that holds an earlier signed head.

    Raises
    ------
    ConfigError
        If version and head are both given, or the version knows no ledger, or the file cannot be read.
    SignatureInvalidError
        If the file holds no head that this collective signed.
    """
    if version is not None and since is not None:
        raise ConfigError("a proof is for a version or for an earlier head; give one of both")
    if version is not None:
        digest, told = version
        if told is None:
            raise ConfigError(f"version {digest[:12]} is a benchmark: nobody in it was asked")
        head = Head(told["count"], told["hash"])
        return ledger.prove(member, purpose, at, recipient=recipient, since=head, version=digest)
    if since is not None:
        kept = TreeHead.verified(Envelope.from_json(_bytes(since)), ledger.operator_key)
        return ledger.prove(member, purpose, at, recipient=recipient, since=Head(kept.size, kept.root))
    return ledger.prove(member, purpose, at, recipient=recipient)


def check_proof(path: Path, key: VerifyKey, manifest: Path | None = None) -> tuple[ConsentProof, Proved]:
    """Check a proof in a file, with nothing but the collective's public key.

    Parameters
    ----------
    path
        The proof, or a member's receipt, which holds one.
    key
        Whose tree heads are believed.
    manifest
        The manifest of the dataset version that the proof is said to be for.

    Raises
    ------
    ConfigError
        If a file cannot be read.
    ProofInvalidError, SignatureInvalidError
        If the proof does not show what it says.
    """
    data = _bytes(path)
    proof = read_receipt(data, key) if b'"dpv:ConsentReceipt"' in data else ConsentProof.from_json(data)
    proved = proof.check(key)
    if manifest is not None:
        _check_version(proof, _bytes(manifest))
    return proof, proved


def _check_version(proof: ConsentProof, manifest: bytes) -> None:
    """Check that a proof is for the version of this manifest, whose name is the manifest's SHA-256."""
    digest = sha256_hex(manifest)
    if proof.earlier is None or proof.earlier.version != digest:
        raise ProofInvalidError(f"the proof is not for the version of this manifest, {digest}")
    told, asked, head = parse_json(manifest), proof.question, proof.earlier.head
    if told["ledger"] != {"count": head.count, "hash": head.hash}:
        raise ProofInvalidError(f"the version was built at another head of the log: {told['ledger']}")
    if (told["purpose"], told["at"]) != (asked.purpose, asked.at):
        raise ProofInvalidError(f"the version was built for {told['purpose']} as of {told['at']}, which is not asked")


def public_key(text: str) -> VerifyKey:
    """Read the collective's public key: a did:key, or the name of a PEM file.

    Raises
    ------
    ConfigError
        If there is no such file.
    SignatureInvalidError
        If it is no public key.
    """
    return VerifyKey.from_did(text) if text.startswith("did:") else VerifyKey.from_pem(_bytes(Path(text)))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error


def in_words(proof: ConsentProof, proved: Proved, signer: str) -> Iterator[str]:
    """Say what was checked and what it comes to, a line at a time.

    Parameters
    ----------
    proof, proved
        What was checked, and what came of it.
    signer
        The operator's public key as text.
    """
    asked, earlier, head = proof.question, proof.earlier, proved.head
    yield f"a log of {head.size:,} entries, signed as of {_day(head.at)} by {signer}"
    yield f"root {head.root}"
    count = len(proved.entries)
    about = f"member {proof.evidence.member}"
    yield f"{about} has {count} {'entry' if count == 1 else 'entries'} in it; none is left out" + ":" * bool(count)
    reach = earlier.head.count if earlier else head.size
    for event in proved.entries:
        yield f"  {_said(event)}" + ("" if event.seq < reach else " (later: does not count)")
    if earlier:
        what = f"version {earlier.version}" if earlier.version else "the earlier head"
        yield f"{what} is of the first {reach:,} entries, root {earlier.head.hash}; the signed log begins with them"
    buyer = f" by {asked.recipient}" if asked.recipient else ""
    yield f"asked: {asked.purpose}{buyer} ({PURPOSES[asked.purpose]}), at {_day(asked.at)}"
    yield f"answer: {proved.standing.value}. {_MEANING[proved.standing].capitalize()}"


def _said(event: Event) -> str:
    what = event.purpose or "everything"
    buyer = f" by {event.recipient}" if event.recipient else ""
    until = f", until {_day(event.until)}" if event.until else ""
    return f"entry {event.seq:,}: {_VERBS[Kind(event.kind)]} {what}{buyer} on {_day(event.at)}{until}"


def _day(at: str) -> str:
    return f"{at[:10]} {at[11:16]}Z"
