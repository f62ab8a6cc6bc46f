"""The count: from ballots that are opened to a result. A pure function, the same for the collective and for anybody.

Rules, in their order: a ballot counts if its signature fits, it was recorded inside the window, its voter is on the
roll, it is signed with the key of the voter's first ballot, and its opening is what it committed to. Of several by one
voter the last recorded counts. A delegation is followed to somebody who voted themselves; one that leads to nobody
or round in a circle does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any

from recsys.canonical import canonical_json, sha256_hex, utc_text
from recsys.collective.ballots import ABSTAIN, BALLOT_TYPE, CHOICES, NO, YES, Ballot, Opening, Refused, delegate_of
from recsys.collective.entries import Entry
from recsys.collective.proposals import Proposal
from recsys.errors import BallotRefusedError
from recsys.transparency import VerifyKey


@dataclass(frozen=True)
class Roll:
    """Who may vote.

    Parameters
    ----------
    voters
        The weight of each voter, by id.
    excluded
        Why others, who handed ballots in, may not; by id.
    """

    voters: Mapping[str, int]
    excluded: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        return {"voters": dict(self.voters), "excluded": dict(self.excluded)}

    @property
    def hash(self) -> str:
        """SHA-256 of its canonical JSON."""
        return sha256_hex(canonical_json(self.as_dict()))

    @property
    def weight(self) -> int:
        """All votes together."""
        return sum(self.voters.values())


@dataclass(frozen=True)
class Vote:
    """A ballot that counts, unless it delegates to nobody."""

    ballot: str
    choice: str


@dataclass(frozen=True)
class Tally:
    """What a vote came to.

    Parameters
    ----------
    proposal
        Hash of the proposal.
    yes, no, abstain
        Votes, by weight.
    eligible
        Votes there could have been, by weight.
    passed
        Whether the proposal passed.
    refused
        Ballots that do not count, and why.
    """

    proposal: str
    yes: int
    no: int
    abstain: int
    eligible: int
    passed: bool
    refused: tuple[Refused, ...]

    @property
    def turnout(self) -> Fraction:
        """Votes cast, of those there could have been."""
        return Fraction(self.yes + self.no + self.abstain, self.eligible) if self.eligible else Fraction(0)

    @property
    def in_favour(self) -> Fraction:
        """Yes, of yes and no."""
        return Fraction(self.yes, self.yes + self.no) if self.yes + self.no else Fraction(0)

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        return {
            "proposal": self.proposal,
            "yes": self.yes,
            "no": self.no,
            "abstain": self.abstain,
            "eligible": self.eligible,
            "turnout": str(self.turnout),
            "passed": self.passed,
            "refused": [asdict(one) for one in self.refused],
        }


def tallied(
    proposal: Proposal, roll: Roll, entries: Iterable[tuple[Entry, Opening | None]], operator: VerifyKey
) -> Tally:  # fmt: skip
    """Count a vote.

    Parameters
    ----------
    proposal, roll
        What was asked, and who could answer.
    entries
        Entries of the book of ballots, oldest first, each with its opening; those of other proposals are passed over.
    operator
        Whose refusals are listed.
    """
    votes, refused = _judged(proposal, roll, entries, operator)
    counted, lost = resolved(votes, delegation=proposal.delegation)
    sums = dict.fromkeys(CHOICES, 0)
    for voter, choice in counted.items():
        sums[choice] += roll.voters[voter]
    found = Tally(
        proposal.hash, sums[YES], sums[NO], sums[ABSTAIN], roll.weight, passed=False, refused=(*refused, *lost)
    )
    passed = found.turnout >= proposal.quorum and found.yes > found.no and found.in_favour >= proposal.threshold
    return Tally(found.proposal, found.yes, found.no, found.abstain, found.eligible, passed, found.refused)


def resolved(votes: Mapping[str, Vote], *, delegation: bool) -> tuple[dict[str, str], list[Refused]]:
    """Follow delegations: give each voter's choice, and the ballots that lead to none."""
    found: dict[str, str | None] = {}
    for start in votes:
        way: dict[str, None] = {}
        here = start
        while (
            here not in found and here not in way and here in votes and delegation and delegate_of(votes[here].choice)
        ):
            way[here] = None
            here = delegate_of(votes[here].choice) or ""
        end = found.get(here) if here in found else None if here in way else _own(votes.get(here))
        found.update(dict.fromkeys([*way, here] if here in votes else way, end))
    choices = {voter: choice for voter, choice in found.items() if choice is not None}
    lost = [
        Refused(vote.ballot, voter, "delegated in a circle, or to somebody who did not vote")
        for voter, vote in votes.items()
        if voter not in choices
    ]
    return choices, lost


