"""Whether what was paid is as it should be: the book, every table, and every statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from recsys.canonical import parse_json
from recsys.collective import Book, Inclusion, Votes
from recsys.errors import LogBrokenError, ProofInvalidError, RecsysError
from recsys.home import Home
from recsys.payouts.books import BOOK, PAYLOAD_TYPE, Sale, sales
from recsys.payouts.statement import check_statement, check_table, statement
from recsys.transparency import VerifyKey
from recsys.verdict import Check, Verdict

_SAID = ("payee", "weights", "cents")


def recorded_statement(home: Home, sale: Sale, payee: str) -> dict[str, Any]:
    """Write a payee's statement, with the proof that the payment stands in the book."""
    told, book = statement(sale.division, payee), Book.of(home, BOOK)
    (entry,) = book.about(payee)
    return {**told, "recorded": book.prove(entry.seq).as_dict()}


def check_recorded(found: Mapping[str, Any], key: VerifyKey) -> Verdict:
    """Check a statement with nothing but itself and the operator's public key."""
    computed = check_statement(found)
    try:
        inclusion = Inclusion.from_dict(found["recorded"])
        inclusion.check(key, BOOK)
        document = parse_json(inclusion.entry.envelope.verify(key, PAYLOAD_TYPE))
        said = {name: found[name] for name in _SAID} | {"sale": found["published"]["sale"]}
        if {name: document[name] for name in said} != said:
            raise ProofInvalidError("the book has another payment under this name")
        check = Check("book", holds=True, words=f"the payment is entry {inclusion.entry.seq:,} of the book of payouts")
    except (RecsysError, KeyError, TypeError, ValueError) as error:
        check = Check("book", holds=False, words=str(error))
    return Verdict(computed.subject, (*computed.checks, check))


def check_payouts(home: Home) -> Verdict:
    """Check the whole book of payouts: its log, and of every sale the table, the vote and the messages to the bank."""
    try:
        found = sales(home)
    except LogBrokenError as error:
        return Verdict("payouts", (Check("book", holds=False, words=str(error)),))
    checks = [Check("book", holds=True, words=f"{len(found):,} sales, every entry signed and in the log")]
    for sale in found.values():
        checks += _of_sale(home, sale)
    return Verdict("payouts", tuple(checks))


def _of_sale(home: Home, sale: Sale) -> Iterator[Check]:
    name, division = sale.division.sale[:12], sale.division
    table = check_table(sale.published, division.table())
    wrong = [check.words for check in table.checks if not check.holds]
    words = "; ".join(wrong) or f"{division.members_cents:,} cents to {len(division.payments):,} members, all as due"
    yield Check(f"sale {name}", not wrong, words)
    yield _of_vote(home, sale)
    twice = [one for one, times in Counter(one for batch in sale.batches for one in batch).items() if times > 1]
    unknown = sale.instructed - set(division.of)
    told = f"{len(sale.instructed):,} payees in {len(sale.batches):,} messages to the bank, nobody twice"
    bad = f"{len(twice):,} payees are in two messages, {len(unknown):,} are not of this sale"
    yield Check(f"bank {name}", not (twice or unknown), bad if twice or unknown else told)


def _of_vote(home: Home, sale: Sale) -> Check:
    division, name = sale.division, f"vote {sale.division.sale[:12]}"
    try:
        asked = Votes(home).proposals.of(division.sale)
    except RecsysError as error:
        return Check(name, holds=False, words=f"there is no such proposal: {error}")
    one = asked.proposal
    same = (one.price_cents, one.currency, one.split) == (division.price_cents, division.currency, division.split)
    passed = asked.result is not None and asked.result.tally.passed
    words = "price and split are those that the members agreed to"
    return Check(name, same and passed, words if same and passed else "the members agreed to no such price and split")
