"""Decisions in files: signed consent records in DSSE envelopes, and bare decisions as one JSON object a line.

A record names its member's public key, so an envelope can be checked by anybody and needs nothing beside it. The first
record of a member binds that key to the pseudonym (trust on first use); later records must bear its signature. To
change the key, a member signs a record that names the new key with both: the new one binds from then on.

A bare decision is the operator's word for what a member said elsewhere; it proves nothing to anybody else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from recsys.canonical import Pseudonym, canonical_json, sha256_hex
from recsys.consent.controller import Controller
from recsys.consent.dpv import ConsentRecord, consent_record, read_record
from recsys.consent.notice import CURRENT, Notice
from recsys.consent.terms import Decision, Kind
from recsys.errors import ConfigError, RecordInvalidError, SignatureInvalidError
from recsys.transparency import Envelope, SigningKey, VerifyKey, sign

PAYLOAD_TYPE = "application/vnd.recsys.consent+json"


@dataclass(frozen=True)
class SignedDecision:
    """A decision and the signed record that proves it.

    Parameters
    ----------
    record
        What the record says.
    envelope
        The DSSE envelope, as JSON, in its one spelling, with the signatures that were asked for and no others.
    """

    record: ConsentRecord
    envelope: bytes

    @property
    def decision(self) -> Decision:
        """What was decided; its member is a pseudonym."""
        return self.record.decision

    @property
    def key(self) -> VerifyKey | None:
        """The member's public key, which this binds to the pseudonym; ``None`` in a revocation."""
        return self.record.subject

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the envelope, by which a log's entry names it."""
        return sha256_hex(self.envelope)


def sign_decision(
    decision: Decision,
    key: SigningKey,
    controller: Controller,
    *,
    notice: Notice = CURRENT,
    previous: SigningKey | None = None,
) -> SignedDecision:
    """Write a decision down and sign it.

    Parameters
    ----------
    decision
        Its member is a pseudonym.
    key
        The member's key; in a revocation, the collective's.
    controller
        The collective that asks.
    notice
        What the member was shown.
    previous
        The key that the member used until now, where `key` is a new one.
    """
    revokes = decision.kind is Kind.REVOKE
    record = ConsentRecord(decision, None if revokes else key.public, controller, notice)
    envelope = sign(PAYLOAD_TYPE, canonical_json(consent_record(record)), key)
    if previous is not None:
        envelope = envelope.signed_also(previous).by([key.public, previous.public])
    return SignedDecision(record, envelope.to_json())


def read_signed(
    data: bytes,
    collective: VerifyKey,
    *,
    key_of: Callable[[Pseudonym], VerifyKey | None] = lambda _: None,
    member_of: Callable[[VerifyKey], Pseudonym | None] = lambda _: None,
) -> SignedDecision:
    """Check a signed record and give it.

    Parameters
    ----------
    data
        A DSSE envelope as JSON.
    collective
        The public key of the collective that is asked to believe it.
    key_of
        The key that is bound to a member, if any.
    member_of
        The member that a key is bound to, if any.

    Raises
    ------
    SignatureInvalidError
        If it was changed, or somebody else signed it: nobody but the member gives or withdraws consent, and nobody but
        the collective revokes it.
    RecordInvalidError
        If what was signed is unclear, is meant for another collective, or speaks for another member.
    """
    envelope = Envelope.from_json(data)
    envelope.expect(PAYLOAD_TYPE)
    record = read_record(envelope.payload)
    if record.controller.key != collective:
        raise RecordInvalidError(
            f"this record is for {record.controller.name} ({record.controller.key.did}), not for this collective"
        )
    must_sign = {collective} if record.subject is None else _members_keys(record, record.subject, key_of, member_of)
    signed = envelope.by(must_sign)
    if len(signed.signatures) != len(must_sign):
        who = " and ".join(sorted(key.id[:12] for key in must_sign))
        raise SignatureInvalidError(
            f"this {record.decision.kind} of {record.decision.member[:12]} must be signed by {who}; "
            "it was changed after signing, or another key signed it"
        )
    return SignedDecision(record, signed.to_json())


def _members_keys(
    record: ConsentRecord,
    named: VerifyKey,
    key_of: Callable[[Pseudonym], VerifyKey | None],
    member_of: Callable[[VerifyKey], Pseudonym | None],
) -> set[VerifyKey]:
    member = Pseudonym(record.decision.member)
    if member_of(named) not in {None, member}:
        raise RecordInvalidError(f"key {named.id[:12]} speaks for another member than {member[:12]}")
    bound = key_of(member)
    return {named} if bound is None else {named, bound}


def is_signed(path: Path) -> bool:
    """Tell by the first line of a file whether it holds signed records rather than decisions."""
    return '"payloadType"' in next((line for line in _lines(path) if line.strip()), "")


def read_envelopes(path: Path) -> Iterator[bytes]:
    """Read signed records from a file that holds one on each line.

    Raises
    ------
    ConfigError
        If the file cannot be read.
    """
    return (line.strip().encode() for line in _lines(path) if line.strip())


def read_decisions(path: Path) -> Iterator[Decision]:
    """Read decisions from JSON lines with ``member``, ``kind``, ``purpose``, ``at`` and, as they need it, the others.

    ``until`` is when a grant ends; ``recipient`` is the buyer that ``share-with-buyer`` is for.

    Raises
    ------
    ConfigError
        If the file is not there or a line is not a decision; names the line.
    """
    for number, line in enumerate(_lines(path), 1):
        if line.strip():
            yield _decision(line, f"{path.name}, line {number}")


def _decision(line: str, where: str) -> Decision:
    try:
        told = json.loads(line)
        return Decision(
            member=told["member"],
            kind=Kind(told["kind"]),
            purpose=told["purpose"],
            at=_instant(told["at"]),
            until=_instant(told["until"]) if told.get("until") else None,
            recipient=told.get("recipient"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{where} is not a decision: {error!r}") from error


def _instant(text: Any) -> datetime:  # noqa: ANN401 - any JSON value
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text} has no time zone; write 2026-01-01T00:00:00Z")
    return instant


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as file:
            yield from file
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
