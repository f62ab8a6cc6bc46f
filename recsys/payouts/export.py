"""Payments as a table that a spreadsheet opens."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from recsys.payouts.accounts import Account
from recsys.payouts.division import Payment

COLUMNS = ("payee", "cents", "amount", "currency", "name", "iban", "bic")
_FORMULA = ("=", "+", "-", "@")


def payments_csv(payments: Iterable[Payment], currency: str, accounts: Mapping[str, Account] | None = None) -> bytes:
    """Write payments as CSV (RFC 4180, UTF-8), a line for each payee.

    Parameters
    ----------
    payments
        What is paid.
    currency
        ISO 4217.
    accounts
        Payee -> account; cells stay empty where none is known. What a spreadsheet would take for a formula has an
        apostrophe before it.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for payment in payments:
        account = (accounts or {}).get(payment.payee)
        amount = f"{payment.cents // 100}.{payment.cents % 100:02d}"
        held = (_plain(account.name), account.iban, account.bic) if account else ("", "", "")
        writer.writerow((payment.payee, payment.cents, amount, currency, *held))
    return out.getvalue().encode()


def _plain(name: str) -> str:
    return f"'{name}" if name.startswith(_FORMULA) else name
