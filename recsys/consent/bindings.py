"""Which key speaks for which member, as the entries of a ledger tell it one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field

from recsys.canonical import Pseudonym
from recsys.consent.events import OPEN, Word, word_of
from recsys.consent.records import SignedDecision, read_signed
from recsys.consent.terms import Kind
from recsys.transparency import VerifyKey


@dataclass(frozen=True)
class Bindings:
    """The keys of some members, and whose some keys are.

    Parameters
    ----------
    operator
        The collective's key, which alone revokes.
    keys, members
        What is known so far.
    """

    operator: VerifyKey
    keys: dict[Pseudonym, VerifyKey] = field(default_factory=dict)
    members: dict[VerifyKey, Pseudonym] = field(default_factory=dict)

    def follow(self, word: Word) -> None:
        """Learn from one more entry."""
        member, kind, *_, key = word
        if kind not in {OPEN, Kind.REVOKE}:
            found = VerifyKey(bytes.fromhex(key))
            self.keys[member] = found
            self.members[found] = member

    def read(self, data: bytes) -> tuple[Word, SignedDecision]:
        """Check a signed record, and say it as an entry does.

        Raises
        ------
        SignatureInvalidError, RecordInvalidError
            If it is unclear, or not the word of whom it names.
        """
        signed = read_signed(data, self.operator, key_of=self.keys.get, member_of=self.members.get)
        member = Pseudonym(signed.decision.member)
        return word_of(signed.decision, member, signed.key or self.operator), signed