def _own(vote: Vote | None) -> str | None:
    return vote.choice if vote and vote.choice in CHOICES else None


def _judged(
    proposal: Proposal, roll: Roll, entries: Iterable[tuple[Entry, Opening | None]], operator: VerifyKey
) -> tuple[dict[str, Vote], list[Refused]]:  # fmt: skip
    """Give the last valid ballot of each voter, and those that are not valid."""
    votes: dict[str, Vote] = {}
    keys: dict[str, str] = {}
    refused: list[Refused] = []
    for entry, opening in entries:
        envelope = entry.envelope
        if envelope.payload_type != BALLOT_TYPE:
            about, one = Refused.read(envelope, operator)
            refused += [one] if about == proposal.hash else []
            continue
        voter = ""
        try:
            ballot = Ballot.read(envelope)
            if ballot.proposal != proposal.hash:
                continue
            voter = ballot.voter
            check_counts(ballot, entry, opening, proposal, roll)
            check_key(ballot, keys.setdefault(voter, ballot.key))
            votes[voter] = Vote(entry.record, opening.choice if opening else "")
        except BallotRefusedError as error:
            refused.append(Refused(entry.record, voter, str(error)))
    return votes, refused


def check_counts(ballot: Ballot, entry: Entry, opening: Opening | None, proposal: Proposal, roll: Roll) -> None:
    """Refuse a ballot that is recorded but does not count.

    Raises
    ------
    BallotRefusedError
        Says why.
    """
    check_window(ballot, entry.at, proposal)
    if entry.owner != ballot.voter:
        raise BallotRefusedError("forged: it was recorded for another voter")
    if ballot.voter not in roll.voters:
        raise BallotRefusedError(roll.excluded.get(ballot.voter, "its voter is not on the roll"))
    check_opening(ballot, opening, proposal)
    to = delegate_of(opening.choice) if opening else None
    if to and to not in roll.voters:
        raise BallotRefusedError("it delegates to somebody who may not vote")


def check_key(ballot: Ballot, key: str) -> None:
    """Refuse a ballot that another key signed than its voter's first."""
    if ballot.key != key:
        raise BallotRefusedError("forged: it is not signed with the key of this voter's first ballot")


def check_window(ballot: Ballot, recorded: str, proposal: Proposal) -> None:
    """Refuse a ballot from outside the time of voting, by its own clock or by that of who recorded it."""
    opens, closes = utc_text(proposal.opens), utc_text(proposal.closes)
    for at, words in ((recorded, "it came"), (ballot.at, "it is dated")):
        if at < opens:
            raise BallotRefusedError(f"early: {words} {at[:16]}Z; voting opens {opens[:16]}Z")
        if at >= closes:
            raise BallotRefusedError(f"late: {words} {at[:16]}Z; voting closed {closes[:16]}Z")
    if ballot.at > recorded:
        raise BallotRefusedError(f"it is dated {ballot.at[:16]}Z, after it came")


def check_opening(ballot: Ballot, opening: Opening | None, proposal: Proposal) -> None:
    """Refuse a ballot whose choice is not what it committed to, or is none."""
    if opening is None or opening.commitment(ballot.proposal, ballot.voter) != ballot.commitment:
        raise BallotRefusedError("its opening is not what it committed to")
    to = delegate_of(opening.choice)
    if to is None and opening.choice not in CHOICES:
        raise BallotRefusedError(f"{opening.choice!r:.40} is no choice; the choices are {', '.join(CHOICES)}")
    if to is not None and not proposal.delegation:
        raise BallotRefusedError("it delegates, which the proposal does not allow")
    if to == ballot.voter:
        raise BallotRefusedError("it delegates to its own voter")
