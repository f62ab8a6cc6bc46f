"""A receipt: what a member said yes and no to, in plain words, and everything with which to check it.

The JSON is a ``dpv:ConsentReceipt`` (ISO/IEC TS 27560:2023 in DPV; the receipt wraps the records). Beside DPV's fields,
which any reader of JSON-LD understands, it carries the proof that :class:`recsys.consent.proofs.ConsentProof` checks.
"""

from __future__ import annotations

import shlex
import textwrap
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from recsys.canonical import canonical_json, parse_json, sha256_hex, utc_text
from recsys.consent.answers import Answer, answers, spoken
from recsys.consent.controller import Controller
from recsys.consent.dpv import CONTEXT, ConsentRecord, read_record
from recsys.consent.notice import CURRENT, Notice
from recsys.consent.proofs import ConsentProof
from recsys.consent.terms import Standing
from recsys.errors import ConsentMissingError, ProofInvalidError
from recsys.listens import ReadReport
from recsys.transparency import Envelope, VerifyKey

RECEIPT = "https://w3id.org/dpv/schema/dpv-27560#receipt"

_WIDTH = 100
_IDS = uuid.UUID("0a1f9d1e-6a53-5c5b-8d8d-0d2f6f0f7d21")
_REASONS = {
    "podcast": "podcasts",
    "audiobook": "audiobooks",
    "incognito": "played in a private session",
    "repeated": "told twice",
    "in-extended": "told twice, by two exports",
    "local-file": "files of your own",
    "no-track": "without a track",
    "unknown-artist": "without an artist",
}


