"""A price divided: who gets how many cents, and everything that is needed to compute it again.

The price is cut in three, treasury, artists and members, in whole cents; then the members' cents among the members, and
the artists' among the artists. A member's exact part of the members' cents P, with weights w and totals W, is::

    P * (f_1 * w_1 / W_1 + f_2 * w_2 / W_2 + ...)

over the rules of the split and their fractions f, exactly; :mod:`recsys.payouts.rounding` makes cents of it.
Payees have a name for this sale only, so what is published of one sale cannot be joined to another.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from recsys.canonical import canonical_json, sha256_hex
from recsys.collective.split import Split
from recsys.errors import PayoutError
from recsys.payouts.rounding import Rounded, largest_remainder, tie
from recsys.payouts.rules import Weights, checked

_FORMAT = "recsys-division/1"
_CUT = ("members", "artists", "treasury")


@dataclass(frozen=True)
class Payment:
    """What a payee gets: the name for this sale, the weight by each rule, and cents."""

    payee: str
    weights: Mapping[str, int]
    cents: int

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON."""
        return {"payee": self.payee, "weights": dict(self.weights), "cents": self.cents}


@dataclass(frozen=True)
class Cutoff:
    """The last part that was rounded up: its remainder in cents, and its tie number."""

    remainder: Fraction
    tie: str

    def admits(self, remainder: Fraction, number: str) -> bool:
        """Tell whether a part with this remainder and tie number was rounded up."""
        return (-remainder, number) <= (-self.remainder, self.tie)


@dataclass(frozen=True)
class Division:
    """A price, divided to the cent.

    Attributes
    ----------
    sale
        Names the sale: the hash of the proposal.
    price_cents, currency, split
        As was voted on.
    treasury_cents
        What stays with the collective.
    payments
        Of the members, by payee.
    escrow
        Of the artists: what is set aside for each, by weight ``"listening"``.
    totals
        Rule -> the sum of all members' weights.
    all_zero
        Rules by which everybody weighed nothing, and that divide equally therefore.
    cutoff
        The last of the members' parts that was rounded up; ``None`` if none was.
    """

    sale: str
    price_cents: int
    currency: str
    split: Split
    treasury_cents: int
    payments: tuple[Payment, ...]
    escrow: tuple[Payment, ...]
    totals: Mapping[str, int]
    all_zero: tuple[str, ...]
    cutoff: Cutoff | None

    @cached_property
    def of(self) -> Mapping[str, Payment]:
        """Payee -> payment."""
        return {payment.payee: payment for payment in self.payments}

    @property
    def members_cents(self) -> int:
        """What the members get together."""
        return sum(payment.cents for payment in self.payments)

    @property
    def artists_cents(self) -> int:
        """What is set aside for artists together."""
        return sum(payment.cents for payment in self.escrow)

    def table(self) -> list[dict[str, Any]]:
        """Give the table that is published: payees under their names for this sale, weights and cents."""
        return [payment.as_dict() for payment in self.payments]

    def totals_document(self) -> dict[str, Any]:
        """Give the totals that are published: all that a member needs beside the own weights."""
        return {
            "format": _FORMAT,
            "sale": self.sale,
            "price_cents": self.price_cents,
            "currency": self.currency,
            "split": self.split.as_dict(),
            "treasury_cents": self.treasury_cents,
            "artists_cents": self.artists_cents,
            "members_cents": self.members_cents,
            "payees": len(self.payments),
            "totals": {rule: str(total) for rule, total in self.totals.items()},
            "all_zero": list(self.all_zero),
            "cutoff": None
            if self.cutoff is None
            else {"remainder": str(self.cutoff.remainder), "tie": self.cutoff.tie},
            "table": sha256_hex(canonical_json(self.table())),
            "escrow": sha256_hex(canonical_json([payment.as_dict() for payment in self.escrow])),
        }


