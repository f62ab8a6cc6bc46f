"""What was paid, in the book ``payouts``: a Merkle log beside the consents, its entries signed by the operator.

Of each sale the book has one division with the published totals, then one payment for each payee and one escrow for
each artist, all appended in one transaction: a sale is in the book whole or not at all, and only once. After them come
the batches: who was put into which message to the bank. Nobody is in two.

Who is paid: members whose listening is in what was sold and who belong to the collective when the price is divided.
Whoever has left by then gets nothing (leaving erases what they handed in), and their part is divided among the others.
Whoever leaves later keeps what is booked, but is in no message to the bank while they are away: the amount stays set
aside, and they have it by joining again.

Payees have a name for one sale, made with the collective's secret key: no two sales can be joined, and no name can be
traced to a member by whoever has not that key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from recsys.canonical import canonical_json, parse_json, sha256_hex, utc_text
from recsys.collective.book import Book
from recsys.collective.entries import Draft, Entry
from recsys.collective.shown import Shown
from recsys.collective.split import Split
from recsys.errors import LogBrokenError, PayoutError, RecsysError
from recsys.home import Home
from recsys.payouts.division import Cutoff, Division, Payment
from recsys.transparency import SigningKey, VerifyKey, sign

BOOK = "payouts"
PAYLOAD_TYPE = "application/vnd.recsys.payout+json"


@dataclass(frozen=True)
class Sale:
    """A sale as the book has it.

    Attributes
    ----------
    division
        Who gets what.
    published
        The totals that were recorded with it.
    at
        When it was recorded.
    batches
        The payees of each message to the bank, in the order of the messages.
    instructed_at
        When each message was recorded.
    """

    division: Division
    published: Mapping[str, Any]
    at: str
    batches: tuple[tuple[str, ...], ...] = ()
    instructed_at: tuple[str, ...] = ()

    @property
    def instructed(self) -> frozenset[str]:
        """Who is in a message to the bank."""
        return frozenset(payee for batch in self.batches for payee in batch)


def payee(home: Home, sale: str, member: str) -> str:
    """Give a member's name for one sale: 64 hex digits."""
    return str(home.pseudonyms.of(f"payout {sale} {home.pseudonyms.of(member)}"))


def book(home: Home, division: Division, *, at: datetime) -> Sale:
    """Record a division: all of it or nothing, and once.

    Raises
    ------
    PayoutError
        If the sale was recorded already, whoever recorded it, even a moment ago.
    """
    key = home.operator

    def write(shown: Shown) -> Iterator[Draft]:
        if before := shown.about(division.sale):
            raise PayoutError(
                f"the sale {division.sale[:12]} was paid on {before[0].at[:10]}; nobody is paid twice: "
                "recsys payout statement MEMBER shows what was paid"
            )
        published = division.totals_document()
        yield _draft(key, division.sale, {"kind": "division", **published})
        for payment in division.payments:
            yield _draft(key, payment.payee, {"kind": "payment", "sale": division.sale, **payment.as_dict()})
        for held in division.escrow:
            owner = sha256_hex(f"{division.sale}\n{held.payee}".encode())
            yield _draft(key, owner, {"kind": "escrow", "sale": division.sale, **held.as_dict()})

    Book.of(home, BOOK).append(write, at=at)
    return Sale(division, division.totals_document(), utc_text(at))


def instruct(home: Home, sale: str, payees: Sequence[str], *, at: datetime) -> int:
    """Record that these payees are put into a message to the bank; give the number of the batch, from 1.

    Raises
    ------
    PayoutError
        If there is no such sale, nobody is named, or one of them is in a message already or is not paid in the sale.
    """
    key = home.operator

    def write(shown: Shown) -> Iterator[Draft]:
        documents = [_read(entry, key.public) for entry in shown.about(sale)]
        if not documents:
            raise PayoutError(f"the sale {sale[:12]} is not paid yet; divide and pay it first: recsys payout pay")
        before = {payee for batch in documents[1:] for payee in batch["payees"]}
        known = shown.of(payees)
        for one in payees:
            if one in before:
                raise PayoutError(f"{one[:12]} is in a message to the bank already; nobody is paid twice")
            if one not in known or _read(known[one][0], key.public)["sale"] != sale:
                raise PayoutError(f"{one[:12]} is not paid in the sale {sale[:12]}")
        if not payees or len(set(payees)) < len(payees):
            raise PayoutError("a message to the bank needs somebody in it, and each once; there is nobody new to pay")
        batch = {"kind": "batch", "sale": sale, "number": len(documents), "payees": sorted(payees)}
        yield _draft(key, sale, batch)

    (entry,) = Book.of(home, BOOK).append(write, at=at)
    return int(_read(entry, key.public)["number"])


