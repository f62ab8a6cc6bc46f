"""recsys vote: propose, cast, list, show; the rest is in vote_elsewhere and vote_count."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from recsys.cli.common import Common, instant, short, table
from recsys.cli.values import At, Sale
from recsys.cli.vote_count import approve, audit, counted, tally, verify
from recsys.cli.vote_elsewhere import fill, hand_in, sheet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from recsys.collective import Proposal

vote = App(name="vote", help="Propose a sale, vote on it, count, and check a count.")
for _command in (sheet, fill, hand_in, tally, verify, approve, audit):
    vote.command(_command)
_SHORT = 12


@Parameter(name="*")
@dataclass(frozen=True)
class Fields:
    """What a proposal says, where no file does.

    Parameters
    ----------
    title
        In a line, what it is about.
    buyer
        Who may use it.
    purpose
        For what.
    kind
        What is handed over: sample, full (a model) or aggregate.
    run
        The training run that it is made of.
    version
        The dataset version that it is made of.
    price_cents
        The price in hundredths.
    currency
        Its ISO 4217 currency.
    term_days
        For how many days after the close it may be used.
    opens
        When voting opens (UTC unless it names a zone); now unless given.
    closes
        When it closes; a week after it opens unless given.
    quorum
        The least turnout, such as 1/2 or 20%.
    threshold
        The least yes of yes and no, from 1/2 on.
    delegation
        Members may give their vote to another.
    """

    title: str | None = None
    buyer: str | None = None
    purpose: str | None = None
    kind: Literal["sample", "full", "aggregate"] | None = None
    run: str | None = None
    version: str | None = None
    price_cents: int | None = None
    currency: str | None = None
    term_days: int | None = None
    opens: datetime | None = None
    closes: datetime | None = None
    quorum: str | None = None
    threshold: str | None = None
    delegation: Annotated[bool | None, Parameter(negative="")] = None

    def given(self) -> dict[str, Any]:
        """Give the fields that were named."""
        told = {name: value for name, value in vars(self).items() if value is not None}
        return told | {name: instant(told[name]) for name in ("opens", "closes") if name in told}


@vote.command
def propose(
    file: Path | None = None,
    *,
    fields: Fields = Fields(),
    weights: Path | None = None,
    at: At = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Put a sale to the vote. Its hash is what is voted on, so nothing in it can be changed afterwards.

    Parameters
    ----------
    file
        A TOML or JSON file with the fields below, and `split`: a table of treasury, artists and rules.
    weights
        A JSON file of whole numbers by member, where votes are to have weights; one member has one vote unless given.
    """
    from recsys.canonical import sha256_hex
    from recsys.collective import Proposal, Votes
    from recsys.collective.asked import read_weights, weights_bytes

    home, now = common.open(), instant(at)
    stated = read_weights(weights) if weights else None
    told = Proposal.fields(file) | fields.given() if file else fields.given()
    opens = told.setdefault("opens", now)
    told.setdefault("closes", instant(opens) + timedelta(days=7) if isinstance(opens, datetime) else None)
    if stated is not None:
        told |= {"weighting": "stated-weights", "weights": sha256_hex(weights_bytes(home, stated))}
    proposal = Votes(home).proposals.propose(Proposal.from_dict(told), at=now, weights=stated)
    common.show(
        {"hash": proposal.hash, **proposal.as_dict()},
        *_words(proposal),
        f"to vote: recsys vote cast {proposal.hash[:_SHORT]} yes --member NAME",
    )


@vote.command
def cast(
    proposal: Sale,
    choice: Literal["yes", "no", "abstain"] | None = None,
    *,
    member: str,
    delegate: str | None = None,
    key: Path | None = None,
    receipt: Path | None = None,
    at: At = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Vote. Nobody but the operator can see the choice before the close; until then it can be changed by voting again.

    Parameters
    ----------
    choice
        yes, no or abstain.
    member
        The member's name.
    delegate
        Leave the decision to this member instead, where the proposal allows it.
    key
        The member's own key file, if they keep one.
    receipt
        Write the voter's receipt here: with it they find their ballot in what is published.
    """
    from recsys.canonical import write_atomically
    from recsys.collective import Vote, Votes
    from recsys.errors import ConfigError
    from recsys.transparency import SigningKey

    if (choice is None) is (delegate is None):
        raise ConfigError("say yes, no or abstain, or name whom you leave the decision to: --delegate NAME")
    votes = Votes(common.open())
    own = SigningKey.read(key) if key else None
    told = Vote(member, choice or "", delegate or "", own)
    taken = votes.cast(votes.proposals.find(proposal), told, at=instant(at))
    document = votes.receipt(taken)
    if receipt:
        write_atomically(receipt, json.dumps(document, indent=1).encode())
    common.show(
        document,
        f"the vote of {member} is taken: ballot {taken.entry.seq:,} of the log, {taken.entry.record}",
        "it is sealed until the close, and a later one takes its place",
        f"receipt: {receipt}" if receipt else "to be able to find it later, vote with --receipt FILE",
    )


@vote.command(name="list")
def list_(*, at: datetime | None = None, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """List the proposals and what became of them.

    Parameters
    ----------
    at
        The instant for which to tell (UTC unless it names a zone); now unless given.
    """
    from recsys.collective import Votes

    moment, rows, document = instant(at), [], []
    for one in Votes(common.open()).proposals.all():
        count = one.result.tally if one.result else None
        state = one.state(moment)
        document.append({"hash": one.proposal.hash, "state": state, "tally": count.as_dict() if count else None})
        said = f"{count.yes:,}/{count.no:,}/{count.abstain:,}" if count else ""
        closes = one.proposal.as_dict()["closes"][:10]
        rows.append((one.proposal.hash[:_SHORT], one.proposal.title, one.proposal.buyer, closes, state, said))
    columns = ("proposal", "title", "buyer", "closes", "state", "yes/no/abstain")
    common.show(document, table("Proposals", columns, rows))


@vote.command
def show(proposal: Sale, *, at: datetime | None = None, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """Show all that a proposal says, and the result once it was counted.

    Parameters
    ----------
    at
        The instant for which to tell (UTC unless it names a zone); now unless given.
    """
    from recsys.collective import Votes

    proposals = Votes(common.open()).proposals
    found = proposals.of(proposals.find(proposal))
    count = found.result.tally if found.result else None
    common.show(
        {
            "hash": found.proposal.hash,
            "state": found.state(instant(at)),
            **found.proposal.as_dict(),
            "tally": count.as_dict() if count else None,
        },
        *_words(found.proposal),
        f"state     {found.state(instant(at))}",
        *(counted(count, found.proposal) if count else []),
    )


def _words(one: Proposal) -> Iterable[str]:
    told = one.as_dict()
    weighting = "one member, one vote" if not one.weights else f"stated weights, SHA-256 {one.weights}"
    return (
        one.title,
        f"proposal  {one.hash}",
        f"buyer     {one.buyer}, for {one.purpose!r} until {one.expires}",
        f"handed over: {one.kind} of {one.run or one.version}",
        f"price     {one.price_cents // 100:,}.{one.price_cents % 100:02} {one.currency}; {one.split.words()}",
        f"voting    {short(told['opens'])} to {short(told['closes'])}; {weighting}"
        + ("; members may delegate, on and on" if one.delegation else ""),
        f"passes    if turnout >= {one.quorum}, yes / (yes + no) >= {one.threshold}, and more say yes than no",
    )
