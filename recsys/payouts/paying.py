"""From a vote to money: who is due, what each weighs, the division, and the payment, once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import numpy as np
import scipy.sparse as sp

from recsys.canonical import Pseudonym
from recsys.collective import Members, Proposal, Votes
from recsys.collective.results import result_of
from recsys.confidence import confidence
from recsys.dataset import DatasetVersion
from recsys.errors import NotForSaleError, PayoutError
from recsys.home import Home
from recsys.payouts import rules
from recsys.payouts.accounts import Account
from recsys.payouts.books import Sale, book, payee, sale_of
from recsys.payouts.division import Division, divide
from recsys.payouts.rules import Weights
from recsys.proof import SCORERS, prove_members
from recsys.valuation import PoolValues, value_pool

_BILLION = 10**9
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Due:
    """Who is to be paid for a sale.

    Attributes
    ----------
    version
        The dataset version that what was sold is made of.
    rows
        Its rows whose members belong to the collective, ascending.
    payees
        Member -> name for this sale, in the order of `rows`.
    """

    version: DatasetVersion
    rows: np.ndarray
    payees: Mapping[Pseudonym, str]


def due(home: Home, proposal: Proposal, *, at: datetime) -> Due:
    """Find who is due: members in the version that was sold, who belong to the collective at this instant.

    Raises
    ------
    PayoutError
        If there is nobody.
    """
    version = home.datasets.load(home.datasets.find(_version_of(home, proposal)), remains=True)
    roster = Members(home).roster()
    rows = [row for row, member in enumerate(version.members) if member in roster and roster[member].standing(at)]
    if not rows:
        raise PayoutError(
            f"nobody in version {version.digest[:12]} is a member of the collective; members join: recsys member join"
        )
    members = [version.members[row] for row in rows]
    return Due(version, np.array(rows), {member: payee(home, proposal.hash, member) for member in members})


def plan(home: Home, proposal_hash: str, *, at: datetime, progress: Progress | None = None) -> Division:
    """Divide the price of a sale that members agreed to; nothing is recorded.

    Parameters
    ----------
    home
        The collective's folder of state.
    proposal_hash
        Hash of the proposal.
    at
        When: who belongs then is paid.
    progress
        Called while members are weighed.

    Raises
    ------
    NotForSaleError
        If the proposal did not pass.
    PayoutError
        If there is nobody to pay.
    """
    proposal = agreed(home, proposal_hash, at=at)
    whom = due(home, proposal, at=at)
    weights, artists = _weigh(home, proposal, whom, at, progress)
    return divide(
        proposal.price_cents,
        proposal.split,
        weights,
        sale=proposal.hash,
        currency=proposal.currency,
        artists=artists,
    )


def pay(home: Home, proposal_hash: str, division: Division, *, at: datetime) -> Sale:
    """Record a division as paid: whole, and once.

    Raises
    ------
    NotForSaleError
        If the proposal did not pass.
    PayoutError
        If the sale was paid already, the division is not that of the proposal, or somebody in it left or came since.
    """
    proposal = agreed(home, proposal_hash, at=at)
    asked = (proposal.hash, proposal.price_cents, proposal.currency, proposal.split)
    if asked != (division.sale, division.price_cents, division.currency, division.split):
        raise PayoutError("the division is not of the price and split that were voted on; divide again")
    whom = due(home, proposal, at=at)
    if set(division.of) != set(whom.payees.values()):
        raise PayoutError("members left or joined since the price was divided; divide again: recsys payout divide")
    return book(home, division, at=at)


def agreed(home: Home, proposal_hash: str, *, at: datetime) -> Proposal:
    """Give a proposal that passed.

    Raises
    ------
    NotForSaleError
        If it did not.
    """
    asked = Votes(home).proposals.of(proposal_hash)
    if not result_of(home, proposal_hash, at).tally.passed:
        raise NotForSaleError(f"the members did not agree to {asked.proposal.title!r}; nothing is paid under it")
    return asked.proposal


def payable(home: Home, sale: Sale, accounts: Mapping[str, Account], *, at: datetime) -> dict[str, Account]:
    """Give the accounts of payees who are in no message to the bank yet, have something to get and still belong.

    Parameters
    ----------
    home, sale
        The sale, as the book has it.
    accounts
        Pseudonym -> account.
    at
        When.

    Returns
    -------
    Payee -> account.
    """
    roster = Members(home).roster()
    there = [member for member in accounts if member in roster and roster[Pseudonym(member)].standing(at)]
    named = {payee(home, sale.division.sale, member): accounts[member] for member in there}
    return {
        one: account
        for one, account in named.items()
        if one not in sale.instructed and one in sale.division.of and sale.division.of[one].cents
    }


def paid(home: Home, proposal_hash: str) -> Sale | None:
    """Give a sale that was paid; ``None`` if it was not."""
    try:
        return sale_of(home, proposal_hash)
    except PayoutError:
        return None


def artist_weights(found: PoolValues, version: DatasetVersion) -> Weights:
    """Weigh artists by how much their listening carried the model, in billionths."""
    return {
        name: math.floor(share * _BILLION)
        for name, share in zip(version.artists.names, found.artists.tolist(), strict=True)
    }


def _weigh(
    home: Home, proposal: Proposal, whom: Due, at: datetime, progress: Progress | None
) -> tuple[dict[str, Weights], Weights | None]:
    """Weigh everybody by each rule of the split, and the artists where they have a share."""
    split, out = proposal.split, {}
    names = list(whom.payees.values())
    if "equal" in split.rules:
        out["equal"] = rules.equal(dict.fromkeys(names))
    if {"points", "sqrt"} & set(split.rules):
        points = _points(home, whom, at, progress)
        out |= {"points": points, "sqrt": rules.square_root(points)}
    artists = None
    if "value" in split.rules or split.artists:
        weights = confidence(sp.csr_matrix(whom.version.user_items[whom.rows]), "log")
        found = value_pool(weights, progress=progress)
        value = found.paid.value.tolist()
        out["value"] = rules.value(dict(zip(names, value, strict=True)))
        artists = artist_weights(found, whom.version)
    return out, artists


def _points(home: Home, whom: Due, at: datetime, progress: Progress | None) -> Weights:
    """Give everybody's points by Unwrapped's table; a contribution that is not there any more has none."""
    only = set(whom.payees)
    proofs = prove_members(home.proofs, at=at, scorer=SCORERS["unwrapped"], only=only, progress=progress)
    points = {member: int(proof.attributes["total_points"]) for member, proof in proofs}
    return {name: points.get(member, 0) for member, name in whom.payees.items()}


def _version_of(home: Home, proposal: Proposal) -> str:
    if proposal.version:
        return proposal.version
    from recsys.tracking import Tracker  # noqa: PLC0415 - loads MLflow, which takes seconds

    return str(Tracker(home.path).find(cast("str", proposal.run)).dataset_digest)
