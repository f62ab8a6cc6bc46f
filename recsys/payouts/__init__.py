"""Money: how a price is divided among members, in whole cents, and how it is paid once.

Why it is as it is:

* No floats. Weights are whole numbers (:mod:`recsys.payouts.rules` says how each comes about), fractions are exact, and
  the cents add up to the price (:mod:`recsys.payouts.rounding`): $55,000 are $55,000.00, whatever the rule.
* Everybody can compute their own amount again from the published totals, without seeing anybody else's data
  (:mod:`recsys.payouts.statement`).
* A division is recorded whole and once, in a Merkle log (:mod:`recsys.payouts.books`, which says who is paid).
* Accounts are in a file that the operator holds. No IBAN is ever recorded (:mod:`recsys.payouts.accounts`).
"""

from recsys.payouts.accounts import Account, read_accounts
from recsys.payouts.books import Sale, book, instruct, payee, sale_of, sales
from recsys.payouts.checking import check_payouts, check_recorded, recorded_statement
from recsys.payouts.division import Division, Payment, divide
from recsys.payouts.export import payments_csv
from recsys.payouts.pain001 import Batch, Transfer, pain001
from recsys.payouts.paying import paid, pay, payable, plan
from recsys.payouts.rounding import largest_remainder
from recsys.payouts.statement import check_statement, check_table, money, statement, words

__all__ = [
    "Account",
    "Batch",
    "Division",
    "Payment",
    "Sale",
    "Transfer",
    "book",
    "check_payouts",
    "check_recorded",
    "check_statement",
    "check_table",
    "divide",
    "instruct",
    "largest_remainder",
    "money",
    "paid",
    "pain001",
    "pay",
    "payable",
    "payee",
    "payments_csv",
    "plan",
    "read_accounts",
    "recorded_statement",
    "sale_of",
    "sales",
    "statement",
    "words",
]
