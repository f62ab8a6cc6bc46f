"""Voting elsewhere: a sheet that a member takes away, fills in with a key of their own, and hands in.

The sheet says what is voted on and who the voter is. Nothing in it is secret, and filling it in needs no network and no
home. What comes back is a :class:`~recsys.collective.ballots.Submission`: whoever carries it can read the choice, so it
is for the operator alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from recsys.canonical import Pseudonym, canonical_json, parse_json
from recsys.collective.ballots import Opening, Submission
from recsys.collective.proposals import Proposal
from recsys.errors import ProposalInvalidError, RecsysError, SignatureInvalidError
from recsys.transparency import Envelope, SigningKey

SHEET, FILLED = "recsys-ballot-sheet/1", "recsys-ballot/1"


@dataclass(frozen=True)
class Sheet:
    """What a member needs in order to vote elsewhere.

    Parameters
    ----------
    proposal
        All that it says; its hash is what the ballot names.
    member
        The member's pseudonym.
    voter
        Their id in this vote.
    """

    proposal: Proposal
    member: Pseudonym
    voter: str

    def fill(self, choice: str, key: SigningKey, *, at: datetime) -> Submission:
        """Fill it in."""
        opening = Opening.of(choice)
        return Submission.make(self.proposal.hash, self.voter, member=self.member, key=key, opening=opening, at=at)

    def to_bytes(self) -> bytes:
        """Write it as canonical JSON."""
        told = {"proposal": self.proposal.as_dict(), "member": str(self.member), "voter": self.voter}
        return canonical_json({"format": SHEET, **told})

    @classmethod
    def from_bytes(cls, data: bytes) -> Sheet:
        """Read it back.

        Raises
        ------
        ProposalInvalidError
            If it is none.
        """
        try:
            told = _of_format(data, SHEET)
            return cls(Proposal.from_dict(told["proposal"]), Pseudonym.read(told["member"]), str(told["voter"]))
        except (ValueError, TypeError, LookupError) as error:
            raise ProposalInvalidError(f"this is no sheet to vote with: {error!r:.200}") from error


def written(submission: Submission) -> bytes:
    """Write a filled ballot for the operator."""
    told = {"ballot": submission.ballot.to_json().decode(), "card": submission.card.to_json().decode()}
    return canonical_json({"format": FILLED, **told, "opening": asdict(submission.opening)})


def read_submission(data: bytes) -> Submission:
    """Read a filled ballot.

    Raises
    ------
    SignatureInvalidError
        If it is none; whether it counts, :meth:`recsys.collective.Votes.take` tells.
    """
    try:
        told = _of_format(data, FILLED)
        ballot, card = (Envelope.from_json(told[name].encode()) for name in ("ballot", "card"))
        opening = Opening(str(told["opening"]["choice"]), str(told["opening"]["nonce"]))
    except (RecsysError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise SignatureInvalidError(f"this is no filled ballot: {error!r:.200}") from error
    return Submission(ballot, card, opening)


def _of_format(data: bytes, form: str) -> Mapping[str, Any]:
    told: dict[str, Any] = parse_json(data)
    if told["format"] != form:
        raise ValueError(f"its format is {told['format']!r:.60}; {form!r} was expected")
    return told
