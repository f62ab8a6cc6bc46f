"""The erasure receipt: a model was made anew without somebody, and anybody can make it again and compare.

It is an in-toto statement in a DSSE envelope, signed with the collective's key; its subjects are the new model's files.
A run that is repeated on the version that the receipt names gives the same bytes (on the same kind of processor), and
the version's list of members shows who is not in it. So nobody has to take the word of whoever signed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from recsys.canonical import canonical_json, sha256_file
from recsys.consent import Standing
from recsys.consent.proofs import ConsentProof
from recsys.dataset import DatasetStore
from recsys.errors import DatasetError, ModelInvalidError, ProofInvalidError, SignatureInvalidError
from recsys.experiment.config import Experiment
from recsys.experiment.run import train
from recsys.transparency import Envelope, SigningKey, VerifyKey, read_statement, sign, statement
from recsys.transparency.statement import PAYLOAD_TYPE
from recsys.verdict import Checks, Verdict

_PREDICATE = "urn:recsys:erasure:1"


@dataclass(frozen=True)
class Side:
    """A model before or after, and what it was trained on.

    Parameters
    ----------
    run
        The tracked run.
    version
        Digest of the dataset version.
    content
        SHA-256 of each part of the version.
    files
        SHA-256 of each file of the model.
    """

    run: str
    version: str
    content: Mapping[str, str]
    files: Mapping[str, str]


@dataclass(frozen=True)
class ErasureReceipt:
    """What an erasure receipt says.

    Parameters
    ----------
    at
        The instant for which consent was asked anew (UTC text).
    purpose, recipient
        What the versions are for, and for which buyer if for one: what the members no longer agree to.
    members
        Who left, by pseudonym.
    before, after
        The model that had seen their data, and the one that never did.
    params
        The parameters of both runs, as texts.
    withdrawals
        For each member a proof, checkable offline, that the withdrawal stands in the ledger.
    erased
        Of each member whose data key was destroyed, since when.
    code
        The version of this package that trained the new model.
    """

    at: str
    purpose: str
    recipient: str | None
    members: tuple[str, ...]
    before: Side
    after: Side
    params: Mapping[str, str]
    withdrawals: tuple[Mapping[str, Any], ...]
    erased: Mapping[str, str]
    code: str

    def signed(self, key: SigningKey) -> Envelope:
        """Put it into a signed envelope."""
        predicate = json.loads(canonical_json(asdict(self)))
        return sign(PAYLOAD_TYPE, canonical_json(statement(self.after.files, _PREDICATE, predicate)), key)

    @classmethod
    def verified(cls, document: bytes, key: VerifyKey) -> ErasureReceipt:
        """Read a receipt that `key` signed.

        Raises
        ------
        SignatureInvalidError
            If it is not one.
        """
        subjects, told = read_statement(Envelope.from_json(document).verify(key, PAYLOAD_TYPE), _PREDICATE)
        try:
            sides: dict[str, Any] = {name: Side(**told[name]) for name in ("before", "after")}
            lists: dict[str, Any] = {name: tuple(told[name]) for name in ("members", "withdrawals")}
            receipt = cls(**{**told, **sides, **lists})
        except (KeyError, TypeError) as error:
            raise SignatureInvalidError(f"this is no erasure receipt: {error!r}") from error
        if subjects != dict(receipt.after.files):
            raise SignatureInvalidError("the receipt is about other files than those that it names")
        return receipt

    def words(self) -> list[str]:
        """Say it, a sentence a line."""
        lines, again = [], "recsys retrain verify RECEIPT"
        for member in self.members:
            gone = self.erased.get(member)
            data = f"their data were erased at {gone}" if gone else "their data are kept for what they still agree to"
            lines.append(f"{member} no longer agrees to {self.purpose}; {data}")
        return [
            *lines,
            f"before: run {self.before.run} on version {self.before.version}",
            *(f"  {name} {digest}" for name, digest in sorted(self.before.files.items())),
            f"after:  run {self.after.run} on version {self.after.version}, in which they are not",
            *(f"  {name} {digest}" for name, digest in sorted(self.after.files.items())),
            f"The second model never saw their data; whoever has that version can check it, bit for bit: {again}",
        ]


def check_receipt(document: bytes, key: VerifyKey, store: DatasetStore) -> Verdict:
    """Check a receipt: signature, withdrawals, who is in the new version, and that training again gives the same bytes.

    Parameters
    ----------
    document
        The receipt, as written.
    key
        The collective's public key.
    store
        Holds the version that the new model was trained on.
    """
    checks = Checks()
    read: list[ErasureReceipt] = []

    def signature() -> str:
        read.append(ErasureReceipt.verified(document, key))
        return f"signed with key {key.id[:12]}"

    if checks.look("signature", signature):
        receipt = read[0]
        checks.look("withdrawals", lambda: _withdrawn(receipt, key))
        checks.look("version", lambda: _without_them(receipt, store))
        checks.look("model", lambda: _same_again(receipt, store), needs=["version"])
    return Verdict("erasure receipt", tuple(checks))


def _withdrawn(receipt: ErasureReceipt, key: VerifyKey) -> str:
    shown = set()
    for told in receipt.withdrawals:
        proof = ConsentProof.from_json(canonical_json(dict(told)))
        asked = (proof.question.purpose, proof.question.recipient, proof.question.at)
        if (
            asked != (receipt.purpose, receipt.recipient or "", receipt.at)
            or proof.check(key).standing is not Standing.WITHDRAWN
        ):
            raise ProofInvalidError(f"the proof about {proof.evidence.member[:12]} does not show that they withdrew")
        shown.add(proof.evidence.member)
    if missing := set(receipt.members) - shown:
        raise ProofInvalidError(f"nothing shows that {min(missing)[:12]} withdrew")
    return f"the withdrawals of {len(shown):,} members stand in the signed ledger"


def _without_them(receipt: ErasureReceipt, store: DatasetStore) -> str:
    version = store.load(receipt.after.version)
    if dict(version.manifest.content) != dict(receipt.after.content):
        raise DatasetError("the receipt states another content than the version has")
    if still := set(receipt.members) & set(version.members):
        raise DatasetError(f"{min(still)[:12]} is among the members of the version")
    return f"none of them is among the {len(version.members):,} members of version {version.digest[:12]}"


def _same_again(receipt: ErasureReceipt, store: DatasetStore) -> str:
    trained = train(Experiment.of_run(receipt.params), store.load(receipt.after.version))
    with TemporaryDirectory() as folder:
        trained.named.save(Path(folder))
        files = {path.name: sha256_file(path) for path in Path(folder).iterdir()}
    if files != dict(receipt.after.files):
        differ = ", ".join(sorted(name for name in files if files[name] != receipt.after.files.get(name)))
        raise ModelInvalidError(
            f"trained again, the model differs in {differ}; on another kind of processor bits may differ, on the same "
            "one the receipt is false"
        )
    return "trained again, the model is the same, bit for bit"
