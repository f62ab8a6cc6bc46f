"""recsys vote: sheet, fill, hand-in; for members who sign with a key of their own, somewhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from recsys.cli.common import Common, instant
from recsys.cli.values import At, Sale


def sheet(
    proposal: Sale,
    *,
    member: str,
    out: Path = Path("sheet.json"),
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Write a sheet for a member who votes elsewhere, with a key of their own. Nothing in it is secret.

    Parameters
    ----------
    member
        The member's name.
    out
        Where to.
    """
    from recsys.canonical import write_atomically
    from recsys.collective import Votes

    votes = Votes(common.open())
    made = votes.sheet(votes.proposals.find(proposal), member)
    write_atomically(out, made.to_bytes())
    common.show(
        {"path": str(out), "proposal": made.proposal.hash, "voter": made.voter},
        f"wrote {out}; to fill it in: recsys vote fill {out} yes --key OWN.pem",
    )


def fill(
    file: Path,
    choice: Literal["yes", "no", "abstain"],
    *,
    key: Path,
    out: Path = Path("ballot.json"),
    at: At = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Fill in a sheet, on the member's own machine. The ballot that it writes is for the operator alone.

    Parameters
    ----------
    file
        The sheet.
    choice
        yes, no or abstain.
    key
        The member's own key file.
    out
        Where to write the ballot.
    """
    from recsys.canonical import write_atomically
    from recsys.collective.sheet import Sheet, written
    from recsys.transparency import SigningKey

    found = Sheet.from_bytes(file.read_bytes())
    write_atomically(out, written(found.fill(choice, SigningKey.read(key), at=instant(at))))
    common.show(
        {"path": str(out), "proposal": found.proposal.hash},
        f"{choice} to {found.proposal.title!r} for {found.proposal.buyer}: {found.proposal.hash}",
        f"wrote {out}; whoever carries it can read the choice, so give it to the operator alone",
    )


def hand_in(
    ballot: Path,
    *,
    receipt: Path | None = None,
    at: At = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Take a ballot that a member filled in elsewhere.

    Parameters
    ----------
    ballot
        What recsys vote fill wrote.
    receipt
        Write the voter's receipt here.
    """
    from recsys.canonical import canonical_json, write_atomically
    from recsys.collective import Votes
    from recsys.collective.ballots import Ballot
    from recsys.collective.sheet import read_submission
    from recsys.errors import BallotRefusedError

    votes, submission = Votes(common.open()), read_submission(ballot.read_bytes())
    outcome = votes.take(Ballot.read(submission.ballot).proposal, [submission], at=instant(at))
    if outcome.refused:
        raise BallotRefusedError(f"the ballot in {ballot.name} is refused: {outcome.refused[0].reason}")
    taken = outcome.taken[0]
    if receipt:
        write_atomically(receipt, canonical_json(votes.receipt(taken)))
    common.show(
        {"ballot": taken.entry.record, "entry": taken.entry.seq},
        f"taken: ballot {taken.entry.seq:,} of the log, {taken.entry.record}",
        f"receipt: {receipt}" if receipt else "for a receipt, hand it in with --receipt FILE",
    )
