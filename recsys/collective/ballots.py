"""Ballots: signed commitments that say nothing before the close, and that anybody can count after it.

What a member hands in has three parts:

* The *ballot*, which is published: the proposal, the voter's id, a commitment to the choice (SHA-256 of proposal,
  voter, choice and a random nonce), and a signature by a key that is made for this one vote, from the member's key.
* The *card*, which is not published: it says that this key votes for this member, signed with the member's own key.
  The ballot names its SHA-256, which nobody can guess who lacks that key.
* The *opening* of the commitment: choice and nonce.

Who can know what, when:

* *The operator* gets choices with the ballots, so that members need not come back to open them, and knows who is which
  voter. They are kept encrypted; whoever has ``keys/votes.key`` can read them, before the close too. It is trusted not
  to. What it cannot do is change a ballot that was cast, count it otherwise, or leave it out unnoticed: see receipts.
  For members whose keys it keeps it could cast ballots; who does not want that, keeps a key of their own.
* *Other members, and anybody else,* see nothing before the close. After it they see every ballot opened, under voter
  ids: an HMAC of proposal and member, so the same member is another voter in every vote and no id leads to a name. The
  order of the log is the order of voting; whoever watched somebody vote at a known minute may guess which ballot is
  theirs. Stated weights may single out who has an unusual one.
* *The voter* has a receipt: their id, choice and nonce, and the proof that their ballot is in the log. With it they
  find their own vote in what is published. They could show it to somebody else: votes can be proved, so they could be
  bought or demanded. Who delegates learns the id of whom they trusted, and so, after the close, how that one voted.
* *Who may vote* only the operator can vouch for, since ids hide the members: it signs the roll, and everybody sees how
  many there are and can ask to be shown their own id on it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recsys.canonical import Pseudonym, Pseudonyms, canonical_json, parse_json, sha256_hex, utc_text
from recsys.errors import BallotRefusedError, LogBrokenError, RecsysError
from recsys.transparency import Envelope, SigningKey, VerifyKey, sign
from recsys.transparency.merkle import read_hash

BALLOT_TYPE = "application/vnd.recsys.ballot+json"
CARD_TYPE = "application/vnd.recsys.voting-card+json"
REFUSED_TYPE = "application/vnd.recsys.refused-ballot+json"

YES, NO, ABSTAIN = CHOICES = ("yes", "no", "abstain")
_DELEGATE = "delegate:"
_NONCE_BYTES = 32
_SEAL_NONCE_BYTES = 12


def delegate_to(voter: str) -> str:
    """Give the choice of who lets another voter decide."""
    return f"{_DELEGATE}{voter}"


def delegate_of(choice: str) -> str | None:
    """Give the voter whom a choice leaves the decision to; ``None`` of any other choice."""
    return choice.removeprefix(_DELEGATE) if choice.startswith(_DELEGATE) else None


@dataclass(frozen=True)
class Opening:
    """What a commitment hides: the choice, and 32 random bytes in hex that keep it from being guessed."""

    choice: str
    nonce: str

    @classmethod
    def of(cls, choice: str) -> Opening:
        """Make a choice."""
        return cls(choice, secrets.token_hex(_NONCE_BYTES))

    def commitment(self, proposal: str, voter: str) -> str:
        """Commit to it: SHA-256 of the canonical JSON of proposal, voter, choice and nonce."""
        return sha256_hex(canonical_json({"proposal": proposal, "voter": voter, **asdict(self)}))


@dataclass(frozen=True)
class Ballot:
    """A ballot, its signature checked.

    Parameters
    ----------
    proposal
        Hash of the proposal.
    voter
        The voter's id in this vote.
    commitment
        As :meth:`Opening.commitment` gives it.
    key
        The 32 bytes of the public key that signed it, in hex.
    card
        SHA-256 of the voting card.
    at
        When it was made, by its maker (UTC text).
    """

    proposal: str
    voter: str
    commitment: str
    key: str
    card: str
    at: str

    @classmethod
    def read(cls, envelope: Envelope) -> Ballot:
        """Read a ballot whose own key signed it.

        Raises
        ------
        BallotRefusedError
            If it is forged or no ballot.
        """
        try:
            ballot = cls(**parse_json(envelope.payload))
            for name in (ballot.proposal, ballot.voter, ballot.commitment, ballot.card):
                read_hash(name)
            _moment(ballot.at)
            envelope.verify(VerifyKey(read_hash(ballot.key)), BALLOT_TYPE)
        except (RecsysError, ValueError, TypeError) as error:
            raise BallotRefusedError("forged: it is not signed by the key that it names, or is no ballot") from error
        return ballot


@dataclass(frozen=True)
class Submission:
    """What a member hands in: a ballot, the card that says whose it is, and the opening of its commitment."""

    ballot: Envelope
    card: Envelope
    opening: Opening

    @classmethod
    def make(
        cls, proposal: str, voter: str, *, member: Pseudonym, key: SigningKey, opening: Opening, at: datetime
    ) -> Submission:
        """Fill in a ballot, with the member's own key."""
        once = ballot_key(key, proposal)
        public = once.public.raw.hex()
        card = sign(CARD_TYPE, canonical_json({"proposal": proposal, "member": str(member), "key": public}), key)
        commitment = opening.commitment(proposal, voter)
        ballot = Ballot(proposal, voter, commitment, public, sha256_hex(card.to_json()), utc_text(at))
        return cls(sign(BALLOT_TYPE, canonical_json(asdict(ballot)), once), card, opening)

    @property
    def record(self) -> str:
        """SHA-256 of the ballot's envelope, which names it."""
        return sha256_hex(self.ballot.to_json())

    def member(self) -> Pseudonym:
        """Give whose card it is, as it says.

        Raises
        ------
        BallotRefusedError
            If it is no card.
        """
        try:
            return Pseudonym.read(parse_json(self.card.payload)["member"])
        except (ValueError, TypeError, LookupError) as error:
            raise BallotRefusedError("forged: its voting card is none") from error

    def check_card(self, ballot: Ballot, key: VerifyKey) -> None:
        """Check that the member's key lets the ballot's key vote.

        Raises
        ------
        BallotRefusedError
            If it does not.
        """
        expected = {"proposal": ballot.proposal, "member": str(self.member()), "key": ballot.key}
        try:
            told = parse_json(self.card.verify(key, CARD_TYPE))
        except (RecsysError, ValueError) as error:
            raise BallotRefusedError("forged: its voting card is not signed by the member") from error
        if told != expected or sha256_hex(self.card.to_json()) != ballot.card:
            raise BallotRefusedError("forged: its voting card is of another ballot")


