"""What a vote came to, and what it binds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from recsys.canonical import Pseudonym, parse_json, utc_text
from recsys.collective.asked import Asked, Result
from recsys.collective.ballots import Opening
from recsys.collective.counting import Roll, Tally, tallied
from recsys.collective.entries import Entry
from recsys.collective.proposals import STATED_WEIGHTS
from recsys.collective.same import Groups
from recsys.collective.taking import check_double, check_voter
from recsys.collective.votes import BOOK, Votes
from recsys.errors import BallotRefusedError, NotForSaleError, ProposalInvalidError
from recsys.home import Home
from recsys.transparency import Envelope
from recsys.transparency.heads import TreeHead


def tally(home: Home, proposal: str, at: datetime, *, same: Groups | None = None) -> Tally:
    """Count a vote that has closed; it is counted once, and the signed result recorded.

    Who could vote: members who had joined when it opened and belonged until it closed, one for each listener.

    Parameters
    ----------
    home
        The collective's folder of state.
    proposal
        Hash of the proposal.
    at
        When it is counted.
    same
        Accounts of one listener; looked for among the contributions unless given.

    Raises
    ------
    ProposalInvalidError
        If there is no such proposal, or it is still open.
    """
    return result_of(home, proposal, at, same=same).tally


def result_of(home: Home, proposal: str, at: datetime, *, same: Groups | None = None) -> Result:
    """Give the recorded result of a vote, which is counted first if it was not."""
    votes = Votes(home)
    asked = votes.proposals.of(proposal)
    if asked.result:
        return asked.result
    if at < asked.proposal.closes:
        raise ProposalInvalidError(f"voting goes on until {utc_text(asked.proposal.closes)[:16]}Z; count after that")
    entries: list[Entry] = []
    head = votes.book.scan(entries.extend)
    roll = _roll(votes, asked, entries, same)
    counted = tallied(asked.proposal, roll, opened(votes, proposal, entries), home.operator.public)
    votes.proposals.conclude(Result(counted, roll, head.to_json().decode() if head else "", utc_text(at)), at=at)
    return votes.proposals.of(proposal).result or result_of(home, proposal, at, same=same)


def approve(home: Home, proposal: str, at: datetime) -> Envelope:
    """Give the approval that a sale must show before it is packed: only of a proposal that passed.

    Raises
    ------
    ProposalInvalidError
        If there is no such proposal, or it is still open.
    NotForSaleError
        If it did not pass.
    """
    from recsys.bundle import Approval  # noqa: PLC0415 - that room loads MLflow, which takes seconds

    asked, result = Votes(home).proposals.of(proposal), result_of(home, proposal, at)
    one, count = asked.proposal, result.tally
    if not count.passed:
        raise NotForSaleError(
            f"the members did not agree to {one.title!r}: {count.yes:,} yes, {count.no:,} no, turnout "
            f"{float(count.turnout):.1%} of a quorum of {float(one.quorum):.1%}; nothing may be handed over under it"
        )
    head = TreeHead.verified(Envelope.from_json(result.head.encode()), home.operator.public)
    return Approval(
        proposal=proposal,
        buyer=one.buyer,
        kind=one.kind,
        purpose=one.purpose,
        expires=one.expires,
        price_cents=one.price_cents,
        tally={name: getattr(count, name) for name in ("yes", "no", "abstain", "eligible")},
        ballots={"log": BOOK, "size": head.size, "root": head.root},
        run=one.run,
        version=one.version,
    ).signed(home.operator)


def opened(votes: Votes, proposal: str, entries: Iterable[Entry]) -> Iterator[tuple[Entry, Opening | None]]:
    """Open the ballots of a proposal; entries of others come without an opening."""
    for entry in entries:
        mine = entry.secret and parse_json(entry.envelope.payload)["proposal"] == proposal
        yield entry, votes.booth.opening(proposal, entry.secret, entry.record) if mine else None


def _roll(votes: Votes, asked: Asked, entries: Iterable[Entry], same: Groups | None) -> Roll:
    """Say who could vote, with which weight, and why others who tried could not."""
    proposal, members = asked.proposal, votes.members.roster()
    able = [m for m, one in members.items() if one.throughout(proposal.opens, proposal.closes)]
    doubled = votes.doubles(able, same)
    weighted = proposal.weighting == STATED_WEIGHTS

    def why(member: Pseudonym) -> str:
        try:
            check_voter(members[member], proposal, proposal.closes)
            check_double(member, doubled)
        except BallotRefusedError as error:
            return str(error)
        return ""

    reasons = {votes.booth.voter(proposal.hash, member): (member, why(member)) for member in members}
    voters = {voter: asked.weights.get(m, 0) if weighted else 1 for voter, (m, reason) in reasons.items() if not reason}
    tried = {entry.owner for entry in entries}
    return Roll(
        dict(sorted(voters.items())),
        {voter: reason for voter, (_, reason) in sorted(reasons.items()) if reason and voter in tried},
    )