@dataclass(frozen=True)
class Receipt:
    """A receipt for one member.

    Parameters
    ----------
    name
        What the member is called in commands.
    proof
        Everything that the ledger holds about the member; checked here.
    operator
        The collective's public key.
    at
        The instant for which it tells how the member stands.
    report
        What became of the rows of the exports that the member handed in.
    kept
        The public half of the signing key that the collective keeps for the member, if it does.

    Raises
    ------
    ProofInvalidError
        If the proof does not hold.
    ConsentMissingError
        If nothing was ever recorded about the member.
    """

    name: str
    proof: ConsentProof
    operator: VerifyKey
    at: datetime
    report: ReadReport | None = None
    kept: VerifyKey | None = None

    def __post_init__(self) -> None:
        self.proof.check(self.operator)
        if not self.proof.evidence.entries:
            raise ConsentMissingError(f"{self.name} never said yes or no to anything, so there is no receipt")

    @property
    def records(self) -> tuple[ConsentRecord, ...]:
        """The consent records, oldest first."""
        return tuple(read_record(_payload(record)) for record in self.proof.evidence.records)

    @property
    def _key(self) -> VerifyKey | None:
        """The key that the member last signed with."""
        return next((record.subject for record in reversed(self.records) if record.subject), None)

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The answer to every question."""
        return tuple(answers(self.proof.evidence.entries, self.at))

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON-LD, with the proof."""
        records = [parse_json(_payload(record)) for record in self.proof.evidence.records]
        for record in records:
            record.pop("@context")
        name = str(uuid.uuid5(_IDS, f"{utc_text(self.at)} {sha256_hex(self.proof.to_json())}"))
        return {
            "@context": {
                **CONTEXT,
                "dct:created": {"@type": "xsd:dateTime"},
                "dct:publisher": {"@type": "@id"},
            },
            "@id": f"urn:uuid:{name}",
            "@type": "dpv:ConsentReceipt",
            "dct:identifier": name,
            "dct:conformsTo": RECEIPT,
            "dct:created": utc_text(self.at),
            "dct:publisher": self.operator.did,
            "dpv:hasRecordOfActivity": records,
            "answers": [
                {"purpose": one.purpose, "recipient": one.recipient or None, "standing": one.standing.value}
                for one in self.answers
            ],
            "proof": parse_json(self.proof.to_json()),
        }

    def to_markdown(self, zone: tzinfo) -> str:
        """Write it for a person, in the time zone `zone`."""
        last = self.records[-1]
        parts = [
            "# Receipt for your answers",
            f"Written on {spoken(self.at, zone)} by {_signature(last.controller)}.",
            "You stand in our records under this code, and your name does not:",
            f"    {last.decision.member}",
            "## What you said",
            "Under each answer stands what you were shown before you gave it.",
            *(paragraph for answer in self.answers for paragraph in self._said(answer, zone)),
            *self._export(last.notice),
            "## How to stop",
            f"Write to {last.controller.contact}, or type one of these commands:",
            "\n".join(f"    {line}" for line in self._commands()),
            last.notice.sections["How to stop"],
            *self._checking(last.notice),
        ]
        return "\n\n".join(map(_filled, parts)) + "\n"

    def _said(self, answer: Answer, zone: tzinfo) -> Iterator[str]:
        notice = self._notice(answer)
        question, text = notice.questions[answer.purpose]
        yield f"### {question}" + (f" The buyer: {answer.recipient}" if answer.recipient else "")
        yield answer.words(zone)
        if answer.ever:
            yield "\n".join(f"> {line}" for line in textwrap.wrap(text, _WIDTH - 2))
            entries = " and ".join(str(entry.seq) for entry in answer.entries)
            yield f"This answer is entry {entries} of the log."

    def _notice(self, answer: Answer) -> Notice:
        """Find the notice under which an answer was given."""
        shown = [
            record.notice
            for record, entry in zip(self.records, self.proof.evidence.entries, strict=True)
            if entry in answer.entries
        ]
        return shown[-1] if shown else CURRENT

    def _export(self, notice: Notice) -> Iterator[str]:
        yield "## What we took from your history, and what we left alone"
        if self.report is not None and self.report.files_read:
            yield (
                f"You handed in {self.report.files_read:,} files of listening history with {self.report.rows_read:,} "
                f"rows. We keep {self.report.rows_used:,} of them."
            )
            reasons = sorted(self.report.left_out.items(), key=lambda item: -item[1])
            if reasons:
                yield "\n".join(f"- left out: {count:,} ({_REASONS.get(reason, reason)})" for reason, count in reasons)
        else:
            yield "You have not handed in any history yet, or it was destroyed."
        yield notice.sections["What we take from your history"]
        yield notice.sections["What we leave alone"]

    def _commands(self) -> Iterator[str]:
        withdraw = f"recsys consent withdraw {shlex.quote(self.name)}"
        yield f"{withdraw}    (takes back everything)"
        for answer in self.answers:
            if answer.standing is Standing.GIVEN:
                buyer = f" --recipient {shlex.quote(answer.recipient)}" if answer.recipient else ""
                yield f"{withdraw} {answer.purpose}{buyer}"

    def _checking(self, notice: Notice) -> Iterator[str]:
        head = self.proof.check(self.operator).head
        yield "## How to check this receipt"
        yield (
            f"Your answers stand in a log of {head.size:,} entries, and this is its fingerprint. Keep it: if an entry "
            "is ever changed or taken away, the log no longer fits it, and you can show that."
        )
        yield f"    {head.root}"
        yield "The fingerprint (SHA-256) of each of your signed answers, after the number of its entry:"
        yield "\n".join(f"    {entry.seq}: {entry.record}" for entry in self.proof.evidence.entries)
        yield (
            f"The fingerprint of the notice {notice.name} that you were shown; `recsys consent purposes --save "
            f"{notice.name}.md` writes the text to a file, and `sha256sum {notice.name}.md` must print this:"
        )
        yield f"    {notice.sha256}"
        yield "Anybody can check all of this without asking us, and without a network; the first line makes the file:"
        yield (
            f"    recsys consent receipt {shlex.quote(self.name)} --json --save receipt.json\n"
            f"    recsys consent verify receipt.json --key {self.operator.did}"
        )
        yield (
            "We keep your signing key for you, so you have to trust us not to sign in your name."
            if self.kept is not None and self.kept == self._key
            else "You keep your signing key yourself, so we cannot sign in your name."
        )


def read_receipt(data: bytes, operator: VerifyKey) -> ConsentProof:
    """Check a receipt in JSON with nothing but the collective's public key, and give the proof that is in it.

    Raises
    ------
    ProofInvalidError
        If it is no receipt, or says anything that its proof does not show.
    """
    try:
        told = parse_json(data)
        proof = ConsentProof.from_json(canonical_json(told["proof"]))
        again = Receipt("", proof, operator, datetime.fromisoformat(told["dct:created"])).as_dict()
    except (ValueError, TypeError, LookupError, OverflowError) as error:
        raise ProofInvalidError(f"this is no receipt: {str(error)[:200]}") from error
    if canonical_json(again) != canonical_json(told):
        wrong = sorted(key for key in again.keys() | told.keys() if again.get(key) != told.get(key))
        raise ProofInvalidError(f"the receipt says what its proof does not show: {', '.join(wrong)[:200]}")
    return proof


def _signature(controller: Controller) -> str:
    return f"{controller.name}. Contact: {controller.contact}. Address: {controller.address}"


def _payload(record: str) -> bytes:
    return Envelope.from_json(record.encode()).payload


def _filled(part: str) -> str:
    """Break a paragraph's lines; leave headings, lists, quotations and code as they are."""
    if part.startswith(("#", ">", "-", "    ")) or "\n- " in part:
        return part
    return textwrap.fill(part, _WIDTH, break_long_words=False, break_on_hyphens=False)
