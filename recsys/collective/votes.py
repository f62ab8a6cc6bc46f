"""Casting votes: what members tell the collective, or fill in themselves, becomes ballots in the book ``ballots``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from recsys.canonical import Pseudonym
from recsys.collective.asked import Proposals
from recsys.collective.ballots import Booth, Opening, Refused, Submission, delegate_to
from recsys.collective.book import Book
from recsys.collective.entries import Entry
from recsys.collective.members import Members
from recsys.collective.same import Groups, doubles, same_listeners
from recsys.collective.sheet import Sheet
from recsys.collective.taking import Desk, Handed, check_double, check_voter
from recsys.errors import BallotRefusedError
from recsys.home import Home
from recsys.transparency import SigningKey

BOOK = "ballots"
RECEIPT = "recsys-ballot-receipt/1"


@dataclass(frozen=True)
class Vote:
    """A vote that somebody tells the collective, which fills in the ballot.

    Parameters
    ----------
    member
        The member's name.
    choice
        ``"yes"``, ``"no"`` or ``"abstain"``; empty with a delegate.
    delegate
        Name of the member whom they leave the decision to, where the proposal allows it.
    key
        Their own key; the one that is kept for them unless given.
    """

    member: str
    choice: str = ""
    delegate: str = ""
    key: SigningKey | None = None


@dataclass(frozen=True)
class Taken:
    """A ballot that was taken: its entry in the book, and its opening."""

    entry: Entry
    opening: Opening


@dataclass(frozen=True)
class Outcome:
    """What became of ballots that were handed in together."""

    taken: tuple[Taken, ...]
    refused: tuple[Refused, ...]


class Votes:
    """Where members vote.

    Parameters
    ----------
    home
        The collective's folder of state.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self.members, self.proposals, self.book = Members(home), Proposals(home), Book.of(home, BOOK)
        self.booth = Booth(home.path / "keys" / "votes.key")

    def cast(self, proposal: str, vote: Vote, *, at: datetime) -> Taken:
        """Take one vote; a later one of the same member takes its place until the close.

        Raises
        ------
        BallotRefusedError
            Says why it is refused; the refusal is recorded.
        """
        outcome = self.cast_many(proposal, [vote], at=at)
        if outcome.refused:
            raise BallotRefusedError(f"the ballot of {vote.member} is refused: {outcome.refused[0].reason}")
        return outcome.taken[0]

    def cast_many(
        self, proposal: str, votes: Iterable[Vote], *, at: datetime, same: Groups | None = None
    ) -> Outcome:  # fmt: skip
        """Take votes, in their order; those that are refused are recorded with their reasons.

        Parameters
        ----------
        proposal
            Hash of the proposal.
        votes
            The votes.
        at
            When they came.
        same
            Accounts of one listener; looked for among the contributions unless given.

        Raises
        ------
        ProposalInvalidError
            If there is no such proposal.
        """
        asked = list(votes)
        named = {name: self._home.pseudonyms.of(name) for one in asked for name in (one.member, one.delegate) if name}
        desk = self._desk(proposal, list(named.values()), at, same)
        return self._take(desk, [self._filled(one, named, desk) for one in asked])

    def take(
        self, proposal: str, submissions: Sequence[Submission], *, at: datetime, same: Groups | None = None
    ) -> Outcome:
        """Take ballots that members filled in themselves, in their order, as :meth:`cast_many` does."""
        return self._take(self._desk(proposal, list(self.members.roster()), at, same), submissions)

    def sheet(self, proposal: str, member: str) -> Sheet:
        """Give what a member needs in order to vote elsewhere, with a key of their own: see :meth:`take`."""
        pseudonym = self._home.pseudonyms.of(member)
        return Sheet(self.proposals.of(proposal).proposal, pseudonym, self.booth.voter(proposal, pseudonym))

    def receipt(self, taken: Taken) -> dict[str, Any]:
        """Give the voter's receipt: the opening of their ballot, and the proof that it is in the book."""
        inclusion = self.book.prove(taken.entry.seq).as_dict()
        return {"format": RECEIPT, "opening": asdict(taken.opening), "inclusion": inclusion}

    def doubles(self, voters: Iterable[Pseudonym], same: Groups | None) -> dict[Pseudonym, Pseudonym]:
        """Name the voters who may not vote since an earlier account of the same listener may."""
        return doubles(same_listeners(self._home.proofs) if same is None else same, set(voters))

    def _desk(self, name: str, asked: Sequence[Pseudonym], at: datetime, same: Groups | None) -> Desk:
        proposal = self.proposals.of(name).proposal
        groups = same_listeners(self._home.proofs) if same is None else same
        beside = {other for group in groups if not set(group).isdisjoint(asked) for other in group}
        members = self.members.some(list({*asked, *beside}))
        able = {one.pseudonym for one in members.values() if one.throughout(proposal.opens, at)}
        return Desk(proposal, at, members, doubles(groups, able), self.booth, self._home.operator)

    def _filled(self, vote: Vote, named: Mapping[str, Pseudonym], desk: Desk) -> Handed:
        """Fill in a ballot for somebody, if they may vote and it can be signed for them."""
        member, proposal = named[vote.member], desk.proposal
        voter = self.booth.voter(proposal.hash, member)
        try:
            key = self._key(vote, member, desk)
        except BallotRefusedError as error:
            return Refused("", voter, str(error))
        choice = delegate_to(self.booth.voter(proposal.hash, named[vote.delegate])) if vote.delegate else vote.choice
        return Submission.make(proposal.hash, voter, member=member, key=key, opening=Opening.of(choice), at=desk.at)

    def _key(self, vote: Vote, member: Pseudonym, desk: Desk) -> SigningKey:
        known = check_voter(desk.members.get(member), desk.proposal, desk.at)
        check_double(member, desk.doubles)
        key = vote.key or self.members.key_of(member)
        if key is None or (vote.key is None and key.public != known.key):
            raise BallotRefusedError("its voter signs with a key of their own, which is not kept here; give it: --key")
        return key

    def _take(self, desk: Desk, handed: Sequence[Handed]) -> Outcome:
        refused: list[Refused] = []
        entries = self.book.append(lambda shown: desk.drafts(handed, shown, refused), at=desk.at)
        openings = {one.record: one.opening for one in handed if isinstance(one, Submission)}
        taken = tuple(Taken(entry, openings[entry.record]) for entry in entries if entry.secret)
        return Outcome(taken, tuple(refused))
