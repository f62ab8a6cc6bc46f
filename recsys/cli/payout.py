"""recsys payout: divide, pay, statement, export, verify."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App
from rich.table import Table

from recsys.cli.common import Common, instant, public_key, table
from recsys.cli.values import At, Sale

if TYPE_CHECKING:
    from recsys.payouts import Division

payout = App(name="payout", help="Divide the price of a sale to the cent, pay it once, and let members check it.")
_SHORT = 12
_MOST_SHOWN = 20


@payout.command
def divide(
    proposal: Sale, *, at: At = None, common: Common = Common()  # noqa: B008 - frozen
) -> None:  # fmt: skip
    """Show how the price of a sale would be divided; nothing is recorded."""
    from recsys.collective import Votes
    from recsys.payouts import plan

    home = common.open()
    sale = Votes(home).proposals.find(proposal)
    with common.bar("weighing") as bar:
        division = plan(home, sale, at=instant(at), progress=bar)
    document = {**division.totals_document(), "payments": division.table()}
    common.show(document, *_shown(division), f"nothing is paid yet; to pay: recsys payout pay {sale[:_SHORT]}")


@payout.command
def pay(
    proposal: Sale, *, at: datetime | None = None, common: Common = Common()  # noqa: B008 - frozen
) -> None:  # fmt: skip
    """Divide the price of a sale that passed and record it as paid: whole, and once.

    Parameters
    ----------
    at
        When (UTC unless it names a zone); now unless given. Who belongs then is paid.
    """
    from recsys.collective import Votes
    from recsys.payouts import pay as record
    from recsys.payouts import plan

    home, now = common.open(), instant(at)
    sale = Votes(home).proposals.find(proposal)
    with common.bar("weighing") as bar:
        division = plan(home, sale, at=now, progress=bar)
    record(home, sale, division, at=now)
    common.show(
        division.totals_document(),
        *_shown(division),
        "recorded in the book of payouts; it cannot be paid again",
        "to see what somebody got: recsys payout statement MEMBER",
        f"to instruct the bank: recsys payout export {sale[:_SHORT]} --accounts accounts.csv --pain001 FILE",
    )


@payout.command
def statement(
    member: str,
    *,
    sale: str = "",
    out: Path | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Tell a member what they got for a sale, and all they need to compute it again.

    Parameters
    ----------
    member
        The member's name, or the pseudonym.
    sale
        Hash of the proposal, or the beginning of it; the last sale that was paid unless given.
    out
        Write the statement here as JSON, with the proof that it is recorded.
    """
    from recsys.canonical import write_atomically
    from recsys.payouts import payee, recorded_statement, sale_of, words

    home = common.open()
    found = sale_of(home, sale)
    told = recorded_statement(home, found, payee(home, found.division.sale, member))
    if out:
        write_atomically(out, json.dumps(told, indent=1).encode())
    common.show(told, words(told), *([f"written to {out}"] if out else []))


@payout.command
def export(
    proposal: Sale,
    *,
    csv: Path | None = None,
    pain001: Path | None = None,
    accounts: Path | None = None,
    payer: str | None = None,
    again: int | None = None,
    at: At = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Write a paid sale as a table, and as a message to the bank (ISO 20022 pain.001.001.09).

    A message is recorded before it is written, with who is in it: nobody is put into a second one. No account is.

    Parameters
    ----------
    csv
        Write all payments here, with accounts where they are known.
    pain001
        Write the message to the bank here: of all who have an account, belong, and are in no message yet.
    accounts
        CSV file with the columns member, name, iban, and bic where the bank wants it; the collective's own account
        stands in the line of the member named by --payer.
    payer
        What stands in the column member of the collective's own account; treasury unless given.
    again
        Write the message of this number again, as a file was lost; the bank knows it by its MsgId.
    """
    from recsys.payouts.exporting import Export

    done = Export(common.open(), proposal, accounts, payer or "treasury").write(
        csv=csv, pain001=pain001, again=again, at=instant(at)
    )
    common.show(done.as_dict(), *done.words())


@payout.command
def verify(
    *,
    statement: Path | None = None,
    key: Path | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Check all that was ever paid; or compute one statement again, offline.

    Parameters
    ----------
    statement
        A statement as JSON, instead of the book.
    key
        The operator's public key (PEM), for a statement; that of this home unless given.
    """
    from recsys.canonical import parse_json
    from recsys.payouts import check_payouts, check_recorded

    if statement:
        public = public_key(key) or common.open().operator.public
        found = check_recorded(parse_json(statement.read_bytes()), public)
    else:
        found = check_payouts(common.open())
    return common.judge(found)


def _shown(division: Division) -> list[str | Table]:
    from recsys.payouts import money

    def amount(cents: int) -> str:
        return money(cents, division.currency)

    parts = [
        ("members", len(division.payments), amount(division.members_cents)),
        ("artists, set aside for each", len(division.escrow), amount(division.artists_cents)),
        ("treasury", "", amount(division.treasury_cents)),
        ("price", "", amount(division.price_cents)),
    ]
    counted = sorted(payment.cents for payment in division.payments)
    spread = [(name, amount(counted[int(share * (len(counted) - 1))])) for name, share in _QUANTILES]
    most = sorted(division.payments, key=lambda payment: (-payment.cents, payment.payee))[:_MOST_SHOWN]
    rules = list(division.split.rules)
    rows = [(one.payee[:_SHORT], *(f"{one.weights[rule]:,}" for rule in rules), amount(one.cents)) for one in most]
    return [
        f"split: {division.split.words()}",
        table("The price", ("", "payees", "amount"), parts, numbers=2),
        table("What members get", ("", "amount"), spread, numbers=1),
        table("Payees, the greatest amounts first", ("payee", *rules, "amount"), rows, numbers=len(rules) + 1),
        *([f"all weigh nothing by {', '.join(division.all_zero)}: divided equally"] if division.all_zero else []),
    ]


_QUANTILES = (("least", 0.0), ("a quarter get at most", 0.25), ("half get at most", 0.5), ("most", 1.0))