def divide(
    price_cents: int,
    split: Split,
    weights: Mapping[str, Weights],
    *,
    sale: str,
    currency: str = "USD",
    artists: Weights | None = None,
) -> Division:
    """Divide a price.

    Parameters
    ----------
    price_cents
        Whole cents, zero or more.
    split
        How.
    weights
        For each rule of the split: payee -> weight, a whole number of zero or more (:mod:`recsys.payouts.rules`). Every
        rule names the same payees; the order in which they come changes nothing.
    sale
        Names the sale; it decides ties.
    currency
        ISO 4217; one whose unit has a hundred cents.
    artists
        Artist -> weight, where the split sets something aside for artists.

    Raises
    ------
    PayoutError
        If there is nobody to pay, weights are missing or are no whole numbers, or rules differ in whom they name.
    """
    if isinstance(price_cents, bool) or not isinstance(price_cents, int) or price_cents < 0:
        raise PayoutError(f"the price is {price_cents!r}; it is a whole number of cents, zero or more")
    payees, counted, all_zero = _counted(split, weights)
    members, for_artists, treasury = _cut(price_cents, split)
    totals = {rule: sum(held.values()) for rule, held in counted.items()}
    numerators = _numerators(split, counted, totals, payees)
    ties = [tie(sale, payee) for payee in payees]
    rounded = largest_remainder(members, numerators, ties)
    return Division(
        sale=sale,
        price_cents=price_cents,
        currency=currency,
        split=split,
        treasury_cents=treasury,
        payments=tuple(
            Payment(payee, {rule: counted[rule][payee] for rule in counted}, cents)
            for payee, cents in zip(payees, rounded.cents, strict=True)
        ),
        escrow=_escrow(for_artists, artists or {}, sale) if split.artists else (),
        totals=totals,
        all_zero=all_zero,
        cutoff=_cutoff(members, numerators, ties, rounded),
    )


def exact_part(split: Split, members_cents: int, weights: Mapping[str, int], totals: Mapping[str, int]) -> Fraction:
    """Give a member's part before rounding, in cents: the formula above."""
    return members_cents * sum(
        (share * Fraction(weights[rule], totals[rule]) for rule, share in split.rules.items()), Fraction(0)
    )


def _counted(split: Split, weights: Mapping[str, Weights]) -> tuple[list[str], dict[str, Weights], tuple[str, ...]]:
    """Give the payees in order, their weights by each rule, and the rules by which all weigh nothing."""
    missing = [rule for rule in split.rules if not weights.get(rule)]
    if missing:
        raise PayoutError(f"there is nobody to pay by {', '.join(missing)}; give each member's weight by that rule")
    payees = sorted(weights[next(iter(split.rules))])
    counted: dict[str, Weights] = {}
    for rule in split.rules:
        if sorted(weights[rule]) != payees:
            raise PayoutError(
                f"the rule {rule} weighs other members than {next(iter(split.rules))}; weigh the same ones"
            )
        counted[rule] = checked(rule, weights[rule])
    all_zero = tuple(rule for rule, held in counted.items() if not any(held.values()))
    return payees, {**counted, **{rule: dict.fromkeys(payees, 1) for rule in all_zero}}, all_zero


def _cut(price_cents: int, split: Split) -> tuple[int, int, int]:
    """Cut the price into the cents of members, artists and treasury; of equal remainders in this order."""
    shares = (split.members, split.artists, split.treasury)
    whole = math.lcm(*(share.denominator for share in shares))
    order = [str(place) for place in range(len(_CUT))]
    members, artists, treasury = largest_remainder(price_cents, [int(share * whole) for share in shares], order).cents
    return members, artists, treasury


def _numerators(
    split: Split, counted: Mapping[str, Weights], totals: Mapping[str, int], payees: Sequence[str]
) -> list[int]:
    """Bring everybody's part to one denominator, which is the sum of what is given."""
    whole = math.lcm(*(share.denominator * totals[rule] for rule, share in split.rules.items()))
    worth = {rule: int(share * whole) // totals[rule] for rule, share in split.rules.items()}
    return [sum(worth[rule] * counted[rule][payee] for rule in worth) for payee in payees]


def _cutoff(cents: int, numerators: Sequence[int], ties: Sequence[str], rounded: Rounded) -> Cutoff | None:
    if rounded.last is None:
        return None
    whole = sum(numerators)
    return Cutoff(Fraction(cents * numerators[rounded.last] % whole, whole), ties[rounded.last])


def _escrow(cents: int, artists: Weights, sale: str) -> tuple[Payment, ...]:
    if not artists:
        raise PayoutError("the split sets a share aside for artists, and no artist is named; give the artists' weights")
    names = sorted(checked("listening", artists))
    parts = [artists[name] for name in names] if any(artists.values()) else [1] * len(names)
    rounded = largest_remainder(cents, parts, [tie(sale, name) for name in names])
    return tuple(
        Payment(name, {"listening": part}, held) for name, part, held in zip(names, parts, rounded.cents, strict=True)
    )