def sales(home: Home) -> dict[str, Sale]:
    """Read every sale, oldest first, having checked the whole book.

    Raises
    ------
    LogBrokenError
        If the book is not what was signed, or an entry does not follow from those before it.
    """
    found: dict[str, list[tuple[Entry, dict[str, Any]]]] = {}
    key = home.operator.public
    for entry in Book.of(home, BOOK).entries():
        document = _read(entry, key)
        found.setdefault(document["sale"], []).append((entry, document))
    return {sale: _sale(entries) for sale, entries in found.items()}


def sale_of(home: Home, sale: str) -> Sale:
    """Read one sale, by its name or the beginning of it; the last one for an empty name.

    Raises
    ------
    PayoutError
        If there is no such sale, or several begin so.
    """
    known = sales(home)
    fits = [name for name in known if name.startswith(sale)]
    if not fits or (sale and len(fits) > 1):
        raise PayoutError(f"{len(fits)} paid sales begin with {sale!r}; recsys payout pay PROPOSAL pays one")
    return known[fits[-1]]


def _sale(entries: Sequence[tuple[Entry, dict[str, Any]]]) -> Sale:
    try:
        (first, published), *rest = entries
        by_kind: dict[str, list[dict[str, Any]]] = {"payment": [], "escrow": [], "batch": []}
        for _, document in rest:
            by_kind[document["kind"]].append(document)
        division = _division(published, _payments(by_kind["payment"]), _payments(by_kind["escrow"]))
        told = {name: value for name, value in published.items() if name != "kind"}
        if published["kind"] != "division" or division.totals_document() != told:
            raise PayoutError(f"the payments of the sale {division.sale[:12]} are not those of its recorded division")
        instructed_at = tuple(entry.at for entry, document in rest if document["kind"] == "batch")
        return Sale(division, told, first.at, tuple(tuple(one["payees"]) for one in by_kind["batch"]), instructed_at)
    except (RecsysError, KeyError, TypeError, ValueError) as error:
        raise LogBrokenError(f"entry {entries[0][0].seq} of {BOOK} begins no sale: {error}") from error


def _payments(documents: Sequence[Mapping[str, Any]]) -> tuple[Payment, ...]:
    return tuple(Payment(one["payee"], one["weights"], one["cents"]) for one in documents)


def _division(published: Mapping[str, Any], payments: tuple[Payment, ...], escrow: tuple[Payment, ...]) -> Division:
    cut = published["cutoff"]
    return Division(
        sale=published["sale"],
        price_cents=published["price_cents"],
        currency=published["currency"],
        split=Split.from_dict(published["split"]),
        treasury_cents=published["treasury_cents"],
        payments=payments,
        escrow=escrow,
        totals={rule: int(total) for rule, total in published["totals"].items()},
        all_zero=tuple(published["all_zero"]),
        cutoff=None if cut is None else Cutoff(Fraction(cut["remainder"]), cut["tie"]),
    )


def _draft(key: SigningKey, owner: str, document: Mapping[str, Any]) -> Draft:
    return Draft(owner, sign(PAYLOAD_TYPE, canonical_json(dict(document)), key))


def _read(entry: Entry, key: VerifyKey) -> dict[str, Any]:
    """Check that the operator signed an entry's document, and read it."""
    try:
        envelope = entry.envelope
        envelope.expect(PAYLOAD_TYPE)
        if not envelope.by([key]).signatures:
            raise LogBrokenError("the operator did not sign it")
        document = parse_json(envelope.payload)
        return {"kind": document["kind"], "sale": document["sale"], **document}
    except (RecsysError, ValueError, TypeError, LookupError) as error:
        raise LogBrokenError(f"entry {entry.seq} of {BOOK} is no payout: {error}") from error