def ballot_key(key: SigningKey, proposal: str) -> SigningKey:
    """Make a member's key for one vote, always the same: of the hash of a signature that only they can give."""
    return SigningKey(sha256(key.sign(b"recsys: my ballot key for proposal " + proposal.encode())).digest())


class Booth:
    """Knows which voter is which member, and keeps openings and cards from all but the operator.

    Parameters
    ----------
    path
        The secret behind it, ``keys/votes.key``; made when first needed.
    """

    def __init__(self, path: Path) -> None:
        self._names = Pseudonyms.at(path)
        self._ciphers: dict[str, AESGCM] = {}

    def voter(self, proposal: str, member: Pseudonym) -> str:
        """Give a member's id in one vote."""
        return str(self._names.of(f"{proposal} voter {member}"))

    def voters(self, proposal: str, members: Iterable[Pseudonym]) -> dict[Pseudonym, str]:
        """Give the ids of many."""
        return {member: self.voter(proposal, member) for member in members}

    def seal(self, proposal: str, submission: Submission) -> bytes:
        """Encrypt what is not published of a ballot (AES-256-GCM), bound to it."""
        told = {"opening": asdict(submission.opening), "card": submission.card.to_json().decode()}
        nonce = secrets.token_bytes(_SEAL_NONCE_BYTES)
        return nonce + self._cipher(proposal).encrypt(nonce, canonical_json(told), submission.record.encode())

    def opening(self, proposal: str, secret: bytes, record: str) -> Opening:
        """Give the opening of a ballot.

        Raises
        ------
        LogBrokenError
            If it was sealed with another key, or is of another ballot.
        """
        nonce, sealed = secret[:_SEAL_NONCE_BYTES], secret[_SEAL_NONCE_BYTES:]
        try:
            told = parse_json(self._cipher(proposal).decrypt(nonce, sealed, record.encode()))
            return Opening(**told["opening"])
        except (InvalidTag, ValueError, TypeError, LookupError) as error:
            raise LogBrokenError(
                f"what is kept of ballot {record[:12]} cannot be opened; put keys/votes.key back"
            ) from error

    def _cipher(self, proposal: str) -> AESGCM:
        if proposal not in self._ciphers:
            self._ciphers[proposal] = AESGCM(bytes.fromhex(self._names.of(f"{proposal} seal")))
        return self._ciphers[proposal]


@dataclass(frozen=True)
class Refused:
    """A ballot that does not count.

    Parameters
    ----------
    ballot
        SHA-256 of its envelope; empty where somebody could not sign one at all.
    voter
        Whose it says it is; empty where it does not say.
    reason
        Why, in words.
    """

    ballot: str
    voter: str
    reason: str

    def signed(self, proposal: str, at: datetime, operator: SigningKey) -> Envelope:
        """Say it in the operator's name, for the book of ballots."""
        payload = {"proposal": proposal, "at": utc_text(at), **asdict(self)}
        return sign(REFUSED_TYPE, canonical_json(payload), operator)

    @classmethod
    def read(cls, envelope: Envelope, operator: VerifyKey) -> tuple[str, Refused]:
        """Give the proposal and the refusal.

        Raises
        ------
        LogBrokenError
            If the operator did not sign one.
        """
        try:
            told: dict[str, Any] = parse_json(envelope.verify(operator, REFUSED_TYPE))
            refused = cls(str(told["ballot"]), str(told["voter"]), str(told["reason"]))
            return str(told["proposal"]), refused
        except (RecsysError, ValueError, TypeError, LookupError) as error:
            raise LogBrokenError(f"a refusal in the book of ballots is none: {error}") from error


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if utc_text(moment) != text:
        raise ValueError(f"{text!r:.40} is no instant in its one spelling")
    return moment
