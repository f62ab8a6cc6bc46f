"""Ballots as they come in: each is taken into the book, or refused there with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from recsys.canonical import Pseudonym, utc_text
from recsys.collective.ballots import BALLOT_TYPE, Ballot, Booth, Refused, Submission, delegate_of
from recsys.collective.counting import check_key, check_opening, check_window
from recsys.collective.entries import Draft, Entry
from recsys.collective.members import Member
from recsys.collective.proposals import Proposal
from recsys.collective.shown import Shown
from recsys.errors import BallotRefusedError
from recsys.transparency import SigningKey

Handed = Submission | Refused
"""What somebody hands in, or why they could not."""


@dataclass(frozen=True)
class Desk:
    """Who takes ballots, at one instant.

    Parameters
    ----------
    proposal, at
        What is voted on, and when this is.
    members
        Last memberships, by pseudonym, of all who are named.
    doubles
        Members who may not vote since another account of theirs may, and that account.
    booth, operator
        The keys.
    """

    proposal: Proposal
    at: datetime
    members: Mapping[Pseudonym, Member]
    doubles: Mapping[Pseudonym, Pseudonym]
    booth: Booth
    operator: SigningKey

    def drafts(self, handed: Sequence[Handed], shown: Shown, refused: list[Refused]) -> Iterable[Draft]:
        """Give the entries that the ballots become, in their order; adds to `refused` those that are."""
        read = [(one, _read(one)) for one in handed]
        before = shown.of({ballot.voter for _, ballot in read if isinstance(ballot, Ballot)})
        known = {entry.record for entries in before.values() for entry in entries}
        last = {voter: _last(entries) for voter, entries in before.items()}
        for one, ballot in read:
            why = ballot if isinstance(ballot, Refused) else self._why(one, ballot, known, last.get(ballot.voter))
            if isinstance(one, Submission) and isinstance(ballot, Ballot) and why is None:
                known.add(one.record)
                last[ballot.voter] = ballot
                yield Draft(ballot.voter, one.ballot, self.booth.seal(self.proposal.hash, one))
            elif why is not None:
                refused.append(why)
                yield Draft(why.voter or self.proposal.hash, why.signed(self.proposal.hash, self.at, self.operator))

    def _why(self, one: Handed, ballot: Ballot, known: set[str], last: Ballot | None) -> Refused | None:
        if isinstance(one, Refused):
            return one
        try:
            self._check(one, ballot)
            _check_fresh(one, ballot, known, last)
        except BallotRefusedError as error:
            return Refused(one.record, ballot.voter, str(error))
        return None

    def _check(self, one: Submission, ballot: Ballot) -> None:
        if ballot.proposal != self.proposal.hash:
            raise BallotRefusedError("it is a ballot of another proposal")
        check_window(ballot, utc_text(self.at), self.proposal)
        member = one.member()
        one.check_card(ballot, check_voter(self.members.get(member), self.proposal, self.at).key)
        if self.booth.voter(ballot.proposal, member) != ballot.voter:
            raise BallotRefusedError("forged: it names another voter than its card")
        check_double(member, self.doubles)
        check_opening(ballot, one.opening, self.proposal)
        to = delegate_of(one.opening.choice)
        if to and to not in self._able:
            raise BallotRefusedError("it delegates to somebody who may not vote")

    @cached_property
    def _able(self) -> set[str]:
        """Who may vote now, by voter id."""
        able = [one.pseudonym for one in self.members.values() if one.throughout(self.proposal.opens, self.at)]
        return {self.booth.voter(self.proposal.hash, member) for member in able if member not in self.doubles}


def _read(one: Handed) -> Ballot | Refused:
    if isinstance(one, Refused):
        return one
    try:
        return Ballot.read(one.ballot)
    except BallotRefusedError as error:
        return Refused(one.record, "", str(error))


def _last(entries: Sequence[Entry]) -> Ballot | None:
    ballots = [one.envelope for one in entries if one.envelope.payload_type == BALLOT_TYPE]
    return Ballot.read(ballots[-1]) if ballots else None


def check_voter(member: Member | None, proposal: Proposal, at: datetime) -> Member:
    """Refuse who is no member, joined too late, or has left. Reasons are published, so they name nobody.

    Raises
    ------
    BallotRefusedError
        Says why.
    """
    if member is None:
        raise BallotRefusedError("its voter is no member")
    if member.left and member.left <= utc_text(at):
        raise BallotRefusedError("its voter has left")
    if not member.throughout(proposal.opens, at):
        raise BallotRefusedError("its voter joined after voting had opened")
    return member


def check_double(member: Pseudonym, doubles: Mapping[Pseudonym, Pseudonym]) -> None:
    """Refuse an account whose listener has the vote by an earlier account."""
    if member in doubles:
        raise BallotRefusedError("double: an earlier account of the same listener has the vote")


def _check_fresh(one: Submission, ballot: Ballot, known: set[str], last: Ballot | None) -> None:
    if one.record in known:
        raise BallotRefusedError("replayed: this ballot was handed in before")
    if last is not None:
        check_key(ballot, last.key)
        if ballot.at < last.at:
            raise BallotRefusedError("replayed: it was made before the ballot that stands")
