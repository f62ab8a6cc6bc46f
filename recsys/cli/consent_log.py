"""recsys consent: log, prove, verify. What anybody can check."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from recsys.cli.common import Common, instant, short, table


def log(
    *, last: int = 10, save_head: Path | None = None, common: Common = Common()  # noqa: B008 - frozen
) -> None:  # fmt: skip
    """Show how far the log of decisions reaches, who signed it, and its last entries. Checks the whole log.

    Parameters
    ----------
    last
        How many entries to show.
    save_head
        Write the signed head to this file: whoever keeps it can see later that nothing was rewritten.
    """
    from recsys.canonical import write_atomically

    ledger = common.open().ledger
    events, signed = ledger.events(), ledger.signed_head()
    if signed is None:
        common.show({"entries": 0}, "nothing was recorded yet; begin with: recsys consent grant MEMBER")
        return
    if save_head:
        write_atomically(save_head, signed.to_json())
    head, shown = ledger.head(), events[-last:] if last else []
    rows = [(e.seq, e.kind, e.member[:12], e.purpose, e.recipient, short(e.at), short(e.until)) for e in shown]
    common.show(
        {
            "entries": head.count,
            "root": head.hash,
            "signed_by": ledger.operator_key.did,
            "last": [{"entry": e.seq, "kind": e.kind, "member": e.member, "purpose": e.purpose} for e in shown],
        },
        table("Last entries", ("entry", "kind", "member", "purpose", "recipient", "at", "until"), rows),
        f"{head.count:,} entries, none changed; root {head.hash}",
        f"signed by {ledger.operator_key.did}",
        *([f"the signed head is in {save_head}"] if save_head else []),
    )


def prove(
    member: str,
    purpose: str | None = None,
    *,
    recipient: str | None = None,
    at: datetime | None = None,
    version: str | None = None,
    since: Path | None = None,
    save: Path = Path("consent-proof.json"),
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Write a proof of what a member decided, which anybody can check offline: recsys consent verify.

    It shows every entry about the member, that none is left out, and how they stood to a purpose.

    Parameters
    ----------
    member
        The member's name.
    purpose
        A purpose; that of the version, or train-recommender, unless given.
    recipient
        The buyer, where the purpose is share-with-buyer.
    at
        The instant (UTC unless it names a zone); that of the version, or now, unless given.
    version
        Prove it for the moment at which this dataset version was built.
    since
        Prove it for this signed head, which somebody kept, and that nothing before it was rewritten.
    save
        Where to write the proof.
    """
    from recsys.canonical import write_atomically
    from recsys.consent.proving import in_words, proof_for

    home = common.open()
    manifest = home.datasets.manifest(version) if version else None
    proof = proof_for(
        home.ledger,
        member,
        purpose or (str(manifest.purpose) if manifest else "train-recommender"),
        datetime.fromisoformat(str(manifest.at)) if manifest and at is None else instant(at),
        recipient=recipient,
        version=(home.datasets.find(version), manifest.ledger) if version and manifest else None,
        since=since,
    )
    proved = proof.check(home.ledger.operator_key)
    write_atomically(save, proof.to_json())
    common.show(
        {"proof": str(save), "standing": proved.standing.value, "entries": len(proved.entries)},
        *in_words(proof, proved, home.ledger.operator_key.did),
        f"the proof is in {save}; check it anywhere: recsys consent verify {save} --key {home.ledger.operator_key.did}",
    )


def verify(
    proof: Path | None = None,
    *,
    key: str | None = None,
    manifest: Path | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Check a proof, offline, against the collective's public key; without a proof, check everything in the log.

    Parameters
    ----------
    proof
        What recsys consent prove wrote, or a member's receipt as JSON. Nothing else is read.
    key
        The collective's public key: a PEM file or a did:key; that of this home folder unless given.
    manifest
        The manifest.json of the dataset version that the proof is for; checks that it is of that version.
    """
    from recsys.consent.proving import check_proof, in_words, public_key

    if proof is None:
        head = common.open().ledger.verify()
        common.show(
            {"entries": head.count, "root": head.hash},
            f"{head.count:,} entries, every signed record and every signed head are as they were; root {head.hash}",
        )
        return
    trusted = public_key(key) if key else common.open().ledger.operator_key
    told, proved = check_proof(proof, trusted, manifest)
    common.show(
        {
            "member": told.evidence.member,
            "purpose": told.question.purpose,
            "at": told.question.at,
            "standing": proved.standing.value,
            "entries": [event.seq for event in proved.entries],
        },
        *in_words(told, proved, trusted.did),
        "every signature and hash in the proof is right",
    )
