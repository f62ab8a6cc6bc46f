"""Files of a paid sale: a table of payments, and messages to the bank, each payee in one only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from recsys.canonical import write_atomically
from recsys.errors import PayoutError
from recsys.home import Home
from recsys.payouts.accounts import Account, read_accounts
from recsys.payouts.books import Sale, instruct, payee, sale_of
from recsys.payouts.export import payments_csv
from recsys.payouts.pain001 import Batch, Transfer, pain001
from recsys.payouts.paying import payable
from recsys.payouts.statement import money

_REFERENCE = 32


@dataclass(frozen=True)
class Done:
    """What was written.

    Attributes
    ----------
    csv, pain001
        The files, where asked for.
    batch
        Number of the message to the bank; 0 if none was written.
    payees, cents
        How many are in the message, and what they get together.
    open
        How many have something to get and are in no message yet.
    currency
        ISO 4217.
    """

    csv: str | None
    pain001: str | None
    batch: int
    payees: int
    cents: int
    open: int
    currency: str

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON."""
        return dict(vars(self))

    def words(self) -> list[str]:
        """Say it."""
        said = [f"wrote {self.csv}"] if self.csv else []
        if self.batch:
            amount = money(self.cents, self.currency)
            said.append(f"wrote {self.pain001}: message {self.batch} to the bank, {amount} to {self.payees:,} payees")
        said.append(f"in no message yet: {self.open:,} payees, for want of an account or because they left")
        return said


@dataclass(frozen=True)
class Export:
    """A paid sale on its way into files.

    Parameters
    ----------
    home
        The collective's folder of state.
    proposal
        Hash of the proposal, or the beginning of it.
    accounts
        The operator's file of accounts; only tables without accounts are written where there is none.
    payer
        What stands in the column ``member`` of the collective's own account.
    """

    home: Home
    proposal: str
    accounts: Path | None
    payer: str

    def write(self, *, csv: Path | None, pain001: Path | None, again: int | None, at: datetime) -> Done:
        """Write the files.

        A message is recorded in the book before its file is written. A file that was lost is written again by its
        number (`again`): the same payees, references and date, so that the bank can tell that it saw them.

        Raises
        ------
        PayoutError
            If no file is asked for, an account is missing that is needed, or nobody is left to pay.
        """
        if not (csv or pain001):
            raise PayoutError("say what to write: --csv FILE, --pain001 FILE with --accounts, or both")
        sale = sale_of(self.home, self.proposal)
        known = read_accounts(self.accounts, self.home.pseudonyms.of) if self.accounts else {}
        own = known.pop(self.home.pseudonyms.of(self.payer), None)
        number = 0
        to: Mapping[str, Account] = {}
        if pain001:
            if own is None:
                raise PayoutError(f"the file of accounts has no line of {self.payer!r}, the collective's own account")
            number, to = self._batch(sale, known, again, at)
            sale = sale_of(self.home, sale.division.sale)
            write_atomically(pain001, self._message(sale, number, to, own))
        if csv:
            named = {payee(self.home, sale.division.sale, member): account for member, account in known.items()}
            write_atomically(csv, payments_csv(sale.division.payments, sale.division.currency, named))
        left = sum(bool(one.cents) and one.payee not in sale.instructed for one in sale.division.payments)
        cents = sum(sale.division.of[one].cents for one in to)
        written = (str(csv) if csv else None, str(pain001) if pain001 else None)
        return Done(*written, number, len(to), cents, left, sale.division.currency)

    def _batch(
        self, sale: Sale, known: Mapping[str, Account], again: int | None, at: datetime
    ) -> tuple[int, dict[str, Account]]:
        """Give the number of the message and the accounts of those in it; a new one is recorded."""
        if again is None:
            to = payable(self.home, sale, known, at=at)
            if not to:
                raise PayoutError(
                    "there is nobody new to pay: whoever has an account and belongs is in a message already; "
                    "a file that was lost is written again with --again NUMBER"
                )
            return instruct(self.home, sale.division.sale, sorted(to), at=at), to
        if not 1 <= again <= len(sale.batches):
            raise PayoutError(f"there is no message {again}; the sale has {len(sale.batches):,}")
        named = {payee(self.home, sale.division.sale, member): account for member, account in known.items()}
        missing = [one for one in sale.batches[again - 1] if one not in named]
        if missing:
            raise PayoutError(f"{len(missing):,} payees of message {again} are not in the file of accounts any more")
        return again, {one: named[one] for one in sale.batches[again - 1]}

    @staticmethod
    def _message(sale: Sale, number: int, to: Mapping[str, Account], own: Account) -> bytes:
        division = sale.division
        transfers: Sequence[Transfer] = [
            Transfer(one[:_REFERENCE], to[one], division.of[one].cents) for one in sorted(to)
        ]
        return pain001(
            Batch(
                message=f"{division.sale[: _REFERENCE - 5]}-{number:04d}",
                payer=own,
                currency=division.currency,
                at=datetime.fromisoformat(sale.instructed_at[number - 1]),
                purpose=f"Your share of sale {division.sale[:12]}",
                transfers=transfers,
            )
        )
