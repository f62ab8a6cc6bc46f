"""A member's statement: what was paid, and all that is needed to compute it again without seeing anybody else's data.

From the published totals and the own weights a member computes the exact part and its remainder; the published cutoff
(the last part that was rounded up) says whether a cent more is due. That the totals are right shows in the published
table, where payees stand under names for this sale only: :func:`check_table`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from recsys.canonical import canonical_json, sha256_hex
from recsys.collective.split import Split
from recsys.errors import PayoutError, ProposalInvalidError
from recsys.payouts.division import Cutoff, Division, exact_part
from recsys.payouts.rounding import tie
from recsys.verdict import Check, Verdict

_FORMAT = "recsys-payout-statement/1"
_WHAT = {
    "equal": "everybody counts the same",
    "points": "points for minutes, artists and days, by Unwrapped's table",
    "sqrt": "the square root of these points, in millionths",
    "value": "what your listening adds to the model for others, in billionths of the greatest",
}


def money(cents: int, currency: str) -> str:
    """Write an amount, for example ``5.50 USD``."""
    return f"{cents // 100:,}.{cents % 100:02d} {currency}"


def statement(division: Division, payee: str) -> dict[str, Any]:
    """Write the statement of a payee as JSON.

    Raises
    ------
    PayoutError
        If nobody of that name is paid in this sale.
    """
    if payee not in division.of:
        raise PayoutError(f"{payee[:12]} is not paid in the sale {division.sale[:12]}; the table names who is")
    return {"format": _FORMAT, **division.of[payee].as_dict(), "published": division.totals_document()}


def check_statement(found: Mapping[str, Any]) -> Verdict:
    """Compute the amount in a statement again, from the statement alone.

    Raises
    ------
    PayoutError
        If it is no statement.
    """
    try:
        published = found["published"]
        split = Split.from_dict(published["split"])
        totals = {rule: int(total) for rule, total in published["totals"].items()}
        weights = {rule: int(found["weights"][rule]) for rule in split.rules}
        part = exact_part(split, int(published["members_cents"]), weights, totals)
        cutoff = _cutoff(published["cutoff"])
        whole = math.floor(part)
        number = tie(published["sale"], found["payee"])
        due = whole + (cutoff is not None and cutoff.admits(part - whole, number))
        said, paid = _cut_words(published), int(found["cents"])
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError, ProposalInvalidError) as error:
        raise PayoutError(
            f"this is no payout statement: {error!r}; take the JSON of recsys payout statement"
        ) from error
    checks = (
        Check("cut of the price", said is None, said or "members, artists and treasury add up to the price"),
        Check(
            "own part", paid == due, f"the weights give {float(part):,.4f} cents, so {due} are due; {paid} were paid"
        ),
    )
    return Verdict(f"statement of {str(found['payee'])[:12]}", checks)


def check_table(published: Mapping[str, Any], table: Sequence[Mapping[str, Any]]) -> Verdict:
    """Check a published table against the published totals: nobody twice, weights and cents add up, every row is due.

    Raises
    ------
    PayoutError
        If what was given is no such table.
    """
    try:
        rows = [{name: row[name] for name in ("payee", "weights", "cents")} for row in table]
        sums = {rule: str(sum(int(row["weights"][rule]) for row in rows)) for rule in published["totals"]}
        cents = sum(int(row["cents"]) for row in rows)
        wrong = sum(not check_statement({**row, "published": published}).checks[1].holds for row in rows)
        names = {row["payee"] for row in rows}
        same = sha256_hex(canonical_json(rows)) == published["table"]
    except (KeyError, TypeError, ValueError) as error:
        raise PayoutError(f"this is no table of payments: {error!r}; take the one that was published") from error
    checks = (
        Check("table", same, "the table is the one that was recorded" if same else "this is another table"),
        Check("payees", len(names) == len(rows) == published["payees"], f"{len(rows):,} rows, {len(names):,} payees"),
        Check("weights", sums == published["totals"], f"the weights add up to {sums}"),
        Check("cents", cents == published["members_cents"], f"the cents add up to {cents:,}"),
        Check("amounts", wrong == 0, f"{wrong:,} rows have another amount than their weights give"),
    )
    return Verdict(f"table of the sale {published['sale'][:12]}", checks)


def words(found: Mapping[str, Any]) -> str:
    """Write a statement for people."""
    published = found["published"]
    split, currency = Split.from_dict(published["split"]), published["currency"]
    lines = [
        f"You get {money(found['cents'], currency)}.",
        "",
        f"The price was {money(published['price_cents'], currency)}: {split.words()}.",
        f"{money(published['members_cents'], currency)} are divided among {published['payees']:,} members.",
    ]
    total = Fraction(0)
    for rule, share in split.rules.items():
        weight, whole = int(found["weights"][rule]), int(published["totals"][rule])
        part = published["members_cents"] * share * Fraction(weight, whole)
        total += part
        lines.append(
            f"  {share} of it by {rule} ({_WHAT[rule]}): you have {weight:,} of {whole:,}, which is "
            f"{float(part):,.4f} cents."
        )
    number = tie(published["sale"], found["payee"])
    remainder = total - math.floor(total)
    lines += [
        f"Together {float(total):,.4f} cents, rounded down {math.floor(total)}; the greatest remainders get one more.",
        _rounding(remainder, number, _cutoff(published["cutoff"])),
        f"Your name in the published table of this sale: {found['payee']}",
        "Compute it again: recsys payout verify --statement FILE",
    ]
    return "\n".join(lines)


def _rounding(remainder: Fraction, number: str, cutoff: Cutoff | None) -> str:
    if cutoff is None:
        return "No cent was left over."
    verdict = "so one cent more is yours" if cutoff.admits(remainder, number) else "so no cent more is yours"
    last = float(cutoff.remainder)
    return f"Your remainder is {float(remainder):.6f}; the last that got one had {last:.6f}, {verdict}."


def _cutoff(found: Mapping[str, str] | None) -> Cutoff | None:
    return None if found is None else Cutoff(Fraction(found["remainder"]), str(found["tie"]))


def _cut_words(published: Mapping[str, Any]) -> str | None:
    """Say what is wrong with the cut of the price, if anything is."""
    parts = {name: int(published[f"{name}_cents"]) for name in ("members", "artists", "treasury")}
    price, split = int(published["price_cents"]), Split.from_dict(published["split"])
    if sum(parts.values()) != price:
        return f"members, artists and treasury come to {sum(parts.values()):,} cents, the price is {price:,}"
    shares = {"members": split.members, "artists": split.artists, "treasury": split.treasury}
    off = [name for name, share in shares.items() if abs(parts[name] - share * price) >= 1]
    return f"the part of {', '.join(off)} is not what the split says" if off else None
